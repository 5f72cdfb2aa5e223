"""The motor of a drive: turns a tube, counts revolutions, ends a move of its own accord."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulators.core.surroundings import Tube


@dataclass(slots=True)
class Rotor:
    """Times in s. `to_go` None = no end; `turned` counts on without regard to direction (a guess, X)."""

    rpm: float = 100.0
    clockwise: bool = True
    running: bool = False
    since: float = 0.0
    to_go: float | None = None
    turned: float = 0.0

    def due(self) -> float | None:
        """When the move ends by itself."""
        if not self.running or self.to_go is None:
            return None
        return self.since + self.to_go / self.rpm * 60

    def run(self, tube: Tube, now: float, revolutions: float | None, ml_per_rev: float) -> None:
        self.running, self.since, self.to_go = True, now, revolutions
        end = self.due()
        ml_min = self.rpm * ml_per_rev
        tube.run(now, ml_min if self.clockwise else -ml_min, math.inf if end is None else end)

    def count(self, now: float) -> None:
        if not self.running or now <= self.since:
            return
        moved = self.rpm * (now - self.since) / 60
        if self.to_go is not None:
            moved = min(moved, self.to_go)
            self.to_go -= moved
        self.turned += moved
        self.since = now

    def rest(self, tube: Tube, now: float) -> None:
        self.count(now)
        if self.running:
            tube.halt(now)
        self.running = False
