"""What both controllers share: the image of registers, BINDER's own rules of the wire, the chamber behind it."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, cast

from drivers.core import registers
from drivers.core.registers import Row
from drivers.core.wire.modbus import READ_HOLDING, READ_INPUT, WRITE_MANY, WRITE_ONE, Request
from simulators.core.modbus import ILLEGAL_ADDRESS, ILLEGAL_VALUE, ModbusError, ModbusUnit
from simulators.core.noise import noise
from simulators.core.simulator import Action, Event
from simulators.core.surroundings import Air, Chamber

MOST_WORDS = 80
BASIC, MANUAL, PROGRAM, IDLE = 0x1000, 0x0800, 0x0400, 0x0000
IDLE_CONTACT = 0x002
ROOM_CEL, ROOM_CO2 = 22.0, 0.04
BASIC_LASTS_S = 60.0
NOISE = {"cel": 0.02, "rh": 0.2, "co2": 0.02, "o2": 0.03}
"""Standard deviations when a seed is given; ours."""
NO_TEXT, DOOR_TEXT, LIMIT_TEXT = " " * 20, "     DOOR OPEN      ", "TEMPERATURE LIMIT   "


@dataclass(slots=True)
class State:
    """All of it is kept without power (X). Temperatures in °C, the rest in %; `shown` is what 1077 or 10B2 still says
    until `settles_at`."""

    manual: list[float] = field(default_factory=lambda: [37.0, 90.0, 100.0])
    """Temperature, humidity, fan."""
    basic: list[float] = field(default_factory=lambda: [37.0, 90.0, 100.0])
    shown: list[float] = field(default_factory=lambda: [37.0, 90.0, 100.0])
    settles_at: float = 0.0
    mode: int = MANUAL
    basic_until: float = 0.0
    lines: int = 0
    contacts: int = 0
    """Of the MB2's manual mode."""
    elapsed_s: int = 0
    remaining_s: int = 0
    program: int = 0
    segment: int = 0
    limit_cel: float = 200.0
    """Of the independent limiter at the panel."""
    profile: dict[str, float] = field(
        default_factory=lambda: {"co2_setpoint": 5.0, "o2_setpoint": 20.9, "humidity_setpoint": 90.0}
    )
    clock: str = "2026-11-24 02:45:00"
    draws: int = 0


def low_word_first(value: float) -> bytes:
    data = struct.pack(">f", value)
    return data[2:] + data[:2]


def number(data: bytes) -> float:
    return struct.unpack(">f", data[2:] + data[:2])[0]


def word(value: float) -> bytes:
    return int(value).to_bytes(2, "big")


