"""Ways, rounds, branches and calls: what a run does with them, and what a file may say."""

from __future__ import annotations

from pathlib import Path

import pytest

import protocols
from protocols import ProtocolInvalid, machine
from protocols.calendar import calendar
from protocols.effects import Deviate, Look, OpenTask, Raise
from protocols.events import Answered, Command, Decision, Looked, TimeCame
from protocols.machine import NotAllowed, wanted
from protocols.plan import Plan
from protocols.records import as_json, from_json
from protocols.run import Run
from protocols.states import Cause, RunState
from tests.protocols.answering import START, feed, of, started

S = START
HEAD = """\
protocol: small
version: 1.0
title: Small
status: rehearsal
species: none
parameters:
  arm: {default: differentiated, options: [differentiated, undifferentiated], source: A}
vessels:
  reactor: {kind: stirred, needs: [temperature, co2, medium in, medium out]}
materials:
  medium: {recipe: water, keeps: 7 d at 4 degC}
stages:
  - stage: One
    do:
"""
LOOK = "hand: Look\nwrite down: {confluence: {unit: '%', limits: 0..100}, clear: yes/no}"


def text(*steps: str) -> str:
    return HEAD + "".join(
        "".join(f"      {'- ' if i == 0 else '  '}{line}\n" for i, line in enumerate(step.splitlines()))
        for step in steps
    )


def plan(*steps: str, **sets: str) -> Plan:
    return protocols.plan(protocols.load(text(*steps)), S, "UTC", sets)


def faults(*steps: str) -> list[str]:
    with pytest.raises(ProtocolInvalid) as caught:
        protocols.load(text(*steps), name="small.yaml")
    return [str(fault) for fault in caught.value.faults]


def answered(at: float, path: str, **entries: float | bool) -> Answered:
    return Answered(at, path, "Ann", entries)


def decided(plan: Plan, run: Run, path: str, answer: str, at: float) -> Run:
    run, _ = feed(plan, run, Command(at, Cause.DONE, "engine"), Decision(at + 1, path, "Ann", answer))
    return feed(plan, run, Command(at + 2, Cause.RESTART, "Ann"), Command(at + 3, Cause.DONE, "engine"))[0]


# One of two ways

CHOICE = "if: confluence >= 80 %\nthen: [{wait: 10 s}, {wait: 20 s}]\nelse: [{hand: Call the supervisor}]"


@pytest.mark.req("INV-14")
def test_an_answer_decides_the_way_and_the_other_way_is_skipped_by_rule():
    both = plan(LOOK, CHOICE)
    for confluence, taken, skipped in ((85.0, "then/wait", "else/hand"), (60.0, "else/hand", "then/wait")):
        run, _ = feed(both, started(both)[0], answered(S + 1, "one/hand", confluence=confluence, clear=True))
        assert f"one/if/{taken}" in run.active
        assert run.finished[f"one/if/{skipped}"] == "skipped by rule"
    assert run.finished["one/if/then/wait-2"] == "skipped by rule"
    run, _ = feed(both, run, answered(S + 2, "one/if/else/hand"))
    assert run.state is RunState.COMPLETE
    assert set(run.finished) == set(both.nodes)


def test_live_values_come_as_an_event_so_that_replay_decides_alike():
    live = plan("if: co2 > 4 % and temperature < 38 degC\nthen: [{wait: 10 s}]")
    run, effects = started(live)
    assert of(Look, effects) == [Look("one/if", "", ("co2", "temperature"))]
    event = Looked(S + 1, "one/if", {"co2": 5.0, "temperature": 37.0})
    assert from_json(as_json(event)) == event
    after, effects = machine.step(live, run, event)
    assert after.active["one/if"].part == "then"
    assert not of(Look, wanted(live, after))
    assert machine.step(live, run, event)[0] == after
    late, _ = machine.step(live, after, Looked(S + 2, "one/if", {"co2": 1.0, "temperature": 37.0}))
    assert late.active["one/if"].part == "then"


def test_a_value_that_is_not_good_is_not_a_no_a_person_decides():
    live = plan("if: co2 > 4 %\nthen: [{wait: 10 s}]\nelse: [{wait: 99 s}]")
    run, effects = feed(live, started(live)[0], Looked(S + 60, "one/if", {"co2": None}))
    assert run.state is RunState.HOLDING
    assert run.active["one/if"].options == ("yes", "no")
    assert "not known (co2)" in of(Raise, effects)[0].text
    with pytest.raises(NotAllowed, match="possible: yes, no"):
        machine.step(live, run, Decision(S + 61, "one/if", "Ann", "run"))
    run = decided(live, run, "one/if", "no", S + 62)
    assert "one/if/else/wait" in run.active
    assert run.finished["one/if/then/wait"] == "skipped by rule"


