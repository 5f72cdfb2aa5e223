"""Cost of a durable step (intent commit + result commit, each with audit and journal) against a bare fdatasync loop.

Run: python benchmarks/durable_step.py [rounds]. Every line is one round; the ratio is formed inside the round, floor
and ledger in turn on the same disk. Goal 0.20, accepted from 0.12 (performance.md §10).
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

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


def main(rounds: int = 3) -> None:
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="osteon-bench-") as name:
            floor = fdatasync_rate(Path(name))
            real = asyncio.run(step_rate(Path(name) / "real"))
            inline = run_virtual(Path(name) / "virtual")
        print(
            f"durable step {real:.0f}/s  fdatasync {floor:.0f}/s  ratio {real / floor:.3f} (goal 0.20, accepted 0.12)  "
            f"without worker thread, as in rehearsals: {inline / floor:.3f}"
        )


def run_virtual(folder: Path) -> float:
    loop = VirtualLoop(1_767_567_600.0)
    try:
        return loop.run_until_complete(step_rate(folder))
    finally:
        loop.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
