"""The demo's past: its first culture days rehearsed in virtual time, then handed over to the world and a controller.

Everything is made in a work folder and moved to the demo's data folder when it is whole, the world's state last: where
that stands the past is done. A job that was interrupted begins anew; one that was interrupted while it moved files goes
on moving.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controller.errors import Unusable
from controller.run.engine import Engine
from controller.settings import BenchInvalid, Settings
from controller.settings import load as load_settings
from controller.store.changes import AuditEntry
from controller.store.errors import DirectoryTaken
from drivers.core.errors import OsteonError
from protocols import machine
from protocols.effects import Transfer, Watch
from protocols.faults import ProtocolInvalid
from protocols.loading import load
from protocols.planning import plan
from protocols.states import RunState
from simulators import world
from simulators.bench import START, read
from simulators.core.time import VirtualLoop
from simulators.demo import installation
from simulators.rehearsal import REHEARSER, Progress, Rehearsal
from simulators.rehearsing import bar

DAY_S = 86_400.0
COARSE_S = 180.0
"""A past is polled so seldom, where its devices allow it: 16 days at 10 s would take three times as long."""
WATCHDOG_PART = 0.75
"""Of a device's watchdog: here nothing gets lost on a cable, so that a quarter of it is enough to answer in."""
FINE_S = 8 * 3600.0
"""The last hours are polled as the bench file says: they are what the charts show first."""
PATIENCE_S = 2 * DAY_S
"""Longest wait for a quiet moment beyond the day asked for."""
LOOK_S = 60.0
PROGRESS_S = 0.25
"""Wall seconds between two words about how far it is."""
MARK, PROGRESS, STATE = "rehearsal", "progress.json", "world.json"
"""Files of the work folder: "we made this folder", how far it is, and the world's state, written when all is there."""
LEFT_BEHIND = frozenset({MARK, PROGRESS, STATE, "controller.lock"})


class NoPast(OsteonError):
    """There can be no such past, and why."""


class Past:
    """A rehearsal that ends on a culture day instead of at the protocol's end."""

    def __init__(self, settings: Settings, config: Mapping[str, Any], work: Path, seed: int) -> None:
        self.settings, self.config, self.seed = settings, config, seed
        name = installation(settings)
        self.rehearsal = Rehearsal(settings, config, work, seed, installation=name)

    async def run(self, text: str, days: float, progress: Progress) -> dict[str, object]:
        """Live to the first quiet moment `days` after the start and end in order; the world as it is left.

        Raises NoPast when the run rests or ends before."""
        async with self.rehearsal.alive(text, {}, progress) as (engine,):
            target = engine.plan.start + days * DAY_S
            self._poll(COARSE_S)
            await self._reach(engine, max(engine.plan.start, target - FINE_S))
            self._poll(0.0)
            await self._reach(engine, target)
            await self._quiet(engine, target + PATIENCE_S)
            await self._say_so(engine, days)
        now = asyncio.get_running_loop().time()
        return world.state_of(self.rehearsal.bench, self.config, now)

    def _poll(self, period_s: float) -> None:
        """At least so many seconds between polls, and well below what a device's watchdog allows."""
        own = {each.name: each.poll_s for each in self.settings.devices}
        for name, keeper in self.rehearsal.controller.bench.keepers.items():
            watchdog_s = float(getattr(keeper.device, "watchdog_s", 0.0)) or COARSE_S / WATCHDOG_PART
            keeper.every(max(own[name], min(period_s, watchdog_s * WATCHDOG_PART)))

    async def _reach(self, engine: Engine, at: float) -> None:
        operator = self.rehearsal.operator
        try:
            async with asyncio.timeout_at(at):
                while engine.run.state is not RunState.HELD and not engine.ended:
                    engine.changed.clear()
                    await engine.changed.wait()
                    operator.changed.set()
        except TimeoutError:
            return
        raise NoPast(f"{_day(engine)}: the run is {engine.run.state.value} ({engine.run.why})")

    async def _quiet(self, engine: Engine, at_most: float) -> None:
        """Wait until no fluid moves, nothing is watched, no question is open: then a controller may end."""
        loop = asyncio.get_running_loop()
        while not quiet(engine):
            if loop.time() > at_most:
                raise NoPast(f"{_day(engine)}: the run came to no quiet moment")
            await self._reach(engine, loop.time() + LOOK_S)

    async def _say_so(self, engine: Engine, days: float) -> None:
        """The records themselves say what they are."""
        ledger = self.rehearsal.controller.ledger
        if ledger is not None:
            new = {"rehearsed_days": days, "seed": self.seed, "polled_every_s": COARSE_S}
            by = (REHEARSER.name, REHEARSER.role, REHEARSER.authenticated_by)
            reason = "everything up to here was rehearsed on simulated devices in virtual time"
            entry = AuditEntry(
                "past rehearsed", "run", engine.run_id, *by, new=new, reason=reason, run_id=engine.run_id
            )
            await ledger.commit([], [entry])


