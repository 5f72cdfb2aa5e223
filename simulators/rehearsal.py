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
from protocols import machine
from protocols.effects import ApplyPoints
from protocols.loading import load
from protocols.plan import Hand, Plan
from protocols.planning import plan
from protocols.protocol import Protocol
from protocols.states import RunState
from simulators.agreement import given_twice, lost
from simulators.attendant import LOOKS_AFTER_S, Attendant
from simulators.bench import START, SimulatedBench, read
from simulators.chance import expanded
from simulators.core.time import VirtualLoop
from simulators.laboratory import Sample, analysed
from simulators.operator import Operator
from simulators.places import Throughput
from simulators.plant import thiele
from simulators.report.page import page
from simulators.report.recording import EVERY_S, Recording
from simulators.report.told import Transfer
from simulators.retold import told, transfers
from simulators.timelapse import Timelapse, by_clock, cut_short

ATTENDANT = Actor("attendant", "operator", "program")
REHEARSER = Actor("rehearsal", "simulated", "program")
LAPSE_EVERY_S = 300.0
"""Between two looks in a time-lapse: half a day or less of the culture's."""
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
    samples: tuple[Sample, ...] = ()
    """What the simulated laboratory finds in each, in the order they were taken."""
    moved: Mapping[str, Throughput] = field(default_factory=dict[str, Throughput])
    """What the pumps of the fluid paths truly moved."""
    apart: tuple[str, ...] = ()
    """Where the pumps truly moved more, or less, than the ledger says."""
    looks: int = 0
    """How often the person on duty was called to a held run."""
    time_lapse: bool = False
    """Waiting was cut short: `days` are those of the bench, cells lived the whole time."""

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
        *,
        units: Sequence[str] = (),
        time_lapse: bool = False,
        rounds: int | None = None,
        attended: bool = False,
        start: float = START,
        seen: Recording | None = None,
    ) -> None:
        """`units`: the run begins on each of them; none = on the first of the bench. `rounds`: see `timelapse`.
        `attended`: a person comes to a held run, mends what is broken and lets it go on (see `attendant`)."""
        self.settings, self.folder, self.seed, self.report = settings, folder, seed, report
        self.units, self.time_lapse, self.rounds = tuple(units) or (settings.units[0].name,), time_lapse, rounds
        self.faults, self.seen = tuple(faults), seen
        thiele.family()  # what cells will need is there before the run, so that its memory stays flat
        self.bench = SimulatedBench(config, seed=seed, faults=faults, start=start)
        self.controller = Controller(
            settings,
            folder,
            lambda name, url: self.bench.open_link(name),
            Clock.of_bench(settings.bench.zone, seed),
            installation=installation or f"rehearsal-{seed}",
            flush_s=HISTORY_AT_RISK_S,
        )
        self._lapses: dict[float, Timelapse] = {}
        """Of a time-lapse: the clocks of each run, by its start."""
        self.bench.person.day_and_night = time_lapse
        self.attendant = Attendant(self.bench, ATTENDANT) if attended else None
        self.looks = 0
        self.operator = Operator(self.bench.person, self._tasks, self._give)

    def _planned(
        self, protocol: Protocol, start_utc: float, zone: str, settings: Mapping[str, str] | None = None
    ) -> Plan:
        """The plan with its waiting cut short; cells and dishes live by the clock of the whole plan.

        Other values for a run under way go by the clocks that it began with."""
        whole = plan(protocol, start_utc, zone, settings)
        if (lapse := self._lapses.get(start_utc)) is not None:
            return by_clock(whole, lapse, self.rounds)
        short, lapse = cut_short(whole, self.rounds)
        self._lapses[start_utc] = lapse
        self.bench.surroundings.lived = lapse.whole
        return short

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
        async with self.alive(text, sets, progress) as engines:
            recording = Recording(engines[0].plan.start)
            recorder = asyncio.create_task(self._record(recording)) if self.report else None
            watcher = asyncio.create_task(self._watch(self.seen)) if self.seen else None
            async with asyncio.TaskGroup() as ends:
                for engine in engines:
                    ends.create_task(self._until_end(engine))
            result = self._result(engines, time.perf_counter() - begun)
            if watcher:
                watcher.cancel()
            if self.report and recorder:
                recorder.cancel()
                self._write(self.report, engines[0], recording, load(text).document.title)
            return result

    @asynccontextmanager
    async def alive(self, text: str, sets: Mapping[str, str], progress: Progress) -> AsyncGenerator[list[Engine]]:
        """The bench switched on, a run started on each unit and a person at work; all ended in order behind."""
        self.bench.switch_on()
        async with asyncio.TaskGroup() as group:
            life = group.create_task(self.controller.run())
            await self.controller.up.wait()
            runs = self.controller.runs
            if runs is None:
                raise OsteonError(self.controller.damaged)
            if self.time_lapse:
                runs.planner = self._planned
            engines = [runs.engine(await runs.start(text, by=REHEARSER, unit=unit, sets=sets)) for unit in self.units]
            person = group.create_task(self.operator.work())
            shower = group.create_task(self._show(engines[0], progress))
            yield engines
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

    async def _watch(self, seen: Recording) -> None:
        """The same, at the moments of the whole plan."""
        while True:
            now, lived = asyncio.get_running_loop().time(), self.bench.surroundings.lived
            seen.add(now if lived is None else lived(now), self.bench.surroundings.story(now), {})
            await asyncio.sleep(EVERY_S if lived is None else LAPSE_EVERY_S)

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
        while not engine.ended:
            if not self._rests(engine):
                engine.changed.clear()
                await engine.changed.wait()
            elif not await self._attended(engine):
                return
            self.operator.changed.set()

    def _rests(self, engine: Engine) -> bool:
        """Whether nothing goes on without a person: the run is held, or all it has left are questions of branches."""
        plan, run = engine.plan, engine.run
        if run.state is RunState.HELD or not machine.open_questions(run):
            return run.state is RunState.HELD
        under_way = [each for each in machine.wanted(plan, run) if not isinstance(each, ApplyPoints) or each.path]
        return self.attendant is not None or (machine.next_time(plan, run) is None and not under_way)

    async def _attended(self, engine: Engine) -> bool:
        """Whether somebody came to the held run and let it go on."""
        runs, ledger = self.controller.runs, self.controller.ledger
        if self.attendant is None or runs is None or ledger is None or self.attendant.gives_up(engine):
            return False
        await asyncio.sleep(LOOKS_AFTER_S)
        self.looks += 1
        await self.attendant.look(engine, runs, ledger, asyncio.get_running_loop().time())
        return True

    async def _show(self, engine: Engine, progress: Progress) -> None:
        while True:
            await asyncio.sleep(3600.0)
            now, lived = asyncio.get_running_loop().time(), self.bench.surroundings.lived
            at = now if lived is None else lived(now)
            progress((at - engine.plan.start) / 86_400.0, engine.run.state.value)

    def _result(self, engines: Sequence[Engine], wall_s: float) -> Result:
        """Of all runs; where one did not complete, its state and why."""
        ledger = self.controller.ledger
        if ledger is None:
            raise OsteonError(self.controller.damaged)
        now = asyncio.get_running_loop().time()
        days = (now - engines[0].plan.start) / 86_400.0
        told = next((each for each in engines if each.run.state is not RunState.COMPLETE), engines[0])
        waiting = machine.open_questions(told.run) if told.run.state is RunState.RUNNING else {}
        answered = [task for each in engines for task in ledger.tasks(each.run_id) if task.state == "answered"]
        return Result(
            protocol=told.plan.protocol,
            state=told.run.state.value,
            why=next(iter(waiting.values()), told.run.why),
            seed=self.seed,
            days=days,
            wall_s=wall_s,
            compression=days * 86_400.0 / wall_s,
            event_log_digest=digest(ledger),
            faults=self.faults,
            doses=tuple(dose for each in engines for dose in transfers(each, ledger)),
            hand_steps=len(answered),
            deviations=tuple(row.text for each in engines for row in ledger.deviations(each.run_id)),
            alarms=tuple(f"{row.priority}: {row.text}" for row in ledger.alarms()),
            truth=self.bench.truth(now),
            samples=tuple(sorted(self._samples(engines), key=lambda each: each.day)),
            time_lapse=self.time_lapse,
            moved=(moved := self._moved(now)),
            apart=(*given_twice(moved, doses := ledger.doses()), *lost(moved, doses)),
            looks=self.looks,
        )

    def _moved(self, now: float) -> dict[str, Throughput]:
        pumps = {path.pump for unit in self.settings.units for path in unit.paths.values()}
        return {name: each for name, each in self.bench.throughput(now).items() if name in pumps}

    def _samples(self, engines: Sequence[Engine]) -> Iterator[Sample]:
        lived = self.bench.surroundings.lived
        for engine in engines:
            for path, node in engine.plan.nodes.items():
                found = self.bench.person.state.samples.get(f"{engine.run_id}:{path}")
                if isinstance(node.work, Hand) and found is not None:
                    at = found["at"] if lived is None else lived(found["at"])
                    yield analysed((at - engine.plan.start) / 86_400.0, node.work.sample, found, self.seed)


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
    units: Sequence[str] = (),
    time_lapse: bool = False,
    rounds: int | None = None,
    attended: bool = False,
    start: float = START,
    seen: Recording | None = None,
) -> Result:
    """Rehearse a protocol (a file, or the name of one that ships) on a bench file (default: stirred-100).

    `random` among the faults is a choice of the seed's. Same protocol, bench, faults and seed give the same event log.
    `data` keeps the records; without it they are written to a temporary folder and thrown away. `report`: an
    HTML file with the culture's story. `units`: it runs on each of them side by side (none = the first of the bench).
    `time_lapse`: the same acts with the waiting between them cut short, weeks in hours of the bench;
    `rounds`: of what pumps do again and again only so many. `attended`: a person comes to a held run, mends what is
    broken, tells what is true and lets it go on; without, a hold is the end. `start`: UTC s. `seen`: is given
    what truly is, at the moments of the whole plan also in a time-lapse. Raises ProtocolInvalid, BenchInvalid,
    Unusable, and ValueError for a fault that the bench cannot have.
    """
    loaded = load(protocol)
    text = loaded.text
    file = bench or shipped_bench()
    settings, config = load_settings(file), read(file)
    faults = expanded(faults, config, seed, span_s(loaded, settings, sets or {}, time_lapse=time_lapse))
    with tempfile.TemporaryDirectory(prefix="osteon-rehearsal-") as scratch:
        folder = data or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        rehearsal = Rehearsal(
            settings, config, folder, seed, faults,
            report=report, units=units, time_lapse=time_lapse, rounds=rounds, attended=attended, start=start,
            seen=seen,
        )  # fmt: skip
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(start)) as runner:
            try:
                return runner.run(rehearsal.run(text, sets or {}, progress or silent))
            except ExceptionGroup as errors:
                first, *more = errors.exceptions
                if more:
                    raise
                raise first from None  # a refusal is said in one sentence, by `main`


def span_s(protocol: Protocol, settings: Settings, sets: Mapping[str, str], *, time_lapse: bool = False) -> float:
    """From the start to the last thing that has a time."""
    whole = plan(protocol, START, settings.bench.zone, sets)
    nodes = (cut_short(whole)[0] if time_lapse else whole).nodes.values()
    return max((node.due for node in nodes if node.due), default=START) - START


def silent(day: float, state: str) -> None:
    """No progress shown."""
