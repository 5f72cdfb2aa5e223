"""What a step costs late in a long run against early in it, and a dose with few and with many others on record.

The real controller on a simulated bench in virtual time; processor time, as other programs disturb that little. The
long run has 10,000 steps, four waits of a second after each set point. The doses go under caps into one vessel; those
on record before them are rows of the same run, written through the ledger's own door.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, Options, median
from benchmarks.planning import HEAD
from controller.run.engine import Engine
from controller.settings import load as load_settings
from controller.settings import parse
from controller.store.changes import AuditEntry, Insert
from protocols.states import RunState
from simulators.bench import START, read
from simulators.core.time import VirtualLoop
from simulators.rehearsal import Rehearsal, shipped_bench, silent

STEP = "      - set: {temperature: 37.0 degC}\n" + "      - wait: 1 s\n" * 4
STEPS, SHORT_STEPS, PIECES = 10_000, 2_000, 40
FEW, MANY = 10, 5_000
"""Doses on record."""
GOAL = 1.15
MEASURED = 25
"""Doses that are measured, each of one drawing and one delivering stroke."""
SEEDED_ML = 0.002
BY = AuditEntry("doses seeded", "run", "run-1", "benchmark")
CAPS = "[units.caps.all]\ndose_ml = 10\nhour_ml = 90\nday_ml = 90\nrun_ml = 90\n"
MEDIUM = "materials:\n  medium: {recipe: test medium, keeps: 7 d at 4 degC}\n"
DOSES = f"""
{HEAD.replace("[temperature]", "[temperature, medium in]").replace("environment:", f"{MEDIUM}environment:")}
      - hand: Hang a bottle of medium, line over the cup
        acts: [{{renew: 250 mL, of: medium}}, {{line: to cup}}]
        takes: 5 min
      - prime: {{volume: 10 mL, of: medium, at: 10 mL/min}}
        at most: 45 min
      - hand: Line into the vessel
        acts: [{{line: to vessel}}]
        takes: 5 min
"""
FILL = "      - fill: {into: reactor, volume: 0.5 mL, of: medium, at: 10 mL/min}\n        at most: 10 min\n"


def steps(folder: Path, many: int) -> list[float]:
    """Processor seconds of a step in each fortieth part of a run of `many` steps."""
    rehearsal = Rehearsal(load_settings(shipped_bench()), read(shipped_bench()), folder, seed=1)
    loop, found = VirtualLoop(START), list[float]()
    task = loop.create_task(rehearsal.run(HEAD + STEP * (many // 5), {}, silent))
    while not task.done():
        begun = time.process_time()
        loop.run_until_complete(asyncio.wait([task], timeout=0.8 * many / PIECES))
        found.append((time.process_time() - begun) / (many / PIECES))
    loop.close()
    if not task.result().complete:
        raise RuntimeError(task.result().why)
    return found[1:PIECES]  # the first has the start in it


def stroke(folder: Path, before: int) -> float:
    """Processor seconds of a stroke in a run that has `before` other doses on record."""
    toml = shipped_bench().read_text("utf-8").replace("[units.roles]", f"{CAPS}[units.roles]")
    rehearsal = Rehearsal(parse(toml), read(shipped_bench()), folder, seed=1)
    loop = VirtualLoop(START)
    took_s = loop.run_until_complete(strokes(rehearsal, before))
    loop.close()
    return took_s / (2 * MEASURED)


async def strokes(rehearsal: Rehearsal, before: int) -> float:
    """From the second dose to the last: the first rebuilds what is carried along."""
    async with rehearsal.alive(DOSES + FILL * (MEASURED + 1), {}, silent) as (engine,):
        await engine.doors.ledger.commit([seeded(engine, number) for number in range(before)], [BY])
        while not any(engine.run.finished.get(path, "").startswith("done") for path in fills(engine)):
            await changed(engine)
        begun = time.process_time()
        while not engine.ended and engine.run.state is RunState.RUNNING:
            await changed(engine)
        took_s = time.process_time() - begun
        if engine.run.state is not RunState.COMPLETE:
            raise RuntimeError(f"{engine.run.state}: {engine.run.why}")
        return took_s


def fills(engine: Engine) -> list[str]:
    return [path for path in engine.plan.nodes if "/fill" in path]


async def changed(engine: Engine) -> None:
    engine.changed.clear()
    await engine.changed.wait()


def seeded(engine: Engine, number: int) -> Insert:
    """A dose delivered in the hour before, by a pump that is not there any more."""
    path, at = f"before/{number}", engine.doors.clock.now() - 3600.0 + number / 10
    row = {
        "dose_id": f"{engine.run_id}/{path}#fill.deliver.1", "run_id": engine.run_id, "path": path, "part": "fill",
        "stroke": "deliver", "number": 1, "fluid": "medium", "fluid_path": "medium in", "device": "pump_in",
        "identity": "another", "target_ml": SEEDED_ML, "tolerance_ml": SEEDED_ML, "cap_ml": SEEDED_ML,
        "rate_ml_min": 1.0, "epoch": engine.doors.ledger.epoch, "state": "done", "moved_ml": SEEDED_ML,
        "after_ml": 1.0, "drawn_before_ml": 1.0, "delivered_before_ml": 1.0, "resolution_ml": 0.001,
        "intended_at": at, "ended_at": at, "evidence": "seeded",
    }  # fmt: skip
    return Insert("doses", row)


def figures(options: Options) -> Iterator[Figure]:
    many = STEPS if options.full else SHORT_STEPS
    with tempfile.TemporaryDirectory(prefix="osteon-bench-") as name:
        costs = steps(Path(name), many)
    quarter = len(costs) // 4
    first, last = median(costs[:quarter]), median(costs[-quarter:])
    yield Figure(
        f"a step in the last quarter of {many:,}", 1e6 * last, "us", f"at most {GOAL} x", last <= GOAL * first,
        1e6 * first, "us in the first quarter",
    )  # fmt: skip
    few, much = (median([fresh(before) for _ in range(options.rounds)]) for before in (FEW, MANY))
    yield Figure(
        f"a stroke with {MANY:,} doses on record", 1000 * much, "ms", f"at most {GOAL} x", much <= GOAL * few,
        1000 * few, f"ms with {FEW}",
    )  # fmt: skip


def fresh(before: int) -> float:
    with tempfile.TemporaryDirectory(prefix="osteon-bench-") as name:
        return stroke(Path(name), before)
