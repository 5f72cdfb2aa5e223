"""LiCONiC STX plate incubator and legacy Heraeus Cytomat, 9600 8E1 with RTS/CTS (datasheet liconic-stx.md)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import BadFrame, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.fluid import never
from drivers.core.line import Line, T
from drivers.core.registers import Table
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.devices.liconic_stx import words
from drivers.devices.liconic_stx.moves import StxMoves

VARIANTS: Mapping[str, str] = {
    "IC": "incubator", "HC": "humid cooler", "DC2": "dry store", "HR": "humid wide", "DR2": "dry wide",
    "AR": "humidity controlled", "DF": "deep freezer", "NC": "no climate", "DH": "dry humid",
}  # fmt: skip
"""Suffix of the type: what climate it has (P)."""
CLIMATE = tuple(f"{what}{end}" for what in ("temperature", "humidity", "co2", "n2") for end in ("", "_setpoint"))
BAR_CODES = "no protocol of the bar code reader is known"


class HeraeusCytomat(StxMoves):
    """Legacy Heraeus Cytomat: plates and a shaker. Its climate, error flag and error code are not known."""

    table: ClassVar[Table] = registers.load("liconic_stx", "commands_heraeus.csv")
    model = "heraeus_cytomat"
    maker = "Heraeus"
    type_name: ClassVar[str] = "Cytomat (legacy)"
    kind = "incubator"
    default_url = "serial:///dev/ttyUSB0?baud=9600&parity=E&stopbits=1&rtscts=1&break_ms=200"
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    safe_state = "last set points held by the incubator's own loops, gate closed, no plate on the shovel"
    watchdog = "none (the sheet knows no communication time-out)"
    evidence = "PHX"
    option_names = ("cassettes", "levels", "pitch_steps")
    timeout_s = 1.0  # the sheet has none: one line at 9600 baud and a scan of the controller (X)
    quiet_s = 0.02  # a reply does not say to what: one that comes twice must not answer the next question (X)
    not_known: ClassVar[Mapping[str, str]] = dict.fromkeys(CLIMATE, "the climate of the legacy unit is not known") | {
        "error": "no error flag is known for the legacy unit",
        "error_text": "no error code is known for the legacy unit",
        "bar_codes": BAR_CODES,
    }
    """What the sheet does not know, by name, and why it is refused."""

    ready = Signal()
    shaker_on = Signal()
    cassette = Signal()
    level = Signal()
    pitch_steps = Signal()
    levels_per_cassette = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self.absent: dict[str, str] = {}
        """Signals refused with E0, and how: not asked in a poll until the next `prepare`."""
        self.refused = self.not_known

    async def identify(self) -> Identity:
        """Open the communication and ask whether it is ready; no type, serial number or firmware is known.

        Raises WrongDevice when what answers is no such controller.
        """
        self._active_on = -1
        line = await self.line.query(b"CR\r", words.take, timeout_s=self.timeout_s, retries=1, quiet_s=self.quiet_s)
        if line != b"CC":
            if line.isascii() and line.decode().isprintable():
                raise WrongDevice(f"{self.model}: what answers is another device: {line!r}")
            raise BadFrame(f"not CC: {line!r}")
        try:
            await self._relay("ready")
        except Refused as error:
            raise WrongDevice(f"{self.model}: a controller answers, but of no plate store: {error}") from error
        return Identity(self.maker, self.type_name)

    async def prepare(self) -> None:
        """Open the communication. Nothing is written; handling is activated by the first move."""
        self.absent.clear()
        await self._open()

    async def read(self, name: str) -> Reading:
        self._known(name)
        try:
            value = await self._value(name)
        except BadFrame as error:
            return self.bad(str(error))
        self.absent.pop(name, None)
        return self._plausible(name, value)

    async def poll(self) -> dict[str, Reading]:
        """One question a signal: the controller knows no other way. The error code only when the flag says so."""
        found: dict[str, Reading] = {}
        for name in self.specs():
            try:
                self._known(name)
                if name in self.absent:
                    raise Refused("E0", self.absent[name])
                if name == "error_text" and found["error"].value is False:
                    found[name] = self.good("none")
                    continue
                found[name] = self._plausible(name, await self._value(name))
            except WireError as error:
                if isinstance(error, Refused) and error.code == "E0":
                    self.absent[name] = f"this unit does not have it: {error}"
                found[name] = self.bad(str(error))
        return found

    async def write(self, name: str, value: Value) -> Reading:
        """Write a set point or switch and read it back; raises OutOfRange, Refused, WireError."""
        self._known(name)
        row = self.table[name]
        if not row.spec.writable or name not in self.specs():
            raise Refused("read only", f"{name} can only be read")
        if not row.command.startswith("DM"):
            return await self._switch(name, value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refused("not a number", f"{name} takes a number in {row.unit}, not {value!r}")
        if not math.isfinite(value):
            raise OutOfRange(name, value, row.unit, row.low, row.high, f"the datasheet of {self.model}")
        self.check_limits(name, value)
        raw = round(value / row.scale)
        await self._write(name, f"{raw:05d}")
        if (kept := await self._number(name)) != raw:
            raise Refused(f"kept {kept}", f"{name}: it kept {kept * row.scale:g} {row.unit} instead of {value:g}")
        return await self.read(name)

    async def _switch(self, name: str, value: Value) -> Reading:
        if not isinstance(value, (bool, int, float)) or value not in (0, 1):
            raise Refused("not a switch", f"{name} takes true or false, not {value!r}")
        word = "ST" if value else "RS"
        await self._query(f"{word} {self.table[name].command}", words.ok)
        reading = await self.read(name)
        if reading.value is not bool(value):
            raise Refused("not taken", f"{name}: the relay does not read back as {'set' if value else 'reset'}")
        return reading

    # -- readings

    def _known(self, name: str) -> None:
        if name in self.refused:
            raise Refused("unknown", f"{name} of {self.model}: {self.refused[name]}")

    async def _value(self, name: str) -> Value:
        row = self.table[name]
        if not row.command.startswith("DM"):
            return await self._relay(name)
        raw = await self._number(name)
        if name == "error_text":
            return words.trouble(raw)
        inverse = round(1 / row.scale)
        return float(raw / inverse)

    def _plausible(self, name: str, value: Value) -> Reading:
        """A number outside what can be true is BAD."""
        if isinstance(value, float):
            try:
                self.check_limits(name, value)
            except OutOfRange as error:
                return Reading(None, asyncio.get_running_loop().time(), Quality.BAD, f"cannot be true: {error}")
        return self.good(value)

    async def _trouble(self) -> str:
        return ""

    # -- the line

    async def _open(self) -> None:
        """`CR` -> `CC`: nothing works before. Harmless when said again; the next move activates handling anew."""
        self._active_on = -1
        await self.line.query(b"CR\r", words.opened, timeout_s=self.timeout_s, retries=1, quiet_s=self.quiet_s)

    async def _relay(self, name: str) -> bool:
        return await self._ask(self.table[name].command, words.relay)

    async def _number(self, name: str) -> int:
        digits = await self._ask(self.table[name].command, self._digits)
        return int(digits)

    def _digits(self, buffer: bytearray) -> bytes | None:
        digits = words.number(buffer)
        if digits is not None:
            if self.wide and len(digits) != 5:
                raise BadFrame(f"not five digits: {digits!r}")
            self.wide = self.wide or len(digits) == 5
        return digits

    async def _write(self, name: str, digits: str) -> None:
        await self._query(f"WR {self.table[name].command} {digits}", words.ok)

    async def _ask(self, what: str, parse: Callable[[bytearray], T | None]) -> T:
        """A question, asked again while its answer may be another's: it does not say to what it is one."""
        return await self.certain(lambda: self._query(f"RD {what}", parse, retries=1))

    async def _query(self, command: str, parse: Callable[[bytearray], T | None], retries: int = 0) -> T:
        """One exchange. E1 = nothing was taken, and the controller may have restarted: open it, and say it again."""
        request = command.encode() + b"\r"
        try:
            return await self.line.query(
                request, parse, timeout_s=self.timeout_s, retries=retries, quiet_s=self.quiet_s
            )
        except Refused as error:
            if error.code != "E1":
                raise
        await self._open()
        return await self.line.query(request, parse, timeout_s=self.timeout_s, retries=retries, quiet_s=self.quiet_s)

    async def _start(self, name: str) -> None:
        request = f"ST {self.table[name].command}\r".encode()
        await self.line.query(request, words.ok, timeout_s=self.timeout_s, quiet_s=self.quiet_s)


