"""A tube that pulls on the waste balance: it shows a little more, then a little less, and nothing was poured."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin
from random import Random

from simulators.plant import parameters as p


@dataclass(slots=True)
class Pull:
    """Grams of the swing; 0 = the tube hangs free. `phase` is the bench's own, from its seed."""

    grams: float = 0.0
    phase: float = 0.0

    @classmethod
    def of(cls, seed: int | None) -> Pull:
        chance = Random(f"{seed} pull")  # noqa: S311 - chance, not secrecy
        return cls(0.0, 0.0 if seed is None else 2 * pi * chance.random())

    def at(self, seconds: float) -> float:
        """Grams so long after the start."""
        return self.grams * sin(2 * pi * seconds / p.TUBE_PULL_S + self.phase) if self.grams else 0.0
