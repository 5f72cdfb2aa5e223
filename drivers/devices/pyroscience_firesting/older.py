"""PyroScience meters with firmware below 4: FireStingO2 and Piccolo2, 19200 baud 8N1 (datasheet S, P)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Signal
from drivers.core.errors import Refused, WireError
from drivers.core.line import Line
from drivers.core.registers import Table
from drivers.core.signals import Reading
from drivers.devices.pyroscience_firesting.calibration import OXYGEN_POINTS
from drivers.devices.pyroscience_firesting.meter import CALIBRATION, CALIBRATION_S, RESULTS, PyroScienceMeter

TRIGGERS = ((2, "TMP"), (4, "PRS"), (8, "HUM"), (1, "MSR"))
"""What has a sensor measured; the optical one last, as it is corrected for the others."""
OPTICAL, AIR = 3, 12
AIR_EVERY_S = 60.0
"""Pressure and humidity cost an exchange each and hardly move."""


class Older(PyroScienceMeter):
    """Measuring is one command a sensor, then the results are read."""

    table: ClassVar[Table] = registers.load("pyroscience_firesting", "commands_v3.csv", counts_from=0)
    default_url = "serial:///dev/ttyUSB0?baud=19200&parity=N&stopbits=1"
    version_numbers = (3, 4)
    results = 13
    evidence = "SX"
    calibration_points = OXYGEN_POINTS
    seldom: ClassVar[Mapping[str, float]] = {
        **PyroScienceMeter.seldom,
        "pressure": AIR_EVERY_S,
        "humidity": AIR_EVERY_S,
    }

    dissolved_oxygen = Signal()
    oxygen_concentration = Signal()
    oxygen_pressure = Signal()
    oxygen_fraction = Signal()
    temperature = Signal()
    case_temperature = Signal()
    phase = Signal()
    signal_intensity = Signal()
    ambient_light = Signal()
    pressure = Signal()
    humidity = Signal()
    sensor_status = Signal()
    temperature_compensation = Signal()
    salinity = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self._air_due = -math.inf

    async def prepare(self) -> None:
        await super().prepare()
        self._air_due = -math.inf

    async def measure(self, sensors: int) -> tuple[int, ...]:
        for bit, command in TRIGGERS:
            if sensors & bit:
                await self._ask(f"{command} {self.channel}", 0)
        return await self.registers(RESULTS, 0, self.results)

    async def _poll_results(self) -> dict[str, Reading]:
        """Pressure and humidity come once a minute."""
        due = asyncio.get_running_loop().time() >= self._air_due
        sensors = OPTICAL | AIR if due else OPTICAL
        try:
            readings = self._results(await self.measure(sensors), sensors)
        except WireError:
            self._air_due = -math.inf
            raise
        if due:
            self._air_due = asyncio.get_running_loop().time() + AIR_EVERY_S
        return readings


class PyroScienceFireStingO2(Older):
    """FireStingO2 or Piccolo2, firmware 3.20 to below 4."""

    model = "pyroscience_firesting_o2"
    firmware = (320, 400)

    pressure_compensation = Signal()


class PyroScienceFireStingO2Old(Older):
    """FireStingO2 with firmware below 3.20: what a calibration holds for is written to its registers first.

    The register of the pressure is in mbar up to 3.10 and in 0.001 mbar later (S); which one it is, is told by the
    pressure kept there, as both ranges are far apart. The pressure setting, of which that is not told, is left alone.
    """

    model = "pyroscience_firesting_o2_old"
    firmware = (100, 320)

    async def _calibrate_in_air(self, cel: float, rh_percent: float) -> None:
        hpa = await self._sure("pressure")
        scale = await self._pressure_scale()
        await self._teach(3, round(cel * 1000), round(hpa * scale), round(rh_percent * scale))
        await self._do(f"CHI {self.channel} 16 0", CALIBRATION_S)

    async def _calibrate_zero(self, cel: float) -> None:
        await self._teach(2, round(cel * 1000))
        await self._do(f"CLO {self.channel} 16 0", CALIBRATION_S)

    async def _teach(self, first: int, *raw: int) -> None:
        """Write calibration registers and read them back."""
        await self.set_registers(CALIBRATION, first, *raw)
        if (kept := await self.registers(CALIBRATION, first, len(raw))) != raw:
            raise Refused("read-back", f"calibration registers from {first} read {kept} after {raw} was written")

    async def _pressure_scale(self) -> float:
        (kept,) = await self.registers(CALIBRATION, 4, 1)
        for scale in (1.0, 1000.0):
            if 300 <= kept / scale <= 1100:
                return scale
        raise Refused(
            "pressure scale", f"the calibration pressure of this meter, {kept}, is neither mbar nor 0.001 mbar"
        )

    async def calibration(self) -> Mapping[str, float]:
        """As newer meters, with pressure and humidity in the scale of this one."""
        found = dict(await super().calibration())
        factor = 1000.0 / await self._pressure_scale()
        return {**found, "pressure_hpa": found["pressure_hpa"] * factor,
                "humidity_percent": found["humidity_percent"] * factor}  # fmt: skip
