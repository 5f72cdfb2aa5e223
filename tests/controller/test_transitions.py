"""Every transition of a run is one entry of the trail: when, why, by whom, from where to where, with all it did."""

from __future__ import annotations

from itertools import pairwise

import pytest

from controller.clock import iso
from controller.store.rows import AuditRow, JournalRow
from protocols import machine, records
from protocols.plan import Plan
from protocols.run import Run
from protocols.states import Cause, RunState
from tests.controller.quick import FILL, QuickLab
from tests.runs.lab import TESTER


def transitions(lab: QuickLab) -> list[tuple[JournalRow, AuditRow]]:
    """Each event of the journal with the entry of its transaction."""
    entries = {entry.seq: entry for entry in lab.ledger.audit()}
    return [(row, entries[row.audit_seq]) for row in lab.ledger.events("run-1")]


@pytest.mark.req("SM-07", "DX-01")
async def test_every_transition_stands_with_time_cause_from_to_step_and_text_in_one_transaction_with_what_it_did(
    lab: QuickLab,
) -> None:
    await lab.poured(FILL)
    await lab.moving("fill", 1.0)
    await lab.runs.command("run-1", Cause.HOLD, TESTER, why="the culture looks odd")
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 200.0)
    await lab.runs.command("run-1", Cause.RESTART, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "RUNNING", 200.0)
    await lab.kill()
    await lab.up()
    assert await lab.settle() == "COMPLETE", lab.engine.run
    found = transitions(lab)
    assert len({row.audit_seq for row, _ in found}) == len(found), "one transaction for each event"
    assert found[0][1].fields["old"] == "IDLE" and found[-1][1].fields["new"] == "COMPLETE"
    assert all(one.fields["new"] == other.fields["old"] for (_, one), (_, other) in pairwise(found))
    stored = lab.ledger.run("run-1")
    assert stored is not None
    plan, run = records.from_json(stored.plan), Run()
    assert isinstance(plan, Plan)
    states = set[str]()
    for row, entry in found:
        event = records.from_json(row.event)
        before, (run, _) = run, machine.step(plan, run, event)
        states.add(entry.fields["new"])
        assert (entry.fields["old"], entry.fields["new"]) == (before.state.value, run.state.value)
        assert entry.action == f"run {type(event).__name__}" and entry.utc >= iso(row.at)[:19]
        assert entry.fields["step"] == getattr(event, "path", "")
        written = [change[3]["state"] for change in entry.fields["changes"] if change[1] == "runs"]
        changed = run.state is not before.state
        assert written == ([run.state.value] if changed else []), "its row changes with its event, or not at all"
        if changed:
            assert entry.fields["reason"] == run.why and run.why
            assert entry.actor in ("tester", "rule", "controller", "osteon"), entry.actor
    assert states == {state.value for state in (
        RunState.RUNNING, RunState.HOLDING, RunState.HELD, RunState.RESTARTING, RunState.COMPLETE,
    )}  # fmt: skip
    (held,) = [entry for _, entry in found if entry.fields["new"] == "HOLDING"]
    assert (held.actor, held.fields["reason"]) == ("tester", "the culture looks odd")
    (opened,) = [entry for _, entry in found for change in entry.fields["changes"] if change[:2] == ["upsert", "tasks"]]
    assert opened.action == "run PointsSet", "a task is opened by the event that its step begins with"
    answered = next(entry for _, entry in found if entry.action == "run Answered")
    assert [change[1] for change in answered.fields["changes"]] == ["tasks"]
    assert answered.fields["step"] == "seed/hand"
