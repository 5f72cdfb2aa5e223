"""Speed of `osteon rehearse`: the real controller, drivers, wires, plant, journal and history in virtual time.

In turn, an hour of bench time each, the rehearsal and the bare composite with as many devices run in one process; both
are charged with processor time, so that other programs on the machine disturb little. Default: two quiet days and two
with one exchange each (four_days.yaml); `--full`: all 28 days of the long protocol.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.composite import Composite
from benchmarks.figures import Figure, Options, median
from controller.settings import load as load_settings
from protocols.loading import load
from simulators.bench import START, read
from simulators.core.time import VirtualLoop
from simulators.rehearsal import Rehearsal, shipped_bench, silent

REQ = ("INV-28",)

LONG = "adsc-osteo-spheroid-28d"
SLICE = Path(__file__).parent / "four_days.yaml"
PERFUSED = Path(__file__).parent / "perfused_day.yaml"
PIECE_S = 3600.0
POLL_S = 10.0
GOAL_SPEED, GOAL_RATIO = 8_000.0, 0.4
GOAL_MB_WEEK = 1.0
GOAL_SLOWER = 1.15
"""A quiet hour of the last quarter against one of the first; pieces differ by 5 to 10 % on a shared machine."""


@dataclass
class Run:
    """Per hour of bench time: processor seconds of the rehearsal and of the floor, and resident memory, MB."""

    ours_s: list[float] = field(default_factory=list[float])
    floor_s: list[float] = field(default_factory=list[float])
    memory_mb: list[float] = field(default_factory=list[float])
    wall_s: float = 0.0
    days: float = 0.0
    state: str = ""

    @property
    def ratio(self) -> float:
        return sum(self.floor_s) / sum(self.ours_s)

    @property
    def slower(self) -> float:
        """Median quiet piece of the last quarter over that of the first, both against the floor."""
        costs = [ours / floor for ours, floor in zip(self.ours_s, self.floor_s, strict=True)][:-1]
        quarter = len(costs) // 4
        return median(costs[-quarter:]) / median(costs[:quarter])

    @property
    def mb_week(self) -> float:
        """Growth of memory from the second quarter on, MB for a simulated week."""
        quarter = len(self.memory_mb) // 4
        hours = len(self.memory_mb) - 1 - quarter
        return (self.memory_mb[-1] - self.memory_mb[quarter]) / hours * 168


def resident_mb() -> float:
    """Memory of this process, MB; 0.0 where the system has no /proc."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6
    except OSError:
        return 0.0


def measure(protocol: str | Path, folder: Path, bench_name: str = "stirred-100") -> Run:
    """Rehearse `protocol` and the bare composite in turn."""
    bench, run = shipped_bench(bench_name), Run()
    config = read(bench)
    rehearsal = Rehearsal(load_settings(bench), config, folder, seed=1, faults=())
    composite = Composite(folder, len(rehearsal.bench.link_of), POLL_S)
    loop = VirtualLoop(START)
    task = loop.create_task(rehearsal.run(load(protocol).text, {}, silent))
    while not task.done():
        wall, begun = time.perf_counter(), time.process_time()
        loop.run_until_complete(asyncio.wait([task], timeout=PIECE_S))
        between = time.process_time()
        run.wall_s += time.perf_counter() - wall
        composite.advance(PIECE_S)
        run.ours_s.append(between - begun)
        run.floor_s.append(time.process_time() - between)
        run.memory_mb.append(resident_mb())
    run.days, run.state = task.result().days, task.result().state
    composite.close()
    loop.close()
    return run


def figures(options: Options) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="osteon-bench-") as name:
        run = measure(LONG if options.full else SLICE, Path(name))
    seconds = run.days * 86_400
    yield Figure(
        f"{run.days:.1f} days rehearsed to {run.state}", seconds / sum(run.ours_s), "x real time (processor time)",
        f"at least {GOAL_RATIO} of the floor", run.ratio >= GOAL_RATIO,
        seconds / sum(run.floor_s), "of the bare composite",
    )  # fmt: skip
    speed = seconds / run.wall_s
    yield Figure("the same by the wall clock", speed, "x real time", f"{GOAL_SPEED:,.0f}", speed >= GOAL_SPEED)
    yield Figure(
        "cost of an hour, last quarter of the run", run.slower, "x the first quarter",
        f"at most {GOAL_SLOWER}", run.slower <= GOAL_SLOWER,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="osteon-bench-") as name:
        full = measure(PERFUSED, Path(name), "perfusion-4")
    yield Figure(
        f"the bench perfusion-4, {full.days:.1f} days to {full.state}", full.days * 86_400 / sum(full.ours_s),
        "x real time (processor time)", f"at least {GOAL_RATIO} of the floor", full.ratio >= GOAL_RATIO,
        full.days * 86_400 / sum(full.floor_s), "of the bare composite",
    )  # fmt: skip
    yield Figure("growth of memory", run.mb_week, "MB a week", f"at most {GOAL_MB_WEEK:g}", run.mb_week <= GOAL_MB_WEEK)
