"""Writing the history: samples are appended in memory, flushed in batches, packed into chunks (ST-06).

A database of its own with synchronous=NORMAL: a killed process loses at most what was not flushed, a power cut at most
the last commits; nothing here can block or harm the ledger (ST-01). No method raises for a disk error: `fault` tells.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, update

from controller.store.chunks import SIZE, Plain, header, pack
from controller.store.gaps import Gap
from controller.store.history_reader import CODES, NAME, HistoryReader, asked
from controller.store.history_schema import VERSION, chunks, ddl, gaps, recent, signals
from controller.store.statements import compiled

Value = float | str | bool | None
Added = tuple[str, float, Value, str]
MOST_BUFFERED = 200_000
"""Samples kept in memory while the disk refuses them; the oldest beyond are given up, with a gap marker."""
LAG = 20_000
"""Rows of `recent` after which a slow signal's few samples are packed too, so that the table stays small."""


@dataclass(slots=True)
class Track:
    """What is known in memory of one signal: its key, and its samples that are not packed yet."""

    key: int
    divisor: float = 100.0
    pending: list[Plain] = field(default_factory=list[Plain])
    first_id: int = 0
    last_ms: int = 0


class Sql:
    """Statements of the writer, made by Core once."""

    def __init__(self) -> None:
        self.signal = compiled(insert(signals).values(id=bindparam("id"), name=bindparam("name"))).sql
        self.recent = _insert(recent, "id", "signal", "at_ms", "value", "quality")
        names = ("signal", "last_id", "first_ms", "last_ms", "samples", "good", "low", "high", "mean", "blob")
        self.chunk = _insert(chunks, *names)
        self.gap = _insert(gaps, "signal", "start_ms", "end_ms", "reason")
        self.forget = compiled(delete(recent).where(recent.c.id < bindparam("before"))).sql
        key = signals.c.id == bindparam("key")
        self.divisor = compiled(update(signals).where(key).values(divisor=bindparam("divisor"))).sql


def _insert(table: Table, *names: str) -> str:
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    return compiled(insert(table).values(values)).sql


