"""A ramp in a run: it begins at the set points in force, takes its steps while the run is RUNNING, ends at the last."""

from __future__ import annotations

from dataclasses import replace

from protocols import ramps
from protocols.draft import Draft
from protocols.plan import Node, SetEnvironment


def begin(draft: Draft, node: Node, work: SetEnvironment) -> None:
    """Start from the set points in force; without one there is no ramp, and a person decides."""
    in_force = ramps.in_force(draft.plan, draft.keeps, draft.stood)
    ramped = [point.role for point in work.points if point.over_s > 0]
    unknown = [role for role in ramped if role not in in_force]
    if unknown:
        text = f"{node.title or node.path}: {' and '.join(unknown)} has no set point to start from"
        draft.alarm(f"{node.path}:start", "high", text, "What should have set it was skipped: decide.")
        draft.ask(node.path, f"{text}. Skip the ramp?", ("skip",))
        return
    start = tuple(in_force[role] for role in ramped)
    draft.active[node.path] = replace(draft.active[node.path], part="0", start=start)


def go_on(draft: Draft, node: Node, work: SetEnvironment) -> None:
    """Begin, or take the next step when its time has come."""
    active = draft.active[node.path]
    if not active.start:
        begin(draft, node, work)
        return
    due = ramps.next_step(work, active)
    if due is None or due > draft.at:
        return
    since = due if draft.at < due + ramps.step_s(work) else draft.at
    draft.active[node.path] = replace(active, part=str(ramps.number(active) + 1), since=since)


def step_set(draft: Draft, node: Node, work: SetEnvironment, part: str) -> None:
    """The step it is at was read back; the last one ends the ramp."""
    active = draft.active[node.path]
    if ramps.number(active) >= ramps.steps(work):
        draft.finish(node)
        return
    late = draft.at >= active.since + ramps.step_s(work)
    since = draft.at if late else active.since
    draft.active[node.path] = replace(active, part=f"{part}{ramps.SET}", since=since)
