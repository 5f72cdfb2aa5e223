"""What MB1 and MB2 controllers share: how signals are read, and how a set point is written and seen to be taken."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Mapping
from dataclasses import replace

from drivers.core import registers
from drivers.core.device import LinkLoss
from drivers.core.errors import OutOfRange, Refused
from drivers.core.line import Line
from drivers.core.modbus_device import Block, ModbusDevice, apart, group_rows
from drivers.core.registers import Row
from drivers.core.signals import Quality, Reading, Value
from drivers.core.wire import modbus
from drivers.devices.binder_mb import profile, words

SETTLES_S = 2.0
"""Right after a write the old value is still reported; so long it is asked again before a write counts as refused."""
LOOK_S = 0.25
HUMIDITY = "humidity"
NO_SUCH_REGISTER = "02"


class BinderMb(ModbusDevice):
    """What both controllers share: floats low word first, set points written elsewhere than they are read."""

    maker = "BINDER"
    kind = "chamber"
    default_url = "serial:///dev/ttyUSB0?baud=9600&parity=N&stopbits=1"
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    safe_state = (
        "last set points held by the chamber's own loops; its independent over-temperature limiter set at the panel"
    )
    watchdog = "none (the sheet knows no communication time-out)"
    evidence = "VMDX"
    checksum = True
    timeout_s = 1.0  # a reply comes within 250 ms (V)
    quiet_s = 0.0042
    """3.5 characters of 11 bits at 9600 baud."""
    gap = 0
    """Registers between known ones may be refused with exception 2; where they are not, the table names blocks."""

    def __init__(self, line: Line, address: int = 1, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address or self.default_address, options)
        self.rows: dict[str, Row] = dict(self.table.rows)
        """The table, with what a profile adds to it."""
        self._apart: set[int] = set()
        """Starts of blocks that the controller refuses as a whole, for the registers between the known ones."""

    # -- reading

    def rows_polled(self) -> list[Row]:
        specs = self.specs()
        return [row for name, row in self.rows.items() if name in specs and row.table]

    def blocks(self) -> tuple[Block, ...]:
        if self._blocks is None:
            groups = [
                piece
                for group in group_rows(self.rows_polled(), self.gap)
                for piece in (_pieces(group[2]) if group[0] in self._apart else [group])
            ]
            self._blocks = tuple(self.block(*group) for group in apart(groups))
        return self._blocks

    def block(self, start: int, count: int, rows: tuple[Row, ...]) -> Block:
        """One exchange; function 4 reads the same map and may come back as the function of the reply (V)."""
        made = super().block(start, count, rows)
        other = modbus.reply_parser(modbus.read_request(self.address, modbus.READ_INPUT, start, count))
        begins = bytes((self.address, modbus.READ_INPUT)), bytes((self.address, modbus.READ_INPUT | modbus.FAILED))

        def parse(buffer: bytearray) -> bytes | None:
            return other(buffer) if buffer.startswith(begins) else made.parse(buffer)

        return replace(made, parse=parse)

    async def ask(self, block: Block) -> bytes:
        """A block refused for unknown registers in between is read in pieces from the next poll on."""
        try:
            return await super().ask(block)
        except Refused as no:
            if no.code == NO_SUCH_REGISTER and _has_gaps(block):
                self._apart.add(block.start)
                self._blocks = None
            raise

    def readings(self, block: Block, data: bytes) -> dict[str, Reading]:
        now, found = asyncio.get_running_loop().time(), dict[str, Reading]()
        for row in block.rows:
            at = 2 * (row.wire - block.start)
            try:
                found[row.name] = Reading(self.value(row, data[at : at + 2 * row.length]), now, Quality.GOOD)
            except ValueError as why:
                found[row.name] = Reading(None, now, Quality.BAD, str(why))
        return found

    def value(self, row: Row, data: bytes) -> Value:
        """What a row's registers say; raises ValueError for what cannot be true."""
        if row.type == "characters":
            return words.text(data)
        if row.type == "clock":
            return words.clock(data)
        value = registers.decode(row, data)
        if isinstance(value, (int, float)):
            if not math.isfinite(value):
                raise ValueError(f"the controller sent {value}")
            if "bit" in row.extra:
                return bool(int(value) >> int(row.extra["bit"]) & 1)
            if row.name == HUMIDITY and not value:
                raise ValueError("0 % is what a controller without humidity measurement shows")
            if not row.spec.writable and not (row.low or 0) <= value <= (math.inf if row.high is None else row.high):
                raise ValueError(f"{value:g} {row.unit} cannot be true")
        return value

    async def poll(self) -> dict[str, Reading]:
        """As every Modbus device; once more after a block had to be taken apart, which happens once a controller."""
        before = len(self._apart)
        found = await super().poll()
        return found if len(self._apart) == before else await super().poll()

    async def read(self, name: str) -> Reading:
        if not self.rows[name].table:
            raise self.unknown(name)
        before = len(self._apart)
        try:
            return await super().read(name)
        except Refused:
            if len(self._apart) == before:
                raise
            return await super().read(name)

    # -- writing

    async def write(self, name: str, value: Value) -> Reading:
        """Check limits and that no program runs, write, and read back for up to 2 s; raises OutOfRange, Refused,
        WireError. A set point is taken in idle mode too, and does nothing there until `mode` is manual."""
        row = self.rows[name]
        if not row.spec.writable:
            raise Refused("read only", f"{name} can only be read")
        if name == "mode":
            return await self.set_mode(value)
        wanted = self.wanted(row, value)
        await self.refuse_while_a_program_runs()
        await self.put(row, wanted)
        return await self.settled(name, wanted)

    async def put(self, row: Row, wanted: float) -> None:
        """Write every register the set point goes to, and see it there."""
        for target in profile.targets(row):
            there = Row(row.name, "holding", target, target, row.length, row.type, row.scale)
            await self.write_row(there, wanted)
        for target in profile.targets(row):
            there = Row(row.name, "holding", target, target, row.length, row.type, row.scale)
            await self._until(f"register {target:04X}", there, wanted)

    def wanted(self, row: Row, value: Value) -> float:
        """The number to write, as the register will hold it; refuses anything else before a byte goes out."""
        if "bit" in row.extra:
            if not isinstance(value, bool):
                raise Refused("not on or off", f"{row.name} is on or off, not {value!r}")
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refused("not a number", f"{row.name} takes a number in {row.unit or 'no unit'}, not {value!r}")
        low, high = row.low, row.high
        if low is None or high is None or not low <= value <= high:
            raise OutOfRange(row.name, value, row.unit, low, high, f"the table of {self.model}")
        return struct.unpack("f", struct.pack("f", value))[0] if row.type.startswith("float") else round(value)

    async def settled(self, name: str, wanted: Value) -> Reading:
        """The reading once it says `wanted`; raises Refused when it does not within 2 s."""
        loop = asyncio.get_running_loop()
        until = loop.time() + SETTLES_S
        while True:
            reading = await self.read(name)
            if reading.value is not None and _same(reading.value, wanted):
                return reading
            if loop.time() >= until:
                shown = reading.value if reading.value is not None else reading.why
                raise Refused("read-back", f"{name}: the controller shows {shown} after {wanted} was written")
            await asyncio.sleep(LOOK_S)

    async def set_mode(self, value: Value) -> Reading:
        raise NotImplementedError

    async def refuse_while_a_program_runs(self) -> None:
        """Raise Refused when the chamber runs a program of its own."""
        if (reading := await self.read("mode")).value not in ("idle", "manual", "basic"):
            said = reading.value or reading.why
            raise Refused(
                "program", f"nothing is written while a program runs (mode: {said}): end it at the panel first"
            )

    async def write_row(self, row: Row, value: Value) -> None:
        try:
            await super().write_row(row, value)
        except Refused as no:
            said = words.REFUSALS.get(no.code, "an exception the controller's document does not know")
            raise Refused(no.code, f"{self.line.name}: {row.name} at register {row.wire:04X}: {said}") from no

    async def _until(self, what: str, row: Row, wanted: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + SETTLES_S
        while not _same(found := await self.read_row(row), wanted):
            if loop.time() >= until:
                raise Refused("read-back", f"{row.name}: {what} holds {found} after {wanted:g} was written")
            await asyncio.sleep(LOOK_S)

    def unknown(self, name: str) -> Refused:
        """Why a signal cannot be had, and what to do."""
        return Refused(
            "register unknown",
            f"{name}: its register on a CB or CBF is published nowhere; fill in {profile.TEMPLATE} from the maker's "
            f"document and name your copy in option profile",
        )


def _has_gaps(block: Block) -> bool:
    """Whether it reads registers that no row names."""
    named = {register for row in block.rows for register in range(row.wire, row.wire + row.length)}
    return len(named) < int.from_bytes(block.request[4:6], "big")


def _pieces(rows: tuple[Row, ...]) -> list[tuple[int, int, tuple[Row, ...]]]:
    """The rows of one block, each where it is; those at one place together."""
    places: dict[tuple[int, int], tuple[Row, ...]] = {}
    for row in rows:
        place = row.wire, row.length
        places[place] = (*places.get(place, ()), row)
    return [(start, count, there) for (start, count), there in places.items()]


def _same(found: Value, wanted: Value) -> bool:
    """Equal, or as equal as two single-precision numbers are."""
    if isinstance(found, (int, float)) and isinstance(wanted, (int, float)):
        return abs(found - wanted) <= 1e-5 * max(1.0, abs(wanted))
    return found == wanted
