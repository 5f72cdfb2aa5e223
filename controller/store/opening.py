"""Opening a ledger for writing: pragmas set and read back, integrity, schema, the tail of the chain (ST-02, ST-05)."""

from __future__ import annotations

import os
import sqlite3
from itertools import pairwise
from pathlib import Path

from controller.store import anchors
from controller.store.chain import FIRST_ACTION, Sealed, link_fault, seal
from controller.store.changes import AuditEntry
from controller.store.errors import LedgerDamaged
from controller.store.migrations import migrate, version_of
from controller.store.place import refuse_network
from controller.store.reader import NAME
from controller.store.stamp import Stamp, stamped

AUDIT_SQL = "INSERT INTO audit (seq, entry, hash) VALUES (?, ?, ?)"
META_SQL = "INSERT INTO meta (key, value) VALUES (?, ?)"
TAIL = 200
"""Entries whose links are checked at every start; `osteon verify` checks all."""

PRAGMAS: tuple[tuple[str, str, object], ...] = (
    ("busy_timeout", "2000", 2000),
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("fullfsync", "ON", 1),
    ("checkpoint_fullfsync", "ON", 1),
    ("foreign_keys", "ON", 1),
    ("recursive_triggers", "ON", 1),
    ("mmap_size", "0", 0),
    ("journal_size_limit", "67108864", 67108864),
)
"""Pragma, value to set, value to read back. fullfsync acts on macOS only and is harmless elsewhere."""


def advice(folder: Path) -> str:
    return (
        f"Environment control goes on and no fluid moves. Stop osteon, copy {folder} to a safe place, run "
        f"`osteon verify` on the copy, and restore the last good backup; open doses then come back as unknown."
    )


def connect_writer(folder: Path) -> sqlite3.Connection:
    """The one writing connection, with the pragmas of ST-02 read back."""
    refuse_network(folder)
    path = folder / NAME
    if (not path.exists() or path.stat().st_size == 0) and anchors.load(folder)[0]:
        raise LedgerDamaged(f"{path} is gone, but {anchors.NAME} beside it knows its entries. {advice(folder)}")
    fresh = not path.exists()
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    try:
        for name, value, expected in PRAGMAS:
            connection.execute(f"PRAGMA {name} = {value}").fetchall()
            found = connection.execute(f"PRAGMA {name}").fetchone()
            if found is not None and found[0] != expected:
                raise LedgerDamaged(f"{path}: {name} is {found[0]!r} instead of {expected!r}. {advice(folder)}")
    except sqlite3.Error as error:
        connection.close()
        raise LedgerDamaged(f"{path} cannot be opened as a ledger: {error}. {advice(folder)}") from error
    except BaseException:
        connection.close()
        raise
    if fresh:
        sync_folder(folder)
    return connection


def sync_folder(folder: Path) -> None:
    """Make a new file's name durable (POSIX; elsewhere the file system does it)."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def version_found(folder: Path, connection: sqlite3.Connection) -> int:
    """Schema version of a whole ledger, 0 for an empty file. LedgerDamaged when SQLite finds damage."""
    try:
        found = [text for (text,) in connection.execute("PRAGMA quick_check(5)")]
        if found != ["ok"]:
            raise LedgerDamaged(f"{folder / NAME} is damaged: {'; '.join(found)}. {advice(folder)}")
        return version_of(connection)
    except sqlite3.Error as error:
        raise LedgerDamaged(f"{folder / NAME} is damaged: {error}. {advice(folder)}") from error


def build(connection: sqlite3.Connection, version: int, stamp: Stamp, program: str, installation: str) -> None:
    """Bring an empty or older ledger to today's schema, in one transaction with its audit entry."""
    now = stamp.now()
    connection.execute("BEGIN EXCLUSIVE")
    try:
        reached = migrate(connection, version)
        if version == 0:
            connection.execute(META_SQL, ("installation", installation))
            entry = AuditEntry(FIRST_ACTION, "installation", installation, "controller", new={"schema": reached})
            seq, previous = 0, ""
        else:
            entry = AuditEntry("ledger.migrated", "ledger", NAME, "controller", old=version, new=reached)
            seq, previous = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
        fields = entry.fields() | stamped(stamp, now, program)
        connection.execute(AUDIT_SQL, seal(seq + 1, fields, previous))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def check_tail(folder: Path, connection: sqlite3.Connection) -> None:
    """Check the last links of the chain and the newest anchor; LedgerDamaged names the entry."""
    rows = [
        Sealed(*row)
        for row in connection.execute("SELECT seq, entry, hash FROM audit ORDER BY seq DESC LIMIT ?", (TAIL,))
    ]
    rows.reverse()
    fault = tail_fault(rows) or anchor_fault(folder, connection)
    if fault:
        raise LedgerDamaged(f"{folder / NAME}: the audit trail is broken: {fault}. {advice(folder)}")


def tail_fault(rows: list[Sealed]) -> str:
    if not rows:
        return "there is no entry"
    first = rows[0]
    if first.seq == 1:
        fault = link_fault(1, "", first)
        if fault:
            return f"entry 1: {fault}"
    for before, row in pairwise(rows):
        fault = link_fault(before.seq + 1, before.hash, row)
        if fault:
            return f"entry {row.seq}: {fault}"
    return ""


def anchor_fault(folder: Path, connection: sqlite3.Connection) -> str:
    known = anchors.load(folder)[0]
    if not known:
        return ""
    last = max(known)
    found = connection.execute("SELECT hash FROM audit WHERE seq = ?", (last.seq,)).fetchone()
    if found is None:
        return f"entry {last.seq}, anchored {last.utc}, is missing (the tail was cut, or an old copy was put back)"
    return "" if found[0] == last.hash else f"entry {last.seq} differs from its anchor of {last.utc}"
