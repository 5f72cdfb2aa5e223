"""`osteon demo` in mid-culture with its real processes: a past, a hand-over, an end, and the same culture again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from controller.store.reader import Reader
from controller.store.verify import verify
from tests.dashboard.demo import Demo

COMPRESSED = Path(__file__).parents[1] / "protocols" / "compressed.yaml"
MORE = ("--protocol", str(COMPRESSED))

pytestmark = pytest.mark.timeout(240)


def until_there(path: Path) -> None:
    for _ in range(1200):
        if path.exists():
            return
        threading.Event().wait(0.05)
    raise AssertionError(f"no {path} within 60 s")


def test_a_past_ended_in_its_middle_is_begun_anew_and_its_culture_goes_on_at_the_next_start(tmp_path: Path) -> None:
    with Demo(tmp_path, day=10):  # of the shipped protocol: long enough to be caught in its middle
        until_there(tmp_path / "past" / "rehearsal")
    assert not (tmp_path / "world.json").exists()
    with Demo(tmp_path, day=0.02, more=MORE, speed=60) as demo:
        demo.wait()
        first = demo.snapshot()
    assert [(run["run"], run["state"]) for run in first["runs"]] == [("run-1", "RUNNING")]
    assert 0.02 <= first["runs"][0]["day"] < 0.1
    with Demo(tmp_path, day=None, more=MORE, speed=60) as demo:
        demo.wait()
        second = demo.snapshot()
    assert second["epoch"] == first["epoch"] + 1
    assert second["runs"][0]["day"] > first["runs"][0]["day"]
    assert verify(tmp_path).ok
    with Reader.open_read_only(tmp_path) as ledger:
        assert [run.created_by for run in ledger.runs()] == ["rehearsal"]
        assert not ledger.alarms() and not ledger.deviations("run-1")
        assert all(outage.gap_s < 1.0 for outage in ledger.outages())
