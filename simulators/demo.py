"""The demo's controller: the real one, in paced time, its links leading into a world that outlives it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controller.actors import Actor
from controller.clock import Clock
from controller.controller import Controller
from controller.errors import RunConflict, Unusable
from controller.ipc import NAME, LocalSocket
from controller.settings import BenchInvalid, Settings, load
from controller.store.errors import DirectoryTaken
from drivers.core.errors import LinkLost, OsteonError
from protocols.faults import ProtocolInvalid
from protocols.loading import load as load_protocol
from simulators.core.time import PacedLoop
from simulators.operator import Operator
from simulators.patience import Patience
from simulators.people import SIMULATED
from simulators.world_client import WorldClient

DEMO = Actor("demo", "simulated", "program")
LOOK_WALL_S = 0.5
"""Between two looks at the open tasks, while somebody may be watching."""


def installation(settings: Settings) -> str:
    """What the records of a demo on this bench say they belong to."""
    return f"demo-{settings.bench.name}"


class Demo:
    """A controller on a world, a simulated person beside it, and a protocol started on an empty bench."""

    def __init__(
        self, settings: Settings, folder: Path, world: WorldClient, protocol: str, alone: bool, patience: Patience
    ) -> None:
        """`alone`: no simulated person; tasks wait for somebody else."""
        self.world, self.protocol, self.alone, self.patience = world, protocol, alone, patience
        self.controller = Controller(
            settings,
            folder,
            lambda name, url: world.link(name),
            Clock.of_bench(settings.bench.zone, 0),
            installation=installation(settings),
        )
        self.socket = LocalSocket(folder / NAME)
        self.person = world.person
        self.operator = Operator(self.person, self._tasks, self._give)

    def _tasks(self) -> list[dict[str, Any]]:
        tasks = self.controller.runs.tasks() if self.controller.runs else []
        return [{**task, "not_before": self.patience.not_before(task)} for task in tasks]

    async def _give(self, task: Mapping[str, Any], entries: Mapping[str, Any], by: str) -> None:
        if self.controller.runs is None or self._taken(task):
            return
        with contextlib.suppress(RunConflict, Unusable):  # shown again, tried again
            await self.controller.runs.answer(task["run"], task["path"], entries, Actor(by, "simulated", "simulation"))

    def _taken(self, task: Mapping[str, Any]) -> bool:
        """Somebody else has claimed it since it was looked at, or it is gone."""
        there = [each for each in self._tasks() if (each["run"], each["path"]) == (task["run"], task["path"])]
        return not there or there[0]["claimed_by"] not in ("", SIMULATED)

    async def live(self) -> None:
        """Until SIGTERM."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.controller.stop)
        try:
            async with asyncio.TaskGroup() as group:
                beside = group.create_task(self._beside())
                pacing = group.create_task(self._pace())
                await self.controller.run(self.socket.serve)
                beside.cancel()
                pacing.cancel()
                self.world.farewell()
        except ExceptionGroup as errors:
            first, *more = errors.exceptions
            if more:
                raise
            raise first from None  # one error is said in one sentence, by `controller`

    async def _beside(self) -> None:
        await self.controller.up.wait()
        if self.controller.runs is None:
            return
        if self.protocol and not self.controller.runs.engines:
            await self.controller.runs.start(load_protocol(self.protocol).text, by=DEMO)
        if not self.alone:
            self.controller.runs.hand_work.simulated_person = self.person.planned
            self.operator.changed = self.controller.runs.hand_work.claimed
        while not self.alone:
            try:
                await self.operator.work()
            except LinkLost:
                await asyncio.sleep(5.0)  # the world is away; its person comes back with it

    async def _pace(self) -> None:
        """Time slows while a task waits for whoever watches; who has slowed it looks at the tasks often."""
        loop = asyncio.get_running_loop()
        while self.patience.wall_s and isinstance(loop, PacedLoop):
            if (pace := self.patience.pace(self._tasks(), loop.time())) != loop.speed:
                loop.speed = pace
            self.operator.changed.set()
            await asyncio.sleep(LOOK_WALL_S * loop.speed)


def controller(argv: list[str] | None = None) -> int:
    """`python -m simulators controller …`; 0 = ended in order, 1 = could not start."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators controller",
        description=__doc__,
        epilog="example: python -m simulators controller --bench stirred-100.toml --data DATA --world DATA/world.sock",
    )
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--world", type=Path, required=True, help="socket of the world")
    parser.add_argument("--speed", type=float, help="bench seconds for one wall second (default: the world's)")
    parser.add_argument("--protocol", default="", help="started when the bench has no run")
    parser.add_argument("--alone", action="store_true", help="no simulated person: somebody else answers tasks")
    parser.add_argument(
        "--patience", type=float, default=0.0, metavar="S", help="wall seconds a task is left to whoever watches"
    )
    asked = parser.parse_args(argv)
    try:
        settings = load(asked.bench)
        asked.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        world = WorldClient(asked.world)
        speed, start = asked.speed or world.speed, world.now()
        patience = Patience(0.0 if asked.alone else asked.patience, speed)
        demo = Demo(settings, asked.data, world, asked.protocol, asked.alone, patience)
        with asyncio.Runner(loop_factory=lambda: PacedLoop(speed, start)) as runner:
            runner.run(demo.live())
    except (BenchInvalid, ProtocolInvalid, Unusable, DirectoryTaken, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    except OsteonError as error:
        print(error, file=sys.stderr)
        return 3  # worth another try: the world may not be up yet
    return 0
