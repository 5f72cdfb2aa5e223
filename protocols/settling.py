"""What became of a step: results of devices, answers of people, and what each of them means for the run."""

from __future__ import annotations

from dataclasses import replace

from protocols import deciding, ramping, ramps
from protocols.draft import Draft, NotAllowed
from protocols.events import Amended, Answered, ConditionMet, Decision, Looked, PointsSet, TransferEnded
from protocols.plan import Dose, Exchange, Fluid, Hand, Node, SetEnvironment, WaitUntil, Withdraw
from protocols.run import Active, Disposition
from protocols.states import ENDED, Cause, RunState, after
from protocols.tree import due, duration, first_part

PROTOCOL_VALUES = frozenset({RunState.RUNNING, RunState.PAUSING, RunState.PAUSED, RunState.RESTARTING})
"""States in which the environment is at (or on its way to) the protocol's values."""
ENDING = frozenset({RunState.STOPPING, RunState.STOPPED, RunState.ABORTING, RunState.ABORTED})
DELIVERED_TOLERANCE = 0.05
"""A delivered amount that a person states counts as asked within this fraction (safety-and-records 5.2)."""

PRIORITY = {"unknown": "critical", "over": "critical", "short": "high", "differ": "high", "failed": "high"}
OPTIONS = {
    "unknown": ("delivered", "nothing", "skip"),
    "differ": ("delivered", "nothing", "skip"),
    "short": ("accept", "skip"),
    "over": ("accept", "skip"),
    "failed": ("accept", "skip"),
}


def points_set(draft: Draft, event: PointsSet) -> None:
    """The set points of a step were read back, or not; a late reply counts for nothing."""
    node = draft.plan.nodes.get(event.path)
    if node is None or not isinstance(node.work, SetEnvironment) or draft.state not in PROTOCOL_VALUES:
        return
    active = draft.active.get(event.path)
    if active is None or active.question:
        return
    if event.part != active.part.removesuffix(ramps.SET):
        return
    if not event.why:
        if active.start:
            ramping.step_set(draft, node, node.work, event.part)
        else:
            draft.finish(node)
        return
    text = f"{node.title or node.path}: set points not confirmed: {event.why}"
    draft.alarm(f"{node.path}:points", "high", text, "Look at the device, then decide: run again, or skip.")
    draft.ask(node.path, f"{text}. Run again or skip?", ("run", "skip"))


def condition_met(draft: Draft, event: ConditionMet) -> None:
    """The conditions of a wait held long enough; while held they do not count."""
    node = draft.plan.nodes.get(event.path)
    active = draft.active.get(event.path)
    if node is None or active is None or active.question or not isinstance(node.work, WaitUntil):
        return
    if draft.state in (RunState.RUNNING, RunState.PAUSING):
        draft.finish(node)


def transfer_ended(draft: Draft, event: TransferEnded) -> None:
    """One transfer came to an end; only "done" lets the step go on by itself, a better result closes its question."""
    node = draft.plan.nodes.get(event.path)
    active = draft.active.get(event.path)
    if node is None or active is None or active.part != event.part or not isinstance(node.work, Fluid):
        return
    if event.outcome == "done":
        _next_part(draft, node, replace(active, question="", options=()))
        return
    text = f"{node.title or node.path}, {event.part}: {_said(event)}"
    key = f"{node.path}:{event.part}:{event.outcome}"
    if event.outcome == "refused":
        draft.alarm(key, "high", text, "Remove the cause, then restart: only what was not moved yet is asked again.")
        draft.hold(text)
        return
    draft.alarm(key, PRIORITY[event.outcome], text, "Look at the vessel and the balance, then decide.")
    draft.deviate(node.path, text)
    if draft.state in ENDING:
        draft.finish(node, "failed" if event.outcome == "unknown" else "partial")
        return
    options = OPTIONS[event.outcome]
    if event.outcome == "failed" and not event.counter_ml:
        options = OPTIONS["unknown"]
    draft.ask(node.path, f"{text}. What is true?", options)


def answered(draft: Draft, event: Answered) -> None:
    """A person finished a hand step or the task of a hold; accepted in every state in which the task is open."""
    if draft.hold_task and event.path == draft.hold_task:
        draft.written = {**draft.written, **event.entries}
        draft.hold_task = ""
        return
    node = draft.plan.nodes.get(event.path)
    active = draft.active.get(event.path)
    if node is None or active is None or active.question or not isinstance(node.work, Hand):
        raise NotAllowed(f"no open hand task {event.path}")
    draft.written = {**draft.written, **event.entries}
    draft.finish(node)


def looked(draft: Draft, event: Looked) -> None:
    """Live values for a decision came; what it no longer waits for counts for nothing."""
    node = draft.plan.nodes.get(event.path)
    active = draft.active.get(event.path)
    if node is not None and active is not None and not active.question and deciding.waits(node, active):
        deciding.decide(draft, node, event.values)


def amended(draft: Draft, event: Amended) -> None:
    """The plan is the new one already; what a person leaves out is skipped before its turn (RM-05)."""
    if draft.state in ENDED or draft.state is RunState.IDLE:
        raise NotAllowed(f"the run is {draft.state}: there is no future to change")
    begun = next((path for path in event.skip if path in draft.active or path in draft.finished), "")
    if begun:
        raise NotAllowed(f"{begun} has begun or is over")
    draft.keeps = {}
    for node in draft.plan.environment:
        draft.keep(node)
    said = f"amended by {event.by}: {event.why}"
    for path in event.skip:
        draft.drop(draft.plan.nodes[path], "skipped by person", said)
    draft.deviate(event.skip[0] if event.skip else "", said)


