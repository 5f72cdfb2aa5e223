"""What a finished transfer is worth: counter, balance and expectation compared (DS-13, two witnesses)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from controller.run.intents import Intent
from drivers.core.fluid import Direction
from protocols.events import Outcome

WITNESS_SIGMA_ML = 0.08
"""Standard uncertainty of a weighed transfer: drops, tube pull of 0.05 g (benches.md), density (our assumption)."""
FLAT_S = 60.0
"""The witness must be flat this long before the level counts as reached (benches.md A1)."""
FLAT_G_MIN = 0.02


@dataclass(frozen=True, slots=True)
class Sample:
    """The pump's counter (mL since the stroke began) and the balance (g since the stroke began) at one moment."""

    counter_ml: float
    weight_g: float


@dataclass(frozen=True, slots=True)
class Result:
    outcome: Outcome
    counter_ml: float | None
    witness_ml: float | None
    why: str


def allowed_ml(volume_ml: float, sigma_ml: float) -> float:
    """The larger of 5 % and three times the stated uncertainty (safety-and-records 5.2)."""
    return max(0.05 * abs(volume_ml), 3 * sigma_ml)


EDGE_G = 0.04
"""A balance counts as rising from so much above its first value to so much below its last (four steps of 0.01 g)."""


def liquid_counted(samples: Sequence[Sample]) -> float:
    """Counter volume (mL) while the balance rose; 0.0 when it never did. Air before and after leaves it flat."""
    if not samples:
        return 0.0
    risen = samples[-1].weight_g - samples[0].weight_g
    if risen < 4 * EDGE_G:
        return 0.0
    begin = crossing(samples, samples[0].weight_g + EDGE_G)
    end = crossing(samples, samples[-1].weight_g - EDGE_G)
    return (end - begin) * risen / (risen - 2 * EDGE_G)


def crossing(samples: Sequence[Sample], weight_g: float) -> float:
    """Counter at which the balance passed `weight_g`, by linear interpolation between two looks."""
    for before, after in pairwise(samples):
        if after.weight_g >= weight_g > before.weight_g:
            share = (weight_g - before.weight_g) / (after.weight_g - before.weight_g)
            return before.counter_ml + share * (after.counter_ml - before.counter_ml)
    return samples[-1].counter_ml


def liquid_of(rows: Sequence[Intent]) -> float | None:
    """Counter volume of the liquid part of a transfer: known when every delivering stroke was watched to its end."""
    delivers = [row for row in rows if row.stroke is Direction.DELIVER and (row.moved_ml or 0.0) > 0]
    if not delivers or any(row.liquid_ml is None for row in delivers):
        return None
    return sum(row.liquid_ml or 0.0 for row in delivers)


def weighed_of(rows: Sequence[Intent], density_g_ml: float) -> float | None:
    """What the witness gained from the first to the last delivering stroke, mL; None when not read at both ends."""
    delivers = [row for row in rows if row.stroke is Direction.DELIVER]
    if not delivers or delivers[0].witness_before is None or delivers[-1].witness_after is None:
        return None
    return (delivers[-1].witness_after - delivers[0].witness_before) / density_g_ml


def over_run(rows: Sequence[Intent]) -> str:
    """What is to be said about a stroke that moved more than its target and tolerance (DS-04); "" when none did."""
    over = [row for row in rows if row.state == "over"]
    if not over:
        return ""
    row = over[0]
    return f"the {row.stroke.value} stroke moved {row.moved_ml or 0.0:.2f} mL instead of {row.target_ml:.2f} mL"


def judge_level(
    rows: Sequence[Intent],
    *,
    cap_ml: float,
    density_g_ml: float,
    expected_ml: float | None,
    expected_sigma_ml: float,
    by_hand_ml: float = 0.0,
) -> Result:
    """Withdraw to level: the balance measures, the counter's liquid part and the volume estimate must agree.

    `by_hand_ml`: what hands added (+) or took (−) while the pump drew; nobody knows on which side of the last drop.
    """
    weighed, counter = weighed_of(rows, density_g_ml), liquid_of(rows)
    if why := over_run(rows):
        return Result("over", counter, weighed, why)
    if weighed is None:
        return Result("unknown", counter, None, "the waste balance was not readable at both ends of the transfer")
    if counter is not None and abs(counter - weighed) > allowed_ml(weighed, WITNESS_SIGMA_ML):
        return Result(
            "differ", counter, weighed, f"two witnesses differ: pump counter {counter:.1f} mL, balance {weighed:.1f} mL"
        )
    flat_ml = rows[-1].rate_ml_min * FLAT_S / 60.0
    if weighed > cap_ml - flat_ml:
        return Result(
            "over", counter, weighed, f"level not reached: still liquid after {weighed:.1f} of {cap_ml:.1f} mL"
        )
    if expected_ml is not None:
        least, most = sorted((expected_ml, expected_ml + by_hand_ml))
        expected_ml = min(max(weighed, least), most)
    if expected_ml is not None and abs(weighed - expected_ml) > allowed_ml(expected_ml, expected_sigma_ml):
        outcome = "short" if weighed < expected_ml else "over"
        why = f"{weighed:.1f} mL came out, {expected_ml:.1f} mL were expected above the level"
        if expected_ml < 0:
            why += "; by its books the vessel held less than the level: 'osteon runs volume' puts them right"
        return Result(outcome, counter, weighed, why)
    return Result("done", counter, weighed, "")


def judge_volume(rows: Sequence[Intent], *, target_ml: float, density_g_ml: float) -> Result:
    """A given volume: the counter measures; where the path has a witness, it must agree."""
    counter = sum(row.moved_ml or 0.0 for row in rows if row.stroke is Direction.DELIVER)
    weighed = weighed_of(rows, density_g_ml)
    if why := over_run(rows):
        return Result("over", counter, weighed, why)
    if weighed is not None and abs(counter - weighed) > allowed_ml(counter, WITNESS_SIGMA_ML):
        return Result(
            "differ", counter, weighed, f"two witnesses differ: pump counter {counter:.1f} mL, balance {weighed:.1f} mL"
        )
    if abs(counter - target_ml) > allowed_ml(target_ml, rows[-1].resolution_ml if rows else 0.0):
        outcome = "short" if counter < target_ml else "over"
        return Result(outcome, counter, weighed, f"{counter:.2f} mL of {target_ml:.2f} mL by the pump's counter")
    return Result("done", counter, weighed, "")
