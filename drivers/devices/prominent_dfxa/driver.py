"""ProMinent DULCO flex Control DFXa hose metering pump, sheet prominent-dulcoflex-modbus.md: Modbus RTU, 19200 8E1.

The pump stops when it hears nothing for its Modbus time-out, and starts up by itself at the next request (M). So for
dosing the first message after any silence of ours is "stop", never a question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.fluid import Direction, FluidMover, Motion, MoverStatus, Totals, Use, never
from drivers.core.line import Line
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.devices.prominent_dfxa import words
from drivers.devices.prominent_dfxa.conversation import REFUSED_FOR_SURE, Conversation, Look, resolution_ml

STOPS = 8
LOOK_S = 0.3
"""Between two looks that must be alike before the pump counts as standing."""
LEAST_WATCHDOG_S = 3.0
"""A dose is looked at every 2 s: a shorter time-out would stop it in between."""
TURNS = {"clockwise": 0, "counterclockwise": 1}


class ProminentDfxa(FluidMover):
    """Doses by batches the pump itself ends; the total quantity, which cannot be cleared, proves them.

    Options: `capacity_ml` = largest batch (none is started without it), `turns` = which way delivers (clockwise or
    counterclockwise, by how the hose lies), `use` (dose or recirculate).
    """

    model = "prominent_dfxa"
    maker = "ProMinent"
    kind = "pump"
    default_url = "serial:///dev/ttyUSB0?baud=19200&parity=E&stopbits=1"
    default_address = 20
    table = registers.load("prominent_dfxa", counts_from=0)
    on_link_loss = LinkLoss.STOPS_AFTER_WATCHDOG
    safe_state = "register 1200 = 0, motor standing, nothing left of a batch (1040 = 0)"
    watchdog = (
        "Modbus time-out in register 61, up to 10 s, set in the pump's menu: read at start-up, no dose without it. The "
        "pump starts up by itself when requests come again (M): poll four times in its time; after a longer silence "
        "the driver's first message is stop"
    )
    not_sought = "any request, even a question, starts up a pump that has stopped for its Modbus time-out"
    evidence = "X"
    checksum = True
    timeout_s = 0.5
    quiet_s = 0.0021
    """3.5 characters of 11 bits at 19200 baud."""
    continuity = (
        "by the running total (1034), which cannot be cleared (M); whether it outlives the power is not stated (?), so "
        "only totals above zero prove it; the power-up counter (1026, M) tells every reader, and breaks the watch"
    )
    fence_why = (
        "a request takes 8 ms at 19200 baud and is dropped when it is broken; 2 s leave room for a USB adapter, a "
        "serial server, and counters that lag (their sample rate is unknown)"
    )
    through = True
    option_names: ClassVar[tuple[str, ...]] = ("capacity_ml", "turns", "use")

    delivered_volume = Signal()
    remaining_volume = Signal()
    dosing_rate = Signal()
    maximum_rate = Signal()
    motion = Signal()
    mode = Signal()
    alarm = Signal()
    warning = Signal()
    power_ups = Signal()
    revolutions = Signal()
    level = Signal()

    def __init__(self, line: Line, address: int = 20, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for options that no pump can have."""
        super().__init__(line, address or self.default_address, options)
        self.capacity_ml = float(self.options.get("capacity_ml", 0.0))
        turns = str(self.options.get("turns", "clockwise"))
        if turns not in TURNS:
            raise ValueError(f"turns {turns!r} is none of {', '.join(TURNS)}")
        self.delivers = TURNS[turns]
        self.dosing = self.use is Use.DOSE
        self.programmed: tuple[float, float] | None = None
        """mL and mL/min of the last batch as the pump read it back."""
        self.talk = Conversation(line, self.address, self.table, self.timeout_s, self.quiet_s)
        self._met = False
        """This driver has seen that a DFXa is there: from then on a silence is ended with "stop"."""
        self._prepared = False
        self._stops = 0
        self._alarm = ""
        self._alarms_met = 0
        self._errors: int = 0
        self._power_ups: int | None = None
        self._moving = False
        self._most = 0.0

    # -- who and how it is

    @property
    def alarms_met(self) -> int:
        return self._alarms_met

    @property
    def replies_missed(self) -> int:
        return self.talk.replies_missed

    async def identify(self) -> Identity:
        """Word order and number base by the constant at 63, then identity code and serial number; raises WrongDevice.

        A pump this driver has met before is stopped first when it may have missed us.
        """
        if self._met:
            await self._arrive()
        await self.talk.find_order()
        said = await self.talk.registers(9, 16)
        order = next((order for order in (_plain, _exchanged) if order(said).upper().startswith("DFX")), None)
        if order is None:
            raise WrongDevice(f"{self.line.name} address {self.address}: identity code {_plain(said)!r} is no DFXa's")
        code, serial = order(said), order(await self.talk.registers(4, 5))
        self.talk.watchdog_s = float(await self.talk.value("watchdog_ms") or 0) / 1000
        if not self._met:
            self._met = True
            self.talk.forget()
        return Identity(self.maker, code, serial)

    async def prepare(self) -> None:
        """Off at power-up (as before, in a loop), errors acknowledged, alarm cleared; written only when different.

        Raises Refused when something does not read back, or when an error stays.
        """
        await self._arrive()
        await self.talk.ensure("at_power_up", words.ALWAYS_OFF if self.dosing else words.AS_BEFORE)
        found = await self._look()
        if found.errors or found.status & words.ERROR:
            if self.dosing:
                await self.talk.put("run", 0, retries=1)
            await self.talk.put("acknowledge", words.GO)
            found = await self._look()
        self._prepared = True
        if not found.errors:
            self._alarm = ""

    async def status(self) -> MoverStatus:
        """One look; an error, a power failure or a silence of ours stays latched until `prepare`. Raises WireError."""
        found = await self._look()
        return MoverStatus(self._motion(found), self._alarm)

    async def totals(self) -> Totals:
        """The total metering quantity; the pump has no count of its own for the other way. Raises WireError."""
        found = await self._look()
        return Totals(0.0, found.total_ml, resolution_ml(found.total_ml))

    async def poll(self) -> dict[str, Reading]:
        """One look and the level. It also keeps the pump's time-out from running down."""
        try:
            found = await self._look()
            level = await self._level()
        except WireError as error:
            return dict.fromkeys(self.specs(), self.bad(str(error)))
        at = asyncio.get_running_loop().time()
        values: dict[str, Value] = {
            "delivered_volume": found.total_ml,
            "remaining_volume": max(0.0, found.remaining_ml),
            "dosing_rate": found.rate,
            "maximum_rate": found.most,
            "motion": self._motion(found).value,
            "mode": words.MODES[found.mode],
            "alarm": self._alarm,
            "warning": words.named(found.warnings, words.WARNINGS, "warning"),
            "power_ups": found.power_ups,
            "revolutions": found.revolutions,
        }
        return {name: Reading(value, at, Quality.GOOD) for name, value in values.items()} | {"level": level}

    async def read(self, name: str) -> Reading:
        reading = (await self.poll())[name]
        if reading.quality is Quality.BAD and name != "level":
            raise BadFrame(reading.why)
        return reading

    async def write(self, name: str, value: Value) -> Reading:
        raise Refused("read only", f"{name} of a pump cannot be set; fluid is moved by start and stop")

    async def _level(self) -> Reading:
        level = float(await self.talk.value("level") or 0)
        return self.good(level) if level <= 100 else self.bad(f"{level:g} % cannot be true")

    # -- what a look means

    async def _arrive(self) -> None:
        """After a silence in which the pump may have stopped by itself, "stop" goes out before any question."""
        if not self.dosing or not self._met or not self.talk.silent_too_long():
            return
        if self._moving:
            self._note("the pump heard nothing for its Modbus time-out, or the link was lost: stopped in mid-batch")
        await self.talk.put("run", 0, retries=1)

    async def _look(self) -> Look:
        await self._arrive()
        found = await self.talk.look()
        if self._power_ups is not None and found.power_ups != self._power_ups:
            self._note(f"power was interrupted (power-up {found.power_ups})")
        self._power_ups = found.power_ups
        if found.errors and found.errors != self._errors:
            self._note(f"error: {words.named(found.errors, words.ERRORS, 'error')}")
        elif found.status & words.ERROR and not found.errors and not self._alarm:
            self._note("error, and no error bit tells which")
        self._errors = found.errors
        self._moving, self._most = self._motion(found) is Motion.MOVING, found.most
        return found

    def _note(self, alarm: str) -> None:
        self._alarm = alarm
        self._alarms_met += 1

    def _motion(self, found: Look) -> Motion:
        """Any sign of motion counts: the status bits are by analogy (X)."""
        halted = bool(found.errors) or bool(found.status & words.ERROR)
        goes_on = bool(found.run & 1) and found.remaining_ml > 0 and not halted
        if found.status & words.RUNNING or found.rate > 0 or goes_on:
            return Motion.MOVING
        if self._alarm:
            return Motion.ALARM
        return Motion.PAUSED if found.remaining_ml > 0 and self.dosing else Motion.STOPPED

    # -- moving

    async def start(
        self, direction: Direction, volume_ml: float, rate_ml_min: float, *, unless: Callable[[], bool] = never
    ) -> None:
        """Program one batch, read it back, make the pump active, see that it stands, and trigger once.

        Raises OutOfRange or Refused when nothing moved for sure; any other WireError means the outcome is unknown.
        """
        if not self.dosing:
            raise Refused("use", f"pump {self.address} is there to recirculate (option use), it gives no doses")
        if direction is not Direction.DELIVER:
            raise Refused(
                "direction",
                f"pump {self.address}: whether its one total counts backwards is unknown: no doses that way",
            )
        if not 0 < volume_ml <= self.capacity_ml:
            raise OutOfRange("batch", volume_ml, "mL", 0.0, self.capacity_ml, "option capacity_ml")
        stops = self._stops
        try:
            before = await self._program(volume_ml, rate_ml_min)
        except Refused:
            raise
        except WireError as error:
            raise Refused("not started", f"pump {self.address}: it was not made active: {error}") from error
        await self.talk.put("run", 1)
        found = await self._look()
        if self._motion(found) is Motion.MOVING or found.total_ml != before.total_ml or found.remaining_ml > 0:
            await self.talk.put("run", 0, retries=1)
            raise BadFrame(f"pump {self.address} moved before it was triggered: how much is unknown")
        if not found.run & 1 or found.mode != words.BATCH or found.sub_mode or self._alarm:
            await self._back_out("batch", f"it is not ready: mode {words.MODES[found.mode]}; {self._alarm}")
        if stops != self._stops or unless():
            await self._back_out("stopped", "a stop came while the batch was being written")
        await self._trigger()
        await self._see_it_move(before)

    async def stop(self) -> None:
        """Write 1200 = 0 until two looks running show the same counters and no motion, and drop the rest of a batch.

        Raises NoAnswer when it does not stand, Refused when a rest stays that the next start would deliver.
        """
        self._stops += 1
        for _ in range(STOPS):
            await self.talk.put("run", 0, retries=2)
            first = await self._look()
            if first.remaining_ml > 0 and self.dosing:
                await self.talk.put("clear", words.CONTACT_MEMORY, retries=1)
            await asyncio.sleep(LOOK_S)
            second = await self._look()
            stands = self._motion(second) is not Motion.MOVING and not second.run & 1
            if not stands or (first.total_ml, first.revolutions) != (second.total_ml, second.revolutions):
                continue
            if second.remaining_ml > 0 and self.dosing:
                raise Refused(
                    "rest",
                    f"pump {self.address} stands, and keeps {second.remaining_ml:g} mL of a batch that its next start "
                    f"would deliver: clear it at the pump",
                )
            return
        raise NoAnswer(f"pump {self.address}: not standing after {STOPS} stops")

    async def recirculate(
        self, direction: Direction, rate_ml_min: float, *, unless: Callable[[], bool] = never
    ) -> None:
        """Manual mode at this rate until `stop`; only with option use = recirculate, and without a Modbus time-out,
        as the loop would stand when the computer is gone."""
        if self.dosing:
            raise Refused("use", f"pump {self.address} is there to dose (option use), it does not recirculate")
        if self.talk.watchdog_s:
            raise Refused(
                "time-out",
                f"pump {self.address}: its Modbus time-out of {self.talk.watchdog_s:g} s would stop the loop when the "
                f"computer is gone: set it to 0 in the pump's menu",
            )
        stops = self._stops
        found = await self._look()
        if self._alarm:
            raise Refused("alarm", f"pump {self.address}: {self._alarm}; prepare it first")
        self._check_rate(rate_ml_min, found)
        turns = self.delivers if direction is Direction.DELIVER else 1 - self.delivers
        if found.run & 1 and (found.mode != words.MANUAL or await self._turning() != turns):
            raise Refused("running", f"pump {self.address} runs another way, stop it first")
        await self.talk.ensure("target_mode", words.MANUAL)
        await self._turn(turns)
        await self.talk.ensure("target_rate", rate_ml_min)
        if stops != self._stops or unless():
            raise Refused("stopped", f"pump {self.address}: a stop came while the rate was being written")
        await self.talk.put("run", 1)
        found = await self._look()
        if not found.run & 1 or self._motion(found) is not Motion.MOVING:
            raise BadFrame(f"pump {self.address} was made active and does not turn: what it does is unknown")

    def _check_rate(self, rate_ml_min: float, found: Look) -> None:
        if not 0 < rate_ml_min <= found.most:
            raise OutOfRange("rate", rate_ml_min, "mL/min", 0.0, found.most, "the pump itself, register 1020")

    async def _program(self, volume_ml: float, rate_ml_min: float) -> Look:
        """Everything before the pump is made active; the look before it."""
        found = await self._look()
        if not self._prepared or self.talk.watchdog_s < LEAST_WATCHDOG_S:
            why = f"its Modbus time-out is {self.talk.watchdog_s:g} s: set {LEAST_WATCHDOG_S:g} to 10 s in its menu"
            why = why if self._prepared else "prepare it first"
            raise Refused("not ready", f"pump {self.address}: {why}")
        if self._alarm:
            raise Refused("alarm", f"pump {self.address}: {self._alarm}; prepare it before the next batch")
        if (motion := self._motion(found)) is not Motion.STOPPED:
            raise Refused(motion.value, f"pump {self.address}: a batch is not over, stop it first")
        self._check_rate(rate_ml_min, found)
        if found.run:
            await self.talk.put("run", 0, retries=1)
        await self.talk.ensure("target_mode", words.BATCH)
        await self._turn(self.delivers)
        volume = await self.talk.ensure("batch_volume", volume_ml)
        rate = await self.talk.ensure("target_rate", rate_ml_min)
        self.programmed = volume, rate
        return await self._look()

    async def _turning(self) -> int | None:
        """The direction register; None on an older edition, which has none and turns clockwise."""
        try:
            return int(float(await self.talk.value("direction") or 0))
        except Refused as no:
            if no.code != "02":
                raise
            return None

    async def _turn(self, wanted: int) -> None:
        if (now := await self._turning()) is None and wanted:
            raise Refused("direction", f"pump {self.address} is of an older edition that turns clockwise only")
        if now is not None:
            await self.talk.ensure("direction", wanted)

    async def _back_out(self, code: str, why: str) -> None:
        """Take the pump out of the active state it was brought into, and say that nothing moved."""
        await self.talk.put("run", 0, retries=1)
        raise Refused(code, f"pump {self.address}: {why}")

    async def _trigger(self) -> None:
        """The one starting command, sent once."""
        try:
            await self.talk.put("trigger", words.GO)
        except Refused as no:
            if no.code in REFUSED_FOR_SURE:
                await self._back_out(no.code, f"the batch was not triggered: {no}")
            raise BadFrame(f"pump {self.address}: the trigger was answered {no}: what it does is unknown") from no

    async def _see_it_move(self, before: Look) -> None:
        for _ in range(5):
            found = await self._look()
            if self._motion(found) is Motion.MOVING or found.total_ml > before.total_ml:
                return
            await asyncio.sleep(LOOK_S)
        raise BadFrame(f"pump {self.address} took the trigger and does not move: what it does is unknown")


def _plain(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("latin-1").strip()


def _exchanged(data: bytes) -> str:
    """The same with both characters of every register exchanged: the order is not stated (?)."""
    return _plain(bytes(data[at ^ 1] for at in range(len(data))))
