"""Everything a view needs to show a bench, as plain JSON: one picture of one moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict
from heapq import nsmallest
from math import isfinite
from typing import Any

from controller.clock import Clock, iso
from controller.controller import Controller
from controller.evidence import evidence
from controller.program import program_version
from controller.run.engine import Engine
from controller.runs import COMMANDABLE
from controller.settings import UnitSettings
from drivers.core.fluid import Direction
from drivers.core.signals import Reading
from protocols import machine
from protocols.plan import Dose, Exchange, Node, Pause, Plan, WaitUntil, Within
from protocols.run import Active
from protocols.states import RunState
from protocols.tree import due

EVENTS = 8
"""How many of the last audit entries a view gets."""


def hello(controller: Controller) -> dict[str, Any]:
    """Who this is; enough to adopt a running controller."""
    return {
        "program": "osteon",
        "version": program_version(),
        "bench": controller.settings.bench.name,
        "epoch": controller.ledger.epoch if controller.ledger else 0,
        "state": controller.state,
        "damaged": controller.trouble,
        "now": controller.clock.now(),
    }


def snapshot(controller: Controller) -> dict[str, Any]:
    """The bench now: devices, readings, runs, what comes next, tasks, alarms, last events."""
    now = controller.clock.now()
    runs = controller.runs
    return {
        **hello(controller),
        "iso": iso(now),
        "zone": controller.settings.bench.zone,
        "simulated": bool(controller.settings.simulation),
        "simulated_person": runs is not None and runs.hand_work.simulated_person is not None,
        "speed": getattr(asyncio.get_running_loop(), "speed_reached", None),
        "devices": [device(controller, name) for name in controller.bench.keepers],
        "runs": [run(engine, now) for engine in runs.engines.values()] if runs else [],
        "scan": controller.scans.facts(),
        "units": {each.name: unit(controller, each) for each in controller.settings.units},
        "tasks": runs.tasks() if runs else [],
        "alarms": [dict(row) for row in controller.alarms.open()] if controller.alarms else [],
        "events": last_events(controller),
    }


def unit(controller: Controller, unit: UnitSettings) -> dict[str, Any]:
    """What a unit is made of: roles -> signals, vessel, paths, and who owns each of its outputs."""
    runs = controller.runs
    outputs = {role: output for role, output in unit.roles.items() if role.endswith(" set")}
    return {
        "roles": dict(unit.roles),
        "vessel": unit.vessel.model_dump(),
        "paths": {name: path.model_dump() for name, path in unit.paths.items()},
        "loop": unit.loop,
        "owners": {output: runs.doors.outputs.owner(output) if runs else "" for output in outputs.values()},
        "stays_on": [role.removesuffix(" set") for role in outputs],
    }


def device(controller: Controller, name: str) -> dict[str, Any]:
    keeper = controller.bench.keepers[name]
    loop_now = asyncio.get_running_loop().time()
    specs = keeper.device.specs()
    readings = {
        signal: {
            **reading(controller.latest.get(f"{name}.{signal}"), spec.unit, loop_now, controller.clock),
            "stale_after_s": controller.latest.stale_after_s(name, signal),
            "low": spec.low,
            "high": spec.high,
            "writable": spec.writable,
        }
        for signal, spec in specs.items()
    }
    return {
        "name": name,
        "model": keeper.device.model,
        "condition": keeper.condition.value,
        "why": keeper.why,
        "verified": keeper.device.verified,
        "identity": None if keeper.identity is None else asdict(keeper.identity),
        "since": controller.clock.utc_of(keeper.since) if keeper.since else None,
        "poll_s": keeper.period_s,
        "polls": keeper.polls,
        "missed": keeper.missed,
        "calibration": None if controller.desk is None else asdict(controller.desk.standings[name]),
        "readings": readings,
    }


def reading(now: Reading, unit: str, loop_now: float, clock: Clock) -> dict[str, Any]:
    return {
        "value": now.value,
        "unit": unit,
        "quality": now.quality.value,
        "why": now.why,
        "age_s": round(loop_now - now.at, 1) if now.at else None,
        "at": round(clock.utc_of(now.at), 1) if now.at else None,
    }


def run(engine: Engine, now: float) -> dict[str, Any]:
    """State, what is active (steps, and whatever else has a question open) and what comes next."""
    state, plan = engine.run, engine.plan
    steps = [
        {
            **step(plan.nodes[path], active.began, active.part, active.question, list(active.options)),
            "stage": stage(plan, path),
            **progress(engine, plan.nodes[path], active.part),
            **(
                {"evidence": evidence(engine, plan.nodes[path], active.options, active.part)} if active.question else {}
            ),
        }
        for path, active in state.active.items()
        if plan.nodes[path].kind == "step" or active.question
    ]
    return {
        "run": engine.run_id,
        "unit": engine.site.unit.name,
        "protocol": plan.protocol,
        "batch": plan.batch,
        "state": state.state.value,
        "since": state.since,
        "why": state.why,
        "start": plan.start,
        "day": (now - plan.start) / 86_400.0,
        "steps": steps,
        "done": len(state.finished),
        "nodes": len(plan.nodes),
        "next": coming(engine, now),
        "ahead": ahead(engine, now),
        "commands": [cause.value for cause in COMMANDABLE if machine.after(state.state, cause) is not None],
        "volume": volume(engine),
        "mode": state.mode,
        "waiting": [{"path": path, "title": plan.nodes[path].title} for path in state.waiting],
    }


def step(node: Node, began: float, part: str, question: str, options: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "path": node.path,
        "title": node.title,
        "began": began,
        "part": part,
        "question": question,
        "options": options,
        "work": "" if node.work is None else type(node.work).__name__,
    }
    match node.work:
        case Pause(for_s=for_s):
            found["until"] = began + for_s
        case WaitUntil(for_s=for_s):
            found["for_s"] = for_s
        case Exchange(fluid=fluid):
            found["fluid"] = fluid
        case _:
            pass
    return found


def stage(plan: Plan, path: str) -> str:
    """Title of the stage a step belongs to: the node right below the root."""
    return plan.nodes[plan.stage_of(path)].title


def progress(engine: Engine, node: Node, part: str) -> dict[str, Any]:
    """How far a step is: its conditions with the time they hold already, or what has moved so far (UI-52)."""
    match node.work:
        case WaitUntil(conditions=conditions):
            key = f"{engine.run_id}:{node.path}"
            return {"conditions": [bounds(each) for each in conditions],
                    "holds_since": engine.doors.watches.holds_since(key)}  # fmt: skip
        case Exchange(fill_ml=fill_ml, at_most_ml=at_most_ml):
            return {"amount": amount(engine, node.path, part, fill_ml if part == "fill" else at_most_ml)}
        case Dose(volume_ml=volume_ml):
            return {"amount": amount(engine, node.path, part, volume_ml)}
        case _:
            return {}


def asked(engine: Engine, node: Node, active: Active) -> dict[str, Any]:
    """What there is to know before a question is answered; nothing where there is none."""
    return {"evidence": evidence(engine, node, active.options, active.part)} if active.question else {}


def bounds(within: Within) -> dict[str, Any]:
    """A condition as JSON can say it: an open end is None, not infinity."""
    ends = {"low": within.low, "high": within.high}
    return {**asdict(within), **{name: end if isfinite(end) else None for name, end in ends.items()}}


def amount(engine: Engine, path: str, part: str, asked_ml: float) -> dict[str, Any]:
    """Asked and measured so far, by the pump's counter (mL); strokes under way are not in it yet."""
    rows = [row for row in engine.doors.ledger.doses(engine.run_id, path) if part in ("", row.part)]
    moved = sum(row.moved_ml or 0.0 for row in rows if row.stroke == Direction.DELIVER)
    return {"asked_ml": asked_ml, "moved_ml": round(moved, 3), "strokes": len(rows),
            "moving": any(row.state == "intended" for row in rows)}  # fmt: skip


