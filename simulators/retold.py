"""The records of a rehearsal as its report tells them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from controller.run.engine import Engine
from controller.store.digest import digest
from controller.store.reader import Reader
from controller.store.rows import TaskRow
from simulators.report.told import Happened, Result, Task, Told, Transfer

DAY_S = 86_400.0


def told(
    engine: Engine, ledger: Reader, now: float, *, title: str, bench: str, seed: int, faults: tuple[str, ...]
) -> Told:
    """Everything the page says beside the culture itself."""
    plan = engine.plan
    return Told(
        protocol=plan.protocol,
        title=title,
        bench=bench,
        seed=seed,
        state=engine.run.state.value,
        why=engine.run.why,
        started=datetime.fromtimestamp(plan.start, ZoneInfo(plan.zone)).strftime("%A %Y-%m-%d %H:%M"),
        days=(now - plan.start) / DAY_S,
        digest=digest(ledger),
        faults=faults,
        doses=tuple(transfers(engine, ledger)),
        tasks=tuple(_task(row, plan.start) for row in ledger.tasks(engine.run_id) if row.state == "answered"),
        results=tuple(_results(engine, ledger)),
        events=tuple(sorted(_events(engine, ledger), key=lambda each: each.day)),
    )


def transfers(engine: Engine, ledger: Reader) -> Iterator[Transfer]:
    """Every ended transfer of the run, as its events told it."""
    asked: dict[tuple[str, str], float] = {}
    for row in ledger.doses(engine.run_id):
        asked.setdefault((row.path, row.part), row.cap_ml or 0.0)
    for row in ledger.events(engine.run_id):
        event: Mapping[str, Any] = row.event
        if event.get("t") == "TransferEnded":
            key = (event["path"], event["part"])
            day = (row.at - engine.plan.start) / DAY_S
            yield Transfer(day, *key, asked.get(key, 0.0), event.get("counter_ml"), event.get("witness_ml"))


def _task(row: TaskRow, start: float) -> Task:
    at = row.answered_at or row.opened_at
    late_s = 0.0 if row.due is None else at - row.due - float(row.hand.get("overdue_s") or 0.0)
    entries: Mapping[str, object] = row.entries or {}
    wrote = ", ".join(f"{name} {_said(value)}" for name, value in entries.items())
    return Task((at - start) / DAY_S, row.title, row.answered_by, max(0.0, late_s) / 3600, wrote)


def _said(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _results(engine: Engine, ledger: Reader) -> Iterator[Result]:
    """Numbers of samples, at the moment each sample was taken."""
    taken = {row.path: row.answered_at for row in ledger.tasks(engine.run_id)}
    for row in ledger.sample_results(engine.run_id):
        if isinstance(row.value, int | float) and not isinstance(row.value, bool):
            at = taken.get(row.path) or row.at
            yield Result((at - engine.plan.start) / DAY_S, row.name, float(row.value))


def _events(engine: Engine, ledger: Reader) -> Iterator[Happened]:
    start = engine.plan.start
    for row in ledger.deviations(engine.run_id):
        yield Happened((row.at - start) / DAY_S, "deviation", row.text)
    for row in ledger.alarms():
        yield Happened((row.raised_at - start) / DAY_S, f"alarm, {row.priority}", row.text)
