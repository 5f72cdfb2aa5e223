"""Cost of the sample store on its real path: add, flush every so often, pack into chunks; then size and query time.

Twenty signals every 10 s; the floor in the same run is bare sqlite3 in commits of 20 rows, WAL NORMAL
(performance.md §2). Both are charged with processor time, as neither waits for the disk. Goals: at least 0.4 of the
floor, at most 2.5 bytes a sample; none for a query yet.
"""

from __future__ import annotations

import random
import sqlite3
import struct
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, Options
from controller.store.history import History

SIGNALS = 20
POLL_S = 10.0
START = 1_767_567_600.0


def floor_rate(folder: Path) -> float:
    """Rows per second of bare sqlite3 in 20-row commits."""
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE sample (id INTEGER PRIMARY KEY, signal INTEGER, t INTEGER, value REAL)")
    sql, count, start = "INSERT INTO sample (signal, t, value) VALUES (?, ?, ?)", 0, time.process_time()
    while time.process_time() - start < 1.5:
        connection.execute("BEGIN")
        connection.executemany(sql, [(k, count, 37.0) for k in range(20)])
        connection.execute("COMMIT")
        count += 20
    connection.close()
    return count / (time.process_time() - start)


def readings(polls: int) -> list[list[float]]:
    """Ten signals with two decimals and noise of 2 counts, two with the full noise of a 32-bit float."""
    chance = random.Random(1)
    decimals = [[round(37 + chance.gauss(0, 0.02), 2) for _ in range(SIGNALS - 2)] for _ in range(997)]
    floats = [[struct.unpack("f", struct.pack("f", chance.gauss(7.2, 0.005)))[0] for _ in range(2)] for _ in range(997)]
    return [decimals[n % 997] + floats[n % 997] for n in range(min(polls, 997))]


def store(folder: Path, days: float, flush_s: float) -> tuple[float, int, float]:
    """Seconds for all samples, how many, seconds of them spent in `add`."""
    history = History.open(folder)
    names = [f"device.signal_{n}" for n in range(SIGNALS)]
    polls = int(days * 86400 / POLL_S)
    values, every = readings(polls), max(1, int(flush_s / POLL_S))
    add = history.add
    start = time.process_time()
    adding = 0.0
    for poll in range(polls):
        at = START + poll * POLL_S + (poll % 7) * 0.003
        begun = time.process_time()
        for name, value in zip(names, values[poll % 997], strict=True):
            add(name, at, value, "good")
        adding += time.process_time() - begun
        if poll % every == every - 1:
            history.flush_now()
    history.close()
    return time.process_time() - start, polls * SIGNALS, adding


def figures(options: Options) -> Iterator[Figure]:
    days = 28.0 if options.full else 4.0
    for flush_s in (10.0, 600.0):
        with tempfile.TemporaryDirectory(prefix="osteon-bench-") as name:
            folder = Path(name)
            floor = floor_rate(folder)
            took, count, adding = store(folder, days, flush_s)
            size = sum(path.stat().st_size for path in folder.glob("history.db*")) / count
            reader = History.open(folder)
            begun = time.process_time()
            points = reader.query("device.signal_3", START, START + days * 86400, 2000)
            asked_ms = (time.process_time() - begun) * 1e3
            reader.close()
        yield Figure(
            f"{count:,} samples, flushed every {flush_s:.0f} s", count / took, "a second",
            "0.4 of the floor", count / took >= 0.4 * floor, floor, "a second of bare sqlite3 in 20-row commits",
        )  # fmt: skip
        share = adding / took
        yield Figure("share of it in the loop's thread", share, "of the time", "at most 0.5", share <= 0.5)
        yield Figure("size on disk", size, "bytes a sample", "at most 2.5", size <= 2.5)
        yield Figure(f"{len(points)} points over {days:.0f} days", asked_ms, "ms", "none yet", met=True)
