"""Talking to one pump: where its registers begin, which word comes first, and what a silence of ours did to it."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple, TypeVar

from drivers.core import registers
from drivers.core.errors import BadFrame, NoAnswer, Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.modbus_talk import ModbusTalk, Question, question
from drivers.core.registers import SWAPPED, Row, Table
from drivers.core.signals import Value
from drivers.core.wire import modbus

T = TypeVar("T")

HIGH_FIRST, LOW_FIRST = bytes.fromhex("AABBCCDD"), bytes.fromhex("CCDDAABB")
REFUSED_FOR_SURE = ("01", "02", "03")
"""Exceptions of a command that was not carried out; any other leaves it open."""
NEARLY = 0.8
"""Of the pump's time-out: from then on it may have heard nothing for long enough."""


LOOK = ((1000, 8), (1200, 1), (1018, 6), (1026, 12), (1040, 4))
"""Start and count of the exchanges of a look, all of different lengths: nothing has to be asked between them."""


class Look(NamedTuple):
    """What one look at the pump shows; volumes mL, rates mL/min."""

    status: int
    errors: int
    warnings: int
    rate: float
    most: float
    mode: int
    sub_mode: int
    power_ups: int
    revolutions: int
    total_ml: float
    remaining_ml: float
    run: int


class Conversation:
    """One pump's side of the line."""

    def __init__(self, line: Line, address: int, table: Table, timeout_s: float, quiet_s: float) -> None:
        self.line, self.address, self.table = line, address, table
        self._talk = ModbusTalk(line, address, self._others, timeout_s=timeout_s, quiet_s=quiet_s, retries=0)
        self.offset = 0
        self.low_word_first = False
        self.watchdog_s = 0.0
        """The pump's Modbus time-out, 0 = none or not known yet."""
        self.replies_missed = 0
        self._heard_at = float("-inf")
        self._dialled = -1

    # -- what the sheet leaves open

    async def find_order(self) -> None:
        """Look for the constant at 63, one register lower or higher, in either order; raises WrongDevice without it."""
        for start, count in ((62, 4), (63, 2), (62, 2), (64, 2)):
            try:
                data = await self.registers(start, count)
            except Refused:
                continue
            for order in (HIGH_FIRST, LOW_FIRST):
                if (at := data.find(order)) >= 0 and at % 2 == 0:
                    self.offset = start + at // 2 - 63
                    self.low_word_first = order is LOW_FIRST
                    return
        raise WrongDevice(f"{self.line.name} address {self.address}: no constant AABBCCDD near register 63: no DFXa")

    # -- silence

    def silent_too_long(self) -> bool:
        """Whether the pump may have stopped for our silence: the next question would start it up again (M)."""
        if self._dialled != self.line.dialled or not self.line.link.is_open:
            return True
        silence = asyncio.get_running_loop().time() - self._heard_at
        return self.watchdog_s > 0 and silence > NEARLY * self.watchdog_s

    def forget(self) -> None:
        """Take the pump for one that has not heard us for too long."""
        self._dialled = -1

    # -- exchanges

    async def look(self) -> Look:
        """Five exchanges; raises BadFrame for no numbers."""
        first, run, second, third, fourth = [await self.registers(start, count) for start, count in LOOK]
        at = self._at
        found = Look(
            int(at(first, "status", 1000)), int(at(first, "errors", 1000)), int(at(first, "warnings", 1000)),
            at(second, "dosing_rate", 1018), at(second, "maximum_rate", 1018),
            int(at(second, "mode", 1018)), int(at(second, "sub_mode", 1018)),
            int(at(third, "power_ups", 1026)), int(at(third, "revolutions", 1026)),
            at(third, "delivered_volume", 1026), at(fourth, "remaining_volume", 1040), int(at(run, "run", 1200)),
        )  # fmt: skip
        if found.mode >= 5 or not all(0 <= value < 1e12 for value in (found.rate, found.most, found.total_ml)):
            raise BadFrame(f"pump {self.address}: {found} makes no sense")
        if not -1e-3 <= found.remaining_ml < 1e12:
            raise BadFrame(f"pump {self.address}: {found.remaining_ml} mL remaining makes no sense")
        return found

    async def value(self, name: str) -> Value:
        """One register by name; raises WireError."""
        row = self.table[name]
        return registers.decode(self._as_here(row), await self.registers(row.address, row.length))

    async def put(self, name: str, value: float, retries: int = 0) -> None:
        """Write one register by name. `retries` only for what may be done twice; raises Refused, WireError."""
        row = self.table[name]
        data, wire = registers.encode(self._as_here(row), value), row.address + self.offset
        if len(data) == 2:
            request = modbus.write_one_request(self.address, wire, int.from_bytes(data, "big"))
        else:
            request = modbus.write_many_request(self.address, wire, data)
        await self._exchange(lambda: self._talk.tell(request), retries)

    async def ensure(self, name: str, value: float) -> float:
        """Make register `name` hold `value`, seen by read-back; written only when it differs. Returns what it holds."""
        wanted = registers.decode(self.table[name], registers.encode(self.table[name], value))
        if await self.value(name) != wanted:
            await self.put(name, value)
            if (found := await self.value(name)) != wanted:
                raise Refused("read-back", f"pump {self.address}: {name} is {found} after {value:g} was written")
        assert isinstance(wanted, (int, float))
        return wanted

    async def registers(self, start: int, count: int) -> bytes:
        asked = question(self.address, modbus.READ_HOLDING, start + self.offset, count)
        return await self._exchange(lambda: self._talk.ask(asked), 1)

    def _others(self) -> Iterator[Question]:
        for start, count in sorted(LOOK, key=lambda each: each[1]):
            yield question(self.address, modbus.READ_HOLDING, start + self.offset, count)

    async def _exchange(self, once: Callable[[], Awaitable[T]], retries: int) -> T:
        for left in range(retries, -1, -1):
            try:
                data = await once()
            except (NoAnswer, BadFrame):
                self.replies_missed += 1
                if not left:
                    raise
                continue
            except Refused:
                self._heard()
                raise
            self._heard()
            return data
        raise AssertionError("a loop over at least one try")

    def _heard(self) -> None:
        self._heard_at, self._dialled = asyncio.get_running_loop().time(), self.line.dialled

    def _as_here(self, row: Row) -> Row:
        if not self.low_word_first or row.length != 2 or row.type == "text":
            return row
        return Row(row.name, row.table, row.address, row.wire, row.length, row.type + SWAPPED, row.scale)

    def _at(self, data: bytes, name: str, start: int) -> float:
        row = self.table[name]
        at = 2 * (row.address - start)
        value = registers.decode(self._as_here(row), data[at : at + 2 * row.length])
        assert isinstance(value, (int, float))
        return value


def resolution_ml(total_ml: float) -> float:
    """The step of a single-precision litre at this total: about 1 mL at 10 000 L."""
    litres = struct.pack(">f", max(total_ml, 1e-3) / 1000)
    next_one = (int.from_bytes(litres, "big") + 1).to_bytes(4, "big")
    return 1000 * (struct.unpack(">f", next_one)[0] - struct.unpack(">f", litres)[0])
