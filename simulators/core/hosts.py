"""A host carries one simulator: it schedules what the simulator sends and wakes it when it asks. Here: in memory.

A host lives as long as its world. What is plugged into it, a link of ours or another program's port, comes and goes.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from drivers.core.errors import LinkLost
from simulators.core.simulator import Action, Bytes, Close, Closed, Opened, Simulator

ORDER_S = 1e-6
"""Bytes due at the same moment follow each other this closely: a cable never reorders."""


class End(Protocol):
    """The near end of the cable: our link, or another program's port."""

    def arrive(self, data: bytes) -> None: ...

    def hang_up(self) -> None:
        """The device closed the connection."""
        ...


class Host:
    """Schedules on the running loop what the simulator sends, and wakes it at `wake_at`."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: End | None = None
        self._plug = 0
        """Counts plugging in and out: what was on its way for an earlier one is dropped."""
        self._last_at = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: float | None = None

    def switch_on(self) -> None:
        """Take the running loop and arm the first wake-up; plugging in does the same."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._alarm, self._alarm_at = loop, None, None
        self._arm()

    def plug(self, end: End) -> None:
        """Connect `end` in place of whatever was connected, and tell the simulator."""
        self.switch_on()
        earlier = self._end
        self.unplug()
        if earlier is not None and earlier is not end:
            earlier.hang_up()
        self._end = end
        self._last_at = 0.0
        self.act(self.simulator.receive(Opened(), self.now))

    def unplug(self) -> None:
        """Disconnect; bytes on their way are dropped; the simulator is told and runs on."""
        if self._end is not None:
            self._end = None
            self._plug += 1
            self.act(self.simulator.receive(Closed(), self.now))

    def plugged(self, end: End) -> bool:
        return self._end is end

    def hear(self, data: bytes) -> None:
        """Bytes arrived from the near end."""
        self.act(self.simulator.receive(Bytes(data), self.now))

    def power_cycle(self) -> None:
        self.act(self.simulator.power_cycle(self.now))

    def switch_off(self) -> None:
        """Stop waking the simulator; for the end of a program."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._alarm_at = None

    @property
    def now(self) -> float:
        return self.loop.time()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("the host is not switched on yet")
        return self._loop

    def act(self, actions: list[Action]) -> None:
        """Put the simulator's bytes on the cable in their order, and look again at when it wants to be woken."""
        if self._loop is None or self._loop.is_closed():
            return  # nobody is plugged in; the next loop will ask for the wake-up
        if actions:
            loop = self._loop
            now = loop.time()
            for action in actions:
                at = now + action.delay_s
                if at <= self._last_at:
                    at = self._last_at + ORDER_S
                self._last_at = at
                if not isinstance(action, Close):
                    loop.call_at(at, self._arrive, self._plug, action.data)
                    continue
                loop.call_at(at, self._hang_up, self._plug)
                if action.gone_s:
                    loop.call_at(at, self.vanish, action.gone_s, action.moves)
        if self.simulator.wake_at != self._alarm_at:
            self._arm()

    def vanish(self, seconds: float, moves: bool) -> None:
        """The port is gone for so long. Here the simulator turns away whoever dials; a real port can do better."""

    def _arm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        at = self._alarm_at = self.simulator.wake_at
        self._alarm = None if at is None else self.loop.call_at(at, self._wake)

    def _wake(self) -> None:
        self._alarm = self._alarm_at = None
        self.act(self.simulator.wake(self.now))

    def _arrive(self, plug: int, data: bytes) -> None:
        if plug == self._plug and self._end is not None:
            self._end.arrive(data)

    def _hang_up(self, plug: int) -> None:
        if plug == self._plug and self._end is not None:
            end, self._end = self._end, None
            self._plug += 1
            end.hang_up()


class MemoryHost(Host):
    """A simulator in our own process; `link()` gives the cable's near end."""

    def __init__(self, simulator: Simulator, name: str = "", scheme: str = "memory") -> None:
        super().__init__(simulator)
        self.url = f"{scheme}:{name}"
        self.dies_silently = False
        """Whether a connection to it may be dead without a word, as TCP's may (fault half-open)."""
        self._link: MemoryLink | None = None

    def link(self) -> MemoryLink:
        """A fresh link; dialling it takes the cable from an earlier one."""
        self._link = MemoryLink(self)
        return self._link

    def sever(self) -> None:
        """The process at our end died: its link is dead for good, the simulator runs on."""
        if self._link is not None:
            self._link.die()
            self._link = None
        self.unplug()


class MemoryLink:
    """A drivers Link whose far end is a simulator in memory."""

    def __init__(self, host: MemoryHost) -> None:
        self.url = host.url
        self._host = host
        self._arrived = b""
        self._open = False
        self._dead = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def may_be_dead(self) -> bool:
        return self._host.dies_silently

    @property
    def is_open(self) -> bool:
        return self._open

    async def dial(self) -> None:
        if self._dead:
            raise LinkLost(f"{self.url}: the process of this link has died")
        self._arrived = b""
        self._host.plug(self)
        self._open = self._host.plugged(self)

    def write(self, data: bytes) -> None:
        if self._host.plugged(self):
            self._host.hear(data)
        elif not self._dead:
            raise LinkLost(f"{self.url}: the link is closed")

    async def read(self) -> bytes:
        if not self._arrived:
            if not self._open:
                raise LinkLost(f"{self.url}: the link is closed")
            waiter = self._waiter = asyncio.get_running_loop().create_future()
            try:
                await waiter
            finally:
                self._waiter = None
            if not self._arrived:
                raise LinkLost(f"{self.url}: the far side closed")
        data, self._arrived = self._arrived, b""
        return data

    def waiting(self) -> bytes:
        data, self._arrived = self._arrived, b""
        return data

    async def close(self) -> None:
        if self._host.plugged(self):
            self._host.unplug()
        self._arrived = b""
        self.hang_up()

    def arrive(self, data: bytes) -> None:
        self._arrived += data
        self._notify()

    def hang_up(self) -> None:
        self._open = False
        self._notify()

    def die(self) -> None:
        self._dead = True
        self._arrived = b""
        self.hang_up()

    def _notify(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
