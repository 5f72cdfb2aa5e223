"""What a vessel was found to hold: a person looked, or weighed it; a difference from the books is an alarm (DS-08)."""

from __future__ import annotations

from controller.actors import RULE, Actor
from controller.errors import RunConflict
from controller.run.books import left_in
from controller.run.doors import Doors
from controller.run.judging import allowed_ml
from controller.run.volumes import Volume
from controller.settings import UnitSettings
from controller.store.changes import AuditEntry, Change, Insert
from controller.store.ledger import Ledger
from protocols.limits import fluid_steps
from protocols.plan import Plan
from protocols.run import Run
from protocols.states import RunState

MOVING = frozenset({RunState.RUNNING, RunState.PAUSING, RunState.RESTARTING})
"""States in which a step may move fluid at any time."""
LEAST_ML = 0.5
"""Less than this left in a vessel is not worth taking over."""
READ_SIGMA = 0.02
"""Relative standard uncertainty of a volume read off a vessel by eye (our assumption)."""


def taken_over(ledger: Ledger, unit: UnitSettings, now: float, begins: float) -> tuple[list[Change], list[AuditEntry]]:
    """The rows with which a run that begins then opens its books: what earlier ones left in the vessel."""
    left = left_in(ledger, unit, now)
    if left.ml < LEAST_ML:
        return [], []
    text = f"taken over: {left.ml:.1f} mL by the books of the run before"
    entry = AuditEntry("volume", "unit", unit.name, RULE.name, RULE.role, new=round(left.ml, 3), unit="mL", reason=text)
    return [row(unit.name, max(now, begins), left, RULE.name, text)], [entry]


async def measure(
    doors: Doors, unit: UnitSettings, live: tuple[Plan, Run, Volume] | None, ml: float, by: Actor, why: str
) -> tuple[list[Change], AuditEntry, float]:
    """The rows with which the books begin anew at `ml`, and how much more (+) or less (−) that is than they said.

    Raises RunConflict while fluid is on its way, and when it is far from the books of a run that goes on: a slip of
    the pen must not fill a vessel. `live`: plan, run and volume of the unit's run."""
    now = doors.clock.now()
    if live is not None and fluid_steps(live[0], live[1]):
        raise RunConflict("fluid is on its way: measure when the step is over, or hold the run", live[1].state.value)
    booked = left_in(doors.ledger, unit, now) if live is None else live[2]
    found = Volume(ml, READ_SIGMA * ml)
    differs = ml - booked.ml
    far = abs(differs) > allowed_ml(booked.ml, booked.sigma_ml + found.sigma_ml)
    if far and live is not None and live[1].state in MOVING:
        apart = f"{abs(differs):.1f} mL {'more' if differs > 0 else 'less'} than the books say"
        raise RunConflict(
            f"{ml:g} mL are {apart}: hold the run, look again, and say it then",
            live[1].state.value,
        )
    entry = AuditEntry(
        "volume", "unit", unit.name, by.name, by.role, by.authenticated_by,
        old=round(booked.ml, 3), new=ml, unit="mL", reason=why, client=by.client,
    )  # fmt: skip
    if far:
        text = f"{unit.name} holds {ml:.1f} mL by measurement, {booked.ml:.1f} mL by the books"
        await doors.alarms.raise_(f"volume:{unit.name}:{now:.0f}", "high", text, "Find out where the difference went.")
    return [row(unit.name, now, found, by.name, why)], entry, differs


def row(unit: str, at: float, volume: Volume, by: str, why: str) -> Insert:
    facts = {"unit": unit, "at": at, "ml": volume.ml, "sigma_ml": volume.sigma_ml, "by": by, "why": why}
    return Insert("volumes", facts)
