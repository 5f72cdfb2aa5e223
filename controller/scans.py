"""That the bench is being looked at: how many polls there were, and how long ago the last one was (UI-20)."""

from __future__ import annotations

from collections.abc import Mapping

from controller.clock import pace, people_s
from controller.latest import Latest
from drivers.core.signals import Reading

LEAST_PERIOD_S = 1.0
"""A period is at least this long for people, however fast a paced bench polls."""


class Scans:
    """Counts the polls of all devices, silent ones too: a poll without an answer is a look all the same."""

    def __init__(self, latest: Latest, shortest_poll_s: float) -> None:
        self.count = 0
        self._shortest_poll_s, self._last = shortest_poll_s, 0.0
        latest.listen(self._hear)

    def _hear(self, device: str, readings: Mapping[str, Reading]) -> None:
        self.count += 1
        self._last = people_s()

    def facts(self) -> dict[str, float | int | None]:
        """Counter, age of the last scan and the longest usual time between two, in wall seconds."""
        age_s = None if self.count == 0 else round(max(0.0, people_s() - self._last), 2)
        return {"count": self.count, "age_s": age_s, "period_s": self.period_s}

    @property
    def period_s(self) -> float:
        return max(LEAST_PERIOD_S, self._shortest_poll_s / pace())
