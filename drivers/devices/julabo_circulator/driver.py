"""JULABO circulators, RS-232 4800 7E1 or USB (datasheet julabo-circulator.md), under remote control.

A command that sets something has no reply: the status afterwards says whether it was taken, and the value is read back.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeVar

from drivers.core import registers
from drivers.core.device import Device, LinkLoss, Signal
from drivers.core.errors import BadFrame, NoAnswer, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.registers import Row, Table
from drivers.core.signals import Identity, Reading, Value
from drivers.devices.julabo_circulator import replies
from drivers.devices.julabo_circulator.replies import CONDEMNED, REJECTED, REMOTE, Status

T = TypeVar("T")

SILENCE_S = 0.25
"""Pause after a command that sets something (L)."""
SELDOM_S = 600.0
"""Limits that a person sets at the device."""


class JulaboCirculator(Device):
    """Heats and cools the jacket of a vessel with its own loop; goes on when nobody talks to it."""

    table: ClassVar[Table] = registers.load("julabo_circulator", "commands.csv")
    maker = "JULABO"
    kind = "circulator"
    default_url = "serial:///dev/ttyUSB0?baud=4800&bits=7&parity=E&stopbits=1"
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    safe_state = "last set point held by its own loop; its excess temperature protection set at the device"
    watchdog = (
        "its serial watchdog, if active, stops it when no set point comes for 30 s (alarm -1501): leave it off at the "
        "device, it cannot be read or set from here"
    )
    evidence = "VL"
    timeout_s = 1.0  # ours: the sheet names no time; 40 characters take 0.08 s at 4800 baud
    quiet_s = 0.02

    family: ClassVar[str]
    """How the device's name begins in `version`."""

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self._lacks: set[str] = set()
        """Questions that this device does not know."""
        self._seldom_due = -math.inf
        self._last: dict[str, str] = {}
        """The last answer to each question. Answers have neither a check sum nor a name: one that is much different
        from the one before is asked for once more."""
        self._stray = False
        """Something came that nobody had asked for: answers may have been taken for those of other questions."""
        line.listen(self._overhear)

    def __init_subclass__(cls, **more: object) -> None:
        super().__init_subclass__(**more)
        often = ("temperature", "temperature_setpoint", "running", "heating_power", "safety_temperature", "status",
                 "alarm", "external_temperature", "pump_stage")  # fmt: skip
        names = [name for owner in reversed(cls.__mro__) for name, it in vars(owner).items() if isinstance(it, Signal)]
        cls.seldom = {name: SELDOM_S for name in names if name not in often}

    async def identify(self) -> Identity:
        """Name and version; raises WrongDevice for another family of JULABO, BadFrame for anything else."""
        device, version = await self._ask("version", replies.version)
        if not device.upper().startswith(self.family):
            raise WrongDevice(f"{self.line.name}: a JULABO {device}, and this place is for a {self.family}")
        return Identity(self.maker, device, "", version)

    async def prepare(self) -> None:
        """Nothing is set. An error left over from before is taken away, and every question is asked again."""
        self._lacks.clear()
        self._seldom_due = -math.inf
        await self._status()

    # -- readings

    async def poll(self) -> dict[str, Reading]:
        """The status, one question a value (the limits now and then), and the status again. Raises WireError.

        The status looks like no other answer: were an answer late or doubled, and all behind it one question off, the
        last status shows it.
        """
        now = self.good(None).at
        whole = now >= self._seldom_due
        status, _ = await self._status()
        self._stray = False
        readings: dict[str, Reading] = {}
        complete = True
        for name in self.specs():
            row = self.table[name]
            if row.command == "status":
                readings[name] = self.good(status.text if row.type == "text" else status.code < 0)
            elif name not in self.seldom or whole:
                try:
                    readings[name] = await self._value(row, status)
                except WireError as error:
                    readings[name] = self.bad(str(error))
                    complete = False
                    await self._status()  # is it still there?
        await self._status()
        if self._stray:
            raise BadFrame(
                f"{self.line.name}: an answer came that nobody had asked for; which belongs to what is unsure"
            )
        if whole and complete:
            self._seldom_due = now + SELDOM_S
        return readings

    async def read(self, name: str) -> Reading:
        row = self.table[name]
        status, _ = await self._status()
        if row.command == "status":
            return self.good(status.text if row.type == "text" else status.code < 0)
        return await self._value(row, status)

    async def _value(self, row: Row, status: Status) -> Reading:
        """One value, judged by the status; silence and then `-08` is a question that this device does not know."""
        if row.command in self._lacks:
            return self.bad(f"this circulator does not know {row.command}")
        try:
            text = await self._sure(row)
        except NoAnswer:
            _, rejected = await self._status()
            if rejected is None or rejected.code != -8:
                raise
            self._lacks.add(row.command)
            return self.bad(f"this circulator does not know {row.command} ({rejected.text})")
        if status.code in CONDEMNED.get(row.name, ()):
            return self.bad(f"alarm {status.text}")
        return self._judged(row, text)

    def _judged(self, row: Row, text: str) -> Reading:
        if row.type == "flag":
            return self.good(text == "1") if text in ("0", "1") else self.bad(f"{row.command} was answered {text!r}")
        told = replies.number(text)
        if told is None:
            return self.bad(f"{row.command} was answered {text!r}")
        value = float(told)
        if (row.low is not None and value < row.low) or (row.high is not None and value > row.high):
            return self.bad(f"{value:g} {row.unit} cannot be true (expected {row.low:g} to {row.high:g})")
        return self.good(value)

    async def _sure(self, row: Row) -> str:
        """The answer to a question, asked again when it is much different from the last one; both have to agree."""
        text = await self._line(row.command)
        if not _alike(text, self._last.get(row.command, ""), row):
            again = await self._line(row.command)
            self._last[row.command] = again
            if not _alike(text, again, row):
                raise BadFrame(f"{self.line.name}: {row.command} was answered {text!r} and then {again!r}")
            text = again
        return text

    def _overhear(self, data: bytes) -> None:
        self._stray = True

    async def _status(self) -> tuple[Status, Status | None]:
        """The status now, and what the device had against the last command; that is said only once."""
        rejected: Status | None = None
        for _ in range(3):
            status = await self._ask("status", replies.status)
            if status.code not in REJECTED:
                return status, rejected
            rejected = rejected or status
        raise BadFrame(f"{self.line.name}: the status stays {rejected.text if rejected else ''}")

    # -- set points

    async def write(self, name: str, value: Value) -> Reading:
        """Under remote control only: send once, ask the status, read back. Raises OutOfRange, Refused, WireError."""
        row = self.table[name]
        if not row.spec.writable:
            raise Refused("read only", f"{name} of {self.model} can only be read")
        text, wanted = self._text(row, value)
        status, _ = await self._status()
        if status.code >= 0 and status.code not in REMOTE:
            raise Refused(status.text, f"{name} would have no effect: switch on remote control at the circulator")
        await self._tell(f"{row.extra['set']} {text}")
        status, rejected = await self._status()
        if rejected is not None:
            raise Refused(rejected.text, f"{name} {text}: {REJECTED[rejected.code]}")
        shown = await self._sure(row)
        reading = self._judged(row, shown)
        kept = reading.value
        decimals = min(2, max(1, len(shown.partition(".")[2])))  # how many a model has is not known (?)
        same = (
            kept == wanted
            if isinstance(wanted, bool) or not isinstance(kept, float)
            else isinstance(wanted, float) and abs(kept - wanted) <= 0.5 * 10.0**-decimals + 1e-9
        )
        if not same:
            why = f"; its status is {status.text}" if status.code < 0 else ""
            raise Refused("read-back", f"{name}: it says {reading.why or kept!r} after {text} was set{why}")
        return reading

    def _text(self, row: Row, value: Value) -> tuple[str, Value]:
        """The value as it is written, and as it has to read back; refuses anything else before a byte goes out."""
        if row.type == "flag":
            if not isinstance(value, bool):
                raise Refused("not on or off", f"{row.name} is on (true) or off (false), not {value!r}")
            return str(int(value)), value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise Refused("not a number", f"{row.name} takes a number in {row.unit}, not {value!r}")
        self.check_limits(row.name, value)
        return f"{value:.2f}", round(float(value), 2)

    # -- one exchange

    async def _line(self, question: str) -> str:
        return await self._ask(question, str)

    async def _ask(self, question: str, understand: Callable[[str], T]) -> T:
        """One exchange. An answer that is not understood leaves the cable in doubt: more may come out of step."""

        def parse(buffer: bytearray) -> T | None:
            line = replies.take_line(buffer)
            return None if line is None else understand(line)

        return await self.line.query(
            question.encode("ascii") + b"\r",
            parse,
            timeout_s=self.timeout_s,
            retries=1 if question != "status" else 0,  # what a lost status said, the next one does not say again
            quiet_s=self.quiet_s,
        )

    async def _tell(self, command: str) -> None:
        """Send a command whose answer is silence, once, and wait as long as the device needs."""
        with contextlib.suppress(NoAnswer):
            await self.line.query(
                command.encode("ascii") + b"\r", lambda buffer: None, timeout_s=SILENCE_S, quiet_s=self.quiet_s
            )


