"""Reading, checking and planning a protocol: the shipped 28 days, and one of 10,000 steps.

Processor time of this process, as neither waits for anything. The long one is planned with half its steps too, which
shows whether a step costs the same in a long file as in a short one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, Options, median
from protocols.loading import load
from protocols.planning import plan

LONG = "adsc-osteo-spheroid-28d"
START, ZONE = 1_767_567_600.0, "Asia/Tokyo"
STEPS = 10_000
GOAL_28D_MS, GOAL_STEPS_S, GOAL_GROWS = 300.0, 3.0, 1.5
HEAD = """protocol: many-steps
version: "1"
title: Many short waits
status: rehearsal          # not a validated or clinical protocol
species: none
vessels:
  reactor: {kind: stirred, needs: [temperature]}
environment:
  hold: {temperature: 37 degC}
  end: {temperature: 37 degC}
stages:
  - stage: Waits
    do:
"""


def took_s(source: str | Path) -> float:
    begun = time.process_time()
    plan(load(source), START, ZONE)
    return time.process_time() - begun


def figures(options: Options) -> Iterator[Figure]:
    took_s(LONG)  # loads the library
    shipped = 1000 * median([took_s(LONG) for _ in range(options.rounds)])
    yield Figure(
        f"{LONG} read, checked and planned", shipped, "ms", f"at most {GOAL_28D_MS:g} ms", shipped <= GOAL_28D_MS
    )
    with tempfile.TemporaryDirectory(prefix="osteon-bench-") as name:
        whole, half = (many(Path(name), steps, options.rounds) for steps in (STEPS, STEPS // 2))
    yield Figure(f"{STEPS:,} steps read and planned", whole, "s", f"at most {GOAL_STEPS_S:g} s", whole <= GOAL_STEPS_S)
    grows = whole / (2 * half)
    yield Figure("a step of these, against half as many", grows, "x", f"at most {GOAL_GROWS}", grows <= GOAL_GROWS)


def many(folder: Path, steps: int, rounds: int) -> float:
    file = folder / f"{steps}.yaml"
    file.write_text(HEAD + "      - wait: 1 min\n" * steps)
    return median([took_s(file) for _ in range(rounds)])
