"""Every reading goes into history as it came, with its quality; text signals stay out."""

from __future__ import annotations

from collections.abc import Mapping

from controller.clock import Clock
from controller.latest import Latest
from controller.store.history import History
from drivers.core.signals import Reading


class Recorder:
    """Listens to every poll for as long as the history is open."""

    def __init__(self, latest: Latest, history: History, clock: Clock) -> None:
        self._add, self._offset_s = history.add, clock.offset_s
        self._names: dict[str, dict[str, str]] = {}
        latest.listen(self._hear)

    def _hear(self, device: str, readings: Mapping[str, Reading]) -> None:
        names = self._names.get(device)
        if names is None:
            names = self._names.setdefault(device, {})
        for signal, (value, at, quality, _) in readings.items():
            if isinstance(value, str):
                continue
            name = names.get(signal)
            if name is None:
                name = names[signal] = f"{device}.{signal}"
            self._add(name, at + self._offset_s, None if value is None else float(value), quality)
