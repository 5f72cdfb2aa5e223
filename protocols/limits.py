"""Time limits of a run: of its states (SM-02), of its steps, of hand tasks, of a drained vessel."""

from __future__ import annotations

from collections.abc import Iterator

from protocols import ramps, settling
from protocols.draft import Draft
from protocols.plan import Exchange, Fluid, Hand, Node, Pause, Plan, SetEnvironment, WaitUntil
from protocols.run import Active, Run
from protocols.states import Cause, RunState, after
from protocols.tree import LATE, due, duration

STATE_LIMIT_S = {
    RunState.PAUSING: 120.0,
    RunState.HOLDING: 60.0,
    RunState.RESTARTING: 120.0,
    RunState.STOPPING: 120.0,
    RunState.ABORTING: 10.0,
}
HELD_ALARM_S = 900.0
"""A held run that nobody answered for this long is a critical alarm (safety-and-records 5.2)."""
WARN_AT = 0.9
"""Of the longest time between two occurrences: a critical alarm while there is still time (our default)."""
REMIND_AT = 0.5
"""Of the time after which a hand task is overdue: a reminder, an alarm of low priority (our default)."""
HAND_TOLERANCE_S = 3600.0
"""When a hand task without a late rule counts as overdue."""
OPEN = frozenset(set(RunState) - {RunState.IDLE, RunState.STOPPED, RunState.ABORTED, RunState.COMPLETE})


def state_limit(plan: Plan, run: Run | Draft) -> float | None:
    """When the present state has lasted too long; None for states that may last."""
    limit_s = STATE_LIMIT_S.get(run.state)
    if limit_s is None:
        return None
    limit = run.since + limit_s
    if run.state is RunState.PAUSING:
        limit = max([limit, *(run.since + plan.nodes[path].max_s for path in fluid_steps(plan, run))])
    return limit


def fluid_steps(plan: Plan, run: Run | Draft) -> list[str]:
    """Active steps that move fluid and wait for no decision."""
    return [p for p, a in run.active.items() if not a.question and isinstance(plan.nodes[p].work, Fluid)]


def step_limit(run: Run | Draft, node: Node, active: Active) -> float | None:
    """When a step has taken too long, counted from its begin, a person's "run", or the last return to RUNNING."""
    if active.question or node.max_s <= 0 or not isinstance(node.work, SetEnvironment | WaitUntil | Fluid):
        return None
    began = active.began if isinstance(node.work, Fluid) else active.since
    return max(began, run.since) + node.max_s


def moments(plan: Plan, run: Run | Draft) -> Iterator[tuple[float, str, str]]:
    """(when, kind, path) of everything that happens once when time passes it: to do, overdue, hold, drained, held."""
    if run.state is RunState.HELD:
        yield run.since + HELD_ALARM_S, "held", ""
    if run.state not in OPEN:
        return
    for key, limit_s in plan.limits_apart.items():
        if key in run.last_fluid and key not in run.finished:
            yield run.last_fluid[key] + WARN_AT * limit_s, "apart", key
    for path, active in run.active.items():
        node = plan.nodes[path]
        match node.work:
            case Hand(overdue_s=overdue_s) if not active.question:
                tolerance_s = tolerated_s(node, node.work)
                yield active.since + REMIND_AT * tolerance_s, "to do", path
                yield active.since + tolerance_s, "overdue", path
                yield active.since + overdue_s, "hold", path
            case Exchange(max_exposure_s=exposure_s) if active.part == "fill":
                yield active.since + exposure_s, "drained", path
            case _:
                pass
        if active.question and plan.waits_alone(path):
            yield active.asked + HELD_ALARM_S, "unanswered", path
        late = node.late
        if late is not None and late.no_answer != "hold" and active.options == LATE:
            yield active.since + late.no_answer_after_s, "no answer", path


def tolerated_s(node: Node | None, hand: Hand) -> float:
    """How long a hand task may stay open before it is overdue; one without a late rule: an hour."""
    return min(
        node.late.tolerance_s if node is not None and node.late is not None else HAND_TOLERANCE_S, hand.overdue_s
    )


def pass_time(draft: Draft, looked: float) -> None:
    """Act on every limit that time has passed since `looked`."""
    limit = state_limit(draft.plan, draft)
    if limit is not None and limit <= draft.at:
        expire(draft)
    if draft.state is RunState.RUNNING:
        for path, active in list(draft.active.items()):
            over = step_limit(draft, draft.plan.nodes[path], active)
            if over is not None and over <= draft.at and draft.state is RunState.RUNNING:
                _too_long(draft, draft.plan.nodes[path])
    for when, kind, path in list(moments(draft.plan, draft)):
        if looked < when <= draft.at:
            _moment(draft, kind, path)