class LiconicStx(HeraeusCytomat):
    """STX44 to STX1000. Option `climate` = the suffix of the type: NC has none, DF goes where coding is unknown."""

    table: ClassVar[Table] = registers.load("liconic_stx", "commands.csv")
    model = "liconic_stx"
    maker = "LiCONiC"
    type_name = "STX"
    option_names = ("cassettes", "levels", "pitch_steps", "site_height_mm", "climate")

    temperature = Signal()
    temperature_setpoint = Signal()
    humidity = Signal()
    humidity_setpoint = Signal()
    co2 = Signal()
    co2_setpoint = Signal()
    n2 = Signal()
    n2_setpoint = Signal()
    error = Signal()
    error_text = Signal()
    second_station_occupied = Signal()
    plate_ready = Signal()
    swapped = Signal()
    shaker_frequency = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        variant = str(self.options.get("climate", "IC"))
        if variant not in VARIANTS:
            raise ValueError(f"{self.model}: climate {variant!r} is none of {', '.join(VARIANTS)}")
        refused = {"bar_codes": BAR_CODES}
        if variant == "NC":
            refused |= dict.fromkeys(CLIMATE, "a type NC has no climate")
        if variant == "DF":
            why = "how a freezer's negative temperatures are coded is not known"
            refused |= dict.fromkeys(("temperature", "temperature_setpoint"), why)
        self.refused = refused

    async def plate_to_shovel(self, slot: int, *, unless: Callable[[], bool] = never) -> None:
        """Pick the plate of `slot` up. Ready again without an error is all that is asked of it."""
        await self._plate("plate_to_shovel", slot, before=None, after=None, unless=unless)

    async def plate_from_shovel_to_slot(self, slot: int, *, unless: Callable[[], bool] = never) -> None:
        await self._plate("plate_from_shovel_to_slot", slot, before=None, after=None, unless=unless)

    async def shovel_occupied(self) -> bool:
        """Switch the shovel's sensor on and read it (untested by the sheet's source)."""
        await self._query(f"ST {self.table['shovel_sensor'].command}", words.ok)
        return await self._ask(self.table["shovel_occupied"].command, words.relay)

    def _pitch(self, name: str) -> int:
        height = self.options.get("site_height_mm")
        if height is None:
            return super()._pitch(name)
        steps = words.STEPS_BY_MM.get(int(height))
        if steps is None:
            known = ", ".join(map(str, words.STEPS_BY_MM))
            raise Refused("site_height_mm", f"{name} was not sent: motor steps are known for {known} mm only")
        return steps

    async def _trouble(self) -> str:
        if not await self._relay("error"):
            return ""
        try:
            return words.trouble(await self._number("error_text"))
        except Refused as error:
            return f"an error whose code is not told: {error}"
