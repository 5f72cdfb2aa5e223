"""Vaisala GMP251 and GMP252 CO2 probes on Modbus RTU, sheet vaisala-gmp25x.md. CO2 comes in ppm: 5 % = 50 000."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Signal
from drivers.core.errors import Refused, WireError
from drivers.core.line import Line
from drivers.core.signals import Quality, Reading
from drivers.devices.vaisala_probes import words
from drivers.devices.vaisala_probes.probe import VaisalaProbe

OLDER = "GMP25X"
"""Product code of the older edition (V): it does not say which of the two probes it is, and so it may be either."""
BAUDS = (4800, 9600, 19200, 38400, 57600, 115200)
PARITIES = ("N", "E", "O")
QUANTITIES = ("pressure", "temperature", "humidity", "oxygen")
SETTINGS_EVERY_S = 600.0
COMPENSATIONS = {"pressure_hpa": "pressure", "humidity_percent": "humidity", "oxygen_percent": "oxygen"}
"""Option -> what it compensates for; two registers and a switch each."""


@dataclass(frozen=True, slots=True)
class LineSettings:
    """How the probe talks after its next reset."""

    address: int
    baud: int
    parity: str
    stop_bits: int


class VaisalaGmp25x(VaisalaProbe):
    """What both CO2 probes share: one register map and one set of compensations.

    Options: pressure_hpa, humidity_percent, oxygen_percent = what `prepare` compensates for, at once and after every
    reset of the probe.
    """

    kind = "gas sensor"
    table = registers.load("vaisala_probes")
    evidence = "VHX"
    option_names = tuple(COMPENSATIONS)
    seldom: ClassVar[Mapping[str, float]] = dict.fromkeys(
        (
            *(f"{when}_{what}" for when in ("power_up", "given") for what in QUANTITIES),
            *(f"{what}_compensation" for what in QUANTITIES),
            "co2_filter",
        ),
        SETTINGS_EVERY_S,
    )

    co2 = Signal()
    temperature = Signal()
    temperature_in_use = Signal()
    power_up_pressure = Signal()
    power_up_temperature = Signal()
    power_up_humidity = Signal()
    power_up_oxygen = Signal()
    given_pressure = Signal()
    given_temperature = Signal()
    given_humidity = Signal()
    given_oxygen = Signal()
    pressure_compensation = Signal()
    temperature_compensation = Signal()
    humidity_compensation = Signal()
    oxygen_compensation = Signal()
    co2_filter = Signal()
    device_status = Signal()
    co2_status = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self.wanted = {what: float(self.options[name]) for name, what in COMPENSATIONS.items() if name in self.options}
        for what, value in self.wanted.items():
            row = self.table[f"given_{what}"]
            assert row.low is not None
            assert row.high is not None
            if not row.low <= value <= row.high:
                raise ValueError(f"{self.model}: {what} {value:g} is outside {row.low:g} to {row.high:g} {row.unit}")

    def check_product(self, vendor: str, product: str) -> None:
        """The older edition names no model: it is taken for the one this place is for."""
        if vendor == self.maker and product.upper().startswith(OLDER):
            return
        super().check_product(vendor, product)

    async def prepare(self) -> None:
        """Write the compensations the options ask for, where they differ, and read them back.

        The power-up value too (EEPROM, once): a probe that lost power would else go on without it, unnoticed. Raises
        Refused where humidity could only be compensated for wrongly.
        """
        for what, value in self.wanted.items():
            if what == "humidity":
                await self._must_be_on("pressure_compensation", "temperature_compensation")
            await self.write(f"power_up_{what}", value)
            await self.write(f"given_{what}", value)
            await self.write(f"{what}_compensation", True)

    async def _must_be_on(self, *names: str) -> None:
        for name in names:
            if not (await self.read(name)).value:
                raise Refused(
                    f"{name} is off",
                    f"{self.model}: humidity is compensated for rightly with {' and '.join(names)} on (V): set {name}",
                )

    async def line_settings(self) -> LineSettings:
        """Address, speed, parity and stop bits as stored; raises Refused for a code without a meaning."""
        rows = tuple(self.table[name] for name in ("address", "speed_code", "parity_code", "stop_bits"))
        data = await self.ask(self.block(rows[0].wire, 4, rows))
        address, speed, parity, stop_bits = struct.unpack(">4H", data)
        if speed >= len(BAUDS) or parity >= len(PARITIES):
            raise Refused(f"{speed}, {parity}", "codes of speed and parity that the guide does not know")
        return LineSettings(address, BAUDS[speed], PARITIES[parity], stop_bits)

    async def poll(self) -> dict[str, Reading]:
        """Two exchanges, and every ten minutes two more for the settings; what the status registers condemn is BAD."""
        return await self._judged(await super().poll())

    async def read(self, name: str) -> Reading:
        reading = await super().read(name)
        if name not in ("co2", "temperature", "temperature_in_use"):
            return reading if not name.endswith("_status") else (await self._judged({name: reading}))[name]
        block = next(each for each in self.blocks() if each.rows[0].name == "device_status")
        return (await self._judged({name: reading} | self.readings(block, await self.ask(block))))[name]

    async def _judged(self, readings: dict[str, Reading]) -> dict[str, Reading]:
        """Put the status registers into words and condemn the measurements they speak of."""
        device, co2 = readings.get("device_status"), readings.get("co2_status")
        why = why_co2 = remark = ""
        if device is not None:
            if isinstance(device.value, int):
                said = words.spelled(device.value, words.DEVICE, "device status")
                if device.value:
                    said += await self._errors()
                    why, remark = (said, "") if device.value & words.CONDEMNS else ("", said)
                readings["device_status"] = device._replace(value=said)
            else:
                why = f"the device status is not known: {device.why}"
        if co2 is not None:
            if isinstance(co2.value, int):
                said = words.spelled(co2.value, words.CO2, "CO2 status")
                why_co2 = said if co2.value else ""
                readings["co2_status"] = co2._replace(value=said)
            else:
                why_co2 = f"the CO2 status is not known: {co2.why}"
        for name in ("co2", "temperature", "temperature_in_use"):
            if name in readings:
                bad = why or (why_co2 if name == "co2" else "")
                if bad:
                    readings[name] = self.condemned(readings[name], bad)
                elif remark and readings[name].quality is Quality.GOOD:
                    readings[name] = readings[name]._replace(why=remark)
        return readings

    async def _errors(self) -> str:
        """What the error register adds, in words; "" where the probe has none (older edition)."""
        try:
            value = await self.read_row(self.table["error_bits"])
        except WireError:
            return ""
        return f": {words.spelled(value, words.GMP_ERRORS, 'error')}" if isinstance(value, int) and value else ""


class VaisalaGmp251(VaisalaGmp25x):
    """Percent-level CO2 probe for incubators, 0 to 20 % (X)."""

    model = "vaisala_gmp251"
    product_begins = "GMP251"


class VaisalaGmp252(VaisalaGmp25x):
    """ppm-level CO2 probe, 0 to 10 000 ppm (X): room air and gas lines, not an incubator at 5 %."""

    model = "vaisala_gmp252"
    product_begins = "GMP252"
