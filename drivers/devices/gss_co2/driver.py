"""GSS CO2 sensors on a UART, sheet gss-co2-sprintir.md. 9600 8N1 (3.3 V TTL), one sensor a line."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeVar

from drivers.core import registers
from drivers.core.calibration import CalibrationPoint
from drivers.core.device import Device, LinkLoss, Signal
from drivers.core.errors import LinkLost, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Identity, Reading, Value
from drivers.devices.gss_co2 import replies

T = TypeVar("T")

POLLING = 2
STREAM_PAUSE_S = 0.1
"""To be left after a command in streaming mode (K)."""
STREAM_GAP_S = 0.01
"""Between two lines of a stream, 20 a second and more: what a sensor that still streams is quiet for."""
SLOWLY_S = 60.0
SLOW = ("filter", "pressure_compensation", "auto_zero")
MULTIPLIERS = (1, 10, 100)
PPM_PER_PERCENT = 10_000
SETTLE_S = 1.5
"""Three measurements of the slow sensors (2 a second): how long after a calibration the new reading is looked at."""
TAUGHT_WITHIN = 0.3
"""A reading further than this share from what was taught shows that the unit of the argument (X) is another."""
CALIBRATION_TIMEOUT_S = 2.0
INTERVALS = re.compile(r"\d+(?:\.\d+)? \d+(?:\.\d+)?")


class GssCo2(Device):
    """What the sensors share: polling mode, the multiplier, the digital filter, zero and span.

    `prepare` ends the stream (delivery state) and switches auto-zero off: it takes the lowest value of some days for
    fresh air, which is wrong at 5 % CO2. Option `auto_zero` = keep leaves it as it is.
    """

    table = registers.load("gss_co2", "commands.csv")
    maker = "GSS"
    kind = "gas sensor"
    default_url = "serial:///dev/ttyUSB0?baud=9600&parity=N&stopbits=1"
    on_link_loss = LinkLoss.ONLY_MEASURES
    safe_state = "a sensor only measures; nothing to make safe"
    evidence = "RCKZVX"
    timeout_s = 0.5  # the reply comes within 0.1 s (Z); 0.2 s in Z, 1 s in C
    option_names = ("auto_zero",)
    seldom: ClassVar[Mapping[str, float]] = dict.fromkeys(SLOW, SLOWLY_S)
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        "zero_fresh_air": CalibrationPoint("co2", "", what="sensor in fresh outdoor air, reading steady"),
        "zero_nitrogen": CalibrationPoint("co2", "", what="sensor in pure nitrogen, reading steady"),
        "factory_zero": CalibrationPoint("co2", "", what="gives back the zero of the factory"),
        "span": CalibrationPoint("co2", "%", 0.0, 100.0, "sensor in a gas of known CO2, reading steady"),
        "fine_tune": CalibrationPoint("co2", "%", 0.0, 100.0, "sensor in a gas of known CO2, reading steady"),
    }

    type_name: ClassVar[str]
    quick: ClassVar[tuple[str, ...]] = ("co2", "co2_unfiltered")
    """What every poll asks for, one exchange each."""

    co2 = Signal()
    co2_unfiltered = Signal()
    filter = Signal()
    pressure_compensation = Signal()
    auto_zero = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for options no sensor can have."""
        super().__init__(line, address, options)
        if self.options.get("auto_zero", "off") not in ("off", "keep"):
            raise ValueError("option auto_zero is off or keep")
        self.multiplier = 0
        """ppm of one count; 0 = not asked yet."""
        self.slowly_due = -math.inf

    async def _ask(
        self,
        command: str,
        parse: Callable[[bytearray], T | None],
        retries: int = 0,
        timeout_s: float | None = None,
        doubt_s: float | None = None,
    ) -> T:
        request, timeout_s = command.encode("ascii") + b"\r\n", timeout_s or self.timeout_s
        return await self.line.query(request, parse, timeout_s=timeout_s, retries=retries, doubt_s=doubt_s)

    async def _ask_in_stream(self, command: str, parse: Callable[[bytearray], T | None]) -> T:
        """A question whose answer looks like no measurement: a stream never leaves the silence of a missing reply."""
        return await self._ask(command, parse, retries=2, doubt_s=STREAM_GAP_S)

    async def _number(self, name: str) -> int:
        command = self.table[name].command
        return await self._ask(command, replies.number(command), retries=1)

    async def identify(self) -> Identity:
        """Y: firmware and serial number, in any mode; a sensor without Y shows itself by its multiplier.

        `Z` would zero a balance and `T` tare it, so neither is asked before the sensor is known. Raises WrongDevice.
        """
        where = self.line.name
        try:
            firmware, serial = await self._ask_in_stream(self.table["identity"].command, replies.identity())
        except Refused:
            try:
                await self._read_multiplier()
            except Refused as refused:
                raise WrongDevice(f"{where}: it knows neither Y nor its multiplier: no GSS sensor") from refused
            firmware = serial = ""
        return Identity(self.maker, self.type_name, serial, firmware)

    async def prepare(self) -> None:
        """Polling mode, the multiplier, and auto-zero off (written only when it is on); may be repeated."""
        self.slowly_due = -math.inf
        if await self._ask_in_stream(f"K {POLLING}", replies.number("K")) != POLLING:
            raise Refused("K", f"{self.line.name}: the sensor did not go into polling mode")
        await asyncio.sleep(STREAM_PAUSE_S)
        await self._read_multiplier()
        if self.options.get("auto_zero", "off") == "off":
            try:
                await self._set_auto_zero("off")
            except Refused as refused:
                if refused.code != "?":  # a sensor without auto-zero needs none switched off
                    raise

    async def _read_multiplier(self) -> int:
        self.multiplier = 0
        found = await self._number("multiplier")
        if found not in MULTIPLIERS:
            raise Refused(".", f"{self.line.name}: multiplier {found} is none of {MULTIPLIERS}")
        self.multiplier = found
        return found

    # -- reading

    async def poll(self) -> dict[str, Reading]:
        """One exchange a value; filter, compensation and auto-zero every minute. A silent sensor is asked once."""
        readings: dict[str, Reading] = {}
        now = asyncio.get_running_loop().time()
        names = self.quick + (SLOW if now >= self.slowly_due else ())
        for at, name in enumerate(names):
            try:
                readings[name] = await self.read(name)
            except (NoAnswer, LinkLost) as error:
                self.slowly_due = -math.inf
                return readings | dict.fromkeys(names[at:], self.bad(str(error)))
            except WireError as error:
                readings[name] = self.bad(str(error))
        if len(names) > len(self.quick):
            self.slowly_due = now + SLOWLY_S
        return readings

    async def read(self, name: str) -> Reading:
        if name == "auto_zero":
            try:
                return self.good(await self._ask("@", replies.auto_zero, retries=1))
            except Refused:
                return self.good("none")
        if name in ("co2", "co2_unfiltered"):
            multiplier = self.multiplier or await self._read_multiplier()
            return self._within(name, await self._number(name) * multiplier / PPM_PER_PERCENT)
        return self._within(name, float(await self._number(name)))

    def _within(self, name: str, value: float) -> Reading:
        """BAD outside the limits of the table: no sensor of the sheet measures that."""
        try:
            self.check_limits(name, value)
        except OutOfRange as error:
            return self.bad(f"the sensor sent {error}")
        return self.good(value)

    # -- setting

    async def write(self, name: str, value: Value) -> Reading:
        """Filter, pressure compensation (both whole numbers) or auto-zero (`off`, `1.0 8.0`); stored by the sensor, so
        written only when different. Raises OutOfRange, Refused, WireError."""
        if name == "auto_zero":
            return await self._set_auto_zero(str(value))
        if name not in ("filter", "pressure_compensation"):
            raise Refused("read only", f"{name} of {self.model} cannot be set")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
            raise Refused("no number", f"{name} takes a whole number, not {value!r}")
        self.check_limits(name, value)
        reading = await self.read(name)
        if reading.value == value:
            return reading
        letter = self.table[name].extra["set"]
        echo = await self._ask(f"{letter} {int(value)}", replies.number(letter))
        reading = await self.read(name)
        if echo != value or reading.value != value:
            raise Refused("read-back", f"{name} is {reading.value} after {int(value)} was written")
        return reading

    async def _set_auto_zero(self, wanted: str) -> Reading:
        if wanted not in ("off", "none") and not INTERVALS.fullmatch(wanted):
            raise Refused("@", f"auto_zero is off or two intervals in days such as 1.0 8.0, not {wanted!r}")
        reading = await self.read("auto_zero")
        if _same(str(reading.value), wanted) or (reading.value == "none" and wanted == "off"):
            return reading
        await self._ask(f"@ {'0' if wanted == 'off' else wanted}", replies.auto_zero)
        reading = await self.read("auto_zero")
        if not _same(str(reading.value), wanted):
            raise Refused("read-back", f"auto_zero is {reading.value} after {wanted} was written")
        return reading

    async def calibrate(self, point: str, reference: float | None = None) -> Mapping[str, float]:
        """Teach one point, at once and stored; returns the sensor's number for it (it varies).

        `span` and `fine_tune` take the true CO2 in %: what the sensor then reads is compared with it, as the unit of
        their argument is derived (X). Raises OutOfRange, Refused, WireError.
        """
        known = self.calibration_points.get(point)
        if known is None:
            raise Refused("no procedure", f"{self.model} has no calibration {point!r} of its own")
        command = self.table[point].extra["set"]
        if known.unit:
            if reference is None:
                raise Refused("no number", f"{point} needs the true CO2 in %")
            self._check_reference(point, reference)
            multiplier = self.multiplier or await self._read_multiplier()
            real = round(reference * PPM_PER_PERCENT / multiplier)
            shown = f"{await self._number('co2')} " if point == "fine_tune" else ""
            arguments = f" {shown}{real}"
        else:
            if reference is not None:
                raise Refused("no number", f"{point} takes no reference")
            arguments = ""
        taught = await self._ask(command + arguments, replies.number(command), timeout_s=CALIBRATION_TIMEOUT_S)
        if reference is not None:
            await self._check_taught(point, reference)
        return {point: float(taught)}

    def _check_reference(self, point: str, reference: float) -> None:
        if not 0 < reference <= 100:
            raise OutOfRange(point, reference, "%", 0.0, 100.0, f"the datasheet of {self.model}")

    async def _check_taught(self, point: str, reference: float) -> None:
        await asyncio.sleep(SETTLE_S)
        reading = await self.read("co2_unfiltered")
        if not isinstance(reading.value, float) or abs(reading.value - reference) > TAUGHT_WITHIN * reference:
            raise Refused(
                "read-back",
                f"{point}: the sensor reads {reading.value} % after {reference:g} % was taught: its argument may be in "
                "another unit (X); give back the factory zero and do not use it",
            )


