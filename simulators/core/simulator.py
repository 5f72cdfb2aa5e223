"""A simulated device: bytes in, bytes out, no clock and no socket of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Opened:
    """The cable was plugged in, the port opened or the connection made."""


class Bytes(NamedTuple):
    """Bytes arrived from whoever is at the other end. (A tuple, as one is made in every exchange.)"""

    data: bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """The other end closed."""


Event = Opened | Bytes | Closed


class Send(NamedTuple):
    """Put `data` on the cable after `delay_s`."""

    delay_s: float
    data: bytes


class Close(NamedTuple):
    """Close the connection after `delay_s` (part of some protocols)."""

    delay_s: float
    gone_s: float = 0.0
    """The port itself is gone for so long: a fault."""
    moves: bool = False
    """It comes back under another name."""


Action = Send | Close


class Simulator(Protocol):
    """What a host (memory, pty, TCP, world) carries. `now` is bench time in seconds and never goes back."""

    @property
    def wake_at(self) -> float | None:
        """When `wake` must be called next, if ever; asked again after each call. An idle device costs nothing."""
        ...

    def receive(self, event: Event, now: float) -> list[Action]:
        """Take what came over the cable; say what goes back and when."""
        ...

    def wake(self, now: float) -> list[Action]:
        """Do what was due at `wake_at` (spontaneous output, end of a stroke)."""
        ...

    def power_cycle(self, now: float) -> list[Action]:
        """Lose power and come back at once: volatile memory gone, non-volatile kept."""
        ...

    def snapshot(self) -> dict[str, object]:
        """Everything that must survive a restart of the world, as JSON-able data."""
        ...

    def restore(self, saved: dict[str, object]) -> None:
        """Become what `snapshot` described."""
        ...
