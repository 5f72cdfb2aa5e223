"""A bench that outlives its controllers: boot one, kill it as -9 would, boot the next, ask the plant for the truth."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from controller.actors import Actor
from controller.clock import Clock
from controller.controller import Controller, Faults
from controller.run.engine import Engine
from controller.settings import parse
from controller.store.reader import Reader
from simulators.agreement import given_twice, lost
from simulators.bench import SimulatedBench
from simulators.operator import Operator
from simulators.places import Throughput
from simulators.rehearsal import shipped_bench

TESTER = Actor("tester", "operator", "test")
STIRRED = shipped_bench().read_text("utf-8")
COMPRESSED = (Path(__file__).parent.parent / "protocols" / "compressed.yaml").read_text("utf-8")


class Boundary:
    """Stands at every durable boundary: counts them, and kills at the one asked for. Even = before, odd = after."""

    def __init__(self, kill_at: int | None = None, kill: Callable[[], None] = lambda: None) -> None:
        self.kill_at, self.kill, self.count, self.dead = kill_at, kill, 0, False
        self.log: list[float] = []

    async def __call__(self) -> None:
        if not self.dead:
            self.log.append(asyncio.get_running_loop().time())
            if self.count == self.kill_at:
                self.die()
            self.count += 1
        if self.dead:
            await asyncio.Event().wait()

    def die(self) -> None:
        self.dead = True
        self.kill()


@dataclass
class Life:
    """One controller process."""

    controller: Controller
    task: asyncio.Task[None]
    boundary: Boundary
    operator: asyncio.Task[None] | None = None


class Lab:
    """One bench, one data folder, one person, any number of controllers one after another."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int = 1,
        faults: tuple[str, ...] = (),
        start: float | None = None,
        toml: str = STIRRED,
        noise: bool = True,
    ) -> None:
        self.folder, self.seed, self.toml, self.noise = folder, seed, toml, noise
        self.settings = parse(toml.replace("poll_s = 10", "poll_s = 60"))
        now = asyncio.get_running_loop().time() if start is None else start
        self.bench = SimulatedBench(tomllib.loads(toml), seed=seed if noise else None, faults=faults, start=now)
        self.person = self.bench.person
        self.life: Life | None = None
        self.clock_off_s = 0.0
        """By how much the next controller's clock is wrong."""
        self.bench.switch_on()

    def clock(self) -> Clock:
        clock = Clock.of_bench(self.settings.bench.zone, self.seed)
        clock.offset_s = self.clock_off_s
        return clock

    @property
    def controller(self) -> Controller:
        assert self.life is not None
        return self.life.controller

    @property
    def engine(self) -> Engine:
        assert self.controller.runs is not None
        return next(iter(self.controller.runs.engines.values()))

    def boot(self, kill_at: int | None = None) -> Life:
        """Start a controller; it is not up yet when this returns."""
        boundary = Boundary(kill_at)
        controller = Controller(
            self.settings,
            self.folder,
            lambda name, url: self.bench.open_link(name),
            self.clock(),
            installation=f"lab-{self.seed}",
            faults=Faults(boundary, boundary),
            flush_s=600.0,
        )
        life = Life(controller, asyncio.get_running_loop().create_task(controller.run()), boundary)
        boundary.kill = self.bench.sever_all
        self.life = life
        return life

    async def up(self, kill_at: int | None = None) -> Life:
        """Start a controller and wait until it is up, or dead."""
        life = self.boot(kill_at)
        while not life.controller.up.is_set() and not life.boundary.dead:
            if life.task.done():
                life.task.result()
            await asyncio.sleep(0.5)
        if not life.boundary.dead:
            self.seat(life)
        return life

    def seat(self, life: Life) -> None:
        """Seat the simulated person."""

        def tasks() -> list[dict[str, object]]:
            return life.controller.runs.tasks() if life.controller.runs and not life.boundary.dead else []

        async def give(task, entries, by) -> None:
            assert life.controller.runs is not None
            await life.controller.runs.answer(task["run"], task["path"], entries, Actor(by, "simulated", "test"))

        life.operator = asyncio.get_running_loop().create_task(Operator(self.person, tasks, give).work())

    async def start(self, text: str = COMPRESSED, sets: Mapping[str, str] | None = None) -> Engine:
        assert self.controller.runs is not None
        await self.controller.runs.start(text, by=TESTER, sets=sets)
        return self.engine

    async def kill(self) -> None:
        """The process is gone between two instructions: cables dead, nothing more on disk, no goodbye."""
        life = self.life
        assert life is not None
        if not life.boundary.dead:
            life.boundary.die()
        for task in (life.operator, life.task):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])

    async def until(self, true: Callable[[], bool], limit_s: float = 12 * 3600.0, step_s: float = 1.0) -> bool:
        """Let time pass until `true()`; False when `limit_s` passed or the controller died first."""
        loop = asyncio.get_running_loop()
        end = loop.time() + limit_s
        while loop.time() < end:
            life = self.life
            if life is None or life.boundary.dead:
                return False
            if life.task.done():
                life.task.result()
                return False
            if true():
                return True
            await asyncio.sleep(step_s)
        return False

    async def settle(self, limit_s: float = 12 * 3600.0) -> str:
        """Let the run go on to its end or to a hold; the state it came to."""
        await self.until(lambda: self.engine.ended or self.engine.run.state == "HELD", limit_s, 5.0)
        return str(self.engine.run.state)

    def truth(self) -> dict[str, float | bool]:
        return self.bench.truth(asyncio.get_running_loop().time())

    def throughput(self) -> dict[str, Throughput]:
        """What the pumps truly moved."""
        return self.bench.throughput(asyncio.get_running_loop().time())

    def reader(self) -> Reader:
        return Reader.open_read_only(self.folder)

    def judge(self) -> list[str]:
        """What the world's truth and the ledger do not agree on; empty = no dose twice, none lost unnoticed."""
        with self.reader() as ledger:
            rows = ledger.doses()
        true = self.throughput()
        apart = given_twice(true, rows) + lost(true, rows)
        return apart + (["the vessel ran over"] if self.truth().get("overflow") else [])

    async def close(self) -> None:
        if self.life is not None and not self.life.boundary.dead:
            await self.kill()
        self.bench.switch_off()
