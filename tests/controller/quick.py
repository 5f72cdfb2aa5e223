"""A quick lab: a bench without noise, links that tell what goes over them, a disk that can be slow or full."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable
from pathlib import Path

from controller.controller import Controller, Faults
from controller.runs import Runs
from controller.settings import parse
from controller.store.ledger import Ledger
from drivers.core.errors import LinkLost
from drivers.core.link import Link
from drivers.core.wire import ascii as text_wire
from simulators import catalogue
from simulators.bench import SimulatedBench, shipped
from simulators.core.simulator import Bytes
from simulators.rehearsal import shipped_bench
from tests.runs.lab import TESTER, Boundary, Lab, Life

TOML = shipped_bench().read_text("utf-8")
HEAD = """
protocol: quick
version: "1"
title: Quick
status: rehearsal
species: none
vessels:
  reactor: {kind: stirred, needs: [temperature, co2, medium in, medium out, waste weight]}
materials:
  medium: {recipe: test medium, keeps: 7 d at 4 degC}
environment:
  hold: {temperature: 36.5 degC}
  end: {temperature: 35.0 degC}
stages:
"""
POUR = """
  - stage: Seed
    do:
      - set: {temperature: 37.0 degC}
      - hand: Pour 90 mL of medium into {reactor}
        acts: [{pour: 90 mL, into: reactor, of: medium}]
        write down: {clear: yes/no}
        takes: 5 min
"""
FILL = (
    HEAD
    + POUR
    + """
  - stage: Feed
    do:
      - fill: {into: reactor, volume: 6 mL, of: medium, at: 6 mL/min}
        at most: 30 min
      - wait: 2 h
"""
)
EXCHANGE = (
    HEAD
    + POUR
    + """
  - stage: Renew
    do:
      - exchange:
          in: reactor
          withdraw: {to level: 72 mL, at most: 24 mL, at: 5 mL/min}
          then add: {volume: 18 mL, of: medium, at: 10 mL/min}
          drained at most: 45 min
        at most: 60 min
      - wait: 2 h
