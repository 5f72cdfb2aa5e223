"""What a device can say: a signal's specification, a reading, an identity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

Value = float | str | bool | None


class Quality(StrEnum):
    """How far a reading may be trusted. Nothing computes on a reading that is not GOOD."""

    GOOD = "good"
    STALE = "stale"
    BAD = "bad"
    MANUAL = "manual"
    SUBSTITUTED = "substituted"


class Access(StrEnum):
    """What may be done with a signal from our side."""

    READ = "r"
    READ_WRITE = "rw"
    WRITE = "w"


@dataclass(frozen=True, slots=True)
class SignalSpec:
    """One signal of a device: UCUM unit ("" for text and flags), access, and the device's own limits in that unit."""

    name: str
    unit: str
    access: Access = Access.READ
    low: float | None = None
    high: float | None = None
    note: str = ""
    step: float | None = None
    """Smallest change the device takes, in the signal's unit; None = not known, about one in a thousand."""

    @property
    def writable(self) -> bool:
        return self.access is not Access.READ


class Reading(NamedTuple):
    """One value with the loop time (s) at which it arrived, its quality, and why it is not good when it is not.

    A tuple, not a dataclass: ten of them are made in every poll of every device.
    """

    value: Value
    at: float
    quality: Quality
    why: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answered. Empty text where the device does not tell."""

    maker: str
    type: str
    serial: str = ""
    firmware: str = ""
