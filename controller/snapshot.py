"""Everything a view needs to show a bench, as plain JSON: one picture of one moment."""

from __future__ import annotations

import asyncio
from typing import Any

from controller.clock import iso
from controller.controller import Controller
from controller.program import program_version
from controller.run.engine import Engine
from drivers.core.signals import Reading
from protocols import machine
from protocols.plan import Exchange, Node, Pause, WaitUntil

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
        "speed": getattr(asyncio.get_running_loop(), "speed_reached", None),
        "devices": [device(controller, name) for name in controller.bench.keepers],
        "runs": [run(engine, now) for engine in runs.engines.values()] if runs else [],
        "units": {unit.name: dict(unit.roles) for unit in controller.settings.units},
        "tasks": runs.tasks() if runs else [],
        "alarms": [dict(row) for row in controller.alarms.open()] if controller.alarms else [],
        "events": last_events(controller),
    }


def device(controller: Controller, name: str) -> dict[str, Any]:
    keeper = controller.bench.keepers[name]
    loop_now = asyncio.get_running_loop().time()
    specs = keeper.device.specs()
    readings = {
        signal: reading(controller.latest.get(f"{name}.{signal}"), spec.unit, loop_now)
        for signal, spec in specs.items()
    }
    return {
        "name": name,
        "model": keeper.device.model,
        "condition": keeper.condition.value,
        "why": keeper.why,
        "verified": keeper.device.verified,
        "readings": readings,
    }


def reading(now: Reading, unit: str, loop_now: float) -> dict[str, Any]:
    return {
        "value": now.value,
        "unit": unit,
        "quality": now.quality.value,
        "why": now.why,
        "age_s": round(loop_now - now.at, 1) if now.at else None,
    }


def run(engine: Engine, now: float) -> dict[str, Any]:
    """State, what is active (steps, and whatever else has a question open) and what comes next."""
    state, plan = engine.run, engine.plan
    steps = [step(plan.nodes[path], active.began, active.part, active.question, list(active.options))
             for path, active in state.active.items()
             if plan.nodes[path].kind == "step" or active.question]  # fmt: skip
    return {
        "run": engine.run_id,
        "unit": engine.site.unit.name,
        "protocol": plan.protocol,
        "state": state.state.value,
        "since": state.since,
        "why": state.why,
        "start": plan.start,
        "day": (now - plan.start) / 86_400.0,
        "steps": steps,
        "done": len(state.finished),
        "nodes": len(plan.nodes),
        "next": coming(engine),
        "volume": volume(engine),
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


def coming(engine: Engine) -> dict[str, Any] | None:
    """The next thing with a time of its own; None when the run waits for events only."""
    due = machine.next_time(engine.plan, engine.run)
    if due is None:
        return None
    ahead = [
        node
        for node in engine.plan.nodes.values()
        if node.due is not None and node.due == due and node.path not in engine.run.finished
    ]
    return {"at": due, "title": ahead[0].title if ahead else "end of a wait"}


def volume(engine: Engine) -> dict[str, float]:
    held = engine.volume()
    return {"ml": round(held.ml, 2), "sigma_ml": round(held.sigma_ml, 2)}


def last_events(controller: Controller) -> list[dict[str, Any]]:
    ledger = controller.ledger
    if ledger is None:
        return []
    seq, _ = ledger.head()
    return [
        {"utc": row.utc, "actor": row.actor, "action": row.action, "object": row.object_id, "run": row.run_id}
        for row in ledger.audit(max(0, seq - EVENTS))
    ]
