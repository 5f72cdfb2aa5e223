from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from controller.clock import Clock
from controller.store import schema
from controller.store.changes import Insert, JournalEntry, Update, Upsert
from controller.store.digest import digest
from controller.store.errors import ChangeRefused, LedgerDamaged, LedgerFault, LedgerTooNew
from controller.store.ledger import Ledger
from controller.store.place import file_system
from controller.store.reader import Reader
from controller.store.statements import DIALECT, compiled
from controller.store.verify import verify

DOSE = {"dose_id": "d1", "run_id": "r1", "epoch": 1, "state": "intended", "intended_at": 9.0, "target_ml": 18.0}


async def test_unsettled_doses_are_the_open_ones_and_the_unknown_that_nobody_decided_about(open_ledger, audit):
    ledger = await open_ledger()
    states = [("intended", ""), ("moving", ""), ("done", ""), ("unknown", ""), ("unknown", "anna"), ("partial", "")]
    rows = [{**DOSE, "dose_id": str(n), "state": each[0], "decided_by": each[1]} for n, each in enumerate(states)]
    await ledger.commit([Insert("doses", row) for row in rows], [audit()])
    assert [row.dose_id for row in ledger.unsettled_doses()] == ["0", "1", "3"]


async def test_a_commit_holds_change_audit_and_journal_together(open_ledger, audit):
    ledger = await open_ledger()
    seq = await ledger.commit([Insert("doses", DOSE)], [audit()], [JournalEntry("r1", 9.0, {"kind": "intent"})])
    dose = ledger.dose("d1")
    assert dose is not None and (dose.state, dose.target_ml, dose.moved_ml) == ("intended", 18.0, None)
    assert ledger.open_doses() == [dose] == ledger.doses("r1") == ledger.doses("r1", "")
    (event,) = ledger.events("r1")
    assert (event.at, event.event, event.audit_seq) == (9.0, {"kind": "intent"}, seq)
    assert ledger.head()[0] == seq


@pytest.mark.req("AT-08")
async def test_a_change_without_audit_is_refused(open_ledger):
    ledger = await open_ledger()
    for change, journal in (([Insert("doses", DOSE)], []), ([], [JournalEntry("r1", 1.0, {})]), ([], [])):
        with pytest.raises(ValueError, match="AT-08"):
            await ledger.commit(change, [], journal)
    assert ledger.doses() == [] and ledger.events("r1") == []


@pytest.mark.req("AT-08")
@pytest.mark.parametrize(
    ("change", "journal"),
    [
        ([Insert("doses", DOSE), Insert("doses", DOSE)], []),
        ([Insert("doses", DOSE), Insert("doses", DOSE | {"dose_id": "d2", "state": "perhaps"})], []),
        ([Insert("doses", DOSE), Update("doses", {"dose_id": "nobody"}, {"state": "done"})], []),
        ([Insert("doses", DOSE)], [JournalEntry("no such run", 1.0, {})]),
        ([Insert("doses", DOSE | {"target_ml": "a lot"})], []),
        ([Insert("doses", DOSE), Insert("doses", DOSE | {"dose_id": object()})], []),
    ],
)
async def test_a_refused_part_takes_everything_back_and_the_ledger_goes_on(open_ledger, audit, change, journal):
    ledger = await open_ledger()
    before = ledger.head()
    with pytest.raises((ChangeRefused, TypeError)):
        await ledger.commit(change, [audit()], journal)
    assert (ledger.head(), ledger.doses(), ledger.events("r1")) == (before, [], [])
    assert await ledger.commit([Insert("doses", DOSE)], [audit()]) == before[0] + 1
    assert verify(ledger.folder).ok


@pytest.mark.req("AT-08")
@pytest.mark.parametrize(
    "change",
    [
        Insert("audit", {"seq": 1}),
        Insert("journal", {"seq": 1}),
        Update("meta", {"key": "installation"}, {"value": "x"}),
        Insert("doses", {"dose_id": "d", "colour": "red"}),
        Update("doses", {}, {"state": "done"}),
        Insert("doses", {}),
    ],
)
async def test_changes_go_to_known_columns_of_open_tables_only(open_ledger, audit, change):
    ledger = await open_ledger()
    with pytest.raises(ValueError):
        await ledger.commit([change], [audit()])


