"""What a finished transfer is worth: in range, short, over, differ, unknown (DS-13, two witnesses)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.run.intents import Intent
from controller.run.judging import (
    Result,
    Sample,
    allowed_ml,
    crossing,
    judge_level,
    judge_volume,
    liquid_counted,
    liquid_of,
    weighed_of,
)
from tests.controller.rows import DELIVER, DRAW, done

RHO = 1.005


def withdrawal(weighed_ml: float, liquid_ml: float | None = None, cap_ml: float = 24.0) -> list[Intent]:
    """The two rows of a withdrawal in which the balance gained `weighed_ml`."""
    return [
        done(DRAW, cap_ml),
        done(
            DELIVER,
            cap_ml,
            witness="waste weight",
            witness_before=180.0,
            witness_after=180.0 + weighed_ml * RHO,
            liquid_ml=weighed_ml if liquid_ml is None else liquid_ml,
        ),
    ]


def level(rows: list[Intent], expected: float | None = 18.0, sigma: float = 0.2) -> Result:
    return judge_level(rows, cap_ml=24.0, density_g_ml=RHO, expected_ml=expected, expected_sigma_ml=sigma)


# --- withdraw to level


@pytest.mark.req("DS-13")
@pytest.mark.parametrize("weighed", [17.2, 18.0, 18.8])
def test_a_withdrawal_in_range_is_done(weighed: float) -> None:
    result = level(withdrawal(weighed))
    assert (result.outcome, result.why) == ("done", "")
    assert result.witness_ml == pytest.approx(weighed)


@pytest.mark.req("DS-13")
def test_less_than_expected_above_the_level_is_short() -> None:
    result = level(withdrawal(15.0))
    assert result.outcome == "short"
    assert "15.0 mL came out, 18.0 mL were expected" in result.why


@pytest.mark.req("DS-13")
@pytest.mark.parametrize(("weighed", "outcome"), [(17.0, "done"), (18.0, "done"), (15.9, "short"), (19.1, "over")])
def test_a_sample_taken_while_the_pump_draws_may_count_before_or_after_the_level(weighed: float, outcome: str) -> None:
    judged = judge_level(
        withdrawal(weighed), cap_ml=24.0, density_g_ml=RHO, expected_ml=18.0, expected_sigma_ml=0.2, by_hand_ml=-1.0
    )
    assert judged.outcome == outcome


def test_more_than_expected_above_the_level_is_over() -> None:
    assert level(withdrawal(18.5), expected=16.0).outcome == "over"


@pytest.mark.req("DS-13")
def test_liquid_to_the_end_of_the_stroke_is_over_for_the_level_was_not_reached() -> None:
    """5 mL/min for 60 s flat = 5 mL of air must follow the last liquid."""
    result = level(withdrawal(20.0), expected=20.0)
    assert result.outcome == "over"
    assert "level not reached" in result.why


@pytest.mark.req("DS-13")
def test_counter_and_balance_that_disagree_are_told_apart() -> None:
    """A check valve leaks back: the counter goes on, the balance does not."""
    result = level(withdrawal(15.1, liquid_ml=18.0))
    assert result.outcome == "differ"
    assert "18.0 mL" in result.why
    assert "15.1 mL" in result.why


@pytest.mark.req("DS-13")
def test_a_balance_not_read_at_both_ends_is_unknown() -> None:
    rows = [done(DRAW, 24.0), done(DELIVER, 24.0, witness="waste weight", witness_before=180.0)]
    result = level(rows)
    assert (result.outcome, result.witness_ml) == ("unknown", None)


def test_a_stroke_nobody_watched_is_judged_by_the_balance_alone() -> None:
    rows = withdrawal(18.0)
    unwatched = [rows[0], rows[1].ended(liquid_ml=None)]
    assert level(unwatched).outcome == "done"
    assert level(unwatched).counter_ml is None


def test_without_an_expectation_only_the_witnesses_count() -> None:
    assert level(withdrawal(10.0), expected=None).outcome == "done"


@pytest.mark.req("DS-04")
def test_an_over_run_stroke_is_over_whatever_the_balance_says() -> None:
    rows = withdrawal(18.0)
    result = level([rows[0].ended(state="over", moved_ml=48.0), rows[1]])
    assert result.outcome == "over"


# --- a given volume


@pytest.mark.req("DS-13")
def test_a_volume_by_counter_in_range_is_done() -> None:
    result = judge_volume([done(DRAW, 18.0), done(DELIVER, 17.9)], target_ml=18.0, density_g_ml=1.0)
    assert (result.outcome, result.counter_ml, result.witness_ml) == ("done", 17.9, None)


def test_a_volume_too_small_is_short() -> None:
    rows = [done(DRAW, 18.0), done(DELIVER, 9.0, "partial")]
    result = judge_volume(rows, target_ml=18.0, density_g_ml=1.0)
    assert (result.outcome, result.counter_ml) == ("short", 9.0)


def test_a_volume_too_large_is_over() -> None:
    rows = [done(DRAW, 18.0), done(DELIVER, 19.0, "over")]
    assert judge_volume(rows, target_ml=18.0, density_g_ml=1.0).outcome == "over"


@pytest.mark.req("DS-04")
def test_a_little_more_than_tolerance_is_over_too() -> None:
    """2 % above target: outside the stroke's 1 %, so it is an over-delivery with its alarm (DS-04)."""
    rows = [done(DRAW, 18.0), done(DELIVER, 18.36, "over")]
    assert judge_volume(rows, target_ml=18.0, density_g_ml=1.0).outcome == "over"