"""
)
WAIT = HEAD + POUR + "\n  - stage: Rest\n    do:\n      - wait: 2 h\n"


class SpyLink:
    """A link that forwards every byte and tells the lab before it does."""

    def __init__(self, inner: Link, name: str, sees: Callable[[str, bytes], None], absent: set[str]) -> None:
        self.url, self._inner, self._name, self._sees, self._absent = inner.url, inner, name, sees, absent

    @property
    def may_be_dead(self) -> bool:
        return self._inner.may_be_dead

    @property
    def is_open(self) -> bool:
        return self._inner.is_open

    async def dial(self) -> None:
        if self._name in self._absent:
            raise LinkLost(f"{self._name}: no such port")
        await self._inner.dial()

    def write(self, data: bytes) -> None:
        self._sees(self._name, data)
        self._inner.write(data)

    async def read(self) -> bytes:
        return await self._inner.read()

    def waiting(self) -> bytes:
        return self._inner.waiting()

    async def close(self) -> None:
        await self._inner.close()


class Disk:
    """Stands before every commit: may be slow (seconds) and counts; kills where a Boundary asks for it."""

    def __init__(self, boundary: Boundary) -> None:
        self.boundary, self.slow_s, self.commits = boundary, 0.0, 0

    async def before(self) -> None:
        await self.boundary()
        if self.slow_s:
            await asyncio.sleep(self.slow_s)

    async def after(self) -> None:
        self.commits += 1
        await self.boundary()


class QuickLab(Lab):
    """No noise, no person: the test itself is the person. `wire` holds (bench time, link, bytes) of all writes."""

    def __init__(
        self, folder: Path, *, faults: tuple[str, ...] = (), bench_toml: str = "", plant_toml: str = "", seed: int = 1
    ) -> None:
        """`bench_toml` is what the controller reads, `plant_toml` what there is; the shipped bench where not given."""
        self.folder, self.seed = folder, seed
        self.settings = parse(bench_toml or plant_toml or TOML)
        config = tomllib.loads(plant_toml or TOML)
        self.bench = SimulatedBench(config, seed=None, faults=faults, start=asyncio.get_running_loop().time())
        self.person = self.bench.person
        self.life: Life | None = None
        self.clock_off_s = 0.0
        self.wire: list[tuple[float, str, bytes]] = []
        self.on_write: Callable[[str, bytes], None] = lambda link, data: None
        self.disk: Disk | None = None
        self.links_made: list[str] = []
        self.absent: set[str] = set()
        """Links whose port is not there: they cannot be dialled."""
        self.bench.switch_on()
        self.bench.surroundings.hands.renew_bottle(self.now, "medium", 250.0)

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def runs(self) -> Runs:
        assert self.controller.runs is not None
        return self.controller.runs

    @property
    def ledger(self) -> Ledger:
        assert self.controller.ledger is not None
        return self.controller.ledger

    def link(self, name: str, url: str) -> Link:
        self.links_made.append(name)
        return SpyLink(self.bench.open_link(name), name, self._sees, self.absent)

    def _sees(self, name: str, data: bytes) -> None:
        self.wire.append((self.now, name, data))
        self.on_write(name, data)

    def boot(self, kill_at: int | None = None) -> Life:
        boundary = Boundary(kill_at)
        self.disk = Disk(boundary)
        controller = Controller(
            self.settings,
            self.folder,
            self.link,
            self.clock(),
            installation=f"lab-{self.seed}",
            faults=Faults(self.disk.before, self.disk.after),
            flush_s=600.0,
        )
        life = Life(controller, asyncio.get_running_loop().create_task(controller.run()), boundary)
        boundary.kill = self.bench.sever_all
        self.life = life
        return life

    def seat(self, life: Life) -> None:
        """Nobody: tests answer by themselves."""

    async def poured(self, text: str = FILL) -> None:
        """Controller up, run started, 90 mL poured and written down."""
        await self.up()
        await self.start(text)
        assert await self.until(lambda: bool(self.runs.tasks()), 600.0), self.engine.run
        self.bench.surroundings.hands.pour(self.now, 90.0)
        await self.runs.answer(self.engine.run_id, self.runs.tasks()[0]["path"], {"clear": True}, TESTER)

    def runs_sent(self, pump: int | None = None) -> list[tuple[float, bytes]]:
        """Every RUN frame that went out, of one pump or of both."""
        words = [b"0RUN", b"1RUN"] if pump is None else [b"%dRUN" % pump]
        return [(at, data) for at, _, data in self.wire if any(word in data for word in words)]

    def pump_moves(self, part: str = "fill") -> float:
        """Plunger motion of a syringe so far, both ways, mL (truth)."""
        truth = self.truth()
        return float(truth[f"{part}_drawn_ml"]) + float(truth[f"{part}_delivered_ml"])

    async def moving(self, part: str = "fill", more_ml: float = 0.5) -> None:
        """Wait until this syringe truly moves, `more_ml` into its stroke."""
        before = self.pump_moves(part)
        assert await self.until(lambda: self.pump_moves(part) >= before + more_ml, 3600.0, 1.0)

    async def still(self, part: str = "fill", for_s: float = 5.0) -> bool:
        """Whether this syringe stands still for so long."""
        before = self.pump_moves(part)
        await asyncio.sleep(for_s)
        return abs(self.pump_moves(part) - before) < 1e-6

    def press_start(self, address: int) -> None:
        """Somebody presses the Start key of a pump: it runs its programme once more, and nobody asked for it."""
        name = "pump_in" if address == 0 else "pump_out"
        device = self.bench.lines["pumps"].devices[name]
        device.receive(Bytes(text_wire.safe_packet(b"%dRUN" % address)), self.now)
        self.bench.host("pumps").act([])

    def swap(self, name: str, model: str, **options: float | str) -> None:
        """Somebody puts another device in the place of one, on the same cable and address."""
        place = shipped()["simulation"]["places"][name]
        found = next(each for each in shipped()["devices"] if each["name"] == name)
        other = catalogue.build(
            model, self.bench.surroundings.place(place), address=found.get("address", 0), seed=None, options=options
        )
        self.bench.lines[found["link"]].add(name, other)

    def unplug(self, link: str) -> None:
        """The cable falls out: our end sees the connection close."""
        host = self.bench.host(link)
        host._hang_up(host._plug)

    def break_disk(self) -> None:
        """From now on every commit of this controller fails: the file system has become read-only."""
        self.ledger._writes.execute("PRAGMA query_only = ON")
