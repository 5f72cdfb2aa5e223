"""Watson-Marlow case pumps, sheet watson-marlow-505-720.md: commands without an answer, and one status that tells all.

Nothing is documented for a command the pump does not take, so silence is normal and every setting is seen by the
status that follows it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WrongDevice
from drivers.core.fluid import Direction, Motion, MoverStatus, Totals, Use
from drivers.core.line import Line
from drivers.core.peristaltic import ONE_WAY, Peristaltic
from drivers.core.signals import Identity, Reading, Value
from drivers.devices.watson_marlow import status as statuses
from drivers.devices.watson_marlow.status import Status

ECHO_S = 0.05
"""How long an echo of a command is waited for; a pump without one says nothing at all (X)."""
STOPS = 6
LOOKS = 4
LOOK_S = 0.1
WENT_DOWN = "its count went down: the power was lost, or somebody cleared it"


class WatsonMarlow(Peristaltic):
    """What the models share. Options besides those of every peristaltic pump: `ml_per_rev`, `pulses_per_rev`."""

    maker = "Watson-Marlow"
    kind = "pump"
    default_url = "serial:///dev/ttyUSB0?baud=9600&parity=N&stopbits=2"
    default_address = 1
    on_link_loss = LinkLoss.FINISHES_BOUNDED_MOVE
    safe_state = "rotor at rest, status 0; a pump that recirculates turns on without us"
    watchdog = "none in this protocol: a dose ends at its own pulses, GO turns on until ST"
    timeout_s = 0.5
    quiet_s = 0.02
    """At least 10 ms between commands (M)."""
    asked_twice = True
    evidence = "MX"
    continuity = (
        f"by tacho counts above zero: the count is cumulative and cleared by TC only (M); over power-off: ?. {ONE_WAY}"
    )
    fence_quiet_s = 2.0
    fence_why = "a command takes 20 ms at 9600 baud and is carried out on its CR; 2 s leave room for adapter and server"
    option_names: ClassVar[tuple[str, ...]] = (*Peristaltic.option_names, "ml_per_rev", "pulses_per_rev")
    types: ClassVar[tuple[str, ...]]
    """What the type of a status begins with."""
    known_pulses: ClassVar[int] = 0
    """Tacho pulses a revolution as printed; 0 = the operator has to say (option pulses_per_rev)."""
    highest_number: ClassVar[int] = 16
    rpm_digits: ClassVar[int] = 1

    motion = Signal()
    speed = Signal()
    direction = Signal()
    ml_per_rev = Signal()

    def __init__(self, line: Line, address: int = 1, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for options that no pump can have."""
        super().__init__(line, address, options)
        self.own_ml_per_rev = float(self.options.get("ml_per_rev", 0.0))
        self.pulses = int(float(self.options.get("pulses_per_rev", self.known_pulses)))
        if not 1 <= address <= self.highest_number:
            raise ValueError(f"pump number {address} is outside 1 to {self.highest_number}")
        if self.own_ml_per_rev < 0 or self.pulses < 0:
            raise ValueError("ml_per_rev and pulses_per_rev are above 0")
        self._count = -1
        self._dose_pulses = 0
        self._before = -1
        """Count before the dose being started; -1 = only a running rotor is a sign of the start."""

    # -- who and how it is

    async def identify(self) -> Identity:
        """Ask the status (it changes nothing); raises WrongDevice for another type or pump number. No serial number."""
        said = await self._text()
        try:
            status = statuses.read(said)
        except BadFrame as error:
            raise WrongDevice(f"{self.line.name}: {error}") from error
        if not status.type.startswith(self.types) or status.number not in (0, self.address):
            raise WrongDevice(
                f"{self.line.name}: {status.type} number {status.number} instead of {' or '.join(self.types)} "
                f"number {self.address}"
            )
        return Identity(self.maker, status.type)

    async def prepare(self) -> None:
        """Nothing has to be written; clears the latched alarm."""
        self._count = (await self._look()).count
        self.alarm_text = ""

    async def status(self) -> MoverStatus:
        """Running or not, and whether the count went down since the last look. Raises WireError."""
        return MoverStatus(self._motion(await self._look()), self.alarm_text)

    async def totals(self) -> Totals:
        """The tacho count as a volume. Raises WireError; Refused when pulses or mL a revolution are not stated."""
        return self._volumes(await self._look())

    async def poll(self) -> dict[str, Reading]:
        """One exchange."""
        try:
            status = await self._look()
        except (NoAnswer, BadFrame) as error:
            return dict.fromkeys(self.specs(), self.bad(str(error)))
        return {name: self._reading(name, status) for name in self.specs()}

    async def read(self, name: str) -> Reading:
        return self._reading(name, await self._look())

    async def write(self, name: str, value: Value) -> Reading:
        """Set the speed and read it back; not while a dose runs."""
        if not self.specs()[name].writable:
            raise Refused("read only", f"{name} of a pump cannot be set; fluid is moved by start and stop")
        if isinstance(value, str) or value is None:
            raise OutOfRange(name, float("nan"), "1/min", None, None, "a number is wanted")
        self.check_limits(name, value)
        status = await self._look()
        if status.running and not self._loops:
            raise Refused("moving", f"{self._name}: a dose is running; its speed is not changed")
        return self.good((await self._set_speed(status, round(value, self.rpm_digits))).rpm)

    @property
    def _loops(self) -> bool:
        return self.use is Use.RECIRCULATE

    def _reading(self, name: str, status: Status) -> Reading:
        try:
            return self.good(self._signal(name, status))
        except Refused as error:
            return self.bad(str(error))

    def _signal(self, name: str, status: Status) -> Value:
        match name:
            case "motion":
                return self._motion(status).value
            case "speed":
                return status.rpm
            case "direction":
                return "clockwise" if status.clockwise else "counter-clockwise"
            case "ml_per_rev":
                return self._ml_per_rev(status)
            case "alarm":
                return self.alarm_text
            case "tacho_count":
                return float(status.count)
            case "pump_ml_per_rev":
                return status.ml_per_rev
            case "pulses_per_rev":
                return float(self.pulses)
            case "pumphead":
                return status.pumphead
            case "tube":
                return status.tube
            case "dispensed_volume":
                return self._volumes(status).delivered_ml
            case "withdrawn_volume":
                return self._volumes(status).drawn_ml
            case _:
                raise Refused("unknown", f"{self._name} has no signal {name}")

    def _motion(self, status: Status) -> Motion:
        if status.running:
            return Motion.MOVING
        return Motion.ALARM if self.alarm_text else Motion.STOPPED

    def _ml_per_rev(self, status: Status) -> float:
        return self.own_ml_per_rev or status.ml_per_rev

    def _ml_per_pulse(self, status: Status) -> float:
        if not self.pulses or not self._ml_per_rev(status):
            raise Refused("not calibrated", f"{self._name}: options pulses_per_rev and ml_per_rev have to be stated")
        return self._ml_per_rev(status) / self.pulses

    def _volumes(self, status: Status) -> Totals:
        one = self._ml_per_pulse(status)
        return self._totals(status.count * one, one)

    # -- moving

    async def _program_dose(self, direction: Direction, volume_ml: float, rate_ml_min: float) -> None:
        status = await self._look()
        one = self._ml_per_pulse(status)
        pulses = math.floor(volume_ml / one + 1e-6)
        if not 1 <= pulses <= 9_999_999_999:
            raise OutOfRange("dose", volume_ml, "mL", one, 9_999_999_999 * one, f"{self._name}, whole tacho pulses")
        status = await self._program(status, direction, rate_ml_min)
        self._dose_pulses, self._before = pulses, status.count
        self.programmed = direction, pulses * one, status.rpm * self._ml_per_rev(status)

    async def _program_loop(self, direction: Direction, rate_ml_min: float) -> None:
        self._before = -1
        status = await self._program(await self._look(), direction, rate_ml_min)
        self.programmed = direction, 0.0, status.rpm * self._ml_per_rev(status)

    async def _program(self, status: Status, direction: Direction, rate_ml_min: float) -> Status:
        """Direction and speed, each sent only when it differs and seen in the next status."""
        if status.running:
            raise Refused("moving", f"{self._name}: it is running, stop it first")
        rpm = self._rpm(status, rate_ml_min)
        clockwise = self._clockwise(direction)
        if status.clockwise is not clockwise:
            await self._send("clockwise" if clockwise else "counter_clockwise")
            status = await self._look()
            if status.clockwise is not clockwise:
                raise Refused("read-back", f"{self._name}: the direction is not the one that was sent")
        return await self._set_speed(status, rpm)

    def _rpm(self, status: Status, rate_ml_min: float) -> float:
        """Speed for a flow, cut to the pump's digits; raises OutOfRange, Refused."""
        ml, row = self._ml_per_rev(status), self.table["speed"]
        if not ml:
            raise Refused("not calibrated", f"{self._name}: option ml_per_rev has to be stated")
        assert row.low is not None and row.high is not None
        if not row.low * ml * (1 - 1e-9) <= rate_ml_min <= row.high * ml * (1 + 1e-9):
            raise OutOfRange("rate", rate_ml_min, "mL/min", row.low * ml, row.high * ml, f"{self.model}, {ml:g} mL/rev")
        digits = 10**self.rpm_digits
        return math.floor(rate_ml_min / ml * digits + 1e-6) / digits

    async def _set_speed(self, status: Status, rpm: float) -> Status:
        if abs(status.rpm - rpm) < 0.001:
            return status
        await self._send("set_speed", f"{rpm:.{self.rpm_digits}f}")
        status = await self._look()
        if abs(status.rpm - rpm) >= 0.001:
            raise Refused("read-back", f"{self._name}: the speed is {status.rpm:g} after {rpm:g} rpm was sent")
        return status

    async def _start_dose(self) -> None:
        """Send `DO` once; the pump does not answer, so the status has to show that it moves or has moved."""
        await self._send("dose", str(self._dose_pulses))
        await self._see_it_turn()

    async def _start_loop(self) -> None:
        await self._send("start")
        await self._see_it_turn()

    async def _see_it_turn(self) -> None:
        for _ in range(LOOKS):
            status = await self._look()
            if status.running or 0 <= self._before < status.count:
                return
            await asyncio.sleep(LOOK_S)
        raise BadFrame(f"{self._name}: started, and it is not seen to turn: what it does is unknown")

    async def _turns(self, direction: Direction, rate_ml_min: float) -> bool:
        status = await self._look()
        as_asked = status.clockwise is self._clockwise(direction)
        return status.running and as_asked and abs(status.rpm - self._rpm(status, rate_ml_min)) < 0.001

    async def stop(self) -> None:
        """Send `ST` until the status says 0. Raises NoAnswer: a pump stopped at its own keys hears nothing (505, M)."""
        self._stops += 1
        why = ""
        for _ in range(STOPS):
            try:
                await self._send("stop")
                if not (await self._look()).running:
                    return
                why = "its status still says running"
            except (NoAnswer, BadFrame) as error:
                why = str(error)
        raise NoAnswer(f"{self._name}: not seen to stop: {why}")

    # -- the wire

    async def _look(self) -> Status:
        text = await self._text()
        status = statuses.read(text)
        if not status.type.startswith(self.types) or status.number not in (0, self.address):
            raise BadFrame(f"{self._name}: {text!r} is another pump's status")
        if status.count < self._count:
            self._latch(WENT_DOWN)
        self._count = status.count
        return status

    async def _text(self) -> str:
        return await self._ask(f"{self.address}RS\r".encode("ascii"), statuses.take, retries=1)

    async def _send(self, name: str, parameter: str = "") -> None:
        """Send one command once. Most pumps stay silent (X); one with its echo on returns it, which is thrown away."""
        command = f"{self.address}{self.table[name].command}{parameter}\r".encode("ascii")

        def echo(buffer: bytearray) -> bool | None:
            if not buffer.endswith(b"\r"):
                return None
            buffer.clear()
            return True

        try:
            await self.line.query(command, echo, timeout_s=ECHO_S, quiet_s=self.quiet_s)
        except NoAnswer:
            return


