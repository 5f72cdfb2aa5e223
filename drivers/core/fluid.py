"""Devices that move fluid: only by commands the device itself bounds, proved by a counter of its own (EQ-02, DS-04)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from drivers.core.device import Device
from drivers.core.errors import Refused


class Direction(StrEnum):
    """Of the plunger: DRAW pulls fluid into the pump, DELIVER pushes it out."""

    DRAW = "draw"
    DELIVER = "deliver"


class Motion(StrEnum):
    STOPPED = "stopped"
    PAUSED = "paused"
    """Stopped in mid-move: the next start would resume it. Not safe; stop again."""
    MOVING = "moving"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class MoverStatus:
    motion: Motion
    alarm: str = ""
    """The device's own alarm in words, latched by the driver until the next `prepare`; "" = none."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The device's running counters (mL), and the smallest step they can show (mL)."""

    drawn_ml: float
    delivered_ml: float
    resolution_ml: float

    def of(self, direction: Direction) -> float:
        return self.drawn_ml if direction is Direction.DRAW else self.delivered_ml


class Use(StrEnum):
    """What a pump is there for on this bench (option `use`); it refuses the other."""

    DOSE = "dose"
    RECIRCULATE = "recirculate"
    """A closed loop without net volume: a stopped bed is anoxic in minutes, so on loss of the link the flow stays."""


def never() -> bool:
    """Nothing stands against it."""
    return False


class FluidMover(Device):
    """A pump whose moves are bounded by the pump. Fluid moves by `start`, and in a closed loop by `recirculate`."""

    bounded: ClassVar[bool] = True
    """False = the device can only run and stop (EQ-02): it is never started for a dose."""
    through: ClassVar[bool] = False
    """True = fluid passes through it (a tube in a peristaltic head): one DELIVER stroke is a whole transfer. False = it
    holds the fluid in between (a syringe): a transfer is drawn, then delivered."""
    totals_survive_power_loss: ClassVar[bool] = False
    """Whether the counters themselves prove continuity (DS-06)."""
    continuity: ClassVar[str]
    """How continuity of the counters is proved, in words, with the datasheet's evidence tag."""
    fence_quiet_s: ClassVar[float] = 2.0
    """Longer than any byte of ours can still be on its way (DS-02)."""
    fence_why: ClassVar[str]
    capacity_ml: float
    """Largest single stroke."""

    @property
    def use(self) -> Use:
        """What it is there for; a driver that can recirculate has `use` among its `option_names`."""
        return Use(str(self.options.get("use", Use.DOSE)))

    @property
    def stops_after_s(self) -> float | None:
        """Time without us after which the device itself stops, as set by `prepare`; None = it has no such time."""
        return None

    @property
    def keeps_turning(self) -> bool:
        """Whether nothing but a person stops it: it keeps a closed loop alive."""
        return self.use is Use.RECIRCULATE

    @property
    def alarms_met(self) -> int:
        """Alarms this driver has met since it was made. Never goes back, unlike the latch that `prepare` clears:
        a stroke during which it grew was not watched without a break."""
        raise NotImplementedError

    @property
    def replies_missed(self) -> int:
        """Replies of this device that were lost or broken since this driver was made. Never goes back: any of them may
        have been the only news of an alarm, so a stroke during which it grew was not watched without a break."""
        raise NotImplementedError

    async def status(self) -> MoverStatus:
        """What the device says it does now; latches and acknowledges a device alarm. Raises WireError."""
        raise NotImplementedError

    async def totals(self) -> Totals:
        """Read the running counters; raises WireError."""
        raise NotImplementedError

    async def start(
        self, direction: Direction, volume_ml: float, rate_ml_min: float, *, unless: Callable[[], bool] = never
    ) -> None:
        """Program one bounded stroke, read the programme back, start it once.

        `unless` is asked when all is written and only the starting command is left: True = it is not sent (DX-06).
        Raises OutOfRange or Refused when nothing moved for sure; any other WireError means the outcome is unknown.
        Never repeats the starting command.
        """
        raise NotImplementedError

    async def stop(self) -> None:
        """Stop until the device reports STOPPED (not paused); may be repeated.

        Raises WireError when it cannot be confirmed.
        """
        raise NotImplementedError

    async def recirculate(
        self, direction: Direction, rate_ml_min: float, *, unless: Callable[[], bool] = never
    ) -> None:
        """Turn on and on at this rate in a closed loop, seen by read-back; `stop` ends it.

        Only with option `use = "recirculate"`. Raises OutOfRange, Refused, WireError.
        """
        raise Refused("no loop", f"{self.model} is not made to recirculate")
