"""Watlow EZ-ZONE over Standard Bus, 38400 8N1, sheet watlow-f4t-ezzone.md. On the wire °F, always; here °C.

Requests are those of a program in industrial use (W); that replies carry these check sums is derived (X): a controller
with others is never heard.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Device, LinkLoss, Signal
from drivers.core.errors import BadFrame, Refused
from drivers.core.line import Line
from drivers.core.registers import Table
from drivers.core.signals import Access, Identity, Reading, Value
from drivers.core.units import convert
from drivers.core.wire import watlow_standard_bus as bus

FIRST = 0x10
"""Destination of zone 1; the others behind it (X)."""
MASTER = 0x00
READ, WRITE = 0x03, 0x04
ASKED, ANSWERED = 0x01, 0x02
SAME = 0.01
FLOAT = 0x08
"""What stands in front of a binary32, high byte first."""


class WatlowEzZoneStandardBus(Device):
    """Temperature and set point of one zone; address = zone, from 1. The sheet knows no other class and member."""

    table: ClassVar[Table] = registers.load("watlow_f4t_ez_zone", "standard_bus.csv")
    model = "watlow_ez_zone_standard_bus"
    maker = "Watlow"
    kind = "temperature controller"
    default_url = "serial:///dev/ttyUSB0?baud=38400&parity=N&stopbits=1"
    default_address = 1
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    safe_state = (
        "last set point held by the controller's own loop; an independent over-temperature limiter set at the chamber"
    )
    watchdog = "none (the sheet knows no communication time-out)"
    evidence = "EXTW"
    checksum = True
    timeout_s = 1.0

    temperature = Signal()
    temperature_setpoint = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address or self.default_address, options)
        if not 1 <= self.address <= 16:
            raise ValueError(f"{self.model}: a zone is 1 to 16, not {self.address}")

    async def identify(self) -> Identity:
        """Whoever answers the question for the process value in these frames is an EZ-ZONE; it tells no more."""
        await self._ask("temperature")
        return Identity(self.maker, "EZ-ZONE")

    async def read(self, name: str) -> Reading:
        value = await self._ask(name)
        row = self.table[name]
        if not math.isfinite(value):
            return self.bad(f"the controller sent {value}")
        cel = convert(value, "[degF]", "Cel")
        if (
            row.access is Access.READ
            and row.low is not None
            and row.high is not None
            and not row.low <= cel <= row.high
        ):
            return self.bad(f"{cel:g} Cel cannot be true ({row.low:g} to {row.high:g})")
        return self.good(cel)

    async def write(self, name: str, value: Value) -> Reading:
        """Write the set point once where it differs, and read it back; raises OutOfRange, Refused, WireError."""
        row = self.table[name]
        if row.access is not Access.READ_WRITE:
            raise Refused("read only", f"{name} of {self.model} cannot be set")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Refused("not a number", f"{name} takes a number in {row.unit}, not {value!r}")
        self.check_limits(name, value)
        before = await self.read(name)
        if isinstance(before.value, float) and abs(before.value - value) < SAME:
            return before
        number = struct.pack(">f", convert(value, "Cel", "[degF]"))
        item = bytes((int(row.extra["class"]), int(row.extra["member"]), 1, FLOAT)) + number
        # ASKED, WRITE and the item; the reply repeats all of it as ANSWERED
        await self._exchange(bytes((ASKED, WRITE)) + item, bytes((ANSWERED, WRITE)) + item, len(item) + 2, 0)
        reading = await self.read(name)
        if not isinstance(reading.value, float) or abs(reading.value - value) >= SAME:
            raise Refused("read-back", f"{name}: {value:g} Cel was acknowledged, the controller has {reading.value}")
        return reading

    async def _ask(self, name: str) -> float:
        """One value in °F; raises WireError."""
        row = self.table[name]
        item = bytes((READ, 1, int(row.extra["class"]), int(row.extra["member"]), 1))
        data = await self._exchange(bytes((ASKED,)) + item, bytes((ANSWERED,)) + item + bytes((FLOAT,)), 11, 1)
        return struct.unpack(">f", data[-4:])[0]

    async def _exchange(self, data: bytes, begins: bytes, length: int, retries: int) -> bytes:
        zone = FIRST + self.address - 1
        parse = _parser(zone, begins, length)
        request = bus.frame(bus.REQUEST, zone, MASTER, data)
        return await self.line.query(request, parse, timeout_s=self.timeout_s, retries=retries)


def _parser(zone: int, begins: bytes, length: int) -> Callable[[bytearray], bytes | None]:
    """Takes replies of `zone`; frames of and for others on the line are left out."""

    def parse(buffer: bytearray) -> bytes | None:
        while (found := bus.take(buffer)) is not None:
            if (found.type, found.destination, found.source) != (bus.REPLY, MASTER, zone):
                continue
            if len(found.data) == length and found.data.startswith(begins):
                return found.data
            raise BadFrame(f"zone {zone - FIRST + 1}: not the answer to this question: {found.data.hex(' ')}")
        return None

    return parse
