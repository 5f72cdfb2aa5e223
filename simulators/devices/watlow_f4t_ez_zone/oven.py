"""The chamber as a Watlow loop drives it: a set point handed over when it changes, a round figure for the power."""

from __future__ import annotations

from simulators.core.surroundings import Air, Chamber

ROOM_CEL = 22.0
CEL_AT_FULL_POWER = 80.0
"""Where a chamber ends in manual mode at 100 % (ours)."""


class Oven:
    """One chamber and the last set point it was given. CO2 is not this controller's: it is told to stay as it was."""

    def __init__(self, chamber: Chamber) -> None:
        self.chamber = chamber
        self._co2: float | None = None
        self._told: float | None = None

    def air(self, now: float) -> Air:
        return self.chamber.air(now)

    def heat_to(self, now: float, cel: float | None) -> None:
        """None = off, the chamber cools to the room."""
        target = ROOM_CEL if cel is None else cel
        if self._co2 is None:
            self._co2 = self.chamber.air(now).co2_percent
        if target != self._told:
            self._told = target
            self.chamber.set_points(now, target, self._co2, None)

    def forget(self) -> None:
        """The chamber is told anew at the next look (after a restore)."""
        self._told = None


def power(set_point: float, value: float) -> float:
    """Output in %: some to hold, more when too low (round figures of ours)."""
    return min(100.0, max(0.0, 30.0 + 20.0 * (set_point - value)))
