"""Where every millilitre goes, through the places the devices touch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.core.surroundings import Barrel, Pan
from simulators.plant import parameters as p
from simulators.plant.tubing import Tube
from simulators.vessels import Stirred100

T0 = 1_767_567_600.0


class Bench:
    """A filled vessel with both lines primed, and the two pumps' barrels."""

    def __init__(self, seed: int | None = None, faults: dict[str, dict[str, float]] | None = None) -> None:
        self.plant = Stirred100(T0, seed, faults, vessel_ml=90.0, cells_per_ml=2e5)
        self.fill: Barrel = self.plant.place("fill syringe")  # type: ignore[assignment]
        self.waste: Barrel = self.plant.place("waste syringe")  # type: ignore[assignment]
        self.pan: Pan = self.plant.place("waste pan")  # type: ignore[assignment]
        self.now = T0
        self.plant.hands.line_to_cup(T0)
        self.stroke(self.fill, -10, 5)
        self.stroke(self.fill, 10, 5)
        self.plant.hands.line_to_vessel(self.now)

    def stroke(self, barrel: Barrel, ml: float, ml_min: float) -> None:
        """`ml` of plunger: < 0 draws, > 0 delivers."""
        end = self.now + abs(ml) / ml_min * 60
        barrel.run(self.now, ml_min if ml > 0 else -ml_min, end)
        self.now = end
        self.plant.advance(end)

    def exchange(self) -> dict[str, float]:
        """The exchange of benches A1; what the two witnesses and the truth say, mL."""
        before, grams = self.plant.truth(self.now), self.pan.weight_g(self.now)
        self.stroke(self.waste, -24, 3)
        self.stroke(self.waste, 24, 3)
        balance = (self.pan.weight_g(self.now) - grams) / p.DENSITY
        drained = float(self.plant.truth(self.now)["vessel_ml"])
        self.stroke(self.fill, -18, 3)
        self.stroke(self.fill, 18, 1)
        after = self.plant.truth(self.now)
        return {
            "balance": balance,
            "drained": drained,
            "out": float(after["total_out_ml"]) - float(before["total_out_ml"]),
            "into": float(after["total_in_ml"]) - float(before["total_in_ml"]),
        }

    def books(self) -> Iterator[float]:
        for name, residual in self.plant.books().items():
            yield abs(residual) / (500.0 if name.endswith("ml") else 1000.0)


def test_priming_fills_the_line_and_pushes_the_rest_into_the_cup() -> None:
    truth = Bench().plant.truth(T0 + 240)
    assert truth["cup_ml"] == pytest.approx(6.0)
    assert truth["vessel_ml"] == pytest.approx(90.0, abs=0.01)
    assert truth["total_in_ml"] == 0.0


def test_an_exchange_takes_eighteen_and_gives_eighteen() -> None:
    bench = Bench()
    found = bench.exchange()
    assert found["drained"] == pytest.approx(72.0, abs=0.01)
    assert found["balance"] == pytest.approx(18.0, abs=0.02)
    assert found["into"] == pytest.approx(18.0, abs=1e-6)
    assert max(bench.books()) < 1e-9
    truth = bench.plant.truth(bench.now)
    assert truth["waste_liquid_ml"] == pytest.approx(0.0, abs=1e-9)
    assert truth["waste_air_ml"] == pytest.approx(0.0, abs=1e-9)


def test_a_leaking_check_valve_shows_fifteen_on_the_balance_and_the_rest_in_the_vessel() -> None:
    bench = Bench(faults={"check-valve": {}})
    found = bench.exchange()
    assert found["balance"] == pytest.approx(15.1, abs=0.05)
    truth = bench.plant.truth(bench.now)
    assert found["drained"] == pytest.approx(72.0 + 2.88, abs=0.02)
    assert truth["waste_leaked_ml"] == pytest.approx(2.88, abs=0.01)
    assert found["out"] == pytest.approx(18.0 - 2.88, abs=0.02)
    assert max(bench.books()) < 1e-9


def test_a_valve_may_begin_to_leak_later() -> None:
    bench = Bench(faults={"check-valve": {"at": 86400.0, "fraction": 0.5}})
    assert bench.exchange()["balance"] == pytest.approx(18.0, abs=0.02)
    bench.now = T0 + 86400.0
    assert bench.exchange()["balance"] < 10.0
    assert max(bench.books()) < 1e-9


def test_a_leaking_fill_valve_gives_less_and_returns_it_to_the_bottle() -> None:
    bench = Bench(faults={"check-valve-fill": {}})
    found = bench.exchange()
    assert found["into"] == pytest.approx(18.0 * 0.84, abs=1e-6)
    assert max(bench.books()) < 1e-9


def test_a_halted_stroke_has_moved_what_it_had_time_for() -> None:
    bench = Bench()
    bench.waste.run(bench.now, -3.0, bench.now + 480)
    bench.waste.halt(bench.now + 61.5)
    bench.now += 100
    truth = bench.plant.truth(bench.now)
    assert truth["total_out_ml"] == pytest.approx(3.0 * 61.5 / 60)
    assert truth["waste_air_ml"] == pytest.approx(3.0 * 61.5 / 60)  # the line was full of air


