"""Set points that go to their end in steps: never faster than written, wherever a hold, a pause or a crash comes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import protocols
from protocols import calendar, machine, ramps
from protocols.effects import ApplyPoints
from protocols.events import Decision, Event, PointsSet, TimeCame
from protocols.faults import ProtocolInvalid
from protocols.plan import Interruption, Node, Pause, Plan, SetEnvironment, SetPoint
from protocols.run import Run
from protocols.states import Cause, RunState
from tests.protocols.answering import START, command, feed, of, sequence, started
from tests.protocols.test_loading import load

WARM = SetPoint("temperature", 37.0, "Cel")
COLD = SetEnvironment((SetPoint("temperature", 25.0, "Cel", over_s=7200.0), SetPoint("co2", 5.0, "%")))
SLOPE = 12.0 / 7200.0
STEP = {"max_s": 10_000.0, "interruption": Interruption.RESUME}
PLAN = sequence(
    Node("warm", "", "step", work=SetEnvironment((WARM,)), **STEP),
    Node("cool", "Cool", "step", work=COLD, **STEP),
    Node("rest", "", "step", work=Pause(9e9)),
)


def wanted_cel(plan: Plan, run: Run) -> float:
    """What the incubator is asked for in this state, by whichever effect."""
    found = [p.value for e in of(ApplyPoints, machine.wanted(plan, run)) for p in e.points if p.role == "temperature"]
    assert len(found) == 1, "two effects move one set point"
    return found[0]


def begun() -> Run:
    run, _ = started(PLAN)
    return feed(PLAN, run, PointsSet(START + 1, "warm"))[0]


def on(run: Run, until: float) -> Run:
    """A good bench: every step read back two seconds after it was asked, every time fed when it comes."""
    at = run.looked
    while True:
        asked = [e for e in of(ApplyPoints, machine.wanted(PLAN, run)) if e.path and run.active[e.path].part == e.part]
        due = machine.next_time(PLAN, run)
        if asked and at + 2 <= until:
            at += 2
            run, _ = machine.step(PLAN, run, PointsSet(at, asked[0].path, part=asked[0].part))
        elif due is not None and due <= until:
            at = max(due, at)
            run, _ = machine.step(PLAN, run, TimeCame(at))
        else:
            return run


def test_a_ramp_goes_in_even_steps_from_the_set_point_in_force_to_its_end_in_its_time():
    run = begun()
    assert ApplyPoints("cool", (WARM, SetPoint("co2", 5.0, "%")), "0") in machine.wanted(PLAN, run)
    assert wanted_cel(PLAN, on(run, START + 3600)) == pytest.approx(31.0, abs=0.13)
    assert "cool" in on(run, START + 7190).active
    run = on(run, START + 7210)
    assert run.finished["cool"] == "done"
    assert wanted_cel(PLAN, run) == 25.0


@pytest.mark.req("SM-05", "DX-20")
@pytest.mark.parametrize(
    "causes",
    [
        (Cause.HOLD, Cause.DONE, Cause.RECOVERED, Cause.RESTART, Cause.DONE),
        (Cause.PAUSE, Cause.DONE, Cause.RESUME),
        (Cause.RECOVERED, Cause.DONE),
    ],
)
def test_what_does_not_run_does_not_ramp_and_it_goes_on_from_where_it_stood(causes: tuple[Cause, ...]):
    run = on(begun(), START + 3600)
    stood = wanted_cel(PLAN, run)
    for i, cause in enumerate(causes):
        run, _ = machine.step(PLAN, run, command(cause, START + 3700 + 20 * i))
        assert wanted_cel(PLAN, run) == stood
    assert run.state is RunState.RUNNING
    run, _ = feed(PLAN, run, PointsSet(run.looked + 1, "cool", part=run.active["cool"].part.removesuffix(ramps.SET)))
    assert (machine.next_time(PLAN, run) or 0.0) - run.looked == pytest.approx(71.0), "a whole step from there"
    assert on(run, run.looked + 3800).finished["cool"] == "done"


def test_a_late_answer_to_an_earlier_step_counts_for_nothing():
    run, _ = feed(PLAN, begun(), PointsSet(START + 2, "cool", part="0"), TimeCame(START + 80))
    assert run.active["cool"].part == "1"
    for late in (PointsSet(START + 81, "cool", part="0"), PointsSet(START + 81, "cool", "refused", "0")):
        assert machine.step(PLAN, run, late)[0].active == run.active


@st.composite
def stories(draw) -> list[tuple[str, float]]:
    acts = ["answer"] * 5 + ["time"] * 5 + ["old answer", "hold", "restart", "crash", "done", "pause", "resume"]
    waits = st.sampled_from([0.0, 2.0, 30.0, 80.0, 4000.0])
    return draw(st.lists(st.tuples(st.sampled_from(acts), waits), min_size=10, max_size=60))


@pytest.mark.req("INV-09", "DX-01", "DX-20")
@settings(max_examples=150, deadline=None)
@given(stories())
def test_no_story_moves_it_faster_than_written_or_back(story: list[tuple[str, float]]):
    run = begun()
    events: list[Event] = []
    values = [(START + 1, 37.0)]
    at = START + 1
    for act, wait in story:
        at += wait
        part = run.active["cool"].part.removesuffix(ramps.SET) if "cool" in run.active else ""
        causes = {"hold": Cause.HOLD, "restart": Cause.RESTART, "crash": Cause.RECOVERED, "done": Cause.DONE,
                  "pause": Cause.PAUSE, "resume": Cause.RESUME}  # fmt: skip
        match act:
            case "answer":
                event: Event = PointsSet(at, "cool", part=part)
            case "old answer":
                event = PointsSet(at, "cool", part=str(max(0, int(part or 0) - 1)))
            case "time":
                due = machine.next_time(PLAN, run)
                at = at if due is None else max(at, due)
                event = TimeCame(at)
            case _:
                event = command(causes[act], at)
        try:
            run, _ = machine.step(PLAN, run, event)
        except machine.NotAllowed:
            continue
        events.append(event)
        value = wanted_cel(PLAN, run)
        assert value <= values[-1][1] or run.active["cool"].question, "it went back, and nothing was refused"
        if value != values[-1][1]:
            values.append((at, value))
    for (t0, v0), (t1, v1) in pairwise(values):
        assert abs(v1 - v0) <= 0.12 + 1e-9, "a step was left out, or more than the one refused taken back"
        assert 25.0 <= v1 <= 37.0
        assert t0 < t1 or v1 > v0
    if len(values) > 2:
        run_s = values[-1][0] - values[1][0]
        assert values[1][1] - values[-1][1] <= SLOPE * run_s + 0.12, "faster than written"
    again = begun()
    for event in events:
        again = machine.run_after(PLAN, again, event)
    assert again == run


@pytest.mark.req("INV-09")
def test_a_ramp_that_a_person_ends_stays_where_it_was_read_back_last():
    run = on(begun(), START + 3600)
    part = run.active["cool"].part.removesuffix(ramps.SET)
    run, _ = machine.step(PLAN, run, TimeCame(machine.next_time(PLAN, run) or 0.0))
    stood = wanted_cel(PLAN, run) + 0.12
    run, _ = feed(PLAN, run, PointsSet(run.looked, "cool", "no such value", str(int(part) + 1)))
    assert run.state is RunState.HOLDING
    assert wanted_cel(PLAN, run) == pytest.approx(stood), "what was refused is not asked again"
    run, _ = feed(PLAN, run, command(Cause.DONE, run.looked), Decision(run.looked + 5, "cool", "Ann", "skip"))
    assert wanted_cel(PLAN, run) == pytest.approx(stood)


def test_without_a_set_point_in_force_a_person_decides():
    plan = sequence(Node("cool", "Cool", "step", work=COLD, **STEP), Node("rest", "", "step", work=Pause(9e9)))
    run, _ = started(plan)
    assert run.active["cool"].question == "Cool: temperature has no set point to start from. Skip the ramp?"
    assert not [e for e in of(ApplyPoints, machine.wanted(plan, run)) if e.path]
    run, _ = feed(plan, run, command(Cause.DONE, START + 1), Decision(START + 2, "cool", "Ann", "skip"))
    assert run.finished["cool"] == "skipped by person"


def test_a_ramp_is_written_as_a_value_over_a_time_and_planned_with_it():
    protocol = load("set: {temperature: 37 degC}", "set: {temperature: 310.15 K over 2 h, co2: 5 %}")
    plan = protocols.plan(protocol, START, "UTC")
    node = plan.nodes["one/set-2"]
    assert node.work == SetEnvironment((SetPoint("temperature", 37.0, "Cel", 7200.0), SetPoint("co2", 5.0, "%")))
    assert node.title == "Set temperature 37 Cel over 2 h, co2 5 %"
    assert node.max_s > 7200.0
    assert calendar.calendar(plan).ends - START >= 7200.0


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("set: {temperature: 37 degC over 2 h}", "temperature has no set point before this ramp to start from"),
        ("set: {temperature: 37 degC over 2 mL}", "mL"),
        ("set: {temperature: 37 mL over 2 h}", "mL measures volume"),
        ("set: {temperature: 37 degC over 0 h}", "must be more than 0"),
        ("set: {temperature: 37 degC over 3 s}", "a ramp takes 1 min to 90 d"),
        ("{set: {temperature: 30 degC over 2 h}, at most: 1 h}", "'at most' allows"),
    ],
)
def test_a_ramp_that_cannot_be_is_refused_in_words(step: str, says: str):
    with pytest.raises(ProtocolInvalid) as caught:
        load(*(["set: {temperature: 37 degC}"] if "at most" in step else []), step)
    assert says in str(caught.value)
