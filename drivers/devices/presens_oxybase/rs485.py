"""PreSens OXYBase with RS485: Modbus RTU, 19200 8N2, several probes a line; sheet presens-oxybase.md part B."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.modbus_device import Block, ModbusDevice
from drivers.core.registers import Table
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.core.wire import modbus

PERCENT_VOL, MG_L, DEGC = 0x10, 0x80, 0x04
UNITS = {PERCENT_VOL: "%-vol", MG_L: "mg/l"}
NOT_READABLE = ("01", "02", "03")
"""Exceptions of a probe that takes its unit and does not tell it; which one it would say is not in the sheet (?)."""
NOTHING = 1e-4
"""A float this near to 0 is an empty register, or whole-number counts taken for a float: no probe resolves it."""
SETTINGS_EVERY_S = 60.0
HAMILTON = ("EPHUM", "ODOUM")
"""Firmware of Hamilton's Arc sensors, whose registers have the same numbers."""


class PreSensOxyBaseRs485(ModbusDevice):
    """Oxygen in %-vol. Option: `interval_s`, 1 when left out: how often the probe measures (each flash ages it)."""

    table: ClassVar[Table] = registers.load("presens_oxybase", counts_from=0)
    model = "presens_oxybase_rs485"
    maker = "PreSens"
    kind = "probe"
    default_url = "serial:///dev/ttyUSB0?baud=19200&parity=N&stopbits=2"
    default_address = 1
    on_link_loss = LinkLoss.ONLY_MEASURES
    safe_state = "measures only; nothing to bring into a safe state"
    option_names = ("interval_s",)
    seldom: ClassVar[Mapping[str, float]] = {"in_gas": SETTINGS_EVERY_S, "oxygen_unit": SETTINGS_EVERY_S}
    evidence = "OX"
    checksum = True
    timeout_s = 1.0
    quiet_s = 0.0021
    """3.5 characters of 11 bits at 19200 baud."""

    oxygen = Signal()
    in_gas = Signal()
    oxygen_unit = Signal()
    compensation_temperature = Signal()

    def __init__(self, line: Line, address: int = 1, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address or self.default_address, options)
        interval = float(self.options.get("interval_s", 1))
        row = self.table["interval"]
        if interval != int(interval) or not (row.low or 0) <= interval <= (row.high or math.inf):
            raise ValueError(f"{self.model}: interval_s is whole seconds from 1 to 86400, not {interval:g}")
        self.interval_s = int(interval)
        self._settings_due = -math.inf
        self._wrong_unit = ""
        """Why the oxygen is not in % by volume; "" = it is, as far as the probe tells."""
        self._idle = False
        """The last readout was empty: the probe lost its power since it was told to measure."""

    async def identify(self) -> Identity:
        """Firmware, serial number, and the humid/dry register that Hamilton's sensors do not have (X)."""
        try:
            firmware, serial = [str(await self.read_row(self.table[name])) for name in ("firmware", "serial")]
            in_gas = await self.read_row(self.table["in_gas"])
        except Refused as error:
            raise WrongDevice(f"{self.line.name} address {self.address}: no OXYBase, {error}") from error
        if not firmware.isascii() or not firmware.isprintable() or in_gas not in (0, 1) or firmware[:5] in HAMILTON:
            raise WrongDevice(f"{self.line.name} address {self.address}: firmware {firmware!r} is not of an OXYBase")
        return Identity(self.maker, "OXYBase RS485", serial, firmware)

    async def prepare(self) -> None:
        """Oxygen in %-vol, written only when it differs; then the interval, whose write starts the measuring (O)."""
        if (await self._unit()).value != UNITS[PERCENT_VOL]:
            await self.write_row(self.table["oxygen_unit"], PERCENT_VOL)
            reading = await self._unit()
            if reading.value is not None and reading.value != UNITS[PERCENT_VOL]:
                raise Refused("read-back", f"oxygen_unit reads {reading.value} after %-vol was written")
        await self._write_pair("interval", 1, self.interval_s)
        self._settings_due, self._idle = -math.inf, False

    async def read(self, name: str) -> Reading:
        if name == "oxygen_unit":
            return await self._unit()
        return await super().read(name)

    async def poll(self) -> dict[str, Reading]:
        """The readout; medium and unit once a minute (they are missing from the other polls).

        After an empty readout the probe is prepared anew: it stops measuring when its power fails.
        """
        now = asyncio.get_running_loop().time()
        due = now >= self._settings_due or self._idle
        try:
            if self._idle:
                await self.prepare()
            asked = ("oxygen_unit", "oxygen", "in_gas") if due else ("oxygen",)  # neighbours of different lengths
            readings = {name: await self.read(name) for name in asked}
        except WireError as error:
            self._settings_due = -math.inf
            return dict.fromkeys(("oxygen", *self.seldom), self.bad(str(error)))
        if due:
            self._settings_due = now + SETTINGS_EVERY_S
        return readings

    async def write(self, name: str, value: Value) -> Reading:
        """`in_gas` is read back; of `compensation_temperature` only the probe's acknowledgement is known."""
        match name:
            case "in_gas" if isinstance(value, (bool, int, float)):
                return await super().write(name, float(value))
            case "compensation_temperature" if isinstance(value, (int, float)) and math.isfinite(value):
                self.check_limits(name, value)
                await self._write_pair(name, DEGC, value)
                return self.good(value)
            case "in_gas" | "compensation_temperature":
                raise ValueError(f"{name}: {value!r} is not a number")
            case _:
                raise Refused("read only", f"{name} of a probe cannot be set")

    def readings(self, block: Block, data: bytes) -> dict[str, Reading]:
        return {name: self._judged(name, reading) for name, reading in super().readings(block, data).items()}

    def _judged(self, name: str, reading: Reading) -> Reading:
        value = reading.value
        if not isinstance(value, (int, float)):
            return reading
        if name == "in_gas":
            return reading._replace(value=bool(value)) if value in (0, 1) else self.bad(f"the probe sent {value}")
        if self._wrong_unit:
            return self.bad(self._wrong_unit)
        if abs(value) < NOTHING:
            self._idle = True
            return self.bad(
                "the readout is empty: the probe is not measuring (prepare starts it), or it holds no float"
            )
        spec = self.specs()[name]
        if not (spec.low or 0) <= value <= (spec.high or math.inf):
            return self.bad(f"the probe sent {value:g}, which is no oxygen in % by volume")
        return reading

    async def _unit(self) -> Reading:
        """The unit in words; BAD where the probe does not let it be read: it was then set and acknowledged only."""
        self._wrong_unit = ""
        try:
            code = await self.read_row(self.table["oxygen_unit"])
        except Refused as no:
            if no.code not in NOT_READABLE:
                raise
            return self.bad("this probe does not let its oxygen unit be read")
        name = UNITS.get(int(code) if isinstance(code, (int, float)) else 0, f"unit {code}")
        if code != PERCENT_VOL:
            self._wrong_unit = f"the probe is set to {name} instead of %-vol; prepare sets it"
        return Reading(name, asyncio.get_running_loop().time(), Quality.GOOD)

    async def _write_pair(self, name: str, first: int, value: float) -> None:
        """Two 32-bit values in one write: a unit or switch, then the value of the row's type; sent once."""
        row = self.table[name]
        pair = registers.Row(name, length=2, type=row.type)
        data = registers.encode(registers.Row(name, length=2, type="uint32_swapped"), first)
        await self.tell(modbus.write_many_request(self.address, row.wire, data + registers.encode(pair, value)))
