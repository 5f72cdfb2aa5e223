"""A peristaltic head in the place of a syringe: nominal flow, gain, wear, a worn tube that only the balance sees."""

from __future__ import annotations

import json

import pytest

from simulators.core.surroundings import Pan, Tube
from simulators.plant import parameters as p
from simulators.plant.hose import Hose
from simulators.vessels import Stirred100

T0 = 1_767_567_600.0


def place(plant: Stirred100, name: str) -> Tube:
    return plant.place(name)  # type: ignore[return-value]


def weight(plant: Stirred100, now: float) -> float:
    pan: Pan = plant.place("waste pan")  # type: ignore[assignment]
    return pan.weight_g(now)


def exchange(plant: Stirred100, ml: float) -> tuple[float, float]:
    """`ml` out at 5 mL/min, 18 mL in at 1 mL/min; what the balance gained, mL, and what came into the vessel."""
    tare, before = weight(plant, T0), plant.truth(T0)
    place(plant, "waste tube").run(T0, 5.0, T0 + ml / 5 * 60)
    end = T0 + ml / 5 * 60
    place(plant, "fill tube").run(end, 1.0, end + 1080)
    after = plant.truth(end + 1080)
    assert max(abs(residual) for residual in plant.books().values()) < 1e-6
    weighed = (weight(plant, end + 1080) - tare) / p.DENSITY
    return weighed, float(after["total_in_ml"]) - float(before["total_in_ml"])


def test_a_hose_takes_down_to_the_end_of_the_dip_tube_and_then_air() -> None:
    plant = Stirred100(T0, vessel_ml=90.0, line_out_ml=0.0, line_in_ml=0.0)
    weighed, into = exchange(plant, 24.0)
    assert weighed == pytest.approx(18.0, abs=0.01)
    assert into == pytest.approx(18.0, abs=1e-9)
    assert plant.truth(T0 + 3600)["vessel_ml"] == pytest.approx(90.0, abs=0.02)
    assert plant.truth(T0 + 3600)["waste_hose_ml"] == pytest.approx(24.0)


def test_a_worn_tube_moves_less_than_it_counts_from_its_time_on_and_the_balance_sees_it() -> None:
    faults = {"worn-tube": {"at": 72.0, "fraction": 0.5}}
    plant = Stirred100(T0, faults=faults, vessel_ml=90.0, line_out_ml=0.0, line_in_ml=0.0)
    weighed, _ = exchange(plant, 12.0)
    assert weighed == pytest.approx(6.0 + 3.0, abs=0.01)


def test_lines_are_filled_before_anything_arrives() -> None:
    plant = Stirred100(T0, vessel_ml=90.0)
    weighed, into = exchange(plant, 12.0)
    assert weighed == pytest.approx(8.0, abs=0.01)
    assert into == pytest.approx(14.0, abs=0.01)


def test_backward_it_brings_waste_back_and_empties_the_filling_line_into_its_bottle() -> None:
    plant = Stirred100(T0, vessel_ml=90.0, line_out_ml=0.0)
    exchange(plant, 12.0)
    before = plant.truth(T0 + 3600)
    place(plant, "waste tube").run(T0 + 3600, -6.0, T0 + 3660)
    place(plant, "fill tube").run(T0 + 3600, -6.0, T0 + 3660)
    after = plant.truth(T0 + 3660)
    assert float(before["waste_ml"]) - float(after["waste_ml"]) == pytest.approx(6.0)
    assert float(after["vessel_ml"]) - float(before["vessel_ml"]) == pytest.approx(6.0, abs=0.01)
    assert float(after["fresh_ml"]) - float(before["fresh_ml"]) == pytest.approx(4.0), "what stood in the line"
    assert max(abs(residual) for residual in plant.books().values()) < 1e-6


def test_tubes_differ_from_set_to_set_and_wear_with_turning_not_with_time() -> None:
    hose = Hose(wears=True)
    hose.run(1.0, 1e18)
    new = hose.flow()
    for _ in range(8640):
        hose.carry(10.0)
    day = hose.flow()
    for _ in range(36_000):
        hose.carry(10.0)
    assert (new, day) == (1.0, pytest.approx(1 - 0.03 - 0.0024, abs=1e-4))
    assert day - hose.flow() == pytest.approx(0.01, abs=1e-4), "one in a hundred a hundred hours"
    hose.halt()
    assert hose.carry(10.0) == 0.0
    gains = {Stirred100(T0, seed).volumes.waste_hose.gain for seed in range(50)}
    assert 0.9 < min(gains) < 1.0 < max(gains) < 1.1
    assert Stirred100(T0).volumes.waste_hose == Hose()


def test_a_plant_restored_in_mid_flow_goes_on_as_the_one_it_was_saved_from() -> None:
    first, second = (Stirred100(T0, 4, {"worn-tube": {"at": 90.0}}, vessel_ml=90.0) for _ in range(2))
    place(first, "waste tube").run(T0, 5.0, T0 + 180)
    first.advance(T0 + 60)
    second.restore(json.loads(json.dumps(first.snapshot())))
    assert first.truth(T0 + 400) == second.truth(T0 + 400)