class GssSprintir(GssCo2):
    """SprintIR-W, -6S, -R (the -R talks at 38400 baud, X): 20 measurements a second and more."""

    model = "gss_sprintir"
    type_name = "SprintIR"


class GssExplorirM(GssCo2):
    """ExplorIR-M, and by the same commands CozIR-LP, CozIR-LP2 and MinIR: 2 measurements a second."""

    model = "gss_explorir_m"
    type_name = "ExplorIR-M"


class GssCozirA(GssCo2):
    """CozIR-A with the option temperature and humidity: 2 measurements a second."""

    table = registers.load("gss_co2", "commands_cozir_a.csv")
    model = "gss_cozir_a"
    type_name = "CozIR-A"
    quick = ("co2", "co2_unfiltered", "temperature", "humidity")

    temperature = Signal()
    humidity = Signal()

    async def read(self, name: str) -> Reading:
        match name:
            case "temperature":
                return self._within(name, (await self._number(name) - 1000) / 10)
            case "humidity":
                return self._within(name, await self._number(name) / 10)
            case _:
                return await super().read(name)


def _same(one: str, other: str) -> bool:
    """1.0 8.0 is 1 8."""
    if one == other:
        return True
    if not (INTERVALS.fullmatch(one) and INTERVALS.fullmatch(other)):
        return False
    return [float(cell) for cell in one.split()] == [float(cell) for cell in other.split()]
