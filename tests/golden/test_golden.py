"""Data folders of earlier programs are opened, brought up to date and carried on (DX-04)."""

from __future__ import annotations

import asyncio
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from controller.run.engine import Engine, event_of
from controller.store.changes import AuditEntry, JournalEntry, Update
from controller.store.migrations import NEWEST
from controller.store.reader import Reader
from controller.store.verify import verify
from protocols import machine, records
from protocols.plan import Plan
from protocols.run import Run
from protocols.states import Cause
from tests.controller.quick import WAIT, QuickLab
from tests.runs.lab import TESTER

HERE = Path(__file__).parent
ALL = sorted(HERE.glob("*.zip"))


def unpacked(archive: Path, folder: Path) -> dict[str, Any]:
    """The folder as the kill left it; what its own program knew."""
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    return json.loads((folder / "known.json").read_text("utf-8"))


def replayed(ledger: Reader, before_seq: int, run_id: str = "run-1") -> Run:
    """The run as its first events tell it, by the code of today."""
    row = ledger.run(run_id)
    assert row is not None
    plan, run = records.from_json(row.plan), Run()
    assert isinstance(plan, Plan)
    for each in (row for row in ledger.events(run_id) if row.seq < before_seq):
        event = event_of(each.event)
        run, _ = machine.step(plan, run, event)
        plan = machine.plan_after(plan, event)
    return run


def questions(engine: Engine) -> list[str]:
    return [path for path, active in engine.run.active.items() if active.question]


def test_there_is_a_folder_of_every_earlier_schema():
    missing = set(range(1, NEWEST)) - {int(path.name.split("-")[1]) for path in ALL}
    assert not missing, "pin the last commit of that schema in tests/golden/make.py, and run it"


@pytest.mark.req("DX-04", "DX-01")
@pytest.mark.parametrize("archive", ALL, ids=lambda path: path.stem)
async def test_a_run_of_an_earlier_program_is_carried_to_its_end(archive: Path, tmp_path: Path) -> None:
    known = unpacked(archive, tmp_path)
    data = tmp_path / "data"
    await asyncio.sleep(known["at"] + 60.0 - asyncio.get_running_loop().time())
    lab = QuickLab(data, bench_toml=(tmp_path / "bench.toml").read_text("utf-8"))
    try:
        lab.bench.surroundings.hands.pour(lab.now, 90.0)
        await lab.up()
        assert lab.ledger.meta("schema_version") == str(NEWEST)
        events = lab.ledger.events("run-1")
        first = next(row for row in events if row.event.get("cause") == Cause.RECOVERED)
        later = {"written": {"clear": True}, "keeps": {"temperature": "seed/set"}}  # what earlier runs did not have
        assert records.as_json(replayed(lab.ledger, first.seq)) == {**later, **known["run"]}
        if "exchange" in archive.stem:  # the pumps were off meanwhile and count from zero: nobody knows what flowed
            assert await lab.until(lambda: bool(questions(lab.engine)), 600.0)
            assert await lab.until(lambda: lab.engine.run.state == "HELD", 600.0)
            await lab.runs.decide("run-1", questions(lab.engine)[0], "nothing", TESTER, volume_ml=2.0)
            await lab.runs.command("run-1", Cause.RESTART, TESTER)
        assert await lab.settle() == "COMPLETE", lab.engine.run
        assert not lab.judge() or "exchange" in archive.stem
    finally:
        await lab.close()
    report = verify(data)
    assert report.ok, report.text()


# What this program does not know


async def waiting(lab: QuickLab) -> None:
    await lab.poured(WAIT.replace("37.0 degC", "36.0 degC"))
    await lab.until(lambda: "rest/wait" in lab.engine.run.active, 60.0)


async def written(lab: QuickLab, event: dict[str, Any]) -> None:
    """Another program has written this into the journal."""
    entry = AuditEntry("run Later", "run", "run-1", "later", "controller", run_id="run-1")
    await lab.ledger.commit([], [entry], [JournalEntry("run-1", lab.now, event)])


@pytest.mark.req("DX-04", "SM-09")
@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"v": 2, "t": "TimeCame", "at": 1.0}, "a record of journal version 2; this program carries on version 1"),
        ({"v": 1, "t": "Foreseen", "at": 1.0}, "a record of unknown kind 'Foreseen'"),
        ({"v": 1, "t": "TimeCame", "at": 1.0, "mood": "good"}, "a record TimeCame with unknown field 'mood'"),
    ],
)
async def test_a_journal_of_a_later_program_holds_its_run_and_the_bench_goes_on(
    lab: QuickLab, event: dict[str, Any], told: str
) -> None:
    await waiting(lab)
    await written(lab, event)
    await lab.ledger.commit(
        [Update("runs", {"run_id": "run-1"}, {"program_version": "9.0"})],
        [AuditEntry("run Later", "run", "run-1", "later", "controller", run_id="run-1")],
    )
    await lab.kill()
    lab.wire.clear()
    await lab.up()
    await asyncio.sleep(600.0)
    assert lab.runs.stranded["run-1"].startswith(told)
    assert "started with osteon 9.0" in lab.runs.stranded["run-1"]
    row = lab.ledger.run("run-1")
    assert row is not None and row.state == "HELD"
    alarms = {alarm["key"]: alarm for alarm in lab.controller.alarms.open()}
    assert alarms["run-1:stranded"]["priority"] == "critical"
    assert told in alarms["run-1:stranded"]["text"]
    assert not lab.runs_sent()
    assert lab.ledger.points()["incubator.temperature_setpoint"].value == 36.0
    assert lab.controller.latest.get("incubator.temperature_setpoint").value == pytest.approx(36.0)
    assert verify(lab.folder).ok


@pytest.mark.req("DX-04")
async def test_another_program_than_the_one_that_began_waits_for_a_supervisor_and_stands_in_the_run(
    lab: QuickLab,
) -> None:
    await waiting(lab)
    await lab.ledger.commit(
        [Update("runs", {"run_id": "run-1"}, {"program_version": "0.0.9"})],
        [AuditEntry("run Earlier", "run", "run-1", "earlier", "controller", run_id="run-1")],
    )
    await lab.kill()
    await lab.up()
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 200.0)
    assert "run-1 was started with osteon 0.0.9, this is osteon " in lab.engine.run.why
    await lab.runs.doors.confirmations.confirm("program", TESTER, "the change log was read")
    await lab.runs.command("run-1", Cause.RESTART, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "RUNNING", 200.0)
    (said,) = [row.text for row in lab.ledger.deviations("run-1") if "carried on by" in row.text]
    assert said.endswith("started with 0.0.9: tester, the change log was read")
    await lab.kill()
    await lab.up()
    assert await lab.until(lambda: lab.engine.run.state == "RUNNING", 200.0), "once accepted it is not asked again"
