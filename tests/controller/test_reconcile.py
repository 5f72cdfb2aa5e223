"""The table of DS-04 row by row, and when a counter may be believed at all (DS-06)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.run.intents import Intent
from controller.run.reconcile import Evidence, continuous, judge
from drivers.core.fluid import Direction, Totals
from tests.controller.rows import DELIVER, DRAW, SAME, intent


def seen(drawn: float | None, delivered: float = 0.0, **facts: Any) -> Evidence:
    totals = None if drawn is None else Totals(drawn, delivered, 0.01)
    return Evidence(**({"identity": SAME, "totals": totals, "unbroken": False} | facts))


def after(moved: float, **facts: Any) -> Evidence:
    """The counters `moved` mL of delivering later."""
    return seen(50.0, 40.0 + moved, **facts)


# --- DS-04, row by row


@pytest.mark.req("DS-04")
def test_delta_zero_with_continuity_is_nothing_delivered() -> None:
    verdict = judge(intent(), after(0.0))
    assert (verdict.state, verdict.moved_ml) == ("cancelled", 0.0)
    assert "nothing moved" in verdict.evidence


@pytest.mark.req("DS-04")
@pytest.mark.parametrize("moved", [0.02, 1.0, 5.0, 9.89])
def test_less_than_target_minus_tolerance_is_partial_with_the_measured_amount(moved: float) -> None:
    verdict = judge(intent(), after(moved))
    assert verdict.state == "partial"
    assert verdict.moved_ml == pytest.approx(moved)


@pytest.mark.req("DS-04")
@pytest.mark.parametrize("moved", [9.91, 10.0, 10.09])
def test_target_within_tolerance_is_done_with_the_measured_amount(moved: float) -> None:
    verdict = judge(intent(), after(moved))
    assert verdict.state == "done"
    assert verdict.moved_ml == pytest.approx(moved)


@pytest.mark.req("DS-04")
@pytest.mark.parametrize("moved", [10.11, 12.0, 20.0])
def test_more_than_target_plus_tolerance_is_over(moved: float) -> None:
    assert judge(intent(), after(moved)).state == "over"


@pytest.mark.req("DS-04")
def test_another_device_is_unknown_however_good_its_counter_looks() -> None:
    verdict = judge(intent(), after(10.0, identity="New Era · NE-1000 · 3.700", unbroken=True))
    assert (verdict.state, verdict.moved_ml) == ("unknown", None)
    assert "another device" in verdict.evidence


@pytest.mark.req("DS-04", "DS-06")
@pytest.mark.parametrize("unbroken", [False, True])
def test_counters_below_their_baseline_prove_nothing(unbroken: bool) -> None:
    """A pump that lost power begins to count at zero again, and says nothing else about it."""
    for evidence in (seen(0.0, 0.0), seen(0.0, 3.0), seen(50.0, 0.0), seen(0.0, 45.0)):
        verdict = judge(intent(), Evidence(SAME, evidence.totals, unbroken))
        assert verdict.state == "unknown"
        assert "lost power" in verdict.evidence


@pytest.mark.req("DS-04")
def test_no_counter_and_no_witness_is_unknown() -> None:
    verdict = judge(intent(), seen(None))
    assert (verdict.state, verdict.moved_ml) == ("unknown", None)


@pytest.mark.req("DS-04")
@pytest.mark.parametrize(
    ("risen_g", "state"), [(0.0, "cancelled"), (5.0, "partial"), (10.05, "done"), (15.0, "over"), (-0.05, "cancelled")]
)
def test_where_the_counter_fails_the_witness_settles_a_delivering_stroke(risen_g: float, state: str) -> None:
    weighed = intent(witness="waste weight", witness_before=100.0)
    verdict = judge(weighed, seen(None, weight_g=100.0 + risen_g, density_g_ml=1.005))
    assert verdict.state == state
    assert "witness waste weight" in verdict.evidence


def test_a_witness_that_fell_settles_nothing() -> None:
    verdict = judge(intent(witness="waste weight", witness_before=100.0), seen(None, weight_g=95.0))
    assert verdict.state == "unknown"
    assert "fell" in verdict.evidence


def test_a_witness_says_nothing_about_a_drawing_stroke() -> None:
    drawn = intent(DRAW, witness="waste weight", witness_before=100.0)
    assert judge(drawn, seen(None, weight_g=110.0)).state == "unknown"


def test_density_turns_grams_into_millilitres() -> None:
    verdict = judge(intent(witness="w", witness_before=0.0), seen(None, weight_g=12.5, density_g_ml=1.25))
    assert verdict.moved_ml == pytest.approx(10.0)


# --- DS-06


@pytest.mark.req("DS-06")
def test_a_baseline_of_zero_proves_nothing() -> None:
    """The power-up alarm may have been read by a controller that is dead now: zero may be before or after a reset."""
    fresh = intent(drawn_before_ml=0.0, delivered_before_ml=0.0)
    for moved in (0.0, 4.0, 10.0):
        verdict = judge(fresh, seen(0.0, moved))
        assert (verdict.state, verdict.moved_ml) == ("unknown", None)
        assert "zero" in verdict.evidence


@pytest.mark.req("DS-06")
def test_a_baseline_too_small_to_be_seen_to_fall_proves_nothing() -> None:
    """A counter of one step that stands at zero now may have been reset: nobody could tell."""
    small = intent(drawn_before_ml=0.001, delivered_before_ml=0.0, resolution_ml=0.001)
    assert judge(small, seen(0.0, 0.0)).state == "unknown"


@pytest.mark.req("DS-06")
def test_a_baseline_of_zero_is_settled_by_a_witness() -> None:
    fresh = intent(drawn_before_ml=0.0, delivered_before_ml=0.0, witness="waste weight", witness_before=180.0)
    assert judge(fresh, seen(0.0, 0.0, weight_g=190.0)).state == "done"
    assert judge(fresh, seen(0.0, 0.0, weight_g=180.0)).state == "cancelled"


@pytest.mark.req("DS-06")
def test_a_baseline_of_zero_counts_when_the_stroke_was_watched_without_a_break() -> None:
    fresh = intent(drawn_before_ml=0.0, delivered_before_ml=0.0)
    assert judge(fresh, seen(0.0, 10.0, unbroken=True)).state == "done"


@pytest.mark.req("DS-06")
def test_a_counter_that_survives_power_loss_needs_no_baseline() -> None:
    fresh = intent(drawn_before_ml=0.0, delivered_before_ml=0.0)
    assert judge(fresh, seen(0.0, 10.0, totals_survive_power_loss=True)).state == "done"


@pytest.mark.req("DS-06")
def test_the_other_direction_above_zero_is_a_baseline_too() -> None:
    """After a drawing stroke of 10 mL the delivering one begins at 0, but a reset would clear both."""
    row = intent(drawn_before_ml=10.0, delivered_before_ml=0.0)
    assert judge(row, seen(10.0, 10.0)).state == "done"
    assert judge(row, seen(0.0, 10.0)).state == "unknown"


@pytest.mark.req("DS-06")
def test_a_rolled_over_counter_is_taken_as_a_reset_and_never_guessed() -> None:
    """DIS rolls over at 9999: 9995 + 10 shows 6; that is below the baseline, so a person or a witness must say."""
    row = intent(delivered_before_ml=9995.0)
    assert judge(row, seen(50.0, 6.0)).state == "unknown"
    assert judge(row, seen(50.0, 6.0, unbroken=True)).state == "unknown"


def test_a_coarser_reading_of_the_same_counter_is_still_the_same_counter() -> None:
    """Four digits: 99.99 mL shows as 100.0 and back; one step below the baseline is no reset."""
    proved, _ = continuous(intent(delivered_before_ml=40.0, resolution_ml=0.01), seen(50.0, 39.995))
    assert proved


def test_the_resolution_widens_the_tolerance() -> None:
    coarse = intent(resolution_ml=0.5)
    assert judge(coarse, after(9.2)).state == "done"


# --- what must hold whatever is seen (INV-01, INV-02)

Ml = st.floats(0.0, 200.0, allow_nan=False)


@st.composite
def doubtful(draw: st.DrawFn) -> tuple[Intent, Evidence]:
    stroke = draw(st.sampled_from([DRAW, DELIVER]))
    target = draw(st.floats(0.5, 60.0))
    row = intent(
        stroke,
        target_ml=target,
        tolerance_ml=0.01 * target,
        drawn_before_ml=draw(Ml),
        delivered_before_ml=draw(Ml),
        witness="waste weight",
        witness_before=draw(st.none() | Ml),
    )
    totals = draw(st.none() | st.builds(Totals, Ml, Ml, st.just(0.01)))
    evidence = Evidence(
        identity=draw(st.sampled_from([SAME, "another"])),
        totals=totals,
        unbroken=draw(st.booleans()),
        weight_g=draw(st.none() | Ml),
    )
    return row, evidence


@pytest.mark.req("INV-02", "DS-04")
@settings(max_examples=60, deadline=None)
@given(doubtful())
def test_done_is_never_said_of_less_than_target_minus_tolerance(case: tuple[Intent, Evidence]) -> None:
    row, evidence = case
    verdict = judge(row, evidence)
    slack = max(row.tolerance_ml, 0.1)  # the witness weighs to 0.05 g
    if verdict.state == "done":
        assert verdict.moved_ml is not None
        assert row.target_ml - slack <= verdict.moved_ml <= row.target_ml + slack
    if verdict.state == "partial":
        assert verdict.moved_ml is not None
        assert 0 < verdict.moved_ml < row.target_ml
    if verdict.state == "over":
        assert verdict.moved_ml is not None
        assert verdict.moved_ml > row.target_ml
    assert (verdict.state == "unknown") == (verdict.moved_ml is None)


@pytest.mark.req("DS-04", "DS-06")
@settings(max_examples=60, deadline=None)
@given(doubtful())
def test_without_continuity_and_without_witness_the_answer_is_unknown(case: tuple[Intent, Evidence]) -> None:
    row, evidence = case
    blind = Evidence(evidence.identity, evidence.totals, evidence.unbroken)
    proved, _ = continuous(row, blind)
    assert (judge(row, blind).state == "unknown") == (not proved)


@pytest.mark.req("DS-06")
@settings(max_examples=60, deadline=None)
@given(st.sampled_from([DRAW, DELIVER]), st.floats(0.0, 60.0), st.floats(0.0, 60.0))
def test_after_a_reset_no_amount_is_ever_believed(stroke: Direction, before: float, shown: float) -> None:
    """Both counters start again at zero; one of them stood above zero before: continuity must not be proved,
    unless the new counts have passed both old ones."""
    row = intent(stroke, drawn_before_ml=before + 1.0, delivered_before_ml=0.0)
    verdict = judge(row, seen(0.0, shown))
    assert verdict.state == "unknown"
