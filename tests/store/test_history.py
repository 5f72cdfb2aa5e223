from __future__ import annotations

import asyncio
import sqlite3

import pytest

from controller.store.gaps import holes
from controller.store.history import History
from controller.store.history_reader import HistoryReader
from drivers.core.signals import Quality

START = 1_767_567_600.0


@pytest.fixture
def history(tmp_path):
    made = History.open(tmp_path)
    yield made
    made.close()


def fill(
    history: History, count: int, signal: str = "incubator.temperature", start: float = START, every: float = 10.0
) -> None:
    for n in range(count):
        history.add(signal, start + every * n, 37.0 + (n % 5) / 100, Quality.GOOD)


async def test_samples_come_back_as_they_were_given(history):
    given = [
        (37.01, Quality.GOOD),
        (None, Quality.BAD),
        (36.5, Quality.STALE),
        (True, Quality.GOOD),
        ("text", Quality.GOOD),
    ]
    for n, (value, quality) in enumerate(given):
        history.add("a.b", START + n, value, quality)
    history.add("a.b", START + 9, float("nan"), "bad")
    history.add("a.b", START + 10, 4, "manual")
    assert history.waiting == 7 and history.samples("a.b", START, START + 99) == []
    await history.flush()
    got = history.samples("a.b", START, START + 99)
    assert [(s.value, s.quality) for s in got] == [
        (37.01, 0),
        (None, 2),
        (36.5, 1),
        (1.0, 0),
        (None, 0),
        (None, 2),
        (4.0, 3),
    ]
    assert history.waiting == 0 and history.signals() == ["a.b"]
    assert history.samples("no such signal", START, START + 99) == []


@pytest.mark.parametrize("batch", [1, 7, 700, 5000])
async def test_packing_loses_nothing_and_keeps_the_table_small(history, batch):
    for n in range(0, 2100, batch):
        for signal in ("a", "b"):
            fill(history, min(batch, 2100 - n), signal, START + 10.0 * n)
        await history.flush()
    assert [s.at_ms for s in history.samples("a", START, START + 1e6)] == [
        round((START + 10 * n) * 1000) for n in range(2100)
    ]
    assert len(history.samples("b", START + 5000, START + 6000)) == 101
    rows = history._reads.execute("SELECT count(*) FROM recent").fetchone()[0]
    assert rows < 2 * 512


async def test_a_slow_signal_does_not_hold_the_others_back(history):
    for n in range(60):
        history.add("slow", START + 5120 * n, 1.5, "good")
        fill(history, 512, "fast", START + 5120 * n)
        await history.flush()
    assert len(history.samples("slow", START, START + 1e7)) == 60
    assert history._reads.execute("SELECT count(*) FROM recent").fetchone()[0] < 21_000


@pytest.mark.req("ST-06")
async def test_a_killed_process_loses_only_what_was_not_flushed(history, tmp_path):
    fill(history, 600)
    await history.flush()
    fill(history, 3, start=START + 6000)
    again = History.open(tmp_path)
    assert again.last_at() == again.last_at("incubator.temperature") == START + 5990
    assert again.last_at("nobody") is None
    fill(again, 600, start=START + 7000)
    await again.flush()
    assert len(again.samples("incubator.temperature", START, START + 1e6)) == 1200
    again.close()
    with_reader = HistoryReader.open_read_only(tmp_path)
    assert len(with_reader.samples("incubator.temperature", START, START + 1e6)) == 1200
    with_reader.close()


@pytest.mark.req("ST-06", "INV-19")
async def test_the_gap_after_a_crash_is_marked_on_restart(history, tmp_path):
    fill(history, 100)
    history.add("balance.weight", START + 990, 1.0, "good")
    await history.flush()
    again = History.open(tmp_path)
    assert again.mark_outage(START + 1000, "restart") == []
    (first, second) = again.mark_outage(START + 2000, "the controller was down")
    assert (first.signal, first.start, first.end, second.signal) == (
        "incubator.temperature",
        START + 990,
        START + 2000,
        "balance.weight",
    )
    fill(again, 50, start=START + 2010)
    await again.flush()
    gaps = again.gaps("incubator.temperature", START, START + 9000)
    times = [s.at_ms / 1000 for s in again.samples("incubator.temperature", START, START + 9000)]
    assert holes(times, [], 30.0) and holes(times, gaps, 30.0) == []
    again.close()


