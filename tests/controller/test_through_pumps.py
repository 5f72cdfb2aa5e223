"""Pumps whose fluid passes through: one DELIVER stroke is a whole transfer, in the plan of strokes, in the books, in
the limits of the vessel, and against the second witness."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.errors import Blocked
from controller.run.books import drawn_so_far, moves_of_transfer
from controller.run.intents import Intent, removing
from controller.run.strokes import Doubt, Finished, Next, next_stroke
from controller.run.transfers import Site
from controller.settings import parse
from drivers.core.fluid import Direction
from protocols.effects import Transfer
from protocols.states import Cause
from tests.controller.quick import EXCHANGE, FILL, QuickLab
from tests.controller.rows import DELIVER, DRAW, done, intent
from tests.runs import movers
from tests.runs.lab import TESTER

PUMPED = movers.bench("ismatec_reglo_icc")
UNIT = parse(PUMPED).units[0]
OUT = {"fluid_path": "medium out", "part": "withdraw", "cap_ml": 24.0, "target_ml": 24.0}


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[QuickLab]:
    made = QuickLab(tmp_path / "data", plant_toml=PUMPED)
    yield made
    await made.close()


# --- strokes


def test_a_transfer_through_a_hose_is_one_delivery() -> None:
    assert next_stroke(18.0, [], through=True) == Next(DELIVER, 18.0)
    assert next_stroke(18.0, [done(DELIVER, 18.0)], through=True) == Finished(18.0, 18.0)


@pytest.mark.req("DS-04")
def test_an_interrupted_delivery_is_completed_by_its_measured_rest() -> None:
    assert next_stroke(18.0, [done(DELIVER, 7.5, "partial")], through=True) == Next(DELIVER, 10.5)
    assert next_stroke(18.0, [done(DELIVER, 0.0, "cancelled")], through=True) == Next(DELIVER, 18.0)
    assert next_stroke(18.0, [done(DELIVER, 20.0, "over")], through=True) == Finished(20.0, 20.0)
    doubt = intent(DELIVER, state="unknown")
    assert next_stroke(18.0, [doubt], through=True) == Doubt(doubt)


@pytest.mark.req("INV-01")
@settings(max_examples=60, deadline=None)
@given(st.floats(0.5, 60.0), st.lists(st.floats(0.0, 1.0), max_size=12))
def test_whatever_shares_are_delivered_never_more_than_the_target(target: float, shares: list[float]) -> None:
    rows: list[Intent] = []
    for share in shares:
        step = next_stroke(target, rows, through=True)
        if not isinstance(step, Next):
            break
        assert step.direction is DELIVER and step.volume_ml > 0
        rows.append(done(DELIVER, share * step.volume_ml, "partial"))
    assert sum(row.moved_ml or 0.0 for row in rows) <= target + 1e-3


# --- books


def test_what_takes_fluid_out_is_the_delivery_of_a_hose_and_the_drawing_of_a_syringe() -> None:
    assert removing([done(DELIVER, 24.0, **OUT)]) is DELIVER
    assert removing([done(DRAW, 24.0, **OUT), done(DELIVER, 24.0, **OUT)]) is DRAW
    assert removing([]) is DRAW


@pytest.mark.req("DS-08", "DS-13")
def test_the_level_is_fixed_when_the_whole_cap_has_passed_and_not_before() -> None:
    part = done(DELIVER, 10.0, "done", **OUT | {"target_ml": 10.0})
    assert moves_of_transfer([part], UNIT, into_vessel=True) == []
    whole = [part, done(DELIVER, 14.0, "done", ended_at=300.0, **OUT | {"target_ml": 14.0})]
    (move,) = moves_of_transfer(whole, UNIT, into_vessel=True)
    assert (move.level, move.ml, move.at) == (True, 72.0, 300.0)


@pytest.mark.req("DS-07")
def test_what_an_open_delivery_may_have_taken_is_shown_and_what_it_may_have_brought_counts_in_full() -> None:
    (shown,) = drawn_so_far([intent(DELIVER, **OUT)])
    assert shown.ml == -12.0
    (into,) = moves_of_transfer([intent(DELIVER, state="unknown")], UNIT, into_vessel=True)
    assert into.ml == 10.0


# --- on a bench


@pytest.mark.req("INV-02", "INV-07", "DS-13")
async def test_an_exchange_is_two_deliveries_and_the_balance_agrees(lab: QuickLab) -> None:
    await lab.poured(EXCHANGE)
    assert await lab.until(lambda: "renew/exchange" in lab.engine.run.finished, 3600.0), lab.engine.run
    assert lab.engine.run.finished["renew/exchange"] == "done"
    rows = lab.ledger.doses()
    assert [(row.part, row.stroke, row.state) for row in rows] == [
        ("withdraw", "deliver", "done"),
        ("fill", "deliver", "done"),
    ]
    assert (rows[0].ended_at or 0.0) < rows[1].intended_at
    truth = lab.truth()
    assert truth["waste_hose_ml"] == pytest.approx(rows[0].moved_ml or 0.0, abs=0.01) == pytest.approx(24.0, abs=0.01)
    assert truth["fill_hose_ml"] == pytest.approx(rows[1].moved_ml or 0.0, abs=0.01) == pytest.approx(18.0, abs=0.01)
    assert rows[0].witness == "waste weight"
    assert rows[0].liquid_ml == pytest.approx(18.0, abs=0.2), "the rest of its 24 mL was air"
    assert lab.engine.volume().ml == pytest.approx(float(truth["vessel_ml"]), abs=4.1)
    assert lab.controller.alarms.open() == []


@pytest.mark.req("DS-13")
async def test_a_worn_tube_makes_the_witnesses_differ_and_holds(tmp_path: Path) -> None:
    lab = QuickLab(tmp_path / "data", plant_toml=PUMPED, faults=("worn-tube:fraction=0.3",))
    try:
        await lab.poured(EXCHANGE)
        assert await lab.until(lambda: lab.engine.run.state == "HELD", 3600.0)
        assert "two witnesses differ" in lab.engine.run.why
        assert not any(row.part == "fill" for row in lab.ledger.doses())
    finally:
        await lab.close()


@pytest.mark.req("DS-02", "DS-04")
async def test_a_hold_in_mid_flow_ends_it_and_only_the_rest_is_delivered_afterwards(lab: QuickLab) -> None:
    await lab.poured(FILL)
    assert await lab.until(lambda: float(lab.truth()["fill_hose_ml"]) > 2.0, 600.0)
    await lab.runs.command("run-1", Cause.HOLD, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 120.0)
    held = float(lab.truth()["fill_hose_ml"])
    assert 2.0 < held < 5.0
    (row,) = lab.ledger.doses()
    assert row.state == "partial"
    assert row.moved_ml == pytest.approx(held, abs=0.01)
    await lab.runs.command("run-1", Cause.RESTART, TESTER)
    assert await lab.until(lambda: "feed/fill" in lab.engine.run.finished, 600.0)
    assert lab.truth()["fill_hose_ml"] == pytest.approx(6.0, abs=0.02)
    assert [each.stroke for each in lab.ledger.doses()] == ["deliver", "deliver"]


@pytest.mark.req("INV-04", "INV-05")
async def test_the_limits_of_the_vessel_are_looked_at_for_the_one_stroke_there_is(lab: QuickLab) -> None:
    await lab.poured(FILL)
    site = Site("run-1", lab.settings.units[0], lab.engine.plan.start)
    transfers = lab.runs.doors.transfers
    into = Transfer("y", "fill", "medium in", "volume", 62.0, 10.0, "medium", "reactor")
    out = Transfer("y", "dose", "medium out", "volume", 40.0, 10.0, "spent medium", "reactor")
    with pytest.raises(Blocked, match="150 mL is the limit"):
        transfers._check_budget(site, into, Direction.DELIVER, 62.0)
    with pytest.raises(Blocked, match="60 mL is the limit"):
        transfers._check_budget(site, out, Direction.DELIVER, 40.0)
    transfers._check_budget(site, out, Direction.DELIVER, 10.0)
