"""The one door into the ledger: `Ledger.commit(change, audit, journal)`, one transaction, one chained audit trail.

One connection writes, in one worker thread (inline in virtual and paced time), with WAL and synchronous=FULL. What
`commit` returned for is on the disk. A disk error ends all committing of this process (ST-04); a broken rule of the
schema ends only the commit that broke it.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from controller.clock import iso
from controller.store import anchors
from controller.store.chain import Anchor, canonical, seal, seal_journal
from controller.store.changes import AuditEntry, Change, JournalEntry
from controller.store.errors import ChangeRefused, LedgerDamaged, LedgerFault
from controller.store.migrations import NEWEST
from controller.store.opening import AUDIT_SQL, advice, build, check_tail, connect_writer, version_found
from controller.store.reader import NAME, Reader, connect_read_only
from controller.store.stamp import Stamp, stamped
from controller.store.statements import Bound, bind

Hook = Callable[[], Awaitable[None]]
ANCHOR_EVERY_S = 3600.0

JOURNAL_SQL = "INSERT INTO journal (seq, run_id, at, event, audit_seq) VALUES (?, ?, ?, ?, ?)"
EPOCH_SQL = "INSERT INTO epochs (epoch, pid, boot_id, at, version) VALUES (?, ?, ?, ?, ?)"
REFUSALS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.DataError, OverflowError)
"""Errors that say the values were wrong, not the disk."""


class Prepared(NamedTuple):
    """One commit, complete but for its numbers and hashes."""

    bound: Sequence[Bound]
    fields: list[dict[str, object]]
    journal: list[tuple[str, float, str]]
    utc_s: float


class Ledger(Reader):
    """The ledger of one data directory, open for writing. Take the directory's lock first (`lock.DirectoryLock`)."""

    def __init__(
        self,
        folder: Path,
        writes: sqlite3.Connection,
        stamp: Stamp,
        version: str,
        before_commit: Hook | None = None,
        after_commit: Hook | None = None,
    ) -> None:
        super().__init__(folder, connect_read_only(folder / NAME))
        self.epoch = 0
        self.fault = ""
        """Why this ledger takes no more commits; "" while it does."""
        self.anchor_fault = ""
        """Why the last anchor could not be written; tried again at the next commit."""
        self._writes, self._stamp, self._version = writes, stamp, version
        self._before, self._after = before_commit, after_commit
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._turn = asyncio.Lock()
        self._seq, self._hash = self.head()
        self._journal_seq = int(writes.execute("SELECT COALESCE(MAX(seq), 0) FROM journal").fetchone()[0])
        self._anchored_at = float("-inf")

    @classmethod
    def open(
        cls,
        folder: Path,
        stamp: Stamp,
        version: str = "",
        *,
        installation: str | None = None,
        before_commit: Hook | None = None,
        after_commit: Hook | None = None,
    ) -> Ledger:
        """Open or create the ledger in `folder`, checked (ST-05). Call in a running loop: it gives the time.

        installation: name of a new installation; a random one when None. The hooks run before and after every
        transaction: tests and host faults stand there. LedgerDamaged says what to do.
        """
        folder.mkdir(parents=True, exist_ok=True)
        writes = connect_writer(folder)
        try:
            found = version_found(folder, writes)
            if found != NEWEST:
                build(writes, found, stamp, version, installation or secrets.token_hex(16))
            check_tail(folder, writes)
            ledger = cls(folder, writes, stamp, version, before_commit, after_commit)
        except sqlite3.Error as error:
            writes.close()
            raise LedgerDamaged(f"{folder / NAME} cannot be made ready: {error}. {advice(folder)}") from error
        except BaseException:
            writes.close()
            raise
        if found == 0:
            ledger._anchor(stamp.now())
        return ledger

    async def commit(
        self, change: Sequence[Change], audit: Sequence[AuditEntry], journal: Sequence[JournalEntry] = ()
    ) -> int:
        """Commit changes, their audit entries and journal entries together; returns the number of the last audit entry.

        ValueError: no audit entry, or an unknown table or column. ChangeRefused: a constraint. LedgerFault: the disk.
        In all three nothing of this commit is kept.
        """
        if not audit:
            raise ValueError("a change without an audit entry is not committed (AT-08)")
        return await self._commit([bind(one) for one in change], audit, journal)

    @property
    def seq(self) -> int:
        """Number of the last audit entry: as long as it stays, nothing in this ledger has changed."""
        return self._seq

    async def new_epoch(
        self, pid: int | None = None, change: Sequence[Change] = (), audit: Sequence[AuditEntry] = ()
    ) -> int:
        """Begin the reign of this process: a number one higher than any before it (DX-05).

        `change` and `audit` go into the same transaction: no reign begins without its outage record (DX-13).
        """
        epoch = self.newest_epoch() + 1
        now = self._stamp.now()
        values: list[object] = [epoch, os.getpid() if pid is None else pid, self._stamp.boot, now, self._version]
        row = Bound(EPOCH_SQL, values, True, [])
        entry = AuditEntry("controller.started", "epoch", str(epoch), "controller", old=epoch - 1, new=epoch)
        await self._commit([row, *(bind(one) for one in change)], [entry, *audit], ())
        self.epoch = epoch
        return epoch

    def reigns(self) -> bool:
        """False when a later controller has begun its epoch here: then no device may be written (INV-12)."""
        return self.epoch != 0 and self.newest_epoch() == self.epoch

    async def anchor(self) -> None:
        """Write the head to the anchors file: at run end and with every report. Hourly it happens by itself."""
        await asyncio.get_running_loop().run_in_executor(self._worker, self._anchor, self._stamp.now())

    def close(self, anchored_at: float | None = None) -> None:
        """Finish what is being written and close. `anchored_at` (UTC seconds) anchors the head first."""
        self._worker.shutdown(wait=True)
        if anchored_at is not None and not self.fault:
            self._anchor(anchored_at)
        super().close()
        self._writes.close()

    async def _commit(
        self, bound: Sequence[Bound], audit: Sequence[AuditEntry], journal: Sequence[JournalEntry]
    ) -> int:
        self._refuse_after_fault()
        now = self._stamp.now()
        stamp = stamped(self._stamp, now, self._version)
        fields = [entry.fields() | stamp for entry in audit]
        fields[0]["changes"] = [one.record for one in bound if one.record]
        events = [(entry.run_id, float(entry.at), canonical(entry.event)) for entry in journal]
        prepared = Prepared(bound, fields, events, now)
        async with self._turn:
            if self._before is not None:
                await self._before()
            self._refuse_after_fault()
            seq = await asyncio.get_running_loop().run_in_executor(self._worker, self._write, prepared)
            if self._after is not None:
                await self._after()
        return seq

    def _refuse_after_fault(self) -> None:
        if self.fault:
            raise LedgerFault(self.fault)

    def _write(self, prepared: Prepared) -> int:
        """The transaction, in the worker. Head and journal number move only after COMMIT came back."""
        try:
            self._refuse_after_fault()
            self._writes.execute("BEGIN IMMEDIATE")
            head = self._write_all(prepared)
            self._writes.execute("COMMIT")
        except REFUSALS as error:
            self._roll_back()
            raise ChangeRefused(f"the ledger refused the change: {error}") from error
        except sqlite3.Error as error:
            self.fault = f"the ledger could not be written: {error}. Nothing new is started; restart osteon and verify."
            self._roll_back()
            raise LedgerFault(self.fault) from error
        except BaseException:
            self._roll_back()
            raise
        self._seq, self._hash = head
        self._journal_seq += len(prepared.journal)
        if prepared.utc_s - self._anchored_at >= ANCHOR_EVERY_S or prepared.utc_s < self._anchored_at:
            self._anchor(prepared.utc_s)
        return self._seq

    def _write_all(self, prepared: Prepared) -> tuple[int, str]:
        execute = self._writes.execute
        for sql, values, one, _ in prepared.bound:
            done = execute(sql, values)
            if one and done.rowcount != 1:
                raise sqlite3.IntegrityError(f"changed {done.rowcount} rows instead of one: {sql} {values[-3:]}")
        numbered = [(self._journal_seq + n, *row) for n, row in enumerate(prepared.journal, start=1)]
        prepared.fields[0]["journal"] = seal_journal(numbered)
        seq, previous = self._seq, self._hash
        for fields in prepared.fields:
            sealed = seal(seq + 1, fields, previous)
            execute(AUDIT_SQL, sealed)
            seq, previous = sealed.seq, sealed.hash
        for row in numbered:
            execute(JOURNAL_SQL, (*row, self._seq + 1))
        return seq, previous

    def _roll_back(self) -> None:
        try:
            if self._writes.in_transaction:
                self._writes.execute("ROLLBACK")
        except sqlite3.Error as error:
            self.fault = self.fault or f"the ledger could not take back a failed commit: {error}"

    def _anchor(self, utc_s: float) -> None:
        try:
            anchors.append(self.folder, Anchor(self._seq, self._hash, iso(utc_s)))
        except OSError as error:
            self.anchor_fault = f"{anchors.NAME} could not be written: {error}"
        else:
            self.anchor_fault, self._anchored_at = "", utc_s
