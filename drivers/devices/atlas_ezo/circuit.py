"""What all EZO circuits share: one command at a time, response codes on, continuous mode off, calibration, sleep."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from collections.abc import Iterable, Sequence
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import NoAnswer, Refused, WireError, WrongDevice
from drivers.core.registers import Row, Table
from drivers.core.signals import Identity, Reading, Value
from drivers.devices.atlas_ezo.replies import OK, Answer, End, refuse, take_line
from drivers.devices.atlas_ezo.teaching import Teaching

READING_TIMEOUT_S = 2.5
"""A reading takes up to 1 s (V, L); the longer time lets two readings of the continuous mode pass."""
SELDOM_S = 600.0
"""Calibration, supply and names move when somebody changes them."""
CAUSES = {"P": "power off", "S": "software reset", "B": "brown out", "W": "watchdog", "U": "unknown"}

_NUMBER = re.compile(r"-?\d{1,7}(?:\.\d{1,4})?")
_IDENTITY = re.compile(r"\?i,([\w.]{1,8}),(\d+\.\d+)", re.IGNORECASE)
_NAME = re.compile(r"[!-+\--~]{0,16}")
_SALINITY = re.compile(r"\?S,(\d+(?:\.\d+)?),(ppt|.{0,2}S)", re.IGNORECASE)


class AtlasEzo(Teaching):
    """An EZO circuit on its UART, 9600 8N1. Subclasses say what a reading looks like and what can be taught."""

    table: ClassVar[Table] = registers.load("atlas_ezo", "commands.csv")
    maker = "Atlas Scientific"
    kind = "probe"
    default_url = "serial:///dev/ttyUSB0?baud=9600&parity=N&stopbits=1"
    on_link_loss = LinkLoss.ONLY_MEASURES
    safe_state = "measures only; nothing to bring into a safe state"
    answer_s = 0.45
    evidence = "VFLX"
    timeout_s = 0.8  # 0.3 s (V); under 1 s, so that a circuit that talks every second is found silent in between
    quiet_s = 0.02  # what comes twice or late is thrown away before the next command

    word: ClassVar[str]
    """What it calls itself in `i`, without dots, in capitals."""
    form: ClassVar[re.Pattern[str]]
    """A reading, whole."""
    measured: ClassVar[tuple[str, ...]]
    """Signals that a reading holds."""
    every_poll: ClassVar[tuple[str, ...]] = ()
    """Signals read by commands of their own in every poll; the remaining ones are read seldom."""

    _seldom_due = -math.inf
    _shape = 0
    """Characters of the last reading. Without a check sum a doubled digit is another number: a reading of another
    length is asked for once more."""

    def __init_subclass__(cls, **more: object) -> None:
        super().__init_subclass__(**more)
        signals = [name for name, it in vars(cls).items() if isinstance(it, Signal)]
        cls.seldom = {name: SELDOM_S for name in signals if name not in (*cls.measured, *cls.every_poll)}

    # -- who it is, and how it has to be

    async def identify(self) -> Identity:
        """Type and firmware; raises WrongDevice when it is another circuit. Also with response codes switched off."""
        answer = self._answer("i", lambda line: _IDENTITY.fullmatch(line) is not None)
        try:
            await self._exchange(answer, self.timeout_s, retries=1)
        except NoAnswer:
            if answer.data is None:
                raise
        found = _IDENTITY.fullmatch(answer.data or "")
        assert found is not None
        word = found[1].upper().replace(".", "")
        if word != self.word:
            raise WrongDevice(f"{self.line.name}: an EZO circuit for {found[1]}, and this place is for {self.word}")
        return Identity(self.maker, f"EZO-{found[1].replace('.', '')}", "", found[2])

    async def prepare(self) -> None:
        """Response codes on, continuous mode off, outputs and scale as the signals are named; what is so stays so."""
        self._look_again()
        if await self._codes_are_off():
            with contextlib.suppress(NoAnswer):  # whether the codes are on is asked next
                await self._tell("*OK,1")
            if await self._codes_are_off():
                raise Refused("*OK,1", "the circuit keeps its response codes off")
        await self._silence()
        await self._arrange()
        self._restarted = ""

    def _look_again(self) -> None:
        self._seldom_due = -math.inf

    async def _arrange(self) -> None:
        """Settings of the kind of circuit that decide what a reading means."""

    async def _codes_are_off(self) -> bool:
        """An old circuit that does not know the question has its codes on: it said `*ER`."""

        def parse(buffer: bytearray) -> bool | None:
            nonlocal said
            while (line := take_line(buffer)) is not None:
                code = line.upper()
                refuse("*OK,?", code)
                if code == "?*OK,0":
                    return True
                said = said or code == "?*OK,1"
                if said and code == OK:
                    return False
                if code != OK and not said:
                    self._notice(line)
            return None

        said = False
        try:
            return await self.line.query(b"*OK,?\r", parse, timeout_s=self.timeout_s, retries=1, quiet_s=self.quiet_s)
        except Refused:
            return False

    async def _silence(self) -> None:
        """Continuous mode off, read back."""
        if await self._word("C,?", "?C,") != "0":
            await self._tell("C,0")
            if (kept := await self._word("C,?", "?C,")) != "0":
                raise Refused(f"?C,{kept}", "the circuit goes on with continuous readings")
        self._talks = False

    # -- readings

    async def poll(self) -> dict[str, Reading]:
        """One reading and what belongs to it; the rest now and then. Raises WireError when there is no reading."""
        readings = await self._measure()
        if self._restarted:
            await self.prepare()
        elif self._talks:
            await self._silence()
        now = asyncio.get_running_loop().time()
        whole = now >= self._seldom_due
        others, complete = await self._look_up([*self.every_poll, *(self.seldom if whole else ())])
        if whole and complete:
            self._seldom_due = now + SELDOM_S
        return self._condemned(readings | others)

    async def read(self, name: str) -> Reading:
        row = self.table[name]
        if name in self.measured:
            readings = await self._measure()
            others, _ = await self._look_up(self.every_poll)
            return self._condemned(readings | others)[name]
        return self._value(row, await self._fields(row.command, row.extra["reply"]))

    async def _measure(self) -> dict[str, Reading]:
        """R, judged; what the circuit said of itself may condemn it."""
        answer = await self._reading()
        shape = len(answer.data or "")
        if shape != self._shape:
            answer = await self._reading()
            self._shape = len(answer.data or "")
        why = self._restarted
        if asyncio.get_running_loop().time() < self._warm_at:
            why = why or f"warming up: {self.warm_up_s:g} s after the start"
        if self._supply:
            why, self._supply = why or f"the circuit's supply is {self._supply}", ""
        if shape != self._shape:
            why = why or "two readings of different length: damaged on the cable, or just changing"
        parts = (answer.data or "").split(",")
        if why := why or self._unfit(parts):
            return {name: self.bad(why) for name in self.measured}
        rows = [self.table[name] for name in self.measured]
        return {row.name: self._judged(row, float(parts[int(row.extra["field"])])) for row in rows}

    async def _reading(self) -> Answer:
        answer = self._answer("R", lambda line: self.form.fullmatch(line) is not None or line == "no output")
        answer.end = End.READING
        await self._exchange(answer, READING_TIMEOUT_S)
        self._talks = self._talks or answer.talks
        return answer

    def _unfit(self, parts: Sequence[str]) -> str:
        """Why these parts of a reading cannot be told apart; "" = they can."""
        return "every output of the circuit is switched off" if parts == ["no output"] else ""

    def _judged(self, row: Row, value: float) -> Reading:
        low, high = row.low, row.high
        if (low is not None and value < low) or (high is not None and value > high):
            return self.bad(f"{value:g} {row.unit} is outside what the circuit measures ({low} to {high})")
        return self.good(value)

    def _condemned(self, readings: dict[str, Reading]) -> dict[str, Reading]:
        """The readings, after what was read beside them has had its say."""
        return readings

    async def _look_up(self, names: Iterable[str]) -> tuple[dict[str, Reading], bool]:
        """Signals with commands of their own, those of one command in one exchange; and whether all were answered.

        A refusal is a BAD reading; once the circuit is silent the rest is not asked for.
        """
        by_command: dict[tuple[str, str], list[Row]] = {}
        for name in names:
            row = self.table[name]
            by_command.setdefault((row.command, row.extra["reply"]), []).append(row)
        readings: dict[str, Reading] = {}
        trouble: WireError | None = None
        for (command, begins), rows in by_command.items():
            fields = None
            if trouble is None or isinstance(trouble, Refused):
                try:
                    fields = await self._fields(command, begins)
                except WireError as error:
                    trouble = error
            if fields is None:
                readings |= {row.name: self.bad(str(trouble)) for row in rows}
            else:
                readings |= {row.name: self._value(row, fields) for row in rows}
        return readings, trouble is None or isinstance(trouble, Refused)

    def _value(self, row: Row, fields: Sequence[str]) -> Reading:
        """One field of an answer as a reading; what cannot be is BAD."""
        at = int(row.extra["field"])
        text = fields[at] if at < len(fields) else ""
        match row.type:
            case "number" if _NUMBER.fullmatch(text):
                return self.good(float(text))
            case "count" if text.isdecimal() and int(text) <= self.most_points:
                return self.good(int(text))
            case "flag" if text in ("0", "1"):
                return self.good(text == "1")
            case "cause" if text.upper() in CAUSES:
                return self.good(CAUSES[text.upper()])
            case "word" if text.isalpha():
                return self.good(text.lower())
            case "text" if _NAME.fullmatch(text):
                return self.good(text)
            case "salinity":
                return self._salinity(fields)
            case _:
                return self.bad(f"{row.command} was answered with {','.join(fields)!r}")

    def _salinity(self, fields: Sequence[str]) -> Reading:
        """The micro sign comes as byte B5, or as whatever is left of it (L)."""
        found = _SALINITY.fullmatch("?S," + ",".join(fields))
        if found is None:
            return self.bad(f"S,? was answered with {','.join(fields)!r}")
        if found[2].lower() == "ppt":
            return self.bad(f"the salinity is set in ppt ({found[1]}): set it here in uS/cm")
        return self.good(float(found[1]))

    # -- set points

    async def write(self, name: str, value: Value) -> Reading:
        """Check, send once, read back, compare; raises OutOfRange, Refused, WireError."""
        row = self.table[name]
        if not row.spec.writable:
            raise Refused("read only", f"{name} of {self.model} can only be read")
        text, wanted = self._text(row, value)
        await self._tell(row.extra["set"].format(text))
        reading = await self.read(name)
        kept = reading.value
        same = (
            abs(kept - wanted) <= 0.51 * 10.0 ** -int(row.extra["decimals"])
            if isinstance(kept, (int, float)) and isinstance(wanted, (int, float)) and not isinstance(wanted, bool)
            else kept == wanted
        )
        if not same:
            raise Refused("read-back", f"{name}: the circuit says {reading.why or kept!r} after {text} was set")
        return reading

    def _text(self, row: Row, value: Value) -> tuple[str, Value]:
        """The value as it is written, and as it has to read back; refuses anything else before a byte goes out."""
        match row.type:
            case "flag":
                if not isinstance(value, bool):
                    raise Refused("not on or off", f"{row.name} is on (true) or off (false), not {value!r}")
                return str(int(value)), value
            case "text":
                if not isinstance(value, str) or not _NAME.fullmatch(value) or value in ("", "?"):
                    raise Refused("no name", f"{row.name} is 1 to 16 printable characters without blank and comma")
                return value, value
            case _:
                if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                    raise Refused("not a number", f"{row.name} takes a number in {row.unit or '1/cm'}, not {value!r}")
                self.check_limits(row.name, value)
                decimals = int(row.extra["decimals"])
                return f"{value:.{decimals}f}", round(float(value), decimals)
