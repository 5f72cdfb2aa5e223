from __future__ import annotations

import random
import shutil
import sqlite3

import pytest

from controller.store import chain
from controller.store.chain import Anchor, Sealed, seal
from controller.store.changes import Insert, JournalEntry, Update
from controller.store.verify import verify

UNLOCK = "".join(
    f"DROP TRIGGER {table}_{what};" for table in ("audit", "journal") for what in ("no_update", "no_delete", "next")
)
SWAP = (
    "UPDATE {0} SET seq = -7 WHERE seq = 7; UPDATE {0} SET seq = 7 WHERE seq = 8; UPDATE {0} SET seq = 8 WHERE seq = -7"
)


@pytest.fixture
async def folder(open_ledger, audit):
    """A closed ledger of 23 entries; entry 4 + n belongs to dose n."""
    ledger = await open_ledger()
    for n in range(20):
        dose = {
            "dose_id": f"d{n}",
            "run_id": "r1",
            "epoch": 1,
            "state": "intended",
            "intended_at": 1.0,
            "target_ml": 18.0,
        }
        await ledger.commit([Insert("doses", dose)], [audit(new=n)], [JournalEntry("r1", float(n), {"n": n})])
    done = {"state": "done", "moved_ml": 17.5}
    await ledger.commit(
        [Update("doses", {"dose_id": "d3"}, done), Insert("outages", {"epoch": 1, "restarted_at": 1.0})], [audit()]
    )
    await ledger.anchor()
    ledger.close()
    return ledger.folder


def tamper(folder, sql: str) -> None:
    connection = sqlite3.connect(folder / "ledger.db")
    connection.executescript(UNLOCK + sql)
    connection.close()


def test_an_untouched_ledger_is_whole(folder):
    report = verify(folder)
    assert report.ok and report.entries == 24 and report.anchors == 2 and "whole" in report.text()


@pytest.mark.req("AT-05", "AT-06")
@pytest.mark.parametrize(
    ("sql", "seq", "text"),
    [
        ("UPDATE audit SET entry = replace(entry, 'operator:anna', 'operator:otto') WHERE seq = 9", 9, "do not agree"),
        ("UPDATE audit SET hash = replace(hash, substr(hash, 1, 1), 'z') WHERE seq = 9", 9, "do not agree"),
        ("DELETE FROM audit WHERE seq = 9", 9, "missing"),
        ("DELETE FROM audit WHERE seq = 1", 1, "missing"),
        (SWAP.format("audit"), 7, "belongs to entry 8"),
        ("DELETE FROM audit WHERE seq > 20", 21, "tail is cut"),
        ("UPDATE audit SET seq = seq + 1000 WHERE seq > 9; UPDATE audit SET seq = seq - 999 WHERE seq > 1000; "
         "INSERT INTO audit (seq, entry, hash) SELECT 10, entry, hash FROM audit WHERE seq = 9", 10, "belongs to"),
        ("UPDATE journal SET event = '{\"n\":99}' WHERE seq = 4", 7, "journal rows"),
        ("DELETE FROM journal WHERE seq = 4", 7, "journal rows"),
        ("INSERT INTO journal VALUES (21, 'r1', 1.0, '{}', 2)", 2, "journal rows"),
        ("UPDATE doses SET moved_ml = 18.0 WHERE dose_id = 'd3'", 24, "doses ('d3',): moved_ml was altered"),
        ("UPDATE doses SET evidence = 'seen' WHERE dose_id = 'd4'", 8, "evidence was altered"),
        ("DELETE FROM doses WHERE dose_id = 'd3'", 24, "the row is gone"),
        ("UPDATE runs SET plan = '{}'", 3, "plan was altered"),
        ("INSERT INTO outages (epoch, restarted_at) VALUES (1, 2.0)", 0, "a row that no entry made"),
    ],
)  # fmt: skip
def test_tampering_is_found_on_a_copy(folder, tmp_path, sql, seq, text):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    tamper(copy, sql)
    report = verify(copy)
    assert (report.findings[0].seq, text in report.findings[0].text) == (seq, True), report.text()
    assert verify(folder).ok


@pytest.mark.req("AT-05")
def test_a_chain_made_anew_does_not_agree_with_its_anchors(folder):
    """Who can write the file can recompute every hash; only the anchors show it."""
    connection = sqlite3.connect(folder / "ledger.db")
    rows = [Sealed(*row) for row in connection.execute("SELECT seq, entry, hash FROM audit ORDER BY seq")]
    connection.close()
    import json

    previous, forged = "", list[Sealed]()
    for row in rows:
        fields = json.loads(row.entry)
        fields["actor"] = "operator:otto"
        forged.append(seal(row.seq, fields, previous))
        previous = forged[-1].hash
    assert chain.verify(forged) == []
    assert chain.verify(forged, [Anchor(24, rows[-1].hash, "then")]) == [(24, "differs from the anchor of then")]
    assert "installation" in chain.verify(rows, installation="i2")[0].text
    assert chain.verify(rows[:0]) == [(0, "there is no entry")]
    assert "does not create" in chain.verify([seal(1, {"action": "x"}, "")])[0].text
    assert "does not follow" in chain.verify([rows[0], seal(2, {"action": "x"}, "other")])[0].text
    for text in ("no json", "[1]"):
        assert chain.verify([Sealed(1, text, chain.digest_of(text))])[0].seq == 1


@pytest.mark.req("AT-06")
def test_a_flipped_byte_in_the_text_of_any_entry_is_found(folder):
    """Any byte of any stored entry or hash, flipped in the file itself, below SQLite."""
    path = folder / "ledger.db"
    whole = path.read_bytes()
    connection = sqlite3.connect(path)
    texts = [text.encode() for row in connection.execute("SELECT entry, hash FROM audit") for text in row]
    connection.close()
    chance = random.Random(5)
    for _ in range(60):
        text = chance.choice(texts)
        at = whole.index(text) + chance.randrange(len(text))
        harmed = bytearray(whole)
        harmed[at] ^= 1 << chance.randrange(8)
        path.write_bytes(harmed)
        report = verify(folder)
        assert not report.ok and report.findings[0].seq >= 1, (at, report.text())


def test_without_anchors_it_says_what_it_cannot_see(folder):
    (folder / "ledger.anchors.jsonl").unlink()
    report = verify(folder / "ledger.db")
    assert report.ok and "cut tail" in report.notes[0]


def test_what_is_no_ledger_is_said_to_be_none(tmp_path):
    (tmp_path / "ledger.db").write_bytes(b"\xff" * 9000)
    assert not verify(tmp_path).ok
    with pytest.raises(FileNotFoundError):
        verify(tmp_path / "nothing")
