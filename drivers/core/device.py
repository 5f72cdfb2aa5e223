"""A device is a class body of signals bound to a table row and a line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import ClassVar, TypeVar, overload

from drivers.core.calibration import CalibrationPoint
from drivers.core.errors import OutOfRange, Refused, WireError
from drivers.core.line import Line
from drivers.core.registers import Table
from drivers.core.seldom import Seldom
from drivers.core.signals import Identity, Quality, Reading, SignalSpec, Value

T = TypeVar("T")


class LinkLoss(Enum):
    """What the device does by itself when its cable is out (safety-and-records EQ-01)."""

    KEEPS_SETPOINTS = "keeps its set points"
    STOPS_AFTER_WATCHDOG = "stops after its watchdog time"
    FINISHES_BOUNDED_MOVE = "finishes its bounded move"
    ONLY_MEASURES = "only measures"


NOBODY = -1
"""`Device.vouched` while it is not known who answers."""

_SPECS: dict[type, dict[str, SignalSpec]] = {}
"""What `Device.specs` has already built."""


class Signal:
    """Declares one signal in a device's class body; its name is the attribute's name, its facts are the table's."""

    name: str

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, device: None, owner: type[Device]) -> Signal: ...
    @overload
    def __get__(self, device: Device, owner: type[Device]) -> BoundSignal: ...
    def __get__(self, device: Device | None, owner: type[Device]) -> Signal | BoundSignal:
        return self if device is None else BoundSignal(device, self.name)


class BoundSignal:
    """One signal of one connected device."""

    def __init__(self, device: Device, name: str) -> None:
        self.device = device
        self.spec = device.specs()[name]

    async def read(self) -> Reading:
        """Read now; raises WireError. A text where a number belongs is a BAD reading, not an error."""
        return await self.device.read(self.spec.name)

    async def set(self, value: Value) -> Reading:
        """Write one set point within the device's limits and read it back; raises OutOfRange, Refused, WireError."""
        return await self.device.write(self.spec.name, value)