async def test_few_points_are_single_samples_and_many_are_summaries(history):
    fill(history, 20_000)
    history.add("incubator.temperature", START + 200_000, 99.0, "bad")
    history.gap("other", START, START + 5, "never connected")
    await history.flush()
    name = "incubator.temperature"
    few = history.query(name, START, START + 100, 2000)
    assert len(few) == 11 and few[1] == (START + 10, 37.01, 37.01, 37.01, 1, 1)
    coarse = history.query(name, START, START + 200_000, 20)
    assert 18 <= len(coarse) <= 21 and sum(point.samples for point in coarse) == 20_001
    fine = history.query(name, START, START + 200_000, 2000)
    assert 1900 <= len(fine) <= 2001
    for points in (coarse, fine):
        assert {(point.low, point.high) for point in points if point.good > 4} == {(37.0, 37.04)}
        assert all(abs(point.mean - 37.02) < 0.011 for point in points if point.mean is not None and point.good > 4)
    assert fine[-1].low is None and fine[-1].samples == 1
    assert history.gaps("other", START, START + 9)[0].reason == "never connected"
    with pytest.raises(ValueError):
        history.query(name, START, START + 1, 0)


@pytest.mark.req("ST-01")
async def test_a_full_disk_keeps_samples_waiting_and_harms_nobody(history, monkeypatch):
    fill(history, 300, "s0")
    await history.flush()
    pages = history._writes.execute("PRAGMA page_count").fetchone()[0]
    history._writes.execute(f"PRAGMA max_page_count = {pages}")
    for n in range(5000):
        history.add(f"s{n % 20}", START + 3000 + n, 1.0, "good")
    history.gap("s0", START - 9, START, "before")
    await history.flush()
    assert "full" in history.fault and history.waiting == 5000
    monkeypatch.setattr("controller.store.history.MOST_BUFFERED", 4000)
    await history.flush()
    assert history.waiting == 4000
    history._writes.execute("PRAGMA max_page_count = 1000000")
    await history.flush()
    assert history.fault == "" and history.waiting == 0
    assert len(history.samples("s0", START, START + 1e6)) == 300 + 200
    reasons = {gap.reason for gap in history.gaps("s0", START - 99, START + 1e6)}
    assert reasons == {"before", "the history could not be written"}


@pytest.mark.req("ST-01")
def test_a_damaged_history_is_set_aside_and_a_new_one_begun(tmp_path):
    for number in (1, 2):
        (tmp_path / "history.db").write_bytes(b"\xff" * 9000)
        history = History.open(tmp_path)
        assert f"history.damaged-{number}.db" in history.note and (tmp_path / f"history.damaged-{number}.db").exists()
        fill(history, 3)
        history.close()
    with pytest.raises(FileNotFoundError):
        HistoryReader.open_read_only(tmp_path / "nothing")


@pytest.mark.req("ST-02")
def test_the_history_syncs_less_than_the_ledger(history):
    assert history._writes.execute("PRAGMA synchronous").fetchone()[0] == 1
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        history._reads.execute("DELETE FROM recent")


@pytest.mark.real_time
async def test_a_sample_added_while_the_worker_writes_is_not_lost(tmp_path):
    history = History.open(tmp_path)
    for round_ in range(5):
        fill(history, 2000, start=START + 1e5 * round_)
        writing = asyncio.create_task(history.flush())
        await asyncio.sleep(0)
        fill(history, 10, start=START + 1e5 * round_ + 50_000)
        await writing
    history.close()
    reader = HistoryReader.open_read_only(tmp_path)
    assert len(reader.samples("incubator.temperature", START, START + 1e6)) == 5 * 2010
    reader.close()
