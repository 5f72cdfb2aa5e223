"""What a run does about one event: `step(plan, run, event) -> (run, effects)`. No clock, no I/O, no chance.

The same events give the same states and effects, today and in replay (DX-01). Commands go by the table of
`protocols.states`; `tree` walks the plan, `settling` judges results and answers, `limits` knows what time alone does,
`wanting` reads from a state what must be under way. Effects of a step: alarms and deviations, then what is newly
wanted.
"""

from __future__ import annotations

from dataclasses import replace

from protocols import holding, limits, modes, settling, wanting
from protocols.draft import Draft, NotAllowed
from protocols.effects import Effect
from protocols.events import (
    Advanced,
    Amended,
    Answered,
    Command,
    ConditionMet,
    Decision,
    Event,
    Looked,
    ModeSet,
    PointsSet,
    TimeCame,
    TransferEnded,
)
from protocols.plan import Interruption, Pause, Plan
from protocols.run import Run
from protocols.states import COMMANDS, Cause, RunState, after, commands
from protocols.tree import walk

__all__ = ["NotAllowed", "next_time", "run_after", "step", "wanted"]


def step(plan: Plan, run: Run, event: Event) -> tuple[Run, tuple[Effect, ...]]:
    """Decide about one event; `plan` is the one before it (see `plan_after`).

    Raises NotAllowed when a person's event is refused; late machine events are ignored.
    """
    changed, notes = _decided(plan, run, event)
    return changed, (*notes, *_newly_wanted(plan_after(plan, event), run, changed, event))


def run_after(plan: Plan, run: Run, event: Event) -> Run:
    """The run that `step` comes to: all that telling a journal again needs. Raises NotAllowed."""
    return _decided(plan, run, event)[0]


def _decided(plan: Plan, run: Run, event: Event) -> tuple[Run, list[Effect]]:
    """The run after an event, and the alarms, deviations and closed tasks on the way."""
    plan = plan_after(plan, event)
    draft = Draft(plan, run, event.at)
    match event:
        case Command():
            _command(draft, event)
        case TimeCame():
            pass
        case PointsSet():
            settling.points_set(draft, event)
        case ConditionMet():
            settling.condition_met(draft, event)
        case ModeSet():
            modes.chosen(draft, event)
        case Advanced():
            modes.advanced(draft, event)
        case Amended():
            settling.amended(draft, event)
        case Looked():
            settling.looked(draft, event)
        case TransferEnded():
            settling.transfer_ended(draft, event)
        case Answered():
            settling.answered(draft, event)
        case Decision():
            settling.decision(draft, event)
    limits.pass_time(draft, run.looked)
    holding.at_alarms(draft)
    walk(draft)
    holding.at_alarms(draft)
    holding.task(draft, run.state)
    if draft.state in (RunState.STOPPED, RunState.ABORTED) and draft.active:
        draft.drop(plan.root, "cancelled", draft.why)
    return draft.run(max(run.looked, event.at)), draft.notes


def plan_after(plan: Plan, event: Event) -> Plan:
    """The plan a run has after this event: an amendment brings a new one."""
    return event.plan if isinstance(event, Amended) else plan


def wanted(plan: Plan, run: Run) -> tuple[Effect, ...]:
    """The effects that must be under way in this state: what a restarted engine asks for again (idempotent)."""
    return (*wanting.of_state(plan, run), *wanting.of_nodes(plan, run))


def next_time(plan: Plan, run: Run) -> float | None:
    """The next bench time (UTC s) at which TimeCame must be fed; None when only events matter."""
    return limits.next_limit(plan, run)


def open_questions(run: Run) -> dict[str, str]:
    """Path -> question of every node that waits for a person's decision."""
    return {path: active.question for path, active in run.active.items() if active.question}


def instead(state: RunState) -> str:
    return f"possible now: {', '.join(commands(state)) or 'nothing, wait a moment'}"


def _command(draft: Draft, event: Command) -> None:
    """Go where the table leads; what it does not list is refused, an internal cause that comes too late is ignored."""
    state = after(draft.state, event.cause)
    if state is None:
        if event.cause in COMMANDS:
            raise NotAllowed(f"{event.cause} is not possible while the run is {draft.state} ({instead(draft.state)})")
        return
    match event.cause:
        case Cause.START if draft.finished or draft.active:
            raise NotAllowed("this run is archived; start a new one")
        case Cause.RESTART if draft.asks():
            raise NotAllowed("a question is open: decide first")
        case Cause.RESTART if draft.mode == "manual":
            raise NotAllowed("the unit is worked by hand: set its mode to auto or step first")
        case Cause.DONE if not _may_be_done(draft):
            return
        case Cause.EXPIRED:
            limits.expire(draft)
            return
        case _:
            pass
    from_state = draft.state
    if event.cause is Cause.RECOVERED and from_state is state and state not in limits.STATE_LIMIT_S:
        return
    draft.enter(state, event.why or f"{event.cause} by {event.by}")
    if event.cause is Cause.RECOVERED and event.gap_s > 0:
        _not_counted(draft, event.gap_s)
    if event.cause is Cause.RECOVERED and from_state is not state and state is RunState.RESTARTING:
        _interrupted(draft)
    if state is RunState.RUNNING and from_state is RunState.RESTARTING:
        for path in limits.fluid_steps(draft.plan, draft):
            draft.stamp(draft.plan.nodes[path])


def _may_be_done(draft: Draft) -> bool:
    """RUNNING is done only with its last step, PAUSING only when no fluid is on its way (a late "done" is ignored)."""
    match draft.state:
        case RunState.RUNNING:
            return draft.plan.root.path in draft.finished
        case RunState.PAUSING:
            return not limits.fluid_steps(draft.plan, draft)
        case _:
            return True


def _not_counted(draft: Draft, gap_s: float) -> None:
    """Waits that do not count the time without control end so much later (DX-20)."""
    for path, active in list(draft.active.items()):
        work = draft.plan.nodes[path].work
        if isinstance(work, Pause) and not work.count_downtime:
            draft.active[path] = replace(active, began=active.began + gap_s)


def _interrupted(draft: Draft) -> None:
    """Steps under way when the controller stopped, whose rule is "ask", wait for a person (DX-20)."""
    for path, active in list(draft.active.items()):
        node = draft.plan.nodes[path]
        if node.kind == "step" and not active.question and node.interruption is Interruption.ASK:
            settling.interrupt(draft, path)


def _newly_wanted(plan: Plan, before: Run, now: Run, event: Event) -> tuple[Effect, ...]:
    """What is wanted now and was not before; all of it after a recovery or when a run goes on after a hold."""
    again = isinstance(event, Command) and (
        event.cause is Cause.RECOVERED or (before.state, now.state) == (RunState.RESTARTING, RunState.RUNNING)
    )
    if again:
        return wanted(plan, now)
    was_of_state = () if now.state is not before.state else wanting.of_state(plan, before)
    was_of_nodes = wanting.of_nodes(plan, before)
    return (
        *(effect for effect in wanting.of_state(plan, now) if effect not in was_of_state),
        *(effect for effect in wanting.of_nodes(plan, now) if effect not in was_of_nodes),
    )
