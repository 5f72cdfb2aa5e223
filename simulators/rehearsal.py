"""The real controller on simulated devices in virtual time, to the end of a protocol (SIM-01)."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controller.actors import Actor
from controller.clock import Clock
from controller.controller import Controller
from controller.errors import RunConflict, Unusable
from controller.run.engine import Engine
from controller.settings import Settings
from controller.settings import load as load_settings
from controller.store.digest import digest
from drivers.core.errors import OsteonError
from drivers.core.signals import Quality
from protocols.loading import load
from protocols.planning import plan
from protocols.protocol import Protocol
from protocols.states import RunState
from simulators.bench import START, SimulatedBench, read
from simulators.chance import expanded
from simulators.core.time import VirtualLoop
from simulators.operator import Operator
from simulators.plant import thiele
from simulators.report.page import page
from simulators.report.recording import EVERY_S, Recording
from simulators.report.told import Transfer
from simulators.retold import told, transfers

REHEARSER = Actor("rehearsal", "simulated", "program")
HISTORY_AT_RISK_S = 3600.0
"""A rehearsal has nothing to lose at a power cut: samples are committed once a simulated hour."""

Progress = Callable[[float, str], None]
"""Called with the culture day and the run's state, a few times a second."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a rehearsal came to."""

    protocol: str
    state: str
    why: str
    seed: int
    days: float
    wall_s: float
    compression: float
    event_log_digest: str
    faults: tuple[str, ...] = ()
    doses: tuple[Transfer, ...] = ()
    hand_steps: int = 0
    deviations: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    truth: Mapping[str, float | bool] = field(default_factory=dict[str, float | bool])

    @property
    def complete(self) -> bool:
        return self.state == RunState.COMPLETE.value


class Rehearsal:
    """One rehearsal: a simulated bench, a person, the real controller; all in one loop."""

    def __init__(
        self,
        settings: Settings,
        config: Mapping[str, Any],
        folder: Path,
        seed: int,
        faults: Sequence[str] = (),
        installation: str = "",
        report: Path | None = None,
    ) -> None:
        self.settings, self.folder, self.seed, self.report = settings, folder, seed, report
        self.faults = tuple(faults)
        thiele.family()  # what cells will need is there before the run, so that its memory stays flat
        self.bench = SimulatedBench(config, seed=seed, faults=faults, start=START)
        self.controller = Controller(
            settings,
            folder,
            lambda name, url: self.bench.open_link(name),
            Clock.of_bench(settings.bench.zone, seed),
            installation=installation or f"rehearsal-{seed}",
            flush_s=HISTORY_AT_RISK_S,
        )
        self.operator = Operator(self.bench.person, self._tasks, self._give)

    def _tasks(self) -> list[dict[str, Any]]:
        return self.controller.runs.tasks() if self.controller.runs else []

    async def _give(self, task: Mapping[str, Any], entries: Mapping[str, Any], by: str) -> None:
        if self.controller.runs is None:
            return
        try:
            await self.controller.runs.answer(task["run"], task["path"], entries, Actor(by, "simulated", "simulation"))
        except (RunConflict, Unusable):
            return  # the person sees the task again, and tries again

    async def run(self, text: str, sets: Mapping[str, str], progress: Progress) -> Result:
        """Start, live to the end or to a hold that only a person could end, and tell what happened."""
        begun = time.perf_counter()
        async with self.alive(text, sets, progress) as engine:
            recording = Recording(engine.plan.start)
            recorder = asyncio.create_task(self._record(recording)) if self.report else None
            await self._until_end(engine)
            result = self._result(engine, time.perf_counter() - begun)
            if self.report and recorder:
                recorder.cancel()
                self._write(self.report, engine, recording, load(text).document.title)
            return result

    @asynccontextmanager
    async def alive(self, text: str, sets: Mapping[str, str], progress: Progress) -> AsyncGenerator[Engine]:
        """The bench switched on, a run started on it and a person at work; all ended in order behind."""
        self.bench.switch_on()
        async with asyncio.TaskGroup() as group:
            life = group.create_task(self.controller.run())
            await self.controller.up.wait()
            runs = self.controller.runs
            if runs is None:
                raise OsteonError(self.controller.damaged)
            engine = runs.engine(await runs.start(text, by=REHEARSER, sets=sets))
            person = group.create_task(self.operator.work())
            shower = group.create_task(self._show(engine, progress))
            yield engine
            for task in (person, shower):
                task.cancel()
            self.controller.stop()
            await life
        self.bench.switch_off()

    async def _record(self, recording: Recording) -> None:
        """Look at the culture every half hour. Looking moves nothing: the plant steps on its own grid."""
        while True:
            now = asyncio.get_running_loop().time()
            recording.add(now, self.bench.surroundings.story(now), dict(self._shown()))
            await asyncio.sleep(EVERY_S)

    def _shown(self) -> Iterator[tuple[str, float | None]]:
        """What the instruments of each unit show now, by its roles; None where it is not good."""
        for unit in self.settings.units:
            for role, signal in unit.roles.items():
                if not role.endswith(" set"):
                    found = self.controller.latest.get(signal)
                    value = found.value if found.quality is Quality.GOOD else None
                    yield f"{unit.name}/{role}", float(value) if isinstance(value, int | float) else None

    def _write(self, file: Path, engine: Engine, recording: Recording, title: str) -> None:
        """The page; its file is there whole or not at all."""
        ledger = self.controller.ledger
        assert ledger is not None
        now = asyncio.get_running_loop().time()
        story = told(
            engine, ledger, now,
            title=title, bench=self.settings.bench.name, seed=self.seed, faults=self.faults,
        )  # fmt: skip
        half = file.with_name(f"{file.name}.part")
        half.write_text(page(story, recording), "utf-8")
        half.replace(file)

    async def _until_end(self, engine: Engine) -> None:
        while not engine.ended and engine.run.state is not RunState.HELD:
            engine.changed.clear()
            await engine.changed.wait()
            self.operator.changed.set()

    async def _show(self, engine: Engine, progress: Progress) -> None:
        while True:
            await asyncio.sleep(3600.0)
            progress((asyncio.get_running_loop().time() - engine.plan.start) / 86_400.0, engine.run.state.value)

    def _result(self, engine: Engine, wall_s: float) -> Result:
        ledger = self.controller.ledger
        if ledger is None:
            raise OsteonError(self.controller.damaged)
        now = asyncio.get_running_loop().time()
        days = (now - engine.plan.start) / 86_400.0
        answered = [task for task in ledger.tasks(engine.run_id) if task.state == "answered"]
        return Result(
            protocol=engine.plan.protocol,
            state=engine.run.state.value,
            why=engine.run.why,
            seed=self.seed,
            days=days,
            wall_s=wall_s,
            compression=days * 86_400.0 / wall_s,
            event_log_digest=digest(ledger),
            faults=self.faults,
            doses=tuple(transfers(engine, ledger)),
            hand_steps=len(answered),
            deviations=tuple(row.text for row in ledger.deviations(engine.run_id)),
            alarms=tuple(f"{row.priority}: {row.text}" for row in ledger.alarms()),
            truth=self.bench.truth(now),
        )