def _alike(one: str, other: str, row: Row) -> bool:
    """Two answers to one question that may both be true: same length, and numbers within the row's step."""
    if one == other:
        return True
    numbers = replies.number(one), replies.number(other)
    if len(one) != len(other) or numbers[0] is None or numbers[1] is None:
        return False
    return abs(float(numbers[0]) - float(numbers[1])) <= (row.step or 0.0)


class JulaboCorioCd(JulaboCirculator):
    """CORIO CD: the small command set."""

    model = "julabo_corio_cd"
    family = "CORIO CD"

    temperature = Signal()
    temperature_setpoint = Signal()
    running = Signal()
    heating_power = Signal()
    safety_temperature = Signal()
    excess_temperature_protection = Signal()
    status = Signal()
    alarm = Signal()


class JulaboCorioCp(JulaboCorioCd):
    """CORIO CP: warning limits besides."""

    model = "julabo_corio_cp"
    family = "CORIO CP"

    high_warning = Signal()
    low_warning = Signal()


class JulaboMagio(JulaboCorioCp):
    """MAGIO: external sensor and pump stage besides."""

    model = "julabo_magio"
    family = "MAGIO"

    external_temperature = Signal()
    pump_stage = Signal()


class JulaboDyneo(JulaboMagio):
    """DYNEO: as MAGIO."""

    model = "julabo_dyneo"
    family = "DYNEO"