def test_a_parameter_decides_when_the_plan_is_made():
    step = "if: arm is differentiated\nthen: [{hand: Add dexamethasone}]\nelse: [{hand: Add growth medium}]"
    assert plan(step).nodes["one/if/hand"].title == "Add dexamethasone"
    assert plan(step, arm="undifferentiated").nodes["one/if/hand"].title == "Add growth medium"
    none = plan("if: arm is undifferentiated\nthen: [{wait: 10 s}]", "wait: 5 s")
    assert [node.path for node in none.root.children[0].children] == ["one/wait"]


# Rounds

ROUNDS = (
    "repeat:\n  until: confluence >= 80 %\n  at most: 3 rounds\n  every: 24 h\n  do:\n    - hand: Look again\n"
    "      write down: {confluence: {unit: '%', limits: 0..100}}"
)


@pytest.mark.req("INV-13", "INV-14")
def test_rounds_end_when_it_is_so_and_the_rest_is_skipped_by_rule():
    rounds = plan(ROUNDS, "wait: 5 s")
    run, _ = started(rounds)
    run, _ = feed(rounds, run, answered(S + 60, "one/repeat/1/hand", confluence=70.0))
    assert "one/repeat/2" not in run.active
    assert machine.next_time(rounds, run) == S + 86400
    run, effects = feed(rounds, run, TimeCame(S + 86400))
    assert [task.path for task in of(OpenTask, effects)] == ["one/repeat/2/hand"]
    run, _ = feed(rounds, run, answered(S + 86460, "one/repeat/2/hand", confluence=81.0))
    assert run.finished["one/repeat/3/hand"] == "skipped by rule"
    assert "one/wait" in run.active


def test_rounds_that_never_get_there_ask_a_person():
    rounds = plan(ROUNDS)
    run, _ = started(rounds)
    for n in (1, 2, 3):
        at = S + (n - 1) * 86400
        run, effects = feed(rounds, run, TimeCame(at), answered(at + 60, f"one/repeat/{n}/hand", confluence=70.0))
    assert "not so after 3 rounds" in of(Raise, effects)[0].text
    run, effects = feed(
        rounds, run, Command(at + 61, Cause.DONE, "e"), Decision(at + 62, "one/repeat", "Ann", "accept")
    )
    assert run.finished["one/repeat"] == "partial"
    assert of(Deviate, effects)


def test_rounds_ask_live_values_anew_after_each():
    rounds = plan("repeat: {do: [{wait: 10 s}], until: co2 > 4 %, at most: 3 times}")
    run, effects = feed(rounds, started(rounds)[0], TimeCame(S + 10))
    (first,) = of(Look, effects)
    run, effects = feed(rounds, run, Looked(S + 10, "one/repeat", {"co2": 1.0}), TimeCame(S + 20))
    (second,) = of(Look, effects)
    assert first != second
    run, _ = feed(rounds, run, Looked(S + 20, "one/repeat", {"co2": 5.0}))
    assert run.state is RunState.COMPLETE


def test_rounds_without_a_condition_are_all_done():
    rounds = plan("repeat: {do: [{wait: 10 s}], at most: 2}")
    run, _ = feed(rounds, started(rounds)[0], TimeCame(S + 10), TimeCame(S + 20))
    assert run.state is RunState.COMPLETE


def test_branches_inside_a_list_of_steps_go_side_by_side():
    both = plan("together: [{branch: Left, do: [{wait: 10 s}]}, {branch: Right, do: [{hand: Look}]}]")
    assert {"one/together/left/wait", "one/together/right/hand"} <= set(started(both)[0].active)


# Another protocol

CALLEE = """\
protocol: leak-test
version: 1.0
title: Leak test
status: rehearsal
species: none
parameters:
  stand: {default: 30 min, range: 10..60 min, source: A}
stages:
  - stage: Stand
    do: [{wait: {stand}}]
"""


def called(folder: Path, *steps: str, callee: str = CALLEE) -> protocols.Protocol:
    (folder / "leak-test.yaml").write_text(callee)
    (folder / "small.yaml").write_text(text(*steps))
    return protocols.load(folder / "small.yaml")


def test_another_protocol_is_done_in_place_with_its_own_parameters(tmp_path: Path):
    protocol = called(tmp_path, "wait: 5 s", "call: leak-test\nwith: {stand: 20 min}", "call: leak-test")
    made = protocols.plan(protocol, S, "UTC", {"arm": "undifferentiated"})
    waits = {path: node.max_s - 60 for path, node in made.nodes.items() if path.endswith("wait")}
    assert waits == {"one/wait": 5, "one/leak-test/stand/wait": 1200, "one/leak-test-2/stand/wait": 1800}
    assert made.nodes["one/leak-test/stand/wait"].line == made.nodes["one/leak-test"].line
    assert len(made.called["leak-test"]) == 64
    assert from_json(as_json(made)) == made


