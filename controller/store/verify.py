"""Check a ledger, or a copy of one, offline and without any secret (AT-06): says the first bad entry."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from controller.store import anchors, chain
from controller.store.chain import Finding, Sealed, seal_journal
from controller.store.errors import LedgerDamaged
from controller.store.pictures import FOLDER, changed
from controller.store.reader import NAME, Reader, connect_read_only
from controller.store.replay import Key, State, disagreements, replay


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one verification; `findings` in the order of entries, the first is the first bad one."""

    path: Path
    entries: int
    head: str
    anchors: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.findings

    def text(self) -> str:
        """For a person: one line when all is well, else the first bad entry first."""
        if self.ok:
            lines = [f"{self.path}: {self.entries} entries, whole; head {self.head}; {self.anchors} anchors agree"]
        else:
            lines = [
                f"{self.path}: NOT whole; {len(self.findings)} findings, the first at entry {self.findings[0].seq}"
            ]
            lines += [f"  entry {finding.seq}: {finding.text}" for finding in self.findings]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def verify(path: Path) -> Report:
    """Check the ledger in a folder, or a ledger file with its anchors beside it. FileNotFoundError: none there."""
    file = path / NAME if path.is_dir() else path
    known, notes = anchors.load(file.parent)
    if not known:
        notes.append("no anchors beside it: a cut tail could not be seen")
    try:
        connection = connect_read_only(file)
    except LedgerDamaged as error:
        return Report(file, 0, "", len(known), (Finding(0, str(error)),), tuple(notes))
    with Reader(file.parent, connection) as reader:
        walk = Walk(connection, reader)
        try:
            findings = walk.integrity()
            broken = chain.verify(walk.entries(), known, reader.meta("installation"))
            findings += broken or walk.after()
            findings += walk.pictures(notes, copy=path != file.parent)
            if broken:
                notes.append("journal and tables were not compared, for the trail does not reach them")
        except sqlite3.Error as error:
            findings = [Finding(walk.seq + 1, f"cannot be read: {error}")]
    findings.sort(key=lambda finding: finding.seq or sys.maxsize)
    return Report(file, walk.seq, walk.head, len(known), tuple(findings), tuple(notes))


class Walk:
    """One pass over the trail that also checks the journal and tells the tables again."""

    def __init__(self, connection: sqlite3.Connection, reader: Reader) -> None:
        self.seq, self.head = 0, ""
        self._connection, self._reader = connection, reader
        self._state: State = {}
        self._touched = dict[tuple[str, Key], int]()
        self._seals = dict[int, str]()

    def integrity(self) -> list[Finding]:
        found = [text for (text,) in self._connection.execute("PRAGMA integrity_check(20)")]
        return [] if found == ["ok"] else [Finding(0, f"SQLite: {text}") for text in found]

    def entries(self) -> Iterator[Sealed]:
        for row in self._reader.sealed():
            yield row
            self.seq, self.head = row.seq, row.hash
            entry = json.loads(row.entry)
            replay(self._state, row.seq, entry, self._touched)
            if entry.get("journal"):
                self._seals[row.seq] = entry["journal"]

    def pictures(self, notes: list[str], *, copy: bool) -> list[Finding]:
        """Photos against their files; beside a `copy` of the ledger alone there need be none."""
        rows = self._reader.photos() if self._reader.has_photos else []
        if rows and copy and not (self._reader.folder / FOLDER).is_dir():
            notes.append(f"no folder {FOLDER!r} beside it: {len(rows)} pictures could not be looked at")
            return []
        return [
            Finding(self._touched.get(("photos", (photo,)), 0), f"photo {photo}: {text}")
            for photo, text in changed(self._reader.folder, rows)
        ]

    def after(self) -> list[Finding]:
        """The journal against its seals and the tables against the trail; asks for the walk to be over."""
        rows = dict[int, list[tuple[int, str, float, str]]]()
        for seq, run_id, at, event, audit_seq in self._reader.journal_text():
            rows.setdefault(audit_seq, []).append((seq, run_id, at, event))
        found = [
            Finding(seq, "its journal rows were altered, added or deleted")
            for seq in sorted(self._seals.keys() | rows.keys())
            if seal_journal(rows.get(seq, [])) != self._seals.get(seq, "")
        ]
        return found + disagreements(self._connection, self._state, self._touched)
