"""What became of every planned step, told from the plan, the journal and the dose ledger alone (DX-02).

Nothing of this is stored: the journal is replayed through the machine that made the run, so it cannot disagree with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from controller.run.intents import Intent
from protocols import machine
from protocols.events import Answered, ConditionMet, Decision, Event, PointsSet, TransferEnded
from protocols.plan import Node, Plan
from protocols.run import Disposition, Run


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One step of one run. Times UTC s; None = not yet, or never."""

    key: str
    """run / path; the path ends with the number of the occurrence, so a key begins at most once (INV-13)."""
    path: str
    title: str
    planned: float | None
    """The plan's time of this step or of what it stands in; None = whenever its turn comes."""
    due: float | None
    """When its turn had come: its planned time, or the end of what was before it."""
    started: float | None = None
    intended: float | None = None
    """When the first effect was on record, before it was attempted."""
    observed: float | None = None
    """When the last effect was seen, measured or answered."""
    finished: float | None = None
    disposition: Disposition | None = None


def occurrences(run_id: str, plan: Plan, events: Iterable[Event], doses: Sequence[Intent] = ()) -> list[Occurrence]:
    """Every step of the plan in its order, as far as the journal goes; of an amended run, of its last plan."""
    events = list(events)
    last = current(plan, events)
    found = {
        node.path: Occurrence(f"{run_id}/{node.path}", node.path, node.title, planned(last, node), node.due)
        for node in last.nodes.values()
        if node.kind == "step"
    }
    run = Run()
    for event in events:
        before, run = run, machine.run_after(plan, run, event)
        plan = machine.plan_after(plan, event)
        for path in begun(before, run):
            if path in found:
                row = found[path]
                found[path] = replace(row, started=event.at, due=event.at if row.due is None else row.due)
        if isinstance(event, PointsSet | ConditionMet | TransferEnded | Answered | Decision) and event.path in found:
            found[event.path] = replace(found[event.path], observed=event.at)
        for path in over(before, run):
            if path in found:
                found[path] = replace(found[path], finished=event.at, disposition=run.finished[path])
    strokes: dict[str, list[Intent]] = {}
    for dose in doses:
        strokes.setdefault(dose.path, []).append(dose)
    return [with_doses(row, strokes.get(row.path, ())) for row in found.values()]


def current(plan: Plan, events: Iterable[Event]) -> Plan:
    """The plan after these events: amendments bring new ones."""
    for event in events:
        plan = machine.plan_after(plan, event)
    return plan


def planned(plan: Plan, node: Node) -> float | None:
    """The time of the step itself, or of the nearest node above it that has one."""
    dues = (plan.nodes[path].due for path in plan.upward(node.path))
    return next((due for due in dues if due is not None), None)


def begun(before: Run, now: Run) -> set[str]:
    """Paths whose step began with this event, those that ended with it too (a step dropped unbegun did not begin)."""
    passed = {path for path in over(before, now) if now.finished[path].startswith("done")}
    return (now.active.keys() | passed) - before.active.keys()


def over(before: Run, now: Run) -> list[str]:
    """Paths that were finished with this event, the last one first: what is finished stays so, in its order."""
    return list(islice(reversed(now.finished), len(now.finished) - len(before.finished)))


def with_doses(row: Occurrence, doses: Sequence[Intent]) -> Occurrence:
    """A step that moved fluid: intended with its first stroke, observed with its last measured one."""
    if not doses:
        return row if row.started is None or row.observed is None else replace(row, intended=row.started)
    ended = [dose.ended_at for dose in doses if dose.ended_at is not None]
    last = max([*ended, *([] if row.observed is None else [row.observed])], default=None)
    return replace(row, intended=min(dose.intended_at for dose in doses), observed=last)
