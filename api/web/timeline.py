"""A run as bars: what was planned, what happened, what is estimated. From plan, journal and rows alone; pure.

Times UTC s. A planned time is the plan's own, or follows from what comes before it and how long that is expected to
take; the estimate of what has not begun takes today's lateness along.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.run.intents import Intent
from controller.run.occurrences import Occurrence, current, occurrences, with_doses
from controller.store.rows import AlarmRow, DeviationRow, DoseRow, OutageRow, TaskRow
from protocols import machine
from protocols.events import Event
from protocols.plan import Dose, Exchange, Hand, Node, Pause, Plan, WaitUntil, Withdraw
from protocols.run import Run

LEAST_S = 60.0
"""A bar is at least this long, so that it can be seen and clicked."""
MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Rows:
    """What the ledger has of one run."""

    doses: Sequence[DoseRow] = ()
    tasks: Sequence[TaskRow] = ()
    deviations: Sequence[DeviationRow] = ()
    alarms: Sequence[AlarmRow] = ()
    outages: Sequence[OutageRow] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What the journal of a run tells, replayed once for each new event."""

    states: Sequence[dict[str, Any]]
    steps: Sequence[Occurrence]
    planned: Mapping[str, tuple[float, float]]
    plan: Plan
    """As it is after the amendments of the run."""


def told(run_id: str, plan: Plan, events: Sequence[Event]) -> Told:
    last = current(plan, events)
    return Told(spans(plan, events), occurrences(run_id, plan, events), planned(last), last)


def timeline(run_id: str, told: Told, rows: Rows, now: float) -> dict[str, Any]:
    """Everything the timeline page draws; bars in plan order."""
    bars, plan = told.planned, told.plan
    of_step = defaultdict(Rows, {path: Rows(*own) for path, own in by_path(rows).items()})
    found = [with_doses(each, [Intent.of(row) for row in of_step[each.path].doses]) for each in told.steps]
    steps = [bar(plan, each, bars[each.path], of_step[each.path]) for each in found]
    estimate(steps, bars, plan, now)
    last = [step["end"] or step["estimated_end"] or step["planned_end"] for step in steps]
    return {
        "run": run_id,
        "protocol": plan.protocol,
        "version": plan.version,
        "zone": plan.zone,
        "now": now,
        "start": plan.start,
        "end": max((bars[node.path][1] for node in plan.nodes.values()), default=plan.start),
        "estimated_end": max(last, default=plan.start),
        "stages": [stage(plan, node, bars, steps) for node in plan.root.children],
        "steps": steps,
        "states": told.states,
        "outages": [outage(row) for row in rows.outages if row.restarted_at >= plan.start],
        "alarms": [alarm(row) for row in rows.alarms],
        "deviations": [{"path": row.path, "at": row.at, "text": row.text} for row in rows.deviations],
    }


def by_path(rows: Rows) -> dict[str, tuple[list[DoseRow], list[TaskRow], list[DeviationRow]]]:
    """The rows of each step."""
    found: dict[str, tuple[list[DoseRow], list[TaskRow], list[DeviationRow]]] = defaultdict(lambda: ([], [], []))
    for row in rows.doses:
        found[row.path][0].append(row)
    for row in rows.tasks:
        found[row.path][1].append(row)
    for row in rows.deviations:
        found[row.path][2].append(row)
    return found


# ---- the plan ------------------------------------------------------------------------------------------------


def planned(plan: Plan) -> dict[str, tuple[float, float]]:
    """Path -> planned begin and end of every node, as far as a plan can know."""
    found: dict[str, tuple[float, float]] = {}
    place(plan.root, plan.start, found)
    return found


def place(node: Node, turn: float, found: dict[str, tuple[float, float]]) -> float:
    """Place a node whose turn comes at `turn`, and all below it; its planned end."""
    begin = turn if node.due is None else max(turn, node.due)
    end = begin + expected_s(node)
    for child in node.children:
        ended = place(child, end if node.kind == "sequence" else begin, found)
        end = max(end, ended)
    found[node.path] = begin, end
    return end


def expected_s(node: Node) -> float:
    """How long a step takes when nothing is in its way."""
    match node.work:
        case Pause(for_s=for_s) | WaitUntil(for_s=for_s):
            return for_s
        case Hand(takes_s=takes_s):
            return takes_s
        case Dose() | Withdraw():
            return 2 * node.work.volume_ml / node.work.rate_ml_min * MINUTE_S
        case Exchange():
            out_min = 2 * node.work.at_most_ml / node.work.out_rate_ml_min
            return (out_min + 2 * node.work.fill_ml / node.work.fill_rate_ml_min) * MINUTE_S
        case _:
            return 0.0


# ---- what happened -------------------------------------------------------------------------------------------


