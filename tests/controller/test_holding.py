"""Alarms of the bench hold the run whose protocol wants that; the task of a hold is a task as any other."""

from __future__ import annotations

import pytest

from protocols.states import Cause
from tests.controller import quick
from tests.controller.quick import POUR, QuickLab
from tests.runs.lab import TESTER

HEAD = quick.HEAD.replace("stages:", "")
RULES = """
on hold: {task: Look at the culture}
on alarm: [{about: incubator, do: hold}]
stages:
"""
REST = POUR + "\n  - stage: Rest\n    do:\n      - wait: 2 h\n"


@pytest.mark.req("SM-05", "SM-07", "SM-09")
async def test_a_silent_device_holds_the_run_that_asked_for_it_and_a_person_answers_its_task(lab: QuickLab) -> None:
    await lab.poured(HEAD + RULES + REST)
    lab.absent.add("incubator")
    lab.unplug("incubator")
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 900.0)
    assert "held by the protocol's rule for alarms" in lab.engine.run.why
    (task,) = lab.runs.tasks()
    assert (task["path"], task["instruction"]) == ("on hold/1", "Look at the culture")
    await lab.kill()
    await lab.up()
    assert [each["path"] for each in lab.runs.tasks()] == ["on hold/1"], "the same task after a restart"
    assert await lab.runs.answer("run-1", "on hold/1", {}, TESTER) == "answered"
    assert lab.runs.tasks() == []
    (row,) = [row for row in lab.ledger.tasks("run-1") if row.path == "on hold/1"]
    assert (row.state, row.answered_by) == ("answered", "tester")
    lab.absent.clear()
    await lab.until(lambda: lab.controller.bench.keepers["incubator"].ready, 600.0)
    await lab.runs.command("run-1", Cause.RESTART, TESTER)
    assert await lab.settle() == "COMPLETE"


@pytest.mark.req("SM-05")
async def test_without_a_rule_a_silent_incubator_is_an_alarm_and_no_hold(lab: QuickLab) -> None:
    await lab.poured(HEAD + "stages:\n" + REST)
    lab.absent.add("incubator")
    lab.unplug("incubator")
    assert not await lab.until(lambda: lab.engine.run.state == "HELD", 900.0)
    assert [alarm["key"] for alarm in lab.controller.alarms.open()] == ["device:incubator"]