def decision(draft: Draft, event: Decision) -> None:
    """A person's answer to an open question; a run that it held stays held until it is restarted."""
    node = draft.plan.nodes.get(event.path)
    active = draft.active.get(event.path)
    if node is None or active is None or not active.question:
        raise NotAllowed(f"no open question at {event.path}")
    if event.answer not in active.options:
        raise NotAllowed(f"{event.answer!r} is no answer here; possible: {', '.join(active.options)}")
    if event.answer == "delivered" and (event.volume_ml is None or event.volume_ml < 0):
        raise NotAllowed("say how many mL were delivered")
    _decided(draft, node, active, event, "skipped by person")


def nobody(draft: Draft, path: str, answer: str, within: str) -> None:
    """What the late rule of a step does when nobody has answered; the run goes on if nothing else held it (DX-30)."""
    node, active = draft.plan.nodes[path], draft.active[path]
    event = Decision(draft.at, path, "rule", answer, why=f"nobody answered within {within}")
    if answer == "run":
        draft.deviate(path, f"{event.why}: run by its late rule")
    _decided(draft, node, active, event, "skipped by rule")
    again = after(draft.state, Cause.RESTART)
    if again is not None and draft.why == active.question and not draft.asks() and draft.mode != "manual":
        draft.enter(again, f"{node.title or path}: {event.why}, {answer} by its late rule")


def _decided(draft: Draft, node: Node, active: Active, event: Decision, skipped: Disposition) -> None:
    said = f"{event.by} decided {event.answer}{': ' + event.why if event.why else ''}"
    clear = replace(active, question="", options=())
    match event.answer:
        case "skip":
            draft.drop(node, skipped, said)
            draft.deviate(node.path, said)
        case "accept":
            draft.deviate(node.path, said)
            _next_part(draft, node, replace(clear, partial=True))
        case "delivered":
            amiss = _amiss(node, active.part, event.volume_ml or 0.0)
            draft.deviate(node.path, f"{said}, {event.volume_ml:g} mL")
            _next_part(draft, node, replace(clear, partial=clear.partial or amiss))
        case "yes" | "no":
            draft.active[node.path] = clear
            draft.deviate(node.path, said)
            deciding.apply(draft, node, event.answer == "yes")
        case "shift":
            when = due(draft, draft.plan, node)
            late_s = 0.0 if when is None else draft.at - when
            draft.deviate(node.path, f"{said}: later ones shift by {duration(late_s)}")
            draft.shift(node, late_s)
            draft.active[node.path] = replace(clear, part=clear.part or first_part(node), since=draft.at)
        case "nothing":
            draft.active[node.path] = replace(clear, since=draft.at)
        case _:  # run
            draft.active[node.path] = replace(clear, part=clear.part or first_part(node), since=draft.at)


def interrupt(draft: Draft, path: str) -> None:
    """Ask about a step that was under way when the controller stopped and whose rule is "ask" (DX-20)."""
    title = draft.plan.nodes[path].title or path
    draft.alarm(f"{path}:interrupted", "high", f"{title}: interrupted", "Decide: run it, or skip it.")
    draft.ask(path, f"{title} was interrupted by a restart of the controller. Run it or skip it?", ("run", "skip"))


def _next_part(draft: Draft, node: Node, active: Active) -> None:
    """The present part is settled: an exchange goes from withdraw to fill, everything else is finished."""
    draft.active[node.path] = active
    if isinstance(node.work, Exchange) and active.part == "withdraw":
        draft.active[node.path] = replace(active, part="fill", since=draft.at)
        if draft.state in ENDING:
            text = "ended after the withdrawal: the vessel is drained and not refilled"
            draft.alarm(f"{node.path}:drained", "critical", text, "Refill the vessel by hand.")
            draft.deviate(node.path, text)
    else:
        draft.finish(node)


def _amiss(node: Node, part: str, volume_ml: float) -> bool:
    """Whether a delivered amount misses what was asked; a withdrawal to a level is right up to its limit."""
    match node.work:
        case Exchange(at_most_ml=at_most_ml) if part == "withdraw":
            return volume_ml > at_most_ml * (1 + DELIVERED_TOLERANCE)
        case Withdraw(volume_ml=at_most_ml, to_level_ml=level_ml) if level_ml is not None:
            return volume_ml > at_most_ml * (1 + DELIVERED_TOLERANCE)
        case Withdraw(volume_ml=asked_ml):
            return abs(volume_ml - asked_ml) > DELIVERED_TOLERANCE * asked_ml
        case Exchange(fill_ml=asked_ml) | Dose(volume_ml=asked_ml):
            return abs(volume_ml - asked_ml) > DELIVERED_TOLERANCE * asked_ml
        case _:
            return False


def _said(event: TransferEnded) -> str:
    """The outcome with both witnesses in words."""
    counter = "no counter" if event.counter_ml is None else f"pump counter {event.counter_ml:.2f} mL"
    witness = "no second witness" if event.witness_ml is None else f"second witness {event.witness_ml:.2f} mL"
    why = f" ({event.why})" if event.why else ""
    return f"{event.outcome}: {counter}, {witness}{why}"