class BinderMb(ModbusUnit):
    """What both controllers share.

    Options: `apply_s` (until a written set point is shown, 0 to 2), `denied` (exception of a write to what can only be
    read: 5 or 8), `profile` (of a CB: the file the driver takes).
    """

    functions = frozenset((READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY))
    limits: ClassVar[tuple[float, float]] = (-40.0, 180.0)
    incubator: ClassVar[bool] = False
    readable: ClassVar[tuple[range, ...]] = ()
    """Where registers that mean nothing here read as 0; elsewhere they are exception 02."""

    def __init__(
        self,
        chamber: Chamber,
        address: int = 1,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(address or 1, baud=9600, processing_s=0.02)
        options = options or {}
        self.chamber, self.seed = chamber, seed
        self.apply_s = float(options.get("apply_s", 0.5))
        self.denied = int(float(options.get("denied", 5)))
        self.state = State()
        self._handed_over = False
        self.offer()
        if self.incubator and (path := str(options.get("profile", ""))):
            for row in registers.parse(Path(path).read_text("utf-8"), path, counts_from=0).values():
                self._offer_profile(row)

    def offer(self) -> None:
        """Put the image together."""
        raise NotImplementedError

    # -- the Simulator seam

    @property
    def wake_at(self) -> float | None:
        return None

    def wake(self, now: float) -> list[Action]:
        return []

    def receive(self, event: Event, now: float) -> list[Action]:
        if not self._handed_over:
            self.hand_over(now)
        return super().receive(event, now)

    def power_cycle(self, now: float) -> list[Action]:
        self.forget_received()
        self.hand_over(now)
        return []

    def snapshot(self) -> dict[str, object]:
        return asdict(self.state)

    def restore(self, saved: dict[str, object]) -> None:
        self.state = State(**cast("dict[str, Any]", saved))
        self._handed_over = False

    # -- BINDER's own rules of the wire

    def answer(self, request: Request, now: float) -> bytes:
        return b"" if request.address == 0 else super().answer(request, now)

    def read_span(self, start: int, count: int, now: float) -> bytes:
        if not 1 <= count <= MOST_WORDS:
            raise ModbusError(ILLEGAL_VALUE)
        data = bytearray()
        while len(data) < 2 * count:
            at = start + len(data) // 2
            block = next(
                (block for block in self.blocks.values() if block.start <= at < block.start + block.count), None
            )
            if block is not None and block.read is not None:
                data += block.read(now)[2 * (at - block.start) :]
            elif any(at in readable for readable in self.readable):
                data += b"\0\0"
            else:
                raise ModbusError(ILLEGAL_ADDRESS)
        return bytes(data[: 2 * count])

    def write_span(self, start: int, data: bytes, now: float) -> None:
        if not 1 <= len(data) // 2 <= MOST_WORDS:
            raise ModbusError(ILLEGAL_VALUE)
        for register in range(start, start + len(data) // 2):
            for block in self.blocks.values():
                if block.start <= register < block.start + block.count and block.write is None:
                    raise ModbusError(self.denied)
        super().write_span(start, data, now)

    def value(self, register: int, read: Callable[[float], bytes], write: Callable[[bytes, float], None] | None = None,
              count: int = 2) -> None:  # fmt: skip
        self.add(register, count, read, write, whole=False)

    # -- what is measured and what is set

    def air(self, now: float) -> Air:
        return self.chamber.air(now)

    def measured(self, quantity: str, true: float) -> bytes:
        if self.seed is not None:
            self.state.draws += 1
            true += NOISE[quantity] * noise(self.seed, self.state.draws)
        return low_word_first(true)

    def active(self) -> list[float]:
        """The set points in force."""
        raise NotImplementedError

    def working(self) -> bool:
        raise NotImplementedError

    def shown(self, channel: int, now: float) -> bytes:
        return low_word_first(self.state.shown[channel] if now < self.state.settles_at else self.active()[channel])

    def change(self, now: float, act: Callable[[], None]) -> None:
        """Do `act`; what is shown follows after `apply_s`, the chamber at once."""
        s = self.state
        before = list(s.shown) if now < s.settles_at else list(self.active())
        act()
        s.shown, s.settles_at = before, now + self.apply_s
        self.hand_over(now)

    def setter(self, points: str, channel: int) -> Callable[[bytes, float], None]:
        """Take a float for one channel of `manual` or `basic`, within its limits."""
        low, high = self.limits if channel == 0 else (0.0, 100.0)

        def write(data: bytes, now: float) -> None:
            asked = number(data)
            if not low <= asked <= high:
                raise ModbusError(ILLEGAL_VALUE)
            values = cast("list[float]", getattr(self.state, points))
            self.change(now, lambda: values.__setitem__(channel, asked))

        return write

    @property
    def panel(self) -> tuple[str, ...]:
        """What a person can set at the device."""
        return ("cel",)

    def set_at_panel(self, name: str, value: float, now: float) -> None:
        """A person sets `cel` at the device."""
        low, high = self.limits
        self.change(now, lambda: self.active().__setitem__(0, min(max(value, low), high)))

    def hand_over(self, now: float) -> None:
        """Give the chamber's loops what they are to hold; a chamber without gas control leaves the gas as it is."""
        self._handed_over = True
        co2 = self.state.profile["co2_setpoint"] if self.incubator else self.air(now).co2_percent
        if self.working():
            o2 = self.state.profile["o2_setpoint"] if self.incubator else 20.9
            self.chamber.set_points(now, self.active()[0], co2, o2 if o2 < 20.9 else None)
        else:
            self.chamber.set_points(now, ROOM_CEL, ROOM_CO2 if self.incubator else co2, None)

    def _offer_profile(self, row: Row) -> None:
        """A CB's own quantity where the owner of the maker's document says it is."""
        name = row.name

        def read(now: float) -> bytes:
            air = self.air(now)
            true = {"co2": air.co2_percent, "o2": air.o2_percent, "humidity": air.rh_percent, **self.state.profile}
            return registers.encode(row, 0.0 if math.isnan(true[name]) else true[name])  # a broken sensor's 0 is ours

        def write(data: bytes, now: float) -> None:
            asked = registers.decode(row, data)
            if not isinstance(asked, (int, float)) or not (row.low or 0.0) <= asked <= (row.high or 100.0):
                raise ModbusError(ILLEGAL_VALUE)
            self.state.profile[name] = float(asked)
            self.hand_over(now)

        places = [
            int(place, 16) if place.startswith("0x") else int(place) for place in row.extra.get("writes", "").split()
        ]
        for place in {row.wire, *places}:
            self.value(place, read, write if place in places else None, row.length)
