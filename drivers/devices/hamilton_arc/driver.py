"""Hamilton Arc pH and DO sensors, sheet hamilton-arc-ph-do.md. Modbus RTU, 19200 8N2, several sensors a line."""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

from drivers.core import registers
from drivers.core.calibration import CalibrationPoint
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import LinkLost, NoAnswer, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.modbus_device import Block, ModbusDevice
from drivers.core.registers import Row
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.core.wire import modbus
from drivers.devices.hamilton_arc import teaching, words
from drivers.devices.hamilton_arc.words import Level

AGREES_PERCENT = 3.0
"""Largest difference between what was taught and what is shown then (% of air saturation); ours."""
QUALITY_EVERY_S = 600.0
"""The sensor quality moves in days; asking for it in every poll would cost a third exchange."""
DEGC, KELVIN, FAHRENHEIT = 1 << 2, 1 << 1, 1 << 3
TEMPERATURES = DEGC | KELVIN | FAHRENHEIT


class Channel(NamedTuple):
    """The five values of a PMC block; `low` and `high` are the limits the sensor gives, in its unit."""

    unit: int
    value: float
    status: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """How the sensor is: quality in %, hours under power, counters, and what it complains about in words."""

    quality_percent: float
    operating_hours: float
    power_ups: int
    flash_writes: int
    warnings: tuple[str, ...]
    errors: tuple[str, ...]


def channel(data: bytes) -> Channel:
    """Read the 20 bytes of a PMC block. Low word first and high byte first within a word: with the bytes of every word
    exchanged all of it is little-endian."""
    swapped = bytearray(20)
    swapped[0::2], swapped[1::2] = data[1::2], data[0::2]
    return Channel(*struct.unpack("<IfIff", swapped))


def of_temperature(data: bytes) -> bool:
    """Whether a PMC block is of a temperature."""
    return bool(channel(data).unit & TEMPERATURES)


def of_something_else(data: bytes) -> bool:
    return not of_temperature(data)


