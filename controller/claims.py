"""External actors: machines that do the hand steps which name them; their claims end, and then people are asked.

A machine (role "machine": a liquid handler, through the API) does only steps with its name under `may be done by`, and
only while it is on them. A person takes over at any time. A claim lasts twice the working time of the step; claiming
again renews it. After a restart it counts anew: longer by that, never for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from controller.actors import Actor
from controller.errors import RunConflict, Unusable
from controller.run.doors import Doors
from controller.store.rows import TaskRow
from protocols.tree import duration

MACHINE = "machine"
TIMES_ITS_WORK = 2.0
SHORTEST_S = 300.0


def names(task: TaskRow, name: str) -> bool:
    """Whether a task names this machine: `liquid handler` is the account `liquid-handler`."""
    return _slug(name) in {_slug(each) for each in task.hand.get("actors") or ()}


def _slug(name: str) -> str:
    return "-".join(name.casefold().split())


def entitled(task: TaskRow, by: Actor) -> None:
    """Raises Unusable when a machine asks for a task that is not for it; people may do every task."""
    if by.role != MACHINE:
        return
    if not names(task, by.name):
        meant = " or ".join(task.hand.get("actors") or ()) or "no machine"
        raise Unusable([f"this step may be done by {meant}, not by {by.name} ('may be done by' in the protocol)"])
    if task.hand.get("sign") in ("supervisor", "two persons"):
        raise Unusable([f"this step is signed by {task.hand['sign']}: a machine cannot sign for a person"])


def may_answer(task: TaskRow, by: Actor) -> None:
    """Raises, for a machine, Unusable (not its task) or RunConflict (it is not on it, or no longer)."""
    entitled(task, by)
    if by.role == MACHINE and task.claimed_by != by.name:
        whose = f"{task.claimed_by} is on this task" if task.claimed_by else "nobody is on this task"
        raise RunConflict(f"{whose}: a machine claims a task before it does it, and again when its claim has ended")


def lasts_s(task: TaskRow) -> float:
    """How long a machine's claim of this task lasts."""
    return max(SHORTEST_S, TIMES_ITS_WORK * float(task.hand.get("takes_s") or 0.0))


class Claims:
    """When each machine's claim ends; `give_back` is called with (run, path) then, and people are asked by an alarm."""

    def __init__(self, doors: Doors, give_back: Callable[[str, str], Awaitable[object]]) -> None:
        self.doors, self._give_back = doors, give_back
        self._ends: dict[tuple[str, str], float] = {}
        self._changed = asyncio.Event()
        for task in doors.ledger.tasks(open_only=True):
            self.note(task, task.claimed_by)

    def note(self, task: TaskRow, name: str) -> None:
        """`name` is on a task from now on."""
        self._ends.pop((task.run_id, task.path), None)
        if name and names(task, name):
            self._ends[task.run_id, task.path] = self.doors.clock.now() + lasts_s(task)
            self._changed.set()

    async def watch(self) -> None:
        """End each claim when its time is up."""
        while True:
            self._changed.clear()
            left_s = None if not self._ends else max(0.0, min(self._ends.values()) - self.doors.clock.now())
            try:
                async with asyncio.timeout(left_s):
                    await self._changed.wait()
            except TimeoutError:
                for key in [key for key, ends in self._ends.items() if ends <= self.doors.clock.now()]:
                    del self._ends[key]
                    await self._end(*key)

    async def _end(self, run_id: str, path: str) -> None:
        task = self.doors.ledger.task(run_id, path)
        if task is None or task.state != "open" or not names(task, task.claimed_by):
            return
        try:
            await self._give_back(run_id, path)
        except RunConflict:  # answered, or its run has ended, in this moment
            return
        text = f"{task.title}: {task.claimed_by} has not done it within {duration(lasts_s(task))}; nobody is on it now"
        advice = "Look what the machine has done, then do the task, or let the machine claim it again."
        await self.doors.alarms.raise_(f"{run_id}:{path}:given back", "high", text, advice, run_id)
