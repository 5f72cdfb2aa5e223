"""Watlow F4T over SCPI, port 5025, sheet watlow-f4t-ezzone.md: lines that end with LF, settings without a reply.

No reply says what it answers, so the line is given time between two commands (the program S waits as long), and a
setting is known by reading it back. Outputs, ramps and programs are left to Modbus: what their states are called when
asked is not known (?).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Device, LinkLoss, Signal
from drivers.core.errors import BadFrame, LinkLost, NoAnswer, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.registers import Table
from drivers.core.signals import Access, Identity, Reading, Value
from drivers.core.units import convert
from drivers.core.wire.ascii import take_line

LONGEST = 512
ERROR_S = 0.3
"""How long a setting may be answered with an error text; what such a text is, is not known (?)."""
SAME = 0.051
"""°C by which a set point read back may differ: E rounds to tenths."""
LOOPS = 4
NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?", re.ASCII)
UNIT = re.compile(r"[CF]", re.ASCII)


class WatlowF4tScpi(Device):
    """Temperature and set point of one loop. Options: loop (1 to 4), part_begins (of another part number than F4T…)."""

    table: ClassVar[Table] = registers.load("watlow_f4t_ez_zone", "scpi.csv")
    model = "watlow_f4t_scpi"
    maker = "Watlow"
    kind = "chamber"
    default_url = "tcp://192.168.0.222:5025"
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    safe_state = (
        "last set points held by the controller's own loops; an independent over-temperature limiter set at the chamber"
    )
    watchdog = "none (the sheet knows no communication time-out)"
    evidence = "SX"
    shows_cuts = False  # `37.0` has no fixed width
    not_sought = "its question begins with the asterisk by which a VICI valve takes settings"
    timeout_s = 2.0
    quiet_s = 0.5
    """S pauses 0.5 s between commands."""
    option_names = ("loop", "part_begins")

    temperature = Signal()
    temperature_setpoint = Signal()
    temperature_unit = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        loop = float(self.options.get("loop", 1))
        if loop not in range(1, LOOPS + 1):
            raise ValueError(f"{self.model}: loop is 1 to {LOOPS}, not {self.options['loop']!r}")
        self.loop = int(loop)

    async def identify(self) -> Identity:
        """Manufacturer, part number, serial number and software version; raises WrongDevice."""
        said = await self._ask("*IDN?")
        fields = [each.strip(' "') for each in said.split(",")]
        begins = str(self.options.get("part_begins", "F4T"))
        if len(fields) != 4 or "WATLOW" not in fields[0].upper() or not fields[1].upper().startswith(begins):
            raise WrongDevice(f"{self.line.name}: {said!r} is not the name of a Watlow {begins}…")
        return Identity(self.maker, fields[1], fields[2], fields[3])

    async def poll(self) -> dict[str, Reading]:
        """The unit first, for it says what the numbers are."""
        readings: dict[str, Reading] = {}
        try:
            unit = await self._unit()
            for name in ("temperature", "temperature_setpoint"):
                try:
                    readings[name] = self._temperature(name, await self._question(name), unit)
                except (NoAnswer, LinkLost):
                    raise
                except WireError as error:
                    readings[name] = self.bad(str(error))
            readings["temperature_unit"] = self.good(unit)
        except WireError as error:
            return dict.fromkeys(self.specs(), self.bad(str(error)))
        return readings

    async def read(self, name: str) -> Reading:
        unit = await self._unit()
        if name == "temperature_unit":
            return self.good(unit)
        return self._temperature(name, await self._question(name), unit)

    async def write(self, name: str, value: Value) -> Reading:
        """Write the set point once where it differs, and read it back; raises OutOfRange, Refused, WireError."""
        row = self.table[name]
        if row.access is not Access.READ_WRITE:
            raise Refused("read only", f"{name} of {self.model} cannot be set")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Refused("not a number", f"{name} takes a number in {row.unit}, not {value!r}")
        self.check_limits(name, value)
        before = await self.read(name)
        if isinstance(before.value, float) and abs(before.value - value) < 0.005:
            return before
        wire = convert(value, "Cel", "[degF]") if await self._unit() == "F" else value
        await self._tell(f"{self._command(name)} {round(wire, 2)!r}")
        reading = await self.read(name)
        if not isinstance(reading.value, float) or abs(reading.value - value) > SAME:
            kept = reading.why if reading.value is None else reading.value
            raise Refused("read-back", f"{name}: {value:g} Cel was sent, the controller has {kept}")
        return reading

    # -- steps

    def _command(self, name: str) -> str:
        return self.table[name].command.format(n=self.loop)

    async def _question(self, name: str) -> str:
        return await self._ask(f"{self._command(name)}?")

    async def _unit(self) -> str:
        """C or F; raises BadFrame for anything else."""
        said = await self._question("temperature_unit")
        if not UNIT.fullmatch(said):
            raise BadFrame(f"{self.line.name}: {said!r} is no unit of temperature")
        return said

    def _temperature(self, name: str, said: str, unit: str) -> Reading:
        if not NUMBER.fullmatch(said):
            return self.bad(f"{name}: the controller said {said!r} instead of a number")
        cel = convert(float(said), "[degF]", "Cel") if unit == "F" else float(said)
        row = self.table[name]
        if not (row.low or 0) <= cel <= (row.high or 0):
            return self.bad(f"{cel:g} Cel cannot be true ({row.low:g} to {row.high:g})")
        return self.good(cel)

    # -- the wire

    async def _ask(self, command: str) -> str:
        return await self.line.query(_line(command), _reply, timeout_s=self.timeout_s, retries=1, quiet_s=self.quiet_s)

    async def _tell(self, command: str) -> None:
        """Send a setting once; there is no reply but perhaps an error text, which is raised as Refused."""
        try:
            said = await self.line.query(_line(command), _reply, timeout_s=ERROR_S, quiet_s=self.quiet_s)
        except NoAnswer:
            return
        raise Refused(said, f"{self.line.name}: {command} is answered {said!r}")


def _line(command: str) -> bytes:
    return command.encode("ascii") + b"\n"


def _reply(buffer: bytearray) -> str | None:
    """The first line, without LF or CR LF and blanks; raises BadFrame for what is no text."""
    line = take_line(buffer, b"\n")
    if line is None:
        if len(buffer) > LONGEST:
            raise BadFrame(f"{len(buffer)} bytes without a line end")
        return None
    text = line.decode("latin-1").strip()
    if not text or not text.isascii() or not text.isprintable():
        raise BadFrame(f"no text: {line[:40]!r}")
    return text
