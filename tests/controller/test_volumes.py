"""The estimate of what a vessel holds, and the books it is made from."""

from __future__ import annotations

from typing import Any

import pytest

from controller.run.books import drawn_so_far, moves_of_hand, moves_of_transfer
from controller.run.intents import Intent
from controller.run.strokes import Finished, next_stroke
from controller.run.volumes import BASE_SIGMA_ML, DAY_S, Move, estimate
from controller.settings import parse
from controller.store.rows import DoseRow, TaskRow
from simulators.rehearsal import shipped_bench
from tests.controller.rows import DELIVER, DRAW, done, intent

UNIT = parse(shipped_bench().read_text("utf-8")).units[0]


def test_an_empty_vessel_holds_nothing_and_loses_nothing() -> None:
    held = estimate([], 0.0, 10 * DAY_S, 0.35)
    assert (held.ml, held.sigma_ml) == (0.0, 0.0)


def test_the_estimate_is_start_plus_in_minus_out_minus_evaporation() -> None:
    moves = [Move(0.0, 90.0, 0.9), Move(DAY_S, -1.0, 0.01)]
    held = estimate(moves, 0.0, 2 * DAY_S, 0.35)
    assert held.ml == pytest.approx(90 - 1 - 0.7)


def test_uncertainty_grows_with_time_and_moves() -> None:
    one = estimate([Move(0.0, 90.0, 0.9)], 0.0, DAY_S, 0.35)
    later = estimate([Move(0.0, 90.0, 0.9)], 0.0, 10 * DAY_S, 0.35)
    more = estimate([Move(0.0, 90.0, 0.9), Move(1.0, 5.0, 0.5)], 0.0, DAY_S, 0.35)
    assert one.sigma_ml < later.sigma_ml
    assert one.sigma_ml < more.sigma_ml


@pytest.mark.req("DS-13")
def test_a_level_fixed_by_geometry_resets_the_estimate_and_its_uncertainty() -> None:
    moves = [Move(0.0, 90.0, 9.0), Move(DAY_S, 72.0, 0.15, level=True)]
    held = estimate(moves, 0.0, DAY_S, 0.35)
    assert (held.ml, held.sigma_ml) == (72.0, pytest.approx(BASE_SIGMA_ML))


def test_moves_after_now_do_not_count_yet_and_order_does_not_matter() -> None:
    moves = [Move(20.0, 5.0), Move(10.0, 90.0)]
    assert estimate(moves, 0.0, 15.0, 0.0).ml == 90.0
    assert estimate(moves, 0.0, 25.0, 0.0).ml == 95.0


def test_a_vessel_is_never_below_empty() -> None:
    assert estimate([Move(0.0, 1.0), Move(1.0, -5.0)], 0.0, 2.0, 0.0).ml == 0.0


# --- books


def moved(rows: list[Intent], into: bool = True) -> float:
    return sum(move.ml for move in moves_of_transfer(rows, UNIT, into_vessel=into) if not move.level)


def test_what_was_delivered_into_the_vessel_is_booked_as_measured() -> None:
    assert moved([done(DRAW, 18.0), done(DELIVER, 17.9)]) == pytest.approx(17.9)


@pytest.mark.req("DS-07")
@pytest.mark.parametrize("state", ["intended", "unknown"])
def test_an_open_or_unknown_delivery_counts_as_fully_delivered(state: str) -> None:
    assert moved([done(DRAW, 18.0), intent(DELIVER, state=state, target_ml=18.0)]) == 18.0


def test_what_goes_into_the_cup_is_not_in_the_vessel() -> None:
    assert moved([done(DRAW, 10.0), done(DELIVER, 10.0)], into=False) == 0.0


@pytest.mark.req("DS-13")
def test_a_withdrawal_that_ended_sets_the_level() -> None:
    out = {"fluid_path": "medium out"}
    moves = moves_of_transfer([done(DRAW, 24.0, **out), done(DELIVER, 24.0, **out)], UNIT, into_vessel=True)
    assert [(move.ml, move.level) for move in moves] == [(72.0, True)]
    assert moves_of_transfer([done(DRAW, 24.0, **out)], UNIT, into_vessel=True) == []
    unknown = [done(DRAW, 24.0, **out), intent(DELIVER, state="unknown", **out)]
    assert moves_of_transfer(unknown, UNIT, into_vessel=True) == []


