"""A device that speaks Modbus RTU: its signals are rows of its table, read in as few exchanges as the table allows."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Device
from drivers.core.errors import BadFrame, LinkLost, NoAnswer, Refused, WireError
from drivers.core.line import Line
from drivers.core.modbus_under_way import under_way
from drivers.core.registers import Row
from drivers.core.signals import Access, Quality, Reading, Value
from drivers.core.wire import modbus

FUNCTIONS = {"holding": modbus.READ_HOLDING, "input": modbus.READ_INPUT}
LATE = 2.0
"""A reply, or a copy of it, comes at most so many time-outs late (as `Line` has it)."""
TRIES = 3
"""Questions asked before an answer that may be another's is given up."""


@dataclass(frozen=True, slots=True)
class Block:
    """Registers read in one exchange, the rows in them, and the ready-made request with its parser."""

    start: int
    rows: tuple[Row, ...]
    request: bytes
    parse: Callable[[bytearray], bytes | None]
    head: bytes
    """How its reply begins: address, function, length. No register: see modbus_under_way."""
    refusal: bytes
    """How a no to it begins."""
    tells: Callable[[bytes], bool] | None = None
    """Whether these registers say by themselves (a unit) that they are this block's and not another's of its length."""


class ModbusDevice(Device):
    """Declare signals and a `table`; rows that lie close together are read as one block.

    Reads are repeated once after silence or a broken frame, writes never: they are read back instead.

    A late or doubled reply is never taken for the answer to another question (modbus_under_way): blocks of a poll are
    asked in an order in which no two of one length follow each other. Where that cannot be, something of another
    length is asked between the two.
    """

    default_address: ClassVar[int] = 1
    gap: ClassVar[int] = 0
    """Registers read in vain rather than asking twice (each costs 2 bytes, an exchange about 20). 0 = never, since most
    devices refuse a read that touches a register they do not have."""
    retries: ClassVar[int] = 1

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self._under_way = under_way(line, address)
        self._blocks: tuple[Block, ...] | None = None

    def blocks(self) -> tuple[Block, ...]:
        """The exchanges of one poll; made once a device, as they hold its address."""
        if self._blocks is None:
            self._blocks = tuple(self.block(*group) for group in apart(group_rows(self.rows_polled(), self.gap)))
        return self._blocks

    def rows_polled(self) -> list[Row]:
        """The rows that a poll reads: those of every readable signal."""
        table = type(self).table
        return [table[name] for name, spec in self.specs().items() if spec.access is not Access.WRITE]

    def block(self, start: int, count: int, rows: tuple[Row, ...]) -> Block:
        """One ready-made exchange that reads `count` registers from wire address `start`."""
        function = FUNCTIONS[rows[0].table]
        request = modbus.read_request(self.address, function, start, count)
        head, refusal = bytes((self.address, function, 2 * count)), bytes((self.address, function | modbus.FAILED))
        return Block(start, rows, request, modbus.reply_parser(request), head, refusal)

    async def read(self, name: str) -> Reading:
        block = next(block for block in self.blocks() if any(row.name == name for row in block.rows))
        return self.readings(block, await self.ask(block))[name]

    async def write(self, name: str, value: Value) -> Reading:
        """Write one row and read it back.

        Raises OutOfRange, Refused, WireError, and ValueError when the row cannot hold such a value.
        """
        row = type(self).table[name]
        if isinstance(value, (int, float)):
            self.check_limits(name, value)
        await self.write_row(row, value)
        return await self.read(name)

    async def write_row(self, row: Row, value: Value) -> None:
        """Write a row with function 6 (one register) or 16 (several); sent once."""
        data = registers.encode(row, value)
        if len(data) == 2:
            request = modbus.write_one_request(self.address, row.wire, int.from_bytes(data, "big"))
        else:
            request = modbus.write_many_request(self.address, row.wire, data)
        await self.tell(request)

    async def tell(self, request: bytes, timeout_s: float | None = None) -> None:
        """Send a request that writes, once, and wait for its confirmation; raises Refused, WireError."""
        timeout_s = timeout_s or self.timeout_s
        heads = request[:6], bytes((request[0], request[1] | modbus.FAILED))
        loop, late_s = asyncio.get_running_loop(), LATE * timeout_s
        try:
            await self.line.query(request, modbus.reply_parser(request), timeout_s=timeout_s, quiet_s=self.quiet_s)
        except Refused:
            self._under_way.came(heads[1], request, loop.time(), late_s)
            raise
        except WireError:
            self._under_way.missing(heads, request, loop.time(), late_s)
            raise
        self._under_way.came(heads[0], request, loop.time(), late_s)

    async def read_row(self, row: Row) -> Value:
        """Read one row of the table that is no signal (a serial number); raises WireError."""
        block = self.block(row.wire, row.length, (row,))
        return registers.decode(row, await self.ask(block))

    async def ask(self, block: Block) -> bytes:
        """What the registers of `block` hold, and certainly these; raises Refused, WireError."""
        time, late_s = asyncio.get_running_loop().time, LATE * self.timeout_s
        for _ in range(TRIES):
            if block.tells is None and self._under_way.could_mix(block.head, block.request, time()):
                await self._let_pass(block)
            try:
                data = await self.line.query(
                    block.request, block.parse, timeout_s=self.timeout_s, retries=self.retries, quiet_s=self.quiet_s
                )
            except Refused:
                if self._under_way.came(block.refusal, block.request, time(), late_s):
                    raise
                await self._let_pass(block)
                continue
            except WireError:
                self._under_way.missing((block.head, block.refusal), block.request, time(), late_s)
                raise
            if self._under_way.came(block.head, block.request, time(), late_s) or (
                block.tells is not None and block.tells(data)
            ):
                return data
        raise BadFrame(f"{self.line.name}: address {self.address}: answers come that nobody asked for: none is sure")

    async def _let_pass(self, block: Block) -> None:
        """Have what may be mixed up with the reply to `block` behind us: read something of another length, whose reply
        comes after it; where nothing else can be read, wait until it would be too late."""
        time, late_s = asyncio.get_running_loop().time, LATE * self.timeout_s
        for other in self._others(block):
            head = other.head
            if not self._under_way.is_new(head, time()):
                continue
            try:
                await self.line.query(
                    other.request, other.parse, timeout_s=self.timeout_s, retries=self.retries, quiet_s=self.quiet_s
                )
            except Refused:
                head = other.refusal
            except WireError:
                self._under_way.missing((head, other.refusal), other.request, time(), late_s)
                raise
            new = self._under_way.is_new(head, time())
            self._under_way.came(head, other.request, time(), late_s)
            if new:
                return
        self.line.doubt(late_s)
        self._under_way.passed()

    def _others(self, block: Block) -> Iterator[Block]:
        """What can be read and has another length, shortest first; signals before other rows of the table."""
        yield from sorted((each for each in self.blocks() if each.head != block.head), key=lambda each: each.head)
        for row in self.table:
            if row.table in FUNCTIONS and row.access is not Access.WRITE:
                other = self.block(*(row.block or (row.wire, row.length)), (row,))
                if other.head != block.head:
                    yield other

    async def poll(self) -> dict[str, Reading]:
        """Read every readable signal, one exchange a block; a block that fails is BAD readings.

        A device that is silent or out of reach is not asked for its other blocks: others share the line.
        """
        readings: dict[str, Reading] = {}
        gone: WireError | None = None
        for block in self.blocks():
            if gone is None:
                try:
                    readings |= self.readings(block, await self.ask(block))
                    continue
                except (NoAnswer, LinkLost) as error:
                    failure = gone = error
                except WireError as error:
                    failure = error
            else:
                failure = gone
            bad = self.bad(str(failure))
            readings |= {row.name: bad for row in block.rows}
        return readings

    def readings(self, block: Block, data: bytes) -> dict[str, Reading]:
        """What a block says. A device with a status word overrides this and marks what the status condemns."""
        now = asyncio.get_running_loop().time()
        readings: dict[str, Reading] = {}
        start = 2 * block.start
        for row in block.rows:
            at = 2 * row.wire - start
            value = registers.decode(row, data[at : at + 2 * row.length])
            if type(value) is float and not math.isfinite(value):
                readings[row.name] = Reading(None, now, Quality.BAD, f"the device sent {value}")
            else:
                readings[row.name] = Reading(value, now, Quality.GOOD)
        return readings