def quiet(engine: Engine) -> bool:
    """Whether a controller may end and another begin without anything being missed or measured twice."""
    run = engine.run
    busy = any(isinstance(effect, Transfer | Watch) for effect in machine.wanted(engine.plan, run))
    asked = any(active.question for active in run.active.values())
    return run.state is RunState.RUNNING and not busy and not asked and not engine.doors.ledger.open_doses()


def _day(engine: Engine) -> str:
    return f"no past to open with: on day {(engine.doors.clock.now() - engine.plan.start) / DAY_S:.1f}"


def rehearse(bench: Path, work: Path, protocol: str, days: float, seed: int, progress: Progress) -> None:
    """Fill the work folder; its state file is written last. Raises what a controller's start raises, and NoPast."""
    settings, config = load_settings(bench), read(bench)
    found = load(protocol)
    planned = plan(found, START, settings.bench.zone)
    last = max((node.due for node in planned.nodes.values() if node.due is not None), default=START)
    if last < START + days * DAY_S:
        left = f"{found.name} has its last step on day {(last - START) / DAY_S:.1f}"
        raise NoPast(f"{left}; name an earlier one with --day")
    past = Past(settings, config, work, seed)
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(START)) as runner:
        try:
            state = runner.run(past.run(found.text, days, progress))
        except ExceptionGroup as errors:
            first, *more = errors.exceptions
            if more:
                raise
            raise first from None  # a refusal is said in one sentence, by `main`
    world.save(work / STATE, state)


def begin(work: Path) -> None:
    """An empty work folder; what an interrupted job left in it is thrown away. NoPast when we did not make it."""
    if work.exists() and any(work.iterdir()):
        if not (work / MARK).exists():
            raise NoPast(f"{work} holds something that no demo made; name another folder with --data")
        shutil.rmtree(work)
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    (work / MARK).touch()


def hand_over(work: Path, data: Path) -> None:
    """Move the records to where the controller looks for them, the world's state last; may be done again."""
    for path in sorted(work.iterdir()):
        if path.name not in LEFT_BEHIND:
            path.replace(data / path.name)
    (work / STATE).replace(data / STATE)
    shutil.rmtree(work)


def teller(work: Path, days: float) -> Progress:
    """Tells how far it is: in a file for whoever shows it, and on a terminal."""
    show, last = (bar(days) if sys.stderr.isatty() else None), 0.0

    def progress(day: float, state: str) -> None:
        nonlocal last
        if show is not None:
            show(day, state)
        if time.perf_counter() - last >= PROGRESS_S:
            last = time.perf_counter()
            new = work / (PROGRESS + ".new")
            new.write_text(json.dumps({"day": round(day, 2), "of": days}))
            new.replace(work / PROGRESS)

    return progress


def main(argv: list[str] | None = None) -> int:
    """`python -m simulators past …`; 0 = the past is there, 1 = there can be none."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators past",
        description=__doc__,
        epilog="example: python -m simulators past --bench stirred-100.toml --data DATA --work DATA/past "
        "--protocol adsc-osteo-spheroid-28d --day 16",
    )
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="where the records and the world's state go")
    parser.add_argument("--work", type=Path, required=True, help="where they are made, on the same disk")
    parser.add_argument("--protocol", required=True)
    parser.add_argument("--day", type=float, required=True, help="days from the start to the hand-over")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    usual = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)  # hardly anything here is a cycle: looking for them is a tenth of the time
    try:
        if not (asked.work / STATE).exists():
            begin(asked.work)
            rehearse(asked.bench, asked.work, asked.protocol, asked.day, asked.seed, teller(asked.work, asked.day))
        hand_over(asked.work, asked.data)
    except (BenchInvalid, ProtocolInvalid, Unusable, DirectoryTaken, OsteonError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        gc.set_threshold(*usual)
    return 0
