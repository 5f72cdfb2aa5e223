"""Alicat mass-flow meter in ASCII, and what it shares with the controllers. Sheet alicat-mfc.md."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.calibration import CalibrationPoint
from drivers.core.device import Device, LinkLoss, Signal
from drivers.core.errors import BadFrame, Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.devices.alicat_mfc import frame as frames
from drivers.devices.alicat_mfc import words
from drivers.devices.alicat_mfc.frame import Column, Frame, FullScale
from drivers.devices.alicat_mfc.talk import Talk

TARE_TIMEOUT_S = 4.0
"""A tare takes "up to seconds"; L allows 3 s."""
NO_FLOW = 0.02
"""Of full scale: with more than this no flow tare is started (ours)."""
FIRMWARE = re.compile(r"(\d+)v(\d+)")
TEMPERATURES = ("C", "`C", "degC", "Cel")
"""Labels taken for degrees Celsius; how the device prints it is X."""
ZERO = {
    "zero_flow": ("standard_flow", "tare_flow", "set point 0 and no gas flowing through the device"),
    "zero_gauge_pressure": ("pressure", "tare_gauge", "device open to the room"),
    "zero_absolute_pressure": ("pressure", "tare_absolute", "device open to the room; needs a barometer inside"),
}


class AlicatMeter(Device):
    """M series: measures only. One data frame a poll.

    Options: `gas` = the gas it must be set to (flows are BAD with another), `streaming` = stop: take a unit that
    streams back into asking; `columns` and `full_scale` (`500.00 SCCM`) for firmware without ??D* and FPF.
    Flow is in mL/min at the device's own standard conditions: not the 0 °C of "normal" litres.
    """

    table = registers.load("alicat_mfc", "commands.csv")
    model = "alicat_meter"
    maker = "Alicat"
    kind = "flow meter"
    default_url = "serial:///dev/ttyUSB0?baud=19200&parity=N&stopbits=1"
    default_address = 1
    """Unit ID A."""
    on_link_loss = LinkLoss.ONLY_MEASURES
    safe_state = "a flow meter only measures; nothing to make safe"
    answer_s = 0.25
    evidence = "VLNRX"
    timeout_s = 1.0  # N: 0.15 s on a serial port, 1 s over TCP
    quiet_s = 0.0021  # V (BC): 3.5 characters of silence after a CR
    option_names = ("gas", "streaming", "columns", "full_scale")
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        name: CalibrationPoint(signal, "", what=what) for name, (signal, _, what) in ZERO.items()
    }

    model_numbers: ClassVar[re.Pattern[str]] = re.compile(r"M(?!C)[A-Z]*-.*")
    """X: by the model numbers of the sheet's title."""
    firmware_from: ClassVar[tuple[int, int]] = (0, 0)
    firmware_before: ClassVar[tuple[int, int]] = (999, 0)

    standard_flow = Signal()
    volumetric_flow = Signal()
    temperature = Signal()
    pressure = Signal()
    gas = Signal()
    status = Signal()
    buttons_locked = Signal()

    def __init__(self, line: Line, address: int = 1, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for an address or option no unit can have."""
        super().__init__(line, address or self.default_address, options)
        self.talk = Talk(line, words.unit_letter(self.address), self.timeout_s, self.quiet_s)
        self.columns: tuple[Column, ...] = ()
        self.full_scale: FullScale | None = None
        if text := str(self.options.get("columns", "")):
            self.columns = frames.columns_from(text)
        if text := str(self.options.get("full_scale", "")):
            self.full_scale = frames.full_scale_of(text)
            if self.full_scale is None:
                raise ValueError(f"option full_scale: {text!r} is not such as 500.00 SCCM")
        if str(self.options.get("streaming", "stop")) != "stop":
            raise ValueError("option streaming can only be stop")

    def command(self, name: str) -> str:
        """The word of this dialect's table; raises Refused when the dialect has none."""
        if name not in self.table:
            raise Refused("no command", f"{self.model} has no command for {name}")
        return self.table[name].command

    # -- who it is

    async def identify(self) -> Identity:
        """??M*: ten lines with maker, model number, serial number and firmware. Raises WrongDevice."""
        try:
            rows = await self._manufacturer()
        except Refused as refused:
            if refused.code == "?":
                raise WrongDevice(f"{self.line.name} unit {self.talk.unit}: it does not know ??M*") from refused
            if "streaming" not in self.options:
                raise Refused("@", f"{refused}; to stop that, give option streaming = stop") from refused
            await self.talk.stop_streaming(self.command("stream_stop"))
            rows = await self._manufacturer()
        model, firmware = _behind(rows["04"], "Model Number"), _behind(rows["09"], "Software Revision")
        where = f"{self.line.name} unit {self.talk.unit}"
        if not self.model_numbers.fullmatch(model):
            raise WrongDevice(f"{where}: model number {model!r} is none of {self.model}")
        version = FIRMWARE.match(firmware)
        found = (int(version[1]), int(version[2])) if version else (0, 0)
        if not self.firmware_from <= found < self.firmware_before:
            raise WrongDevice(f"{where}: firmware {firmware!r} is of another dialect than {self.model}")
        return Identity(self.maker, model, _behind(rows["05"], "Serial Number"), firmware)

    async def _manufacturer(self) -> dict[str, str]:
        rows: dict[str, str] = {}
        for text in await self.talk.lines(self.command("identity"), lambda text: bool(re.match(r"\s*M09\s", text))):
            match = re.fullmatch(r"\s*M(\d\d)\s+(.*)", text)
            if match:
                rows[match[1]] = match[2].strip()
        if "ALICAT" not in rows.get("00", "").upper():
            raise WrongDevice(f"{self.line.name} unit {self.talk.unit}: maker {rows.get('00')!r} instead of Alicat")
        if missing := [number for number in ("04", "05", "09") if number not in rows]:
            raise BadFrame(f"unit {self.talk.unit}: ??M* without M{', M'.join(missing)}")
        return rows

    async def prepare(self) -> None:
        """Learn the columns of the data frame and the full scale; nothing in the device is changed.

        Firmware before 6v00 knows neither: without the columns nothing can be read, without the full scale only
        set points and the flow tare are refused.
        """
        if not self.options.get("columns"):
            try:
                rows = await self.talk.lines(self.command("columns"), lambda text: not text)
            except Refused as refused:
                raise Refused(refused.code, f"{refused}: say the columns in option columns") from refused
            self.columns = frames.columns_of(rows)
        if not self.options.get("full_scale"):
            try:
                self.full_scale = await self.talk.ask(self.command("full_scale"), frames.full_scale_of, retries=1)
            except Refused as refused:
                if refused.code != "?":
                    raise
                self.full_scale = None

    # -- reading

    async def poll(self) -> dict[str, Reading]:
        """One data frame: everything is in it."""
        return self.readings(await self.frame())

    async def read(self, name: str) -> Reading:
        return (await self.poll())[name]

    async def frame(self) -> Frame:
        """The data frame now; raises WireError."""
        await self.know_columns()
        return await self.talk.ask("", self.own_frame, retries=1)

    async def know_columns(self) -> None:
        if not self.columns:
            await self.prepare()

    def own_frame(self, text: str) -> Frame | None:
        return frames.frame_of(text, self.columns)

    def readings(self, frame: Frame) -> dict[str, Reading]:
        condemned = words.condemned(frame.words)
        unknown = [word for word in frame.words if word not in words.STATUS]
        wanted = self.options.get("gas", frame.gas)
        readings: dict[str, Reading] = {}
        for name in self.specs():
            if name in frames.SIGNALS.values():
                value, why = self._value(name, frame)
                if unknown:
                    why = f"the device says {' '.join(unknown)}, a word the sheet does not have"
                elif name in condemned:
                    why = condemned[name]
                elif frame.gas != wanted and name in ("standard_flow", "volumetric_flow", "flow_setpoint"):
                    why = f"the device is set to {frame.gas}, this place is for {wanted}"
                readings[name] = self.bad(why) if why else self.good(value)
        readings["gas"] = self.good(frame.gas)
        readings["status"] = self.good("; ".join(words.STATUS.get(word, word) for word in frame.words) or "good")
        readings["buttons_locked"] = self.good("LCK" in frame.words)
        if "valve_held" in self.specs():
            readings["valve_held"] = self.good("HLD" in frame.words)
        return readings

    def _value(self, name: str, frame: Frame) -> tuple[float, str]:
        """The value in the signal's unit, or why there is none."""
        column = next((column for column in self.columns if column.signal == name), None)
        if column is None:
            return 0.0, f"the data frame of this device has no {name.replace('_', ' ')}"
        value = frame.numbers[name]
        if value is None:
            return 0.0, "out of range: no digits came"
        factor = _factor(column)
        if factor is None:
            return 0.0, f"the device shows {name.replace('_', ' ')} in {column.unit or 'no unit'}: set it to another"
        return value * factor, ""

    async def total(self) -> float:
        """The totalizer as it is displayed, in its own unit; raises Refused when there is none, or it is doubtful."""
        frame = await self.frame()
        value = frame.numbers.get("total")
        if value is None:
            raise Refused("no total", f"unit {self.talk.unit}: no totalizer in its data frame")
        if why := words.condemned(frame.words).get("total"):
            raise Refused("total", f"unit {self.talk.unit}: {why}")
        return value

    async def reset_total(self) -> None:
        """Set the totalizer to 0; raises Refused when there is none."""
        await self.know_columns()
        if not any(column.signal == "total" for column in self.columns):
            raise Refused("no total", f"unit {self.talk.unit}: no totalizer in its data frame")
        await self.talk.ask(self.command("reset_total"), self.own_frame)

    # -- setting

    async def write(self, name: str, value: Value) -> Reading:
        """Set the gas (by its short name) or the button lock; sent once and read back. Raises Refused, WireError."""
        if name == "gas":
            await self.set_gas(str(value))
        elif name == "buttons_locked":
            lock, unlock = self.command("buttons_locked").split("|")
            await self.talk.ask(lock if value else unlock, self.own_frame)
        else:
            raise Refused("read only", f"{name} of {self.model} cannot be set")
        reading = await self.read(name)
        if reading.value != value:
            raise Refused("read-back", f"unit {self.talk.unit}: {name} is {reading.value} after {value} was written")
        return reading

    async def set_gas(self, gas: str) -> None:
        """Choose the gas table by its short name; nothing is sent when it is chosen already (it is kept in memory)."""
        if (await self.frame()).gas == gas:
            return
        if (number := words.gas_number(gas)) is None:
            raise Refused("gas", f"{gas!r} is no gas of the sheet; there are {', '.join(words.GASES.values())}")
        await self._send_gas(number)

    async def _send_gas(self, number: int) -> None:
        word = self.command("gas")
        if word.endswith("="):
            await self.talk.ask(f"{word}{number}", _register_is("046", number))
        else:
            await self.talk.ask(f"{word} {number}", self.own_frame)

    async def create_mix(self, name: str, parts: Mapping[str, float], number: int = 0) -> int:
        """Teach the device a gas mix (2 to 5 gases, percent, 100 in all) and return its number; checked by the echo.

        `number` 236 to 255, 0 = the next free one from 255 down. Raises ValueError, Refused, WireError.
        """
        if not 2 <= len(parts) <= 5 or abs(math.fsum(parts.values()) - 100) > 1e-9:
            raise ValueError("a mix is 2 to 5 gases and 100 % in all")
        if not 1 <= len(name) <= 6 or " " in name or not name.isascii():
            raise ValueError(f"{name!r} is not a name of 1 to 6 characters")
        if number and not words.FIRST_MIX <= number <= words.LAST_MIX:
            raise ValueError(f"mix number {number} is outside {words.FIRST_MIX} to {words.LAST_MIX}")
        pairs: list[str] = []
        for gas, percent in parts.items():
            if (index := words.gas_number(gas)) is None:
                raise ValueError(f"{gas!r} is no gas of the sheet")
            pairs.append(f"{percent:.2f} {index}")
        echo = await self.talk.ask(f"{self.command('mix')} {name} {number} {' '.join(pairs)}", _mix)
        made, made_of = echo
        if made_of != {gas: round(percent, 2) for gas, percent in parts.items()} or (number and made != number):
            raise Refused("read-back", f"unit {self.talk.unit}: the device made mix {made} of {made_of}")
        return made

    async def calibrate(self, point: str, reference: float | None = None) -> Mapping[str, float]:
        """Tare flow or pressure. A flow tare is refused while gas is let through. Raises Refused, WireError."""
        if point not in self.calibration_points:
            raise Refused("no procedure", f"{self.model} has no calibration {point!r} of its own")
        if reference is not None:
            raise Refused("no number", f"{point} takes no reference")
        readings = await self.poll()
        if point == "zero_flow":
            self._check_no_flow(readings)
        await self.talk.ask(self.command(ZERO[point][1]), self.own_frame, timeout_s=TARE_TIMEOUT_S)
        return await self.calibration()

    def _check_no_flow(self, readings: Mapping[str, Reading]) -> None:
        limit = NO_FLOW * self.full_scale_ml_min()
        for name in ("flow_setpoint", "standard_flow"):
            if name not in readings:
                continue
            reading = readings[name]
            if reading.quality is not Quality.GOOD or not isinstance(reading.value, float):
                raise Refused("flow", f"no tare: {name} is not known ({reading.why})")
            if abs(reading.value) > (limit if name == "standard_flow" else 0):
                raise Refused("flow", f"no tare: {name} is {reading.value:g} mL/min; set it to 0 and wait")

    def full_scale_ml_min(self) -> float:
        if self.full_scale is None:
            raise Refused("FPF", f"unit {self.talk.unit}: full scale is not known: say it in option full_scale")
        factor = words.STANDARD.get(self.full_scale.unit)
        if factor is None:
            raise Refused("FPF", f"unit {self.talk.unit}: flow in {self.full_scale.unit}, not in SCCM or SLPM")
        return self.full_scale.value * factor


def _factor(column: Column) -> float | None:
    """From the printed unit to the signal's; None = a unit this driver does not know."""
    match column.signal:
        case "standard_flow" | "flow_setpoint":
            return words.STANDARD.get(column.unit)
        case "volumetric_flow":
            return words.VOLUMETRIC.get(column.unit)
        case "temperature":
            return 1.0 if column.unit in TEMPERATURES else None
        case "pressure":
            return 1.0 if column.unit == "PSIA" else None
        case _:
            return None


def _behind(text: str, words_before: str) -> str:
    return text.removeprefix(words_before).strip()


def _register_is(number: str, value: int) -> Callable[[str], int | None]:
    """The reply `A   046 = 4`; another low 9 bits are no such reply."""

    def form(text: str) -> int | None:
        match = re.fullmatch(rf"\s*{number}\s*=\s*(\d+)\s*", text)
        return value if match is not None and int(match[1]) & 0x1FF == value else None

    return form


def _mix(text: str) -> tuple[int, dict[str, float]] | None:
    """`252 71.35% He 19.25% N2 9.40% CO2`."""
    match = re.fullmatch(r"\s*(\d{3})((?:\s+\d+(?:\.\d+)?%\s+\S+)+)\s*", text)
    if match is None:
        return None
    return int(match[1]), {gas: float(percent) for percent, gas in re.findall(r"(\d+(?:\.\d+)?)%\s+(\S+)", match[2])}
