"""SST LuminOx oxygen sensors, 9600 8N1 (3.3 V TTL, or the RS-232 of the LOXEVB board), sheet sst-luminox-o2.md.

The sensor leaves the factory streaming, one line a second; `prepare` sets it to polling. What it measures is wet gas:
at 37 °C and saturated, air has 19.6 %. Calibration: the sheet knows no command.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Device, LinkLoss, Signal
from drivers.core.errors import LinkLost, NoAnswer, Refused, WireError, WrongDevice
from drivers.core.registers import Row, Table
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.devices.sst_luminox.replies import WHOLE, answer_to, field, items

MODES = {"00": "streaming", "01": "polling", "02": "off"}
SWITCH_S = 0.5
"""What H waits after a change of the mode."""
FIT_PERCENT = 0.5
"""How far oxygen and partial pressure / pressure may be apart (X): rounding explains 0.03 %."""
PAIR = re.compile(rb"# (\d{5}) (\d{5})")
REVISION = re.compile(rb"# (\d{5})")


class SstLuminox(Device):
    """What both kinds share: letters that answer with one field each."""

    maker = "SST Sensing"
    kind = "gas sensor"
    default_url = "serial:///dev/ttyUSB0?baud=9600&parity=N&stopbits=1"
    on_link_loss = LinkLoss.ONLY_MEASURES
    safe_state = "measures only; nothing to bring into a safe state"
    evidence = "R"
    timeout_s = 0.8
    """Shorter than the second between two lines of the stream: after a lost reply the line must once be silent for as
    long. (The vendor's library waits 1 s, H 3 s; the answer itself takes some ms.)"""
    type_name: ClassVar[str]
    barometer: ClassVar[bool]

    async def identify(self) -> Identity:
        """`# 1` serial number, `# 2` software, and whether `%` is known (X); raises WrongDevice for the other kind."""
        serial = await self._pair("# 1")
        try:
            await self._ask("%", re.compile(rb"% " + field("3.2").pattern))
            measures_percent = True
        except NoAnswer:
            if self.barometer:
                raise
            measures_percent = False
        except Refused:
            measures_percent = False
        if measures_percent != self.barometer:
            raise WrongDevice(
                f"{self.line.name}: this LuminOx {'has' if measures_percent else 'has not'} a barometer; "
                f"this place is for {self.type_name}"
            )
        revision = REVISION.fullmatch(await self._ask("# 2", REVISION))
        assert revision is not None
        return Identity(self.maker, self.type_name, str(serial[0] * 65536 + serial[1]), revision[1].decode())

    async def manufactured(self) -> tuple[int, int]:
        """Year and day of the year."""
        return await self._pair("# 0")

    async def prepare(self) -> None:
        """Set the sensor to polling where it is not, and read the mode back; raises Refused when it did not take it."""
        if await self._mode() == "polling":
            return
        await self._ask("M 1", re.compile(rb"M \d\d"))
        await asyncio.sleep(SWITCH_S)
        if (mode := await self._mode()) != "polling":
            raise Refused(mode, "the sensor acknowledged polling and is not in it")

    async def poll(self) -> dict[str, Reading]:
        """Every signal; what one question does not bring is BAD."""
        try:
            return await self._round()
        except WireError as error:
            return dict.fromkeys(self.specs(), self.bad(str(error)))

    async def read(self, name: str) -> Reading:
        """One signal; the status and the mode are asked with it, as they may condemn it. Raises WireError."""
        return (await self._round())[name]

    async def write(self, name: str, value: Value) -> Reading:
        raise Refused("read only", f"{name} of a sensor cannot be set; the output mode is set by prepare")

    async def _round(self) -> dict[str, Reading]:
        """The mode first: a sensor that is off does not measure."""
        mode = await self._mode()
        readings = {name: self._reading(self.table[name], each) for name, each in (await self._fields()).items()}
        readings["output_mode"] = self.good(mode)
        status = readings["sensor_status"]
        why = ""
        if status.value != "good":
            why = f"sensor status: {status.value or status.why}"
        elif mode not in ("polling", "streaming"):
            why = f"the sensor does not measure: output mode {mode}"
        if not why:
            why = self._misfit(readings)
        if why:
            for name, each in readings.items():
                if self.table[name].unit and each.quality is Quality.GOOD:
                    readings[name] = Reading(None, each.at, Quality.BAD, why)
        return {name: readings[name] for name in self.specs()}

    async def _fields(self) -> Mapping[str, bytes | str]:
        """What stands behind each letter, or why there is nothing (text): one question each."""
        raise NotImplementedError

    def _misfit(self, readings: Mapping[str, Reading]) -> str:
        """Why the values cannot all be true; "" = they fit."""
        return ""

    async def _mode(self) -> str:
        code = (await self._ask("M", re.compile(rb"M \d\d")))[2:].decode()
        return MODES.get(code, f"mode {code}")

    async def _single(self, row: Row) -> bytes:
        line = await self._ask(row.command, re.compile(re.escape(row.command.encode()) + rb" \S+"))
        return line[2:]

    def _reading(self, row: Row, found: bytes | str) -> Reading:
        """A field as a reading: its width must be exact, its number one the sensor can measure."""
        if isinstance(found, str):
            return self.bad(found)
        if not field(row.extra["format"]).fullmatch(found):
            return self.bad(f"{row.command} {found.decode('latin-1')} has not the form {row.extra['format']}")
        if not row.unit:
            return self.good("good" if found == b"0000" else f"status {found.decode()}, contact the maker")
        value = float(found)
        assert row.low is not None
        assert row.high is not None
        if not row.low <= value <= row.high:
            return self.bad(f"{value:g} {row.unit} is outside what the sensor measures ({row.low:g} to {row.high:g})")
        if row.command in "O%" and value >= row.high:
            return self.bad(f"{value:g} {row.unit} is the end of the range: there may be more oxygen")
        return self.good(value)

    async def _ask(self, command: str, pattern: re.Pattern[bytes]) -> bytes:
        return await self.line.query(
            command.encode() + b"\r\n", answer_to(pattern), timeout_s=self.timeout_s, retries=1
        )

    async def _pair(self, command: str) -> tuple[int, int]:
        found = PAIR.fullmatch(await self._ask(command, PAIR))
        assert found is not None
        return int(found[1]), int(found[2])


class SstLuminoxLox02(SstLuminox):
    """LOX-02: partial pressure, oxygen in vol-%, barometric pressure; all of it in one line (`A`: H, G)."""

    model = "sst_luminox_lox02"
    table: ClassVar[Table] = registers.load("sst_luminox", "commands.csv")
    type_name = "LuminOx LOX-02"
    barometer = True

    _one_by_one = False
    """It has not answered `A` but each letter by itself; tried again after `prepare`."""

    oxygen = Signal()
    oxygen_pressure = Signal()
    pressure = Signal()
    temperature = Signal()
    sensor_status = Signal()
    output_mode = Signal()

    async def prepare(self) -> None:
        self._one_by_one = False
        await super().prepare()

    async def _fields(self) -> Mapping[str, bytes | str]:
        rows = [row for row in self.table if row.name != "output_mode"]
        if self._one_by_one:
            return {row.name: await self._single(row) for row in rows}
        try:
            found = items(await self._ask("A", WHOLE))
        except (Refused, NoAnswer):  # the vendor's own library does not use `A`
            one_by_one = {row.name: await self._single(row) for row in rows}
            self._one_by_one = True
            return one_by_one
        return {row.name: found.get(row.command, f"{row.command} is not in the line") for row in rows}

    def _misfit(self, readings: Mapping[str, Reading]) -> str:
        partial, percent, pressure = (readings[name].value for name in ("oxygen_pressure", "oxygen", "pressure"))
        if not isinstance(partial, float) or not isinstance(percent, float) or not isinstance(pressure, float):
            return ""
        if abs(100 * partial / pressure - percent) <= FIT_PERCENT:
            return ""
        return f"{partial:g} hPa of {pressure:g} hPa are not {percent:g} %: one of them is damaged"


class SstLuminoxLox01(SstLuminox):
    """LOX-01: partial pressure only. Its line of all values is not known (?), so each is asked for by itself."""

    model = "sst_luminox_lox01"
    table: ClassVar[Table] = registers.load("sst_luminox", "lox01.csv")
    type_name = "LuminOx LOX-01"
    barometer = False

    oxygen_pressure = Signal()
    temperature = Signal()
    sensor_status = Signal()
    output_mode = Signal()

    async def _fields(self) -> Mapping[str, bytes | str]:
        found: dict[str, bytes | str] = {}
        for row in self.table:
            if row.name != "output_mode":
                try:
                    found[row.name] = await self._single(row)
                except (NoAnswer, LinkLost):
                    raise
                except WireError as error:
                    found[row.name] = str(error)
        return found