def spans(plan: Plan, events: Iterable[Event]) -> list[dict[str, Any]]:
    """Each state of the run with its begin, its end (None = still) and why."""
    found: list[dict[str, Any]] = []
    run = Run()
    for event in events:
        before, run = run, machine.run_after(plan, run, event)
        plan = machine.plan_after(plan, event)
        if run.state is not before.state:
            if found:
                found[-1]["end"] = event.at
            found.append({"state": run.state.value, "start": event.at, "end": None, "why": run.why})
    return found


def bar(plan: Plan, one: Occurrence, bars: tuple[float, float], own: Rows) -> dict[str, Any]:
    node = plan.nodes[one.path]
    task = next(iter(own.tasks), None)
    late_s = None if one.started is None or one.planned is None else max(0.0, one.started - bars[0])
    return {
        "key": one.key,
        "path": one.path,
        "title": one.title,
        "lane": lane(node),
        "work": type(node.work).__name__,
        "stage": plan.stage_of(one.path),
        "fixed": one.planned is not None and node.due is not None,
        "planned_start": bars[0],
        "planned_end": bars[1],
        "start": one.started,
        "end": one.finished,
        "intended": one.intended,
        "observed": one.observed,
        "estimated_start": None,
        "estimated_end": None,
        "late_s": late_s,
        "disposition": one.disposition,
        "asked_ml": asked_ml(node),
        "doses": [dose(row) for row in own.doses],
        "task": None if task is None else answered(task),
        "deviations": [row.text for row in own.deviations],
    }


def estimate(steps: Sequence[dict[str, Any]], bars: Mapping[str, tuple[float, float]], plan: Plan, now: float) -> None:
    """Fill in when steps not over yet will probably begin and end."""
    shifted: dict[str, float] = {}
    for step in steps:
        begin, end = bars[step["path"]]
        length = max(end - begin, 0.0)
        if step["end"] is not None or step["disposition"] is not None:
            continue
        if step["start"] is not None:
            step["estimated_end"] = max(now, step["start"] + length)
            shifted[step["stage"]] = step["estimated_end"] - end
            continue
        delay_s = 0.0 if step["fixed"] else max(0.0, shifted.get(step["stage"], 0.0))
        step["estimated_start"] = max(now, begin + delay_s)
        step["estimated_end"] = step["estimated_start"] + length


def stage(
    plan: Plan, node: Node, bars: Mapping[str, tuple[float, float]], steps: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    own = [step for step in steps if step["stage"] == node.path]
    started = [step["start"] for step in own if step["start"] is not None]
    over = bool(own) and all(step["disposition"] is not None for step in own)
    ended = [step["end"] for step in own if step["end"] is not None]
    begin, end = bars[node.path]
    return {
        "path": node.path,
        "title": node.title,
        "planned_start": begin,
        "planned_end": end,
        "start": min(started, default=None),
        "end": max(ended, default=None) if over else None,
        "steps": len(own),
        "done": sum(step["disposition"] is not None for step in own),
    }


def lane(node: Node) -> str:
    """Which row of the chart: task, dose, environment, or step."""
    match node.work:
        case Hand():
            return "task"
        case Exchange() | Dose() | Withdraw():
            return "dose"
        case Pause():
            return "step"
        case _:
            return "environment"


def asked_ml(node: Node) -> float | None:
    match node.work:
        case Exchange(fill_ml=ml) | Dose(volume_ml=ml) | Withdraw(volume_ml=ml):
            return ml
        case _:
            return None


def dose(row: DoseRow) -> dict[str, Any]:
    """One stroke: asked, measured by the counter, seen by the witness."""
    weighed = None
    if row.witness_before is not None and row.witness_after is not None:
        weighed = round(row.witness_after - row.witness_before, 3)
    return {
        "id": row.dose_id,
        "part": row.part,
        "stroke": row.stroke,
        "fluid": row.fluid,
        "device": row.device,
        "asked_ml": row.target_ml,
        "measured_ml": row.moved_ml,
        "weighed_g": weighed,
        "start": row.intended_at,
        "end": row.ended_at,
        "state": row.state,
        "evidence": row.evidence,
        "decided_by": row.decided_by,
    }


def answered(task: TaskRow) -> dict[str, Any]:
    return {
        "state": task.state,
        "due": task.due,
        "opened": task.opened_at,
        "answered": task.answered_at,
        "by": task.answered_by,
        "claimed_by": task.claimed_by,
        "entries": task.entries,
        "why": task.why,
    }


def outage(row: OutageRow) -> dict[str, Any]:
    start = row.last_known_at if row.last_known_at is not None else row.restarted_at
    return {"start": start, "end": row.restarted_at, "epoch": row.epoch, "decision": row.decision}


def alarm(row: AlarmRow) -> dict[str, Any]:
    return {
        "id": row.alarm_id,
        "priority": row.priority,
        "text": row.text,
        "state": row.state,
        "start": row.raised_at,
        "end": row.cleared_at,
    }