@pytest.mark.parametrize(
    ("callee", "step", "says"),
    [
        (CALLEE, "call: leek-test", "no protocol is called 'leek-test'"),
        (CALLEE, "call: leak-test\nwith: {stand: 2 h}", "2 h is outside 10..60 min"),
        (CALLEE, "call: leak-test\nwith: {stands: 20 min}", "no parameter 'stands' to set"),
        (
            CALLEE.replace("do: [", "at: day 2 09:00\n    window: ±1 h\n    do: ["),
            "call: leak-test",
            "times of its own",
        ),
        (CALLEE.replace("[{wait: {stand}}]", "[{call: small}]"), "call: leak-test", "calls itself"),
        (CALLEE.replace("protocol: leak-test", "protocol: other"), "call: leak-test", "its protocol 'other'"),
        (CALLEE.replace("{stand}", "soon"), "call: leak-test", "not a number with a unit"),
        (
            CALLEE.replace("stages:", "vessels: {r: {kind: stirred, needs: [ph]}}\nstages:"),
            "call: leak-test",
            "needs ph",
        ),
    ],
)
def test_a_call_that_cannot_be_is_refused_where_it_stands(tmp_path: Path, callee: str, step: str, says: str):
    with pytest.raises(ProtocolInvalid) as caught:
        called(tmp_path, step, callee=callee)
    (fault,) = caught.value.faults
    assert says in str(fault)
    assert fault.line == 15


# What a file may say


@pytest.mark.req("RM-07")
@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("if: confluense > 80 %\nthen: [{wait: 1 s}]", "nothing is called 'confluense' here"),
        ("if: measured x\nthen: []", "stages[1].do[2].then"),
        ("repeat: {do: [{wait: 1 s}], until: clear}", "repeat.at most: is missing"),
        ("repeat: {do: [{wait: 1 s}], until: clear, at most: many}", "is no number of rounds"),
        (
            "repeat:\n  at most: 3\n  do:\n    - fill: {into: reactor, volume: 1 mL, of: medium, at: 1 mL/min}\n"
            "      at most: 1 h",
            "rounds that move fluid need 'every'",
        ),
        ("together: [{branch: A, do: [{wait: 1 s}]}, {branch: a, do: [{wait: 1 s}]}]", "a second branch called 'a'"),
        (
            "if: clear\nthen: [{set: {co2: 5 %}}]\nelse: [{wait: {until: co2 within 1 %, for: 1 s, at most: 1 h}}]",
            "no set",
        ),
    ],
)
def test_a_control_step_that_is_not_in_order_is_named(step: str, says: str):
    assert any(says in fault for fault in faults(LOOK, step)), faults(LOOK, step)


def test_what_only_one_way_sets_is_not_known_to_be_set_after_it():
    sets = "if: clear\nthen: [{set: {co2: 5 %}}]"
    wait = "wait: {until: co2 within 1 %, for: 1 s, at most: 1 h}"
    assert "co2 has no set point before this wait" in faults(LOOK, sets, wait)[0]
    protocols.load(text(LOOK, "set: {co2: 5 %}", wait, sets))


def test_the_calendar_shows_what_may_come_with_its_condition():
    rows = calendar(plan(LOOK, CHOICE, ROUNDS)).rows
    assert [row.only_if for row in rows] == [
        "", "then (confluence >= 80 %)", "else (confluence >= 80 %)", "then (confluence >= 80 %)",
        "", "after round 1: not yet", "after round 2: not yet",
    ]  # fmt: skip


# An operation of one arm only

ARM = HEAD.replace(
    "  - stage: One\n    do:\n",
    "  - stage: One\n    operations:\n      - operation: Both\n        do: [{wait: 1 s}]\n"
    "      - operation: Dexamethasone\n        only if: arm is differentiated\n        do: [{wait: 2 s}]\n",
)


def test_an_operation_of_another_arm_is_not_in_the_plan():
    protocol = protocols.load(ARM)
    found = [list(protocols.plan(protocol, S, "UTC", sets).nodes) for sets in ({}, {"arm": "undifferentiated"})]
    assert "one/dexamethasone/wait" in found[0]
    assert not any("dexamethasone" in path for path in found[1])


@pytest.mark.parametrize("wrong", ["co2 > 4 %", "arm is blue", "nobody > 3"])
def test_what_is_not_known_when_the_plan_is_made_decides_no_operation(wrong: str):
    with pytest.raises(ProtocolInvalid, match="only if"):
        protocols.load(ARM.replace("arm is differentiated", wrong))


def test_rounds_inside_rounds_beyond_all_bounds_are_a_fault_at_their_line_and_not_a_full_memory(monkeypatch):
    monkeypatch.setattr("protocols.planning.MOST_STEPS", 500)
    inner = "repeat:\n  at most: 1000 rounds\n  do:\n    - hand: Look"
    outer = "repeat:\n  at most: 1000 rounds\n  do:\n    - " + inner.replace("\n", "\n      ")
    for steps in (inner, outer):
        with pytest.raises(ProtocolInvalid, match="more than 500 steps") as caught:
            plan(steps)
        assert caught.value.faults[0].line > 10
