"""Atlas Scientific EZO circuits for pH, DO, RTD, EC, ORP and CO2 over UART (datasheet atlas-ezo.md).

The words EC, ORP and CO2 in the answer to `i` are derived (X): what calls itself otherwise is the wrong device.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from drivers.core.calibration import CalibrationPoint
from drivers.core.device import Signal
from drivers.core.errors import Refused
from drivers.core.registers import Row
from drivers.core.signals import Quality, Reading
from drivers.devices.atlas_ezo.circuit import AtlasEzo

AIR_AT = {"compensation_temperature": 20.0, "air_pressure": 101.3, "salinity": 0.0}
"""Settings under which a DO circuit is calibrated (F)."""


class AtlasEzoPh(AtlasEzo):
    """EZO-pH: 0.001 to 14.000 with three decimals; compensated for a temperature that is set here."""

    model = "atlas_ezo_ph"
    word = "PH"
    form = re.compile(r"-?\d{1,2}\.\d{3}")
    measured = ("ph",)
    every_poll = ("compensation_temperature",)
    most_points = 3
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        "mid": CalibrationPoint(
            "ph", "[pH]", 0.001, 14.0, "probe 1 to 2 min in the middle buffer (7); this erases the low and high points"
        ),
        "low": CalibrationPoint("ph", "[pH]", 0.001, 14.0, "after mid: probe 1 to 2 min in the low buffer (4)"),
        "high": CalibrationPoint("ph", "[pH]", 0.001, 14.0, "after mid: probe 1 to 2 min in the high buffer (10)"),
    }

    ph = Signal()
    compensation_temperature = Signal()
    calibrated_points = Signal()
    slope_acid = Signal()
    slope_base = Signal()
    neutral_offset = Signal()
    extended_scale = Signal()
    supply_voltage = Signal()
    restart_cause = Signal()
    device_name = Signal()
    led = Signal()
    protocol_lock = Signal()

    async def calibration(self) -> Mapping[str, float]:
        """Points, both slopes in % of the ideal one, and the offset at pH 7 in mV."""
        told, _ = await self._look_up(("calibrated_points", "slope_acid", "slope_base", "neutral_offset"))
        names = ("points", "slope_acid_percent", "slope_base_percent", "neutral_offset_mv")
        values = zip(names, told.values(), strict=True)
        return {name: it.value for name, it in values if isinstance(it.value, (int, float))}

    def _judged(self, row: Row, value: float) -> Reading:
        if value in (row.low, row.high, 0.0):
            return self.bad(f"pH {value:g} is the end of the range: look at the probe and its plug")
        return super()._judged(row, value)

    def _command(self, point: str, reference: str) -> str:
        return f"Cal,{point},{reference}"

    def _not_yet(self, point: str, points: int) -> str:
        return "take the mid point first" if point != "mid" and not points else ""

    def _fits(self, point: str, before: int, after: int) -> bool:
        return after == 1 if point == "mid" else after >= max(2, before)


class AtlasEzoDo(AtlasEzo):
    """EZO-DO: percent of air saturation and mg/L, both outputs switched on."""

    model = "atlas_ezo_do"
    word = "DO"
    form = re.compile(r"\d{1,3}\.\d{2},\d{1,3}\.\d")
    measured = ("dissolved_oxygen", "dissolved_oxygen_mg_l")
    every_poll = ("compensation_temperature",)
    most_points = 2
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        "air": CalibrationPoint("dissolved_oxygen", "", what="probe in moist air until the reading is steady"),
        "zero": CalibrationPoint("dissolved_oxygen", "", what="probe in zero oxygen solution, reading steady"),
    }

    dissolved_oxygen = Signal()
    dissolved_oxygen_mg_l = Signal()
    compensation_temperature = Signal()
    salinity = Signal()
    air_pressure = Signal()
    calibrated_points = Signal()
    supply_voltage = Signal()
    restart_cause = Signal()
    device_name = Signal()
    led = Signal()
    protocol_lock = Signal()

    async def _arrange(self) -> None:
        """Both outputs on: mg/L comes first in a reading, whatever the order in `?,O,%,mg`."""
        on = await self._fields("O,?", "?,O,")
        for output in ("mg", "%"):
            if output not in on:
                await self._tell(f"O,{output},1")
        if not {"mg", "%"} <= set(on) and not {"mg", "%"} <= set(on := await self._fields("O,?", "?,O,")):
            raise Refused(",".join(on), "the circuit does not give both mg/L and %")

    async def _teach(self, point: str, reference: str) -> None:
        """At 20 °C, 101.3 kPa and no salt, as the sheet has it; then the former settings come back."""
        settings = {name: await self.read(name) for name in AIR_AT}
        for name, reading in settings.items():
            if not isinstance(reading.value, (int, float)):
                raise Refused(name, f"set {name} before calibrating, so that it can be set back: {reading.why}")
        try:
            for name, value in AIR_AT.items():
                if settings[name].value != value:
                    await self.write(name, value)
            await super()._teach(point, reference)
        finally:
            for name, value in AIR_AT.items():
                if settings[name].value != value:
                    await self.write(name, settings[name].value)

    def _command(self, point: str, reference: str) -> str:
        return "Cal" if point == "air" else "Cal,0"


class AtlasEzoRtd(AtlasEzo):
    """EZO-RTD: -126 to 1254 °C, scale kept at Celsius and asked for in every poll."""

    model = "atlas_ezo_rtd"
    word = "RTD"
    form = re.compile(r"-?\d{1,4}\.\d{3}")
    measured = ("temperature",)
    every_poll = ("scale",)
    most_points = 1
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        "single": CalibrationPoint("temperature", "Cel", -126.0, 1254.0, "probe beside a reference, both steady"),
    }

    temperature = Signal()
    scale = Signal()
    calibrated_points = Signal()
    supply_voltage = Signal()
    restart_cause = Signal()
    device_name = Signal()
    led = Signal()
    protocol_lock = Signal()

    async def _arrange(self) -> None:
        if await self._word("S,?", "?S,") != "c":
            await self._tell("S,c")
            if (kept := await self._word("S,?", "?S,")) != "c":
                raise Refused(f"?S,{kept}", "the circuit does not keep the Celsius scale")

    def _judged(self, row: Row, value: float) -> Reading:
        if value <= -1023:
            return self.bad("no probe: the circuit measures nothing at its plug")
        return super()._judged(row, value)

    def _condemned(self, readings: dict[str, Reading]) -> dict[str, Reading]:
        scale = readings["scale"]
        if readings["temperature"].quality is Quality.GOOD and scale.value != "c":
            said = scale.why or f"its scale is {scale.value}, not c: connect again"
            readings["temperature"] = self.bad(f"the temperature has no known scale: {said}")
        return readings

    async def _teach(self, point: str, reference: str) -> None:
        await self._arrange()
        await super()._teach(point, reference)


class AtlasEzoEc(AtlasEzo):
    """EZO-EC: conductivity; further outputs that somebody switched on are left on, and passed over."""

    model = "atlas_ezo_ec"
    word = "EC"
    form = re.compile(r"\d{1,7}(?:\.\d{1,3})?(?:,\d{1,7}(?:\.\d{1,3})?){0,3}")
    measured = ("conductivity",)
    every_poll = ("compensation_temperature",)
    most_points = 3
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        "dry": CalibrationPoint("conductivity", "", what="probe dry, before any other point"),
        "single": CalibrationPoint("conductivity", "uS/cm", 0.0, None, "after dry: probe in the one standard"),
        "low": CalibrationPoint("conductivity", "uS/cm", 0.0, None, "after dry: probe in the low standard"),
        "high": CalibrationPoint("conductivity", "uS/cm", 0.0, None, "after low: probe in the high standard"),
    }

    conductivity = Signal()
    compensation_temperature = Signal()
    cell_constant = Signal()
    calibrated_points = Signal()
    supply_voltage = Signal()
    restart_cause = Signal()
    device_name = Signal()
    led = Signal()
    protocol_lock = Signal()

    outputs = 1
    """How many values a reading has; read at `prepare`."""

    async def _arrange(self) -> None:
        """EC on; it comes first in a reading."""
        on = await self._fields("O,?", "?,O,")
        if "EC" not in on:
            await self._tell("O,EC,1")
            on = await self._fields("O,?", "?,O,")
            if "EC" not in on:
                raise Refused(",".join(on), "the circuit does not give EC")
        self.outputs = len(on)

    def _unfit(self, parts: Sequence[str]) -> str:
        wrong = len(parts) != self.outputs
        return super()._unfit(parts) or (
            f"{len(parts)} values came, not {self.outputs}: connect again" if wrong else ""
        )

    def _command(self, point: str, reference: str) -> str:
        match point:
            case "dry":
                return "Cal,dry"
            case "single":
                return f"Cal,{reference}"
            case _:
                return f"Cal,{point},{reference}"

    def _fits(self, point: str, before: int, after: int) -> bool:
        """What the number counts after `dry` is not in the sheet (?): only that nothing is lost."""
        return after >= (0 if point == "dry" else max(1, before))


class AtlasEzoOrp(AtlasEzo):
    """EZO-ORP: redox potential in mV."""

    model = "atlas_ezo_orp"
    word = "ORP"
    form = re.compile(r"-?\d{1,4}(?:\.\d{1,2})?")
    measured = ("redox",)
    most_points = 1
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        "single": CalibrationPoint("redox", "mV", None, None, "probe in the redox standard, reading steady"),
    }

    redox = Signal()
    calibrated_points = Signal()
    supply_voltage = Signal()
    restart_cause = Signal()
    device_name = Signal()
    led = Signal()
    protocol_lock = Signal()


class AtlasEzoCo2(AtlasEzo):
    """EZO-CO2: 0 to 10,000 ppm in gas. Too little for a CO2 incubator; watches the air of the room."""

    model = "atlas_ezo_co2"
    kind = "gas sensor"
    word = "CO2"
    form = re.compile(r"\d{1,5}")
    measured = ("co2",)
    most_points = 3
    warm_up_s = 10.0
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        "zero": CalibrationPoint("co2", "", what="sensor in gas without CO2, reading steady"),
        "high": CalibrationPoint("co2", "[ppm]", 0.0, 10000.0, "sensor in a gas of known CO2, reading steady"),
    }

    co2 = Signal()
    calibrated_points = Signal()
    supply_voltage = Signal()
    restart_cause = Signal()
    device_name = Signal()
    led = Signal()
    protocol_lock = Signal()

    def _judged(self, row: Row, value: float) -> Reading:
        if value == row.high:
            return self.bad("the end of the range is reached: more CO2 than the sensor can tell")
        return super()._judged(row, value)

    def _command(self, point: str, reference: str) -> str:
        return "Cal,0" if point == "zero" else f"Cal,{round(float(reference))}"
