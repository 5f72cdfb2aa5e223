"""Cost of a durable step (intent commit + result commit, each with audit and journal) against a bare fdatasync loop.

Floor and ledger in turn on the same disk; the ratio is formed inside a round. Goal 0.20, accepted from 0.12
(performance.md §10).
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, Options, median
from controller.clock import Clock
from controller.store.changes import AuditEntry, Insert, JournalEntry, Update
from controller.store.ledger import Ledger
from simulators.core.time import VirtualLoop

SECONDS = 1.5


def fdatasync_rate(folder: Path) -> float:
    """Appends of 128 bytes, each made durable, per second."""
    descriptor = os.open(folder / "floor", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sync = getattr(os, "fdatasync", os.fsync)
    record, count, start = b"x" * 128, 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        os.write(descriptor, record)
        sync(descriptor)
        count += 1
    elapsed = time.perf_counter() - start
    os.close(descriptor)
    return count / elapsed


async def step_rate(folder: Path) -> float:
    """Durable steps per second: a dose intended and done, in two commits through the worker thread."""
    ledger = Ledger.open(folder, Clock.real("Asia/Tokyo"), "benchmark")
    await ledger.new_epoch()
    by = AuditEntry("run.created", "run", "r1", "operator:benchmark")
    await ledger.commit([Insert("runs", {"run_id": "r1", "created_at": 0.0, "state": "RUNNING"})], [by])
    for n in range(20):
        await step(ledger, -n - 1)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        await step(ledger, count)
        count += 1
    elapsed = time.perf_counter() - start
    ledger.close()
    return count / elapsed


async def step(ledger: Ledger, number: int) -> None:
    dose = f"r1/feed/{number}/fill/deliver/1"
    path = f"stage/feed/{number}/exchange"
    intent = {
        "dose_id": dose, "run_id": "r1", "path": path, "part": "fill", "stroke": "deliver", "fluid": "medium",
        "fluid_path": "medium in", "device": "pump_in", "identity": "NE1000 V3.61 0", "target_ml": 18.0,
        "tolerance_ml": 0.4, "cap_ml": 20.0, "rate_ml_min": 1.0, "epoch": ledger.epoch, "state": "intended",
        "drawn_before_ml": 1234.5, "delivered_before_ml": 1216.5, "resolution_ml": 0.01, "intended_at": 1.0,
    }  # fmt: skip
    audit = AuditEntry("dose.intended", "dose", dose, "controller", new=18.0, unit="mL", run_id="r1", step=path)
    await ledger.commit([Insert("doses", intent)], [audit], [JournalEntry("r1", 1.0, {"kind": "intent", "dose": dose})])
    result = {"state": "done", "after_ml": 1234.5, "moved_ml": 18.0, "sent_at": 2.0, "ended_at": 3.0}
    audit = AuditEntry("dose.done", "dose", dose, "controller", new=18.0, unit="mL", run_id="r1", step=path)
    event = {"kind": "TransferEnded", "path": path, "part": "fill", "outcome": "done", "counter_ml": 18.0}
    await ledger.commit([Update("doses", {"dose_id": dose}, result)], [audit], [JournalEntry("r1", 3.0, event)])


def figures(options: Options) -> Iterator[Figure]:
    """Medians over the rounds; every ratio is formed inside its round."""
    floors, real, inline = list[float](), list[float](), list[float]()
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="osteon-bench-") as name:
            floors.append(fdatasync_rate(Path(name)))
            real.append(asyncio.run(step_rate(Path(name) / "real")) / floors[-1])
            inline.append(run_virtual(Path(name) / "virtual") / floors[-1])
    floor = median(floors)
    yield Figure(
        "intent and result, each with audit and journal", median(real) * floor, "a second",
        "0.12 of the floor, hoped 0.20", median(real) >= 0.12, floor, "bare fdatasync a second",
    )  # fmt: skip
    yield Figure(
        "the same without a worker thread, as in rehearsals", median(inline) * floor, "a second",
        "0.12 of the floor", median(inline) >= 0.12, floor, "bare fdatasync a second",
    )  # fmt: skip


def run_virtual(folder: Path) -> float:
    loop = VirtualLoop(1_767_567_600.0)
    try:
        return loop.run_until_complete(step_rate(folder))
    finally:
        loop.close()
