"""The real controller on simulated devices in virtual time, to the end of a protocol (SIM-01)."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from controller.actors import Actor
from controller.clock import Clock
from controller.controller import Controller
from controller.errors import RunConflict, Unusable
from controller.run.engine import Engine
from controller.settings import BenchInvalid, Settings
from controller.settings import load as load_settings
from controller.store.digest import digest
from drivers.core.errors import OsteonError
from protocols.faults import ProtocolInvalid
from protocols.loading import load
from protocols.planning import plan
from protocols.protocol import Protocol
from protocols.states import RunState
from simulators.bench import START, SimulatedBench, read
from simulators.chance import expanded
from simulators.core.time import VirtualLoop
from simulators.operator import Operator
from simulators.shrinking import shortest

REHEARSER = Actor("rehearsal", "simulated", "program")
HISTORY_AT_RISK_S = 3600.0
"""A rehearsal has nothing to lose at a power cut: samples are committed once a simulated hour."""

Progress = Callable[[float, str], None]
"""Called with the culture day and the run's state, a few times a second."""


@dataclass(frozen=True, slots=True)
class Dose:
    """One transfer by both witnesses, mL; None = that witness saw nothing of it."""

    path: str
    part: str
    asked_ml: float
    counter_ml: float | None
    balance_ml: float | None


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
    doses: tuple[Dose, ...] = ()
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
    ) -> None:
        self.settings, self.folder, self.seed, self.faults = settings, folder, seed, tuple(faults)
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
            await self._until_end(engine)
            return self._result(engine, time.perf_counter() - begun)

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
            doses=tuple(doses_of(engine)),
            hand_steps=len(answered),
            deviations=tuple(row.text for row in ledger.deviations(engine.run_id)),
            alarms=tuple(f"{row.priority}: {row.text}" for row in ledger.alarms()),
            truth=self.bench.truth(now),
        )


def doses_of(engine: Engine) -> list[Dose]:
    """Every ended transfer of a run, as its events told it."""
    asked: dict[tuple[str, str], float] = {}
    for row in engine.doors.ledger.doses(engine.run_id):
        asked.setdefault((row.path, row.part), row.cap_ml or 0.0)
    found: list[Dose] = []
    for row in engine.doors.ledger.events(engine.run_id):
        event = row.event
        if event.get("t") == "TransferEnded":
            key = (event["path"], event["part"])
            found.append(Dose(*key, asked.get(key, 0.0), event.get("counter_ml"), event.get("witness_ml")))
    return found


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
    progress: Progress | None = None,
) -> Result:
    """Rehearse a protocol (a file, or the name of one that ships) on a bench file (default: stirred-100).

    `random` among the faults is a choice of the seed's. Same protocol, bench, faults and seed give the same event log.
    `data` keeps the records; without it they are written to a temporary folder and thrown away. Raises ProtocolInvalid,
    BenchInvalid, Unusable, and ValueError for a fault that the bench cannot have.
    """
    loaded = load(protocol)
    text = loaded.text
    file = bench or shipped_bench()
    settings, config = load_settings(file), read(file)
    faults = expanded(faults, config, seed, span_s(loaded, settings, sets or {}))
    with tempfile.TemporaryDirectory(prefix="osteon-rehearsal-") as scratch:
        folder = data or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        rehearsal = Rehearsal(settings, config, folder, seed, faults)
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


def summary(result: Result) -> str:
    """For a terminal."""
    lines = [
        f"{result.protocol}: {result.state}" + (f" — {result.why}" if result.why and not result.complete else ""),
        f"{result.days:.2f} days in {result.wall_s:.1f} s: {result.compression:,.0f} x real time (seed {result.seed})",
        *([f"faults: {','.join(result.faults)}"] if result.faults else []),
        f"hand steps done: {result.hand_steps}",
        "doses (asked / pump counter / balance, mL):",
        *(
            f"  {dose.path} {dose.part}: {dose.asked_ml:.1f} / {shown(dose.counter_ml)} / {shown(dose.balance_ml)}"
            for dose in result.doses
        ),
        f"deviations: {len(result.deviations)}",
        *(f"  {text}" for text in result.deviations),
        f"alarms: {len(result.alarms)}",
        *(f"  {text}" for text in result.alarms),
        f"event_log_digest: {result.event_log_digest}",
        "Simulated devices; not a validated or clinical protocol.",
    ]
    return "\n".join(lines)


def shown(volume_ml: float | None) -> str:
    return "—" if volume_ml is None else f"{volume_ml:.2f}"


def silent(day: float, state: str) -> None:
    """No progress shown."""


def bar(days: float) -> Progress:
    """A progress line on the terminal, rewritten in place."""
    last = time.perf_counter()

    def progress(day: float, state: str) -> None:
        nonlocal last
        if time.perf_counter() - last > 0.2:
            last = time.perf_counter()
            filled = min(40, int(40 * day / days))
            print(
                f"\r[{'#' * filled}{'.' * (40 - filled)}] day {day:5.2f} of {days:.0f} {state:<12}",
                end="",
                file=sys.stderr,
            )

    return progress


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="osteon rehearse", description=__doc__)
    parser.add_argument("protocol")
    parser.add_argument("--bench", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faults", default="", help="separated by commas, e.g. check-valve; or random")
    parser.add_argument("--shrink", action="store_true", help="if it fails: the shortest list of faults that does it")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(argv)
    if wrong := [part for part in asked.set if "=" not in part]:
        parser.error(f"--set {wrong[0]}: write it as NAME=VALUE")
    sets = dict(part.split("=", 1) for part in asked.set)
    faults = [name for name in asked.faults.split(",") if name]
    show = bar(28.0) if sys.stderr.isatty() else silent

    def run(faults: Sequence[str], data: Path | None = None) -> Result:
        return rehearse(
            asked.protocol, bench=asked.bench, seed=asked.seed, faults=faults, sets=sets, data=data, progress=show
        )

    try:
        result = run(faults, asked.data)
        left: list[str] | None = None
        if asked.shrink and not result.complete:
            left = shortest(result.faults, lambda few: not run(few).complete)
    except (ProtocolInvalid, BenchInvalid, Unusable, OsteonError, ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(json.dumps(asdict(result)) if asked.json else summary(result))
    if left is not None:
        print(f"seed {asked.seed}, shortest list that fails: {','.join(left) or 'none, it fails without'}")
    return 0 if result.complete else 1
