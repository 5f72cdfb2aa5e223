"""Perfused beds: oxygen across the bed, anoxia at a stop, every millilitre through the valve, books that close."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.perfused import Perfused
from simulators.plant import parameters as p
from simulators.plant.bed import passed

T0 = 1_767_567_600.0
HOUR = 3600.0


class Bench:
    """Four filled beds; the places that devices would touch."""

    def __init__(self, seed: int | None = None, faults: dict[str, dict[str, float]] | None = None, **more: Any) -> None:
        filled: dict[str, Any] = {"reservoir_ml": p.RESERVOIR_ML, "cells": p.BED_CELLS}
        self.plant = Perfused(T0, seed, faults, **filled | more)
        self.now = T0
        self.syringe: Any = self.plant.place("syringe")
        self.valve: Any = self.plant.place("valve")

    def loop(self, bed: int, ml_min: float) -> None:
        place: Any = self.plant.place(f"loop {bed}")
        place.run(self.now, ml_min, float("inf"))

    def stroke(self, port: int, ml: float, ml_min: float = 5.0) -> None:
        """`ml` of plunger at a port: < 0 draws, > 0 delivers."""
        self.valve.connect(self.now, port)
        end = self.now + abs(ml) / ml_min * 60
        self.syringe.run(self.now, ml_min if ml > 0 else -ml_min, end)
        self.now = end
        self.plant.advance(end)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.plant.advance(self.now)

    def truth(self) -> dict[str, Any]:
        return self.plant.truth(self.now)

    def weight(self) -> float:
        pan: Any = self.plant.place("waste pan")
        return pan.weight_g(self.now)

    def worst_book(self) -> float:
        return max(abs(residual) for residual in self.plant.books().values())


@pytest.mark.parametrize(("uptake", "drop_um"), [(15.0, 4.0), (98.0, 25.0)])
def test_the_bed_takes_four_to_twenty_five_micromolar_out_of_what_passes(uptake: float, drop_um: float) -> None:
    bench = Bench(o2_uptake=uptake)
    bench.loop(1, p.LOOP_FLOW_ML_MIN)
    bench.wait(6 * HOUR)
    truth = bench.truth()
    assert truth["flow_1_ml_min"] == p.LOOP_FLOW_ML_MIN
    taken = truth["inlet_1_o2_um"] - truth["outlet_1_o2_um"]
    assert taken == pytest.approx(drop_um, abs=1.5)  # at 98 their cores get less, and take less
    assert bench.worst_book() < 1e-6


@pytest.mark.parametrize(("uptake", "minutes"), [(15.0, 24.0), (98.0, 4.0)])
def test_a_bed_that_stands_still_is_anoxic_in_four_to_twenty_four_minutes(uptake: float, minutes: float) -> None:
    bench = Bench(o2_uptake=uptake)
    bench.loop(1, p.LOOP_FLOW_ML_MIN)
    bench.wait(2 * HOUR)
    place: Any = bench.plant.place("loop 1")
    place.halt(bench.now)
    bench.wait(0.7 * minutes * 60)
    assert bench.truth()["outlet_1_o2_um"] > 8.0
    bench.wait(0.5 * minutes * 60)
    assert bench.truth()["outlet_1_o2_um"] < 8.0, "below 1 kPa"
    bench.loop(1, p.LOOP_FLOW_ML_MIN)
    bench.wait(300.0)
    assert bench.truth()["outlet_1_o2_um"] > 100.0


@settings(max_examples=200, deadline=None)
@given(
    st.floats(0.0, 0.3), st.floats(0.0, 0.3), st.floats(0.0, 0.1), st.floats(0.0, 1e-3), st.floats(1.0, 60.0)
)  # fmt: skip
def test_a_bed_in_two_halves_of_a_step_is_the_bed_in_one(
    o2: float, inlet: float, rate: float, uptake: float, dt: float
) -> None:
    later, used = passed(o2, inlet, rate, uptake, dt)
    middle, first = passed(o2, inlet, rate, uptake, dt / 2)
    end, second = passed(middle, inlet, rate, uptake, dt / 2)
    assert end == pytest.approx(later, abs=1e-9)
    assert first + second == pytest.approx(used, abs=1e-9)
    assert later >= 0.0 and 0.0 <= used <= uptake * dt + 1e-12


def test_what_is_drawn_and_delivered_is_where_the_valve_stands() -> None:
    bench = Bench()
    before = bench.truth()
    bench.stroke(3, -4.0)  # reservoir 1
    bench.stroke(2, 4.0)  # waste
    bench.stroke(1, -4.0)  # bottle
    bench.stroke(5, 4.0)  # reservoir 3
    after = bench.truth()
    assert after["reservoir_1_ml"] == pytest.approx(before["reservoir_1_ml"] - 4.0)
    assert after["reservoir_3_ml"] == pytest.approx(before["reservoir_3_ml"] + 4.0)
    assert after["waste_ml"] == pytest.approx(4.0)
    assert after["fresh_ml"] == pytest.approx(before["fresh_ml"] - 4.0)
    moved = ("drawn_from_reservoir_1_ml", "drawn_from_fresh_bottle_ml", "delivered_to_waste_bottle_ml")
    assert [after[name] for name in (*moved, "delivered_to_reservoir_3_ml")] == [pytest.approx(4.0)] * 4
    assert [after["syringe_drawn_ml"], after["syringe_delivered_ml"]] == [pytest.approx(8.0)] * 2
    assert bench.weight() == pytest.approx(p.WASTE_TARE_G + 4.0 * p.DENSITY)
    assert bench.worst_book() < 1e-6


def test_below_the_dip_tube_there_is_air_and_the_weight_says_so() -> None:
    bench = Bench()
    for _ in range(3):
        bench.stroke(3, -4.0)
        bench.stroke(2, 4.0)
    truth = bench.truth()
    assert truth["reservoir_1_ml"] == pytest.approx(p.RESERVOIR_LEVEL_ML)
    assert (bench.weight() - p.WASTE_TARE_G) / p.DENSITY == pytest.approx(8.0, abs=0.01)


def test_a_plugged_port_gives_air_and_takes_what_is_pressed_at_it() -> None:
    bench = Bench()
    bench.stroke(9, -2.0)
    assert bench.truth()["syringe_air_ml"] == pytest.approx(2.0)
    bench.stroke(1, -2.0)
    bench.stroke(9, 4.0)
    truth = bench.truth()
    assert truth["spilled_ml"] == truth["delivered_to_nowhere_ml"] == pytest.approx(2.0)
    assert bench.worst_book() < 1e-6


def test_medium_through_the_wrong_port_is_seen_in_what_the_other_bed_has() -> None:
    bench = Bench()
    for bed in (1, 2):
        bench.loop(bed, p.LOOP_FLOW_ML_MIN)
    bench.wait(48 * HOUR)
    lactate = bench.truth()["lactate_1"]
    assert lactate > 1.0
    bench.stroke(3, -5.0)
    bench.stroke(4, 5.0)
    mixed = bench.truth()
    assert mixed["lactate_2"] == pytest.approx(mixed["lactate_1"], rel=0.02), "both ate alike, so it is no difference"
    bench.stroke(1, -5.0)
    bench.stroke(4, 5.0)
    fresher = bench.truth()
    assert fresher["lactate_2"] == pytest.approx(mixed["lactate_2"] * (1 - 5 / 27.9), rel=0.02)
    assert bench.worst_book() < 1e-6


def test_a_worn_tube_carries_less_and_a_bottle_under_the_loop_shows_it() -> None:
    bench = Bench(faults={"worn-tube": {"bed": 2, "fraction": 0.3}})
    for bed in (1, 2):
        bench.loop(bed, 0.2)
    weighed: dict[int, float] = {}
    for bed in (1, 2):
        hands, before = bench.plant.hands.at(f"bed_{bed}"), bench.weight()
        hands.line_to_cup(bench.now)
        bench.wait(600.0)
        hands.line_to_vessel(bench.now)
        weighed[bed] = (bench.weight() - before) / p.DENSITY
    assert weighed == {1: pytest.approx(2.0), 2: pytest.approx(1.4)}
    truth = bench.truth()
    assert (truth["flow_1_ml_min"], truth["flow_2_ml_min"]) == (0.2, pytest.approx(0.14))
    assert truth["reservoir_2_ml"] == pytest.approx(15.0 - 1.4)
    assert bench.worst_book() < 1e-6


def test_a_loop_over_an_empty_reservoir_turns_and_carries_nothing() -> None:
    bench = Bench(reservoir_ml=0.0)
    bench.loop(1, 0.2)
    bench.wait(600.0)
    assert bench.truth()["flow_1_ml_min"] == 0.0


def test_a_person_at_one_bed_touches_no_other() -> None:
    bench = Bench(reservoir_ml=0.0, cells=0.0)
    hands = bench.plant.hands.at("bed_3")
    hands.pour(bench.now, 15.0, 2e5)
    truth = bench.truth()
    assert [truth[f"reservoir_{bed}_ml"] for bed in (1, 2, 3, 4)] == [0.0, 0.0, 15.0, 0.0]
    assert (truth["cells_3"], truth["cells_2"]) == (3e6, 0.0)
    found = hands.take(bench.now, 1.0)
    assert found["volume_ml"] == 1.0 and found["glucose"] == pytest.approx(p.MEDIUM_GLUCOSE, rel=0.01)
    assert hands.look(bench.now)["volume_ml"] == pytest.approx(14.0)
    hands.door(bench.now, 30.0)
    assert bench.truth()["door_open"]
    bench.wait(60.0)
    assert not bench.truth()["door_open"]
    assert hands.harvest(bench.now)["cells"] == pytest.approx(3e6, rel=1e-3)
    with pytest.raises(ValueError, match="no bed of 'bed_9'"):
        hands.at("bed_9")
    with pytest.raises(ValueError, match="nothing stirs"):
        hands.stir(bench.now, 90.0)
    assert bench.worst_book() < 1e-6


def test_overfilled_a_reservoir_runs_over_and_the_truth_says_so() -> None:
    bench = Bench()
    bench.plant.hands.pour(bench.now, 12.0)
    bench.wait(10.0)
    truth = bench.truth()
    assert truth["overflow"]
    assert truth["reservoir_1_ml"] == pytest.approx(p.RESERVOIR_BRIM_ML)
    assert truth["spilled_ml"] == pytest.approx(2.0)
    assert bench.worst_book() < 1e-6


def test_new_bottles_and_evaporation_are_in_the_books() -> None:
    bench = Bench(evaporation_ml_day=0.2)
    bench.stroke(3, -4.0)
    bench.stroke(2, 4.0)
    bench.plant.hands.renew_bottle(bench.now, "waste")
    bench.plant.hands.renew_bottle(bench.now, "osteogenic", 100.0)
    bench.wait(24 * HOUR)
    truth = bench.truth()
    assert (truth["waste_ml"], truth["fresh_ml"]) == (0.0, 100.0)
    assert truth["evaporated_ml"] == pytest.approx(0.8, abs=0.1)
    assert bench.worst_book() < 1e-6


def test_a_port_that_leads_to_nothing_known_is_refused() -> None:
    with pytest.raises(ValueError, match="reservoir 9"):
        Perfused(T0, ports={"3": "reservoir 9"})


Act = st.tuples(st.integers(0, 9), st.floats(-6.0, 6.0), st.floats(0.0, 900.0))


@settings(max_examples=30, deadline=None)
@given(st.lists(Act, max_size=12), st.integers(0, 1000))
def test_whatever_valve_and_syringe_do_the_books_close_and_nothing_is_negative(
    acts: list[tuple[int, float, float]], seed: int
) -> None:
    bench = Bench(seed, {"worn-tube": {"bed": 4}})
    for bed in (1, 2, 3, 4):
        bench.loop(bed, 0.2)
    for port, ml, wait in acts:
        bench.stroke(port, ml or 0.1)
        bench.wait(wait)
        assert bench.worst_book() < 1e-6
    truth = bench.truth()
    assert min(float(truth[name]) for name in truth if name.endswith(("_ml", "_um", "_do_percent"))) >= -1e-9
    assert sum(truth[n] for n in truth if n.startswith("drawn_from_")) == pytest.approx(truth["syringe_drawn_ml"])


@pytest.mark.parametrize("seed", [None, 5])
def test_asking_is_no_event_and_a_snapshot_may_be_taken_anywhere(seed: int | None) -> None:
    def play(bench: Bench, ask: bool, revive: bool) -> dict[str, Any]:
        bench.loop(2, 0.2)
        for port, ml in ((3, -4.0), (2, 4.0), (1, -3.0), (4, 3.0)):
            bench.stroke(port, ml)
            if revive:
                saved = json.loads(json.dumps(bench.plant.snapshot()))
                bench.plant.restore(saved)
                assert json.loads(json.dumps(bench.plant.snapshot())) == saved
            if ask:
                for second in range(40):
                    bench.plant.truth(bench.now + second * 1.7)
                    bench.weight()
            bench.wait(777.7)
        return bench.truth()

    truths = [play(Bench(seed), ask, revive) for ask, revive in ((False, False), (True, False), (True, True))]
    for one, other in pairwise(truths):
        assert one == other


def test_a_stopped_loop_starves_its_spheroids_after_a_day_and_the_others_live() -> None:
    bench = Bench()
    bench.loop(2, p.LOOP_FLOW_ML_MIN)
    bench.wait(20 * HOUR)
    first = bench.truth()
    bench.wait(40 * HOUR)
    last = bench.truth()
    assert first["cells_1"] > 0.98 * p.BED_CELLS
    assert last["cells_1"] < 0.5 * p.BED_CELLS
    assert last["cells_2"] > 0.95 * p.BED_CELLS
    assert bench.worst_book() < 1e-6


def test_spheroids_in_a_bed_mature_and_bind_the_calcium_of_their_loop() -> None:
    bench = Bench(medium="osteogenic medium")
    bench.loop(1, p.LOOP_FLOW_ML_MIN)
    bench.wait(8 * 24 * HOUR)
    told = bench.plant.story(bench.now)
    assert told["bed_1"]["alp"] > 2.0
    assert told["bed_1"]["calcium_ug"] > 0.0
    assert told["bed_1"]["rim_um"] == pytest.approx(told["bed_1"]["o2_um"], rel=0.05)
    assert told["bed_1"]["calcium_mm"] < told["bed_3"]["calcium_mm"]
    assert bench.worst_book() < 1e-6