def expire(draft: Draft) -> None:
    """The state lasted too long: go where the table says, and say that outputs are not confirmed (SM-02)."""
    state = after(draft.state, Cause.EXPIRED)
    if state is None:
        return
    text = f"{draft.state} took too long: outputs not confirmed"
    draft.alarm(f"expired:{draft.state}:{draft.since:.0f}", "critical", text, "Check pumps and set points by eye.")
    draft.enter(state, f"{text}; {draft.why}" if draft.why else text)


def over(run: Run, key: str) -> bool:
    """Whether the condition of an alarm raised here under `key` is gone: the run goes on, the step or task is done."""
    what, _, kind = key.rpartition(":")
    if what == "held":
        return run.state is not RunState.HELD or f"{run.since:.0f}" != kind
    if what.endswith(":apart"):
        key = what.removesuffix(":apart")
        return f"{run.last_fluid.get(key, 0.0):.0f}" != kind
    if kind == "unanswered":
        return what not in run.active or not run.active[what].question
    return kind in ("to do", "overdue", "too long", "drained", "given back") and what not in run.active


def next_limit(plan: Plan, run: Run) -> float | None:
    """The earliest moment at which time alone changes this run; None when only events matter."""
    times = [when for when, _, _ in moments(plan, run) if when > run.looked]
    limit = state_limit(plan, run)
    if limit is not None:
        times.append(limit)
    if run.state is RunState.RUNNING:
        for path, active in run.active.items():
            times.extend(_running(plan, run, plan.nodes[path], active))
    return min(times, default=None)


def _running(plan: Plan, run: Run, node: Node, active: Active) -> Iterator[float]:
    """Times that matter while RUNNING: the next due child, the end of a pause, the maximum of a step."""
    if active.question:
        return
    match node.kind:
        case "sequence":
            waiting = node.children[int(active.part or 0) :][:1]
        case "parallel":
            waiting = node.children
        case "rounds" if active.part.isdecimal() or not active.part:
            waiting = node.children[int(active.part or 0) :][:1]
        case "step" | "choice" | "rounds":
            waiting = ()
    for child in waiting:
        when = due(run, plan, child)
        begun = child.path in run.active or child.path in run.finished
        if when is not None and not begun and child.path not in run.waiting:
            yield when
    if isinstance(node.work, Pause):
        yield active.began + node.work.for_s
    if isinstance(node.work, SetEnvironment) and (step_due := ramps.next_step(node.work, active)) is not None:
        yield step_due
    limit = step_limit(run, node, active)
    if limit is not None:
        yield limit


def _too_long(draft: Draft, node: Node) -> None:
    """A step exceeded its maximum: hold; waits and set points ask, a transfer is stopped and judged by its result."""
    text = f"{node.title or node.path}: not finished within {duration(node.max_s)}"
    draft.alarm(f"{node.path}:too long", "high", text, "Find out why, then decide.")
    if isinstance(node.work, Fluid):
        draft.hold(text)
    else:
        draft.ask(node.path, f"{text}. Run on (the time starts again) or skip it?", ("run", "skip"))


def _moment(draft: Draft, kind: str, path: str) -> None:
    """One limit was passed: raise its alarm, hold where SM-05 says so."""
    title = "" if not path else draft.plan.nodes[path].title or path
    match kind:
        case "held":
            draft.alarm(
                f"held:{draft.since:.0f}", "critical", f"held, nobody answered: {draft.why}", "Decide, restart."
            )
        case "unanswered":
            text = f"{title} waits, nobody answered: {draft.active[path].question}"
            draft.alarm(f"{path}:unanswered", "critical", text, "Decide; the other branches go on.")
        case "to do":
            work = draft.plan.nodes[path].work
            assert isinstance(work, Hand)  # `moments` names no other
            left_s = (1 - REMIND_AT) * tolerated_s(draft.plan.nodes[path], work)
            draft.alarm(f"{path}:to do", "low", f"{title}: still to do, overdue in {duration(left_s)}", "Do the task.")
        case "overdue":
            draft.alarm(f"{path}:overdue", "high", f"{title}: overdue", "Do the task and write it down.")
        case "apart":
            limit_s = draft.plan.limits_apart[path]
            text = f"{title}: the last one was {duration(draft.at - draft.last_fluid[path])} ago; never further apart"
            text = f"{text} than {duration(limit_s)}"
            draft.alarm(f"{path}:apart:{draft.last_fluid[path]:.0f}", "critical", text, "Do it by hand, or decide.")
        case "no answer":
            late = draft.plan.nodes[path].late
            assert late is not None  # `moments` has seen to it
            settling.nobody(draft, path, late.no_answer, duration(late.no_answer_after_s))
        case "hold":
            text = f"{title}: overdue beyond its limit"
            draft.deviate(path, text)
            if not draft.plan.waits_alone(path):
                draft.hold(text)
        case _:
            text = f"{title}: vessel drained and not refilled for too long"
            draft.alarm(f"{path}:drained", "critical", text, "Settle the question and restart, or refill by hand.")
