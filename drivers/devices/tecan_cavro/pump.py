"""Tecan Cavro syringe pumps with a valve, sheet cavro-xcalibur.md: OEM protocol with check sum, or DT; 9600 8N1.

Strokes are one absolute move each (`A<n>`), so even a command executed twice moves nothing twice; the valve is turned
and seen at its port first. The pump has no volume counter: see `continuity`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import ClassVar

from drivers.core.calibration import CalibrationPoint
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.fluid import Direction, FluidMover, Motion, MoverStatus, Totals, never
from drivers.core.line import Line
from drivers.core.signals import Identity, Reading, Value
from drivers.devices.tecan_cavro import ports, replies
from drivers.devices.tecan_cavro.account import Account, Mark
from drivers.devices.tecan_cavro.conversation import Conversation
from drivers.devices.tecan_cavro.framing import Framing, Oem

POWER_UP_SPEED = 1400
"""Top speed after power-up (M): no stroke of ours runs at it, so it tells that power was lost."""
PULSES_PER_INCREMENT = 2
"""Speeds are in half steps: a full stroke of 3000 increments = 6000 pulses (M)."""
LOOK_S = 0.1
"""Poll Q every 100 ms (M)."""
VALVE_S = 5.0
"""Longest turn of the valve that is waited for (X; a turn takes well under 1 s)."""
INITIALISE_S = 120.0
"""Longest initialisation that is waited for: a full stroke at 500 pulses/s takes 12 s (M)."""
STOPS = 5
SETTINGS_EVERY_S = 600.0
LOST_STEPS = 15
"""Increments commanded and encoder position may be apart (X): more means lost steps, and a new stroke is refused."""
NEEDS_POSITION = frozenset({"encoder_position", "position", "plunger"})
RATE_WORDS = "the pump with this syringe"


class TecanCavro(FluidMover):
    """What all of them do. Options: `syringe_ml` (a stroke needs it), `draw_port` and `deliver_port` (turned to and
    seen before a stroke; without them the valve is left where it is), `configuration` (words `?76` must contain),
    `initialise_force` 0 full, 1 half, 2 third, `initialise_input` and `initialise_output` ports."""

    maker = "Tecan"
    kind = "pump"
    default_url = "serial:///dev/ttyUSB0?baud=9600&parity=N&stopbits=1"
    on_link_loss = LinkLoss.FINISHES_BOUNDED_MOVE
    safe_state = "plunger at rest, valve at rest, nothing in the buffer that the next R would execute"
    timeout_s = 0.5
    bounded = True
    continuity = (
        "there is no volume counter: this driver adds up encoder travel (?4, M) from zero on. What proves it is "
        "watching without a break; counters that cannot be reset (?15 initialisations, ?16 plunger moves, M), error 7 "
        "and the top speed, which is 1400 again after power-up (M), show a foreign move, an initialisation or a loss "
        "of power, and then the volume begins anew. After a restart of ours it begins at zero, which proves nothing: "
        "a second witness or a person decides"
    )
    fence_quiet_s = 2.0
    fence_why = (
        "a command takes 30 ms at 9600 baud and is answered within 5 ms (M); 2 s leave room for a USB adapter and a "
        "serial server"
    )
    option_names = (
        "syringe_ml", "draw_port", "deliver_port", "configuration",
        "initialise_force", "initialise_input", "initialise_output",
    )  # fmt: skip
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        "initialise": CalibrationPoint(
            "encoder_position", "", what="everything in the syringe may go out at the output port; nothing blocks it"
        )
    }
    not_sought = (
        "the first OEM question locks a pump to the OEM protocol until its power goes off, and the sheet names no "
        "question that tells the models apart without it"
    )
    seldom: ClassVar[Mapping[str, float]] = dict.fromkeys(
        (
            "initialisations", "plunger_moves", "valve_moves", "top_speed", "start_speed", "cutoff_speed", "backlash",
            "dead_volume_gap", "input_1", "input_2",
        ),
        SETTINGS_EVERY_S,
    )  # fmt: skip
    framing: ClassVar[type[Framing]] = Oem
    type_name: ClassVar[str]
    full_stroke: ClassVar[int] = 3000
    """Increments of a full stroke in mode N0."""

    encoder_position = Signal()
    position = Signal()
    plunger = Signal()
    valve = Signal()
    motion = Signal()
    alarm = Signal()
    initialisations = Signal()
    plunger_moves = Signal()
    valve_moves = Signal()
    top_speed = Signal()
    start_speed = Signal()
    cutoff_speed = Signal()
    backlash = Signal()
    dead_volume_gap = Signal()
    command_waiting = Signal()
    input_1 = Signal()
    input_2 = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        """`address` = the switch, 0 to 14. Raises ValueError for options that no pump can have."""
        super().__init__(line, address, options)
        if not 0 <= address <= 14:
            raise ValueError(f"address switch {address} is outside 0 to 14")
        self.syringe_ml = self.capacity_ml = float(self.options.get("syringe_ml", 0.0))
        if not 0 <= self.syringe_ml <= 100:
            raise ValueError(f"syringe_ml {self.syringe_ml:g} is outside 0 to 100")
        self.ports = {
            direction: ports.port(self.options[name])
            for direction, name in ((Direction.DRAW, "draw_port"), (Direction.DELIVER, "deliver_port"))
            if name in self.options
        }
        if any(port.name == "bypass" for port in self.ports.values()):
            raise ValueError("no stroke is possible with the valve in bypass (error 11)")
        self._initialise = self._initialising_command()
        self.programmed: tuple[Direction, float, float] | None = None
        """Direction, mL and mL/min of the last stroke as sent: whole increments and pulses a second, cut."""
        self.talk = Conversation(line, address, self.framing(), self.timeout_s)
        self._account = Account()
        self._stops = 0

    # -- who and how it is

    @property
    def alarms_met(self) -> int:
        return self.talk.alarms_met

    @property
    def replies_missed(self) -> int:
        return self.talk.replies_missed

    @property
    def ml_per_increment(self) -> float:
        return self.syringe_ml / self.full_stroke

    async def identify(self) -> Identity:
        """Firmware (`&`) and configuration (`?76`); there is no serial number. Raises WrongDevice."""
        try:
            firmware, configuration = await self.talk.certain(self._who)
        except Refused as error:
            raise WrongDevice(f"{self.line.name}: what answers is no {self.type_name}: {error}") from error
        wanted = str(self.options.get("configuration", ""))
        if wanted.lower() not in configuration.lower():
            raise WrongDevice(f"{self.line.name}: the pump says {configuration!r}, which does not contain {wanted!r}")
        return Identity(self.maker, self.type_name, "", firmware)

    async def prepare(self) -> None:
        """Forget the latched alarm and, when nothing moves or waits, set mode N0; never initialises (that moves)."""
        found = await self.talk.query()
        if found.ready and not found.error and not await self._waiting():
            await self.talk.command("N0R")
        self.talk.alarm_text = ""

    async def status(self) -> MoverStatus:
        """The answer to Q; ALARM until `prepare` has taken note of an error, whose text stays as long as the pump says
        it. Raises WireError."""
        found = await self.talk.query()
        return MoverStatus(self._motion(found), self._alarm(found))

    async def totals(self) -> Totals:
        """Encoder travel of this driver's strokes; raises Refused while the pump has lost its position."""
        drawn, delivered = self._account.travel(await self._counted())
        ml = self.ml_per_increment
        return Totals(drawn * ml, delivered * ml, ml)

    async def poll(self) -> dict[str, Reading]:
        """One question a signal, settings and counters now and then; after the first that nobody answers the rest is
        not asked. What proves a stroke asks its counters itself (`totals`)."""
        try:
            readings = await self.talk.certain(self._poll)
        except WireError as error:
            return dict.fromkeys(self.turns.due(self.specs()), self.bad(str(error)))
        self.turns.took(readings)
        return readings

    async def read(self, name: str) -> Reading:
        async def asking() -> Reading:
            return await self._read(name, await self.talk.query())

        return await self.talk.certain(asking)

    async def write(self, name: str, value: Value) -> Reading:
        """Set a speed, the backlash or the gap, or turn the valve, at rest only; read back."""
        row = self.table[name]
        if not row.spec.writable:
            raise Refused("read only", f"{name} of a pump cannot be set; fluid is moved by start and stop")
        if name == "valve":
            await self.turn_valve(str(value))
            return await self.read(name)
        if not isinstance(value, (int, float)) or value != value:
            raise Refused("value", f"{name}: {value!r} is not a number")
        self.check_limits(name, value)
        await self._rest()
        now = await self._counted()
        await self._ensure(name, round(value))
        if name == "top_speed":  # it is how a loss of power is seen: the account has to know of the change
            self._account.settle(now._replace(top_speed=round(value)), 0)
        return self.good(float(round(value)))

    # -- moving

    async def start(
        self, direction: Direction, volume_ml: float, rate_ml_min: float, *, unless: Callable[[], bool] = never
    ) -> None:
        """Turn the valve to the direction's port, set the speed, see both, and send one absolute move.

        Raises OutOfRange or Refused when the plunger did not move for sure; any other WireError = unknown.
        """
        steps, pulses = self._check(volume_ml, rate_ml_min)
        stops = self._stops

        def stopped() -> bool:
            return stops != self._stops or unless()

        try:
            target = await self._program(direction, steps, pulses, stopped)
        except (Refused, OutOfRange):
            raise
        except WireError as error:
            raise Refused("not started", f"pump {self.address}: no move was sent: {error}") from error
        if stopped():
            raise Refused("stopped", f"pump {self.address}: a stop came while the stroke was being prepared")
        ml_min = pulses / PULSES_PER_INCREMENT * self.ml_per_increment * 60
        self.programmed = direction, steps * self.ml_per_increment, ml_min
        await self.talk.command(f"A{target}R")

    async def stop(self) -> None:
        """Send T until the pump is ready and its plunger stands; nothing is sent to a pump at rest.

        A stopped string stays in the buffer and steps may be lost (M): the next stroke is refused until the pump was
        initialised. Raises NoAnswer when it cannot be confirmed.
        """
        self._stops += 1
        for _ in range(STOPS):
            try:
                if await self._at_rest():
                    return
                await self.talk.command("T")
            except (NoAnswer, BadFrame):
                await self._blindly("T")
            except Refused:
                pass
        if await self._at_rest():
            return
        raise NoAnswer(f"pump {self.address}: not seen at rest after {STOPS} T")

    async def turn_valve(self, wanted: float | str, *, unless: Callable[[], bool] = never) -> None:
        """Turn the valve and return when the pump says it is there; nothing is sent when it already is."""
        try:
            port = ports.port(wanted)
        except ValueError as error:
            raise Refused("port", str(error)) from error
        await self._rest()
        await self._turn(port, unless)

    async def calibrate(self, point: str, reference: float | None = None) -> Mapping[str, float]:
        """`initialise`: plunger to its zero and valve to its home by Z; what is in the syringe goes out."""
        if point not in self.calibration_points:
            raise Refused("no procedure", f"{self.model} has no calibration {point!r} of its own")
        await self.initialise()
        return await self.calibration()

    async def calibration(self) -> Mapping[str, float]:
        """Backlash and dead volume gap in increments."""
        return {name: float((await self._number(name)) or 0) for name in ("backlash", "dead_volume_gap")}

    async def initialise(self, *, unless: Callable[[], bool] = never) -> None:
        """Send Z once and wait; pushes the syringe's content out at the output port. The volume begins anew.

        Raises Refused when it moves or fails; NoAnswer when it did not end in time.
        """
        found = await self.talk.query()
        if not found.ready:
            raise Refused("busy", f"pump {self.address}: it moves; stop it before it is initialised")
        before = await self._number("initialisations")
        if unless():
            raise Refused("stopped", f"pump {self.address}: a stop came before it was initialised")
        self._account.begin_anew()
        await self.talk.command(self._initialise)
        found = await self._until_ready(INITIALISE_S)
        if found.error:
            raise Refused(str(found.error), f"pump {self.address}: {replies.in_words(found.error)}")
        if await self._number("initialisations") == before:
            raise Refused("Z", f"pump {self.address}: it does not count an initialisation")
        self.talk.alarm_text = ""

    # -- steps of a stroke

    def _check(self, volume_ml: float, rate_ml_min: float) -> tuple[int, int]:
        """Increments and pulses a second, cut; raises OutOfRange before anything is sent."""
        if not 0 < volume_ml <= self.capacity_ml:
            raise OutOfRange("stroke", volume_ml, "mL", 0.0, self.capacity_ml, "option syringe_ml")
        steps = math.floor(volume_ml / self.ml_per_increment + 1e-6)
        if steps < 1:
            raise OutOfRange("stroke", volume_ml, "mL", self.ml_per_increment, self.capacity_ml, "one increment")
        spec = self.specs()["top_speed"]
        ml_min = self.ml_per_increment / PULSES_PER_INCREMENT * 60
        low, high = (spec.low or 1.0) * ml_min, (spec.high or 0.0) * ml_min
        if not low - 1e-9 <= rate_ml_min <= high + 1e-9:
            raise OutOfRange("rate", rate_ml_min, "mL/min", low, high, RATE_WORDS)
        pulses = math.floor(rate_ml_min / ml_min + 1e-6)
        return steps, pulses - 1 if pulses == POWER_UP_SPEED else pulses

    async def _program(self, direction: Direction, steps: int, pulses: int, stopped: Callable[[], bool]) -> int:
        """Everything before the move; the absolute target in increments."""
        await self._rest()
        if self.talk.alarm_text:
            raise Refused("alarm", f"pump {self.address}: {self.talk.alarm_text}; prepare it before the next stroke")
        await self._counted()
        target = await self._target(direction, steps)
        if direction in self.ports:
            await self._turn(self.ports[direction], stopped)
        elif (await self.talk.ask("?6", replies.PORT)).data == "b":
            raise Refused("bypass", f"pump {self.address}: the valve stands in bypass: name its ports in the options")
        await self._ensure("top_speed", pulses)
        await self._rest()
        self._account.settle((await self.talk.certain(self._mark))._replace(top_speed=pulses), 1)
        return target

    async def _target(self, direction: Direction, steps: int) -> int:
        """Where the plunger has to go; raises OutOfRange, and Refused when the encoder tells of lost steps."""
        commanded, seen = await self._number("position"), await self._number("encoder_position")
        if commanded > self.full_stroke or abs(commanded - seen) > LOST_STEPS:
            raise Refused(
                "steps", f"pump {self.address}: commanded {commanded}, encoder {seen}: steps were lost, initialise it"
            )
        target = commanded + steps if direction is Direction.DRAW else commanded - steps
        if not 0 <= target <= self.full_stroke:
            ml = self.ml_per_increment
            room = (self.full_stroke - commanded if direction is Direction.DRAW else commanded) * ml
            raise OutOfRange(f"stroke to {direction.value}", steps * ml, "mL", 0.0, room, "what the syringe holds now")
        return target

    async def _turn(self, port: ports.Port, unless: Callable[[], bool]) -> None:
        if (await self.talk.ask("?6", replies.PORT)).data == port.report:
            return
        if unless():
            raise Refused("stopped", f"pump {self.address}: a stop came before the valve was turned")
        await self.talk.command(f"{port.turns}R")
        found = await self._until_ready(VALVE_S)
        stands = (await self.talk.ask("?6", replies.PORT)).data
        if found.error or stands != port.report:
            why = replies.in_words(found.error) if found.error else f"it stands at {ports.name(stands)}"
            raise Refused("valve", f"pump {self.address}: the valve did not go to {port.name}: {why}")

    async def _ensure(self, name: str, value: int) -> None:
        """Make a setting be `value`, written only when it differs and seen by read-back."""
        if await self._number(name) == value:
            return
        await self.talk.command(f"{self.table[name].extra['sets']}{value}R")
        found = await self._number(name)
        if found != value:
            raise Refused("read-back", f"pump {self.address}: {name} is {found} after {value} was written")

    async def _rest(self) -> replies.Answer:
        """Ready, without an error, and nothing in the buffer; raises Refused."""
        found = await self.talk.query()
        if not found.ready:
            raise Refused("busy", f"pump {self.address}: a move is not over, stop it first")
        if found.error and found.error != replies.OVERFLOW:
            raise Refused(str(found.error), f"pump {self.address}: {replies.in_words(found.error)}; initialise it")
        if await self._waiting():
            raise Refused("buffer", f"pump {self.address}: a stopped string waits in its buffer: initialise the pump")
        return found

    async def _at_rest(self) -> bool:
        """Ready twice, with the plunger at the same place: lower-case moves say ready while they move (M)."""
        if not (await self.talk.query()).ready:
            return False
        first = await self._number("encoder_position")
        await asyncio.sleep(LOOK_S)
        return (await self.talk.query()).ready and await self._number("encoder_position") == first

    async def _blindly(self, text: str) -> None:
        """Send T though nobody answers: the pump may hear without being heard."""
        try:
            await self.talk.command(text)
        except (NoAnswer, BadFrame, Refused):
            return

    async def _until_ready(self, seconds: float) -> replies.Answer:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            await asyncio.sleep(LOOK_S)
            found = await self.talk.query()
            if found.ready:
                return found
            if loop.time() > until:
                raise NoAnswer(f"pump {self.address}: still busy after {seconds:g} s")

    # -- numbers

    async def _poll(self) -> dict[str, Reading]:
        readings: dict[str, Reading] = {}
        status = await self.talk.query()
        silent = ""
        for name in self.turns.due(self.specs()):
            try:
                readings[name] = self.bad(silent) if silent else await self._read(name, status)
            except NoAnswer as error:
                silent = str(error)
                readings[name] = self.bad(silent)
            except WireError as error:
                readings[name] = self.bad(str(error))
        return readings

    async def _counted(self) -> Mark:
        """Where it stands now, after the account was looked at: broken = begun anew, with an alarm."""
        found = await self.talk.query()
        if found.error == replies.NOT_INITIALISED:
            self._account.begin_anew()
            raise Refused("7", f"pump {self.address}: {replies.in_words(found.error)}: initialise it")
        now = await self.talk.certain(self._mark)
        if why := self._account.broken(now):
            self.talk.alarm(why)
            self._account.begin_anew(now)
        elif self._account.since is None:
            self._account.begin_anew(now)
        return now

    async def _mark(self) -> Mark:
        names = ("encoder_position", "initialisations", "plunger_moves", "top_speed")
        return Mark(*[await self._number(name) for name in names])

    async def _number(self, name: str) -> int:
        return int((await self.talk.ask(self.table[name].command, replies.NUMBER)).data)

    async def _waiting(self) -> bool:
        return (await self.talk.ask("?10", replies.FLAG)).data == "1"

    async def _read(self, name: str, status: replies.Answer) -> Reading:
        row = self.table[name]
        if name == "motion":
            return self.good(self._motion(status).value)
        if name == "alarm":
            return self.good(self._alarm(status))
        if status.error == replies.NOT_INITIALISED and name in NEEDS_POSITION:
            return self.bad(replies.in_words(status.error))
        data = (await self.talk.ask(row.command, replies.EXPECTED[row.type])).data
        if row.type == "port":
            return self.good(ports.name(data))
        if row.type == "flag":
            return self.good(data == "1")
        if name == "plunger":
            return self.good(int(data) / self._percent())
        return self.good(round(int(data) * row.scale, 3))

    def _percent(self) -> float:
        return self.full_stroke / 100

    def _alarm(self, status: replies.Answer) -> str:
        lasts = status.error not in (0, replies.OVERFLOW)
        return self.talk.alarm_text or (replies.in_words(status.error) if lasts else "")

    def _motion(self, status: replies.Answer) -> Motion:
        if not status.ready:
            return Motion.MOVING
        return Motion.ALARM if self.talk.alarm_text else Motion.STOPPED

    async def _who(self) -> tuple[str, str]:
        await self._check_model()
        firmware = (await self.talk.ask("&", replies.TEXT)).data.strip()
        return firmware, (await self.talk.ask("?76", replies.TEXT)).data.strip()

    async def _check_model(self) -> None:
        """Raise WrongDevice when another model of the family answers."""

    def _initialising_command(self) -> str:
        """Z with the options' force and ports; raises ValueError."""
        force = self.options.get("initialise_force", 0)
        if str(force) not in ("0", "1", "2", "0.0", "1.0", "2.0"):
            raise ValueError(f"initialise_force {force} is none of 0 (full), 1 (half), 2 (third)")
        given = [self.options.get(f"initialise_{way}", 0) for way in ("input", "output")]
        numbers = [int(float(each)) for each in given]
        if any(not 0 <= number <= ports.MOST for number in numbers):
            raise ValueError(f"initialise_input and initialise_output are ports from 1 to {ports.MOST}, or 0")
        return f"Z{int(float(force))},{numbers[0]},{numbers[1]}R"