def test_the_balance_sees_a_delivery_between_two_grid_points() -> None:
    bench = Bench()
    bench.stroke(bench.waste, -24, 3)
    begin, tare = bench.now, bench.pan.weight_g(bench.now)
    bench.waste.run(begin, 3.0, begin + 480)
    grams = [bench.pan.weight_g(begin + s) - tare for s in range(360)]
    assert grams[7] == pytest.approx(7 * 0.05 * p.DENSITY, rel=1e-6)
    assert grams[123] == pytest.approx(123 * 0.05 * p.DENSITY, rel=1e-6)
    rise = [b - a for a, b in pairwise(grams)]
    assert max(rise) == pytest.approx(min(rise), rel=1e-6)


def test_an_empty_bottle_gives_air_and_no_medium() -> None:
    bench = Bench()
    bench.plant.hands.renew_bottle(bench.now, "osteogenic", 5.0)
    assert bench.exchange()["into"] == pytest.approx(4.0 + 5.0, abs=1e-6)  # the line's content, then the bottle's
    assert max(bench.books()) < 1e-9


def test_overfilling_is_flagged_and_never_exceeds_the_brim() -> None:
    bench = Bench()
    bench.plant.hands.pour(bench.now, 70.0)
    truth = bench.plant.truth(bench.now)
    assert truth["overflow"] is True
    bench.plant.hands.pour(bench.now, 200.0)
    assert float(bench.plant.truth(bench.now)["vessel_ml"]) < 250.0
    assert max(bench.books()) < 1e-9


def test_evaporation_is_a_third_of_a_millilitre_a_day() -> None:
    plant = Stirred100(T0, vessel_ml=90.0)
    plant.advance(T0 + 3 * 86400)
    assert plant.volumes.evaporated_ml == pytest.approx(3 * 0.35, rel=0.05)
    assert plant.volumes.vessel_ml == pytest.approx(90.0 - plant.volumes.evaporated_ml)


def test_a_seed_gives_two_slightly_wrong_syringes_and_no_seed_exact_ones() -> None:
    gains = [Stirred100(T0, seed).volumes.fill.gain for seed in range(200)]
    assert 0.004 < (sum((g - 1) ** 2 for g in gains) / len(gains)) ** 0.5 < 0.006
    assert Stirred100(T0, 7).volumes.waste.gain == Stirred100(T0, 7).volumes.waste.gain
    assert Stirred100(T0).volumes.fill.gain == 1.0


def test_a_tube_pulls_fifty_milligrams_on_the_balance() -> None:
    plant = Stirred100(T0, 3, {"tube-on-balance": {}})
    grams = [plant.pan_g(T0 + 10 * k) for k in range(1000)]
    assert max(grams) - min(grams) == pytest.approx(0.1, rel=0.01)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 9), st.floats(0, 9)), max_size=20))
def test_a_tube_gives_out_what_goes_in(pushes: list[tuple[bool, float, float]]) -> None:
    tube = Tube([[0.0, 4.0]])
    balance = 0.0
    for from_pump, liquid, air in pushes:
        push = tube.push_from_pump if from_pump else tube.push_from_far_end
        liquid_out, air_out = push(liquid, air)
        assert liquid_out + air_out == pytest.approx(liquid + air, abs=1e-9)
        balance += liquid - liquid_out
    assert tube.liquid_ml == pytest.approx(balance, abs=1e-9)
    assert sum(ml for _, ml in tube.plugs) == pytest.approx(4.0, abs=1e-9)


STROKE = st.tuples(st.sampled_from(["fill", "waste"]), st.floats(-28, 28), st.floats(0, 900), st.floats(0, 900))


@settings(max_examples=20, deadline=None)
@given(strokes=st.lists(STROKE, max_size=8), leaks=st.booleans(), looks=st.integers(1, 60))
def test_whatever_the_pumps_do_books_close_and_looking_changes_nothing(
    strokes: list[tuple[str, float, float, float]], leaks: bool, looks: int
) -> None:
    faults = {"check-valve": {}, "check-valve-fill": {"at": 600.0}} if leaks else None
    plants = [Stirred100(T0, 5, faults, vessel_ml=90.0, cells_per_ml=2e5) for _ in range(3)]
    now = T0
    for which, ml_min, lasts, wait in strokes:
        for number, plant in enumerate(plants):
            plant.place(f"{which} syringe").run(now, ml_min, now + lasts)  # type: ignore[union-attr]
            if number == 1:
                for k in range(looks):
                    plant.pan_g(now + wait * k / looks)
                    plant.truth(now + wait * k / looks)
            if number == 2:  # a world that stops and comes back in the middle of everything
                plant.advance(now + wait / 2)
                revived = Stirred100(T0 + 1, 99)
                revived.restore(json.loads(json.dumps(plant.snapshot())))
                plants[2] = revived
        now += wait
    ends = [plant.truth(now + 60) for plant in plants]
    assert ends[0] == ends[1] == ends[2]
    for name, residual in plants[0].books().items():
        assert abs(residual) < 1e-7, name
    for value in (plants[0].volumes.vessel_ml, plants[0].culture.glucose, plants[0].volumes.waste.air_ml):
        assert value >= 0.0
