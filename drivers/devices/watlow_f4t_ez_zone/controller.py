"""What Watlow's Modbus register tables share: strides, enumerations, word order, °F, and set points read back."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from drivers.core.device import LinkLoss
from drivers.core.errors import OutOfRange, Refused
from drivers.core.line import Line
from drivers.core.modbus_device import Block, ModbusDevice
from drivers.core.registers import SWAPPED, Row
from drivers.core.signals import Access, Quality, Reading, Value
from drivers.core.units import convert
from drivers.devices.watlow_f4t_ez_zone.words import MODES, OFF, ON, word

SMALLEST, LARGEST = 1e-6, 1e6
"""A float read in the wrong word order is nearly always far outside (37.0 becomes 2e-41); 0 is 0 either way."""
SAME = 0.005
"""Two settings that differ by less are the same: the values go through °F and single precision."""


class WatlowController(ModbusDevice):
    """Holds its set points with its own loops, controller or not.

    Option word_order: low_first or high_first, a setting of the controller. The wrong one gives BAD values, no numbers.
    """

    maker = "Watlow"
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    safe_state = (
        "last set points held by the controller's own loops; an independent over-temperature limiter set at the chamber"
    )
    watchdog = "none (the sheet knows no communication time-out)"
    evidence = "EXTW"
    checksum = True
    timeout_s = 1.0
    gap = 0
    """Enumerations stand in slots of two registers, and whether the second half can be read is not known (E, T and W
    read each value by itself)."""
    word_order: ClassVar[str]
    """Of the controllers the sheet knows."""

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address or self.default_address, options)
        order = self.options.get("word_order", self.word_order)
        if order not in ("low_first", "high_first"):
            raise ValueError(f"{self.model}: word_order is low_first or high_first, not {order!r}")
        self.swapped = order == "low_first"
        self.numbers: dict[str, int] = {}
        """Which loop or zone each `of` of the table is, from 1."""

    def number_option(self, name: str, default: int, most: int) -> int:
        """A whole number from 1 (0 where that is the default) to `most`; raises ValueError."""
        value = self.options.get(name, default)
        try:
            number = int(float(value))
        except (ValueError, OverflowError):
            number = -1
        if number != float(value if number >= 0 else -1) or not min(1, default) <= number <= most:
            raise ValueError(f"{self.model}: {name} is a whole number up to {most}, not {value!r}")
        return number

    # -- rows as they are on this controller

    def wired(self, row: Row, number: int | None = None) -> Row:
        """`row` with the word order and the place of its loop, zone or `number`."""
        number = number or self.numbers.get(row.extra.get("of", ""), 1)
        kind = row.type + SWAPPED if self.swapped and row.type == "float32" else row.type
        return replace(row, type=kind, wire=row.wire + int(row.extra.get("stride", "0")) * (number - 1))

    def rows_polled(self) -> list[Row]:
        return [self.wired(row) for row in super().rows_polled() if row.extra.get("is") != "many"]

    async def ask_number(self, name: str, number: int | None = None) -> float:
        """A number of the table that is no signal, or of another place; raises WireError."""
        value = await self.read_row(self.wired(self.table[name], number))
        assert isinstance(value, int | float)
        return value

    # -- values

    async def fahrenheit(self) -> bool:
        """Whether temperatures come and go in °F; raises WireError."""
        raise NotImplementedError

    def readings(self, block: Block, data: bytes) -> dict[str, Reading]:
        """Enumerations in words, switches as such; a float of an impossible size is BAD."""
        readings = super().readings(block, data)
        for row in block.rows:
            reading = readings[row.name]
            value, sort = reading.value, row.extra.get("is")
            if not isinstance(value, int | float):
                continue
            if sort == "word":
                readings[row.name] = reading._replace(value=word(int(value)))
            elif sort == "switch":
                known = value in (ON, OFF)
                readings[row.name] = (
                    reading._replace(value=value == ON)
                    if known
                    else self.bad(f"neither on nor off: {word(int(value))}")
                )
            elif row.type.startswith("float") and value and not SMALLEST <= abs(value) <= LARGEST:
                readings[row.name] = self.bad(f"{value:g} cannot be true: is the option word_order right?")
        return readings

    def in_celsius(self, name: str, reading: Reading) -> Reading:
        """A temperature that came in °F."""
        unit = type(self).table[name].unit
        if not isinstance(reading.value, float) or unit not in ("Cel", "K"):
            return reading
        value = reading.value / 1.8 if unit == "K" else convert(reading.value, "[degF]", "Cel")
        return reading._replace(value=value)

    def condemned(self, reading: Reading, why: str) -> Reading:
        return reading if reading.quality is Quality.BAD else Reading(None, reading.at, Quality.BAD, why)

    # -- settings

    async def write(self, name: str, value: Value) -> Reading:
        """Write one setting where it differs, and read it back; raises OutOfRange, Refused, WireError."""
        row = type(self).table[name]
        if name not in self.specs() or row.access is not Access.READ_WRITE:
            raise Refused("read only", f"{name} of {self.model} cannot be set")
        wanted = self.wanted(row, value)
        await self.may_write(row, wanted)
        before = await self.read(name)
        if before.quality is Quality.BAD:
            raise Refused("not read", f"{name} is not written because it cannot be read: {before.why}")
        if _same(before.value, wanted):
            return before
        coded = await self._coded(row, wanted)
        await self.write_row(self.wired(row), coded)
        reading = await self.read(name)
        if not _same(reading.value, wanted):
            kept = reading.why if reading.value is None else reading.value
            raise Refused("read-back", f"{name}: the controller acknowledged {wanted} {row.unit} and has {kept}")
        return reading

    def wanted(self, row: Row, value: Value) -> Value:
        """`value` as this row takes it; refuses anything else before a byte goes out."""
        match row.extra.get("is"):
            case "word":
                if value not in MODES:
                    raise Refused("no such mode", f"{row.name} is {', '.join(MODES)}, not {value!r}")
                return value
            case "switch":
                if not isinstance(value, bool) and value not in (0, 1):
                    raise Refused("not a switch", f"{row.name} is on or off, not {value!r}")
                return bool(value)
            case _:
                if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                    raise Refused("not a number", f"{row.name} takes a number in {row.unit}, not {value!r}")
                self.check_limits(row.name, value)
                return float(value)

    async def may_write(self, row: Row, wanted: Value) -> None:
        """Raise where the controller itself has something against it."""

    async def _coded(self, row: Row, wanted: Value) -> Value:
        """`wanted` as it goes on the wire."""
        if isinstance(wanted, str):
            return MODES[wanted]
        if isinstance(wanted, bool):
            return ON if wanted else OFF
        if row.unit == "Cel" and isinstance(wanted, float) and await self.fahrenheit():
            return convert(wanted, "Cel", "[degF]")
        return wanted

    async def within(self, row: Row, wanted: Value, low: float, high: float) -> None:
        """Raise OutOfRange unless `wanted` is between the controller's own limits."""
        if isinstance(wanted, float) and not low <= wanted <= high:
            raise OutOfRange(row.name, wanted, row.unit, low, high, "the controller itself")

    def now(self) -> float:
        return asyncio.get_running_loop().time()


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) < SAME
    return one == other
