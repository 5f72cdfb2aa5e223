"""What vessels hold and what flowed into them, carried along with the ledger: a stroke costs the same on any day.

Built once from all rows, at the first question after a start; then each commit brings only what it changed, which the
audit trail tells. So they are what the ledger says at every moment, whoever wrote it and whatever became of the task
that did.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from controller.run.books import booked, measured, moves_of_hand, shown, transfers
from controller.run.caps import Inflow
from controller.run.intents import Intent
from controller.run.timeline import Timeline
from controller.run.volumes import Held, Move, Volume
from controller.settings import UnitSettings
from controller.store.ledger import Ledger
from controller.store.rows import TaskRow

DOSED, BY_HAND, MEASURED = 0, 1, 2
"""Moves of the same moment count in this order: a measurement has seen the others."""


class Books:
    """The moves of the vessel in one run, as booked and as a person should see them."""

    def __init__(self, ledger: Ledger, run_id: str, unit: UnitSettings, start: float) -> None:
        self.ledger, self.run_id, self.unit, self.start = ledger, run_id, unit, start
        empty = Held(0.0, 0.0, start)
        self._booked = Timeline[tuple[int, int], Move, Held](empty, Held.moved)
        self._shown = Timeline[tuple[int, int], Move, Held](empty, Held.moved)
        self._number: dict[tuple[str, ...], int] = {}
        for rows in transfers(ledger, run_id).values():
            self._transfer(rows)
        for task in ledger.tasks(run_id):
            self._task(task)
        self.measured()

    def held(self, at: float, *, under_way: bool) -> Volume:
        moves = self._shown if under_way else self._booked
        return moves.until(at).at(at, self.unit.vessel.evaporation_ml_day)

    def dosed(self, path: str, part: str) -> None:
        """Look at a transfer again."""
        rows = [Intent.of(row) for row in self.ledger.doses(self.run_id, path) if row.part == part]
        if rows:
            self._transfer(rows)

    def by_hand(self, path: str) -> None:
        """Look at a task again."""
        task = self.ledger.task(self.run_id, path)
        if task is not None:
            self._task(task)

    def measured(self) -> None:
        """Look at what the vessel was found to hold again."""
        self._put((MEASURED, 0), found := measured(self.ledger, self.unit.name, self.start), found)

    def _transfer(self, rows: list[Intent]) -> None:
        number = self._numbered(rows[0].path, rows[0].part)
        self._put((DOSED, number), booked(rows, self.unit), shown(rows, self.unit))

    def _task(self, task: TaskRow) -> None:
        moves = moves_of_hand(task)
        self._put((BY_HAND, self._numbered(task.path)), moves, moves)

    def _numbered(self, *names: str) -> int:
        """In the order in which the ledger got them."""
        return self._number.setdefault(names, len(self._number))

    def _put(self, owner: tuple[int, int], booked: list[Move], shown: list[Move]) -> None:
        self._booked.put(owner, [(move.at, move) for move in booked])
        self._shown.put(owner, [(move.at, move) for move in shown])


class Accounts:
    """The books of every run and the inflow of every unit that somebody has asked for."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._seq = ledger.seq
        self._books: dict[str, Books] = {}
        self._inflows: dict[str, Inflow] = {}
        self._unit_of: dict[str, str] = {}

    def volume(self, run_id: str, unit: UnitSettings, start: float, at: float, *, under_way: bool = False) -> Volume:
        """What the unit's vessel holds at a time up to now, by its books; `under_way`: as the page shows it in
        mid-withdrawal. `start`: when the run began."""
        self._follow()
        books = self._books.get(run_id)
        if books is None or books.unit is not unit or books.start != start:
            books = self._books[run_id] = Books(self.ledger, run_id, unit, start)
        return books.held(at, under_way=under_way)

    def inflow(self, unit: str) -> Inflow:
        """What flowed into the vessel of a unit, in all its runs."""
        self._follow()
        if unit not in self._inflows:
            self._inflows[unit] = Inflow(Intent.of(row) for row in self.ledger.doses_of_unit(unit))
        return self._inflows[unit]

    def _follow(self) -> None:
        """Bring every account up to the last commit; one row changed twice is looked at once."""
        if self.ledger.seq == self._seq:
            return
        for table, name, path in dict.fromkeys(self._changed()):
            match table:
                case "doses":
                    self._dose(name)
                case "tasks" if name in self._books:
                    self._books[name].by_hand(path)
                case "volumes":
                    for books in self._books.values():
                        if books.unit.name == name:
                            books.measured()
                case _:
                    pass

    def _changed(self) -> Iterator[tuple[str, str, str]]:
        """Table and key of rows that were written since: a dose, a run with the path of its task, a unit."""
        for sealed in self.ledger.sealed(self._seq):
            for _, table, where, values in json.loads(sealed.entry).get("changes", ()):
                row = where | values
                match table:
                    case "doses":
                        yield table, row["dose_id"], ""
                    case "tasks":
                        yield table, row["run_id"], row["path"]
                    case "volumes":
                        yield table, row["unit"], ""
                    case _:
                        pass
            self._seq = sealed.seq

    def _dose(self, dose_id: str) -> None:
        row = self.ledger.dose(dose_id)
        if row is None or row.run_id is None:
            return
        if row.run_id in self._books:
            self._books[row.run_id].dosed(row.path, row.part)
        if (inflow := self._inflows.get(self._unit(row.run_id))) is not None:
            inflow.put(Intent.of(row))

    def _unit(self, run_id: str) -> str:
        if run_id not in self._unit_of:
            run = self.ledger.run(run_id)
            self._unit_of[run_id] = "" if run is None else run.unit
        return self._unit_of[run_id]
