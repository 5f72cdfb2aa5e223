"""Plunger motion that no stroke of this ledger asked for: a key pressed, another program, a byte later than any fence.

Counters run on between strokes, so what they gained since the last one shows it; it gets rows of its own, and whoever
asked for the next stroke is held once, that a person looks (DS-06, P2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from controller.run.intents import Intent
from drivers.core.fluid import Direction, Totals

PART = "unasked"
"""The part of such rows: no transfer counts them as its own; the volume books do."""


def left_at(last: Intent) -> Totals | None:
    """Where the counters stood when `last` was measured; None when that is not known."""
    if last.after_ml is None or last.after_ml < last.before() - last.resolution_ml:
        return None  # not readable, or the device lost power in the stroke
    drawn, delivered = last.drawn_before_ml, last.delivered_before_ml
    if last.stroke is Direction.DRAW:
        return Totals(last.after_ml, delivered, last.resolution_ml)
    return Totals(drawn, last.after_ml, last.resolution_ml)


@dataclass(frozen=True, slots=True)
class Gain:
    """What one counter gained (mL), and where both stood before."""

    direction: Direction
    left: Totals
    more_ml: float


def gains(last: Intent | None, wanted: Intent) -> list[Gain]:
    """What the pump of `wanted` moved since its `last` row; `wanted` has the counters as they are now."""
    if last is None or last.identity != wanted.identity or (left := left_at(last)) is None:
        return []
    step = max(left.resolution_ml, wanted.resolution_ml)
    now = Totals(wanted.drawn_before_ml, wanted.delivered_before_ml, step)
    if now.drawn_ml < left.drawn_ml - step or now.delivered_ml < left.delivered_ml - step:
        left = Totals(0.0, 0.0, step)  # power was lost in between: the counters began anew
    found: list[Gain] = []
    for direction in Direction:
        more = now.of(direction) - left.of(direction)
        if more > 2 * step:
            found.append(Gain(direction, left, more))
            left = replace(left, drawn_ml=now.drawn_ml) if direction is Direction.DRAW else left
    return found


def row(gain: Gain, wanted: Intent, number: int) -> Intent:
    """The row of a gain; `number` counts such rows of the step."""
    return replace(
        wanted,
        dose_id=f"{wanted.run_id}/{wanted.path}#{PART}.{gain.direction.value}.{number}",
        part=PART,
        number=number,
        stroke=gain.direction,
        target_ml=0.0,
        tolerance_ml=0.0,
        cap_ml=0.0,
        rate_ml_min=0.0,
        drawn_before_ml=gain.left.drawn_ml,
        delivered_before_ml=gain.left.delivered_ml,
        witness="",
        witness_before=None,
        state="over",
        after_ml=gain.left.of(gain.direction) + gain.more_ml,
        moved_ml=gain.more_ml,
        ended_at=wanted.intended_at,
        evidence=f"the counter gained {gain.more_ml:.3f} mL since the last stroke, and nothing here had asked for it",
    )
