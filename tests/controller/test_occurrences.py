"""Planned, due, started, intended, observed, finished, disposition of every step, told from the journal (DX-02)."""

from __future__ import annotations

import pytest

from controller.run.engine import event_of
from controller.run.intents import Intent
from controller.run.occurrences import Occurrence, occurrences
from protocols import machine
from protocols.events import Command, TimeCame
from protocols.loading import load
from protocols.planning import plan as make_plan
from protocols.run import Run
from protocols.states import Cause
from tests.controller.quick import EXCHANGE, HEAD, QuickLab
from tests.runs.lab import TESTER

START = 1_767_567_600.0
TIMED = (
    HEAD
    + """
  - stage: Rest
    together:
      - operation: Twice
        every: {interval: 30 min, from: start + 60 min, times: 2, window: ±15 min, if later: skip}
        do:
          - wait: 5 min
      - operation: End
        at: start + 180 min
        do:
          - wait: 1 min
"""
)


def told(lab: QuickLab) -> dict[str, Occurrence]:
    """From disk alone, as another process would."""
    with lab.reader() as ledger:
        events = [event_of(row.event) for row in ledger.events("run-1")]
        doses = [Intent.of(row) for row in ledger.doses("run-1")]
    return {row.path: row for row in occurrences("run-1", lab.engine.plan, events, doses)}


@pytest.mark.req("DX-02", "INV-13", "INV-14")
async def test_each_step_of_a_finished_run_has_all_its_times_and_one_disposition(lab: QuickLab) -> None:
    await lab.poured(EXCHANGE.replace("wait: 2 h", "wait: 2 min"))
    assert await lab.settle(3600.0) == "COMPLETE"
    rows = told(lab)
    steps = [node.path for node in lab.engine.plan.nodes.values() if node.kind == "step"]
    assert list(rows) == steps
    for row in rows.values():
        assert row.key == f"run-1/{row.path}"
        assert row.disposition == lab.engine.run.finished[row.path] == "done"
        assert row.due is not None
        assert row.started is not None
        assert row.finished is not None
        assert row.due <= row.started <= row.finished
    exchange = rows["renew/exchange"]
    assert exchange.started is not None
    assert exchange.intended is not None
    assert exchange.observed is not None
    assert exchange.finished is not None
    assert exchange.started <= exchange.intended < exchange.observed <= exchange.finished
    doses = lab.ledger.doses("run-1")
    assert exchange.intended == min(row.intended_at for row in doses)
    hand = rows["seed/hand"]
    assert hand.observed == hand.finished


@pytest.mark.req("DX-02")
async def test_a_step_under_way_has_begun_and_has_no_end_yet(lab: QuickLab) -> None:
    await lab.poured(EXCHANGE)
    await lab.moving("waste", 2.0)
    rows = told(lab)
    exchange, wait = rows["renew/exchange"], rows["renew/wait"]
    assert exchange.started is not None
    assert exchange.intended is not None
    assert (exchange.observed, exchange.finished, exchange.disposition) == (None, None, None)
    assert (wait.started, wait.due, wait.disposition) == (None, None, None)


@pytest.mark.req("DX-02", "INV-14")
async def test_a_stopped_run_leaves_no_step_without_a_disposition(lab: QuickLab) -> None:
    await lab.poured(EXCHANGE)
    await lab.moving("waste", 2.0)
    await lab.runs.command("run-1", Cause.STOP, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "STOPPED", 200.0)
    rows = told(lab)
    assert rows["seed/set"].disposition == "done"
    assert rows["renew/exchange"].disposition not in (None, "done")
    assert rows["renew/wait"].disposition == "cancelled"
    assert rows["renew/wait"].started is None, "it never began"


@pytest.mark.req("DX-02")
async def test_a_killed_and_resumed_run_tells_the_same_of_what_was_before(lab: QuickLab) -> None:
    await lab.poured(EXCHANGE)
    await lab.until(lambda: float(lab.truth()["waste_ml"]) > 6.0, 3600.0, 3.0)
    before = told(lab)
    await lab.kill()
    await lab.up()
    assert await lab.until(lambda: "renew/exchange" in lab.engine.run.finished, 3600.0)
    after = told(lab)
    assert after["seed/hand"] == before["seed/hand"]
    assert after["renew/exchange"].started == before["renew/exchange"].started
    assert after["renew/exchange"].intended == before["renew/exchange"].intended


@pytest.mark.req("DX-02", "DX-01")
def test_a_missed_occurrence_is_skipped_by_rule_at_its_planned_time() -> None:
    """Pure: two hours nobody looked, then time comes; the first occurrence is far too late."""
    plan = make_plan(load(TIMED), START, "Asia/Tokyo", {})
    run, events = Run(), list[Command | TimeCame]()

    def say(event: Command | TimeCame) -> None:
        nonlocal run
        events.append(event)
        run, _ = machine.step(plan, run, event)

    say(Command(START, Cause.START, "anna"))
    say(TimeCame(START + 95 * 60.0))
    while (due := machine.next_time(plan, run)) is not None:
        say(TimeCame(due))
    assert run.state == "COMPLETE"
    rows = {row.path: row for row in occurrences("r", plan, events)}
    first, second, last = rows.values()
    assert (first.planned, first.disposition, first.started) == (START + 3600.0, "skipped by rule", None)
    assert (second.planned, second.disposition) == (START + 5400.0, "done")
    assert second.started == START + 95 * 60.0
    assert second.finished == START + 100 * 60.0
    assert (last.planned, last.disposition) == (START + 10800.0, "done")
    assert rows == {row.path: row for row in occurrences("r", plan, events)}, "the same events, the same rows (DX-01)"
