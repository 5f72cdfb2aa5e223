"""Memmert incubators over AtmoWEB: HTTP GET, one connection a request (datasheet memmert-atmoweb.md).

`Name=` reads, `Name=value` writes and answers with the value taken. Only the single read is recorded on a device (R);
that several parameters go into one request, and everything about writing, is from other programs (D): unverified here.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping
from typing import ClassVar
from urllib.parse import urlsplit

from drivers.core import registers
from drivers.core.device import Device, LinkLoss, Signal
from drivers.core.errors import BadFrame, OutOfRange, Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.registers import Row, Table
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.core.wire import http
from drivers.devices.memmert_atmoweb.reader import Answer, number, read

LIMITS_EVERY_S = 600.0
"""The alarm limits move when somebody sets them; asking for them in every poll would make it nearly twice as long."""
MANUAL = "Manual"
"""The only `CurOp` in which set points take effect (vendor section 4.3 via D)."""
WORDS = {"N/A": "not available on this device", "N/D": "no data", "UNKNOWN": "unknown to this device"}
"""Special answers (V, D); upper case."""


Column = tuple[str, str, float, float, Row]
"""Name, parameter and the band in which a number is good as it is."""


def _limits_of(*quantities: str) -> dict[str, float]:
    return {f"{what}_alarm_{end}": LIMITS_EVERY_S for what in quantities for end in ("high", "low")}


class AtmoWeb(Device):
    """What every Memmert shares: its own loops hold the set points, also when nobody talks to it."""

    table: ClassVar[Table] = registers.load("memmert_atmoweb", "commands.csv")
    maker = "Memmert"
    kind = "incubator"
    default_url = "http://192.168.100.100:80"
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    safe_state = (
        "last set points held by the incubator's own loops; its independent over-temperature limiter set at the device"
    )
    watchdog = "none (the sheet knows no communication time-out)"
    evidence = "RXP"
    timeout_s = 5.0  # "programs use 5 s"

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self.host = urlsplit(line.link.url).netloc or "incubator"
        self.serial = ""
        """Of the device identified; another one answering at the same address is neither read nor written."""
        self.ranges: dict[str, tuple[float, float]] = {}
        """The device's own limits by signal name; filled by `prepare`, refreshed by each write."""
        rows = [self.table[name] for name in self.specs()]
        self._whole_poll = self._poll_of(rows)
        self._usual_poll = self._poll_of([row for row in rows if row.name not in self.seldom])
        self._limits_due = -math.inf
        """Loop time from which a poll asks for the alarm limits too; at once after anything went wrong."""
        self._read_requests = {row.name: self._get([row.command]) for row in rows}

    async def identify(self) -> Identity:
        """DevType, SN, SWRev; raises WrongDevice when the device has no temperature or is of another kind."""
        answers = await self._ask(self._get(["Temp1Read", "CO2Read", "DevType", "SN", "SWRev"]))
        kind, self.serial, firmware = (_text(answers.get(name, "")) for name in ("DevType", "SN", "SWRev"))
        co2 = answers.get("CO2Read", "")
        if number(answers.get("Temp1Read", "")) is None:
            raise WrongDevice(f"{self.model}: {self.host} answers like AtmoWEB but tells no temperature")
        self._recognise(kind, measures_co2=not isinstance(co2, str) or co2.upper() not in ("", "N/A", "UNKNOWN"))
        return Identity(self.maker, kind, self.serial, firmware)

    def _recognise(self, kind: str, measures_co2: bool) -> None:
        """Raise WrongDevice for a device that another model is for."""
        raise NotImplementedError

    async def prepare(self) -> None:
        """Read the device's own limits of every set point; nothing is written. The next poll reads the alarm limits."""
        self._limits_due = -math.inf
        rows = [row for row in map(self.table.__getitem__, self.specs()) if row.extra.get("range")]
        answers = await self._ask(self._get([row.extra["range"] for row in rows]))
        self.ranges = {row.name: limits for row in rows if (limits := _limits(row, answers)) is not None}

    async def read(self, name: str) -> Reading:
        row = self.table[name]
        answers = await self._ask(self._read_requests[name])
        return self._reading(row, answers.get(row.command), asyncio.get_running_loop().time())

    async def poll(self) -> dict[str, Reading]:
        """All signals in one request, the alarm limits now and then; a missing one is BAD.

        Raises WireError without a reply, WrongDevice (EQ-05).
        """
        loop = asyncio.get_running_loop()
        due, self._limits_due = self._limits_due, -math.inf
        whole = loop.time() >= due
        request, columns = self._whole_poll if whole else self._usual_poll
        answers = await self._ask(request)
        if other := self._other_device(answers):
            raise WrongDevice(other)
        at = loop.time()
        self._limits_due = at + LIMITS_EVERY_S if whole else due
        readings: dict[str, Reading] = {}
        for name, command, low, high, row in columns:
            answer = answers.get(command)
            if type(answer) is float and low <= answer <= high:
                readings[name] = Reading(answer, at, Quality.GOOD)
            else:
                readings[name] = self._reading(row, answer, at)
        return readings

    async def write(self, name: str, value: Value) -> Reading:
        """Check mode and range, write, compare the answer, read back; raises OutOfRange, Refused, WireError.

        A set point that the device took differently from what was asked is Refused with the value it took.
        """
        row = self.table[name]
        wanted = self._wanted(row, value)
        await self._check(row, wanted)
        self._limits_due = -math.inf
        text = f"{wanted:.{int(row.extra['decimals'])}f}"
        answers = await self._ask(http.get(f"/atmoweb?{row.command}={text}", self.host))
        self._compare(row, wanted, answers.get(row.command), "answered")
        reading = await self.read(name)
        self._compare(row, wanted, reading.value if isinstance(reading.value, float) else reading.why, "kept")
        return reading

    def _wanted(self, row: Row, value: Value) -> float:
        """The number to write, in the device's steps; refuses anything else before a byte goes out."""
        if not row.spec.writable:
            raise Refused("read only", f"{row.name} can only be read")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refused("not a number", f"{row.name} takes a number in {row.unit}, not {value!r}")
        low, high = row.low, row.high
        if not math.isfinite(value) or (low is not None and value < low) or (high is not None and value > high):
            raise OutOfRange(row.name, value, row.unit, low, high, f"osteon's table of {self.model}")
        return round(float(value), int(row.extra["decimals"]))

    async def _check(self, row: Row, wanted: float) -> None:
        """Raise unless the same device is in Manual and its own range holds `wanted`."""
        answers = await self._ask(self._get([row.extra["range"], "SN", "CurOp"]))
        if other := self._other_device(answers):
            raise Refused("serial number", other)
        mode = answers.get("CurOp")
        if mode != MANUAL:
            raise Refused(
                f"CurOp {mode}",
                f"{row.name} would have no effect: set the incubator to Manual at its panel, then try again",
            )
        limits = _limits(row, answers)
        if limits is not None:
            self.ranges[row.name] = limits
        low, high = self.ranges.get(row.name, (-math.inf, math.inf))
        if not low <= wanted <= high:
            raise OutOfRange(row.name, wanted, row.unit, low, high, f"the incubator itself, {row.extra['range']}")

    def _other_device(self, answers: Mapping[str, Answer]) -> str:
        """What is wrong when a serial number other than the identified one comes with the answers; "" = nothing."""
        answer = answers.get("SN")
        found = "" if answer is None else _text(answer)
        if not self.serial or not found or found == self.serial:
            return ""
        return f"{self.model}: serial number {found} answers at {self.host}, not {self.serial}"

    def _compare(self, row: Row, wanted: float, answer: Answer | None, what: str) -> None:
        """Raise unless the device says the value that was asked for."""
        taken = None if answer is None else number(answer)
        if taken is None:
            raise Refused(str(answer), f"{row.name}: the incubator {what} no number: {_meaning(answer)}")
        if abs(taken - wanted) > 0.5 * 10.0 ** -int(row.extra["decimals"]) + 1e-9:
            raise Refused(
                f"{what} {taken:g}", f"{row.name}: the incubator {what} {taken:g} instead of {wanted:g} {row.unit}"
            )

    def _reading(self, row: Row, answer: Answer | None, at: float) -> Reading:
        """One answer as a reading; words, and numbers that cannot be true, are BAD."""
        if row.type == "number":
            value = answer if type(answer) is float else None if answer is None else number(answer)
            if value is not None:
                low, high = row.low, row.high
                if (low is None or value >= low) and (high is None or value <= high):
                    return Reading(value, at, Quality.GOOD)
                return Reading(
                    None, at, Quality.BAD, f"{value:g} {row.unit} cannot be true (expected {low:g} to {high:g})"
                )
        elif row.type == "flag":
            value = None if answer is None else number(answer)
            if value in (0, 1):
                return Reading(value == 1, at, Quality.GOOD)
        elif isinstance(answer, str) and answer and answer.upper() not in WORDS:
            return Reading(answer, at, Quality.GOOD)
        return Reading(None, at, Quality.BAD, f"{row.command}: {_meaning(answer)}")

    def _poll_of(self, rows: list[Row]) -> tuple[bytes, list[Column]]:
        """The request that reads `rows`, and where their answers go.

        The serial number goes with each poll: there is no standing connection whose loss would show an exchange.
        A quoted text is asked for last, because a number at the very end could be a cut-off one.
        """
        return self._get(["SN", *(row.command for row in rows)]), [_column(row) for row in rows]

    def _get(self, parameters: Iterable[str]) -> bytes:
        return http.get("/atmoweb?" + "&".join(f"{name}=" for name in parameters), self.host)

    async def _ask(self, request: bytes) -> dict[str, Answer]:
        """One request, one connection; raises BadFrame when the reply is not a whole answer."""
        response = http.parse_response(await self.line.query_to_close(request, timeout_s=self.timeout_s))
        if response.status != 200:
            raise BadFrame(f"HTTP status {response.status} where AtmoWEB answers 200")
        body = response.body
        if "content-length" in response.headers and not body.rstrip().endswith(b","):
            body += b","  # whole, as its length was announced: its last value has its end
        return read(body)


