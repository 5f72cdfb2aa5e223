"""Sees that exactly the wanted effects are under way: begins what is missing, ends what is no longer wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Protocol

from controller.actors import RULE, Actor
from controller.errors import Broken, NotOwner
from controller.run.doors import Doors
from controller.run.transfers import Site
from drivers.core import units
from drivers.core.errors import OsteonError, OutOfRange, Refused, WireError
from drivers.core.signals import Quality
from protocols.effects import ApplyPoints, Effect, Look, QuietMovers, Recheck, Transfer, Watch
from protocols.events import Command, ConditionMet, Event, Looked, PointsSet, TransferEnded
from protocols.plan import SetPoint
from protocols.quantities import ROLES
from protocols.run import Run
from protocols.settling import PROTOCOL_VALUES
from protocols.states import Cause, RunState

RETRY_S = 5.0
"""Wait before a set point is tried again on a device that does not answer."""
GOOD_WITHIN_S = 60.0
"""How long a decision waits for a good value before a person is asked."""
READY_WITHIN_S = 90.0
"""How long a restart waits for devices before it holds (below the limit of RESTARTING, SM-02)."""


class Tell(Protocol):
    def __call__(self, event: Event, by: Actor = RULE) -> None: ...


@dataclass(frozen=True, slots=True)
class Moving:
    """One transfer under way, and what ends it early."""

    halt: asyncio.Event
    task: asyncio.Task[None]


class Carrier:
    """The tasks behind one run's wanted effects, by the effect itself: equal effects are the same work."""

    def __init__(self, run_id: str, site: Site, doors: Doors, tell: Tell) -> None:
        self.run_id, self.site, self.doors, self.tell = run_id, site, doors, tell
        self._group: asyncio.TaskGroup | None = None
        self._tasks: dict[Effect, asyncio.Task[None]] = {}
        self._moving: dict[Transfer, Moving] = {}
        self._wanted: set[Transfer] = set()
        self._state: tuple[str, float] = ("", 0.0)
        self._why = ""

    def begin(self, group: asyncio.TaskGroup) -> None:
        self._group = group

    def halt(self) -> None:
        """End every stroke under way now: the first thing a hold does, before anything is recorded (DX-06)."""
        for moving in self._moving.values():
            moving.halt.set()

    def reapply(self) -> None:
        """Look at all wanted set points once more (a device came back); equal ones are not written."""
        for effect, task in list(self._tasks.items()):
            if isinstance(effect, ApplyPoints) and task.done():
                self._tasks[effect] = self._start(self._work(effect), effect)

    async def rest(self) -> None:
        """End everything: strokes through their fence, the rest at once."""
        self._wanted = set()
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        self.halt()
        while self._moving:
            await asyncio.wait([moving.task for moving in self._moving.values()])

    def want(self, effects: tuple[Effect, ...], run: Run) -> None:
        """Make what is under way equal to `effects`."""
        wanted = [
            effect for effect in effects if isinstance(effect, ApplyPoints | Watch | Look | QuietMovers | Recheck)
        ]
        again = (run.state.value, run.since) != self._state
        self._state = (run.state.value, run.since)
        self._why = run.why
        for effect, task in list(self._tasks.items()):
            of_state = isinstance(effect, QuietMovers | Recheck)
            if effect not in wanted or (of_state and again):
                task.cancel()
                del self._tasks[effect]
                if isinstance(effect, Watch):
                    self.doors.watches.drop(self._watch_key(effect))
        for effect in wanted:
            if effect not in self._tasks:
                self._tasks[effect] = self._start(self._work(effect), effect)
        self._wanted = {effect for effect in effects if isinstance(effect, Transfer)}
        for effect, moving in self._moving.items():
            if effect not in self._wanted:
                moving.halt.set()
        for effect in effects:
            if isinstance(effect, Transfer) and effect not in self._moving:
                self._move(effect)
        if again and run.state is RunState.RESTARTING:
            self.reapply()  # a person who stopped the loops lets them turn again

    def _move(self, effect: Transfer) -> None:
        halt = asyncio.Event()
        self._moving[effect] = Moving(halt, self._start(self._transfer(effect, halt), effect))

    def _start(self, work: Coroutine[None, None, None], effect: Effect) -> asyncio.Task[None]:
        if self._group is None:
            raise RuntimeError("begin(group) comes first")
        return self._group.create_task(work, name=f"{self.run_id} {type(effect).__name__}")

    def _work(self, effect: ApplyPoints | Watch | Look | QuietMovers | Recheck) -> Coroutine[None, None, None]:
        match effect:
            case ApplyPoints():
                return self._apply(effect)
            case Watch():
                return self._watch(effect)
            case Look():
                return self._look(effect)
            case QuietMovers():
                return self._quiet(effect)
            case Recheck():
                return self._recheck()

    async def _apply(self, effect: ApplyPoints) -> None:
        """Bring every point to its value; a silent device is tried until it answers, a refusal is told."""
        for point in effect.points:
            output = self.site.unit.roles.get(f"{point.role} set", "")
            try:
                await self._set(output, point)
            except (OutOfRange, Refused, NotOwner, ValueError) as error:
                if effect.path:
                    self.tell(PointsSet(self.now(), effect.path, str(error), effect.part))
                    return
                text = f"{output or point.role} stays as it is: {error}"
                advice = "Look at the device, then decide."
                await self.doors.alarms.raise_(f"{output}:refused", "high", text, advice, self.run_id)
            except Broken as error:
                text = f"{output} stays as it is: {error}"
                await self.doors.alarms.raise_(f"{output}:broken", "critical", text, "Report this; look at the device.")
                return
            else:
                await self.doors.alarms.clear(f"{output}:refused")
        if effect.path:
            self.tell(PointsSet(self.now(), effect.path, part=effect.part))

    async def _set(self, output: str, point: SetPoint) -> None:
        if not output:
            raise Refused("no output", f"this bench has no output for {point.role!r}")
        while not self._stopped(output):
            try:
                await self.doors.outputs.set(
                    output, point.value, point.unit, by=RULE, owner=self.run_id, run_id=self.run_id
                )
                return
            except (OutOfRange, Refused):
                raise
            except WireError:
                await asyncio.sleep(RETRY_S)

    def _stopped(self, output: str) -> bool:
        """Whether a person stopped this loop, and no run goes on since: then nothing turns it by itself."""
        return output in self.doors.outputs.stopped_by_hand and self._state[0] not in PROTOCOL_VALUES

    async def _watch(self, effect: Watch) -> None:
        """Stand until the conditions were met; the watch itself is called at each poll."""
        met = asyncio.Event()
        roles = {role: (output, self._unit_of(output)) for role, output in self.site.unit.roles.items()}
        self.doors.watches.begin(self._watch_key(effect), effect.conditions, effect.for_s, roles, met.set)
        await met.wait()
        self.tell(ConditionMet(self.now(), effect.path))

    async def _look(self, effect: Look) -> None:
        """Tell the values a decision needs; one that is not good is waited for a while, and is then not known."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + GOOD_WITHIN_S
        values = {role: self._good(role) for role in effect.roles}
        while None in values.values() and loop.time() < deadline:
            await asyncio.sleep(RETRY_S)
            values = {role: self._good(role) for role in effect.roles}
        self.tell(Looked(self.now(), effect.path, values))

    def _good(self, role: str) -> float | None:
        """The latest value of a role in the unit of the language, if it is good."""
        output = self.site.unit.roles.get(role, "")
        reading = self.doors.latest.get(output) if output else None
        if reading is None or reading.quality is not Quality.GOOD or isinstance(reading.value, bool | str | None):
            return None
        return units.convert(reading.value, self._unit_of(output), ROLES[role])

    async def _transfer(self, effect: Transfer, halt: asyncio.Event) -> None:
        """Carry one transfer to its end, or through its fence when no longer wanted; never cancelled on the way."""
        result = await self.doors.transfers.perform(self.site, effect, halt)
        del self._moving[effect]
        if result is not None and not (halt.is_set() and result.outcome == "refused"):
            ended = (result.outcome, result.counter_ml, result.witness_ml, result.why)
            self.tell(TransferEnded(self.now(), effect.path, effect.part, *ended))
        elif effect in self._wanted:
            self._move(effect)

    async def _quiet(self, effect: QuietMovers) -> None:
        """Stop first, then wait until every stroke is fenced and measured, then say done."""
        if not effect.wait_for_transfer:
            self.halt()
        while self._moving:
            await asyncio.wait([moving.task for moving in self._moving.values()])
        for name, mover in self.doors.bench.movers(self.site.unit).items():
            if self.doors.transfers.holders.other(name, self.run_id):
                continue  # another unit's stroke: its own run sees to it
            while True:
                try:
                    await self.doors.transfers.doses.fence(mover)
                    break
                except WireError:
                    await asyncio.sleep(RETRY_S)
        self.tell(Command(self.now(), Cause.DONE, RULE.name, self._why))

    async def _recheck(self) -> None:
        """Devices there, set points read back, open strokes measured, nothing unknown: go on; else hold and say why."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_WITHIN_S
        if setting := [task for effect, task in self._tasks.items() if isinstance(effect, ApplyPoints)]:
            await asyncio.wait(setting, timeout=READY_WITHIN_S)  # environment first, then fluids (DX-30)
        while (why := await self._not_ready()) and loop.time() < deadline:  # noqa: ASYNC110  devices come back by themselves
            await asyncio.sleep(RETRY_S)
        if why:
            self.tell(Command(self.now(), Cause.HOLD, RULE.name, why))
        else:
            self.tell(Command(self.now(), Cause.DONE, RULE.name, "devices and doses checked"))

    async def _not_ready(self) -> str:
        """Why this run may not go on yet; "" when it may."""
        if why := self.doors.confirmations.why:
            return why
        unit = self.site.unit
        for name in unit.devices:
            keeper = self.doors.bench.keepers[name]
            if not keeper.ready:
                return f"{name} is {keeper.condition.value}: {keeper.why}"
        for effect, setting in self._tasks.items():
            if isinstance(effect, ApplyPoints) and not setting.done():
                return f"not confirmed yet: {', '.join(point.role for point in effect.points)}"
        try:
            for intent in self.doors.transfers.open_intents(self.run_id):
                await self.doors.transfers.reconcile(unit, intent)
        except OsteonError as error:
            return str(error)
        return ""

    def _unit_of(self, output: str) -> str:
        device, _, signal = output.partition(".")
        return self.doors.bench.device(device).specs()[signal].unit

    def _watch_key(self, effect: Watch) -> str:
        return f"{self.run_id}:{effect.path}"

    def now(self) -> float:
        return self.doors.clock.now()
