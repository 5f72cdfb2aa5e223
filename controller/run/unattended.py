"""The most a fluid path could deliver with nobody there, and whether its vessel could take it (EQ-03)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from controller.bench import Bench
from controller.settings import PathSettings, UnitSettings
from drivers.core.fluid import FluidMover
from protocols.plan import Dose, Exchange, Plan, Withdraw


@dataclass(frozen=True, slots=True)
class Worst:
    """mL that a path could move unattended; None = nothing bounds it."""

    ml: float | None
    why: str
    one_more_fault_ml: float | None
    """The same if the device ignored its own bound: shown, not refused."""


class Asked(NamedTuple):
    """One stroke a plan may ask of a path: mL, mL/min, and the room (mL) for what it moves; inf = it is bounded by
    geometry, or runs into a cup."""

    path: str
    ml: float
    ml_min: float
    room_ml: float


def strokes(plan: Plan, unit: UnitSettings) -> Iterator[Asked]:
    """A dip tube draws air at the level, so what leaves through it is bounded by where it ends."""
    vessel = unit.vessel
    for node in plan.nodes.values():
        match node.work:
            case Exchange() as work:
                yield Asked(work.out_path, work.at_most_ml, work.out_rate_ml_min, math.inf)
                yield Asked(work.in_path, work.fill_ml, work.fill_rate_ml_min, vessel.max_ml - work.to_level_ml)
            case Withdraw() as work:
                room_ml = math.inf if work.to_level_ml is not None else vessel.max_ml - vessel.min_ml
                yield Asked(work.path, work.volume_ml, work.rate_ml_min, room_ml)
            case Dose(purpose="prime" | "rinse") as work:
                yield Asked(work.path, work.volume_ml, work.rate_ml_min, math.inf)
            case Dose() as work:
                yield Asked(work.path, work.volume_ml, work.rate_ml_min, vessel.max_ml)
            case _:
                continue


def worst(mover: FluidMover, path: PathSettings, volume_ml: float, rate_ml_min: float) -> Worst:
    """The smallest of what bounds it: the device's own limit, its watchdog, what the source and its line hold."""
    bounds: list[tuple[float, str]] = []
    if (alone_s := mover.stops_after_s) is not None:
        bounds.append((rate_ml_min * alone_s / 60, f"{alone_s:g} s of its watchdog"))
    if path.source_ml is not None:
        bounds.append((path.source_ml + path.line_ml, "its source and line"))
    without = min((ml for ml, _ in bounds), default=None)
    if mover.bounded:
        bounds.append((volume_ml, "the stroke its device ends by itself"))
    ml, why = min(bounds, default=(None, "nothing bounds it"))
    return Worst(ml, why, without)


def of_plan(plan: Plan, unit: UnitSettings, bench: Bench) -> dict[str, tuple[Worst, Asked]]:
    """The worst stroke of each fluid path of this unit that the plan uses."""
    found: dict[str, tuple[Worst, Asked]] = {}
    for asked in strokes(plan, unit):
        path = unit.paths.get(asked.path)
        mover = bench.device(path.pump) if path else None
        if path is None or not isinstance(mover, FluidMover):
            continue
        this = worst(mover, path, asked.ml, asked.ml_min)
        before = found.get(asked.path)
        if before is None or excess(this, asked) > excess(*before):
            found[asked.path] = this, asked
    return found


def excess(found: Worst, asked: Asked) -> float:
    return math.inf if found.ml is None else found.ml - asked.room_ml


def failures(plan: Plan, unit: UnitSettings, bench: Bench) -> Iterator[str]:
    """Why a path must not be left alone, one sentence each."""
    for name, (found, asked) in of_plan(plan, unit, bench).items():
        if found.ml is None:
            yield f"nothing bounds what {name!r} of {unit.name} could move unattended (EQ-03)"
        elif excess(found, asked) > 0:
            yield (
                f"{name!r} of {unit.name} could move {found.ml:.1f} mL unattended ({found.why}), and there is room for "
                f"{asked.room_ml:.1f} mL (EQ-03)"
            )
