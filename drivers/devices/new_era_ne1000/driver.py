"""New Era NE-1000 syringe pump, sheet new-era-ne1000.md: Safe mode (CRC, watchdog), 19200 8N1, many pumps a chain."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping

from drivers.core import registers
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.fluid import Direction, FluidMover, Motion, MoverStatus, Totals, never
from drivers.core.line import Line
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.devices.new_era_ne1000 import numbers, replies
from drivers.devices.new_era_ne1000.conversation import AlarmStays, Conversation
from drivers.devices.new_era_ne1000.replies import Reply

FASTEST_CM_MIN = 5.1005
SLOWEST_CM_MIN = 0.004205 / 60
"""Plunger speeds of the NE-1000 (L); times the syringe's area they are its rates."""
PLUNGER = {Direction.DELIVER: ("INF", "I"), Direction.DRAW: ("WDR", "W")}
"""What DIR is set to, and the prompt while it moves so."""
STOPS = 8
"""STP sent before giving up: two are enough for a pump that hears, alarms and damaged packets cost one each."""


class NewEraNe1000(FluidMover):
    """Moves one syringe by strokes the pump itself ends (VOL of phase 1, phase 2 = STP), and counts them.

    Options: `diameter_mm` of the syringe (written to the pump only when it differs), `capacity_ml` = largest stroke
    (none may be started without it), `watchdog_s` (1 to 255). There is no serial number to read: two pumps of one
    chain are told apart by their address alone.
    """

    model = "new_era_ne1000"
    maker = "New Era Pump Systems"
    kind = "pump"
    default_url = "serial:///dev/ttyUSB0?baud=19200&parity=N&stopbits=1"
    table = registers.load("new_era_ne1000", "commands.csv")
    on_link_loss = LinkLoss.STOPS_AFTER_WATCHDOG
    safe_state = "plunger at rest, prompt S (stopped and program reset; P is only a pause)"
    watchdog = (
        "Safe mode time-out SAF: pump and program stop when no valid packet came for watchdog_s; read back at start-up"
    )
    timeout_s = 1.0
    asked_twice = True
    evidence = "MLNX"
    checksum = True
    continuity = (
        "only by running totals above zero, counted on when the four digits of DIS are full: DIS is lost with the "
        "power (X), and the power-up alarm A?R (M) is told once, so a reader that dies can take it along"
    )
    fence_quiet_s = 2.0
    fence_why = (
        "an incomplete packet is dropped after 0.5 s between bytes (M); a whole one takes 15 ms at 19200 baud; "
        "2 s leave room for a USB adapter and a serial server"
    )

    option_names = ("diameter_mm", "capacity_ml", "watchdog_s")

    dispensed_volume = Signal()
    withdrawn_volume = Signal()
    motion = Signal()
    alarm = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for options that no pump can have."""
        super().__init__(line, address, options)
        self.diameter_mm = float(self.options.get("diameter_mm", 0.0))
        self.capacity_ml = float(self.options.get("capacity_ml", 0.0))
        self.watchdog_s = int(float(self.options.get("watchdog_s", 60)))
        if not 0 <= address <= 99:
            raise ValueError(f"pump address {address} is outside 0 to 99")
        if not 1 <= self.watchdog_s <= 255:
            raise ValueError(f"watchdog_s {self.watchdog_s} is outside 1 to 255")
        if self.diameter_mm and not 0.1 <= self.diameter_mm <= 50:
            raise ValueError(f"diameter_mm {self.diameter_mm:g} is outside 0.1 to 50")
        self.programmed: tuple[Direction, float, float] | None = None
        """Direction, mL and mL/min of the last stroke as the pump read it back: what was asked, cut to four digits."""
        self._cleared_ml = dict.fromkeys(Direction, 0.0)
        """What DIS had counted each time it was set back for want of room."""
        self._stops = 0
        self.talk = Conversation(line, address, self.timeout_s)

    # -- who and how it is

    @property
    def stops_after_s(self) -> float | None:
        return self.watchdog_s

    @property
    def alarms_met(self) -> int:
        return self.talk.alarms_met

    @property
    def replies_missed(self) -> int:
        return self.talk.replies_missed

    async def identify(self) -> Identity:
        """Read model and firmware (VER); there is no serial number. Raises WrongDevice when it is no NE-1000."""
        data = (await self.talk.value("VER", replies.ANYTHING)).data
        match = replies.VERSION.fullmatch(data)
        if match is None or match[1] != "1000":
            raise WrongDevice(f"{self.line.name} address {self.address}: {data!r} instead of an NE-1000")
        return Identity(self.maker, "NE-1000", "", match[2])

    async def prepare(self) -> None:
        """Safe mode with our watchdog, and our syringe's diameter; both written only when different, then read back.

        Clears the latched alarm. Raises Refused when the diameter differs and the pump is not stopped (setting it would
        clear its counters), or when something does not read back as written.
        """
        if await self.talk.watchdog_s() != self.watchdog_s:
            await self.talk.set_mode(f"SAF{self.watchdog_s}")
            if await self.talk.watchdog_s() != self.watchdog_s or not self.talk.safe:
                raise Refused("SAF", f"pump {self.address}: the watchdog does not read back as {self.watchdog_s} s")
        if self.diameter_mm:
            await self._set_diameter(numbers.four_digits(numbers.exact(self.diameter_mm)))
        else:
            self.diameter_mm = float((await self.talk.value("DIA", replies.NUMBER)).data)
        self.talk.alarm_text = ""

    async def status(self) -> MoverStatus:
        """The pump's prompt; ALARM when it is at rest with an alarm not yet cleared by `prepare`. Raises WireError."""
        try:
            reply = await self.talk.ask("", replies.NOTHING)
        except AlarmStays:
            return MoverStatus(Motion.ALARM, self.talk.alarm_text)
        return MoverStatus(self._motion(reply), self.talk.alarm_text)

    async def totals(self) -> Totals:
        """DIS, added up over our clearings (Safe mode only: without a CRC it is no evidence). Raises WireError."""
        return self._totals(await self.talk.counters())

    async def poll(self) -> dict[str, Reading]:
        """One exchange: the reply to DIS carries the prompt too. It also restarts the pump's watchdog."""
        try:
            reply = await self.talk.counters()
            totals = self._totals(reply)
        except WireError as error:
            bad = self.bad(str(error))
            return {"dispensed_volume": bad, "withdrawn_volume": bad, "motion": bad, "alarm": bad}
        at, good = asyncio.get_running_loop().time(), Quality.GOOD
        return {
            "dispensed_volume": Reading(totals.delivered_ml, at, good),
            "withdrawn_volume": Reading(totals.drawn_ml, at, good),
            "motion": Reading(self._motion(reply).value, at, good),
            "alarm": Reading(self.talk.alarm_text, at, good),
        }

    async def read(self, name: str) -> Reading:
        reading = (await self.poll())[name]
        if reading.quality is Quality.BAD:
            raise BadFrame(reading.why)
        return reading

    async def write(self, name: str, value: Value) -> Reading:
        raise Refused("read only", f"{name} of a pump cannot be set; fluid is moved by start and stop")

    def _totals(self, reply: Reply) -> Totals:
        """Two counters at zero have lost the power, and then what was counted before them proves nothing (DS-06)."""
        found = replies.totals(reply.data)
        if not found.drawn_ml and not found.delivered_ml:
            self._cleared_ml = dict.fromkeys(Direction, 0.0)
        return Totals(
            found.drawn_ml + self._cleared_ml[Direction.DRAW],
            found.delivered_ml + self._cleared_ml[Direction.DELIVER],
            found.resolution_ml,
        )

    def _motion(self, reply: Reply) -> Motion:
        """After an alarm pump and program have stopped (M); ALARM until somebody has taken note of it."""
        motion = replies.MOTIONS[reply.prompt]
        return Motion.ALARM if self.talk.alarm_text and motion is Motion.STOPPED else motion

    # -- moving

    async def start(
        self, direction: Direction, volume_ml: float, rate_ml_min: float, *, unless: Callable[[], bool] = never
    ) -> None:
        """Write one bounded stroke into phase 1 and STP into phase 2, read all of it back, and send one RUN.

        Volume and rate are cut to the pump's four digits; `programmed` tells what it took. Raises OutOfRange or Refused
        when nothing moved for sure; NoAnswer, BadFrame or LinkLost when RUN was sent and its outcome is unknown.
        """
        self._check(volume_ml, rate_ml_min)
        stops = self._stops
        try:
            await self._program(direction, volume_ml, rate_ml_min)
        except Refused:
            raise
        except WireError as error:
            raise Refused("not started", f"pump {self.address}: RUN was not sent: {error}") from error
        if self.talk.alarm_text:
            raise Refused("alarm", f"pump {self.address}: {self.talk.alarm_text}; prepare it before the next stroke")
        if stops != self._stops or unless():
            raise Refused("stopped", f"pump {self.address}: a stop came while the stroke was being written")
        await self._run(direction)

    async def stop(self) -> None:
        """Send STP until the prompt is S: the first is only a pause. Raises NoAnswer when S never comes.

        While its mode is unknown STP goes out before the mode is asked for: the pump may hear without being heard."""
        self._stops += 1
        if self.talk.safe is None:
            await self.talk.blindly("STP")
        said = ""
        for _ in range(STOPS):
            reply = await self.talk.exchange("STP", replies.NOTHING, retries=2)
            if reply.prompt == "S" and reply.error in ("", "?NA"):
                return
            said = reply.prompt + reply.error
            if reply.alarm:
                await self.talk.latch(reply.alarm)
        raise NoAnswer(f"pump {self.address}: not stopped after {STOPS} STP, it says {said or self.talk.alarm_text!r}")

    def _check(self, volume_ml: float, rate_ml_min: float) -> None:
        """Raise OutOfRange before anything is written."""
        if not 0 < volume_ml <= self.capacity_ml:
            raise OutOfRange("stroke", volume_ml, "mL", 0.0, self.capacity_ml, "option capacity_ml")
        area = math.pi * (self.diameter_mm / 20) ** 2
        slowest, fastest = SLOWEST_CM_MIN * area, FASTEST_CM_MIN * area
        if not slowest <= rate_ml_min <= fastest:
            source = f"the NE-1000 with a {self.diameter_mm:g} mm syringe"
            raise OutOfRange("rate", rate_ml_min, "mL/min", slowest, fastest, source)

    async def _program(self, direction: Direction, volume_ml: float, rate_ml_min: float) -> None:
        """Everything before RUN; the memory wears, so only what differs is written."""
        prompt = (await self.talk.ask("", replies.NOTHING)).prompt
        if prompt != "S" or not self.talk.safe:
            why = "Safe mode is off, prepare it first" if prompt == "S" else "a stroke is not over, stop it first"
            raise Refused(prompt, f"pump {self.address}: {why}")
        await self._ensure("PHN", "1", replies.NUMBER)
        await self._ensure("FUN", "RAT", replies.FUNCTION)
        _, unit = numbers.shown((await self.talk.value("VOL", replies.VALUE)).data)
        try:
            rate, volume = numbers.rate(rate_ml_min), numbers.volume(volume_ml, unit)
        except (ValueError, KeyError) as error:
            raise Refused("digits", f"pump {self.address}: {error}") from error
        await self._make_room(direction, volume.worth)
        await self._ensure("RAT", rate.text + rate.unit, replies.VALUE)
        await self._ensure("VOL", volume.text, replies.VALUE, unit)
        await self._ensure("DIR", PLUNGER[direction][0], replies.WORD)
        await self._ensure("PHN", "2", replies.NUMBER)
        await self._ensure("FUN", "STP", replies.FUNCTION)
        await self._ensure("PHN", "1", replies.NUMBER)
        self.programmed = direction, volume.worth, rate.worth

    async def _make_room(self, direction: Direction, volume_ml: float) -> None:
        """Set the counter of `direction` back when this stroke would take it past its four digits.

        What it does there is not in the sheet (?), and a syringe of up to 14.00 mm counts in uL: 9.999 mL are all.
        """
        reply = await self.talk.counters()
        counted_ml = replies.totals(reply.data).of(direction)
        if counted_ml + volume_ml < replies.full_ml(reply.data):
            return
        await self.talk.value(f"CLD{PLUNGER[direction][0]}", replies.NOTHING)
        if left := replies.totals((await self.talk.counters()).data).of(direction):
            raise Refused("read-back", f"pump {self.address}: its counter is at {left:g} mL after it was set back")
        self._cleared_ml[direction] += counted_ml

    async def _ensure(self, word: str, value: str, expected: replies.Pattern, unit: str = "") -> None:
        """Make setting `word` be `value` (+ `unit`, which VOL shows but does not take), seen by read-back."""
        wanted = numbers.shown(value + unit)
        if numbers.shown((await self.talk.value(word, expected)).data) == wanted:
            return
        await self.talk.value(word + value, replies.NOTHING)
        found = (await self.talk.value(word, expected)).data
        if numbers.shown(found) != wanted:
            raise Refused("read-back", f"pump {self.address}: {word} is {found!r} after {value} was written")

    async def _set_diameter(self, wanted: str) -> None:
        """Setting DIA clears the counters (M): only when it differs, and only at rest."""
        value = numbers.shown(wanted)
        found = (await self.talk.value("DIA", replies.NUMBER)).data
        if numbers.shown(found) == value:
            return
        if (prompt := (await self.talk.ask("", replies.NOTHING)).prompt) != "S":
            raise Refused(
                prompt, f"pump {self.address}: its diameter is {found} mm instead of {wanted}, and it is not stopped"
            )
        await self._ensure("DIA", wanted, replies.NUMBER)

    async def _run(self, direction: Direction) -> None:
        """Send RUN once. An alarm said as the reply means it was not executed (M), said unasked it means nothing:
        only the reply acknowledges, so the next status tells which it was."""
        reply = await self.talk.once("RUN")
        if reply.alarm:
            await self.talk.latch(reply.alarm)
            after = await self.talk.exchange("", replies.NOTHING)
            if after.prompt == "S" and not after.error:
                raise Refused(f"A?{reply.alarm}", f"pump {self.address}: RUN was not executed: {self.talk.alarm_text}")
        elif reply.error and reply.prompt == "S":
            raise Refused(reply.error, f"pump {self.address}: RUN: {replies.ERRORS[reply.error]}")
        elif not reply.error and reply.prompt == PLUNGER[direction][1]:
            return
        raise BadFrame(f"pump {self.address}: RUN was answered {reply}: what it does is unknown")
