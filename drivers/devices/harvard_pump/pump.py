"""Harvard Apparatus syringe pumps, sheet harvard-11-elite-phd.md: pump chain commands, text without a check sum, 8N1.

A dose is a target volume the pump itself ends at. Whether the target counts from the last clearing or from each start
is not documented: the direction's counter is cleared before a dose, which is right in both cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.fluid import Direction, FluidMover, Motion, MoverStatus, Totals, never
from drivers.core.line import Line
from drivers.core.signals import Identity, Reading, Value
from drivers.devices.harvard_pump import numbers, replies
from drivers.devices.harvard_pump.account import Account, Counters
from drivers.devices.harvard_pump.conversation import Conversation

STOPS = 4
EACH_RUN = "each run"
RUNS = {Direction.DELIVER: ("irun", ">"), Direction.DRAW: ("wrun", "<")}
"""What starts it, and the prompt while it runs."""
RATES = {Direction.DELIVER: "infuse_rate", Direction.DRAW: "withdraw_rate"}
CLEARS = {Direction.DELIVER: "civolume", Direction.DRAW: "cwvolume"}
SELDOM_S = 60.0


class HarvardPump(FluidMover):
    """What all of them do. Options: `diameter_mm` (written only when it differs), `capacity_ml` = largest stroke (none
    may be started without it), `target_counts` = "each run" for a pump on which somebody has tried that a second start
    gives a second dose: then its counters are never cleared, and run on over a restart of ours."""

    maker = "Harvard Apparatus"
    kind = "pump"
    default_url = "serial:///dev/ttyUSB0?baud=115200&parity=N&stopbits=1"
    on_link_loss = LinkLoss.FINISHES_BOUNDED_MOVE
    safe_state = "plunger at rest, prompt : or T* (target reached)"
    timeout_s = 0.5
    bounded = True
    continuity = (
        "by the pump's counters ivolume and wvolume, which only clear commands reset (M, F, C); over power-off: not "
        "known, treated as lost. They are cleared before each dose and added up here, so after a restart of ours the "
        "volume begins at zero, which proves nothing. With target_counts = 'each run' they are never cleared, and a "
        "total not below a baseline above zero is proof"
    )
    fence_quiet_s = 2.0
    fence_why = "a command takes 5 ms at 115200 baud; 2 s leave room for a USB adapter and a serial server"
    option_names = ("diameter_mm", "capacity_ml", "target_counts")
    seldom: ClassVar[Mapping[str, float]] = dict.fromkeys(
        ("slowest_rate", "fastest_rate", "diameter", "syringe_volume", "force"), SELDOM_S
    )
    evidence = "MFCX"
    version_words: ClassVar[str]
    """What `ver` must contain."""
    type_name: ClassVar[str]
    keeps_memory: ClassVar[bool] = False
    """It knows `nvram` (U): settings by cable need not wear its memory."""

    infused_volume = Signal()
    withdrawn_volume = Signal()
    motion = Signal()
    alarm = Signal()
    rate = Signal()
    limit_switch = Signal()
    trigger = Signal()
    target_volume = Signal()
    infuse_rate = Signal()
    withdraw_rate = Signal()
    slowest_rate = Signal()
    fastest_rate = Signal()
    diameter = Signal()
    syringe_volume = Signal()
    force = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for options that no pump can have."""
        super().__init__(line, address, options)
        if not 0 <= address <= 99:
            raise ValueError(f"pump address {address} is outside 0 to 99")
        self.capacity_ml = float(self.options.get("capacity_ml", 0.0))
        self.diameter_mm = float(self.options.get("diameter_mm", 0.0))
        low, high = self.specs()["diameter"].low or 0.0, self.specs()["diameter"].high or 0.0
        if self.diameter_mm and not low <= self.diameter_mm <= high:
            raise ValueError(f"diameter_mm {self.diameter_mm:g} is outside {low:g} to {high:g}")
        counts = str(self.options.get("target_counts", ""))
        if counts not in ("", EACH_RUN):
            raise ValueError(f"target_counts is {EACH_RUN!r} or left out, not {counts!r}")
        self.programmed: tuple[Direction, float, float] | None = None
        """Direction, mL and mL/min of the last stroke as the pump read it back."""
        self.talk = Conversation(line, address, self.timeout_s)
        self._account = Account(raw=counts == EACH_RUN)
        self._stops = 0

    # -- who and how it is

    @property
    def alarms_met(self) -> int:
        return self.talk.alarms_met

    @property
    def replies_missed(self) -> int:
        return self.talk.replies_missed

    async def identify(self) -> Identity:
        """`ver`; there is no serial number in it. Raises WrongDevice."""
        try:
            said, _ = await self.talk.ask("ver")
        except Refused as error:
            raise WrongDevice(f"{self.line.name}: what answers does not know ver: {error}") from error
        kind, _, firmware = said.rpartition(" ")
        if self.version_words not in said.upper() or not firmware[:1].isdigit():
            raise WrongDevice(f"{self.line.name} address {self.address}: {said!r} instead of a {self.type_name}")
        return Identity(self.maker, kind, "", firmware)

    async def prepare(self) -> None:
        """Our syringe's diameter, at rest only; forgets the latched alarm. Raises Refused when it does not fit."""
        if self.keeps_memory:
            await self._spare_the_memory()
        if self.diameter_mm and not numbers.close(await self._number("diameter"), self.diameter_mm):
            await self._rest()
            await self._set("diameter", f"{self.diameter_mm:.4f}", self.diameter_mm)
        self.talk.alarm_text = ""

    async def status(self) -> MoverStatus:
        """The prompt; ALARM until `prepare` has taken note of a stall, whose text stays until it is acknowledged at
        the pump. Raises WireError."""
        prompt = await self.talk.prompt()
        return MoverStatus(self._motion(prompt), self._alarm(prompt))

    async def totals(self) -> Totals:
        """ivolume and wvolume, added up over our clearings; counters that went back are an alarm."""
        counters = await self._counters()
        step = max(counters[way].step_ml for way in Direction)
        return Totals(self._account.total(Direction.DRAW), self._account.total(Direction.DELIVER), step)

    async def poll(self) -> dict[str, Reading]:
        """One question for the status, one for each other signal, the seldom ones once a minute."""
        due = self.turns.due(self.specs())
        try:
            readings = await self.talk.certain(lambda: self._poll(due))
        except WireError as error:
            return dict.fromkeys(due, self.bad(str(error)))
        self.turns.took(readings)
        return readings

    async def read(self, name: str) -> Reading:
        return await self.talk.certain(lambda: self._read(name))

    async def write(self, name: str, value: Value) -> Reading:
        """Set a rate, the syringe or the force at rest; read back."""
        row = self.table[name]
        if not row.spec.writable:
            raise Refused("read only", f"{name} of a pump cannot be set; fluid is moved by start and stop")
        if not isinstance(value, (int, float)) or value != value:
            raise Refused("value", f"{name}: {value!r} is not a number")
        self.check_limits(name, value)
        await self._rest()
        if row.type == "rate":
            await self._check_rate(value)
        text, worth = self._written(name, value)
        return self.good(await self._set(name, text, worth))

    # -- moving

    async def start(
        self, direction: Direction, volume_ml: float, rate_ml_min: float, *, unless: Callable[[], bool] = never
    ) -> None:
        """Clear the direction's counter, set rate and target volume, read all of it back, and send one irun or wrun.

        Both are cut to four digits; `programmed` tells. Raises OutOfRange or Refused when nothing moved for sure; any
        other WireError = unknown.
        """
        if not 0 < volume_ml <= self.capacity_ml:
            raise OutOfRange("stroke", volume_ml, "mL", 0.0, self.capacity_ml, "option capacity_ml")
        if not rate_ml_min > 0:
            raise OutOfRange("rate", rate_ml_min, "mL/min", 0.0, None, self.model)
        stops = self._stops
        try:
            await self._program(direction, volume_ml, rate_ml_min)
        except (Refused, OutOfRange):
            raise
        except WireError as error:
            raise Refused("not started", f"pump {self.address}: it was not started: {error}") from error
        if self.talk.alarm_text:
            raise Refused("alarm", f"pump {self.address}: {self.talk.alarm_text}; prepare it before the next stroke")
        if stops != self._stops or unless():
            raise Refused("stopped", f"pump {self.address}: a stop came while the stroke was being written")
        await self._run(direction)

    async def stop(self) -> None:
        """Send stp until the prompt says rest; may be repeated. Raises NoAnswer when it never does."""
        self._stops += 1
        said = "nothing"
        for left in range(STOPS, 0, -1):
            try:
                said = await self.talk.tell("stp")
                if not self._moves(said) and not self._moves(said := await self.talk.prompt()):
                    return
            except (NoAnswer, BadFrame):
                if left == 1:
                    raise
            except Refused:  # some firmware may call a stop at rest an error
                if not self._moves(said := await self.talk.prompt()):
                    return
        raise NoAnswer(f"pump {self.address}: not stopped after {STOPS} stp, its prompt is {said}")

    # -- steps of a stroke

    async def _program(self, direction: Direction, volume_ml: float, rate_ml_min: float) -> None:
        """Everything before the start."""
        await self._rest()
        await self._counters()
        await self._check_rate(rate_ml_min)
        if not self._account.raw:
            await self._clear(direction)
        rate = await self._set(RATES[direction], *self._written(RATES[direction], rate_ml_min))
        try:
            digits, unit, worth = numbers.written(volume_ml)
        except ValueError as error:
            raise Refused("digits", f"pump {self.address}: {error}") from error
        target = await self._set("target_volume", f"{digits} {unit}l", worth)
        await self._rest()
        self.programmed = direction, target, rate

    async def _clear(self, direction: Direction) -> None:
        """Put the direction's counter to zero, seen by read-back, and keep what stood there."""
        assert self._account.seen is not None
        if self._account.seen[direction].ml == 0:
            return
        await self.talk.tell(CLEARS[direction])
        name = "infused_volume" if direction is Direction.DELIVER else "withdrawn_volume"
        found = await self.talk.certain(lambda: self._number(name))
        if found:
            raise Refused("read-back", f"pump {self.address}: {found:g} mL stand in {name} after it was cleared")
        self._account.cleared(direction)

    async def _run(self, direction: Direction) -> None:
        """Send the one start. Its prompt must show the direction, or a target reached already."""
        command, wanted = RUNS[direction]
        prompt = await self.talk.tell(command)
        if prompt == ":":  # written before it began to turn, perhaps
            prompt = await self.talk.prompt()
        if prompt not in (wanted, replies.TARGET):
            raise BadFrame(f"pump {self.address}: {command} was answered {prompt!r}: what it does is unknown")

    async def _check_rate(self, ml_min: float) -> None:
        """Within what the pump itself says for this syringe; raises OutOfRange."""
        low, high = await self._limits()
        if not low * 0.9999 <= ml_min <= high * 1.0001:
            raise OutOfRange("rate", ml_min, "mL/min", low, high, "the pump with this syringe (irate lim)")

    async def _set(self, name: str, text: str, worth: float) -> float:
        """Make a setting be `worth`, written once when it differs, seen by read-back."""
        if numbers.close(await self._number(name), worth):
            return worth
        command = self.table[name].command
        await self.talk.tell(f"{command} {text}")
        found = await self.talk.certain(lambda: self._number(name))
        if not numbers.close(found, worth):
            raise Refused("read-back", f"pump {self.address}: {name} is {found:g} after {text} was written")
        return found

    def _written(self, name: str, value: float) -> tuple[str, float]:
        """Text and worth of a set point, cut to what the pump can show; raises Refused."""
        kind = self.table[name].type
        if kind == "length":
            return f"{value:.4f}", round(value, 4)
        if kind == "percent":
            return f"{round(value)}", float(round(value))
        try:
            digits, unit, worth = numbers.written(value)
        except ValueError as error:
            raise Refused("digits", f"pump {self.address}: {name}: {error}") from error
        return f"{digits} {unit}l{'/min' if kind == 'rate' else ''}", worth

    async def _rest(self) -> None:
        """At rest without a stall; raises Refused."""
        prompt = await self.talk.prompt()
        if self._moves(prompt):
            raise Refused(prompt, f"pump {self.address}: a stroke is not over, stop it first")
        if prompt == replies.STALLED:
            raise Refused(prompt, f"pump {self.address}: {replies.STALL}")

    async def _spare_the_memory(self) -> None:
        """`nvram none` (U): recommended for computers; a firmware that does not know it is left as it is."""
        try:
            if "none" not in (await self.talk.ask("nvram"))[0].lower():
                await self.talk.tell("nvram none")
        except Refused:
            return

    # -- numbers

    async def _counters(self) -> Counters:
        counters = await self.talk.certain(self._both)
        if why := self._account.see(counters):
            self.talk.alarm(why)
        return counters

    async def _both(self) -> Counters:
        return {
            Direction.DELIVER: await self._volume("infused_volume"),
            Direction.DRAW: await self._volume("withdrawn_volume"),
        }

    async def _volume(self, name: str) -> numbers.Volume:
        said, _ = await self.talk.ask(self.table[name].command)
        if (found := numbers.volume(said)) is None:
            raise BadFrame(f"pump {self.address}: {said!r} is no volume")
        return found

    async def _limits(self) -> tuple[float, float]:
        said, _ = await self.talk.ask("irate lim")
        if (found := numbers.limits(said)) is None:
            raise BadFrame(f"pump {self.address}: {said!r} are no limits of a rate")
        return found

    async def _number(self, name: str) -> float:
        row = self.table[name]
        if row.type in ("low", "high"):
            return (await self._limits())[row.type == "high"]
        said, _ = await self.talk.ask(row.command)
        found: float | None = None
        match row.type:
            case "volume":
                shown = numbers.volume(said)
                found = None if shown is None else shown.ml
            case "target":
                shown = numbers.volume(said)
                found = 0.0 if said.lower() == replies.NOT_SET else None if shown is None else shown.ml
            case "rate":
                found = numbers.rate(said)
            case _:
                match = (numbers.LENGTH if row.type == "length" else numbers.PERCENT).fullmatch(said)
                found = None if match is None else float(match[1])
        if found is None:
            raise BadFrame(f"pump {self.address}: {said!r} is no answer to {row.command}")
        return found

    async def _status(self) -> tuple[replies.Status, str]:
        said, prompt = await self.talk.ask("status")
        if (found := replies.status(said)) is None:
            raise BadFrame(f"pump {self.address}: {said!r} is no status")
        return found, prompt

    async def _poll(self, due: list[str]) -> dict[str, Reading]:
        readings: dict[str, Reading] = {}
        silent = ""
        try:
            readings |= self._of_status(*await self._status())
        except WireError as error:
            silent = str(error) if isinstance(error, NoAnswer) else ""
            readings |= {name: self.bad(str(error)) for name in due if self.table[name].type == "status"}
        for name in due:
            if name in readings:
                continue
            try:
                readings[name] = self.bad(silent) if silent else self.good(await self._number(name))
            except WireError as error:
                silent = str(error) if isinstance(error, NoAnswer) else ""
                readings[name] = self.bad(str(error))
        return {name: readings[name] for name in due}

    async def _read(self, name: str) -> Reading:
        if self.table[name].type == "status":
            return self._of_status(*await self._status())[name]
        return self.good(await self._number(name))

    def _of_status(self, found: replies.Status, prompt: str) -> dict[str, Reading]:
        moving = self._moves(prompt)
        return {
            "motion": self.good(self._motion(prompt).value),
            "alarm": self.good(self._alarm(prompt)),
            "rate": self.good(found.ml_min if moving else 0.0),
            "limit_switch": self.good(found.limit),
            "trigger": self.good(found.trigger),
        }

    def _alarm(self, prompt: str) -> str:
        return self.talk.alarm_text or (replies.STALL if prompt == replies.STALLED else "")

    def _moves(self, prompt: str) -> bool:
        return replies.MOTIONS[prompt] is Motion.MOVING

    def _motion(self, prompt: str) -> Motion:
        motion = replies.MOTIONS[prompt]
        return Motion.ALARM if self.talk.alarm_text and motion is Motion.STOPPED else motion
