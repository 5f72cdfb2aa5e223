"""Newer Masterflex drives by USB, sheet masterflex-ls.md part B (from the vendor's own client): doses by time only."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.fluid import Direction, Motion, MoverStatus, Totals, Use
from drivers.core.line import Line
from drivers.core.peristaltic import ONE_WAY, Peristaltic
from drivers.core.signals import Identity, Reading, Value

STOPS = 6
STATUS = re.compile(r"(\d), ?([01]), ?([01])", re.ASCII)
NUMBER = re.compile(r"(\d+(?:\.(\d+))?)(?: ?rpm| ?rev)?", re.ASCII)
VOLUME = re.compile(r"(\d+(?:\.\d+)?) ?(ul|ml|l)", re.ASCII | re.IGNORECASE)
ML_PER = {"ul": 1e-3, "ml": 1.0, "l": 1e3}
CLOCK = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)\.(\d)", re.ASCII)
BATCH = re.compile(r"(\d{1,5})/(\d{1,5})", re.ASCII)
MODEL = re.compile(r"(?=.*[A-Za-z])(?=.*\d)[A-Za-z0-9][\w ./()-]{2,60}", re.ASCII)
REFUSALS = {
    "#": "the drive does not know the command, or not this value",
    "~": "the drive is not in serial mode: prepare it",
}
WENT_DOWN = "its revolutions went down: the power was lost, or somebody cleared them"


class MasterflexLsUsb(Peristaltic):
    """One drive. A dose is one dispense of a time at a speed, ended by the drive; how far it turned its counter says.

    Option besides those of every peristaltic pump: `ml_per_rev` of the tube (none may be dosed without it).
    """

    table = registers.load("masterflex_ls", "commands_usb.csv")
    model = "masterflex_ls_usb"
    maker = "Masterflex"
    kind = "pump"
    default_url = "serial:///dev/ttyUSB0?baud=115200&parity=N&stopbits=1"
    default_address = 1
    on_link_loss = LinkLoss.FINISHES_BOUNDED_MOVE
    safe_state = "motor 0 in its status"
    watchdog = "none seen: a dispense ends at its own time, continuous mode turns on until I"
    timeout_s = 1.0
    quiet_s = 0.02
    evidence = "VX"
    shows_cuts = False  # `100.0` has no fixed width
    continuity = f"by revolutions above zero, cleared by W only (V); over power-off: ?. {ONE_WAY}"
    fence_quiet_s = 2.0
    fence_why = "a command takes 2 ms at 115200 baud and is carried out on its CR; 2 s leave room for USB and server"
    option_names: ClassVar[tuple[str, ...]] = (*Peristaltic.option_names, "ml_per_rev")

    motion = Signal()
    alarm = Signal()
    revolutions = Signal()
    pump_volume = Signal()
    speed = Signal()
    direction = Signal()
    on_time = Signal()
    batch_count = Signal()
    batch_total = Signal()
    dispensing = Signal()
    ml_per_rev = Signal()

    def __init__(self, line: Line, address: int = 1, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for options that no drive can have."""
        super().__init__(line, address, options)
        self.ml = float(self.options.get("ml_per_rev", 0.0))
        if not 1 <= address <= 8:
            raise ValueError(f"drive address {address} is outside 1 to 8")
        if self.ml < 0:
            raise ValueError(f"ml_per_rev {self.ml:g} is below 0")
        self._turned = 0.0

    # -- who and how it is

    async def identify(self) -> Identity:
        """Ask the model, and the status only when a model came: to a Watson-Marlow the same letters mean "reverse".

        What the model text looks like is not known (?): the form of the status proves the language. WrongDevice.
        """
        try:
            model = await self._text("model")
            if MODEL.fullmatch(model) is None or model.startswith("REGLO ICC"):
                raise WrongDevice(f"{self.line.name}: {model!r} instead of a Masterflex drive")
            await self._status()
        except Refused as error:
            raise WrongDevice(f"{self.line.name}: what answers is no Masterflex drive: {error}") from error
        return Identity(self.maker, model, "", await self._text("software"))

    async def prepare(self) -> None:
        """Serial mode on (it cannot be asked for, so it is sent each time). Clears the latched alarm."""
        await self._act("serial_mode", "1")
        self._turned = (await self._revolutions())[0]
        self.alarm_text = ""

    async def status(self) -> MoverStatus:
        """Running or not, and whether the revolutions went down since the last look. Raises WireError."""
        running, _ = await self._status()
        await self._revolutions()
        return MoverStatus(self._motion(running), self.alarm_text)

    async def totals(self) -> Totals:
        """Cumulative revolutions as a volume. Raises WireError; Refused when option ml_per_rev is not stated."""
        ml = self._stated_ml()
        turned, step = await self._revolutions()
        return self._totals(turned * ml, step * ml)

    async def poll(self) -> dict[str, Reading]:
        """Seven exchanges. A drive that does not answer one is not asked the others."""
        readings: dict[str, Reading] = {}
        for name in self.specs():
            if name in readings:
                continue
            try:
                readings |= {each: self.good(value) for each, value in (await self._look(name)).items()}
            except NoAnswer as error:
                return dict.fromkeys(self.specs(), self.bad(str(error))) | readings
            except WireError as error:
                readings[name] = self.bad(str(error))
        readings["alarm"] = self.good(self.alarm_text)
        return readings

    async def read(self, name: str) -> Reading:
        return self.good((await self._look(name))[name])

    async def write(self, name: str, value: Value) -> Reading:
        """Set the speed and read it back; not while a dose runs."""
        if not self.specs()[name].writable:
            raise Refused("read only", f"{name} of a drive cannot be set; fluid is moved by start and stop")
        if isinstance(value, str) or value is None:
            raise OutOfRange(name, float("nan"), "1/min", None, None, "a number is wanted")
        self.check_limits(name, value)
        if (await self._status())[0] and self.use is Use.DOSE:
            raise Refused("moving", f"{self._name}: a dose is running; its speed is not changed")
        return self.good(await self._set_speed(round(value, 2)))

    async def _look(self, name: str) -> dict[str, Value]:
        """One signal, and those that come with the same answer."""
        match name:
            case "motion" | "direction":
                running, clockwise = await self._status()
                turn = "clockwise" if clockwise else "counter-clockwise"
                return {"motion": self._motion(running).value, "direction": turn}
            case "alarm":
                return {name: self.alarm_text}
            case "ml_per_rev":
                return {name: self.ml}
            case "revolutions":
                return {name: (await self._revolutions())[0]}
            case "pump_volume":
                match = self._found(VOLUME, await self._text(name))
                return {name: float(match[1]) * ML_PER[match[2].lower()]}
            case "speed":
                return {name: await self._speed()}
            case "on_time":
                return {name: await self._on_time_s()}
            case "dispensing":
                return {name: await self._exchange(name, "+-") == "+"}
            case _:
                given, total = await self._batch()
                return {"batch_count": float(given), "batch_total": float(total)}

    def _motion(self, running: bool) -> Motion:
        if running:
            return Motion.MOVING
        return Motion.ALARM if self.alarm_text else Motion.STOPPED

    # -- moving

    async def _program_dose(self, direction: Direction, volume_ml: float, rate_ml_min: float) -> None:
        """Speed, time and one dose a batch are read back. The mode cannot be: its acknowledgement has to do (V)."""
        ml = self._stated_ml()
        rpm = await self._program(direction, rate_ml_min)
        tenths = math.floor(volume_ml / (rpm * ml) * 600 + 1e-6)
        if not 1 <= tenths < 3_600_000:
            least, most = rpm * ml / 600, rpm * ml * 6000
            raise OutOfRange("dose", volume_ml, "mL", least, most, f"{self.model} at {rate_ml_min:g} mL/min")
        await self._act("time_dispense")
        if tenths <= 9999:
            await self._act("set_on_time", f"{tenths:04d}")
        else:
            seconds, tenth = divmod(tenths, 10)
            clock = f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}{tenth}"
            await self._act("set_long_on_time", clock)
        if (found := await self._on_time_s()) != tenths / 10:
            raise Refused("read-back", f"{self._name}: on-time {found:g} s after {tenths / 10:g} s was set")
        await self._act("batch_count", "00001")
        await self._act("reset_batch")
        if (batch := await self._batch()) != (0, 1):
            raise Refused("read-back", f"{self._name}: batch {batch[0]}/{batch[1]} instead of 0/1")
        self.programmed = direction, tenths / 600 * rpm * ml, rpm * ml

    async def _program_loop(self, direction: Direction, rate_ml_min: float) -> None:
        rpm = await self._program(direction, rate_ml_min)
        await self._act("continuous")
        self.programmed = direction, 0.0, rpm * self.ml

    async def _program(self, direction: Direction, rate_ml_min: float) -> float:
        rpm = self._rpm(rate_ml_min)
        running, clockwise = await self._status()
        if running:
            raise Refused("moving", f"{self._name}: it is running, stop it first")
        await self._revolutions()
        if clockwise is not (wanted := self._clockwise(direction)):
            await self._act("clockwise" if wanted else "counter_clockwise")
            if (await self._status())[1] is not wanted:
                raise Refused("read-back", f"{self._name}: the direction is not the one that was sent")
        return await self._set_speed(rpm)

    def _rpm(self, rate_ml_min: float) -> float:
        ml, row = self._stated_ml(), self.table["speed"]
        assert row.low is not None and row.high is not None
        if not row.low * ml * (1 - 1e-9) <= rate_ml_min <= row.high * ml * (1 + 1e-9):
            raise OutOfRange("rate", rate_ml_min, "mL/min", row.low * ml, row.high * ml, f"{self.model}, {ml:g} mL/rev")
        return math.floor(rate_ml_min / ml * 100 + 1e-6) / 100

    async def _set_speed(self, rpm: float) -> float:
        if abs(await self._speed() - rpm) > 0.001:
            await self._act("speed", f"{round(rpm * 100):06d}")
            if abs((found := await self._speed()) - rpm) > 0.001:
                raise Refused("read-back", f"{self._name}: {found:g} rpm after {rpm:g} was sent")
        return rpm

    async def _start_dose(self) -> None:
        """Send `H` once; `#` and `~` are the drive's word that it did not start (V)."""
        await self._act("start")

    async def _start_loop(self) -> None:
        await self._act("start")
        if not (await self._status())[0]:
            raise BadFrame(f"{self._name}: started, and its motor does not turn: what it does is unknown")

    async def _turns(self, direction: Direction, rate_ml_min: float) -> bool:
        running, clockwise = await self._status()
        same = abs(await self._speed() - self._rpm(rate_ml_min)) < 0.001
        return running and clockwise is self._clockwise(direction) and same and await self._on_and_on()

    async def _on_and_on(self) -> bool:
        """In continuous mode nothing is dispensed (`E`): a guess (X); if wrong, the pump is stopped and begun anew."""
        return await self._exchange("dispensing", "+-") == "-"

    async def stop(self) -> None:
        """Send `I` until the status says motor 0; a drive not in serial mode is taken into it. Raises NoAnswer."""
        self._stops += 1
        why = ""
        for _ in range(STOPS):
            try:
                if await self._exchange("stop", "*#~") == "~":
                    await self._act("serial_mode", "1")
                    await self._exchange("stop", "*#~")
                if not (await self._status())[0]:
                    return
                why = "its motor still turns"
            except (NoAnswer, BadFrame, Refused) as error:
                why = str(error)
        raise NoAnswer(f"{self._name}: not seen to stop: {why}")

    # -- the wire

    @property
    def _name(self) -> str:
        return f"drive {self.address}"

    def _stated_ml(self) -> float:
        if not self.ml:
            raise Refused("not calibrated", f"{self._name}: option ml_per_rev has to be stated")
        return self.ml

    def _found(self, pattern: re.Pattern[str], said: str) -> re.Match[str]:
        match = pattern.fullmatch(said)
        if match is None:
            raise BadFrame(f"{self._name}: {said!r} is no answer to what was asked")
        return match

    async def _status(self) -> tuple[bool, bool]:
        """Whether the motor runs, and whether clockwise."""
        match = self._found(STATUS, await self._text("motion"))
        if int(match[1]) != self.address:
            raise BadFrame(f"{self._name}: the status of drive {match[1]} came")
        return match[2] == "1", match[3] == "0"

    async def _revolutions(self) -> tuple[float, float]:
        """Cumulative, and the worth of the last digit."""
        match = self._found(NUMBER, await self._text("revolutions"))
        turned = float(match[1])
        if turned < self._turned:
            self._latch(WENT_DOWN)
        self._turned = turned
        return turned, 10.0 ** -len(match[2] or "")

    async def _speed(self) -> float:
        """1/min; raises BadFrame for one that no drive has."""
        rpm, most = float(self._found(NUMBER, await self._text("speed"))[1]), self.table["speed"].high
        if most is not None and rpm > most:
            raise BadFrame(f"{self._name}: a speed of {rpm:g} 1/min cannot be true (at most {most:g})")
        return rpm

    async def _on_time_s(self) -> float:
        match = self._found(CLOCK, await self._text("on_time"))
        return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]) + int(match[4]) / 10

    async def _batch(self) -> tuple[int, int]:
        match = self._found(BATCH, await self._text("batch_count"))
        return int(match[1]), int(match[2])

    async def _text(self, name: str) -> str:
        return await self._exchange(name, "", retries=1)

    async def _act(self, name: str, parameter: str = "") -> None:
        if (said := await self._exchange(name, "*#~", parameter)) != "*":
            raise Refused(said, f"{self._name}: {name} {parameter}: {REFUSALS[said]}")

    async def _exchange(self, name: str, statuses: str, parameter: str = "", retries: int = 0) -> str:
        """One command; the answer is one of `statuses`, with or without an end (X), or a line when there are none."""

        def parse(buffer: bytearray) -> str | None:
            while buffer and buffer[0] in b"\r\n":  # the end of the status before
                del buffer[0]
            if not buffer:
                return None
            first = chr(buffer[0])
            if statuses or first in REFUSALS:
                del buffer[0]
                if first in statuses:
                    return first
                if first in REFUSALS:
                    raise Refused(first, f"{self._name}: {name}: {REFUSALS[first]}")
                raise BadFrame(f"{self._name}: {first!r} is no answer to {name}")
            end = buffer.find(b"\r\n")
            if end < 0:
                return None
            said = buffer[:end].decode("latin-1")
            del buffer[: end + 2]
            if not (said.isascii() and said.isprintable()):
                raise BadFrame(f"{self._name}: {said!r} is no answer to {name}")
            return said.strip()

        request = f"{self.address}{self.table[name].command}{parameter}\r".encode("ascii")
        return await self._ask(request, parse, retries)
