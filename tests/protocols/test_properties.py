"""What holds for any order of events: order, single starts, no forbidden fluid, replay."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import protocols
from protocols import machine
from protocols.effects import ApplyPoints, Transfer
from protocols.events import Answered, Command, ConditionMet, Decision, Event, PointsSet, TimeCame, TransferEnded
from protocols.machine import NotAllowed
from protocols.plan import Node, Plan, SetEnvironment, SetPoint
from protocols.run import Run
from protocols.states import Cause, RunState
from protocols.wanting import HOLD_VALUES, TASKS_OPEN
from tests.protocols.answering import COMPRESSED, START, Bench, compressed_plan

PLAN = compressed_plan()
PATHS = sorted(PLAN.nodes)
KEY, LEAST_S = "culture/exchange", 12 * 60
CAUSES = [Cause.HOLD, Cause.DONE, Cause.RESTART, Cause.RECOVERED, Cause.PAUSE, Cause.RESUME] * 3 + list(Cause)


def good_events() -> list[Event]:
    """The events of a run on which nothing goes wrong; random ones follow a part of it."""
    bench = Bench(PLAN)
    bench.go()
    return bench.events


GOOD = good_events()
OUTCOMES = ("done", "done", "done", "short", "over", "unknown", "differ", "refused", "failed")
NEEDS_A_PERSON = {RunState.STOPPING, RunState.ABORTING}


@st.composite
def moves(draw) -> list[tuple[str, int, float]]:
    """(kind of event, choice, time ahead in s); what it means is decided against the run, so that many fit."""
    kinds = st.sampled_from(["fit"] * 8 + ["time"] * 3 + ["command", "command", "noise"])
    steps = st.tuples(kinds, st.integers(0, 10_000), st.sampled_from([0.0, 1.0, 60.0, 600.0, 5000.0, 40_000.0]))
    return draw(st.lists(steps, max_size=60))


def event_of(run: Run, at: float, kind: str, choice: int) -> Event:
    """An event that fits the run (`fit`), time, a command, or noise at any path."""
    open_paths = sorted(path for path in run.active if PLAN.nodes[path].kind == "step" or run.active[path].question)
    match kind:
        case "fit" if open_paths:
            path = open_paths[choice % len(open_paths)]
            active = run.active[path]
            if active.question:
                return Decision(at, path, "Ann", active.options[choice % len(active.options)], 18.0, "seen")
            outcome = OUTCOMES[choice % len(OUTCOMES)]
            if active.part:
                return TransferEnded(at, path, active.part, outcome, 18.0, 18.0)
            return [Answered(at, path, "Ann", {}), PointsSet(at, path), ConditionMet(at, path)][choice % 3]
        case "time":
            time = machine.next_time(PLAN, run)
            return TimeCame(at if time is None else max(at, time))
        case "noise":
            path = PATHS[choice % len(PATHS)]
            return [PointsSet(at, path), ConditionMet(at, path), TransferEnded(at, path, "fill", "done", 1, 1)][
                choice % 3
            ]
        case _:
            return Command(at, CAUSES[choice % len(CAUSES)], "Ann")


def in_order(plan: Plan, run: Run, node: Node) -> bool:
    """No child of a sequence has begun before the one in front of it is finished."""
    known = {**run.active, **run.finished}
    if node.kind == "sequence":
        begun = [child.path in known for child in node.children]
        ended = [child.path in run.finished for child in node.children]
        if any(begun[i + 1] and not ended[i] for i in range(len(begun) - 1)):
            return False
    return all(in_order(plan, run, child) for child in node.children)


def points_by(plan: Plan, run: Run, held: bool) -> dict[str, SetPoint]:
    """What the environment steps come to when all of them are gone through, in the plan's order."""
    points: dict[str, SetPoint] = {}
    for node in plan.environment:
        work = node.work
        assert isinstance(work, SetEnvironment)
        if node.path in run.active and not run.active[node.path].question:
            for point in work.points:
                if held:
                    points[point.role] = point
                else:
                    points.pop(point.role, None)
        elif run.finished.get(node.path, "").startswith("done"):
            points.update((point.role, point) for point in work.points)
    return points | ({point.role: point for point in plan.hold_points} if held else {})


@pytest.mark.req("INV-13", "INV-14", "INV-15", "INV-33", "SM-09", "DX-01")
@settings(max_examples=150, deadline=None)
@given(st.integers(1, len(GOOD) - 1), moves())
def test_any_order_of_events_keeps_the_rules(good, steps):
    run = Run()
    events = GOOD[:good]
    for event in events:
        run, _ = machine.step(PLAN, run, event)
    at = events[-1].at
    begun = run.active.keys() | run.finished.keys()
    for kind, choice, ahead in steps:
        event = event_of(run, at + ahead, kind, choice)
        at = event.at
        before = run
        try:
            run, _ = machine.step(PLAN, run, event)
        except NotAllowed:
            assert run is before
            continue
        events.append(event)
        new = (run.active.keys() | run.finished.keys()) - (before.active.keys() | before.finished.keys())
        assert not new & begun, "a key began twice"
        begun |= new
        assert before.finished.items() <= run.finished.items(), "a disposition changed"
        assert not run.active.keys() & run.finished.keys()
        assert in_order(PLAN, run, PLAN.root)
        if run.state in NEEDS_A_PERSON and before.state is not run.state:
            assert isinstance(event, Command)
            assert event.cause in (Cause.STOP, Cause.ABORT)
        if run.state not in (RunState.RUNNING, RunState.PAUSING):
            assert not [e for e in machine.wanted(PLAN, run) if isinstance(e, Transfer)]
        if any(active.question for active in run.active.values()):
            assert run.state is not RunState.RUNNING, "a question is open and the run goes on"
        if run.state in TASKS_OPEN:
            kept = [e for e in machine.wanted(PLAN, run) if isinstance(e, ApplyPoints) and not e.path]
            points = {point.role: point for e in kept for point in e.points}
            assert points == points_by(PLAN, run, run.state in HOLD_VALUES)
        time = machine.next_time(PLAN, run)
        assert time is None or time > run.looked
        if any(path.startswith(KEY) and PLAN.nodes[path].kind == "step" and path in run.active for path in new):
            assert at - before.last_fluid.get(KEY, at - LEAST_S) >= LEAST_S, "two doses too close"
        if run.state in (RunState.STOPPED, RunState.ABORTED, RunState.COMPLETE):
            assert run.finished.keys() == PLAN.nodes.keys(), "an occurrence disappeared"
            assert not run.active
    again = Run()
    for event in events:
        again = machine.run_after(PLAN, again, event)
    assert again == run


@pytest.mark.req("DX-01")
def test_the_same_file_start_and_values_give_the_same_plan():
    assert protocols.plan(protocols.load(COMPRESSED), START, "Asia/Tokyo") == PLAN
