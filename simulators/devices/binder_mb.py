"""BINDER MB1 and MB2 controllers seen from the cable: a register image over a chamber; sheet binder-cb-modbus.md.

Guesses where the sheet has a question mark: the layout of the identity block; set point limits (-40 to 180 °C, an
incubator 20 to 60 °C: X); count 0 or above 80 is exception 03 (X); basic mode falls back to idle after a minute; an
idle chamber drifts to 22 °C. CO2, O2 and humidity of a CB answer only at the registers of option `profile`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, cast

from drivers.core import registers
from drivers.core.registers import Row
from drivers.core.wire.modbus import READ_HOLDING, READ_INPUT, WRITE_MANY, WRITE_ONE, Request
from simulators.core.modbus import BUSY, ILLEGAL_ADDRESS, ILLEGAL_VALUE, ModbusError, ModbusUnit
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
            return registers.encode(row, true[name])

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


class BinderMb1(BinderMb):
    """The older controller."""

    readable = (range(0x002C), range(0x1000, 0x1A7E))
    """M: of the dumped MK 53."""

    def offer(self) -> None:
        block = b"10.03.05\0\0Binder\0\0" + b"26.10.12 15:21\0\0"
        self.value(0x0000, lambda now: block.ljust(88, b"\0"), count=44)
        self.value(0x11A9, lambda now: self.measured("cel", self.air(now).cel))
        self.value(0x11CD, lambda now: self.measured("rh", self.air(now).rh_percent))
        self.value(0x1077, lambda now: self.shown(0, now))
        self.value(0x1079, lambda now: self.shown(1, now))
        for channel, manual, basic in ((0, 0x1581, 0x156F), (1, 0x1583, 0x1571)):
            self.value(
                manual, lambda now, at=channel: low_word_first(self.state.manual[at]), self.setter("manual", channel)
            )
            self.value(
                basic, lambda now, at=channel: low_word_first(self.state.basic[at]), self.setter("basic", channel)
            )
        self.value(0x158B, lambda now: word(self.state.lines), self._take_lines, 1)
        self.value(0x1081, lambda now: word(self.state.lines), None, 1)
        self.value(0x1A22, lambda now: word(self._mode(now)), self._take_mode, 1)
        self.value(0x1A23, lambda now: word(self.state.program), self._take_program, 1)
        self.value(0x1007, lambda now: word(self.air(now).door_open), None, 1)
        self.value(0x123D, lambda now: word(self._too_hot(now)), None, 1)
        self.value(0x123E, lambda now: word(self.air(now).door_open), None, 1)
        self.value(0x10DB, lambda now: word(self._too_hot(now)), None, 1)
        self.value(0x10D4, lambda now: word(self._mode(now) != IDLE), None, 1)
        self.value(0x1228, self._text, None, 20)

    def active(self) -> list[float]:
        """In idle and basic mode the basic set points, in manual mode the manual ones."""
        return self.state.manual if self.state.mode == MANUAL else self.state.basic

    def working(self) -> bool:
        return self.state.mode != IDLE

    def _mode(self, now: float) -> int:
        if self.state.mode == BASIC and now >= self.state.basic_until:
            self.change(now, lambda: setattr(self.state, "mode", IDLE))
        return self.state.mode

    def _take_mode(self, data: bytes, now: float) -> None:
        asked = int.from_bytes(data, "big")
        if asked not in (BASIC, MANUAL, PROGRAM, IDLE):
            raise ModbusError(ILLEGAL_VALUE)
        self.state.basic_until = now + BASIC_LASTS_S
        self.change(now, lambda: setattr(self.state, "mode", asked))

    def _take_lines(self, data: bytes, now: float) -> None:
        if data[0]:
            raise ModbusError(ILLEGAL_VALUE)
        self.state.lines = data[1]

    def _take_program(self, data: bytes, now: float) -> None:
        self.state.program = int.from_bytes(data, "big")

    def _too_hot(self, now: float) -> bool:
        return self.air(now).cel > self.state.limit_cel

    def _text(self, now: float) -> bytes:
        text = LIMIT_TEXT if self._too_hot(now) else DOOR_TEXT if self.air(now).door_open else NO_TEXT
        return b"".join(word(ord(character)) for character in text)


class BinderMb2(BinderMb):
    """The touch-screen controller."""

    def offer(self) -> None:
        for register in (0x1004, 0x10D2):
            self.value(register, lambda now: self.measured("cel", self.air(now).cel))
        for register in (0x1006, 0x1008, 0x100C):
            self.value(register, lambda now: low_word_first(self.air(now).cel))
        for register in (0x100A, 0x10D6):
            self.value(register, lambda now: self.measured("rh", self.air(now).rh_percent))
        for channel, shown, manual in ((0, 0x10B2, 0x114C), (1, 0x10B4, 0x114E), (2, 0x10B6, 0x1150)):
            self.value(shown, lambda now, at=channel: self.shown(at, now))
            self.value(
                manual, lambda now, at=channel: low_word_first(self.state.manual[at]), self.setter("manual", channel)
            )
        self.value(0x1292, lambda now: word(self.state.contacts), None, 1)
        self.value(0x1158, lambda now: word(self.state.contacts), self._take_contacts, 1)
        self.value(0x10A4, lambda now: word(self.state.program), None, 1)
        self.value(0x10A5, lambda now: word(self.state.segment), None, 1)
        self.value(0x10A6, lambda now: self.state.elapsed_s.to_bytes(4, "big"))
        self.value(0x10A8, lambda now: self.state.remaining_s.to_bytes(4, "big"))
        self.value(0x134A, self._clock, None, 6)

    def active(self) -> list[float]:
        return self.state.manual

    def working(self) -> bool:
        return not self.state.contacts & IDLE_CONTACT

    def _take_contacts(self, data: bytes, now: float) -> None:
        if self.state.remaining_s:
            raise ModbusError(BUSY)  # ?
        asked = int.from_bytes(data, "big")
        if asked > 0x1FF:
            raise ModbusError(ILLEGAL_VALUE)
        self.state.contacts = asked
        self.hand_over(now)

    def _clock(self, now: float) -> bytes:
        """Stands still: bench seconds are no wall clock."""
        date, time = self.state.clock.split()
        return b"".join(word(int(part)) for part in (*date.split("-"), *time.split(":")))


class BinderCbMb1(BinderMb1):
    """CO2 incubator with the older controller: as MB1 (X), humidity only by profile."""

    limits = (20.0, 60.0)
    incubator = True

    def offer(self) -> None:
        super().offer()
        for register in (0x11CD, 0x1079, 0x1583, 0x1571):
            del self.blocks[register]


class BinderCbMb2(BinderMb2):
    """CO2 incubator with the touch-screen controller: as MB2 (X), humidity only by profile."""

    limits = (20.0, 60.0)
    incubator = True

    def offer(self) -> None:
        super().offer()
        for register in (0x100A, 0x10D6, 0x10B4, 0x114E):
            del self.blocks[register]
