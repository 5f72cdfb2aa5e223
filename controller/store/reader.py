"""Everything that is asked of the ledger: short queries over one read-only connection, compiled once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from sqlalchemy import ColumnElement, Select, Table, bindparam, func, literal_column, select

from controller.store import schema
from controller.store.chain import Sealed
from controller.store.errors import LedgerDamaged
from controller.store.migrations import NEWEST
from controller.store.rows import (
    AlarmRow,
    AuditRow,
    BatchEdgeRow,
    BatchRow,
    CalibrationRow,
    ConfigurationRow,
    DeviationRow,
    DeviceRow,
    DonorRow,
    DoseRow,
    JournalRow,
    LotRow,
    LotUseRow,
    OutageRow,
    OutingRow,
    PhotoRow,
    PointRow,
    ReleaseRow,
    RunRow,
    SampleResultRow,
    TaskRow,
    VolumeRow,
)
from controller.store.statements import compiled

NAME = "ledger.db"
PHOTOS_SINCE = 9
"""Schema."""
Row = TypeVar("Row")
IN_ORDER: ColumnElement[Any] = literal_column("rowid")
"""Rows come back in the order in which they were first written."""


class Query(Generic[Row]):
    """One table, a condition and an order, compiled to SQL; rows come out as `row` with their JSON decoded."""

    __slots__ = ("_json", "_row", "_sql", "_values")

    def __init__(
        self, table: Table, row: type[Row], *where: ColumnElement[bool], order: Any = IN_ORDER, most: int | None = None
    ) -> None:
        asked: Select[Any] = select(table).where(*where).order_by(order)
        made = compiled(asked)
        self._sql = made.sql if most is None else f"{made.sql} LIMIT {most}"
        self._values, self._row = made.names, row
        self._json = [index for index, column in enumerate(table.columns) if column.info.get("json")]

    def __call__(self, connection: sqlite3.Connection, **values: object) -> list[Row]:
        found = connection.execute(self._sql, [values[name] for name in self._values]).fetchall()
        return [self._row(*self._decoded(row)) for row in found]

    def _decoded(self, row: tuple[Any, ...]) -> tuple[Any, ...] | list[Any]:
        if not self._json:
            return row
        columns = list(row)
        for index in self._json:
            columns[index] = json.loads(columns[index])
        return columns


def _is(table: Table, column: str) -> ColumnElement[bool]:
    return table.c[column] == bindparam(column)


class Queries:
    """The compiled queries, made at the first reader of a process."""

    def __init__(self) -> None:
        runs, doses, tasks, alarms = schema.runs, schema.doses, schema.tasks, schema.alarms
        self.runs = Query(runs, RunRow)
        self.run = Query(runs, RunRow, _is(runs, "run_id"))
        after = schema.journal.c.seq > bindparam("after")
        self.events = Query(
            schema.journal, JournalRow, _is(schema.journal, "run_id"), after, order=schema.journal.c.seq
        )
        self.doses = Query(doses, DoseRow)
        self.doses_of_run = Query(doses, DoseRow, _is(doses, "run_id"))
        self.doses_of_path = Query(doses, DoseRow, _is(doses, "run_id"), _is(doses, "path"))
        path = doses.c.path
        within = path >= bindparam("first"), path < bindparam("behind")
        self.doses_below = Query(doses, DoseRow, _is(doses, "run_id"), *within)
        self.last_dose = Query(doses, DoseRow, _is(doses, "device"), order=IN_ORDER.desc(), most=1)
        of_unit = select(runs.c.run_id).where(_is(runs, "unit"))
        self.doses_of_unit = Query(doses, DoseRow, doses.c.run_id.in_(of_unit))
        self.dose = Query(doses, DoseRow, _is(doses, "dose_id"))
        opened = doses.c.state.in_([literal_column(f"'{state}'") for state in schema.OPEN_DOSE_STATES])
        self.open_doses = Query(doses, DoseRow, opened)
        unknown = doses.c.state == literal_column("'unknown'")
        self.unsettled_doses = Query(doses, DoseRow, (opened | unknown), doses.c.decided_by == literal_column("''"))
        self.tasks = Query(tasks, TaskRow)
        self.tasks_of_run = Query(tasks, TaskRow, _is(tasks, "run_id"))
        self.task = Query(tasks, TaskRow, _is(tasks, "run_id"), _is(tasks, "path"))
        self.results = Query(schema.sample_results, SampleResultRow, _is(schema.sample_results, "run_id"))
        releases = schema.releases
        self.releases = Query(releases, ReleaseRow, _is(releases, "batch"), order=releases.c.id)
        self.alarms = Query(alarms, AlarmRow)
        self.open_alarms = Query(alarms, AlarmRow, alarms.c.state != literal_column("'NORMAL'"))
        self.outages = Query(schema.outages, OutageRow)
        self.deviations = Query(schema.deviations, DeviationRow)
        self.deviations_of_run = Query(schema.deviations, DeviationRow, _is(schema.deviations, "run_id"))
        self.devices = Query(schema.devices, DeviceRow, order=schema.devices.c.name)
        self.points = Query(schema.points, PointRow, order=schema.points.c.output)
        calibrations = schema.calibrations
        self.calibrations = Query(calibrations, CalibrationRow)
        self.calibrations_of = Query(calibrations, CalibrationRow, _is(calibrations, "device"))
        configurations = schema.configurations
        seen, accepted = configurations.c.first_seen_at, configurations.c.accepted_at
        self.configurations = Query(configurations, ConfigurationRow, order=seen)
        self.accepted = Query(configurations, ConfigurationRow, accepted.is_not(None), order=accepted)
        self.configuration = Query(configurations, ConfigurationRow, _is(configurations, "digest"))
        self.lots = Query(schema.materials, LotRow)
        self.lot = Query(schema.materials, LotRow, _is(schema.materials, "lot"))
        self.lot_uses = Query(schema.lot_uses, LotUseRow)
        self.batches = Query(schema.batches, BatchRow)
        self.batch = Query(schema.batches, BatchRow, _is(schema.batches, "batch"))
        self.batch_edges = Query(schema.batch_edges, BatchEdgeRow)
        self.outings = Query(schema.outings, OutingRow, _is(schema.outings, "run_id"), order=schema.outings.c.back_at)
        photos, donors = schema.photos, schema.unit_donors
        self.photos = Query(photos, PhotoRow)
        self.photos_of_run = Query(photos, PhotoRow, _is(photos, "run_id"))
        self.photo = Query(photos, PhotoRow, _is(photos, "photo"))
        self.donors = Query(donors, DonorRow, order=donors.c.id)
        self.volumes = Query(schema.volumes, VolumeRow, _is(schema.volumes, "unit"))
        audit, answers = schema.audit.c, schema.answers.c
        self.answer = compiled(select(answers.answer).where(answers.key == bindparam("key"))).sql
        self.answered_for = compiled(select(answers.run_id).where(answers.key == bindparam("key"))).sql
        self.sealed = compiled(
            select(audit.seq, audit.entry, audit.hash).where(audit.seq > bindparam("after")).order_by(audit.seq)
        ).sql
        self.head = compiled(select(audit.seq, audit.hash).order_by(audit.seq.desc())).sql + " LIMIT 1"
        self.meta = compiled(select(schema.meta.c.value).where(schema.meta.c.key == bindparam("key"))).sql
        self.epoch = compiled(select(func.coalesce(func.max(schema.epochs.c.epoch), literal_column("0")))).sql
        self.journal = compiled(select(schema.journal).order_by(schema.journal.c.seq)).sql


@cache
def queries() -> Queries:
    return Queries()


class Reader:
    """The ledger, read only. Every answer is what was committed at the moment of asking."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self._reads = connection
        self._ask = queries()

    @classmethod
    def open_read_only(cls, folder: Path) -> Reader:
        """For a second process or a copy: never writes. FileNotFoundError, LedgerDamaged."""
        return Reader(folder, connect_read_only(folder / NAME))

    @property
    def outdated(self) -> bool:
        """Its tables are of an older program: only the controller of today's brings them up to date."""
        return int(self.meta("schema_version") or 0) < NEWEST

    @property
    def has_photos(self) -> bool:
        """Whether its tables are of a program that knew photos (a copy of an older ledger is looked at as it is)."""
        return int(self.meta("schema_version") or 0) >= PHOTOS_SINCE

    def close(self) -> None:
        self._reads.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def runs(self) -> list[RunRow]:
        return self._ask.runs(self._reads)

    def run(self, run_id: str) -> RunRow | None:
        return first(self._ask.run(self._reads, run_id=run_id))

    def events(self, run_id: str, after_seq: int = 0) -> list[JournalRow]:
        """The journal of a run, in order."""
        return self._ask.events(self._reads, run_id=run_id, after=after_seq)

    def doses(self, run_id: str | None = None, path: str | None = None) -> list[DoseRow]:
        """All doses; of one run; or of one step of a run, in the order in which they were intended."""
        if run_id is None:
            return self._ask.doses(self._reads)
        if path is None:
            return self._ask.doses_of_run(self._reads, run_id=run_id)
        return self._ask.doses_of_path(self._reads, run_id=run_id, path=path)

    def doses_of_unit(self, unit: str) -> list[DoseRow]:
        """Of all runs of a unit."""
        return self._ask.doses_of_unit(self._reads, unit=unit)

    def doses_below(self, run_id: str, path: str) -> list[DoseRow]:
        """Of all steps below `path`."""
        return self._ask.doses_below(self._reads, run_id=run_id, first=f"{path}/", behind=f"{path}0")

    def last_dose(self, device: str) -> DoseRow | None:
        """The one that was intended last with this device."""
        return first(self._ask.last_dose(self._reads, device=device))

    def dose(self, dose_id: str) -> DoseRow | None:
        return first(self._ask.dose(self._reads, dose_id=dose_id))

    def open_doses(self) -> list[DoseRow]:
        """Doses begun whose end is not on record: intended, sent, moving or fenced."""
        return self._ask.open_doses(self._reads)

    def unsettled_doses(self) -> list[DoseRow]:
        """Open ones, and those of unknown end that nobody has decided about. Few, however long the ledger is."""
        return self._ask.unsettled_doses(self._reads)

    def tasks(self, run_id: str | None = None, open_only: bool = False) -> list[TaskRow]:
        found = self._ask.tasks(self._reads) if run_id is None else self._ask.tasks_of_run(self._reads, run_id=run_id)
        return [task for task in found if task.state == "open"] if open_only else found

    def task(self, run_id: str, path: str) -> TaskRow | None:
        return first(self._ask.task(self._reads, run_id=run_id, path=path))

    def releases(self, batch: str) -> list[ReleaseRow]:
        """The steps of a batch's release, in order."""
        return self._ask.releases(self._reads, batch=batch)

    def sample_results(self, run_id: str) -> list[SampleResultRow]:
        return self._ask.results(self._reads, run_id=run_id)

    def alarms(self, open_only: bool = False) -> list[AlarmRow]:
        """All alarms, or those that are not back to NORMAL."""
        return self._ask.open_alarms(self._reads) if open_only else self._ask.alarms(self._reads)

    def outages(self) -> list[OutageRow]:
        return self._ask.outages(self._reads)

    def deviations(self, run_id: str | None = None) -> list[DeviationRow]:
        if run_id is None:
            return self._ask.deviations(self._reads)
        return self._ask.deviations_of_run(self._reads, run_id=run_id)

    def devices(self) -> list[DeviceRow]:
        """Who answered at each place when it was first used (EQ-05)."""
        return self._ask.devices(self._reads)

    def points(self) -> dict[str, PointRow]:
        """Last commanded set point of each output."""
        return {point.output: point for point in self._ask.points(self._reads)}

    def calibrations(self, device: str | None = None) -> list[CalibrationRow]:
        """All, or those of one device, in the order in which they were begun."""
        if device is None:
            return self._ask.calibrations(self._reads)
        return self._ask.calibrations_of(self._reads, device=device)

    def configuration(self, digest: str = "", *, accepted: bool = False) -> ConfigurationRow | None:
        """The bench file with this digest; without one the newest, or the one accepted last."""
        if digest:
            return first(self._ask.configuration(self._reads, digest=digest))
        query = self._ask.accepted if accepted else self._ask.configurations
        return first(query(self._reads)[::-1])

    def lots(self) -> list[LotRow]:
        """Every lot of a material, in the order in which they were booked."""
        return self._ask.lots(self._reads)

    def lot(self, lot: str) -> LotRow | None:
        return first(self._ask.lot(self._reads, lot=lot))

    def lot_uses(self) -> list[LotUseRow]:
        """Which hand step of which run used which lot, in the order in which it was written down."""
        return self._ask.lot_uses(self._reads)

    def batches(self) -> list[BatchRow]:
        return self._ask.batches(self._reads)

    def batch(self, batch: str) -> BatchRow | None:
        return first(self._ask.batch(self._reads, batch=batch))

    def batch_edges(self) -> list[BatchEdgeRow]:
        """Which part of which batch went into which."""
        return self._ask.batch_edges(self._reads)

    def outings(self, run_id: str) -> list[OutingRow]:
        """How long vessels were out of the incubator in a run, in order."""
        return self._ask.outings(self._reads, run_id=run_id)

    def photos(self, run_id: str | None = None) -> list[PhotoRow]:
        """Pictures on record, of all runs or of one, in the order in which they came."""
        if run_id is None:
            return self._ask.photos(self._reads)
        return self._ask.photos_of_run(self._reads, run_id=run_id)

    def photo(self, photo: str) -> PhotoRow | None:
        return first(self._ask.photo(self._reads, photo=photo))

    def donors(self) -> list[DonorRow]:
        """Whose cells each unit held from when on, in order."""
        return self._ask.donors(self._reads)

    def volumes(self, unit: str) -> list[VolumeRow]:
        """What the vessel of a unit was found to hold, in order."""
        return self._ask.volumes(self._reads, unit=unit)

    def answer(self, key: str) -> Any:
        """The first answer given under an idempotency key; None when the key is new."""
        found = self._reads.execute(self._ask.answer, (key,)).fetchone()
        return json.loads(found[0]) if found else None

    def answered_for(self, key: str) -> str | None:
        """The run that the request with this idempotency key was for; None when it was for none, or is new."""
        found = self._reads.execute(self._ask.answered_for, (key,)).fetchone()
        return found[0] if found else None

    def audit(self, after_seq: int = 0, limit: int | None = None) -> list[AuditRow]:
        found = list[AuditRow]()
        for row in self.sealed(after_seq):
            if limit is not None and len(found) >= limit:
                break
            found.append(_audit_row(row))
        return found

    def sealed(self, after_seq: int = 0) -> Iterator[Sealed]:
        """The audit trail as it is stored, for verification and digests."""
        for seq, entry, digest in self._reads.execute(self._ask.sealed, (after_seq,)):
            yield Sealed(seq, entry, digest)

    def journal_text(self) -> Iterator[tuple[int, str, float, str, int]]:
        """All journal rows as they are stored: seq, run id, at, canonical event, audit seq."""
        yield from self._reads.execute(self._ask.journal)

    def head(self) -> tuple[int, str]:
        """Number and hash of the last audit entry; (0, "") when there is none."""
        found = self._reads.execute(self._ask.head).fetchone()
        return (found[0], found[1]) if found else (0, "")

    def last_at(self) -> float | None:
        """UTC seconds of the last audit entry: the controller was alive then (DX-13)."""
        seq, _ = self.head()
        entries = self.audit(seq - 1)
        return datetime.fromisoformat(entries[0].utc).timestamp() if entries else None

    def newest_epoch(self) -> int:
        """The epoch of the controller that started last (DX-05); 0 before the first."""
        return int(self._reads.execute(self._ask.epoch).fetchone()[0])

    def meta(self, key: str) -> str:
        """One fact about the ledger itself: installation, schema_version, created_at; "" when unknown."""
        found = self._reads.execute(self._ask.meta, (key,)).fetchone()
        return str(found[0]) if found else ""


def first(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None


def _audit_row(row: Sealed) -> AuditRow:
    entry = json.loads(row.entry)
    names = ("utc", "actor", "action", "object_type", "object_id", "run_id", "outcome")
    shown: dict[str, str] = {name: entry[name] for name in names}
    return AuditRow(seq=row.seq, hash=row.hash, fields=entry, **shown)


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, to a ledger that must be there."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no ledger at {path}")
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA mmap_size = 0")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        raise LedgerDamaged(f"{path} cannot be read as a ledger: {error}") from error
    return connection
