"""A ledger in virtual time, with one run in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from controller.clock import Clock
from controller.store.changes import AuditEntry, Insert
from controller.store.ledger import Hook, Ledger

AuditOf = Callable[..., AuditEntry]
Opener = Callable[..., Awaitable[Ledger]]


def entry(action: str = "test.done", **fields: object) -> AuditEntry:
    return AuditEntry(action, "test", "t1", "operator:anna", **fields)  # type: ignore[arg-type]


@pytest.fixture
def audit() -> AuditOf:
    return entry


@pytest.fixture
def open_ledger(tmp_path: Path) -> Iterator[Opener]:
    """Open the ledger of this test (again); on the first opening a run r1 is put in."""
    opened = list[Ledger]()

    async def opener(folder: Path | None = None, before: Hook | None = None, after: Hook | None = None) -> Ledger:
        clock = Clock.of_bench("Asia/Tokyo", seed=1)
        where = folder or tmp_path / "data"
        ledger = Ledger.open(where, clock, "0.1", installation="i1", before_commit=before, after_commit=after)
        opened.append(ledger)
        await ledger.new_epoch(pid=7)
        if not ledger.runs():
            row = {"run_id": "r1", "created_at": 5.0, "state": "RUNNING", "plan": {"steps": ["x" * 600]}}
            await ledger.commit([Insert("runs", row)], [entry("run.created")])
        return ledger

    yield opener
    for ledger in opened:
        ledger.close()
