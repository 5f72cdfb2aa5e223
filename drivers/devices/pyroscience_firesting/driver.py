"""PyroScience meters with firmware 4.x: FireSting-PRO at 115200 baud, Pico on its UART at 19200 (8N1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Signal
from drivers.core.errors import OutOfRange, Refused, WrongDevice
from drivers.core.registers import Table
from drivers.core.signals import Identity, Reading
from drivers.devices.pyroscience_firesting.calibration import OXYGEN_POINTS, PH_ORDER, PH_POINTS, TEMPERATURE_POINT
from drivers.devices.pyroscience_firesting.meter import CALIBRATION_S, SETTINGS, PyroScienceMeter, Version
from drivers.devices.pyroscience_firesting.replies import awake

EVERYTHING = 47
"""MEA: optical 1, sample temperature 2, pressure 4, humidity 8, case temperature 32."""
ANALYTES = {0: "nothing", 1: "oxygen", 2: "temperature", 3: "pH"}
USER_MEMORY = 64
PICO_PH = 4
"""Its device id (V)."""
SENSOR_SETTINGS = ("duration", "intensity", "amplification", "frequency", "crc")
"""Settings registers 3 to 7: a calibration holds only for these, so they are read here and not written."""


class Unified(PyroScienceMeter):
    """The unified protocol: one command measures, its reply has all 18 results."""

    table: ClassVar[Table] = registers.load("pyroscience_firesting", "commands.csv", counts_from=0)
    default_url = "serial:///dev/ttyUSB0?baud=115200&parity=N&stopbits=1"
    firmware = (400, 500)
    version_numbers = (6, 6)
    results = 18
    analyte: ClassVar[int]
    """Settings register 11 of the channel this model is for."""

    async def identify(self) -> Identity:
        """As every meter, and what the channel is set to measure; raises WrongDevice when that is something else."""
        identity = await super().identify()
        (analyte,) = await self.registers(SETTINGS, 11, 1)
        if analyte != self.analyte:
            found = ANALYTES.get(analyte, f"analyte {analyte}")
            raise WrongDevice(
                f"{self.line.name}: channel {self.channel} measures {found}; this place is for {ANALYTES[self.analyte]}"
            )
        return identity

    async def measure(self, sensors: int) -> tuple[int, ...]:
        """`MEA C S`: a flash of light bleaches the dye a little, so nothing optical is measured unless asked for."""
        return await self._ask(f"MEA {self.channel} {sensors}", self.results)

    async def _poll_results(self) -> dict[str, Reading]:
        return self._results(await self.measure(EVERYTHING), EVERYTHING)

    # -- the rest of the protocol, for a person

    async def sensor_settings(self) -> Mapping[str, int]:
        """Codes of flash duration, LED intensity, amplification, modulation frequency (Hz) and CRC."""
        return dict(zip(SENSOR_SETTINGS, await self.registers(SETTINGS, 3, 5), strict=True))

    async def power_down(self) -> None:
        """Sensor circuits off until `power_up` or the next measurement (up to 250 ms later)."""
        await self._do("#PDWN")

    async def power_up(self) -> None:
        await self._do("#PWUP")

    async def sleep(self) -> None:
        """Deep sleep: the meter hears nothing but `wake_up`."""
        await self._do("#STOP")

    async def wake_up(self) -> None:
        """A lone CR, answered with one (V)."""
        await self.line.query(b"\r", awake, timeout_s=self.timeout_s)

    async def read_memory(self, first: int, count: int) -> tuple[int, ...]:
        """User memory, places 0 to 63."""
        self._check_memory(first, count)
        return await self._ask(f"#RDUM {first} {count}", count)

    async def write_memory(self, first: int, *values: int) -> None:
        """Write user memory (flash, about 20 000 times) and read it back; each number -2^31 to 2^31 - 1."""
        self._check_memory(first, len(values))
        await self._do(f"#WRUM {first} {len(values)} {' '.join(map(str, values))}")
        if (kept := await self.read_memory(first, len(values))) != values:
            raise Refused("read-back", f"user memory reads {kept} after {values} was written")

    def _check_memory(self, first: int, count: int) -> None:
        if first < 0 or count < 1 or first + count > USER_MEMORY:
            raise OutOfRange("user memory", first + count, "", 1, USER_MEMORY, f"the datasheet of {self.model}")


class Oxygen(Unified):
    analyte = 1
    calibration_points = OXYGEN_POINTS

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
    pressure_compensation = Signal()
    salinity = Signal()


class Acidity(Unified):
    """pH: its result register was seen in one driver only (F), its calibration command's name is recalled (X), so a
    meter that knows no CPH refuses by name; its calibration registers are unknown."""

    analyte = 3
    calibration_points = PH_POINTS

    ph = Signal()
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

    async def _calibrate(self, point: str, reference: float | None) -> None:
        """`CPH C N P T S` with the sample temperature and the salinity the meter is set to."""
        if reference is None:
            raise Refused("no reference", f"calibration {point!r} needs the pH of the liquid")
        cel = await self._sure("temperature")
        low, high = TEMPERATURE_POINT
        if not low <= cel <= high:
            raise OutOfRange("temperature", cel, "Cel", low, high, f"the calibration of {self.model}")
        salinity = await self._sure("salinity")
        command = f"CPH {self.channel} {PH_ORDER.index(point)} {round(reference * 1000)} {round(cel * 1000)}"
        await self._do(f"{command} {round(salinity * 1000)}", CALIBRATION_S)

    async def calibration(self) -> Mapping[str, float]:
        return {}


class PyroScienceFireStingProO2(Oxygen):
    """An oxygen channel of a FireSting-PRO (1, 2 or 4 channels)."""

    model = "pyroscience_firesting_pro_o2"


class PyroScienceFireStingProPh(Acidity):
    """A pH channel of a FireSting-PRO."""

    model = "pyroscience_firesting_pro_ph"

    async def version(self) -> Version:
        found = await super().version()
        if found.device == PICO_PH:
            raise WrongDevice(f"{self.line.name}: a Pico-pH answers; its model is pyroscience_pico_ph")
        return found


class PyroScienceFireStingProTemp(Unified):
    """An optical temperature channel of a FireSting-PRO; its register is a guess (X): exactly 0 there is BAD."""

    model = "pyroscience_firesting_pro_temperature"
    analyte = 2

    optical_temperature = Signal()
    temperature = Signal()
    case_temperature = Signal()
    phase = Signal()
    signal_intensity = Signal()
    ambient_light = Signal()
    pressure = Signal()
    humidity = Signal()
    sensor_status = Signal()

    async def calibration(self) -> Mapping[str, float]:
        return {}

    async def poll(self) -> dict[str, Reading]:
        return await self._poll_results()


class Pico(Unified):
    """A meter with one channel. Which device id is which product is published for Pico-pH only (V)."""

    default_url = "serial:///dev/ttyUSB0?baud=19200&parity=N&stopbits=1"

    async def version(self) -> Version:
        found = await super().version()
        if found.channels != 1:
            raise WrongDevice(f"{self.line.name}: a meter with {found.channels} channels is no Pico")
        return found


class PyroSciencePicoO2(Pico, Oxygen):
    """Pico-O2, also in its SUB housing: one channel, 19200 baud (H)."""

    model = "pyroscience_pico_o2"


class PyroSciencePicoPh(Pico, Acidity):
    """Pico-pH, also in its SUB housing: one channel, 19200 baud (as Pico-O2, H)."""

    model = "pyroscience_pico_ph"
