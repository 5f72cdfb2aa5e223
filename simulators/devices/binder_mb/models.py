"""The two controllers, on a chamber and on a CO2 incubator."""

from __future__ import annotations

from simulators.core.modbus import ILLEGAL_VALUE, ModbusError
from simulators.devices.binder_mb.image import (
    BASIC,
    BASIC_LASTS_S,
    DOOR_TEXT,
    IDLE,
    IDLE_CONTACT,
    LIMIT_TEXT,
    MANUAL,
    NO_TEXT,
    PROGRAM,
    BinderMb,
    low_word_first,
    word,
)


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
            raise ModbusError(self.denied)  # the sheet names no other code that says no (?)
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