class Device:
    """What every driver is. Subclasses declare signals and say how one exchange looks."""

    model: ClassVar[str]
    maker: ClassVar[str]
    kind: ClassVar[str]
    """One of the words of `osteon device list`: incubator, probe, pump, balance …"""
    default_url: ClassVar[str]
    """Link settings of the datasheet, e.g. serial:///dev/ttyUSB0?baud=19200&parity=N&stopbits=2"""
    on_link_loss: ClassVar[LinkLoss]
    safe_state: ClassVar[str]
    """What "safe" means for this device, in words a person can check."""
    watchdog: ClassVar[str] = "none"
    verified: ClassVar[str | None] = None
    """Where and when this driver ran on hardware; None = not yet."""
    evidence: ClassVar[str] = ""
    """Tags of the golden exchanges, each letter once, as the family's datasheet defines them; held to by a test."""
    checksum: ClassVar[bool] = False
    """Every reply with a value carries a check sum; without one a flipped digit is another number, and nobody knows."""
    shows_cuts: ClassVar[bool] = True
    """What is left of a reply and a second copy behind it are never taken for one reply with a longer number, thanks to
    a check sum, a fixed width, or another form."""
    answer_s: ClassVar[float] = 0.15
    """How soon it has answered `identify`, for `device find`: that asks every model on every port."""
    asked_twice: ClassVar[bool] = False
    """`device find` asks again after silence, and later than others: the device may have read the first question behind
    the rest of another language's, and says nothing to what it does not understand."""
    not_sought: ClassVar[str] = ""
    """Why `osteon device find` does not ask for this model; "" = its `identify` is a harmless question everywhere."""
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {}
    """What `calibrate` can do, by the name of the point."""
    timeout_s: ClassVar[float] = 2.0
    quiet_s: ClassVar[float] = 0.0
    """Silence the bus needs between two exchanges."""
    default_address: ClassVar[int] = 0
    """Factory setting of the datasheet."""
    option_names: ClassVar[tuple[str, ...]] = ()
    """What `options` may have: settings that the device cannot be asked for."""
    seldom: ClassVar[Mapping[str, float]] = {}
    """Signals that hardly move, and every how many seconds a poll brings them; the others come with every poll. All
    come after `prepare` and after something was set."""
    table: ClassVar[Table]
    """The family's table; a row for every declared signal."""
    vouched: int | None = None
    """`line.dialled` when whoever keeps it last asked who it is; NOBODY = not asked yet; None = nobody keeps it."""

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for an option this model does not have."""
        self.line = line
        self.address = address
        self.options: Mapping[str, float | str] = options or {}
        self.turns = Seldom(type(self).seldom)
        for name in self.options:
            if name not in self.option_names:
                known = ", ".join(self.option_names) or "none"
                raise ValueError(f"{self.model} has no option {name!r}; there is {known}")

    @classmethod
    def declared(cls) -> list[str]:
        """The signals of the class body by name, in declaration order."""
        found = (name for owner in reversed(cls.__mro__) for name, it in vars(owner).items() if isinstance(it, Signal))
        return list(dict.fromkeys(found))

    @classmethod
    def specs(cls) -> dict[str, SignalSpec]:
        """Every declared signal by name, in declaration order; built from the family's table on first use."""
        found = _SPECS.get(cls)
        if found is None:
            found = _SPECS[cls] = {name: cls.table[name].spec for name in cls.declared()}
        return found

    def as_identified(self) -> AbstractContextManager[None]:
        """What is written within reaches the device that was identified or none; raises LinkLost then (EQ-05)."""
        return nullcontext() if self.vouched is None else self.line.as_dialled(self.vouched)

    async def identify(self) -> Identity:
        """Ask who answers; raises WrongDevice when it is not this model."""
        raise NotImplementedError

    async def prepare(self) -> None:
        """Bring a freshly connected device into the declared state (watchdog set and read back); may be repeated."""

    async def read(self, name: str) -> Reading:
        raise NotImplementedError

    async def write(self, name: str, value: Value) -> Reading:
        raise NotImplementedError

    async def calibration(self) -> Mapping[str, float]:
        """What the device says it was taught (slope, offset …), by name with its unit; {} where it does not tell."""
        return {}

    async def calibrate(self, point: str, reference: float | None = None) -> Mapping[str, float]:
        """Carry out one of `calibration_points` by the device's own procedure, and return `calibration` afterwards.

        `reference` is in the point's unit. Raises OutOfRange, Refused (the device did not take it), WireError.
        """
        raise Refused("no procedure", f"{self.model} has no calibration {point!r} of its own")

    async def poll(self) -> dict[str, Reading]:
        """Read every readable signal whose turn it is in as few exchanges as the wire allows; one silent signal is one
        BAD reading."""
        readings: dict[str, Reading] = {}
        specs = self.specs()
        for name in self.turns.due(specs):
            if specs[name].access.value.startswith("r"):
                try:
                    readings[name] = await self.read(name)
                except WireError as error:
                    readings[name] = self.bad(str(error))
        self.turns.took(readings)
        return readings

    async def certain(self, asking: Callable[[], Awaitable[T]]) -> T:
        """What `asking` brings, and surely as its answer: `Line.certain`."""
        return await self.line.certain(asking, self.timeout_s)

    def good(self, value: Value) -> Reading:
        return Reading(value, asyncio.get_running_loop().time(), Quality.GOOD)

    def bad(self, why: str) -> Reading:
        return Reading(None, asyncio.get_running_loop().time(), Quality.BAD, why)

    def check_limits(self, name: str, value: float) -> None:
        """Raise OutOfRange when `value` is outside the limits the table gives for signal `name`."""
        spec = self.specs()[name]
        if (spec.low is not None and value < spec.low) or (spec.high is not None and value > spec.high):
            raise OutOfRange(name, value, spec.unit, spec.low, spec.high, f"the datasheet of {self.model}")
