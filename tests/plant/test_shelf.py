"""Flasks and plates beside the vessel that osteon serves: what acts of a person do to them, through weeks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulators.plant import parameters as p
from simulators.vessels import Stirred100

T0 = 1_767_567_600.0
DAY = 86400.0
FLASKS = {"vessel": "flasks", "elsewhere": True, "kind": "flask", "dishes": 5}
CONTROL = {"vessel": "control", "elsewhere": True, "kind": "flask", "dishes": 1}
PLATES = {"vessel": "plates", "elsewhere": True, "kind": "plate", "dishes": 60}


def pour(into: dict[str, Any], ml: float, of: str, cells: float = 0.0) -> dict[str, Any]:
    return into | {"act": "pour", "volume_ml": ml, "fluid": of, "cells_per_ml": cells}


def two_weeks(plant: Stirred100) -> None:
    """As the 28-day protocol: seed, feed, induce the flasks and not the control, detach, form."""
    hands = plant.hands
    for each in (FLASKS, CONTROL):
        hands.elsewhere(T0, pour(each, 35.0, "growth medium", 25_000.0))
    for day, medium in ((1, "growth medium"), (4, "growth medium"), (7, "osteogenic medium"), (9, "osteogenic medium"),
                        (11, "osteogenic medium")):  # fmt: skip
        at = T0 + day * DAY + 7200.0
        for each, fed in ((FLASKS, medium), (CONTROL, "growth medium")):
            hands.elsewhere(at, each | {"act": "take", "volume_ml": 35.0})
            hands.elsewhere(at, pour(each, 35.0, fed))
    plant.advance(T0 + 14 * DAY)


@pytest.fixture(scope="module")
def grown() -> Stirred100:
    plant = Stirred100(T0, vessel_ml=70.0, medium="osteogenic medium")
    two_weeks(plant)
    return plant


def test_flasks_grow_and_only_the_induced_ones_differentiate(grown: Stirred100) -> None:
    told = grown.story(grown.t)
    assert told["flasks"]["confluence"] == 100.0
    assert told["flasks"]["alp"] > 2 * told["control"]["alp"] == pytest.approx(2.0)
    assert told["flasks"]["cells_million"] > 5 * 5.6
    assert max(abs(left) for name, left in grown.books().items() if name.endswith("_umol")) < 1e-9


def test_a_person_finds_the_spent_medium_before_it_is_taken_off(grown: Stirred100) -> None:
    found = grown.hands.elsewhere(grown.t, CONTROL | {"act": "take", "volume_ml": 1.0})
    assert 0.0 <= found["glucose"] < 4.0
    assert found["lactate"] > 1.0
    assert 90.0 < found["viability"] < 100.0
    assert grown.truth(grown.t)["by_hand_out_ml"] == 0.0


def test_the_world_is_the_same_after_a_restart() -> None:
    whole, first = Stirred100(T0), Stirred100(T0)
    for plant in (whole, first):
        plant.hands.elsewhere(T0, pour(PLATES, 0.150, "osteogenic medium", 2e5))
    first.advance(T0 + 1.5 * DAY)
    second = Stirred100(T0 + 5)
    second.restore(json.loads(json.dumps(first.snapshot())))
    for plant in (whole, second):
        plant.hands.elsewhere(T0 + 2 * DAY, PLATES | {"act": "take", "volume_ml": 0.070})
        plant.hands.elsewhere(T0 + 2 * DAY, pour(PLATES, 0.075, "osteogenic medium"))
        plant.advance(T0 + 3 * DAY)
    assert second.snapshot() == whole.snapshot()


def test_cells_keep_their_maturity_into_plate_and_reactor_and_leave_their_matrix_behind(grown: Stirred100) -> None:
    plant = Stirred100(T0)
    plant.restore(json.loads(json.dumps(grown.snapshot())))
    hands, now = plant.hands, plant.t
    assert hands.elsewhere(now, FLASKS | {"act": "harvest"})["cells"] > 2.2e7
    hands.elsewhere(now, pour(PLATES, 0.150, "osteogenic medium", 2e5))
    assert hands.elsewhere(now, CONTROL | {"act": "harvest"})["cells"] > 4e6
    control = PLATES | {"vessel": "control plate"}
    hands.elsewhere(now, pour(control, 0.150, "growth medium", 2e5))
    hands.pour(now, 20.0, 9e5)
    told = plant.story(now)
    assert told["plates"]["early"] > 0.3
    assert told["control plate"]["early"] == 0.0
    assert told["plates"]["calcium_ug"] == told["control plate"]["calcium_ug"] == 0.0
    assert told["vessel"]["early"] == pytest.approx(told["plates"]["early"], abs=0.08)
    assert told["flasks"] == {"volume_ml": 0.0}
    plant.advance(now + 5 * DAY)
    told = plant.story(plant.t)
    assert told["plates"]["alp"] > 2 * told["control plate"]["alp"]
    assert told["plates"]["cells_million"] == pytest.approx(60 * 0.03 * (1 - p.DEATH) ** 5, rel=0.02)


def test_a_mould_of_a_thousand_microwells_is_passed_over() -> None:
    plant = Stirred100(T0)
    mould = {"vessel": "microwells", "elsewhere": True, "kind": "plate", "dishes": 1200}
    assert plant.hands.elsewhere(T0, pour(mould, 0.01, "growth medium", 1e6)) == {}
    assert plant.hands.elsewhere(T0, mould | {"act": "harvest"}) == {}
    assert list(plant.story(T0)) == ["chamber", "vessel"]