class HamiltonArc(ModbusDevice):
    """What both sensors share: one register map, in which channel 1 (PMC1) means another quantity each."""

    maker = "Hamilton"
    kind = "probe"
    default_url = "serial:///dev/ttyUSB0?baud=19200&parity=N&stopbits=2"
    table = registers.load("hamilton_arc")
    on_link_loss = LinkLoss.ONLY_MEASURES
    safe_state = "measures only; nothing to bring into a safe state"
    seldom: ClassVar[Mapping[str, float]] = {"sensor_quality": QUALITY_EVERY_S}
    timeout_s = 1.0
    evidence = "MDO"
    checksum = True
    quiet_s = 0.0021
    """3.5 characters of 11 bits at 19200 baud."""

    firmware_begins: ClassVar[str]
    type_name: ClassVar[str]
    quantity: ClassVar[str]
    """The signal that PMC1 carries."""
    unit_bit: ClassVar[int]
    error_bits_known: ClassVar[bool]

    def __init__(self, line: Line, address: int = 1, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address or self.default_address, options)
        self._channels: tuple[Block, Block] | None = None
        self._quality_due = -math.inf
        self._complaints = ""
        self._complained = 0

    async def identify(self) -> Identity:
        """Firmware and serial number; raises WrongDevice when the firmware is of another sensor kind.

        The order of characters in a register is not certain for Hamilton (O): the one in which the firmware reads as
        such holds for the serial number too.
        """
        asked = self.table["firmware"]
        data = await self.ask(self.block(asked.wire, asked.length, (asked,)))
        firmware = registers.decode(asked, data)
        plain = _plain(data)
        swapped = not plain.startswith(("EPHUM", "ODOUM"))
        found = str(firmware) if swapped else plain
        if not found.startswith(self.firmware_begins):
            raise WrongDevice(
                f"{self.line.name} address {self.address}: firmware {found!r} instead of {self.firmware_begins}…, "
                f"this place is for {self.type_name}"
            )
        row = self.table["serial"]
        data = await self.ask(self.block(row.wire, row.length, (row,)))
        return Identity(
            self.maker, self.type_name, str(registers.decode(row, data)) if swapped else _plain(data), found
        )

    async def prepare(self) -> None:
        """Nothing to set: a sensor is configured by people, its flash wears. The next poll reads the quality anew."""
        self._quality_due = -math.inf

    async def poll(self) -> dict[str, Reading]:
        """PMC1 and PMC6, one exchange each; the quality now and then (it is missing from the other polls).

        A sensor that is silent for the first is not asked for the second: others share the line.
        """
        first, second = self._channels or self._make_channels()
        try:
            main = channel(await self.ask(first))
            try:
                other = channel(await self.ask(second))
            except (NoAnswer, LinkLost):
                raise
            except WireError as error:
                bad = self.bad(str(error))
                return {self.quantity: self._measured(main), "temperature": bad, "sensor_status": bad}
            now = asyncio.get_running_loop().time()
            readings = {
                self.quantity: self._measured(main),
                "temperature": self._temperature(other),
                "sensor_status": Reading(await self._status(main.status | other.status), now, Quality.GOOD),
            }
            if now >= self._quality_due:
                readings["sensor_quality"] = await self.read("sensor_quality")
                self._quality_due = now + QUALITY_EVERY_S
        except WireError as error:
            self._quality_due = -math.inf
            return dict.fromkeys(self.specs(), self.bad(str(error)))
        return readings

    async def read(self, name: str) -> Reading:
        if name == "sensor_quality":
            value = await self.read_row(self.table[name])
            sane = isinstance(value, float) and 0 <= value <= 100
            return self.good(value) if sane else self.bad(f"the sensor sent {value}")
        first, second = self._channels or self._make_channels()
        if name == "temperature":
            return self._temperature(channel(await self.ask(second)))
        main = channel(await self.ask(first))
        if name == "sensor_status":
            return self.good(await self._status(main.status | channel(await self.ask(second)).status))
        return self._measured(main)

    async def diagnose(self) -> Diagnosis:
        """Quality, hours, counters, warnings and errors; for a person, not for every poll. Raises WireError."""
        values = {name: await self._number(name) for name in ("sensor_quality", "operating_hours")}
        return Diagnosis(
            values["sensor_quality"],
            values["operating_hours"],
            int(await self._number("power_ups")),
            int(await self._number("flash_writes")),
            await self._words("warnings"),
            await self._words("errors"),
        )

    async def level(self) -> Level:
        """The operator level now; raises Refused when the sensor names none that is known."""
        code = int(await self._number("operator_level"))
        for level in Level:
            if level.value[0] == code:
                return level
        raise Refused(f"0x{code:02X}", f"address {self.address}: no operator level has this code")

    async def set_level(self, level: Level, password: int | None = None) -> None:
        """Take an operator level, with the factory password unless another is given, and read it back.

        It is volatile: the sensor falls back to USER at every power-up. Raises Refused for a wrong password.
        """
        code, factory = level.value
        row = self.table["operator_level"]
        secret = factory if password is None else password
        data = registers.encode(row, code) + registers.encode(self.table["password"], secret)
        request = modbus.write_many_request(self.address, row.wire, data)
        await self.tell(request)
        if (now := await self.level()) is not level:
            raise Refused("read-back", f"address {self.address}: level is {now.name} after {level.name} was taken")

    async def write(self, name: str, value: Value) -> Reading:
        """Nothing a sensor measures can be set."""
        raise Refused("read only", f"{name} of a sensor cannot be set")

    def _make_channels(self) -> tuple[Block, Block]:
        """Both are of one length, but each names its unit (M): one that comes late is not taken for the other."""
        main, other = self._whole(self.table[self.quantity]), self._whole(self.table["temperature"])
        self._channels = (
            replace(main, tells=of_something_else),
            replace(other, tells=of_temperature),
        )
        return self._channels

    def _whole(self, row: Row) -> Block:
        """The exchange that reads a row with its whole block (M: no part of a block can be read)."""
        start, count = row.block or (row.wire, row.length)
        return self.block(start, count, (row,))

    async def read_row(self, row: Row) -> Value:
        block = self._whole(row)
        at = 2 * (row.wire - block.start)
        return registers.decode(row, (await self.ask(block))[at : at + 2 * row.length])

    async def _number(self, name: str) -> float:
        value = await self.read_row(self.table[name])
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            raise Refused("no number", f"address {self.address}: {name} is {value}")
        return value

    async def _words(self, kind: str) -> tuple[str, ...]:
        """All four fields of the active warnings or errors in words."""
        found: list[str] = []
        fields = [f"{area}_{kind}" for area in ("measurement", "calibration", "interface", "hardware")]
        rows = [self.table[field] for field in fields]
        data = await self.ask(self._whole(rows[0]))
        for field, row in zip(fields, rows, strict=True):
            at = 2 * (row.wire - rows[0].wire)
            value = registers.decode(row, data[at : at + 4])
            found += words.complaints(field, value if isinstance(value, int) else 0, self.error_bits_known)
        return tuple(found)

    async def _status(self, status: int) -> str:
        """The status in words; what the warning and error bits stand for is asked when the status changes."""
        if not status & 0b11000:
            return words.status(status)
        if status != self._complained:
            found = await self._words("warnings") + await self._words("errors")
            self._complaints, self._complained = "; ".join(found), status
        return f"{words.status(status)}: {self._complaints}"

    def _measured(self, main: Channel) -> Reading:
        if main.unit != self.unit_bit:
            wanted = words.unit(self.unit_bit)
            return self.bad(f"the sensor is set to {words.unit(main.unit)} instead of {wanted}")
        return self._judged(main, main.value)

    def _temperature(self, other: Channel) -> Reading:
        value = other.value
        if other.unit == KELVIN:
            value -= 273.15
        elif other.unit == FAHRENHEIT:
            value = (value - 32) / 1.8
        elif other.unit != DEGC:
            return self.bad(f"the temperature comes in {words.unit(other.unit)}")
        return self._judged(other, value)

    def _judged(self, from_channel: Channel, value: float) -> Reading:
        status = from_channel.status
        if not math.isfinite(value):
            return self.bad(f"the sensor sent {value}")
        if not status:
            return self.good(value)
        now, why = asyncio.get_running_loop().time(), words.status(status)
        condemned = status & words.CONDEMNS or status >= 1 << len(words.STATUS)
        return Reading(value, now, Quality.BAD if condemned else Quality.GOOD, why)


