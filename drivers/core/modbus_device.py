"""A device that speaks Modbus RTU: its signals are rows of its table, read in as few exchanges as the table allows."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Device
from drivers.core.errors import LinkLost, NoAnswer, WireError
from drivers.core.registers import Row
from drivers.core.signals import Access, Quality, Reading, Value
from drivers.core.wire import modbus

FUNCTIONS = {"holding": modbus.READ_HOLDING, "input": modbus.READ_INPUT}


@dataclass(frozen=True, slots=True)
class Block:
    """Registers read in one exchange, the rows in them, and the ready-made request with its parser."""

    start: int
    rows: tuple[Row, ...]
    request: bytes
    parse: Callable[[bytearray], bytes | None]


class ModbusDevice(Device):
    """Declare signals and a `table`; rows that lie close together are read as one block.

    Reads are repeated once after silence or a broken frame, writes never: they are read back instead.
    """

    default_address: ClassVar[int] = 1
    gap: ClassVar[int] = 0
    """Registers read in vain rather than asking twice (each costs 2 bytes, an exchange about 20). 0 = never, since most
    devices refuse a read that touches a register they do not have."""
    retries: ClassVar[int] = 1

    def blocks(self) -> tuple[Block, ...]:
        """The exchanges of one poll; made once a device, as they hold its address."""
        if self._blocks is None:
            table = type(self).table
            rows = [table[name] for name, spec in self.specs().items() if spec.access is not Access.WRITE]
            self._blocks = tuple(self.block(*group) for group in group_rows(rows, self.gap))
        return self._blocks

    _blocks: tuple[Block, ...] | None = None

    def block(self, start: int, count: int, rows: tuple[Row, ...]) -> Block:
        """One ready-made exchange that reads `count` registers from wire address `start`."""
        request = modbus.read_request(self.address, FUNCTIONS[rows[0].table], start, count)
        return Block(start, rows, request, modbus.reply_parser(request))

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
        await self.line.query(
            request, modbus.reply_parser(request), timeout_s=self.timeout_s, retries=0, quiet_s=self.quiet_s
        )

    async def read_row(self, row: Row) -> Value:
        """Read one row of the table that is no signal (a serial number); raises WireError."""
        block = self.block(row.wire, row.length, (row,))
        return registers.decode(row, await self.ask(block))

    async def ask(self, block: Block) -> bytes:
        return await self.line.query(
            block.request, block.parse, timeout_s=self.timeout_s, retries=self.retries, quiet_s=self.quiet_s
        )

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