class History(HistoryReader):
    """The history of one data directory, open for writing by its one controller."""

    def __init__(self, connection: sqlite3.Connection, reads: sqlite3.Connection, note: str = "") -> None:
        super().__init__(reads)
        self.fault = ""
        """Why the last flush failed; "" when it did not. The next flush tries again."""
        self.note = note
        """What was found at the start that a person should know."""
        self._writes = connection
        self._sql = Sql()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._buffer = list[Added]()
        self._new_gaps = list[Gap]()
        self._tracks = dict[str, Track]()
        self._last_id = 0
        self._load()

    @classmethod
    def open(cls, folder: Path) -> History:
        """Open or create the history. A damaged one is set aside under another name, and `note` says so."""
        folder.mkdir(parents=True, exist_ok=True)
        path, note = folder / NAME, ""
        try:
            connection = _connect(path)
        except sqlite3.DatabaseError as error:
            aside = _set_aside(path)
            note = f"the history was damaged ({error}); it is kept as {aside.name} and a new one was begun"
            connection = _connect(path)
        reads = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
        return cls(connection, reads, note)

    def add(self, signal: str, at: float, value: Value, quality: str) -> None:
        """Remember one sample: UTC s, value (numbers and flags are kept, text is none), quality. Cheap: one append."""
        self._buffer.append((signal, at, value, quality))

    def gap(self, signal: str, start: float, end: float, reason: str) -> None:
        """Mark that a signal has no samples from start to end (UTC s), at the next flush."""
        self._new_gaps.append(Gap(signal, start, end, reason))

    def last_at(self, signal: str | None = None) -> float | None:
        """When the last flushed sample of a signal, or of any, was taken (UTC s); None when there is none."""
        tracks = self._tracks.values() if signal is None else [self._tracks[signal]] if signal in self._tracks else []
        last = max((track.last_ms for track in tracks), default=0)
        return last / 1000 if last else None

    def mark_outage(self, now: float, reason: str, allowed_s: float = 30.0) -> list[Gap]:
        """After a restart: a gap for each signal from its last sample to now, where that is longer than `allowed_s`."""
        marked = [
            Gap(name, track.last_ms / 1000, now, reason)
            for name, track in self._tracks.items()
            if track.last_ms and now - track.last_ms / 1000 > allowed_s
        ]
        self._new_gaps += marked
        return marked

    @property
    def waiting(self) -> int:
        """Samples in memory that a kill would lose."""
        return len(self._buffer)

    async def flush(self) -> None:
        """Write what was added since the last flush, in the worker thread. Call every 10 s of bench time or sooner."""
        taken, marked = self._take()
        if taken or marked:
            loop = asyncio.get_running_loop()
            if not await loop.run_in_executor(self._worker, self._written, taken, marked):
                self._give_back(taken, marked)

    def flush_now(self) -> None:
        """The same, here and now: for closing and for benchmarks."""
        taken, marked = self._take()
        if not self._written(taken, marked):
            self._give_back(taken, marked)

    def _take(self) -> tuple[list[Added], list[Gap]]:
        """What waits, taken out; in the loop's thread, as `add` is, so that no sample falls between."""
        taken, self._buffer = self._buffer, []
        marked, self._new_gaps = self._new_gaps, []
        return taken, marked

    def _give_back(self, taken: list[Added], marked: list[Gap]) -> None:
        """What could not be written waits again, before what came since; the oldest beyond the limit are given up."""
        waiting = taken + self._buffer
        given_up, self._buffer = waiting[:-MOST_BUFFERED], waiting[-MOST_BUFFERED:]
        self._new_gaps = marked + self._new_gaps + _spans(given_up)

    def _written(self, taken: list[Added], marked: list[Gap]) -> bool:
        """One transaction, in the worker; False when the disk refused it, and memory is again as the disk has it."""
        try:
            self._writes.execute("BEGIN IMMEDIATE")
            self._write(taken)
            self._mark(marked)
            self._writes.execute("COMMIT")
        except sqlite3.Error as error:
            self.fault = f"the history could not be written: {error}"
            with suppress(sqlite3.Error):
                if self._writes.in_transaction:
                    self._writes.execute("ROLLBACK")
                self._load()
            return False
        self.fault = ""
        return True

    def close(self) -> None:
        """Flush and close."""
        self._worker.shutdown(wait=True)
        if self._buffer or self._new_gaps:
            self.flush_now()
        super().close()
        self._writes.close()

    def _write(self, taken: list[Added]) -> None:
        tracks, fresh = self._tracks, dict[str, int]()
        for signal, at, value, quality in taken:
            track = tracks.get(signal) or self._new_track(signal)
            pending = track.pending
            if signal not in fresh:
                fresh[signal] = len(pending)
            kept = value if type(value) is float and value == value else _number(value)
            pending.append((round(at * 1000), kept, CODES[quality]))
        rows, full = list[tuple[int, int, int, float | None, int]](), list[Track]()
        for signal, start in fresh.items():
            track = tracks[signal]
            track.last_ms = track.pending[-1][0]
            if start == 0:
                track.first_id = self._last_id + 1
            first_id, key = self._last_id + 1, track.key
            self._last_id += len(track.pending) - start
            if len(track.pending) >= SIZE:
                full.append(track)
            else:
                rows += [(number, key, *plain) for number, plain in enumerate(track.pending[start:], first_id)]
        self._writes.executemany(self._sql.recent, rows)
        if full:
            self._pack(full)

    def _pack(self, full: list[Track]) -> None:
        late = [track for track in self._tracks.values() if track.pending and self._last_id - track.first_id > LAG]
        for track in {track.key: track for track in (*full, *late)}.values():
            for start in range(0, len(track.pending), 2 * SIZE):
                self._pack_one(track, track.pending[start : start + 2 * SIZE])
            track.pending = []
        live = [track.first_id for track in self._tracks.values() if track.pending]
        self._writes.execute(self._sql.forget, (min(live, default=self._last_id + 1),))

    def _pack_one(self, track: Track, samples: list[Plain]) -> None:
        blob, divisor = pack(samples, track.divisor)
        if divisor != track.divisor:
            track.divisor = divisor
            self._writes.execute(self._sql.divisor, (divisor, track.key))
        self._writes.execute(self._sql.chunk, (track.key, self._last_id, *header(samples), blob))

    def _mark(self, marked: list[Gap]) -> None:
        for signal, start, end, reason in marked:
            track = self._tracks.get(signal) or self._new_track(signal)
            self._writes.execute(self._sql.gap, (track.key, round(start * 1000), round(end * 1000), reason))

    def _new_track(self, signal: str) -> Track:
        track = Track(len(self._tracks) + 1)
        self._writes.execute(self._sql.signal, (track.key, signal))
        self._tracks[signal] = track
        return track

    def _load(self) -> None:
        ask = asked()
        names = {key: (name, divisor) for key, name, divisor in self._writes.execute(ask.signals)}
        tracks = {key: Track(key, divisor) for key, (_, divisor) in names.items()}
        packed: dict[int, int] = dict(self._writes.execute(ask.packed_to))
        self._last_id = max(packed.values(), default=0)
        for number, key, at_ms, value, quality in self._writes.execute(ask.all_recent):
            self._last_id = max(self._last_id, number)
            if number > packed.get(key, 0):
                track = tracks[key]
                track.first_id = track.first_id or number
                track.pending.append((at_ms, value, quality))
                track.last_ms = at_ms
        for key, at_ms in self._writes.execute("SELECT signal, max(last_ms) FROM chunks GROUP BY signal"):
            tracks[key].last_ms = tracks[key].last_ms or at_ms
        self._tracks = {names[key][0]: track for key, track in tracks.items()}


def _number(value: Value) -> float | None:
    """What the history keeps of a value that is not a plain float: flags as 0 and 1; text and not-a-number as none."""
    if isinstance(value, bool | int):
        return float(value)
    return None if value is None or isinstance(value, str) or math.isnan(value) else value


def _spans(given_up: list[Added]) -> list[Gap]:
    """One gap a signal over samples that were given up."""
    times = dict[str, list[float]]()
    for signal, at, _, _ in given_up:
        times.setdefault(signal, []).append(at)
    return [Gap(signal, min(at), max(at), "the history could not be written") for signal, at in times.items()]


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    try:
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "mmap_size = 0"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("quick_check found damage")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            connection.execute("BEGIN EXCLUSIVE")
            for statement in ddl():
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"layout {version}, this program knows {VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"history.damaged-{number}.db")).exists():
        number += 1
    path.rename(aside)
    for end in ("-wal", "-shm"):
        beside = Path(f"{path}{end}")
        if beside.exists():
            beside.rename(f"{aside}{end}")
    return aside
