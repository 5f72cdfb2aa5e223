"""What all Vaisala probes on Modbus share: identification 43/14, function 16 only, and values kept in bands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import LinkLoss
from drivers.core.errors import OutOfRange, Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.modbus_device import Block, ModbusDevice
from drivers.core.registers import Row
from drivers.core.signals import Access, Identity, Quality, Reading, Value
from drivers.core.wire import modbus, modbus_identification

SERIAL_NUMBER = 0x80
"""Object of the serial number (V)."""
READ_BACK = 1e-6
"""Relative difference that single precision may make between what was written and what is read."""


class VaisalaProbe(ModbusDevice):
    """19200 8N2, address 240, several probes a line. A write is acknowledged even when rejected, so it is read back."""

    maker = "Vaisala"
    default_url = "serial:///dev/ttyUSB0?baud=19200&parity=N&stopbits=2"
    default_address = 240
    on_link_loss = LinkLoss.ONLY_MEASURES
    safe_state = "measures only; nothing to bring into a safe state"
    timeout_s = 1.0
    """The sheet: 0.5 to 1 s are safe."""
    quiet_s = 0.0021
    """3.5 characters of 11 bits at 19200 baud."""
    gap = 0
    """Whether registers between the documented ones can be read is not known (?)."""
    checksum = True

    product_begins: ClassVar[str]
    """How object 1, the product code, begins."""

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address or self.default_address, options)

    async def identify(self) -> Identity:
        """Vendor, product, version and serial number by function 43/14; raises WrongDevice for another device."""
        try:
            basic = await self._objects(modbus_identification.BASIC)
        except Refused as error:
            raise WrongDevice(
                f"{self.line.name} address {self.address}: what answers has no Modbus identification, "
                f"which every {self.product_begins} has"
            ) from error
        vendor, product, version = (basic.get(number, "").strip() for number in (0, 1, 2))
        self.check_product(vendor, product)
        try:
            more = await self._objects(modbus_identification.INDIVIDUAL, SERIAL_NUMBER)
        except Refused:
            more = {}
        return Identity(self.maker, product, more.get(SERIAL_NUMBER, "").strip(), version)

    def check_product(self, vendor: str, product: str) -> None:
        """Raise WrongDevice unless this is Vaisala's `product_begins`."""
        if vendor != self.maker or not product.upper().startswith(self.product_begins):
            raise WrongDevice(
                f"{self.line.name} address {self.address}: {vendor!r} {product!r} answers, "
                f"this place is for a {self.maker} {self.product_begins}"
            )

    async def _objects(self, access: int, first: int = 0) -> dict[int, str]:
        request = modbus_identification.request(self.address, access, first)
        found = await self.line.query(
            request,
            modbus_identification.reply_parser(request),
            timeout_s=self.timeout_s,
            retries=self.retries,
            quiet_s=self.quiet_s,
        )
        return found.texts

    # -- values

    def readings(self, block: Block, data: bytes) -> dict[str, Reading]:
        """As the base says, and BAD where a number is outside its row's band or a switch is neither 0 nor 1."""
        readings = super().readings(block, data)
        for row in block.rows:
            reading = readings[row.name]
            value = reading.value
            if row.type == "bool":
                at = 2 * (row.wire - block.start)
                raw = int.from_bytes(data[at : at + 2], "big")
                if raw > 1:
                    readings[row.name] = self.bad(f"the probe sent {raw} where only 0 and 1 have a meaning")
            elif isinstance(value, float | int) and not isinstance(value, bool) and row.low is not None:
                high = math.inf if row.high is None else row.high
                if not row.low <= value <= high and not row.spec.writable:
                    readings[row.name] = self.bad(f"{value:g} {row.unit} cannot be true ({row.low:g} to {high:g})")
        return readings

    def condemned(self, reading: Reading, why: str) -> Reading:
        """`reading` as BAD for what a status register says; one that is BAD already keeps its reason."""
        return reading if reading.quality is Quality.BAD else Reading(None, reading.at, Quality.BAD, why)

    # -- settings

    async def write(self, name: str, value: Value) -> Reading:
        """Write one setting where it differs (memory wears) and read it back; raises OutOfRange, Refused, WireError."""
        row = type(self).table[name]
        if row.access is not Access.READ_WRITE or name not in self.specs():
            raise Refused("read only", f"{name} of a {self.product_begins} cannot be set")
        wanted = self._wanted(row, value)
        before = await self.read(name)
        if before.quality is Quality.GOOD and _same(before.value, wanted):
            return before
        await self.write_row(row, wanted)
        reading = await self.read(name)
        if not _same(reading.value, wanted):
            kept = reading.why if reading.value is None else f"{reading.value}"
            raise Refused("read-back", f"{name}: the probe acknowledged {wanted} {row.unit} and has {kept}")
        return reading

    def _wanted(self, row: Row, value: Value) -> float | bool:
        if row.type == "bool":
            if not isinstance(value, bool) and value not in (0, 1):
                raise Refused("not a switch", f"{row.name} is on or off, not {value!r}")
            return bool(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Refused("not a number", f"{row.name} takes a number in {row.unit or 'steps'}, not {value!r}")
        self.check_limits(row.name, value)
        if not row.type.startswith("float") and value != int(value):
            raise Refused("not whole", f"{row.name} takes whole numbers, not {value:g}")
        return value

    async def write_row(self, row: Row, value: Value) -> None:
        """Write with function 16, the only one the guides list; sent once."""
        await self.tell(modbus.write_many_request(self.address, row.wire, registers.encode(row, value)))

    async def set_address(self, address: int) -> None:
        """Give the probe another number on the bus (1 to 247): new ones all have 240. It acts after power off and on.

        The driver goes on with the old one. Raises OutOfRange, Refused when the probe did not take it, WireError.
        """
        row = self.table["address"]
        if not 1 <= address <= 247:
            raise OutOfRange(row.name, address, "", row.low, row.high, f"the datasheet of {self.model}")
        if await self.read_row(row) != address:
            await self.write_row(row, address)
            if (now := await self.read_row(row)) != address:
                raise Refused("read-back", f"the probe acknowledged address {address} and has {now}")


def _same(one: Value, other: Value) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=READ_BACK, abs_tol=1e-6)
    return one == other
