"""What a transfer still has to do, from its rows alone: the same before and after a crash, and never too much."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.run.intents import Intent
from controller.run.strokes import Doubt, Finished, Next, next_stroke, rest, tolerance_ml
from tests.controller.rows import DELIVER, DRAW, done, intent


def test_a_transfer_begins_by_drawing_all_of_it() -> None:
    assert next_stroke(18.0, []) == Next(DRAW, 18.0)


def test_what_was_drawn_is_then_delivered() -> None:
    assert next_stroke(18.0, [done(DRAW, 18.0)]) == Next(DELIVER, 18.0)


def test_both_strokes_done_is_finished() -> None:
    assert next_stroke(18.0, [done(DRAW, 18.0), done(DELIVER, 17.99)]) == Finished(18.0, 17.99)


@pytest.mark.req("DS-04")
def test_an_interrupted_stroke_is_completed_by_its_measured_rest() -> None:
    assert next_stroke(18.0, [done(DRAW, 7.5, "partial")]) == Next(DRAW, 10.5)
    assert next_stroke(18.0, [done(DRAW, 18.0), done(DELIVER, 4.0, "partial")]) == Next(DELIVER, 14.0)


@pytest.mark.req("DS-04")
def test_a_cancelled_stroke_is_done_anew() -> None:
    assert next_stroke(18.0, [done(DRAW, 0.0, "cancelled")]) == Next(DRAW, 18.0)


@pytest.mark.req("DS-04")
@pytest.mark.parametrize("state", ["intended", "unknown"])
def test_nothing_moves_while_a_row_is_open_or_unknown(state: str) -> None:
    rows = [done(DRAW, 18.0), intent(DELIVER, state=state)]
    assert next_stroke(18.0, rows) == Doubt(rows[1])


def test_a_rest_too_small_to_matter_is_left() -> None:
    assert next_stroke(18.0, [done(DRAW, 17.9)]) == Next(DELIVER, 17.9)
    assert rest(1.0, 0.96, []) == 0.0
    assert rest(1.0, 0.94, []) == pytest.approx(0.06)


def test_once_delivering_has_begun_nothing_more_is_drawn() -> None:
    rows = [done(DRAW, 10.0, "partial"), done(DELIVER, 2.0, "partial")]
    assert next_stroke(18.0, rows) == Next(DELIVER, 8.0)


@pytest.mark.req("DS-04")
def test_after_an_over_delivery_nothing_more_moves() -> None:
    assert next_stroke(18.0, [done(DRAW, 36.0, "over")]) == Finished(36.0, 0.0)
    assert next_stroke(18.0, [done(DRAW, 18.0), done(DELIVER, 20.0, "over")]) == Finished(18.0, 20.0)


def test_the_tolerance_is_one_percent_or_two_steps_of_the_counter() -> None:
    assert tolerance_ml(18.0, 0.01) == pytest.approx(0.18)
    assert tolerance_ml(1.0, 0.1) == pytest.approx(0.2)


# --- a syringe smaller than the volume


def turns(*rows: Intent) -> Next | Finished | Doubt:
    """8 mL with a syringe of 5 mL: two turns of 4 mL."""
    return next_stroke(8.0, rows, room_ml=5.0)


def test_a_volume_beyond_the_syringe_goes_in_equal_turns() -> None:
    first = done(DRAW, 4.0), done(DELIVER, 4.0)
    assert turns() == Next(DRAW, 4.0)
    assert turns(*first[:1]) == Next(DELIVER, 4.0)
    assert turns(*first) == Next(DRAW, 4.0)
    assert turns(*first, done(DRAW, 4.0)) == Next(DELIVER, 4.0)
    assert turns(*first, *first) == Finished(8.0, 8.0)
    assert next_stroke(4.8, [], room_ml=5.0) == Next(DRAW, 4.8)
    assert next_stroke(10.0, [], room_ml=5.0) == Next(DRAW, 3.333), "a full syringe has no room for what is left in it"


@pytest.mark.req("DS-04")
def test_in_turns_each_interrupted_stroke_is_completed_by_its_own_rest() -> None:
    assert turns(done(DRAW, 1.5, "partial")) == Next(DRAW, 2.5)
    assert turns(done(DRAW, 4.0), done(DELIVER, 1.0, "partial")) == Next(DELIVER, 3.0)
    second = done(DRAW, 4.0), done(DELIVER, 4.0), done(DRAW, 1.0, "partial")
    assert turns(*second) == Next(DRAW, 3.0)
    assert turns(*second, done(DRAW, 0.0, "cancelled")) == Next(DRAW, 3.0)
    assert turns(*second, intent(DRAW, state="unknown")) == Doubt(intent(DRAW, state="unknown"))
    assert turns(done(DRAW, 4.0), done(DELIVER, 9.0, "over")) == Finished(4.0, 9.0)


def test_what_a_turn_lacked_within_its_tolerance_the_next_one_draws() -> None:
    assert turns(done(DRAW, 3.97), done(DELIVER, 3.96)) == Next(DRAW, 4.03)


@pytest.mark.req("INV-01", "DS-03")
@settings(max_examples=100, deadline=None)
@given(st.floats(0.5, 60.0), st.floats(1.0, 30.0), st.lists(st.floats(0.0, 1.0), max_size=40))
def test_in_turns_the_syringe_never_holds_more_than_it_can_nor_the_transfer_moves_more_than_its_target(
    target: float, room: float, shares: list[float]
) -> None:
    rows: list[Intent] = []
    for share in shares:
        step = next_stroke(target, rows, room_ml=room)
        if not isinstance(step, Next):
            break
        rows.append(done(step.direction, share * step.volume_ml, "partial"))
        drawn, delivered = (sum(r.moved_ml or 0.0 for r in rows if r.stroke is way) for way in (DRAW, DELIVER))
        assert delivered <= drawn + 1e-3 and drawn <= target + 1e-3
        rounded = 1e-3 * len(rows)  # each stroke is asked in steps of 1 µL
        assert drawn - delivered <= room + rounded
        assert step.volume_ml <= room + rounded


Results = st.lists(
    st.tuples(st.floats(0.0, 1.0), st.sampled_from(["done", "partial", "cancelled", "unknown", "skip"])), max_size=12
)


@pytest.mark.req("INV-01", "DS-03")
@settings(max_examples=60, deadline=None)
@given(st.floats(0.5, 60.0), Results)
def test_whatever_partial_results_come_never_more_than_the_target_is_moved(
    target: float, results: list[tuple[float, str]]
) -> None:
    """Play a transfer: each stroke asked moves some share of what was asked; a person settles what is unknown."""
    rows: list[Intent] = []
    for share, how in results:
        step = next_stroke(target, rows)
        if not isinstance(step, Next):
            break
        assert step.volume_ml > 0
        if how == "unknown":
            doubt = [*rows, intent(step.direction, state="unknown")]
            assert isinstance(next_stroke(target, doubt), Doubt)
            moved = share * step.volume_ml
        else:
            moved = step.volume_ml if how == "done" else 0.0 if how == "cancelled" else share * step.volume_ml
        rows.append(done(step.direction, moved, "done" if how == "done" else "partial"))
        for direction in (DRAW, DELIVER):
            assert sum(row.moved_ml or 0.0 for row in rows if row.stroke is direction) <= target + 0.001 * len(rows)
    drawn = sum(row.moved_ml or 0.0 for row in rows if row.stroke is DRAW)
    delivered = sum(row.moved_ml or 0.0 for row in rows if row.stroke is DELIVER)
    assert delivered <= drawn + 0.001 * len(rows)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.5, 60.0), st.lists(st.floats(0.05, 1.0), min_size=1, max_size=4))
def test_strokes_that_move_come_to_an_end(target: float, shares: list[float]) -> None:
    rows: list[Intent] = []
    for number in range(400):
        step = next_stroke(target, rows)
        if isinstance(step, Finished):
            assert step.drawn_ml == pytest.approx(target, abs=max(0.06, 0.011 * target))
            return
        assert isinstance(step, Next)
        rows.append(done(step.direction, shares[number % len(shares)] * step.volume_ml, "partial"))
    raise AssertionError("no end of strokes")
