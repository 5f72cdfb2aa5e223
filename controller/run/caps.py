"""The most that may flow into a vessel: per dose, hour, day and run, of each fluid or of all (DS-07).

Counted from the ledger of all runs of the unit, so that no restart and no new run forgets; what is open or unknown
counts as delivered in full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from controller.run.books import INTO
from controller.run.intents import Intent
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


def against(
    unit: UnitSettings, rows: Sequence[Intent], *, run_id: str, fluid: str, dose_ml: float, next_ml: float, now: float
) -> str:
    """Why `next_ml` more of a dose of `dose_ml` may not be sent; "" when it may. `rows`: of all runs of the unit."""
    into = [row for row in rows if counts(row)]
    for name, caps, mine in those_of(unit, fluid):
        theirs = [row for row in into if mine is None or row.fluid == mine]
        for words, cap_ml, used_ml in (
            ("in one dose", caps.dose_ml, dose_ml - next_ml),
            ("in one hour", caps.hour_ml, sum_since(theirs, now - HOUR_S)),
            ("in one day", caps.day_ml, sum_since(theirs, now - DAY_S)),
            ("in one run", caps.run_ml, sum(counted_ml(row) for row in theirs if row.run_id == run_id)),
        ):
            if cap_ml is not None and used_ml + next_ml > cap_ml + ROUNDING_ML:
                return (
                    f"{next_ml:.2f} mL more would make {used_ml + next_ml:.2f} mL of {name} {words}; "
                    f"{cap_ml:g} mL is the cap of {unit.name}"
                )
    return ""


def against_split(rows: Sequence[Intent], *, whole: str, cap_ml: float, next_ml: float) -> str:
    """Why a part of a split dose may not be sent: all parts together have the cap of the whole (DS-10)."""
    parts = [row for row in rows if row.path.startswith(f"{whole}/") and counts(row)]
    used_ml = sum(counted_ml(row) for row in parts)
    slack_ml = sum(row.tolerance_ml for row in parts)
    if used_ml + next_ml > cap_ml + slack_ml + ROUNDING_ML:
        return f"{next_ml:.2f} mL more would make {used_ml + next_ml:.2f} mL of {whole}; {cap_ml:g} mL are all of it"
    return ""


def sum_since(rows: Sequence[Intent], since: float) -> float:
    """What was delivered after `since`; a stroke under way at that time counts whole."""
    return sum(counted_ml(row) for row in rows if (row.ended_at or float("inf")) > since)


def those_of(unit: UnitSettings, fluid: str) -> Iterator[tuple[str, CapSettings, str | None]]:
    """The caps that a dose of `fluid` has to keep: (how to call it, caps, fluid or None for all)."""
    yield "fluid", unit.caps.all, None
    if (caps := unit.caps.fluids.get(fluid)) is not None:
        yield fluid, caps, fluid
