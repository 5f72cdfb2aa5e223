"""Running balances against the ledger read anew: the same books and the same sums, whatever happened to a row."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.clock import Clock
from controller.run import caps
from controller.run.accounts import Accounts
from controller.run.books import booked, measured, moves_of_hand, shown, transfers
from controller.run.intents import Intent
from controller.run.volumes import Volume, estimate
from controller.settings import parse
from controller.store.changes import AuditEntry, Change, Insert, Update
from controller.store.ledger import Ledger
from tests.controller.quick import TOML
from tests.controller.rows import DELIVER, DRAW, intent

UNIT = parse(TOML).units[0]
BY = AuditEntry("seeded", "run", "run-1", "test")
STATES = ("done", "done", "partial", "over", "unknown", "cancelled")
OUT = {"fluid_path": "medium out", "fluid": "spent medium"}


def recomputed(ledger: Ledger, run_id: str, at: float, under_way: bool) -> Volume:
    """The books as one list, as if nothing had been carried along."""
    book = shown if under_way else booked
    found = [move for rows in transfers(ledger, run_id).values() for move in book(rows, UNIT)]
    found += [move for task in ledger.tasks(run_id) for move in moves_of_hand(task)]
    return estimate([*found, *measured(ledger, UNIT.name, 0.0)], 0.0, at, UNIT.vessel.evaporation_ml_day)


def flowed(rows: list[Intent], fluid: str | None, since: float = -1.0, run_id: str | None = None) -> float:
    return sum(
        caps.counted_ml(row)
        for row in rows
        if caps.counts(row)
        and fluid in (None, row.fluid)
        and run_id in (None, row.run_id)
        and (row.ended_at or float("inf")) > since
    )


class Story:
    """A long run by chance: doses, withdrawals in turns, strokes left open and unknown, decisions, hands, scales."""

    def __init__(self, seed: int) -> None:
        self.chance, self.now, self.number = random.Random(seed), 1000.0, 0
        self.open: list[Intent] = []
        self.unknown: list[Intent] = []
        self.tasks: list[tuple[str, str]] = []

    def later(self) -> float:
        self.now += self.chance.choice((0.0, 30.0, 600.0, 3000.0))
        return self.now

    def changes(self) -> Iterator[Change]:
        """What one commit brings."""
        self.number += 1
        run_id, path = self.chance.choice(("run-1", "run-1", "run-2")), f"feed/{self.number // 6}"
        match self.chance.randrange(9):
            case 0 if self.open:
                yield self.ended(self.open.pop())
            case 1 if self.unknown:
                row = self.unknown.pop(self.chance.randrange(len(self.unknown)))
                facts = {"state": "done", "moved_ml": row.target_ml / 2, "decided_by": "anna", "ended_at": self.later()}
                yield Update("doses", {"dose_id": row.dose_id}, facts)
            case 2:
                hand = {"acts": [{"act": self.chance.choice(("pour", "take")), "volume_ml": 3.0, "elsewhere": False}]}
                facts = {"run_id": run_id, "path": f"hand/{self.number}", "hand": hand, "opened_at": self.now}
                self.tasks.append((run_id, f"hand/{self.number}"))
                yield Insert("tasks", facts | {"state": "open"})
            case 3 if self.tasks:
                run_id, path = self.tasks.pop()
                facts = {"state": "answered", "answered_at": self.later(), "answered_by": "anna"}
                yield Update("tasks", {"run_id": run_id, "path": path}, facts)
            case 4 if self.number % 3 == 0:
                facts = {"unit": UNIT.name, "at": self.later(), "ml": 80.0, "sigma_ml": 1.0, "by": "anna", "why": ""}
                yield Insert("volumes", facts)
            case _:
                stroke = self.chance.choice((DRAW, DELIVER))
                part, how = self.chance.choice((("fill", {}), ("prime", {}), ("withdraw", OUT), ("remove", OUT)))
                facts = {"dose_id": f"{run_id}/{path}#{part}.{stroke.value}.{self.number}", "run_id": run_id}
                row = intent(
                    stroke, path=path, part=part, number=self.number, target_ml=self.chance.choice((1.1, 4.7)),
                    cap_ml=4.7, intended_at=self.later(), **facts, **how,
                )  # fmt: skip
                yield Insert("doses", row.row())
                if self.chance.random() < 0.7:
                    yield self.ended(row)
                else:
                    self.open.append(row)

    def ended(self, row: Intent) -> Update:
        state = self.chance.choice(STATES)
        moved = None if state == "unknown" else row.target_ml * self.chance.choice((0.0, 0.4, 1.0))
        if state == "unknown":
            self.unknown.append(row)
        return Update("doses", {"dose_id": row.dose_id}, {"state": state, "moved_ml": moved, "ended_at": self.later()})


@pytest.mark.req("DS-07", "DS-08")
async def test_balances_carried_along_are_those_of_the_ledger_read_anew(tmp_path: Path) -> None:
    ledger, story = Ledger.open(tmp_path, Clock.real("UTC"), installation="test"), Story(seed=1)
    await ledger.new_epoch()
    runs = [{"run_id": f"run-{n}", "unit": UNIT.name, "created_at": 0.0, "state": "RUNNING"} for n in (1, 2)]
    await ledger.commit([Insert("runs", row) for row in runs], [BY])
    carried = Accounts(ledger)
    levels = unknown = 0
    for step in range(1, 121):
        changes = [change for _ in range(5) for change in story.changes()]
        await ledger.commit(changes, [BY, BY])
        if step % 10:
            continue
        rows = [Intent.of(row) for row in ledger.doses()]
        for accounts in (carried, Accounts(ledger)) if step == 60 else (carried,):
            inflow = accounts.inflow(UNIT.name)
            for run_id in ("run-1", "run-2"):
                for at in (story.now, story.now - 5000.0):
                    for under_way in (False, True):
                        held = accounts.volume(run_id, UNIT, 0.0, at, under_way=under_way)
                        assert held == recomputed(ledger, run_id, at, under_way)
                for fluid in (None, "medium", "serum"):
                    assert inflow.of_run(run_id, fluid) == pytest.approx(flowed(rows, fluid, run_id=run_id), abs=1e-9)
            for since in (story.now - 3600.0, story.now - 86_400.0):
                assert inflow.since(since, None) == pytest.approx(flowed(rows, None, since), abs=1e-9)
        levels += any(move.level for row in transfers(ledger, "run-1").values() for move in booked(row, UNIT))
        unknown += any(row.state == "unknown" for row in rows)
    assert levels and unknown and len(ledger.doses()) > 300 and ledger.open_doses() and ledger.volumes(UNIT.name)
    ledger.close()


@pytest.mark.req("DS-10")
async def test_the_parts_of_one_dose_are_those_below_its_path(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path, Clock.real("UTC"), installation="test")
    await ledger.new_epoch()
    paths = ("a/dose", "a/dose/1", "a/dose/2/b", "a/dose.x", "a/dose1/1", "b/a/dose/1")
    rows = [intent(dose_id=path, path=path).row() for path in paths]
    run = {"run_id": "run-1", "unit": UNIT.name, "created_at": 0.0, "state": "RUNNING"}
    await ledger.commit([Insert("runs", run), *(Insert("doses", row) for row in rows)], [BY])
    assert [row.path for row in ledger.doses_below("run-1", "a/dose")] == ["a/dose/1", "a/dose/2/b"]
    last = ledger.last_dose("pump_in")
    assert last is not None and last.path == "b/a/dose/1" and ledger.last_dose("pump_out") is None
    ledger.close()
