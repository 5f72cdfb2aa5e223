"""INHECO incubator and incubator shaker, 19200 8N1 (datasheet inheco-incubator-shaker.md): one driver a unit.

Option `unit` = the floor from the bottom, counted from 0. All units of a stack share the line and the address (DIP).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Device, LinkLoss, Signal
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.fluid import never
from drivers.core.line import Line
from drivers.core.plates import MoveFailed
from drivers.core.registers import Row, Table
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.core.wire import inheco
from drivers.devices.inheco_incubator import words

UNITS = 6
ACT_S = 10.0
"""Time-out of what acts (P); whether a reply comes at the beginning or the end of a movement is unknown (?)."""
SELF_TEST_S = 500.0
DRAWER_S, INIT_S, SHAKER_S = 30.0, 60.0, 30.0
"""How long movements are followed; ours (X)."""
LOOK_S = 0.5
SELDOM_S = 600.0
CIRCLE_DEG = 90
"""Phase between x and y at which equal amplitudes draw a circle."""


class InhecoIncubator(Device):
    """Incubator MP or DWP: heats one plate behind a drawer. It keeps its target when nobody talks to it."""

    table: ClassVar[Table] = registers.load("inheco_incubator", "commands.csv")
    model = "inheco_incubator"
    maker = "INHECO"
    kind = "incubator"
    default_url = "serial:///dev/ttyUSB0?baud=19200&parity=N&stopbits=1&dtr=0&rts=0"
    default_address = 2
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    safe_state = "last target held by the unit's own loop, drawer closed; its own temperature limit (RMT) set"
    watchdog = "none (the sheet knows no communication time-out)"
    evidence = "PX"
    option_names = ("unit",)
    timeout_s = 2.0  # P waits 0.2 s for an answer, at most 10 s; ours for a question (X)
    quiet_s = 0.02  # a reply does not say to what: one that comes twice must not answer the next question (X)
    types: ClassVar[tuple[int, ...]] = (0, 2)
    others: ClassVar[str] = "inheco_incubator_shaker"
    seldom: ClassVar[Mapping[str, float]] = dict.fromkeys(
        (
            "temperature_limit", "temperature_highest", "plate_threshold", "operating_hours", "drawer_cycles",
            "calibration_date", "control_p", "control_i",
        ),
        SELDOM_S,
    )  # fmt: skip

    temperature = Signal()
    temperature_dif = Signal()
    temperature_boost = Signal()
    temperature_setpoint = Signal()
    temperature_limit = Signal()
    temperature_highest = Signal()
    heating = Signal()
    booster = Signal()
    drawer_open = Signal()
    plate_present = Signal()
    plate_threshold = Signal()
    initialised = Signal()
    plate_known = Signal()
    operating_hours = Signal()
    drawer_cycles = Signal()
    calibration_date = Signal()
    control_p = Signal()
    control_i = Signal()

    def __init__(self, line: Line, address: int = 2, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self.unit = int(self.options.get("unit", 0))
        if not 0 <= self.unit < UNITS or not 0 <= address <= 15:
            raise ValueError(f"{self.model}: unit is 0 to {UNITS - 1} from the bottom, the address 0 to 15")
        self._take = inheco.ReplyTaker(address)
        self._moving = asyncio.Lock()
        self._seldom_due = -math.inf

    async def identify(self) -> Identity:
        """RTS, units in the stack, RFV0, RFV2; raises WrongDevice for another type or an empty floor."""
        try:
            kind = words.one_of(await self._ask("RTS"), 16)
        except Refused as error:
            raise WrongDevice(f"{self.model}: what answers for unit {self.unit} is no such unit: {error}") from error
        name = words.TYPES.get(kind)
        if name is None:
            raise WrongDevice(f"{self.model}: unit {self.unit} is of a type {kind} that the sheet does not know")
        if kind not in self.types:
            raise WrongDevice(f"{self.model}: unit {self.unit} is an {name}; its model is {self.others}")
        many = words.whole(await self._ask("RDA0,1", unit=0))
        if many <= self.unit:
            raise WrongDevice(f"{self.model}: the stack has {many} units, so none is unit {self.unit}")
        firmware, serial = words.words(await self._ask("RFV0")), words.words(await self._ask("RFV2"))
        return Identity(self.maker, name, serial, firmware)

    async def prepare(self) -> None:
        """Nothing is written or moved: a unit that lost power is initialised and heated again by a decision."""
        self._seldom_due = -math.inf

    # -- reading

    async def read(self, name: str) -> Reading:
        row = self._row(name)
        try:
            return self._reading(row, await self._ask(row.command))
        except BadFrame as error:
            return self.bad(str(error))

    async def poll(self) -> dict[str, Reading]:
        """One question a command; what hardly moves every ten minutes, and after anything went wrong."""
        loop = asyncio.get_running_loop()
        due, self._seldom_due = self._seldom_due, -math.inf
        whole = loop.time() >= due
        answers: dict[str, str | WireError] = {}
        readings: dict[str, Reading] = {}
        for name in self.specs():
            if name in self.seldom and not whole:
                continue
            row = self.table[name]
            if row.command not in answers:
                try:
                    answers[row.command] = await self._ask(row.command)
                except WireError as error:
                    answers[row.command] = error
            answer = answers[row.command]
            try:
                if isinstance(answer, WireError):
                    raise answer
                readings[name] = self._reading(row, answer)
            except WireError as error:
                readings[name] = self.bad(str(error))
        if not any(isinstance(answer, WireError) for answer in answers.values()):
            self._seldom_due = loop.time() + SELDOM_S if whole else due
        return readings

    def _row(self, name: str) -> Row:
        if name not in self.specs() and name in self.table:
            raise Refused("no shaker", f"{name}: the {self.model} has no shaker")
        return self.table[name]

    def _reading(self, row: Row, text: str) -> Reading:
        """What `text` means for this signal; raises BadFrame when nothing."""
        value: Value
        match row.type:
            case "flag":
                value = words.one_of(text, 2) == 1
            case "heating":
                value = words.one_of(text, 3) > 0
            case "booster":
                value = words.one_of(text, 3) == 2
            case "initialised":
                value = words.one_of(text, 4) in (0, 2)
            case "plate known":
                value = words.one_of(text, 4) in (0, 1)
            case "shaking":
                value = words.one_of(text, 3) > 0
            case "state":
                value = words.SHAKER_STATES[words.one_of(text, 3)]
            case "date":
                value = words.date(text)
            case "decimal":
                value = words.decimal(text)
            case _:
                raw = words.whole(text)
                if row.type == "shaken" and raw == words.NOT_STABLE:
                    return self.bad("the shaker is not stable yet")
                value = float(raw / round(1 / row.scale))
        if isinstance(value, float):
            try:
                self.check_limits(row.name, value)
            except OutOfRange as error:
                return Reading(None, asyncio.get_running_loop().time(), Quality.BAD, f"cannot be true: {error}")
        return self.good(value)

    # -- setting

    async def write(self, name: str, value: Value) -> Reading:
        """Write a set point or switch and read it back; raises OutOfRange, Refused, WireError."""
        row = self._row(name)
        if not row.spec.writable:
            raise Refused("read only", f"{name} can only be read")
        if not row.spec.unit:
            if not isinstance(value, (bool, int, float)) or value not in (0, 1):
                raise Refused("not a switch", f"{name} takes true or false, not {value!r}")
            await self._switch(row, bool(value))
            return await self._kept(row, float(value))
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refused("not a number", f"{name} takes a number in {row.unit}, not {value!r}")
        if not math.isfinite(value):
            raise OutOfRange(name, value, row.unit, row.low, row.high, f"the datasheet of {self.model}")
        self.check_limits(name, value)
        await self._set(row, round(value / row.scale))
        return await self._kept(row, round(value / row.scale) * row.scale)

    async def _set(self, row: Row, raw: int) -> None:
        """The target, after a look at the unit's own limit."""
        limit = words.whole(await self._ask("RMT"))
        if raw > limit:
            raise OutOfRange(row.name, raw * row.scale, row.unit, row.low, limit * row.scale, "the unit itself (RMT)")
        await self._act(f"STT{raw}")

    async def _switch(self, row: Row, on: bool) -> None:
        await self._act(f"SHE{int(on)}")

    async def _kept(self, row: Row, wanted: float) -> Reading:
        reading = await self.read(row.name)
        if reading.quality is not Quality.GOOD or not isinstance(reading.value, (bool, int, float)):
            raise Refused("no read-back", f"{row.name} was written, but cannot be read back: {reading.why}")
        if abs(float(reading.value) - wanted) > 0.5 * row.scale:
            raise Refused(f"kept {reading.value}", f"{row.name}: the unit shows {reading.value} instead of {wanted:g}")
        return reading

    # -- moving

    async def initialise(self) -> None:
        """AID: stops heater and shaker, closes the drawer. Needed after power-on; heating starts only when told."""
        async with self._sole("initialise"):
            await self._act("AID")
            await self._until("REE", ("0", "2"), INIT_S, "initialise")
            await self._until("RDS", ("0",), DRAWER_S, "initialise")

    async def drawer_to(self, is_open: bool, *, unless: Callable[[], bool] = never) -> None:
        """Open or close the drawer and see it there; nothing is sent when it already is.

        `unless` is asked right before the one command. Raises Refused when nothing moved for sure, MoveFailed when it
        did not arrive, any other WireError when where it stands is unknown.
        """
        name = "open drawer" if is_open else "close drawer"
        async with self._sole(name):
            if words.one_of(await self._ask("RDS"), 2) == is_open:
                return
            await self._clear_to_move(name)
            if unless():
                raise Refused("stopped", f"{name} was not sent: it is no longer wanted")
            await self._act("AOD" if is_open else "ACD")
            await self._until("RDS", (str(int(is_open)),), DRAWER_S, name)

    async def self_test(self) -> tuple[str, ...]:
        """AQS, up to 500 s, the whole stack waits: what it found wrong, () = nothing. It moves the drawer."""
        async with self._sole("self test"):
            if words.one_of(await self._ask("RLW"), 2):
                raise Refused("plate", "self test was not sent: there is a plate in the unit")
            await self._clear_to_move("self test")
            text = await self._act("AQS", SELF_TEST_S)
        return words.tested(words.whole(text))

    async def _clear_to_move(self, name: str) -> None:
        """Raise Refused when the unit says that something stands against a movement."""
        if words.one_of(await self._ask("REE"), 4) not in (0, 2):
            raise Refused("not initialised", f"{name} was not sent: unit {self.unit} is not initialised")

    def _sole(self, name: str) -> asyncio.Lock:
        if self._moving.locked():
            raise Refused("busy", f"{name} was not sent: this program is still waiting for another movement")
        return self._moving

    async def _until(self, question: str, wanted: tuple[str, ...], limit_s: float, name: str) -> None:
        """Look until the unit says one of `wanted`; a look that fails is not the end of it."""
        loop = asyncio.get_running_loop()
        until, seen = loop.time() + limit_s, None
        while True:
            try:
                seen = await self._ask(question)
                if seen in wanted:
                    return
            except (NoAnswer, BadFrame, Refused):
                seen = None  # a Refused from here would say that nothing moved
            if loop.time() > until:
                if seen is None:
                    raise NoAnswer(f"{name}: not known to have ended within {limit_s:g} s")
                raise MoveFailed(f"{question} {seen}", f"{name}: not there within {limit_s:g} s")
            await asyncio.sleep(LOOK_S)

    # -- the line

    async def _ask(self, command: str, unit: int | None = None) -> str:
        """A question, asked again while its answer may be another's: it does not say to what it is one. `reset
        detected` is told once after a restart, so then it is asked again too."""
        for last in (False, True):
            data, error = await self.certain(lambda: self._exchange(command, self.timeout_s, 1, unit))
            if error != words.RESET or last:
                break
        words.refuse(error, command)
        return data

    async def _act(self, command: str, timeout_s: float = ACT_S) -> str:
        """What acts, sent exactly once."""
        data, error = await self._exchange(command, timeout_s, 0)
        words.refuse_or_fail(error, command)
        return data

    async def _exchange(self, command: str, timeout_s: float, retries: int, unit: int | None = None) -> tuple[str, int]:
        request = inheco.request(self.address, f"T0{self.unit if unit is None else unit}{command}".encode())
        data, error = await self.line.query(
            request, self._take, timeout_s=timeout_s, retries=retries, quiet_s=self.quiet_s
        )
        return data.decode("ascii"), error


