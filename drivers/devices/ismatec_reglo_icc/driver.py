"""Ismatec Reglo ICC, sheet ismatec-reglo-icc.md: 2 to 4 channels of one peristaltic pump, 9600 8N1 or USB."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from drivers.core.calibration import CalibrationPoint
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import BadFrame, LinkLost, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.fluid import Direction, Motion, MoverStatus, Totals, Use
from drivers.core.line import Line
from drivers.core.peristaltic import ONE_WAY
from drivers.core.signals import Identity, Reading, Value
from drivers.devices.ismatec_reglo_icc import events, words
from drivers.devices.ismatec_reglo_icc.spoken import Spoken

SETTINGS_EVERY_S = 600.0
SETTINGS = (
    "total_revolutions", "running_time", "mode", "direction", "speed", "flow", "dose_volume", "dose_by_flow",
    "run_time", "pause_time", "cycles", "back_steps", "tube_diameter", "max_flow", "calibrated_max_flow",
    "roller_step_volume", "channel_addressing",
)  # fmt: skip
EVENTS_EVERY_S = 60.0
"""Messages that are off, after a loss of power, show as a flow that is not known long before."""
EVENT_WAIT_S = 3.5
"""How long a message about a channel is waited for while other channels run; its period is not known (?)."""
LOOK_S = 0.3
RESTARTED = "its event messages are off: the pump has lost power"
SLOWEST = 1 / 1000
"""0.1 of 100 rpm (M)."""
CYCLE_ML = 1.0
"""Whole-mL steps of `xG`: how far it and the trip volume may be apart."""


class IsmatecRegloIcc(Spoken):
    """One channel: doses in mode O (volume at a rate, ended by the pump), or turns in mode M (flow).

    Options besides those of every peristaltic pump: `channel` (1 to 4), `tube_mm` = inner diameter of the tube (one of
    26, written only when it differs; that discards the pump's calibration), `counter` = trip | total.
    """

    model = "ismatec_reglo_icc"
    maker = "Ismatec"
    kind = "pump"
    default_url = "serial:///dev/ttyUSB0?baud=9600&parity=N&stopbits=1"
    default_address = 1
    on_link_loss = LinkLoss.FINISHES_BOUNDED_MOVE
    safe_state = "channel at rest, said by the pump itself; a channel that recirculates keeps its flow without us"
    watchdog = "none documented: a dose ends at its own volume, a recirculating channel turns on"
    timeout_s = 0.4
    """N waits 0.15 s. Shorter than the pump's event messages are apart, or a doubtful line would never be quiet."""
    quiet_s = 0.02
    """An answer said twice is over before the next question; H leaves 55 ms between writing and reading."""
    asked_twice = True
    evidence = "MX"
    continuity = (
        "by trip volumes above zero that agree with the whole-mL total (E, M); whether they survive the power: ?; "
        f"a restart shows as event messages that are off (X). {ONE_WAY}"
    )
    fence_quiet_s = 2.0
    fence_why = "a request takes 20 ms at 9600 baud and is carried out on its CR; 2 s leave room for adapter and server"
    seldom: ClassVar[Mapping[str, float]] = {
        **dict.fromkeys(SETTINGS, SETTINGS_EVERY_S),
        "event_messages": EVENTS_EVERY_S,
    }
    option_names: ClassVar[tuple[str, ...]] = (*Spoken.option_names, "channel", "tube_mm", "counter")
    calibration_points: ClassVar[Mapping[str, CalibrationPoint]] = {
        "measured volume": CalibrationPoint(
            "calibrated_max_flow",
            "mL",
            0.0002,
            1000.0,
            "run the calibration at the pump's own keys; when it waits for the measured volume, enter what came out",
        )
    }

    motion = Signal()
    alarm = Signal()
    dispensed_volume = Signal()
    withdrawn_volume = Signal()
    total_volume = Signal()
    event_messages = Signal()
    total_revolutions = Signal()
    running_time = Signal()
    mode = Signal()
    direction = Signal()
    speed = Signal()
    flow = Signal()
    flow_setpoint = Signal()
    dose_volume = Signal()
    dose_by_flow = Signal()
    run_time = Signal()
    pause_time = Signal()
    cycles = Signal()
    back_steps = Signal()
    tube_diameter = Signal()
    max_flow = Signal()
    calibrated_max_flow = Signal()
    roller_step_volume = Signal()
    channel_addressing = Signal()

    def __init__(self, line: Line, address: int = 1, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for options that no channel can have."""
        super().__init__(line, address, options)
        self.tube_mm = float(self.options.get("tube_mm", 0.0))
        self.counter = str(self.options.get("counter", "trip"))
        if self.tube_mm and self.tube_mm not in words.DIAMETERS_MM:
            raise ValueError(f"tube_mm {self.tube_mm:g} is none of {', '.join(map(str, words.DIAMETERS_MM))}")
        if self.counter not in ("trip", "total"):
            raise ValueError(f"counter {self.counter!r} is neither trip (0.001 mL) nor total (whole mL)")
        self._prepared = False
        self._ran: bool | None = None
        """What `E` said in the poll under way."""
        self._first: tuple[float, float] | None = None
        """Trip volume and whole-mL total when both began to be compared."""

    # -- who and how it is

    async def identify(self) -> Identity:
        """Read model, serial number and firmware; raises WrongDevice when it is no Reglo ICC.

        A pump in legacy addressing answers to its own number only: it is asked by that too.
        """
        try:
            model = await self._model()
        except Refused as error:
            raise WrongDevice(f"{self.line.name}: what answers does not tell its model: {error}") from error
        if not model.startswith("REGLO ICC "):
            raise WrongDevice(f"{self.line.name}: {model!r} instead of a REGLO ICC")
        firmware = await self._text("firmware")
        if len(firmware) == 4 and firmware.isdigit():
            firmware = f"{int(firmware[:2])}.{firmware[2:]}"
        return Identity(self.maker, "REGLO ICC", await self._text("serial_number"), firmware)

    async def prepare(self) -> None:
        """Channel addressing and event messages on, our tube's diameter; each written only when it differs.

        Clears the latched alarm, and an overload the pump may still hold (E). Of a loop a message is waited for, that
        its flow is known from the first poll on. Raises Refused when something does not read back as written, or when
        the diameter differs and the channel is not at rest.
        """
        await self._address_channels()
        if not await self._value("event_messages"):
            await self._set("event_messages", True)
        if self.alarm_text and self.alarm_text != RESTARTED:
            await self._status("clear_overload")
        if self.tube_mm and await self._value("tube_diameter") != self.tube_mm:
            await self._at_rest("its tube's diameter is another one")
            await self._set("tube_diameter", self.tube_mm)
        if self.use is Use.RECIRCULATE:
            await self._heard()
        self.alarm_text = ""
        self._prepared = True

    async def status(self) -> MoverStatus:
        """What this channel does; ALARM when it rests with an alarm not yet cleared by `prepare`. Raises WireError."""
        motion = await self._motion()
        if self._prepared and not await self._value("event_messages"):
            self._latch(RESTARTED)
        return MoverStatus(self._with_alarm(motion), self.alarm_text)

    async def totals(self) -> Totals:
        """Read the trip volume and hold it against the whole-mL total; option counter=total takes that alone.

        Whether the trip volume counts this channel or the whole pump is not known (?): when the two part, it is
        Refused. Raises WireError.
        """
        total = await self._number("total_volume")
        return self._checked(await self._answer("dispensed_volume") if self.counter == "trip" else "", total)

    async def poll(self) -> dict[str, Reading]:
        """Four exchanges; now and then the settings. A pump that does not answer one is not asked the others."""
        readings: dict[str, Reading] = {}
        names = self.turns.due(self.specs())
        self._ran = None
        for name in names:
            try:
                readings |= await self._look(name, readings)
            except (NoAnswer, LinkLost) as error:
                bad = self.bad(str(error))
                return dict.fromkeys(names, bad) | readings
        self.turns.took(readings)
        return readings

    async def read(self, name: str) -> Reading:
        if name == "alarm":
            await self.status()
        return (await self._look(name, {}, strict=True))[name]

    async def write(self, name: str, value: Value) -> Reading:
        """Set speed, flow, back steps or tube diameter of a channel at rest, and read it back.

        `flow_setpoint` turns the loop on at that flow, or changes it; a person's stop ends it.
        """
        row = self.table[name]
        if not self.specs()[name].writable:
            raise Refused("read only", f"{name} of a pump cannot be set; fluid is moved by start and stop")
        if isinstance(value, str) or value is None:
            raise OutOfRange(name, float("nan"), row.unit, row.low, row.high, "a number is wanted")
        self.check_limits(name, value)
        if name == "flow_setpoint":
            await self.recirculate(self.stroke, value)
            return await self.read(name)
        if name == "tube_diameter" and value not in words.DIAMETERS_MM:
            raise Refused("diameter", f"{value:g} mm is none of {', '.join(map(str, words.DIAMETERS_MM))}")
        await self._at_rest(f"{name} is set at rest only")
        return self.good(await self._set(name, value))

    # -- calibration

    async def calibration(self) -> Mapping[str, float]:
        """Maximal flow by the tube's table and by calibration (mL/min), and the calibration's own figures."""
        names = ("max_flow", "calibrated_max_flow", "roller_step_volume")
        more = ("calibration_target", "measured_volume", "calibration_time", "time_since_calibration")
        return {f"{name} ({self.table[name].unit})": await self._number(name) for name in (*names, *more)}

    async def calibrate(self, point: str, reference: float | None = None) -> Mapping[str, float]:
        """Tell the pump the volume it delivered in its calibration run (`xV`).

        The run itself (`xY`) moves fluid outside every ledger, so it is begun by a person at the pump's own keys.
        """
        known = self.calibration_points.get(point)
        if known is None or reference is None:
            raise Refused("no procedure", f"{self._name}: {point!r}; there is 'measured volume' in mL")
        if not 0.0002 <= reference <= 1000.0:
            raise OutOfRange(point, reference, "mL", known.low, known.high, "osteon")
        await self._motion()
        if self.ear.says(self._now()) not in ("", events.WAITING):
            raise Refused("not waiting", f"{self._name}: the pump does not wait for a measured volume")
        await self._set("measured_volume", reference)
        self.turns.forget()
        return await self.calibration()

    # -- moving

    async def _program_dose(self, direction: Direction, volume_ml: float, rate_ml_min: float) -> None:
        await self._program("O", "mode_dose", direction, rate_ml_min)
        if not await self._value("dose_by_flow"):
            await self._set("dose_by_flow", True)
        volume = await self._ensure("dose_volume", volume_ml)
        self.programmed = direction, volume, await self._number("flow")

    async def _program_loop(self, direction: Direction, rate_ml_min: float) -> None:
        await self._program("M", "mode_flow", direction, rate_ml_min)
        self.programmed = direction, 0.0, await self._number("flow")

    async def _program(self, letter: str, mode: str, direction: Direction, rate_ml_min: float) -> None:
        if not (await self._value("channel_addressing") and await self._value("event_messages")):
            raise Refused(
                "not prepared", f"{self._name}: channel addressing or event messages are off, prepare it first"
            )
        await self._at_rest("stop it first")
        if steps := await self._number("back_steps"):
            raise Refused(
                "back steps", f"{self._name}: {steps:g} back steps would pull fluid back; set back_steps to 0"
            )
        fastest = await self._number("calibrated_max_flow")
        if not fastest * SLOWEST <= rate_ml_min <= fastest:
            source = f"the tube in {self._name}"
            raise OutOfRange("rate", rate_ml_min, "mL/min", fastest * SLOWEST, fastest, source)
        await self._act("stop")  # at rest after a pause it would go on with what was left (X)
        await self._choose("mode", letter, mode)
        turn = self._turn(direction)
        await self._choose("direction", turn, turn.replace("-", "_"))
        await self._ensure("flow", rate_ml_min)

    async def _choose(self, name: str, wanted: str, action: str) -> None:
        if await self._value(name) == wanted:
            return
        await self._act(action)
        if (found := await self._value(name)) != wanted:
            raise Refused("read-back", f"{self._name}: {name} is {found!r} after {wanted} was chosen")

    async def _ensure(self, name: str, wanted: float) -> float:
        """Make flow or volume what the pump's digits can hold of `wanted`; what that is."""
        try:
            worth = words.worth(words.volume(wanted))
        except ValueError as error:
            raise Refused("digits", f"{self._name}: {error}") from error
        if await self._value(name) != worth:
            await self._set(name, worth)
        return worth

    async def _start_dose(self) -> None:
        """Send `H` once. `-` and `#` are the pump's word that it did not start (M)."""
        said = await self._status("start")
        self.ear.forget()  # what came before this answer was said before the start
        if said == "*":
            return
        if said == "+":
            raise BadFrame(f"{self._name}: start was answered '+': what it does is unknown")
        try:
            reason = str(await self._value("refusal"))
            text = f"{words.REASONS[reason[0]]}, its limit is {reason[2:]}"
        except WireError as error:
            text = f"it does not say why: {error}"
        raise Refused(said, f"{self._name}: the pump did not start: {text}")

    async def _start_loop(self) -> None:
        await self._start_dose()
        if await self._motion() is not Motion.MOVING:
            raise BadFrame(f"{self._name}: started, and it does not turn")

    async def _turns(self, direction: Direction, rate_ml_min: float) -> bool:
        await self._heard()
        if self.ear.says(self._now()) not in ("", events.PUMPING):
            return False
        if await self._value("mode") != "M" or await self._value("direction") != self._turn(direction):
            return False
        return await self._value("flow") == words.worth(words.volume(rate_ml_min))

    async def stop(self) -> None:
        """Send `I`, and wait until the pump says that this channel rests.

        It says so by `E` when no channel runs, else by a message. Raises NoAnswer when neither comes.
        """
        self._stops += 1
        try:
            await self._status("stop")
        except (NoAnswer, BadFrame):
            await self._address_channels()
            await self._status("stop")
        self.ear.forget()
        until = self._now() + EVENT_WAIT_S
        while self._now() < until:
            if not await self._runs():
                return
            if self.ear.says(self._now()) in (events.AT_REST, events.WAITING):
                return
            if not await self._value("event_messages"):
                await self._set("event_messages", True)
            await asyncio.sleep(LOOK_S)
            await self._status("stop")
        raise NoAnswer(f"{self._name}: not seen to stop: other channels run, and no message came about this one")

    # -- reading

    async def _look(self, name: str, have: Mapping[str, Reading], strict: bool = False) -> dict[str, Reading]:
        """One signal, and what comes with it; BAD instead of an error unless `strict`."""
        if name in have:
            return {}
        try:
            match name:
                case "motion":
                    return {name: self.good(self._with_alarm(await self._motion()).value)}
                case "alarm":
                    return {name: self.good(self.alarm_text)}
                case "dispensed_volume" | "withdrawn_volume" | "total_volume" if not strict:
                    return await self._look_at_counters()
                case "dispensed_volume" | "withdrawn_volume":
                    totals = await self.totals()
                    return {name: self.good(totals.drawn_ml if name == "withdrawn_volume" else totals.delivered_ml)}
                case "flow_setpoint":
                    return {name: await self._loop_flow(patient=strict)}
                case "event_messages":
                    on = await self._value(name)
                    if self._prepared and not on:
                        self._latch(RESTARTED)
                        return {name: self.good(on), "alarm": self.good(self.alarm_text)}
                    return {name: self.good(on)}
                case _:
                    return {name: self.good(await self._value(name))}
        except WireError as error:
            if strict or isinstance(error, NoAnswer | LinkLost):
                raise
            return {name: self.bad(str(error))}

    async def _loop_flow(self, patient: bool) -> Reading:
        """mL/min of a loop that turns, 0 = it stands; BAD while the pump has not said whether it turns (`patient` = its
        message is waited for), and when it turns in another way."""
        if self.use is not Use.RECIRCULATE:
            return self.good(0.0)
        runs = await self._runs() if patient or self._ran is None else self._ran
        if not runs:
            return self.good(0.0)
        if patient:
            await self._heard()
        says = self.ear.says(self._now())
        if not says:
            return self.bad("some channel runs, and no message came about this one")
        if says != events.PUMPING:
            return self.good(0.0)
        turns = await self._value("mode"), await self._value("direction")
        if turns != ("M", self._turn(self.stroke)):
            return self.bad(f"it turns in mode {turns[0]} {turns[1]}, which is not its loop")
        return self.good(await self._number("flow"))

    async def _look_at_counters(self) -> dict[str, Reading]:
        """Both totals by two questions."""
        readings: dict[str, Reading] = {}
        try:
            total = await self._number("total_volume")
            readings["total_volume"] = self.good(total)
            trip = await self._answer("dispensed_volume") if self.counter == "trip" else ""
            totals = self._checked(trip, total)
        except (Refused, BadFrame) as error:
            bad = self.bad(str(error))
            readings = {"total_volume": bad} | readings
            return readings | {"dispensed_volume": bad, "withdrawn_volume": bad}
        drawn, delivered = self.good(totals.drawn_ml), self.good(totals.delivered_ml)
        return readings | {"dispensed_volume": delivered, "withdrawn_volume": drawn}

    def _checked(self, trip: str, total: float) -> Totals:
        if not trip:
            return self._totals(total, 1.0)
        row = self.table["dispensed_volume"]
        counted = words.value(row, trip)
        assert isinstance(counted, float)
        if self._first is None or counted < self._first[0] or total < self._first[1]:
            self._first = counted, total
        apart = (counted - self._first[0]) - (total - self._first[1])
        if abs(apart) > CYCLE_ML + 1e-6:
            why = f"the trip volume gained {apart:+.3f} mL against this channel's total: use option counter=total"
            raise Refused("counters", f"{self._name}: {why}")
        return self._totals(counted, words.resolution_ml(trip))

    async def _motion(self) -> Motion:
        """`E` is the whole pump's; when it runs, messages tell of this channel. Without one it counts as moving."""
        running = await self._runs()
        for cause in self.ear.alarms:
            self._alarms_met += 1
            self.alarm_text = events.ALARMS[cause]
        self.ear.alarms.clear()
        if not running:
            return Motion.STOPPED
        match self.ear.says(self._now()):
            case events.AT_REST | events.WAITING:
                return Motion.STOPPED
            case events.PAUSING:
                return Motion.PAUSED
            case _:
                return Motion.MOVING

    def _with_alarm(self, motion: Motion) -> Motion:
        return Motion.ALARM if self.alarm_text and motion is Motion.STOPPED else motion

    async def _runs(self) -> bool:
        """Whether any channel runs. Raises BadFrame for an answer that is neither + nor -."""
        said = await self._status("motion", retries=1)
        if said not in "+-":
            raise BadFrame(f"{self._name}: asked whether it runs, the pump says {said!r}")
        self._ran = said == "+"
        return self._ran

    def _turn(self, direction: Direction) -> str:
        return "clockwise" if self._clockwise(direction) else "counter-clockwise"

    async def _at_rest(self, otherwise: str) -> None:
        """Raise Refused while this channel moves, or may move; a message about it is waited for."""
        await self._heard()
        if (motion := await self._motion()) is not Motion.STOPPED:
            raise Refused(motion.value, f"{self._name}: the channel is {motion.value}: {otherwise}")

    async def _heard(self) -> None:
        """While some channel runs, wait until a message has told what this one does, or none came in time."""
        until = self._now() + EVENT_WAIT_S
        while await self._motion() is Motion.MOVING and not self.ear.says(self._now()):
            if self._now() >= until:
                break
            await asyncio.sleep(LOOK_S)
