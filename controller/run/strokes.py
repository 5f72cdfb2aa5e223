"""What a transfer still has to do, read off its rows in the ledger alone: the same answer before and after a crash."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from controller.run.intents import Intent
from drivers.core.fluid import Direction

SMALLEST_ML = 0.05
"""Rests below this are not worth a stroke (DS-04: "rest >= minimum dose")."""

ROOM_USED = 0.95
"""Of a syringe in a transfer of several turns: what a stroke leaves in it within its tolerance has its place there."""


def tolerance_ml(volume_ml: float, resolution_ml: float) -> float:
    """How far a measured stroke may lie from its target and still be done: 1 % or two counter steps."""
    return max(0.01 * volume_ml, 2 * resolution_ml)


@dataclass(frozen=True, slots=True)
class Next:
    """The next stroke of a transfer."""

    direction: Direction
    volume_ml: float


@dataclass(frozen=True, slots=True)
class Finished:
    """Both strokes are done; plunger volumes in mL."""

    drawn_ml: float
    delivered_ml: float


@dataclass(frozen=True, slots=True)
class Doubt:
    """One row is open (to be reconciled) or unknown (a person must say); nothing may move before."""

    intent: Intent


def moved(rows: Sequence[Intent], direction: Direction) -> float:
    """Measured or decided plunger motion in one direction, mL."""
    return sum(row.moved_ml or 0.0 for row in rows if row.stroke is direction)


def next_stroke(
    volume_ml: float, rows: Sequence[Intent], *, through: bool = False, room_ml: float = math.inf
) -> Next | Finished | Doubt:
    """Draw `volume_ml`, then deliver all that was drawn; interrupted strokes are completed by their measured rest.

    Through a pump that holds nothing (`through`) the volume is delivered and nothing drawn. A pump that holds less
    (`room_ml`) does it in equal turns.
    """
    for row in rows:
        if row.open or row.state == "unknown":
            return Doubt(row)
    drawn, delivered = moved(rows, Direction.DRAW), moved(rows, Direction.DELIVER)
    over = any(row.state == "over" for row in rows)
    if through:
        left = 0.0 if over else rest(volume_ml, delivered, rows)
        return Next(Direction.DELIVER, round(left, 3)) if left > 0 else Finished(delivered, delivered)
    if over:
        return Finished(drawn, delivered)
    turns = 1 if volume_ml <= room_ml else math.ceil(volume_ml / (ROOM_USED * room_ml))
    begun, holds = turns_begun(rows), rest(drawn, delivered, rows) > 0
    emptying = holds and last_moved(rows) is Direction.DELIVER
    target_ml = volume_ml * (begun + 1) / turns
    if begun < turns and not emptying and rest(target_ml, drawn, rows) > 0:
        return Next(Direction.DRAW, round(target_ml - drawn, 3))
    if holds:
        return Next(Direction.DELIVER, round(min(drawn, volume_ml) - delivered, 3))
    return Finished(drawn, delivered)


def last_moved(rows: Sequence[Intent]) -> Direction | None:
    """The way of the last stroke that moved anything."""
    return next((row.stroke for row in reversed(rows) if row.moved_ml), None)


def turns_begun(rows: Sequence[Intent]) -> int:
    """How often delivering has begun after drawing."""
    found, before = 0, None
    for row in rows:
        if row.moved_ml:
            found += row.stroke is Direction.DELIVER and before is not Direction.DELIVER
            before = row.stroke
    return found


def rest(target_ml: float, moved_ml: float, rows: Sequence[Intent]) -> float:
    """What is left to move, 0 when it is within tolerance or too small to matter."""
    resolution = rows[-1].resolution_ml if rows else 0.0
    left = target_ml - moved_ml
    return left if left > max(SMALLEST_ML, tolerance_ml(target_ml, resolution)) else 0.0