class Counted(WatsonMarlow):
    """A pump with a tacho count and the dose command."""

    alarm = Signal()
    tacho_count = Signal()
    pump_ml_per_rev = Signal()
    pulses_per_rev = Signal()
    pumphead = Signal()
    tube = Signal()


class WatsonMarlow520(Counted):
    """520Du, 620Du and 720Du: the same wire."""

    model = "watson_marlow_520"
    table = registers.load("watson_marlow", "commands.csv")
    types = ("520", "620", "720")
    known_pulses = 10982
    highest_number = 32

    dispensed_volume = Signal()
    withdrawn_volume = Signal()


class WatsonMarlow530(Counted):
    """530Du with its "historical basic protocol"; another number of pulses a revolution is printed for it."""

    model = "watson_marlow_530"
    table = registers.load("watson_marlow", "commands.csv")
    types = ("530",)
    known_pulses = 10892

    dispensed_volume = Signal()
    withdrawn_volume = Signal()


class WatsonMarlow505(Counted):
    """505Di and 505Du: whole rpm, echo. Without option pulses_per_rev (800 or 1280) it has no volumes and no dose."""

    model = "watson_marlow_505"
    table = registers.load("watson_marlow", "commands_505.csv")
    types = ("505",)
    rpm_digits = 0


class WatsonMarlow323(WatsonMarlow):
    """323Du: it can only run and stop, so it is never started for a dose (EQ-02)."""

    model = "watson_marlow_323"
    table = registers.load("watson_marlow", "commands_323.csv")
    types = ("323",)
    rpm_digits = 0
    bounded = False
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    continuity = "none: this pump has no counter (M)"

    async def totals(self) -> Totals:
        raise Refused("no counter", f"{self._name}: a 323 counts nothing")

    async def _program_dose(self, direction: Direction, volume_ml: float, rate_ml_min: float) -> None:
        raise Refused("unbounded", f"{self._name}: a 323 has no dose command, it can only run and stop (EQ-02)")