@pytest.mark.req("DS-04")
def test_a_drawing_stroke_that_ran_over_is_over_and_not_short() -> None:
    result = judge_volume([done(DRAW, 36.0, "over")], target_ml=18.0, density_g_ml=1.0)
    assert result.outcome == "over"
    assert "36" in result.why


def test_where_the_path_has_a_witness_it_must_agree() -> None:
    rows = [done(DRAW, 18.0), done(DELIVER, 18.0, witness="w", witness_before=0.0, witness_after=15.0)]
    assert judge_volume(rows, target_ml=18.0, density_g_ml=1.0).outcome == "differ"


def test_nothing_sent_is_short_of_everything() -> None:
    assert judge_volume([], target_ml=18.0, density_g_ml=1.0).outcome == "short"


# --- reading liquid off two curves


def ramp(air_before: float, liquid: float, air_after: float, step: float = 0.25) -> list[Sample]:
    """Samples of a stroke: the balance rises only while liquid leaves (1 g/mL)."""
    total = air_before + liquid + air_after
    count = round(total / step)
    return [Sample(i * step, min(max(i * step - air_before, 0.0), liquid)) for i in range(count + 1)]


@settings(max_examples=60, deadline=None)
@given(st.floats(0.0, 4.0), st.floats(1.0, 20.0), st.floats(0.0, 6.0))
def test_the_liquid_part_of_a_stroke_is_found_between_the_air(before: float, liquid: float, after: float) -> None:
    assert liquid_counted(ramp(before, liquid, after)) == pytest.approx(liquid, abs=0.3)


def test_a_balance_that_never_rose_saw_no_liquid() -> None:
    assert liquid_counted([Sample(i, 0.01 * (i % 2)) for i in range(20)]) == 0.0
    assert liquid_counted([]) == 0.0


def test_a_weight_never_passed_is_crossed_at_the_last_look() -> None:
    assert crossing([Sample(0.0, 0.0), Sample(2.0, 1.0)], 5.0) == 2.0


def test_the_liquid_of_a_transfer_needs_every_delivering_stroke_watched() -> None:
    first, second = done(DELIVER, 5.0, liquid_ml=5.0), done(DELIVER, 13.0, liquid_ml=12.5)
    assert liquid_of([done(DRAW, 18.0), first, second]) == pytest.approx(17.5)
    assert liquid_of([first, second.ended(liquid_ml=None)]) is None
    assert liquid_of([done(DRAW, 18.0)]) is None
    assert liquid_of([first, done(DELIVER, 0.0, "cancelled", liquid_ml=None)]) == pytest.approx(5.0)


def test_the_weight_of_a_transfer_is_from_its_first_to_its_last_delivery() -> None:
    rows = [
        done(DELIVER, 5.0, "partial", witness_before=100.0, witness_after=105.0),
        done(DELIVER, 13.0, witness_before=105.2, witness_after=118.09),
    ]
    assert weighed_of(rows, RHO) == pytest.approx(18.0)
    assert weighed_of([done(DRAW, 18.0)], RHO) is None


def test_what_is_allowed_is_five_percent_or_three_sigma() -> None:
    assert allowed_ml(18.0, 0.1) == pytest.approx(0.9)
    assert allowed_ml(1.0, 0.1) == pytest.approx(0.3)


@pytest.mark.req("INV-02")
@settings(max_examples=60, deadline=None)
@given(st.floats(0.0, 40.0), st.floats(0.0, 40.0), st.floats(1.0, 40.0))
def test_done_is_never_said_of_a_volume_off_by_more_than_is_allowed(
    counter: float, grams: float, target: float
) -> None:
    state = "over" if counter > 1.01 * target else "done" if counter > 0.99 * target else "partial"
    rows = [done(DRAW, target), done(DELIVER, counter, state, witness="w", witness_before=0.0, witness_after=grams)]
    result = judge_volume(rows, target_ml=target, density_g_ml=1.0)
    if result.outcome == "done":
        assert abs(counter - target) <= max(0.05 * target, 0.03) + 1e-9
        assert abs(counter - grams) <= max(0.05 * counter, 0.24) + 1e-9