@pytest.mark.req("AT-02")
async def test_an_entry_holds_every_field_that_is_asked_for(open_ledger, audit):
    ledger = await open_ledger()
    given = audit("dose.decided", old={"a": 1}, new=18.0, unit="mL", reason="the balance shows it", run_id="r1",
                  step="s/1", outcome="refused", correlation_id="c1", role="operator", authenticated_by="password",
                  actor_name="Anna A.", client="10.0.0.1", object_version="3")  # fmt: skip
    seq = await ledger.commit([], [given])
    (row,) = ledger.audit(seq - 1)
    wanted = (
        "seq utc offset_s monotonic boot_id clock_trusted version actor actor_name role authenticated_by client action "
        "object_type object_id object_version old new unit reason run_id step outcome correlation_id previous"
    )
    assert set(wanted.split()) <= row.fields.keys() and row.hash
    assert (row.utc, row.fields["offset_s"], row.fields["boot_id"]) == (
        "2026-01-04T23:00:00.000Z",
        32400,
        "simulated-1",
    )
    assert (row.actor, row.action, row.outcome, row.fields["new"]) == ("operator:anna", "dose.decided", "refused", 18.0)


@pytest.mark.req("AT-04")
@pytest.mark.parametrize("table", schema.APPEND_ONLY)
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE {0} SET seq = seq + 100",
        "DELETE FROM {0}",
        "INSERT OR REPLACE INTO {0} SELECT * FROM (SELECT {1} FROM {0} LIMIT 1)",
    ],
)
async def test_the_database_itself_refuses_to_alter_the_trail(open_ledger, audit, table, sql):
    ledger = await open_ledger()
    await ledger.commit([], [audit()], [JournalEntry("r1", 1.0, {"kind": "x"})])
    stored = ", ".join(column.name for column in schema.metadata.tables[table].columns if column.computed is None)
    sql = sql.replace("{0} SELECT", f"{{0}} ({stored}) SELECT").format(table, stored)
    other = sqlite3.connect(ledger.folder / "ledger.db")
    with pytest.raises(sqlite3.IntegrityError, match=r"append-only|grows at its end"):
        other.execute(sql)
    other.close()


@pytest.mark.req("ST-02")
async def test_the_pragmas_are_what_they_must_be(open_ledger, monkeypatch, tmp_path):
    ledger = await open_ledger()
    ask = ledger._writes.execute
    asked = ("journal_mode", "synchronous", "foreign_keys", "mmap_size")
    assert [ask(f"PRAGMA {name}").fetchone()[0] for name in asked] == ["wal", 2, 1, 0]
    wrong = (("foreign_keys", "OFF", 1),)
    monkeypatch.setattr("controller.store.opening.PRAGMAS", wrong)
    with pytest.raises(LedgerDamaged, match="foreign_keys is 0 instead of 1"):
        await open_ledger(tmp_path / "other")


@pytest.mark.req("ST-02")
def test_a_network_file_system_is_known_by_its_mount():
    mounts = "/dev/sda1 / ext4 rw 0 0\nserver:/x /home/lab nfs4 rw 0 0\n/dev/sdb1 /home/lab/my\\040disk xfs rw 0 0\n"
    assert file_system(Path("/home/lab/data"), mounts) == "nfs4"
    assert file_system(Path("/home/lab/my disk/data"), mounts) == "xfs"
    assert file_system(Path("/home/labour"), mounts) == "ext4"


