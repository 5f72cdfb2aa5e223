"""The most that may flow into a vessel: per dose, hour, day and run, of each fluid or of all (DS-07).

Counted from the ledger of all runs of the unit, so that no restart and no new run forgets; what is open or unknown
counts as delivered in full.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator, Sequence

from controller.run.books import INTO
from controller.run.intents import Intent
from controller.run.timeline import Timeline
from controller.settings import CapSettings, UnitSettings
from drivers.core.fluid import Direction
from protocols.plan import TO_CUP

HOUR_S, DAY_S = 3600.0, 86_400.0
ROUNDING_ML = 1e-6


def counts(row: Intent) -> bool:
    """Whether a stroke of the ledger brings fluid into the vessel."""
    return row.fluid_path == INTO and row.stroke is Direction.DELIVER and row.part not in TO_CUP


def counted_ml(row: Intent) -> float:
    return row.target_ml if row.moved_ml is None else row.moved_ml


class Inflow:
    """What flowed into a vessel: by the end of each stroke, of each fluid and of all, of each run and of all."""

    def __init__(self, rows: Iterable[Intent] = ()) -> None:
        self._flows: dict[tuple[str | None, str | None], Timeline[str, float, float]] = {}
        for row in rows:
            self.put(row)

    def put(self, row: Intent) -> None:
        """A stroke as it is on record now; one that has not ended flows until it has."""
        if not counts(row):
            return
        flowed = [(row.ended_at or math.inf, counted_ml(row))]
        for run_id in (None, row.run_id):
            for fluid in (None, row.fluid):
                flow = self._flows.setdefault((run_id, fluid), Timeline(0.0, operator.add))
                flow.put(row.dose_id, flowed)

    def since(self, since: float, fluid: str | None) -> float:
        """mL delivered after `since` (UTC s) of a fluid, None = of all; a stroke under way then counts whole."""
        return self._until(math.inf, None, fluid) - self._until(since, None, fluid)

    def of_run(self, run_id: str, fluid: str | None) -> float:
        """mL delivered in a run."""
        return self._until(math.inf, run_id, fluid)

    def _until(self, at: float, run_id: str | None, fluid: str | None) -> float:
        flow = self._flows.get((run_id, fluid))
        return 0.0 if flow is None else flow.until(at)


def against(
    unit: UnitSettings, inflow: Inflow, *, run_id: str, fluid: str, dose_ml: float, next_ml: float, now: float
) -> str:
    """Why `next_ml` more of a dose of `dose_ml` may not be sent; "" when it may."""
    for name, caps, mine in those_of(unit, fluid):
        for words, cap_ml, used_ml in (
            ("in one dose", caps.dose_ml, dose_ml - next_ml),
            ("in one hour", caps.hour_ml, inflow.since(now - HOUR_S, mine)),
            ("in one day", caps.day_ml, inflow.since(now - DAY_S, mine)),
            ("in one run", caps.run_ml, inflow.of_run(run_id, mine)),
        ):
            if cap_ml is not None and used_ml + next_ml > cap_ml + ROUNDING_ML:
                return (
                    f"{next_ml:.2f} mL more would make {used_ml + next_ml:.2f} mL of {name} {words}; "
                    f"{cap_ml:g} mL is the cap of {unit.name}"
                )
    return ""


def against_split(rows: Sequence[Intent], *, whole: str, cap_ml: float, next_ml: float) -> str:
    """Why a part of a split dose may not be sent: all parts together have the cap of the whole (DS-10).

    `rows`: of the steps below `whole`."""
    parts = [row for row in rows if counts(row)]
    used_ml = sum(counted_ml(row) for row in parts)
    slack_ml = sum(row.tolerance_ml for row in parts)
    if used_ml + next_ml > cap_ml + slack_ml + ROUNDING_ML:
        return f"{next_ml:.2f} mL more would make {used_ml + next_ml:.2f} mL of {whole}; {cap_ml:g} mL are all of it"
    return ""


def those_of(unit: UnitSettings, fluid: str) -> Iterator[tuple[str, CapSettings, str | None]]:
    """The caps that a dose of `fluid` has to keep: (how to call it, caps, fluid or None for all)."""
    yield "fluid", unit.caps.all, None
    if (caps := unit.caps.fluids.get(fluid)) is not None:
        yield fluid, caps, fluid
