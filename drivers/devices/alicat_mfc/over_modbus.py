"""Alicat mass-flow controller over Modbus RTU, sheet alicat-mfc.md. 19200 8N1; the slave address 1 is X."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.calibration import CalibrationPoint
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.modbus_device import Block, ModbusDevice
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.core.wire import modbus
from drivers.devices.alicat_mfc import words

GAS, TARE, RESET_TOTAL, VALVE, LOCK = 1, 4, 5, 6, 7
"""Command IDs (V)."""
TARE_TIMEOUT_S = 4.0
ZERO = {
    "zero_flow": (2, "standard_flow", "set point 0 and no gas flowing through the device"),
    "zero_pressure": (0, "pressure", "device open to the room"),
    "zero_absolute_pressure": (1, "pressure", "device open to the room; needs a barometer inside"),
}
FLOWS = ("standard_flow", "flow_setpoint", "volumetric_flow")
PLAUSIBLE = {"pressure": (0.5, 500.0), "temperature": (-60.0, 200.0), "gas": (0, 255), "status": (0, 0x3FFF)}
"""psia and °C that a gas in such a device can have (ours), gas numbers and status bits of the sheet."""


class AlicatMfcModbus(ModbusDevice):
    """MC, MCS, MCR with the Modbus option. Function 16 writes, always (V).

    Options: `flow_unit` (SCCM or SLPM) = what the display shows, without which every flow is BAD; `full_scale` in that
    unit, without which no set point is written; `gas` = the gas it must be set to. Pressure must be shown in PSIA and
    temperature in °C: the wire does not tell. Flow is at the device's own standard conditions.
    """

    table = registers.load("alicat_mfc", "registers.csv")
    model = "alicat_mfc_modbus"
    maker = "Alicat"
    kind = "flow controller"
    default_url = "serial:///dev/ttyUSB0?baud=19200&parity=N&stopbits=1"
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    safe_state = "set point 0: the controller closes its valve; or hold closed (command 6, 1)"
    watchdog = "none in the sheet: it keeps its last set point without us, so a gas needs a valve that closes by itself"
    evidence = "V"
    checksum = True
    not_sought = "its registers tell neither name nor serial number: nothing shows that it is no other Modbus device"
    timeout_s = 1.0
    quiet_s = 0.0021
    option_names = ("flow_unit", "full_scale", "gas")
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        name: CalibrationPoint(signal, "", what=what) for name, (_, signal, what) in ZERO.items()
    }

    gas = Signal()
    status = Signal()
    pressure = Signal()
    temperature = Signal()
    volumetric_flow = Signal()
    standard_flow = Signal()
    valve_held = Signal()
    flow_setpoint = Signal()

    def __init__(self, line: Line, address: int = 1, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for an option no device can have."""
        super().__init__(line, address or self.default_address, options)
        unit = str(self.options.get("flow_unit", ""))
        if unit and unit not in words.STANDARD:
            raise ValueError(f"option flow_unit: {unit!r} is none of {', '.join(words.STANDARD)}")
        self.factor = words.STANDARD.get(unit)
        self.full_scale = float(self.options.get("full_scale", 0.0))

    async def identify(self) -> Identity:
        """Nothing in the map is a name: known gas, known status bits, a plausible pressure and temperature, and a
        refusal (exception 02) of half a 32-bit value. Raises WrongDevice when one of them is missing."""
        where = f"{self.line.name} address {self.address}"
        block = next(block for block in self.blocks() if any(row.name == "gas" for row in block.rows))
        try:
            said = super().readings(block, await self.ask(block))
        except Refused as refused:
            raise WrongDevice(
                f"{where}: no registers 1200 to 1210 ({refused}), so no Alicat with this map"
            ) from refused
        for name, (low, high) in PLAUSIBLE.items():
            value = said[name].value
            if not isinstance(value, (int, float)) or not low <= value <= high:
                raise WrongDevice(f"{where}: {name} is {value}: no Alicat with this map")
        half = self.table["half_status"]
        try:
            await self.ask(self.block(half.wire, half.length, (half,)))
        except Refused as refused:
            if refused.code == "02":
                return Identity(self.maker, "mass flow controller (Modbus)")
            raise
        raise WrongDevice(f"{where}: half a 32-bit value was answered (X: an Alicat refuses it with exception 02)")

    def readings(self, block: Block, data: bytes) -> dict[str, Reading]:
        found = super().readings(block, data)
        if "status" in found:
            self._judge(found)
        now = asyncio.get_running_loop().time()
        for name in FLOWS:
            if name in found and found[name].quality is Quality.GOOD:
                value = found[name].value
                assert isinstance(value, float)
                found[name] = (
                    self.bad("say in option flow_unit whether the display shows SCCM or SLPM")
                    if self.factor is None
                    else Reading(value * self.factor, now, Quality.GOOD)
                )
        return found

    def _judge(self, found: dict[str, Reading]) -> None:
        """Status and gas in words, and what they make worthless."""
        bits, number = found["status"].value, found["gas"].value
        assert isinstance(bits, int)
        assert isinstance(number, int)
        said = tuple(word for bit, word in enumerate(words.BITS) if bits >> bit & 1)
        gas = words.GASES.get(number, f"mix {number}" if words.FIRST_MIX <= number <= words.LAST_MIX else "")
        wanted = self.options.get("gas", gas)
        condemned = words.condemned(said)
        if "measurement aborted" in said:
            condemned = dict.fromkeys(words.EVERYTHING, "measurement aborted")
        for name in ("pressure", "temperature", "volumetric_flow", "standard_flow"):
            why = condemned.get(name, "")
            if bits >> len(words.BITS):
                why = f"status {bits:#010x} has bits the sheet does not have: is its word order another?"
            elif not gas:
                why = f"gas number {number} is none of the sheet"
            elif gas != wanted and name in FLOWS:
                why = f"the device is set to {gas}, this place is for {wanted}"
            if why:
                found[name] = self.bad(why)
        told = dict.fromkeys(words.STATUS.get(word, word) for word in said)
        found["status"] = self.good("; ".join(told) or "good")
        found["gas"] = self.good(gas) if gas else self.bad(f"gas number {number} is none of the sheet")
        if "valve_held" in found:
            found["valve_held"] = self.good(bool(bits >> words.BITS.index("HLD") & 1))

    async def write(self, name: str, value: Value) -> Reading:
        """The set point in mL/min (standard), or the gas by its short name; sent once and read back.

        Raises OutOfRange, Refused, WireError.
        """
        if name == "gas":
            return await self._set_gas(str(value))
        if name != "flow_setpoint":
            raise Refused("read only", f"{name} of {self.model} cannot be set")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise Refused("no number", f"{value!r} is no flow")
        if self.factor is None or not self.full_scale:
            raise Refused("option", "no set point without the options flow_unit and full_scale: the wire does not tell")
        words.check_flow(name, value, self.full_scale * self.factor)
        wanted = self.options.get("gas")
        if value and wanted is not None and (gas := (await self.read("gas")).value) != wanted:
            raise Refused(
                "gas", f"address {self.address} is set to {gas}, this place is for {wanted}: set its gas first"
            )
        row = self.table[name]
        data = struct.pack(">f", value / self.factor)
        await self.tell(modbus.write_many_request(self.address, row.wire, data))
        reading = await self.read(name)
        wanted = struct.unpack(">f", data)[0] * self.factor
        if not isinstance(reading.value, float) or abs(reading.value - wanted) > 1e-6 * self.full_scale * self.factor:
            raise Refused("read-back", f"address {self.address}: set point {reading.value} after {value:g} was written")
        return reading

    async def _set_gas(self, gas: str) -> Reading:
        if (reading := await self.read("gas")).value == gas:
            return reading
        if (number := words.gas_number(gas)) is None:
            raise Refused("gas", f"{gas!r} is no gas of the sheet; there are {', '.join(words.GASES.values())}")
        await self.do(GAS, number)
        if (reading := await self.read("gas")).value != gas:
            raise Refused("read-back", f"address {self.address}: gas is {reading.value} after {gas} was chosen")
        return reading

    async def do(self, command: int, argument: int, timeout_s: float | None = None) -> None:
        """Give one command (number 1000 with its argument) once, and read its result code; raises Refused by it."""
        row = self.table["command"]
        request = modbus.write_many_request(self.address, row.wire, struct.pack(">HH", command, argument))
        await self.tell(request, timeout_s)
        data = await self.ask(self.block(row.wire, row.length, (row,)))
        last, result = struct.unpack(">HH", data)
        if last != command or result:
            why = words.RESULTS.get(result, "an unknown result") if last == command else f"it tells of command {last}"
            raise Refused(str(result), f"address {self.address}: command {command} with {argument}: {why}")

    async def hold_valve(self) -> None:
        """Hold the valve where it is, until `release_valve`; seen by status bit 8."""
        await self._hold(2)

    async def close_valve(self) -> None:
        """Hold the valve closed, until `release_valve`; seen by status bit 8."""
        await self._hold(1)

    async def release_valve(self) -> None:
        """Let the controller have its valve again: flow goes back to the set point."""
        await self._hold(0)

    async def _hold(self, how: int) -> None:
        await self.do(VALVE, how)
        if (await self.read("valve_held")).value is not bool(how):
            raise Refused("read-back", f"address {self.address}: command 6 with {how} had no effect on status bit 8")

    async def lock_buttons(self, locked: bool) -> None:
        """Lock or unlock the buttons; only the result code tells (no status bit)."""
        await self.do(LOCK, int(locked))

    async def reset_total(self) -> None:
        """Set the totalizer to 0; reading it is not in the sheet for sure (1211: ?), so nothing here does."""
        await self.do(RESET_TOTAL, 0)

    async def calibrate(self, point: str, reference: float | None = None) -> Mapping[str, float]:
        """Tare flow or pressure; a flow tare is refused while gas is let through. Raises Refused, WireError."""
        if point not in ZERO:
            raise Refused("no procedure", f"{self.model} has no calibration {point!r} of its own")
        if reference is not None:
            raise Refused("no number", f"{point} takes no reference")
        if point == "zero_flow":
            readings = await self.poll()
            for name, most in (("flow_setpoint", 0.0), ("standard_flow", 0.02 * self.full_scale * (self.factor or 0))):
                value = readings[name].value
                if not isinstance(value, float) or abs(value) > most:
                    raise Refused("flow", f"no tare: {name} is {value} {readings[name].why}; set it to 0 and wait")
        await self.do(TARE, ZERO[point][0], TARE_TIMEOUT_S)
        return await self.calibration()
