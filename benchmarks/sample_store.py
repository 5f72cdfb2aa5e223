"""Cost of the sample store on its real path: add, flush every so often, pack into chunks; then size and query time.

Run: python benchmarks/sample_store.py [days]. Twelve signals every 10 s; the floor in the same run is a bare sqlite3
batch of 20 rows a commit, WAL NORMAL (performance.md §2). Goals: at least 0.4 of the floor, at most 2.5 bytes a sample.
"""

from __future__ import annotations

import random
import sqlite3
import struct
import sys
import tempfile
import time
from pathlib import Path

from controller.store.history import History

SIGNALS = 12
POLL_S = 10.0
START = 1_767_567_600.0


def floor_rate(folder: Path) -> float:
    """Rows per second of bare sqlite3 in 20-row commits."""
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE sample (id INTEGER PRIMARY KEY, signal INTEGER, t INTEGER, value REAL)")
    sql, count, start = "INSERT INTO sample (signal, t, value) VALUES (?, ?, ?)", 0, time.perf_counter()
    while time.perf_counter() - start < 2.0:
        connection.execute("BEGIN")
        connection.executemany(sql, [(k, count, 37.0) for k in range(20)])
        connection.execute("COMMIT")
        count += 20
    connection.close()
    return count / (time.perf_counter() - start)


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
    start = time.perf_counter()
    adding = 0.0
    for poll in range(polls):
        at = START + poll * POLL_S + (poll % 7) * 0.003
        begun = time.perf_counter()
        for name, value in zip(names, values[poll % 997], strict=True):
            add(name, at, value, "good")
        adding += time.perf_counter() - begun
        if poll % every == every - 1:
            history.flush_now()
    history.close()
    return time.perf_counter() - start, polls * SIGNALS, adding


def main(days: float = 28.0) -> None:
    for flush_s in (10.0, 600.0, 3600.0):
        with tempfile.TemporaryDirectory(prefix="osteon-bench-") as name:
            folder = Path(name)
            floor = floor_rate(folder)
            cpu = time.process_time()
            took, count, adding = store(folder, days, flush_s)
            cpu = time.process_time() - cpu
            size = sum(path.stat().st_size for path in folder.glob("history.db*"))
            reader = History.open(folder)
            begun = time.perf_counter()
            points = reader.query("device.signal_3", START, START + days * 86400, 2000)
            asked = time.perf_counter() - begun
            reader.close()
        print(
            f"flush every {flush_s:.0f} s: {count:,} samples in {took:.1f} s ({cpu:.1f} s of CPU, add {adding:.1f} s), "
            f"{count / took:,.0f}/s, floor {floor:,.0f}/s, ratio {count / took / floor:.2f} (goal 0.40); "
            f"{size / count:.2f} B a sample; {len(points)} points over all {asked * 1e3:.1f} ms"
        )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 28.0)
