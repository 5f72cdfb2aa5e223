"""Conditions on measured roles that must hold without a break ("within ± for"); a value not good breaks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from controller.clock import Clock
from controller.latest import Latest
from drivers.core import units
from drivers.core.signals import Quality, Reading
from protocols.plan import Within

Met = Callable[[], None]


@dataclass(slots=True)
class Watching:
    """One watch: its conditions by "device.signal", since when they hold (UTC s), and whom to tell."""

    conditions: tuple[tuple[str, str, Within], ...]
    for_s: float
    met: Met
    holds_since: float | None = None
    heard: dict[str, float] = field(default_factory=dict[str, float])
    """When each device concerned was heard last (UTC s): a silence in which its value became stale is a break."""


class Watches:
    """Looks at every poll of the devices concerned; costs nothing for the others."""

    def __init__(self, latest: Latest, clock: Clock) -> None:
        self.latest, self.clock = latest, clock
        self._watching: dict[str, Watching] = {}
        latest.listen(self._hear)

    def begin(
        self, key: str, conditions: tuple[Within, ...], for_s: float, roles: Mapping[str, tuple[str, str]], met: Met
    ) -> None:
        """Watch until met or dropped; `roles` gives ("device.signal", unit) of each role."""
        found = tuple((*roles[condition.role], condition) for condition in conditions)
        self._watching[key] = Watching(found, for_s, met)

    def drop(self, key: str) -> None:
        self._watching.pop(key, None)

    def holds_since(self, key: str) -> float | None:
        """Since when the conditions hold (UTC s); None = they do not hold now."""
        watching = self._watching.get(key)
        return None if watching is None else watching.holds_since

    def _hear(self, device: str, readings: Mapping[str, Reading]) -> None:
        for key, watching in list(self._watching.items()):
            if not any(output.startswith(f"{device}.") for output, _, _ in watching.conditions):
                continue
            now = self.clock.now()
            if now - watching.heard.get(device, now) > self.latest.stale_after_s(device):
                watching.holds_since = None
            watching.heard[device] = now
            if not all(self._holds(*each) for each in watching.conditions):
                watching.holds_since = None
            elif watching.holds_since is None:
                watching.holds_since = now
            if watching.holds_since is not None and now - watching.holds_since >= watching.for_s:
                del self._watching[key]
                watching.met()

    def _holds(self, output: str, unit: str, condition: Within) -> bool:
        reading = self.latest.get(output)
        if reading.quality is not Quality.GOOD or not isinstance(reading.value, float | int):
            return False
        return condition.low <= units.convert(reading.value, unit, condition.unit) <= condition.high
