"""What a protocol says about holds and alarms: set points, the task of each hold, alarms at which the run holds."""

from __future__ import annotations

import pytest

import protocols
from protocols import machine, records
from protocols.effects import ApplyPoints, CloseTask, OpenTask
from protocols.events import Answered, TimeCame, TransferEnded
from protocols.faults import ProtocolInvalid
from protocols.machine import NotAllowed, wanted
from protocols.plan import Plan, SetPoint
from protocols.run import Run
from protocols.states import Cause, RunState
from tests.protocols.answering import START, command, feed, of, started

S = START
HEAD = """
protocol: holding
version: "1"
title: Holding
status: rehearsal
species: none
vessels:
  reactor: {kind: stirred, needs: [temperature, stirring, medium in, medium out]}
materials:
  medium: {recipe: test medium, keeps: 7 d at 4 degC}
"""
STAGES = """
stages:
  - stage: Seed
    do:
      - hand: Look
        write down: {clear: yes/no}
  - stage: Feed
    do:
      - fill: {into: reactor, volume: 6 mL, of: medium, at: 6 mL/min}
        at most: 30 min
      - wait: 2 h
"""
TASK = """
on hold:
  set: {stirring: 70 rpm}
  task: Look at the spheroids
"""


def made(sections: str) -> Plan:
    return protocols.plan(protocols.load(HEAD + sections + STAGES), S, "UTC")


def tasks(plan: Plan, run: Run) -> list[str]:
    return [effect.path for effect in of(OpenTask, wanted(plan, run))]


def feeding(plan: Plan) -> Run:
    """The run when its fill is on its way."""
    run, _ = started(plan)
    run, _ = machine.step(plan, run, Answered(S + 1, "seed/hand", "Ann", {"clear": True}))
    assert "feed/fill" in run.active
    return run


@pytest.mark.req("SM-05", "SM-07")
def test_each_hold_opens_its_task_once_and_going_on_closes_it():
    plan = made(TASK)
    run, _ = started(plan)
    run, effects = feed(plan, run, command(Cause.HOLD, S + 1))
    assert not [path for path in tasks(plan, run) if path.startswith("on hold")], "not before it has come to rest"
    assert ApplyPoints("", (SetPoint("stirring", 70.0, "1/min"),)) in effects
    run, effects = feed(plan, run, command(Cause.DONE, S + 2))
    (opened,) = [each for each in of(OpenTask, effects) if each.path == "on hold/1"]
    assert (opened.hand.instruction, opened.due) == ("Look at the spheroids", S + 2)
    run, effects = feed(plan, run, TimeCame(S + 3), command(Cause.RECOVERED, S + 4))
    assert tasks(plan, run) == ["seed/hand", "on hold/1"], "a restart asks for the same task, no other"
    run, effects = feed(plan, run, command(Cause.RESTART, S + 5))
    assert [each.path for each in of(CloseTask, effects)] == ["on hold/1"]
    assert tasks(plan, run) == ["seed/hand"] or run.state is RunState.RESTARTING
    run, effects = feed(plan, run, *(command(cause, S + 6) for cause in (Cause.DONE, Cause.HOLD, Cause.DONE)))
    assert tasks(plan, run) == ["seed/hand", "on hold/2"]


def test_the_task_of_a_hold_is_answered_once_and_its_entries_are_kept():
    plan = made(TASK)
    run, _ = started(plan)
    run, _ = feed(plan, run, command(Cause.HOLD, S + 1), command(Cause.DONE, S + 2))
    answer = Answered(S + 3, "on hold/1", "Ann", {"seen": "clear"})
    run, effects = machine.step(plan, run, answer)
    assert run.state is RunState.HELD and run.written["seen"] == "clear"
    assert tasks(plan, run) == ["seed/hand"]
    with pytest.raises(NotAllowed, match="no open hand task on hold/1"):
        machine.step(plan, run, answer)
    _, effects = machine.step(plan, run, command(Cause.RESTART, S + 4))
    assert not of(CloseTask, effects), "what was answered is not closed"


@pytest.mark.req("SM-05", "SM-09")
@pytest.mark.parametrize(
    ("rules", "state"),
    [
        ("", RunState.RUNNING),
        ("on alarm: [{priority: high, do: hold}]", RunState.RUNNING),
        ("on alarm: [{priority: critical, do: hold}]", RunState.HOLDING),
        ("on alarm: [{about: Further APART, do: hold}]", RunState.HOLDING),
        ("on alarm: [{about: apart, do: go on}, {priority: critical, do: hold}]", RunState.RUNNING),
        ("on alarm: [{priority: critical, do: hold}, {about: apart, do: go on}]", RunState.HOLDING),
    ],
)
def test_an_alarm_holds_the_run_where_the_first_rule_that_fits_says_so(rules: str, state: RunState):
    text = HEAD + rules + FEEDS
    plan = protocols.plan(protocols.load(text), S, "UTC")
    run, _ = started(plan)
    run, _ = machine.step(plan, run, TransferEnded(S + 60, "feed/1/fill", "fill", "done", 6.0, 6.0, ""))
    run, _ = machine.step(plan, run, TimeCame(S + 2.8 * 3600))
    assert run.state is state, run.why
    if state is RunState.HOLDING:
        assert "(held by the protocol's rule for alarms)" in run.why


FEEDS = """
stages:
  - stage: Feed
    every:
      {interval: 2 h, from: start, times: 3, window: ±90 min, if later: run,
       never closer than: 30 min, never further apart than: 3 h}
    do:
      - fill: {into: reactor, volume: 6 mL, of: medium, at: 6 mL/min}
        at most: 10 min
"""


@pytest.mark.req("DX-01")
def test_holds_by_rule_and_their_tasks_replay_to_the_same_bytes():
    plan = made(TASK + "on alarm: [{priority: high, do: hold}]\n")
    events = [
        command(Cause.START, S),
        Answered(S + 1, "seed/hand", "Ann", {"clear": True}),
        TransferEnded(S + 30, "feed/fill", "fill", "refused", None, None, "no medium"),
        command(Cause.DONE, S + 31),
        Answered(S + 40, "on hold/1", "Ann", {}),
        command(Cause.RESTART, S + 50),
    ]
    stored = [records.as_json(event) for event in events]
    again = records.from_json(records.as_json(plan))
    assert again == plan
    one, other = Run(), Run()
    for event, data in zip(events, stored, strict=True):
        one, effects = machine.step(plan, one, event)
        other, same = machine.step(again, other, records.from_json(data))
        assert records.as_json(one) == records.as_json(other) and effects == same
    assert one.held == 1 and one.hold_task == ""
    assert records.from_json(records.as_json(one)) == one


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        (
            "environment: {hold: {stirring: 60 rpm}}\non hold: {set: {stirring: 70 rpm}}",
            "stirring stands in 'environment: hold' as well",
        ),
        ("on alarm: [{do: hold}]", "says of no alarm"),
        ("on alarm: [{priority: critical, do: abort}]", "'abort' is not possible here"),
        ("on hold: {tasks: Look}", "nothing is called 'tasks' here"),
    ],
)
def test_what_is_wrong_in_these_sections_is_said(sections: str, says: str):
    with pytest.raises(ProtocolInvalid, match=says):
        protocols.load(HEAD + sections + STAGES)
