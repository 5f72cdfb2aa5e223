"""ProMinent DFXa hose metering pump seen from the cable: registers over a tube; sheet prominent-dulcoflex-modbus.md.

Guesses where the sheet has a question mark: numbers are wire addresses and the high word comes first (options
`number_base`, `word_order`); a batch that was stopped goes on when the pump is made active again, and is dropped by
clearing the contact memory or with the power; a trigger is ignored when the pump is not active in batch mode; the total
outlives the power; register 1200 bit 1 tells that the time-out ran down; a stopped pump shows mode 0; ten
revolutions a litre. Function 0x17 is not built.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from drivers.core.wire.modbus import READ_HOLDING, WRITE_MANY, WRITE_ONE, Request
from simulators.core.modbus import ILLEGAL_VALUE, ModbusError, ModbusUnit
from simulators.core.simulator import Action
from simulators.core.surroundings import Tube

MANUAL, BATCH = 1, 3
GO = 0x5555
MOST_L_H = 65.0
LONGEST_MESSAGE = 200
"""Bytes at 19200 baud (M)."""
REVOLUTIONS_PER_L = 10.0
MOST_BATCH_L = 1000.0


@dataclass(slots=True)
class State:
    """The first block is kept without power. Litres, l/h, bench seconds."""

    total_l: float = 1.25
    deletable_l: float = 0.0
    revolutions: float = 12.5
    deletable_revolutions: float = 0.0
    power_ups: int = 7
    at_power_up: int = 0
    mode: int = MANUAL
    rate_l_h: float = 1.0
    batch_l: float = 0.1
    direction: int = 0
    timeout_ms: int = 5000
    run: int = 0

    remaining_l: float = 0.0
    errors: int = 0
    warnings: int = 0
    timed_out: bool = False
    heard_at: float | None = None
    turning_l_h: float = 0.0
    """As it turns now; < 0 counter-clockwise."""
    since: float = 0.0
    level_percent: int = 80


class ProminentDfxa(ModbusUnit):
    """Options: `number_base` (-1, 0, 1: wire address less number), `word_order` (high or low word first), `timeout_ms`,
    `batch_memory` (1 = a trigger in mid-batch adds), `edition` (1 = no direction register), `code`, `serial`,
    `characters` (plain or swapped), `clears` (0 = clearing the contact memory leaves the rest of a batch)."""

    functions = frozenset((READ_HOLDING, WRITE_ONE, WRITE_MANY))

    def __init__(
        self,
        tube: Tube,
        address: int = 20,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        """`seed` is taken for symmetry: this pump has no noise."""
        super().__init__(address or 20, baud=19200)
        options = options or {}
        self.tube = tube
        self.base = int(float(options.get("number_base", 0)))
        self.high_first = options.get("word_order", "high") == "high"
        self.batch_memory = bool(float(options.get("batch_memory", 0)))
        self.clears = bool(float(options.get("clears", 1)))
        self.swapped = options.get("characters", "plain") == "swapped"
        self.code = str(options.get("code", "DFXaE0PP0000A10"))
        self.serial = str(options.get("serial", f"{2000000 + self.address}"))
        self.state = State(timeout_ms=int(float(options.get("timeout_ms", 5000))))
        self._offer(bool(float(options.get("edition", 2)) >= 2))

    def _offer(self, newer: bool) -> None:
        u32, f32, u16 = self._u32, self._f32, self._u16
        u32(1, lambda now: 1234567)
        u16(3, lambda now: 2)
        self._text(4, 5, self.serial)
        self._text(9, 16, self.code)
        for number, value in ((50, 1), (51, 1), (52, self.address), (53, 2), (54, 1), (55, 8), (56, 0)):
            u16(number, lambda now, value=value: value)
        u16(61, lambda now: self.state.timeout_ms)
        u16(62, lambda now: 0)
        u32(63, lambda now: 0xAABBCCDD)
        u16(65, lambda now: 0)
        u32(1000, self._status)
        u32(1002, lambda now: self.state.errors)
        u32(1004, lambda now: 0)
        u32(1006, lambda now: self.state.warnings)
        f32(1018, lambda now: abs(self.state.turning_l_h))
        f32(1020, lambda now: MOST_L_H)
        u16(1022, lambda now: self.state.mode if self.state.run else 0)
        u16(1023, lambda now: 0)
        u32(1026, lambda now: self.state.power_ups)
        u32(1028, lambda now: 3600)
        u32(1030, lambda now: int(self.state.revolutions) & 0xFFFFFFFF)
        u32(1032, lambda now: int(self.state.deletable_revolutions), lambda value, now: self._clear(0, now))
        f32(1034, lambda now: self.state.total_l)
        f32(1036, lambda now: self.state.deletable_l, lambda value, now: self._clear(1, now))
        f32(1040, lambda now: self.state.remaining_l)
        f32(1042, lambda now: 0.0)
        u16(1046, lambda now: self.state.level_percent)
        u16(
            1200,
            lambda now: self.state.run | self.state.timed_out << 1,
            self._setter("run", 0, 3, lambda value: int(value) & 1),
        )
        f32(1211, lambda now: self.state.rate_l_h, self._setter("rate_l_h", 1e-6, MOST_L_H))
        f32(1215, lambda now: self.state.batch_l, self._setter("batch_l", 1e-6, MOST_BATCH_L))
        u16(1229, lambda now: self.state.mode, self._setter("mode", 0, 4, int))
        u16(1234, None, self._clear)
        u16(1235, None, self._trigger)
        u16(1236, None, self._acknowledge)
        if newer:
            u16(1237, lambda now: self.state.direction, self._setter("direction", 0, 1, int))
        u16(1400, lambda now: self.state.at_power_up, self._setter("at_power_up", 0, 2, int))

    # -- the Simulator seam

    @property
    def wake_at(self) -> float | None:
        """The end of the batch or of the time-out, whichever comes first; nothing while the pump stands."""
        s = self.state
        if not s.turning_l_h:
            return None
        due = min(self._batch_ends(), self._times_out())
        return None if due == math.inf else due

    def wake(self, now: float) -> list[Action]:
        self._advance(now)
        return []

    def power_cycle(self, now: float) -> list[Action]:
        self._advance(now)
        self.forget_received()
        s = self.state
        s.power_ups += 1
        s.run = (0, 1, s.run)[s.at_power_up]
        s.remaining_l, s.errors, s.warnings, s.timed_out, s.heard_at = 0.0, 0, 0, False, now
        self._drive(now)
        return []

    def snapshot(self) -> dict[str, object]:
        return asdict(self.state)

    def restore(self, saved: dict[str, object]) -> None:
        self.state = State(**cast("dict[str, Any]", saved))

    # -- what happens to it

    def fail(self, bit: int, now: float) -> None:
        """An error (bit of 1002): the pump stops."""
        self._advance(now)
        self.state.errors |= 1 << bit
        self._drive(now)

    # -- requests

    def answer(self, request: Request, now: float) -> bytes:
        """Any request of ours ends a time-out, and then the pump goes on by itself unless this one has stopped it."""
        if request.address != self.address:
            return b""
        s = self.state
        self._advance(now)
        s.heard_at, s.timed_out = now, False
        reply = super().answer(request, now)
        self._drive(now)
        return reply

    def read_span(self, start: int, count: int, now: float) -> bytes:
        if 2 * count + 5 > LONGEST_MESSAGE:
            raise ModbusError(ILLEGAL_VALUE)
        return super().read_span(start, count, now)

    def add(
        self,
        start: int,
        count: int,
        read: Callable[[float], bytes] | None,
        write: Callable[[bytes, float], None] | None = None,
        *,
        whole: bool = True,
    ) -> None:
        """Offer registers by the manual's number."""
        super().add(start + self.base, count, read, write, whole=whole)

    def _u16(
        self, number: int, read: Callable[[float], float] | None, write: Callable[[float, float], None] | None = None
    ) -> None:
        self.add(
            number,
            1,
            None if read is None else lambda now: int(read(now)).to_bytes(2, "big"),
            None if write is None else lambda data, now: write(int.from_bytes(data, "big"), now),
        )

    def _u32(
        self, number: int, read: Callable[[float], int], write: Callable[[float, float], None] | None = None
    ) -> None:
        self._long(number, "I", read, write)

    def _f32(
        self, number: int, read: Callable[[float], float], write: Callable[[float, float], None] | None = None
    ) -> None:
        self._long(number, "f", read, write)

    def _long(
        self, number: int, form: str, read: Callable[[float], float], write: Callable[[float, float], None] | None
    ) -> None:
        def ordered(data: bytes) -> bytes:
            return data if self.high_first else data[2:] + data[:2]

        self.add(
            number,
            2,
            lambda now: ordered(struct.pack(f">{form}", read(now))),
            None if write is None else lambda data, now: write(struct.unpack(f">{form}", ordered(data))[0], now),
        )

    def _text(self, number: int, count: int, text: str) -> None:
        data = text.encode("latin-1")[: 2 * count].ljust(2 * count, b"\0")
        if self.swapped:
            data = bytes(data[at ^ 1] for at in range(len(data)))
        self.add(number, count, lambda now: data)

    def _setter(
        self, name: str, low: float, high: float, form: Callable[[float], float] = float
    ) -> Callable[[float, float], None]:
        def write(value: float, now: float) -> None:
            if not low <= value <= high:
                raise ModbusError(ILLEGAL_VALUE)
            setattr(self.state, name, form(value))

        return write

    def _status(self, now: float) -> int:
        s = self.state
        bits = (s.errors != 0) << 5 | (s.warnings != 0) << 6 | self.batch_memory << 14
        if not s.run:
            return bits | 1 << 8
        return bits | (s.turning_l_h != 0) | (not s.errors) << 1 | s.mode << 2

    def _clear(self, what: float, now: float) -> None:
        s = self.state
        if what not in (0, 1, 2, 3):
            raise ModbusError(ILLEGAL_VALUE)
        if what in (0, 3):
            s.deletable_revolutions = 0.0
        if what in (1, 3):
            s.deletable_l = 0.0
        if what in (2, 3) and self.clears:
            s.remaining_l = 0.0

    def _trigger(self, value: float, now: float) -> None:
        s = self.state
        if value != GO:
            raise ModbusError(ILLEGAL_VALUE)
        if s.run and s.mode == BATCH:
            s.remaining_l = s.remaining_l + s.batch_l if self.batch_memory else s.batch_l

    def _acknowledge(self, value: float, now: float) -> None:
        if value != GO:
            raise ModbusError(ILLEGAL_VALUE)
        self.state.errors = 0

    # -- motion

    def _times_out(self) -> float:
        s = self.state
        if not s.timeout_ms or s.heard_at is None or s.timed_out:
            return math.inf
        return s.heard_at + s.timeout_ms / 1000

    def _batch_ends(self) -> float:
        s = self.state
        if not s.turning_l_h or s.mode != BATCH:
            return math.inf
        return s.since + 3600 * s.remaining_l / abs(s.turning_l_h)

    def _advance(self, now: float) -> None:
        """Count what was pumped until now, through the end of a batch or of the time-out."""
        s = self.state
        while True:
            ends, silent = self._batch_ends(), self._times_out()
            at = min(now, ends, silent)
            self._count(at, done=at >= ends)
            if at >= silent:
                s.timed_out = True
            if at >= now or (at < ends and at < silent):
                self._drive(now)
                return
            self._drive(at)

    def _count(self, at: float, done: bool) -> None:
        s = self.state
        moved = abs(s.turning_l_h) * max(0.0, at - s.since) / 3600
        if s.turning_l_h and s.mode == BATCH:
            moved = s.remaining_l if done else min(moved, s.remaining_l)
            s.remaining_l -= moved
        s.since = max(s.since, at)
        s.total_l += moved
        s.deletable_l += moved
        s.revolutions += REVOLUTIONS_PER_L * moved
        s.deletable_revolutions += REVOLUTIONS_PER_L * moved

    def _drive(self, at: float) -> None:
        """Turn as the registers say, from now on."""
        s = self.state
        wants = s.mode == MANUAL or (s.mode == BATCH and s.remaining_l > 0)
        turns = bool(s.run) and not s.timed_out and not s.errors and wants
        l_h = (-s.rate_l_h if s.direction else s.rate_l_h) if turns else 0.0
        if l_h == s.turning_l_h and (not l_h or s.mode != BATCH):
            return
        s.turning_l_h, s.since = l_h, at
        if l_h:
            self.tube.run(at, l_h * 1000 / 60, self._batch_ends())
        else:
            self.tube.halt(at)