@pytest.mark.req("ST-04")
async def test_after_a_disk_error_nothing_more_is_committed(open_ledger, audit):
    ledger = await open_ledger()
    head = ledger.head()
    pages = ledger._writes.execute("PRAGMA page_count").fetchone()[0]
    ledger._writes.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LedgerFault, match="full"):
        for n in range(50):
            await ledger.commit([Insert("doses", DOSE | {"dose_id": f"{n}", "evidence": "x" * 3000})], [audit()])
            head = ledger.head()
    ledger._writes.execute("PRAGMA max_page_count = 1000000")
    with pytest.raises(LedgerFault, match="restart osteon and verify"):
        await ledger.commit([], [audit()])
    assert ledger.head() == head and ledger.runs()
    assert verify(ledger.folder).ok


@pytest.mark.req("DX-03")
async def test_an_intent_is_on_the_disk_before_commit_comes_back(open_ledger, audit):
    seen = list[int]()

    async def look() -> None:
        with Reader.open_read_only(ledger.folder) as other:
            seen.append(len(other.open_doses()))

    ledger = await open_ledger(after=None)
    ledger._before = ledger._after = look
    await ledger.commit([Insert("doses", DOSE)], [audit()])
    await ledger.commit([Update("doses", {"dose_id": "d1"}, {"state": "done", "moved_ml": 17.9})], [audit()])
    assert seen == [0, 1, 1, 0]


@pytest.mark.req("DX-03")
async def test_a_kill_at_either_side_of_a_commit_leaves_all_or_nothing(open_ledger, audit):
    class Killed(BaseException):
        pass

    async def kill() -> None:
        raise Killed

    for dose, side, there in (("d1", "_before", False), ("d2", "_after", True)):
        ledger = await open_ledger()
        setattr(ledger, side, kill)
        with pytest.raises(Killed):
            await ledger.commit([Insert("doses", DOSE | {"dose_id": dose})], [audit()], [JournalEntry("r1", 9.0, {})])
        again = await open_ledger()
        assert (again.dose(dose) is not None) is there and len(again.events("r1")) == there
        assert verify(again.folder).ok


async def test_commits_keep_their_order_on_a_slow_disk(open_ledger, audit):
    delays = [5.0, 0.0, 1.0]

    async def slow() -> None:
        await asyncio.sleep(delays.pop(0))

    ledger = await open_ledger()
    ledger._before = slow
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ledger.commit([], [audit(f"a{n}")])) for n in range(3)]
    assert [task.result() for task in tasks] == [3 + 1, 3 + 2, 3 + 3]
    assert [row.action for row in ledger.audit(3)] == ["a0", "a1", "a2"]


@pytest.mark.req("INV-22")
async def test_what_was_confirmed_is_there_after_opening_again(open_ledger, audit):
    ledger = await open_ledger()
    point = {"output": "incubator.temperature", "value": 37.0, "unit": "Cel", "by": "run r1", "at": 1.0}
    await ledger.commit(
        [
            Upsert("points", point),
            Upsert("points", point | {"value": 36.5, "at": 2.0}),
            Insert("answers", {"key": "k1", "at": 1.0, "answer": {"ok": [1, None]}}),
            Insert("tasks", {"run_id": "r1", "path": "a/b", "opened_at": 1.0, "state": "open", "hand": {"acts": []}}),
            Insert("tasks", {"run_id": "r1", "path": "a/c", "opened_at": 1.0, "state": "closed"}),
            Insert("alarms", {"alarm_id": "x", "key": "k", "state": "UNACK", "raised_at": 1.0}),
            Insert("alarms", {"alarm_id": "y", "key": "k", "state": "NORMAL", "raised_at": 1.0}),
            Insert("outages", {"epoch": 1, "restarted_at": 4.0, "gap_s": 60.0, "detail": {"channels": {}}}),
            Insert("deviations", {"run_id": "r1", "at": 3.0, "text": "late"}),
            Insert(
                "sample_results", {"run_id": "r1", "path": "s", "name": "cells", "number": 1, "value": 1e5, "at": 1.0}
            ),
        ],
        [audit()],
    )
    again = await open_ledger()
    assert again.points()["incubator.temperature"].value == 36.5
    assert (again.answer("k1"), again.answer("k2")) == ({"ok": [1, None]}, None)
    assert [task.path for task in again.tasks("r1", open_only=True)] == ["a/b"] and len(again.tasks()) == 2
    assert [alarm.alarm_id for alarm in again.alarms(open_only=True)] == ["x"] and len(again.alarms()) == 2
    assert again.outages()[0].detail == {"channels": {}} and again.deviations("r1") == again.deviations()
    assert again.sample_results("r1")[0].value == 1e5
    assert again.task("r1", "a/b").hand == {"acts": []} and again.task("r1", "none") is None
    assert again.run("r1").plan == {"steps": ["x" * 600]} and again.run("r2") is None
    assert verify(again.folder).ok