def ahead(engine: Engine, now: float, many: int = 3) -> list[dict[str, Any]]:
    """The next steps with a time of their own."""
    future = [(at, node) for at, node in to_begin(engine) if at > now]
    return [{"at": at, "title": node.title, "path": node.path}
            for at, node in nsmallest(many, future, key=lambda each: each[0])]  # fmt: skip


def to_begin(engine: Engine) -> Iterator[tuple[float, Node]]:
    """Steps with a time of their own that have not begun and were not left out with what they belong to."""
    for path, node in engine.plan.nodes.items():
        when = due(engine.run, engine.plan, node)
        if when is not None and path not in engine.run.active and not over(engine, path):
            yield when, node


def over(engine: Engine, path: str) -> bool:
    """Whether a node, or one that it belongs to, is finished."""
    return any(above in engine.run.finished for above in engine.plan.upward(path))


def coming(engine: Engine, now: float) -> dict[str, Any] | None:
    """The next step with a time of its own, or the end of a pause; None when the run waits for events only.

    One whose time has passed comes first: it is late. Limits and alarms have times too, but nobody plans them.
    """
    plan, run = engine.plan, engine.run
    if engine.ended:
        return None
    next_ = [(at, node.title) for at, node in to_begin(engine)]
    if run.state is RunState.RUNNING:
        for path, active in run.active.items():
            node = plan.nodes[path]
            if isinstance(node.work, Pause) and not active.question and (at := active.began + node.work.for_s) >= now:
                next_.append((at, f"{node.title} ends"))
    if not next_:
        return None
    at, title = min(next_, key=lambda each: each[0])
    return {"at": at, "title": title}


def volume(engine: Engine) -> dict[str, float]:
    held = engine.volume()
    return {"ml": round(held.ml, 2), "sigma_ml": round(held.sigma_ml, 2)}


def last_events(controller: Controller) -> list[dict[str, Any]]:
    ledger = controller.ledger
    if ledger is None:
        return []
    seq, _ = ledger.head()
    return [
        {
            "utc": row.utc,
            "actor": row.actor,
            "action": row.action,
            "object": row.object_id,
            "run": row.run_id,
            "step": row.fields["step"],
            "outcome": row.outcome,
            "state": row.fields["new"] if row.object_type == "run" else None,
        }
        for row in ledger.audit(max(0, seq - EVENTS))
    ]