def group_rows(rows: list[Row], gap: int) -> list[tuple[int, int, tuple[Row, ...]]]:
    """(wire start, count, rows) of each block: the table's own blocks, else neighbours of one kind up to `gap` apart.

    Rows with a block of their own are never joined to others; no block is longer than a read may be.
    """
    groups: list[tuple[int, int, tuple[Row, ...]]] = []
    for row in sorted(rows, key=lambda row: (row.table, row.block or (), row.wire)):
        start, count = row.block or (row.wire, row.length)
        if groups:
            first, length, members = groups[-1]
            last = members[-1]
            if row.block is not None:
                joins = (last.table, last.block) == (row.table, row.block)
            else:
                near = row.wire - (first + length) <= gap and row.wire + row.length - first <= modbus.MOST_READ
                joins = last.block is None and last.table == row.table and near
            if joins:
                groups[-1] = (first, max(length, start + count - first), (*members, row))
                continue
        groups.append((start, count, (row,)))
    return groups


Group = tuple[int, int, tuple[Row, ...]]


def apart(groups: list[Group]) -> list[Group]:
    """The same in an order in which no two of one length follow each other, as far as there is one: as it is if it is
    one, else always one of the most frequent length that is left."""

    def length(group: Group) -> tuple[str, int]:
        return group[2][0].table, group[1]

    if all(length(one) != length(other) for one, other in pairwise(groups)):
        return groups
    left: dict[tuple[str, int], list[Group]] = {}
    for group in groups:
        left.setdefault(length(group), []).append(group)
    found: list[Group] = []
    last = None
    while left:
        last = max(left, key=lambda each: (each != last, len(left[each])))
        found.append(left[last].pop(0))
        if not left[last]:
            del left[last]
    return found
