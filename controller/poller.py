"""Keeps one device connected, identified and polled to absolute deadlines; one silent device delays only itself."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from enum import StrEnum

from controller.latest import Latest
from drivers.core.device import NOBODY, Device
from drivers.core.errors import NoAnswer, OsteonError, WireError, WrongDevice
from drivers.core.fluid import FluidMover
from drivers.core.signals import Access, Identity, Quality, Reading

RETRY_S = (1.0, 2.0, 5.0, 10.0)
"""Waits between attempts to connect; the last one repeats."""
MISSED_AFTER = 0.5
"""A poll that cannot begin within this part of its period is dropped and counted as missed."""
LOST_AFTER = 3
"""Polls in a row without any answer after which the device is connected anew, with identity check (EQ-05)."""
ASSURED_WITHIN_S = 10.0
"""Longest wait for the next look at who answers."""


class Condition(StrEnum):
    CONNECTING = "connecting"
    READY = "ready"
    LOST = "lost"
    ALARMED = "in alarm"
    WRONG = "wrong device"


class Keeper:
    """The life of one device: connect, identify, quiet what moves fluid, prepare, poll, and again when it is lost."""

    def __init__(
        self,
        name: str,
        device: Device,
        latest: Latest,
        period_s: float,
        *,
        admit: Callable[[str, Identity], Awaitable[None]],
        told: Callable[[Keeper], Awaitable[None]],
    ) -> None:
        """`admit` records or refuses an identity (raises WrongDevice); `told` hears of each change of condition."""
        self.name, self.device, self.latest = name, device, latest
        self.condition = Condition.CONNECTING
        self.why: str = "not connected yet"
        self.identity: Identity | None = None
        self.since = 0.0
        self.polls = 0
        self.missed = 0
        """Deadlines without a poll, because the one before was not through: asked too often, or a cable too busy."""
        self.settled = asyncio.Event()
        """Set once the first attempt to connect has ended, well or badly; after `assured`, once the next look has."""
        self._admit, self._told = admit, told
        self._failures, self._alarms_known, self._last_why = 0, 0, ""
        self._nap: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._known_on: int | None = None
        """What `line.dialled` was when it was identified last."""
        device.vouched = NOBODY
        self.every(period_s)

    def every(self, period_s: float) -> None:
        """Poll so often from the next poll on; that is also what makes values stale."""
        self.period_s = period_s
        self.latest.expect(self.name, period_s, self.device.seldom)

    @property
    def ready(self) -> bool:
        return self.condition is Condition.READY

    async def run(self) -> None:
        """Live until cancelled."""
        self._task, attempt = asyncio.current_task(), 0
        while True:
            try:
                await self.connect()
                attempt = 0
                await self.poll_until_lost()
            except WrongDevice as error:
                await self.become(Condition.WRONG, str(error))
            except OsteonError as error:
                await self.become(Condition.LOST, str(error))
            except Exception as error:  # noqa: BLE001  a fault in one driver must not end the others
                await self.become(Condition.LOST, f"fault in the driver: {type(error).__name__}: {error}")
            self.latest.put(self.name, self.silence(self.why))
            if self.condition is Condition.LOST:
                await self._stop_unheard()
            self.device.vouched = NOBODY
            self.settled.set()
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
            attempt += 1

    async def connect(self) -> None:
        """Identify, stop fluid, prepare. The only write before `prepare` is "stop" to what moves fluid (DX-10)."""
        identity = await self.device.identify()
        dialled = self.device.line.dialled
        await self._admit(self.name, identity)
        self.identity, self.device.vouched, self._known_on = identity, dialled, dialled
        with self.device.as_identified():
            await self._stop_fluid()
            await self.device.prepare()
            self._alarms_known = self._alarms()  # one met from here on is not dealt with yet
            self.device.turns.forget()
            self.latest.put(self.name, await self.device.poll())
        self._failures = 0
        await self.become(Condition.READY, "")
        self.settled.set()

    async def _stop_unheard(self) -> None:
        """It may hear although it is not heard. At a cable that was out may be somebody else, who is asked first."""
        line, known = self.device.line, self._known_on
        with suppress(OsteonError), nullcontext() if known is None else line.as_dialled(known):
            await self._stop_fluid()

    def _same_cable(self) -> bool:
        """Whether the cable has been in since whoever is at its end was identified."""
        line = self.device.line
        return line.dialled == self.device.vouched and (line.link.is_open or line.dialled == 0)

    async def assured(self) -> None:
        """Return when it is known who answers. After a cable was out that is the next poll, which is made at once."""
        if self._same_cable() or not self.ready or asyncio.current_task() is self._task:
            return
        self.settled.clear()
        if self._nap is not None and not self._nap.done():
            self._nap.set_result(None)
        with suppress(TimeoutError):
            async with asyncio.timeout(ASSURED_WITHIN_S):
                await self.settled.wait()

    async def _sleep(self, delay_s: float) -> None:
        """Until then, or until somebody needs a look."""
        loop = asyncio.get_running_loop()
        nap = self._nap = loop.create_future()
        alarm = loop.call_later(delay_s, lambda: nap.done() or nap.set_result(None))
        try:
            await nap
        finally:
            alarm.cancel()

    async def _stop_fluid(self) -> None:
        """Stop what doses. A closed loop goes on at its last flow: a bed that stands still is anoxic in minutes."""
        if isinstance(self.device, FluidMover) and not self.device.keeps_turning:
            await self.device.stop()

    async def poll_until_lost(self) -> None:
        """Poll at absolute deadlines; a deadline missed by a slow line is dropped, not made up for."""
        loop = asyncio.get_running_loop()
        at = loop.time()
        while True:
            at += self.period_s
            late_s = loop.time() - at
            if late_s > MISSED_AFTER * self.period_s:
                dropped = math.ceil(late_s / self.period_s - MISSED_AFTER)
                self.missed += dropped
                at += dropped * self.period_s
                late_s = loop.time() - at
            if late_s < 0:
                await self._sleep(-late_s)
            readings = await self.poll() if self._same_cable() else {}
            if not self._same_cable():  # it was out: whoever answered, or answers now, is not known yet
                await self.connect()
                continue
            self.latest.put(self.name, readings)
            self.settled.set()
            if self._failures >= LOST_AFTER:
                raise NoAnswer(self._last_why)
            if self._alarms() != self._alarms_known:
                await self.after_alarm()

    async def poll(self) -> dict[str, Reading]:
        """One poll. A device that says nothing good at all counts as silent, however its driver tells it."""
        self.polls += 1
        try:
            readings = await self.device.poll()
        except WireError as error:
            readings = self.silence(str(error))
        if any(reading.quality is not Quality.BAD for reading in readings.values()):
            self._failures = 0
        else:
            self._failures += 1
            self._last_why = next((reading.why for reading in readings.values()), "no signal answered")
        return readings

    def _alarms(self) -> int:
        return self.device.alarms_met if isinstance(self.device, FluidMover) else 0

    async def after_alarm(self) -> None:
        """A pump restarted or stopped by itself: tell it, then bring it into its declared state again."""
        self._alarms_known = self._alarms()
        await self.become(Condition.ALARMED, "it reported an alarm of its own")
        await self.connect()

    def silence(self, why: str) -> dict[str, Reading]:
        """What a poll without an answer reads: every signal bad, and why."""
        bad = self.device.bad(why)
        return {name: bad for name, spec in self.device.specs().items() if spec.access is not Access.WRITE}

    async def become(self, condition: Condition, why: str) -> None:
        changed = condition is not self.condition or why != self.why
        if condition is not self.condition:
            self.since = asyncio.get_running_loop().time()
        self.condition, self.why = condition, why
        if changed:
            await self._told(self)