class MemmertIco(AtmoWeb):
    """ICO: CO2 incubator, with or without O2."""

    model = "memmert_ico"
    seldom: ClassVar[Mapping[str, float]] = _limits_of("temperature", "co2", "o2", "humidity")

    temperature = Signal()
    temperature_setpoint = Signal()
    temperature_alarm_high = Signal()
    temperature_alarm_low = Signal()
    co2 = Signal()
    co2_setpoint = Signal()
    co2_alarm_high = Signal()
    co2_alarm_low = Signal()
    o2 = Signal()
    o2_setpoint = Signal()
    o2_alarm_high = Signal()
    o2_alarm_low = Signal()
    humidity = Signal()
    humidity_setpoint = Signal()
    humidity_alarm_high = Signal()
    humidity_alarm_low = Signal()
    fan = Signal()
    fan_setpoint = Signal()
    door_open = Signal()
    operating_mode = Signal()

    def _recognise(self, kind: str, measures_co2: bool) -> None:
        if not kind:
            raise WrongDevice(f"{self.model}: {self.host} answers like AtmoWEB but names no device type")
        if not measures_co2:
            raise WrongDevice(
                f"{self.model}: the {kind} at {self.host} has no CO2 measurement: not a CO2 incubator; "
                f"memmert_incubator is for what holds a temperature only"
            )