def shipped_bench(name: str = "stirred-100") -> Path:
    """The file of a bench that ships."""
    return Path(__file__).parent / "benches" / f"{name}.toml"


def rehearse(
    protocol: str | Path,
    *,
    bench: Path | None = None,
    seed: int = 0,
    faults: Sequence[str] = (),
    sets: Mapping[str, str] | None = None,
    data: Path | None = None,
    report: Path | None = None,
    progress: Progress | None = None,
) -> Result:
    """Rehearse a protocol (a file, or the name of one that ships) on a bench file (default: stirred-100).

    `random` among the faults is a choice of the seed's. Same protocol, bench, faults and seed give the same event log.
    `data` keeps the records; without it they are written to a temporary folder and thrown away. `report`: an
    HTML file with the culture's story. Raises ProtocolInvalid, BenchInvalid, Unusable, and ValueError for a fault that
    the bench cannot have.
    """
    loaded = load(protocol)
    text = loaded.text
    file = bench or shipped_bench()
    settings, config = load_settings(file), read(file)
    faults = expanded(faults, config, seed, span_s(loaded, settings, sets or {}))
    with tempfile.TemporaryDirectory(prefix="osteon-rehearsal-") as scratch:
        folder = data or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        rehearsal = Rehearsal(settings, config, folder, seed, faults, report=report)
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(START)) as runner:
            try:
                return runner.run(rehearsal.run(text, sets or {}, progress or silent))
            except ExceptionGroup as errors:
                first, *more = errors.exceptions
                if more:
                    raise
                raise first from None  # a refusal is said in one sentence, by `main`


def span_s(protocol: Protocol, settings: Settings, sets: Mapping[str, str]) -> float:
    """From the start to the last thing that has a time."""
    nodes = plan(protocol, START, settings.bench.zone, sets).nodes.values()
    return max((node.due for node in nodes if node.due), default=START) - START


def silent(day: float, state: str) -> None:
    """No progress shown."""
