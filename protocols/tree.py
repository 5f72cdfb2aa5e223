"""Walking the tree of a plan: what begins, what waits for its time, what is over. Only a RUNNING run is walked."""

from __future__ import annotations

from dataclasses import replace

from protocols import deciding, ramping
from protocols.draft import Draft
from protocols.plan import Dose, Exchange, Late, Node, Pause, Plan, SetEnvironment, Withdraw
from protocols.run import Active, Run
from protocols.states import Cause, RunState, after

LATE = ("run", "shift", "skip")
"""Answers to the question of a late occurrence; shift = run it, and later ones of its operation by so much later."""
GRACE_S = 60.0
"""A gap up to this long is no lateness (safety-and-records 6.4)."""


def walk(draft: Draft) -> None:
    """Begin everything whose turn and time have come, finish what is over; complete the run after its last step."""
    if draft.state is RunState.RUNNING:
        draft.waiting.clear()
    if draft.state is RunState.RUNNING and _visit(draft, draft.plan.root, None):
        complete = after(draft.state, Cause.DONE)
        if complete is not None:
            draft.enter(complete, "all steps are done")


def first_part(node: Node) -> str:
    """Where a fluid step starts: an exchange with the withdrawal, a dose with its purpose; others have no parts.

    "withdraw" ends at a level, which the books then know; "remove" takes a volume.
    """
    match node.work:
        case Exchange():
            return "withdraw"
        case Dose(purpose=purpose):
            return purpose
        case Withdraw(to_level_ml=level_ml):
            return "remove" if level_ml is None else "withdraw"
        case _:
            return ""


def _visit(draft: Draft, node: Node, following: Node | None) -> bool:
    """Bring one node as far as it can go now; true when it is finished. `following` = the next of its sequence."""
    if node.path in draft.finished:
        return True
    if draft.state is not RunState.RUNNING:
        return False
    if node.path not in draft.active and not _begin(draft, node, following):
        return node.path in draft.finished
    if draft.active[node.path].question:
        return False
    match node.kind:
        case "sequence":
            over = _sequence(draft, node)
        case "choice":
            over = _choice(draft, node)
        case "rounds":
            over = _rounds(draft, node)
        case "parallel":
            outcomes = [_visit(draft, child, None) for child in node.children]  # all of them, not up to the first
            over = all(outcomes)
        case "step":
            if isinstance(node.work, SetEnvironment) and node.work.over_s > 0:
                ramping.go_on(draft, node, node.work)
            over = isinstance(node.work, Pause) and draft.active[node.path].began + node.work.for_s <= draft.at
    if over:
        draft.finish(node)
    return over


def _sequence(draft: Draft, node: Node) -> bool:
    """Visit the children in order from where the sequence stands; the place is kept in `Active.part`."""
    active = draft.active[node.path]
    children = node.children
    for index in range(int(active.part or 0), len(children)):
        following = next((child for child in children[index + 1 :] if child.path not in draft.finished), None)
        if not _visit(draft, children[index], following):
            draft.active[node.path] = replace(active, part=str(index))
            return False
    return True


def _choice(draft: Draft, node: Node) -> bool:
    """Ask what there is to ask, then go the one way; the other is skipped by rule."""
    if not deciding.settled(draft, node):
        return False
    yes, no = node.children
    return _visit(draft, yes if draft.active[node.path].part == "then" else no, None)


def _rounds(draft: Draft, node: Node) -> bool:
    """One round after the other; the place is kept in `Active.part`, with "?" while the condition is asked."""
    while deciding.settled(draft, node):
        active = draft.active[node.path]
        index = len(node.children) if active.part == deciding.OVER else int(active.part or 0)
        if index >= len(node.children):
            return True
        if not _visit(draft, node.children[index], None):
            return False
        part = f"{index}{deciding.ASKED}" if node.condition is not None else f"{index + 1}"
        draft.active[node.path] = replace(draft.active[node.path], part=part)
    return False


def due(draft: Draft | Run, plan: Plan, node: Node) -> float | None:
    """Before when a node does not begin: its own time, or so long after the node above it began."""
    if node.due is not None:
        return node.due + draft.shifted.get(plan.parents.get(node.path, ""), 0.0)
    if node.after_s <= 0:
        return None
    above = draft.active.get(plan.parents.get(node.path, ""))
    return None if above is None else above.began + node.after_s


def _begin(draft: Draft, node: Node, following: Node | None) -> bool:
    """Begin a node whose turn has come, unless its time has not, or a rule asks or skips; true when it may go on."""
    not_before = due(draft, draft.plan, node)
    if not_before is not None and not_before > draft.at:
        return False
    if draft.mode == "step" and node.kind == "step" and node.path != draft.let:
        draft.waiting.append(node.path)
        return False
    against = _against(draft, node, following)
    if against:
        draft.drop(node, "skipped by rule", against)
        draft.deviate(node.path, against)
        return False
    lateness_s = 0.0 if not_before is None or node.due is None else draft.at - not_before
    late = node.late if node.late is not None and lateness_s > max(GRACE_S, node.late.window_s) else None
    draft.active[node.path] = Active(draft.at, late=late is not None, since=draft.at)
    if late is not None and not _late(draft, node, late, lateness_s):
        return False
    draft.active[node.path] = replace(draft.active[node.path], part=first_part(node))
    draft.stamp(node)
    return True


def _against(draft: Draft, node: Node, following: Node | None) -> str:
    """Why a rule forbids this occurrence now; "" when none does. Never two doses back to back (DX-30, INV-15)."""
    if not node.spacing_key:
        return ""
    if (
        following is not None
        and following.spacing_key == node.spacing_key
        and (next_due := due(draft, draft.plan, following)) is not None
        and next_due <= draft.at
    ):
        return f"missed, and the next one is due already: merged into {following.path}"
    last = draft.last_fluid.get(node.spacing_key)
    if last is not None and draft.at < last + node.min_interval_s:
        return f"only {duration(draft.at - last)} after the last one; never closer than {duration(node.min_interval_s)}"
    return ""


def _late(draft: Draft, node: Node, late: Late, lateness_s: float) -> bool:
    """Act by the late rule on an occurrence begun `lateness_s` after its time; true when it goes on."""
    text = f"{node.title or node.path}: begins {duration(lateness_s)} late"
    if lateness_s <= late.tolerance_s or late.after == "run":
        draft.deviate(node.path, text)
        if late.anchor == "interval":
            draft.shift(node, lateness_s)
        return True
    if late.after == "skip":
        draft.drop(node, "skipped by rule", text)
        draft.deviate(node.path, f"{text}: skipped by its late rule")
    else:
        advice = f" The author of the protocol recommends: {late.recommended}." if late.recommended else ""
        draft.alarm(
            f"{node.path}:late",
            "high",
            text,
            f"Decide: run it now, run it and shift the later ones, or skip it.{advice}",
        )
        draft.ask(node.path, f"{text}. Run it now, run it and shift the later ones, or skip it?{advice}", LATE)
    return False


def duration(seconds: float) -> str:
    """Seconds as a person says them: 90 s, 35 min, 11.5 h, 3 d."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
