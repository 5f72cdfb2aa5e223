"""The last reading of every signal, with its age and quality; who wants to know is told at each poll."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from drivers.core.signals import Quality, Reading

STALE_PERIODS = 3
"""A value older than this many poll periods is stale (INV-29)."""

UNREAD = Reading(None, 0.0, Quality.BAD, "not read yet")


class Latest:
    """Readings by "device.signal". Nothing here ever replaces a bad value by the last good one (CT-04)."""

    def __init__(self) -> None:
        self._readings: dict[str, dict[str, Reading]] = {}
        """Device -> signal -> reading."""
        self._periods: dict[str, float] = {}
        self._seldom: dict[str, Mapping[str, float]] = {}
        self.marks: Mapping[str, tuple[Quality, str]] = {}
        """Devices whose good values are not to be trusted now, as what they count, and why (AC-06)."""
        self._listeners: list[Callable[[str, Mapping[str, Reading]], None]] = []

    def expect(self, device: str, period_s: float, seldom: Mapping[str, float] | None = None) -> None:
        """Say how often `device` is polled, and which signals come more seldom; decides when its values are stale."""
        self._periods[device], self._seldom[device] = period_s, seldom or {}

    def listen(self, hear: Callable[[str, Mapping[str, Reading]], None]) -> None:
        """Have `hear(device, readings)` called after each poll, in the order of listening."""
        self._listeners.append(hear)

    def put(self, device: str, readings: Mapping[str, Reading]) -> None:
        """Take the readings of one poll, by signal name."""
        if device in self.marks:
            quality, why = self.marks[device]
            readings = {
                name: each._replace(quality=quality, why=why) if each.quality is Quality.GOOD else each
                for name, each in readings.items()
            }
        known = self._readings.get(device)
        if known is None:
            known = self._readings.setdefault(device, {})
        known.update(readings)
        for hear in self._listeners:
            hear(device, readings)

    def get(self, name: str) -> Reading:
        """The last reading of "device.signal"; STALE with its age when it is too old, BAD when it was never read."""
        device, _, signal = name.partition(".")
        reading = self._readings.get(device, {}).get(signal, UNREAD)
        if reading.quality is Quality.GOOD and device in self.marks:
            quality, why = self.marks[device]
            return reading._replace(quality=quality, why=why)
        age = asyncio.get_running_loop().time() - reading.at
        if reading.quality is Quality.GOOD and age > self.stale_after_s(device, signal):
            return reading._replace(quality=Quality.STALE, why=f"{age:.0f} s old")
        return reading

    def stale_after_s(self, device: str, signal: str = "") -> float:
        """Age at which a value of `device` is no longer good; of one signal where that comes more seldom."""
        period_s = self._periods.get(device, 1.0)
        return STALE_PERIODS * max(period_s, self._seldom.get(device, {}).get(signal, 0.0))

    def all(self) -> dict[str, Reading]:
        names = [f"{device}.{signal}" for device, known in self._readings.items() for signal in known]
        return {name: self.get(name) for name in names}
