"""What a vessel holds by the books: start + in − out − evaporation, reset where geometry fixed the level (DS-08)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

DAY_S = 86_400.0
BASE_SIGMA_ML = 0.15
"""Standard uncertainty of a level fixed by the dip tube (our assumption)."""
POUR_SIGMA = 0.01
"""Relative standard uncertainty of a volume handled by a person (our assumption)."""
EVAPORATION_SIGMA = 0.5
"""Relative standard uncertainty of evaporation: 0.2-0.5 mL/day around 0.35 (benches.md A1)."""


@dataclass(frozen=True, slots=True)
class Move:
    """One entry of the books: `ml` into (+) or out of (−) the vessel, or a level set by geometry."""

    at: float
    ml: float
    sigma_ml: float = 0.0
    level: bool = False


@dataclass(frozen=True, slots=True)
class Volume:
    """Estimate and its standard uncertainty, mL."""

    ml: float
    sigma_ml: float

    @property
    def most_ml(self) -> float:
        """What it may be at worst, as the limit of a vessel is guarded: three standard uncertainties above."""
        return self.ml + 3 * self.sigma_ml


@dataclass(frozen=True, slots=True)
class Held:
    """The books after some moves, before evaporation: mL, variance mL², and since when it has evaporated (UTC s)."""

    ml: float
    variance: float
    lost_from: float

    def moved(self, move: Move) -> Held:
        """After one more move."""
        if move.level:
            return Held(move.ml, max(move.sigma_ml, BASE_SIGMA_ML) ** 2, move.at)
        lost_from = move.at if self.ml == 0.0 and move.ml > 0 else self.lost_from
        return Held(self.ml + move.ml, self.variance + move.sigma_ml**2, lost_from)

    def at(self, now: float, evaporation_ml_day: float) -> Volume:
        """What is left of it at `now`, with its uncertainty."""
        lost = evaporation_ml_day * max(0.0, now - self.lost_from) / DAY_S if self.ml > 0 else 0.0
        return Volume(max(0.0, self.ml - lost), (self.variance + (EVAPORATION_SIGMA * lost) ** 2) ** 0.5)


def estimate(moves: Sequence[Move], start: float, now: float, evaporation_ml_day: float) -> Volume:
    """The volume of the vessel at `now` (UTC s); it was empty at `start` unless a move says otherwise."""
    so_far = sorted((move for move in moves if move.at <= now), key=lambda each: each.at)
    return reduce(Held.moved, so_far, Held(0.0, 0.0, start)).at(now, evaporation_ml_day)
