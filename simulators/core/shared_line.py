"""Several devices on one cable: each hears every byte and answers only what is for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from simulators.core.simulator import Action, Event, Simulator


class SharedLine:
    """A Simulator made of simulators, by device name; they must have different addresses."""

    def __init__(self, devices: Mapping[str, Simulator]) -> None:
        self.devices: dict[str, Simulator] = {}
        self._all: list[Simulator] = []
        for name, device in devices.items():
            self.add(name, device)

    def add(self, name: str, device: Simulator) -> None:
        """Connect `device`, in place of an earlier one of that name."""
        self.devices[name] = device
        self._all = list(self.devices.values())

    @property
    def wake_at(self) -> float | None:
        first = None
        for device in self._all:
            at = device.wake_at
            if at is not None and (first is None or at < first):
                first = at
        return first

    def receive(self, event: Event, now: float) -> list[Action]:
        actions: list[Action] = []
        for device in self._all:
            actions += device.receive(event, now)
        return actions

    def wake(self, now: float) -> list[Action]:
        actions: list[Action] = []
        for device in self._all:
            at = device.wake_at
            if at is not None and at <= now:
                actions += device.wake(now)
        return actions

    def power_cycle(self, now: float) -> list[Action]:
        """Everything on the cable loses power; for one device see `power_cycle_one`."""
        return [action for device in self._all for action in device.power_cycle(now)]

    def power_cycle_one(self, name: str, now: float) -> list[Action]:
        return self.devices[name].power_cycle(now)

    def snapshot(self) -> dict[str, object]:
        return {name: device.snapshot() for name, device in self.devices.items()}

    def restore(self, saved: dict[str, object]) -> None:
        for name, device in self.devices.items():
            device.restore(cast("dict[str, object]", saved[name]))
