"""A device that speaks Modbus RTU: its signals are rows of its table, read in as few exchanges as the table allows."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any, ClassVar

from drivers.core import registers
from drivers.core.device import Device
from drivers.core.errors import LinkLost, NoAnswer, Refused, WireError
from drivers.core.line import Line
from drivers.core.modbus_talk import ModbusTalk, Question, question
from drivers.core.registers import Row
from drivers.core.signals import Access, Quality, Reading, Value
from drivers.core.wire import modbus

NO_SUCH_REGISTER = "02"
FUNCTIONS = {"holding": modbus.READ_HOLDING, "input": modbus.READ_INPUT}


@dataclass(frozen=True, slots=True)
class Block(Question):
    """Registers read in one exchange, and the rows in them."""

    start: int = 0
    rows: tuple[Row, ...] = ()
    places: tuple[tuple[Row, int, int], ...] = ()
    """Each row, and the bytes of the answer that are its."""


class ModbusDevice(Device):
    """Declare signals and a `table`; rows that lie close together are read as one block.

    Reads are repeated once after silence or a broken frame, writes never: they are read back instead.

    A late or doubled reply is never taken for the answer to another question (modbus_talk): blocks of a poll are asked
    in an order in which no two of one length follow each other, so that it costs nothing.
    """

    default_address: ClassVar[int] = 1
    gap: ClassVar[int] = 0
    """Registers read in vain rather than asking twice (each costs 2 bytes, an exchange about 20). Many devices refuse a
    read that touches a register they do not have: a block refused so is read in pieces from then on."""
    retries: ClassVar[int] = 1

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self._talk = ModbusTalk(
            line, address, self._others, timeout_s=self.timeout_s, quiet_s=self.quiet_s, retries=self.retries
        )
        self._blocks: tuple[Block, ...] | None = None
        self._split: set[int] = set()
        """Starts of blocks that the device refuses as a whole, for the registers between the known ones."""

    def blocks(self) -> tuple[Block, ...]:
        """The exchanges of one poll; made once a device, as they hold its address."""
        if self._blocks is None:
            groups = [
                piece
                for group in group_rows(self.rows_polled(), self.gap)
                for piece in (pieces(group[2]) if group[0] in self._split else [group])
            ]
            self._blocks = tuple(self.block(*group) for group in apart(groups))
        return self._blocks

    def rows_polled(self) -> list[Row]:
        """The rows that a poll reads: those of every readable signal."""
        table = type(self).table
        return [table[name] for name, spec in self.specs().items() if spec.access is not Access.WRITE]

    def block(self, start: int, count: int, rows: tuple[Row, ...]) -> Block:
        """One ready-made exchange that reads `count` registers from wire address `start`."""
        made = question(self.address, FUNCTIONS[rows[0].table], start, count)
        places = tuple((row, 2 * (row.wire - start), 2 * (row.wire - start + row.length)) for row in rows)
        return Block(made.request, made.parse, made.head, made.refusal, None, start, rows, places)

    async def read(self, name: str) -> Reading:
        block = next(block for block in self.blocks() if any(row.name == name for row in block.rows))
        try:
            data = await self.ask(block)
        except Refused as no:
            if not self._takes_apart(block, no):
                raise
            return await self.read(name)
        return self.readings(block, data)[name]

    def _takes_apart(self, block: Block, error: WireError) -> bool:
        """Whether this refusal is because of registers between the rows of the block; then it is read in pieces."""
        if not isinstance(error, Refused) or error.code != NO_SUCH_REGISTER or not has_gaps(block):
            return False
        self._split.add(block.start)
        self._blocks = None
        return True

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
        await self._talk.tell(request, timeout_s)

    async def read_row(self, row: Row) -> Value:
        """Read one row of the table that is no signal (a serial number); raises WireError."""
        block = self.block(row.wire, row.length, (row,))
        return registers.decode(row, await self.ask(block))

    def ask(self, block: Block) -> Coroutine[Any, Any, bytes]:
        """What the registers of `block` hold, and certainly these; raises Refused, WireError."""
        return self._talk.ask(block)

    def _others(self) -> Iterator[Block]:
        """What can be read, shortest first; signals before other rows of the table."""
        yield from sorted(self.blocks(), key=lambda each: each.head)
        for row in self.table:
            if row.table in FUNCTIONS and row.access is not Access.WRITE:
                yield self.block(*(row.block or (row.wire, row.length)), (row,))

    async def poll(self) -> dict[str, Reading]:
        """Read the blocks whose turn it is, one exchange each; a block that fails is BAD readings.

        A device that is silent or out of reach is not asked for its other blocks: others share the line.
        """
        readings: dict[str, Reading] = {}
        gone: WireError | None = None
        split = False
        for block in self._due():
            if gone is None:
                try:
                    readings |= self.readings(block, await self.ask(block))
                    continue
                except (NoAnswer, LinkLost) as error:
                    failure = gone = error
                except WireError as error:
                    failure = error
                    split = self._takes_apart(block, error) or split
            else:
                failure = gone
            bad = self.bad(str(failure))
            readings |= {row.name: bad for row in block.rows}
        self.turns.took(readings)
        return await self.poll() if split else readings

    def _due(self) -> Iterable[Block]:
        """The blocks with a signal whose turn it is."""
        if not self.seldom:
            return self.blocks()
        due = set(self.turns.due(self.specs()))
        return [block for block in self.blocks() if any(row.name in due for row in block.rows)]

    def readings(self, block: Block, data: bytes) -> dict[str, Reading]:
        """What a block says. A device with a status word overrides this and marks what the status condemns."""
        now, good, decode = asyncio.get_running_loop().time(), Quality.GOOD, registers.decode
        readings: dict[str, Reading] = {}
        for row, begin, end in block.places:
            value = decode(row, data[begin:end])
            if type(value) is float and not isfinite(value):
                readings[row.name] = Reading(None, now, Quality.BAD, f"the device sent {value}")
            else:
                readings[row.name] = Reading(value, now, good)
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


def has_gaps(block: Block) -> bool:
    """Whether it reads registers that no row of it names."""
    named = {register for row in block.rows for register in range(row.wire, row.wire + row.length)}
    return len(named) < int.from_bytes(block.request[4:6], "big")


def pieces(rows: tuple[Row, ...]) -> list[Group]:
    """The rows of one block, each where it is; those at one place together."""
    places: dict[tuple[int, int], tuple[Row, ...]] = {}
    for row in rows:
        place = row.wire, row.length
        places[place] = (*places.get(place, ()), row)
    return [(start, count, there) for (start, count), there in places.items()]


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