class MemmertIncubator(AtmoWeb):
    """IPP, IN, IF … plus and other devices that hold a temperature only."""

    model = "memmert_incubator"
    seldom: ClassVar[Mapping[str, float]] = _limits_of("temperature")

    temperature = Signal()
    temperature_setpoint = Signal()
    temperature_alarm_high = Signal()
    temperature_alarm_low = Signal()
    operating_mode = Signal()

    def _recognise(self, kind: str, measures_co2: bool) -> None:
        """A device without a name for itself will do: its answers bear the names that were asked for."""
        if measures_co2:
            raise WrongDevice(f"{self.model}: the {kind} at {self.host} measures CO2: its model is memmert_ico")


def _column(row: Row) -> Column:
    """An empty band for what is not a number."""
    if row.type != "number":
        return row.name, row.command, math.inf, -math.inf, row
    return (
        row.name,
        row.command,
        -math.inf if row.low is None else row.low,
        math.inf if row.high is None else row.high,
        row,
    )


def _meaning(answer: Answer | None) -> str:
    """Why there is no number, in words."""
    if answer is None:
        return "not in the reply"
    word = answer if isinstance(answer, str) else repr(answer)
    return f"{word} ({WORDS[word.upper()]})" if word.upper() in WORDS else word[:60]


def _text(answer: Answer) -> str:
    """A type, serial number or version as text; "" for the special answers."""
    if isinstance(answer, float):
        return f"{answer:.15g}"
    return "" if not isinstance(answer, str) or answer.upper() in WORDS else answer.strip()


def _limits(row: Row, answers: Mapping[str, Answer]) -> tuple[float, float] | None:
    """`{"min": …, "max": …}` (D), or the older flat `…_RangeMin`/`…_RangeMax` (D); None when the device tells none."""
    name = row.extra["range"]
    found = answers.get(name)
    if not isinstance(found, dict):
        found = {"min": answers.get(f"{name}Min", ""), "max": answers.get(f"{name}Max", "")}
    low, high = number(found.get("min", "")), number(found.get("max", ""))
    return (low, high) if low is not None and high is not None and low <= high else None