def hand(*acts: dict[str, Any]) -> TaskRow:
    return TaskRow("run-1", "pour", "Pour", {"acts": list(acts)}, None, 1.0, "answered", {}, "anna", 50.0, None, "")


@pytest.mark.req("DS-08", "DX-03")
def test_a_withdrawal_by_strokes_that_were_all_cut_short_sets_the_level_too() -> None:
    """Killed twice in one stroke, the last time within tolerance of the whole: no stroke is done, the transfer is."""
    rows = [
        done(DRAW, 12.0, "partial", target_ml=24.0, cap_ml=24.0, fluid_path="medium out", ended_at=100.0),
        done(DRAW, 11.85, "partial", target_ml=12.0, cap_ml=24.0, fluid_path="medium out", ended_at=200.0),
        done(DELIVER, 12.0, "partial", target_ml=23.85, cap_ml=24.0, fluid_path="medium out", ended_at=300.0),
        done(DELIVER, 11.7, "partial", target_ml=11.85, cap_ml=24.0, fluid_path="medium out", ended_at=400.0),
    ]
    assert isinstance(next_stroke(24.0, rows), Finished)
    (move,) = moves_of_transfer(rows, UNIT, into_vessel=False)
    assert (move.level, move.at) == (True, 200.0)
    assert moves_of_transfer(rows[:3], UNIT, into_vessel=False) == []


def test_what_hands_do_to_flasks_and_plates_is_not_booked_to_the_vessel() -> None:
    into_plates = {"act": "pour", "volume_ml": 9.0, "vessel": "plates", "elsewhere": True}
    assert moves_of_hand(hand(into_plates, {"act": "harvest", "vessel": "flasks", "elsewhere": True})) == []
    assert len(moves_of_hand(hand(into_plates, {"act": "pour", "volume_ml": 20.0}))) == 1


def test_what_hands_poured_and_took_is_booked_at_the_time_of_the_answer() -> None:
    moves = moves_of_hand(hand({"act": "pour", "volume_ml": 72.0}, {"act": "take", "volume_ml": 1.0}, {"act": "stir"}))
    assert [(move.at, move.ml) for move in moves] == [(50.0, 72.0), (50.0, -1.0)]


def test_a_harvest_empties_the_books() -> None:
    assert [(move.ml, move.level) for move in moves_of_hand(hand({"act": "harvest"}))] == [(0.0, True)]


# --- rows


def test_an_intent_survives_the_ledger_and_back() -> None:
    row = done(DRAW, 7.0, "partial", evidence="7 of 18", witness="waste weight", witness_before=180.0)
    stored = DoseRow(**(row.row() | {"sent_at": None}))
    assert Intent.of(stored) == row


def test_only_an_intended_row_is_open() -> None:
    assert intent().open
    assert not any(done(DRAW, 1.0, state).open for state in ("done", "partial", "over", "cancelled", "unknown"))
    assert (intent(DRAW).before(), intent(DELIVER).before()) == (50.0, 40.0)


def test_what_a_withdrawal_under_way_has_drawn_is_shown_and_an_open_stroke_widens_the_estimate() -> None:
    out = {"fluid_path": "medium out"}
    (partial,) = drawn_so_far([done(DRAW, 9.9, **out)])
    assert partial.ml == -9.9 and not partial.level
    (open_one,) = drawn_so_far([intent(DRAW, target_ml=24.0, **out)])
    assert open_one.ml == -12.0 and open_one.sigma_ml == pytest.approx(6.93, abs=0.01)
    assert drawn_so_far([done(DELIVER, 18.0, fluid_path="medium in")]) == []


@pytest.mark.req("DS-08", "INV-04")
def test_a_withdrawal_in_turns_has_not_reached_its_level_before_its_last_turn() -> None:
    out = {"fluid_path": "medium out", "part": "withdraw", "cap_ml": 12.0, "target_ml": 4.0}
    turn = [done(DRAW, 4.0, **out), done(DELIVER, 4.0, **out)]
    assert moves_of_transfer(turn * 2, UNIT, into_vessel=True) == []
    (move,) = moves_of_transfer([*turn * 2, done(DRAW, 4.0, ended_at=900.0, **out)], UNIT, into_vessel=True)
    assert (move.level, move.at) == (True, 900.0)
