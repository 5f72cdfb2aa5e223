"""Reading the history: one signal over a stretch of time, exact or as points with minimum, mean and maximum."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import BindParameter, bindparam, func, select

from controller.store.chunks import Sample, unpack
from controller.store.gaps import Gap
from controller.store.history_schema import chunks, gaps, recent, signals
from controller.store.statements import compiled
from drivers.core.signals import Quality

NAME = "history.db"
QUALITIES = (Quality.GOOD, Quality.STALE, Quality.BAD, Quality.MANUAL, Quality.SUBSTITUTED)
"""Quality numbers as they are stored: the index here. Append only."""
CODES: dict[str, int] = {quality: code for code, quality in enumerate(QUALITIES)}
COARSE = 8.0
"""A whole chunk stands as one point when it is no longer than so many points."""


class Point(NamedTuple):
    """One short stretch: its middle (UTC s); least, greatest and mean of the good values; how many, how many good."""

    at: float
    low: float | None
    high: float | None
    mean: float | None
    samples: int
    good: int


class Chunk(NamedTuple):
    id: int
    first_ms: int
    last_ms: int
    samples: int
    good: int
    low: float | None
    high: float | None
    mean: float | None


class Statements:
    """The compiled queries of the history."""

    def __init__(self) -> None:
        of_signal: BindParameter[int] = bindparam("signal")
        c, r, g = chunks.c, recent.c, gaps.c
        start: BindParameter[int] = bindparam("start")
        end: BindParameter[int] = bindparam("end")
        headers = select(c.id, c.first_ms, c.last_ms, c.samples, c.good, c.low, c.high, c.mean)
        self.headers = compiled(
            headers.where(c.signal == of_signal, c.first_ms <= end, c.last_ms >= start).order_by(c.id)
        ).sql
        self.blob = compiled(select(c.blob).where(c.id == bindparam("id"))).sql
        self.packed_to = compiled(select(c.signal, func.max(c.last_id)).group_by(c.signal)).sql
        live = select(r.at_ms, r.value, r.quality).where(r.signal == of_signal, r.id > bindparam("packed"))
        self.live = compiled(live.where(r.at_ms >= start, r.at_ms <= end).order_by(r.id)).sql
        self.all_recent = compiled(select(r.id, r.signal, r.at_ms, r.value, r.quality).order_by(r.id)).sql
        self.gaps = compiled(
            select(g.start_ms, g.end_ms, g.reason)
            .where(g.signal == of_signal, g.start_ms <= end, g.end_ms >= start)
            .order_by(g.start_ms)
        ).sql
        self.signals = compiled(select(signals.c.id, signals.c.name, signals.c.divisor)).sql


@cache
def asked() -> Statements:
    return Statements()


class HistoryReader:
    """The history as it is on the disk, read only; up to one flush behind the present."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._reads = connection
        self._ask = asked()

    @classmethod
    def open_read_only(cls, folder: Path) -> HistoryReader:
        """For a second process or a copy. FileNotFoundError when there is none."""
        path = folder / NAME
        if not path.is_file():
            raise FileNotFoundError(f"there is no history at {path}")
        return HistoryReader(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None))

    def close(self) -> None:
        self._reads.close()

    def signals(self) -> list[str]:
        return sorted(name for _, name, _ in self._reads.execute(self._ask.signals))

    def samples(self, signal: str, start: float, end: float) -> list[Sample]:
        """Every sample of a signal from start to end (UTC s, both included), as recorded, in the order of arrival."""
        key = self._key(signal)
        low, high = _ms(start), _ms(end)
        found = list[Sample]()
        for chunk in self._chunks(key, low, high):
            found += self._unpacked(chunk, low, high)
        return found + self._live(key, low, high)

    def gaps(self, signal: str, start: float, end: float) -> list[Gap]:
        rows = self._reads.execute(self._ask.gaps, _bound(self._key(signal), end=_ms(end), start=_ms(start)))
        return [Gap(signal, first / 1000, last / 1000, reason) for first, last, reason in rows]

    def query(self, signal: str, start: float, end: float, points: int = 2000) -> list[Point]:
        """At most about `points` points from start to end (UTC s): single samples when they are few, else summaries.

        Where a chunk is short against a point its header is used and nothing is unpacked. ValueError: points < 1.
        """
        if points < 1:
            raise ValueError("a query needs at least one point")
        key, low, high = self._key(signal), _ms(start), _ms(end)
        width = max(1.0, (high - low) / points)
        whole, cut = list[Chunk](), list[Chunk]()
        for chunk in self._chunks(key, low, high):
            coarse = (
                chunk.last_ms - chunk.first_ms <= COARSE * width and low <= chunk.first_ms and chunk.last_ms <= high
            )
            (whole if coarse else cut).append(chunk)
        exact = chain((s for chunk in cut for s in self._unpacked(chunk, low, high)), self._live(key, low, high))
        first = list(islice(exact, points + 1))
        if not whole and len(first) <= points:
            return [_single(sample) for sample in first]
        return _summed(whole, chain(first, exact), low, width)

    def _key(self, signal: str) -> int:
        for key, name, _ in self._reads.execute(self._ask.signals):
            if name == signal:
                return key
        return -1

    def _chunks(self, key: int, low: int, high: int) -> list[Chunk]:
        return [Chunk(*row) for row in self._reads.execute(self._ask.headers, _bound(key, end=high, start=low))]

    def _unpacked(self, chunk: Chunk, low: int, high: int) -> list[Sample]:
        (blob,) = self._reads.execute(self._ask.blob, (chunk.id,)).fetchone()
        return [sample for sample in unpack(blob) if low <= sample.at_ms <= high]

    def _live(self, key: int, low: int, high: int) -> list[Sample]:
        packed = dict(self._reads.execute(self._ask.packed_to)).get(key, 0)
        return [Sample(*row) for row in self._reads.execute(self._ask.live, (key, packed, low, high))]


