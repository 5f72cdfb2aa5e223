"""Two other kinds of time: virtual (jumps from timer to timer) and paced (virtual, held back to wall time x speed).

Both replace the event loop, not the code: `loop.time()` is the bench's UTC in seconds since 1970, and functions meant
for a thread run at once, in the loop, because threads make runs differ.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import Context
from heapq import heappop, heappush
from typing import Any, TypeVar

T = TypeVar("T")

RESOLUTION_S = 1e-6
"""Timers this close together fire together. Seconds since 1970 as floats are 2.4e-7 apart."""

CATCH_UP_S = 0.25
"""Wall seconds of lateness that paced time makes good; what is later than that is lost, and time has slowed."""

SPEED_WINDOW_S = 2.0
"""Wall seconds over which the speed reached is averaged, at least."""

Ready = list[tuple[selectors.SelectorKey, int]]


class _NoFiles(selectors.SelectSelector):
    """Watches no files but the loop's own pipe, and that one only in name."""

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if self.get_map():
            raise RuntimeError("virtual time cannot watch a file or socket (in a test: mark it real_time)")
        return super().register(fileobj, events, data)


class _InlineLoop(asyncio.SelectorEventLoop):
    """Runs what others give to threads at once, in the loop."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        super().__init__(selector)
        self._clock_resolution = RESOLUTION_S

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - an executor hands every error to whoever waits
            done.set_exception(error)
        return done


class VirtualLoop(_InlineLoop):
    """Virtual time: when nothing is ready, the clock jumps to the next timer; without a timer it is a deadlock.

    Its own round of the loop, because there is nothing to select from: a third of a rehearsal would go into asking.
    Timers due at the same moment fire in the order in which they were set; cancelled ones are thrown away when due.
    """

    _ready: deque[asyncio.Handle]
    _stopping: bool

    def __init__(self, start: float = 0.0) -> None:
        super().__init__(_NoFiles())
        self._now = start
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers_set = 0

    def time(self) -> float:
        return self._now

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers_set += 1
        heappush(self._timers, (when, self._timers_set, timer))
        return timer

    def close(self) -> None:
        super().close()
        self._timers.clear()

    def _run_once(self) -> None:
        ready, timers = self._ready, self._timers
        if not ready and not self._stopping:
            while timers and timers[0][2].cancelled():
                heappop(timers)
            if not timers:
                raise RuntimeError("deadlock: nothing is ready and no timer is set")
            self._now = max(self._now, timers[0][0])
        end = self._now + RESOLUTION_S
        while timers and timers[0][0] < end:
            ready.append(heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()


class _Pace(selectors.BaseSelector):
    """Waits on the real files, and lets the clock reach a timer only when wall time x speed has reached it."""

    def __init__(self, speed: float, start: float, wall: Callable[[], float]) -> None:
        self.now, self.speed, self._wall = start, speed, wall
        self._files = selectors.DefaultSelector()
        self._from_wall = wall()
        self._from_now = start
        self._held = False
        self._mark = self._last_mark = (self._from_wall, start)

    def select(self, timeout: float | None = None) -> Ready:
        if timeout is not None and timeout <= 0:
            return self._files.select(0)
        target = None if timeout is None else self.now + timeout
        wall = self._wall()
        allowed = self._allowed(wall)
        if allowed - self.now > CATCH_UP_S * self.speed:
            self._anchor(wall - CATCH_UP_S)
            allowed = self._allowed(wall)
        if wall - self._mark[0] > SPEED_WINDOW_S:
            self._last_mark, self._mark = self._mark, (wall, self.now)
        wait = None if target is None else (target - allowed) / self.speed
        ready = self._files.select(wait if wait is None or wait > 0 else 0)
        if ready and wait is not None and wait <= 0 and not self._held:
            self._held = True  # late already: what has arrived goes first, once, and time stands still for it
            return ready
        self._held = False
        reached = self._allowed(self._wall()) if ready else target
        if reached is not None:
            self.now = max(self.now, reached if target is None else min(reached, target))
        return ready

    def catch_up(self, now: float) -> None:
        ahead = now - self.now
        if ahead > 0:
            self.now = now
            self._anchor(self._wall())
            self._mark, self._last_mark = (
                (self._mark[0], self._mark[1] + ahead),
                (self._last_mark[0], self._last_mark[1] + ahead),
            )

    def set_speed(self, speed: float) -> None:
        self._anchor(self._wall())
        self.speed = speed

    def speed_reached(self) -> float:
        wall, now = self._wall(), self.now
        from_wall, from_now = self._last_mark
        return self.speed if wall - from_wall < 1e-3 else (now - from_now) / (wall - from_wall)

    def _allowed(self, wall: float) -> float:
        return self._from_now + (wall - self._from_wall) * self.speed

    def _anchor(self, wall: float) -> None:
        self._from_wall, self._from_now = wall, self.now

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._files.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._files.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._files.modify(fileobj, events, data)

    def close(self) -> None:
        self._files.close()

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._files.get_key(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._files.get_map()


class PacedLoop(_InlineLoop):
    """Bench time at `speed` x wall time that stands still while callbacks run and never runs ahead.

    Under load it slows instead of being late, so that nothing times out only because the computer was busy.
    """

    def __init__(self, speed: float, start: float) -> None:
        self._pace = _Pace(speed, start, self.wall)
        super().__init__(self._pace)

    def time(self) -> float:
        return self._pace.now

    def wall(self) -> float:
        """Wall seconds of the steady clock, from an unknown zero: for what is people time."""
        return super().time()

    @property
    def speed(self) -> float:
        """The speed asked for."""
        return self._pace.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._pace.set_speed(speed)

    @property
    def speed_reached(self) -> float:
        """Bench seconds for one wall second, over the last 2 to 4 s."""
        return self._pace.speed_reached()

    def catch_up(self, now: float) -> None:
        """Jump forward to `now`, because the world went on while this process did not; never goes back."""
        self._pace.catch_up(now)
