"""How long the simulated person leaves a task to whoever watches, and how slowly time goes meanwhile.

At 600 x an hour, after which an open task alarms, is six seconds of wall time: nobody could read it. So the demo's time
slows while a task waits for a person, as far as it must and no further, and never for long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulators.people import SIMULATED

PART = 3
"""At most one part in so many of the time from opening to alarm goes by before the simulated person answers."""
WRITING_WALL_S = 180.0
"""Wall seconds that a person who has claimed a task has before it alarms; then time goes as it did."""
SLOWEST = 20.0
"""x real time, unless slower was asked for: devices polled every 10 s still keep world and controller in step."""

Task = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Patience:
    """`wall_s`: how long a task is left to others after it opened, wall seconds; 0 = not at all."""

    wall_s: float
    speed: float
    """As asked for, bench seconds for one wall second."""

    def not_before(self, task: Task) -> float:
        """Bench time before which the simulated person does not answer this task by themselves."""
        return task["due"] + min(self.wall_s * self._slowed(task), tolerated_s(task) / PART)

    def pace(self, tasks: Sequence[Task], now: float) -> float:
        """How fast time may go now."""
        return min((self._pace(task, now) for task in tasks), default=self.speed) if self.wall_s else self.speed

    def _pace(self, task: Task, now: float) -> float:
        if task["claimed_by"] == SIMULATED:
            return self.speed
        if task["claimed_by"]:
            return self._at_most(tolerated_s(task) / WRITING_WALL_S) if now < task["alarm_at"] else self.speed
        return self._slowed(task) if now < self.not_before(task) else self.speed

    def _slowed(self, task: Task) -> float:
        return self._at_most(tolerated_s(task) / PART / self.wall_s) if self.wall_s else self.speed

    def _at_most(self, speed: float) -> float:
        return min(self.speed, max(SLOWEST, speed))


def tolerated_s(task: Task) -> float:
    """From opening to alarm, bench seconds."""
    return float(task["alarm_at"] - task["due"])