def _bound(key: int, end: int, start: int) -> tuple[int, int, int]:
    return key, end, start


def _ms(at: float) -> int:
    return round(at * 1000)


def _single(sample: Sample) -> Point:
    value = sample.value if sample.quality == 0 else None
    return Point(sample.at_ms / 1000, value, value, value, 1, 0 if value is None else 1)


class _Bucket:
    __slots__ = ("good", "high", "low", "samples", "sum")

    def __init__(self) -> None:
        self.samples, self.good, self.sum = 0, 0, 0.0
        self.low, self.high = float("inf"), float("-inf")

    def take(self, low: float, high: float, total: float, good: int) -> None:
        self.good += good
        self.sum += total
        self.low, self.high = min(self.low, low), max(self.high, high)


def _summed(headers: Iterable[Chunk], exact: Iterable[Sample], start_ms: int, width: float) -> list[Point]:
    buckets = dict[int, _Bucket]()
    for chunk in headers:
        bucket = buckets.setdefault(int(((chunk.first_ms + chunk.last_ms) / 2 - start_ms) / width), _Bucket())
        bucket.samples += chunk.samples
        if chunk.low is not None and chunk.high is not None and chunk.mean is not None:
            bucket.take(chunk.low, chunk.high, chunk.mean * chunk.good, chunk.good)
    for at_ms, value, quality in exact:
        bucket = buckets.setdefault(int((at_ms - start_ms) / width), _Bucket())
        bucket.samples += 1
        if quality == 0 and value is not None:
            bucket.take(value, value, value, 1)
    return [_point(start_ms + (number + 0.5) * width, buckets[number]) for number in sorted(buckets)]


def _point(middle_ms: float, bucket: _Bucket) -> Point:
    if not bucket.good:
        return Point(middle_ms / 1000, None, None, None, bucket.samples, 0)
    mean = bucket.sum / bucket.good
    return Point(middle_ms / 1000, bucket.low, bucket.high, mean, bucket.samples, bucket.good)