async def test_each_opening_reigns_over_the_ones_before(open_ledger):
    first = await open_ledger()
    assert (first.epoch, first.reigns()) == (1, True)
    second = await open_ledger()
    assert (second.epoch, second.reigns(), first.reigns()) == (2, True, False)
    assert second.last_at() == 1_767_567_600.0


async def test_equal_histories_have_equal_digests(open_ledger, audit, tmp_path):
    async def one(name: str, moved: float) -> str:
        ledger = await open_ledger(tmp_path / name)
        await ledger.commit([Insert("doses", DOSE)], [audit()], [JournalEntry("r1", 9.0, {"moved": moved})])
        return digest(ledger)

    assert await one("a", 1.0) == await one("b", 1.0) != await one("c", 1.5)


async def test_a_ledger_of_a_newer_program_is_left_alone(open_ledger):
    ledger = await open_ledger()
    ledger._writes.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    with pytest.raises(LedgerTooNew, match="schema 99"):
        await open_ledger()


async def test_the_migrated_schema_is_the_schema_of_the_code(open_ledger):
    from sqlalchemy.schema import CreateTable

    ledger = await open_ledger()
    stored = dict(ledger._writes.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    for table in schema.metadata.sorted_tables:
        assert stored[table.name].split() == str(CreateTable(table).compile(dialect=DIALECT)).split()
    assert stored.keys() == schema.metadata.tables.keys()


def damage(path: Path, harm: str) -> None:
    raw = bytearray(path.read_bytes())
    if harm == "header":
        path.write_bytes(b"\0" * 100 + raw[100:])
    elif harm == "middle":
        path.write_bytes(raw[: len(raw) // 2] + b"\xff" * 4096 + raw[len(raw) // 2 + 4096 :])
    elif harm == "emptied":
        path.write_bytes(b"")
    elif harm == "gone":
        path.unlink()
    else:
        sql = {
            "cut": "DROP TRIGGER audit_no_delete; DELETE FROM audit WHERE seq > 15",
            "not a ledger": "DROP TABLE meta",
            "hash": "DROP TRIGGER audit_no_update; UPDATE audit SET hash = 'x' WHERE seq = 18",
            "no version": "DELETE FROM meta",
        }[harm]
        other = sqlite3.connect(path)
        other.executescript(sql)
        other.close()


@pytest.mark.req("ST-05")
@pytest.mark.parametrize("harm", ["header", "middle", "emptied", "gone", "cut", "not a ledger", "hash", "no version"])
async def test_a_damaged_ledger_is_refused_with_what_to_do(open_ledger, audit, harm):
    ledger = await open_ledger()
    for n in range(20):
        await ledger.commit([Insert("doses", DOSE | {"dose_id": f"{n}"})], [audit()])
    await ledger.anchor()
    ledger.close()
    damage(ledger.folder / "ledger.db", harm)
    with pytest.raises(LedgerDamaged):
        await open_ledger()


async def test_an_older_anchor_line_torn_by_a_crash_harms_nothing(open_ledger, audit):
    ledger = await open_ledger()
    with (ledger.folder / "ledger.anchors.jsonl").open("a") as file:
        file.write('{"hash":"12')
    await ledger.anchor()
    report = verify(ledger.folder)
    assert report.ok and report.anchors >= 2 and "torn" in report.notes[0]


async def test_the_head_is_anchored_every_hour(open_ledger, audit):
    ledger = await open_ledger()
    for _ in range(10):
        await asyncio.sleep(1200)
        await ledger.commit([], [audit()])
    lines = (ledger.folder / "ledger.anchors.jsonl").read_text().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 6, 9, 12]


async def test_an_unwritable_anchor_does_not_stop_the_ledger(open_ledger, audit):
    ledger = await open_ledger()
    anchors = ledger.folder / "ledger.anchors.jsonl"
    anchors.unlink()
    anchors.mkdir()
    await ledger.anchor()
    assert "could not be written" in ledger.anchor_fault
    anchors.rmdir()
    await ledger.commit([], [audit()])
    await ledger.anchor()
    assert ledger.anchor_fault == ""


def test_reading_needs_a_ledger(tmp_path):
    with pytest.raises(FileNotFoundError):
        Reader.open_read_only(tmp_path)
    (tmp_path / "ledger.db").write_bytes(b"no database" * 1000)
    with pytest.raises(LedgerDamaged):
        Reader.open_read_only(tmp_path)


@pytest.mark.real_time
async def test_in_real_time_the_worker_thread_commits(tmp_path, audit):
    ledger = Ledger.open(tmp_path, Clock.real("Europe/Zurich"), "0.1")
    await ledger.new_epoch()
    async with asyncio.TaskGroup() as group:
        for n in range(20):
            group.create_task(ledger.commit([], [audit(f"a{n}")]))
    ledger.close(anchored_at=0.0)
    assert verify(tmp_path).entries == 22


def test_sql_is_made_once_for_each_shape():
    from sqlalchemy import select

    assert compiled(select(schema.meta)).names == ()


async def test_an_older_ledger_is_brought_to_the_new_schema_with_an_entry(open_ledger, monkeypatch, tmp_path):
    from controller.store import migrations

    newest = migrations.NEWEST + 1
    first = await open_ledger()
    first.close()
    head = verify(first.folder).head
    for name in (*(step.file for step in migrations.STEPS), "next.sql"):
        shipped = migrations.FOLDER / name
        text = (
            shipped.read_text() if shipped.exists() else "ALTER TABLE meta ADD COLUMN note TEXT;\nDROP TABLE absent;\n"
        )
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(migrations, "FOLDER", tmp_path)
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, migrations.Step(newest, "next.sql")))
    monkeypatch.setattr(migrations, "NEWEST", newest)
    monkeypatch.setattr("controller.store.ledger.NEWEST", newest)
    with pytest.raises(LedgerDamaged, match="no such table"):
        await open_ledger()
    assert verify(first.folder).head == head
    (tmp_path / "next.sql").write_text("ALTER TABLE meta ADD COLUMN note TEXT;\n")
    ledger = await open_ledger()
    (row, *_) = ledger.audit(3)
    found = (row.action, row.fields["old"], row.fields["new"], row.fields["previous"])
    assert found == ("ledger.migrated", newest - 1, newest, head)
    assert ledger.meta("schema_version") == str(newest) and verify(ledger.folder).ok
    with pytest.raises(ValueError, match="inside a statement"):
        list(migrations.statements("CREATE TABLE x (a"))


async def test_a_ledger_from_before_claims_is_whole_as_it_is_and_after_its_migration(open_ledger, audit, monkeypatch):
    from controller.store import migrations

    with monkeypatch.context() as before:
        before.setattr(migrations, "STEPS", migrations.STEPS[:1])
        before.setattr(migrations, "NEWEST", 1)
        before.setattr("controller.store.ledger.NEWEST", 1)
        old = await open_ledger()
        row = {"run_id": "r1", "path": "a/b", "opened_at": 5.0, "state": "open", "hand": {}}
        await old.commit([Insert("tasks", row)], [audit()])
        old.close()
        assert verify(old.folder).ok
    ledger = await open_ledger()
    assert ledger.task("r1", "a/b").claimed_by == ""
    await ledger.commit([Update("tasks", {"run_id": "r1", "path": "a/b"}, {"claimed_by": "anna"})], [audit()])
    assert ledger.task("r1", "a/b").claimed_by == "anna"
    assert verify(ledger.folder).ok