BUFFER = CalibrationPoint(
    "ph", "[pH]", 0.0, 14.0, "rinsed, in fresh buffer for at least 3 minutes; the sensor judges the past 3 minutes (M)"
)


class HamiltonArcPh(HamiltonArc):
    """EasyFerm or Polilyte pH Arc: pH and temperature, a new value every 3 s (M)."""

    model = "hamilton_arc_ph"
    firmware_begins = "EPHUM"
    type_name = "pH Arc"
    quantity = "ph"
    unit_bit = 1 << 12
    error_bits_known = True

    ph = Signal()
    temperature = Signal()
    sensor_status = Signal()
    sensor_quality = Signal()

    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        "buffer 1": BUFFER,
        "buffer 2": BUFFER,
        "sample taken": CalibrationPoint("ph", "", what="a sample was taken this minute; the sensor keeps its reading"),
        "sample value": CalibrationPoint("ph", "[pH]", 0.0, 14.0, "the laboratory's value of that sample"),
        "sample cancel": CalibrationPoint("ph", "", what="the correction by a sample is switched off"),
    }

    async def calibration(self) -> Mapping[str, float]:
        """Offset at pH 7 (mV) and slope (mV a pH), both at 25 °C (M)."""
        return {name: await self._number(name) for name in ("offset_mv", "slope_mv_ph")}

    async def calibrate(self, point: str, reference: float | None = None) -> Mapping[str, float]:
        """Buffers by CP1 and CP2, a sample by CP6. Raises OutOfRange, Refused with the sensor's own reason."""
        spec = self.calibration_points.get(point)
        if spec is None:
            return await super().calibrate(point, reference)
        value = spec.within(reference, self.model)
        match point:
            case "buffer 1" | "buffer 2":
                await teaching.teach(self, int(point[-1]), value)
            case "sample taken":
                status = await teaching.product(self, "cp6_command", 1)
                self._step_done(status, teaching.INITIAL)
            case "sample value":
                status = await teaching.product(self, "cp6_assign", value)
                self._step_done(status, teaching.ACTIVE)
            case _:
                await teaching.product(self, "cp6_command", 2)
        return await self.calibration()

    def _step_done(self, status: int, bit: int) -> None:
        if not status >> bit & 1:
            raise Refused(f"0x{status:08X}", f"address {self.address}: the sensor does not say that it took this step")


class HamiltonArcDo(HamiltonArc):
    """VisiFerm DO Arc: oxygen in % of air saturation and temperature. PMC1, PMC6: D; its warning and error bits: ?"""

    model = "hamilton_arc_do"
    firmware_begins = "ODOUM"
    type_name = "VisiFerm DO Arc"
    quantity = "dissolved_oxygen"
    unit_bit = 1 << 5
    error_bits_known = False

    dissolved_oxygen = Signal()
    temperature = Signal()
    sensor_status = Signal()
    sensor_quality = Signal()

    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        "air": CalibrationPoint("dissolved_oxygen", "%", 50.0, 150.0, "in water-saturated air, steady for 3 minutes"),
        "zero": CalibrationPoint("dissolved_oxygen", "", what="in nitrogen or zero solution, steady for 3 minutes"),
    }
    """Which of the two the sensor's CP1 and CP2 are is not known (?): CP1 is taken for air and CP2 for zero, and a
    reading that does not agree afterwards is an error."""

    async def calibrate(self, point: str, reference: float | None = None) -> Mapping[str, float]:
        spec = self.calibration_points.get(point)
        if spec is None:
            return await super().calibrate(point, reference)
        value = spec.within(reference, self.model)
        await teaching.teach(self, 1 if point == "air" else 2, value)
        shown = (await self.read("dissolved_oxygen")).value
        if not isinstance(shown, (int, float)) or abs(shown - value) > AGREES_PERCENT:
            raise Refused(
                "read-back",
                f"address {self.address}: it shows {shown} % after it was taught {value:g} %; its points may mean "
                "something else than assumed: calibrate it with the maker's software",
            )
        return {}


def _plain(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("latin-1").strip()
