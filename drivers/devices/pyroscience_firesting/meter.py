"""What every PyroScience meter shares: version, settings, calibration, flash; sheet pyroscience-firesting-pico.md."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from drivers.core.device import Device, LinkLoss
from drivers.core.errors import BadFrame, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.registers import Row
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.devices.pyroscience_firesting import compensation
from drivers.devices.pyroscience_firesting.calibration import OXYGEN_CALIBRATION
from drivers.devices.pyroscience_firesting.replies import ERROR_BITS, STATUS, bits, numbers, status_words

SETTINGS, CALIBRATION, RESULTS = 0, 1, 3
"""Register types of RMR and WTM."""
CALIBRATION_S = 15.0
"""A calibration command takes 3 to 6 s (V)."""
SETTINGS_EVERY_S = 600.0
"""Compensation settings fall back at power-off unless saved; a meter that was silent is asked for them at once."""
NAMES = {0: "FireStingO2", 4: "Pico-pH"}
"""Device ids the sheet ties to a product."""


class Version(NamedTuple):
    """`#VERS`: device id, channels, firmware x 100."""

    device: int
    channels: int
    firmware: int


class PyroScienceMeter(Device):
    """One optical channel of a meter. Options: `channel`, 1 (also when left out) to as many as the meter has.

    The channels of one meter are one driver each, on one line.
    """

    maker = "PyroScience"
    kind = "probe"
    on_link_loss = LinkLoss.ONLY_MEASURES
    safe_state = "measures only; nothing to bring into a safe state"
    option_names = ("channel",)
    seldom: ClassVar[Mapping[str, float]] = dict.fromkeys(
        ("temperature_compensation", "pressure_compensation", "salinity"), SETTINGS_EVERY_S
    )
    timeout_s = 2.0  # a measurement takes 0.1 to 0.3 s (X), drivers wait 1 to 5 s
    evidence = "VXH"

    firmware: ClassVar[tuple[int, int]]
    """Firmware x 100 this dialect is for, from and below."""
    version_numbers: ClassVar[tuple[int, int]]
    """How many numbers `#VERS` has."""
    results: ClassVar[int]
    """Result registers that are read."""

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        channel = float(self.options.get("channel", 1))
        if channel != int(channel) or not 1 <= channel <= 16:
            raise ValueError(f"{self.model}: channel is a whole number from 1 on, not {self.options['channel']!r}")
        self.channel = int(channel)
        self._settings_due = -math.inf
        rows = [self._row(name) for name in self.specs()]
        self._measured = [(row, int(row.extra["sensors"])) for row in rows if row.table == "results"]
        """Each result, and the bits of the sensors it needs."""
        self._compensated_by_sensor = True
        """The oxygen values hang on the Pt100: its fault is theirs."""

    # -- who answers

    async def identify(self) -> Identity:
        """`#VERS`, then the 64-bit number of `#IDNR`; raises WrongDevice for another firmware or a missing channel."""
        found = await self.version()
        low, high = self.firmware
        if not low <= found.firmware < high:
            raise WrongDevice(
                f"{self.line.name}: firmware {found.firmware / 100:.2f}, but {self.model} speaks that of "
                f"{low / 100:.2f} to below {high / 100:.2f}; choose another pyroscience model for this meter"
            )
        if self.channel > found.channels:
            raise WrongDevice(f"{self.line.name}: channel {self.channel} of a meter that has {found.channels}")
        serial = str((await self._ask("#IDNR", 1))[0]) if found.firmware >= 322 else ""
        return Identity(
            self.maker, NAMES.get(found.device, f"meter {found.device}"), serial, f"{found.firmware / 100:.2f}"
        )

    async def version(self) -> Version:
        """Raises WrongDevice when what answers in the same words cannot be such a meter."""
        fields = await self._ask("#VERS", 3, 6)
        low, high = self.version_numbers
        found = Version(*fields[:3])
        if not low <= len(fields) <= high and self.firmware[0] <= found.firmware < self.firmware[1]:
            raise BadFrame(f"{len(fields)} numbers behind #VERS instead of {low} to {high}")
        if not 1 <= found.channels <= 16 or not 100 <= found.firmware <= 999:
            raise WrongDevice(f"{self.line.name}: #VERS {fields} is not of a meter with 1 to 16 channels")
        return found

    async def prepare(self) -> None:
        """Nothing to set: compensation and calibration are the laboratory's. The next poll looks at the settings."""
        self._settings_due = -math.inf

    # -- measuring

    async def measure(self, sensors: int) -> tuple[int, ...]:
        """Have the sensors of these bits measured and return the result registers."""
        raise NotImplementedError

    async def read(self, name: str) -> Reading:
        row = self._row(name)
        if row.table == "settings":
            return (await self._settings())[name]
        registers = await self.measure(int(row.extra["sensors"]))
        return self._reading(row, registers, asyncio.get_running_loop().time())

    async def poll(self) -> dict[str, Reading]:
        """All sensors and results in one measurement; the settings now and then (they are missing from others)."""
        readings = await self._poll_results()
        if asyncio.get_running_loop().time() >= self._settings_due:
            try:
                readings |= await self._settings()
            except WireError as error:
                bad = self.bad(str(error))
                readings |= {name: bad for name in self.specs() if self._row(name).table == "settings"}
            else:
                self._settings_due = asyncio.get_running_loop().time() + SETTINGS_EVERY_S
        return readings

    async def _poll_results(self) -> dict[str, Reading]:
        raise NotImplementedError

    def _results(self, registers: tuple[int, ...], sensors: int) -> dict[str, Reading]:
        """Every result that these sensors bring."""
        now = asyncio.get_running_loop().time()
        return {row.name: self._reading(row, registers, now) for row, needs in self._measured if not needs & ~sensors}

    def _reading(self, row: Row, registers: tuple[int, ...], now: float) -> Reading:
        """One result: an error bit that concerns it, a bit nobody knows, or an impossible value makes it BAD."""
        status = registers[0]
        if row.name == "sensor_status":
            return Reading(status_words(status), now, Quality.GOOD)
        on = set(bits(status))
        if on and (bad := on & (self._condemning(row) | (on - STATUS.keys()))):
            why = "; ".join(STATUS.get(bit, f"status bit {bit}, which the datasheet does not name") for bit in bad)
            return Reading(None, now, Quality.BAD, why)
        value = registers[row.address] / round(1 / row.scale)
        if (row.low is not None and value < row.low) or (row.high is not None and value > row.high):
            return Reading(None, now, Quality.BAD, f"the meter sent {value:g} {row.unit}, which is no {row.name}")
        warnings = on - ERROR_BITS
        return Reading(value, now, Quality.GOOD, status_words(sum(1 << bit for bit in warnings)) if warnings else "")

    def _condemning(self, row: Row) -> set[int]:
        """Error bits that make this result BAD."""
        errors = set(map(int, row.extra["errors"].split()))
        return errors | {5} if errors & {2, 4} and self._compensated_by_sensor else errors

    # -- settings

    async def _settings(self) -> dict[str, Reading]:
        raw = await self.registers(SETTINGS, 0, 3)
        self._compensated_by_sensor = raw[0] == compensation.SENSOR
        found = {
            "temperature_compensation": self.good(compensation.temperature_text(raw[0])),
            "pressure_compensation": self.good(compensation.pressure_text(raw[1])),
            "salinity": self.good(raw[2] / 1000) if 0 <= raw[2] <= 1_000_000 else self.bad(f"the meter sent {raw[2]}"),
        }
        return {name: reading for name, reading in found.items() if name in self.specs()}

    async def write(self, name: str, value: Value) -> Reading:
        """Write a compensation setting and read it back. It is lost at power-off unless `save` is called.

        Raises OutOfRange, Refused, WireError, and ValueError for a text that is neither word nor quantity.
        """
        row = self._row(name)
        if row.table != "settings" or not row.spec.writable:
            raise Refused("read only", f"{name} is measured and cannot be set")
        match name:
            case "temperature_compensation":
                wanted = compensation.temperature(value)
            case "pressure_compensation":
                wanted = compensation.pressure(value)
            case _:
                if not isinstance(value, (int, float)) or isinstance(value, bool):
                    raise ValueError(f"{name}: {value!r} is not a number")
                wanted = float(value)
        if isinstance(wanted, float):
            if not math.isfinite(wanted):
                raise ValueError(f"{name}: {value!r} is not a number")
            self.check_limits(name, wanted)
            raw = round(wanted * 1000)
        else:
            raw = wanted
        await self.set_registers(SETTINGS, row.address, raw)
        self._settings_due = -math.inf
        (kept,) = await self.registers(SETTINGS, row.address, 1)
        if kept != raw:
            raise Refused("read-back", f"{name} reads {kept} after {raw} was written")
        return (await self._settings())[name]

    async def registers(self, kind: int, first: int, count: int) -> tuple[int, ...]:
        """Read `count` registers (RMR) of type 0 settings, 1 calibration, 3 results."""
        return await self._ask(f"RMR {self.channel} {kind} {first} {count}", count)

    async def set_registers(self, kind: int, first: int, *raw: int) -> None:
        """Write registers (WTM); sent once, not read back here."""
        await self._do(f"WTM {self.channel} {kind} {first} {len(raw)} {' '.join(map(str, raw))}")

    async def save(self) -> None:
        """Keep this channel's settings and calibration in flash (SVS; about 20 000 times). Repeated once when the
        meter says that its flash did not take it (V)."""
        try:
            await self._do(f"SVS {self.channel}", CALIBRATION_S)
        except Refused as no:
            if no.code != "#ERRO -13":
                raise
            await self._do(f"SVS {self.channel}", CALIBRATION_S)

    async def reload(self) -> None:
        """Settings and calibration of this channel from flash again (LDS)."""
        await self._do(f"LDS {self.channel}", CALIBRATION_S)
        self._settings_due = -math.inf

    async def flash_led(self) -> None:
        """The status LED flashes four times: which meter is it?"""
        await self._do("#LOGO")

    # -- calibration

    async def calibrate(self, point: str, reference: float | None = None) -> Mapping[str, float]:
        """The meter's own procedure (16 measurements, 3 to 6 s), then kept in flash. Raises OutOfRange, Refused."""
        asked = self.calibration_points.get(point)
        if asked is None:
            known = ", ".join(self.calibration_points) or "none"
            raise Refused("no procedure", f"{self.model} has no calibration {point!r}; there are {known}")
        if reference is not None:
            low, high = (-math.inf if asked.low is None else asked.low, math.inf if asked.high is None else asked.high)
            if not asked.unit:
                raise Refused("no reference", f"calibration {point!r} takes no number")
            if not low <= reference <= high:
                raise OutOfRange(
                    point, reference, asked.unit, asked.low, asked.high, f"the calibration of {self.model}"
                )
        await self._calibrate(point, reference)
        await self.save()
        return await self.calibration()

    async def _calibrate(self, point: str, reference: float | None) -> None:
        match point:
            case "air":
                await self._calibrate_in_air(await self._there(reference), 100.0)
            case "dry_air":
                await self._calibrate_in_air(await self._there(reference), 0.0)
            case "zero":
                await self._calibrate_zero(await self._there(reference))
            case "background":
                await self._do(f"BGC {self.channel}", CALIBRATION_S)
            case _:
                await self._do(f"BCL {self.channel}", CALIBRATION_S)

    async def _calibrate_in_air(self, cel: float, rh_percent: float) -> None:
        hpa = await self._sure("pressure")
        await self._do(
            f"CHI {self.channel} {round(cel * 1000)} {round(hpa * 1000)} {round(rh_percent * 1000)}", CALIBRATION_S
        )

    async def _calibrate_zero(self, cel: float) -> None:
        await self._do(f"CLO {self.channel} {round(cel * 1000)}", CALIBRATION_S)

    async def _there(self, reference: float | None) -> float:
        return await self._sure("temperature") if reference is None else reference

    async def _sure(self, name: str) -> float:
        """A measured value a calibration may be built on; raises Refused when it is not good."""
        reading = await self.read(name)
        if reading.quality is not Quality.GOOD or not isinstance(reading.value, (int, float)):
            raise Refused("no reference", f"calibration needs the meter's {name}, and it is not good: {reading.why}")
        return float(reading.value)

    async def calibration(self) -> Mapping[str, float]:
        """The oxygen calibration registers; raises Refused when they cannot be such (phases outside 0 to 90 deg)."""
        raw = await self.registers(CALIBRATION, 0, 19)
        found = {name: raw[index] / divisor for name, (index, divisor) in OXYGEN_CALIBRATION.items()}
        if not (0 <= found["phase_zero_deg"] <= 90 and 0 <= found["phase_air_deg"] <= 90):
            raise Refused("layout", f"the calibration registers of this meter are no oxygen calibration: {raw}")
        return found

    # -- one exchange

    async def _ask(self, command: str, least: int, most: int | None = None) -> tuple[int, ...]:
        """A question: asked again once after silence or a broken reply."""
        return await self.line.query(
            command.encode() + b"\r", numbers(command, least, most), timeout_s=self.timeout_s, retries=1
        )

    async def _do(self, command: str, timeout_s: float | None = None) -> None:
        """Something that changes the meter: sent once, the echo is the confirmation."""
        await self.line.query(command.encode() + b"\r", numbers(command, 0), timeout_s=timeout_s or self.timeout_s)

    def _row(self, name: str) -> Row:
        return type(self).table[name]