class InhecoIncubatorShaker(InhecoIncubator):
    """Incubator Shaker MP or DWP. Shaker set points are taken over when the shaker starts."""

    model = "inheco_incubator_shaker"
    types = words.SHAKERS
    others = "inheco_incubator"

    amplitude_x_setpoint = Signal()
    amplitude_x = Signal()
    amplitude_y_setpoint = Signal()
    amplitude_y = Signal()
    frequency_x_setpoint = Signal()
    frequency_x = Signal()
    frequency_y_setpoint = Signal()
    frequency_y = Signal()
    phase_setpoint = Signal()
    phase = Signal()
    shaking = Signal()
    shaker_state = Signal()

    async def shake_in_circles(self, amplitude_mm: float, frequency_hz: float) -> None:
        """Set a circle of this radius (0 to 3 mm) at 6.6 to 30 Hz in one command and read it back; starts nothing."""
        for axis in "xy":
            self.check_limits(f"amplitude_{axis}_setpoint", amplitude_mm)
            self.check_limits(f"frequency_{axis}_setpoint", frequency_hz)
        amplitude, frequency = round(10 * amplitude_mm), round(10 * frequency_hz)
        await self._shaker([amplitude, amplitude, frequency, frequency, CIRCLE_DEG])

    async def _set(self, row: Row, raw: int) -> None:
        if row.extra["set"] != "SSP":
            await super()._set(row, raw)
            return
        settings = await self._settings()
        settings[int(row.extra["part"])] = raw
        await self._shaker(settings)

    async def _switch(self, row: Row, on: bool) -> None:
        if row.name != "shaking":
            await super()._switch(row, on)
            return
        async with self._sole("shaking"):
            if on:
                await self._clear_to_move("shaking")
                if words.one_of(await self._ask("RDS"), 2):
                    raise Refused("drawer open", f"shaking was not sent: the drawer of unit {self.unit} is open")
            await self._act("ASEND" if on else "ASE0")
            await self._until("RSE", ("1",) if on else ("0",), SHAKER_S, "shaking")

    async def _clear_to_move(self, name: str) -> None:
        await super()._clear_to_move(name)
        if name != "shaking" and words.one_of(await self._ask("RSE"), 3):
            raise Refused("shaking", f"{name} was not sent: unit {self.unit} is shaking")

    async def _settings(self) -> list[int]:
        return [words.whole(await self._ask(command)) for command in ("RAX0", "RAY0", "RFX0", "RFY0", "RPS0")]

    async def _shaker(self, settings: list[int]) -> None:
        await self._act("SSP" + ",".join(map(str, settings)))
        if (kept := await self._settings()) != settings:
            raise Refused(f"kept {kept}", f"the shaker of unit {self.unit} kept {kept} instead of {settings}")
