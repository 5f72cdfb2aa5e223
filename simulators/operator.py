"""Seats the simulated person at a bench: sees open tasks, acts when it is time, answers through a person's door."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from simulators.people import Answer

LOOK_S = 300.0
"""How often the person looks at the list when nothing tells them that it changed."""

Tasks = Callable[[], Sequence[Mapping[str, Any]]]
Give = Callable[[Mapping[str, Any], dict[str, float | str | bool], str], Awaitable[None]]


class Worker(Protocol):
    """A person, in this process or in the world's."""

    def see(self, tasks: Sequence[Mapping[str, Any]], now: float) -> list[Answer]: ...
    def next_time(self, now: float) -> float | None: ...


class Operator:
    """One person at work, on the running loop's time."""

    def __init__(self, person: Worker, tasks: Tasks, give: Give) -> None:
        """`tasks` reads the open tasks; `give(task, entries, by)` hands in an answer."""
        self.person, self._tasks, self._give = person, tasks, give
        self.changed = asyncio.Event()
        """Set it when the list of tasks may have changed."""

    async def work(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self.changed.clear()
            now = loop.time()
            tasks = self._tasks()
            for answer in self.person.see(tasks, now):
                task = next(each for each in tasks if each["path"] == answer.path)
                await self._give(task, answer.entries, answer.by)
            again = self.person.next_time(loop.time())
            await self._rest(min(LOOK_S, again - loop.time() if again is not None else LOOK_S))

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(1.0, seconds)):
                await self.changed.wait()
        except TimeoutError:
            pass
