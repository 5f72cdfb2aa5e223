"""A plan worked out for a person or a program: calendar, medium, bottles, cells, warnings, as plain facts."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.calendar import Calendar, Row, calendar
from protocols.cell_budget import Budget, budgets
from protocols.labels import plan_id
from protocols.plan import Plan
from protocols.protocol import Protocol
from protocols.starting import Best
from protocols.supplies import Batch, batches
from protocols.unwise import Unwise, unwise


@dataclass(frozen=True, slots=True)
class Planned:
    """A protocol bound to a start, with everything that follows from it."""

    protocol: Protocol
    plan: Plan
    rows: Calendar
    media: tuple[Batch, ...]
    cells: tuple[Budget, ...]
    warnings: tuple[Unwise, ...]
    best: Best | None = None


def worked_out(protocol: Protocol, plan: Plan, place_ml: float | None = None, best: Best | None = None) -> Planned:
    """`place_ml` = the largest bottle the bench has room for; None = not known."""
    rows = calendar(plan)
    return Planned(
        protocol=protocol,
        plan=plan,
        rows=rows,
        media=batches(plan, rows, protocol.document.materials),
        cells=budgets(protocol.document, plan, rows),
        warnings=unwise(protocol, plan, rows, place_ml),
        best=best,
    )


def facts(planned: Planned) -> dict[str, object]:
    """Everything as JSON: times ISO 8601 with the site's offset, volumes mL, durations min."""
    rows = planned.rows
    return {
        "protocol": planned.protocol.name,
        "version": planned.protocol.version,
        "plan_id": plan_id(planned.plan),
        "zone": planned.plan.zone,
        "start": planned.plan.start,
        "ends": rows.ends,
        "parameters": planned.plan.parameters,
        "best_start": None if planned.best is None else best_facts(planned.best),
        "rows": [row_facts(row) for row in rows.rows],
        "fluids": [
            {"fluid": fluid, "day": day, "volume_ml": ml}
            for (day, fluid), ml in sorted(rows.volume_by_day_ml.items())
        ],
        "fluid_totals_ml": rows.volume_by_fluid_ml,
        "withdrawn_ml": rows.withdrawn_ml,
        "media": [batch_facts(batch) for batch in planned.media],
        "bottles": [
            {"day": each.day, "when": each.local.isoformat(), "fluid": each.fluid, "volume_ml": each.volume_ml,
             "used_ml": each.used_ml, "enough": each.enough, "path": each.path,
             "hangs_days": round(max(0.0, each.last_used - each.hung_at) / 86400, 2)}
            for each in rows.bottles
        ],
        "hand_tasks": len(rows.hand_rows),
        "hand_minutes": rows.hand_minutes,
        "out_of_hours": len(rows.out_of_hours),
        "cells": [cell_facts(budget) for budget in planned.cells],
        "warnings": [warning_facts(each) for each in planned.warnings],
    }  # fmt: skip


def mark(row: Row) -> str:
    """ "weekend", "night" or "", for hand work."""
    return "weekend" if row.weekend else "night" if row.night else ""


def row_facts(row: Row) -> dict[str, object]:
    return {
        "when": row.local.isoformat(),
        "at": row.at,
        "day": row.day,
        "kind": row.kind,
        "by": "hand" if row.minutes else "osteon",
        "title": row.title,
        "path": row.path,
        "fluid": row.fluid,
        "in_ml": row.in_ml,
        "out_ml": row.out_ml,
        "minutes": row.minutes,
        "mark": mark(row),
        "only_if": row.only_if,
    }


def batch_facts(batch: Batch) -> dict[str, object]:
    return {
        "fluid": batch.fluid,
        "day": batch.day,
        "prepare_by": batch.prepare_by.isoformat(),
        "planned_ml": round(batch.planned_ml, 3),
        "volume_ml": batch.volume_ml,
        "used_until": batch.used_until.isoformat(),
        "keeps": batch.keeps,
        "too_old": batch.too_old,
        "path": batch.path,
    }


def cell_facts(budget: Budget) -> dict[str, object]:
    return {
        "needed": budget.needed,
        "available": budget.available,
        "short": budget.short,
        "flasks_needed": budget.dishes_needed,
        "needs": [
            {"day": need.day, "into": need.into, "cells": need.cells, "drawn": need.drawn, "path": need.path}
            for need in budget.needs
        ],
        "sources": [
            {"day": each.day, "vessel": each.vessel, "flasks": each.dishes, "seeded": each.seeded,
             "grown_days": round(each.grown_d, 2), "cells": each.cells, "path": each.path}
            for each in budget.sources
        ],
    }  # fmt: skip


def warning_facts(each: Unwise) -> dict[str, object]:
    return {"kind": each.kind, "file": each.file, "line": each.line, "column": each.column, "field": each.field,
            "reason": each.reason, "better": each.better}  # fmt: skip


def best_facts(best: Best) -> dict[str, object]:
    return {
        "start": best.chosen.start,
        "local": best.chosen.local.isoformat(),
        "why": best.why,
        "by_weekday": [
            {"start": each.start, "local": each.local.isoformat(), "tasks": each.tasks, "minutes": each.minutes}
            for each in best.by_weekday
        ],
    }
