"""Amendments of a running batch: seen before they are made, with a reason, and only of the future (RM-05, UI-51)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from controller.errors import RunConflict, Unusable
from controller.run.binding import failures
from controller.run.engine import Engine
from protocols import amending
from protocols.amending import Amendment, CannotAmend
from protocols.calendar import Row, calendar
from protocols.faults import ProtocolInvalid
from protocols.loading import load
from protocols.plan import Plan
from protocols.protocol import Protocol

What = Literal["skip", "move", "repeat", "set"]
Planner = Callable[[Protocol, float, str, Mapping[str, str]], Plan]
"""(protocol, start in UTC s, zone, values) -> plan: as the run itself was planned, its waiting perhaps cut short."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants changed; `at` is UTC s, for move and repeat."""

    what: What
    path: str = ""
    at: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict[str, str])


def made(engine: Engine, text: str, wish: Wish, planner: Planner) -> Amendment:
    """The changed plan; raises RunConflict when that is not the future, Unusable when the unit cannot do it."""
    plan, run = engine.plan, engine.run
    if engine.ended:
        raise RunConflict(f"the run is {run.state}: there is no future to change", run.state.value)
    try:
        amendment = changed(plan, engine, text, wish, planner)
    except CannotAmend as error:
        raise RunConflict(str(error), run.state.value) from error
    except ProtocolInvalid as error:
        raise Unusable([fault.reason for fault in error.faults]) from error
    if lacks := failures(amendment.plan, engine.site.unit, engine.doors.bench):
        raise Unusable(lacks)
    return amendment


def changed(plan: Plan, engine: Engine, text: str, wish: Wish, planner: Planner) -> Amendment:
    match wish.what:
        case "skip":
            return amending.skipped(plan, engine.run, wish.path)
        case "move" | "repeat" if wish.at is None:
            raise CannotAmend("say when it shall be: a time of the site, or UTC (--at 2026-01-23T17:00)")
        case "move":
            return amending.moved(plan, engine.run, wish.path, wish.at or 0.0)
        case "repeat":
            return amending.repeated(plan, engine.run, wish.path, wish.at or 0.0)
        case "set":
            settings = {**plan.parameters, **wish.settings}
            return amending.revalued(plan, engine.run, planner(load(text), plan.start, plan.zone, settings))


def preview(engine: Engine, amendment: Amendment) -> dict[str, Any]:
    """What would change, row by row, and what rules it would break; nothing is done."""
    over = engine.run.finished.keys() | set(amendment.skip)
    before, after = rows(engine.plan, engine.run.finished.keys()), rows(amendment.plan, over)
    skipped = [path for path in before if any(path == skip or path.startswith(f"{skip}/") for skip in amendment.skip)]
    for path in skipped:
        after.pop(path, None)
    return {
        "said": amendment.said,
        "before": [row for path, row in before.items() if after.get(path) != row],
        "after": [row for path, row in after.items() if before.get(path) != row],
        "violations": list(amending.violations(engine.plan, amendment, engine.run)),
    }


def rows(plan: Plan, over: Any) -> dict[str, dict[str, Any]]:
    """The steps still to come, by path."""
    return {row.path: shown(row) for row in calendar(plan).rows if row.path not in over}


def shown(row: Row) -> dict[str, Any]:
    return {
        "path": row.path, "title": row.title, "at": row.at, "local": row.local.isoformat(timespec="minutes"),
        "kind": row.kind, "fluid": row.fluid, "in_ml": row.in_ml, "out_ml": row.out_ml,
    }  # fmt: skip
