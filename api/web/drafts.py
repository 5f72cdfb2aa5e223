"""What people have begun to write for a hand step: kept for each person until the step is confirmed (UI-71).

No record: a file of the service's own, that may be deleted. Times are UTC seconds.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NAME = "drafts.sqlite"
MOST = 100
"""Drafts of one person; the oldest go first."""
TABLE = """CREATE TABLE IF NOT EXISTS drafts (
  user TEXT NOT NULL, run TEXT NOT NULL, path TEXT NOT NULL, entries TEXT NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (user, run, path)
) STRICT, WITHOUT ROWID"""


@dataclass(frozen=True, slots=True)
class Draft:
    entries: dict[str, str]
    at: float | None
    """When it was kept; None = there is none."""


class Drafts:
    """One connection to the file, which is made if need be and readable by its owner only."""

    def __init__(self, data: Path) -> None:
        path = data / NAME
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path, timeout=2.0, isolation_level=None)
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", TABLE):
            self._db.execute(statement)

    def close(self) -> None:
        self._db.close()

    def put(self, user: str, run: str, path: str, entries: Mapping[str, str], now: float) -> None:
        """In place of the one before."""
        text = json.dumps(dict(entries), ensure_ascii=False)
        self._db.execute("INSERT OR REPLACE INTO drafts VALUES (?, ?, ?, ?, ?)", (user, run, path, text, now))
        self._db.execute(
            "DELETE FROM drafts WHERE user = ?1 AND (run, path) NOT IN "
            "(SELECT run, path FROM drafts WHERE user = ?1 ORDER BY at DESC LIMIT ?2)",
            (user, MOST),
        )

    def get(self, user: str, run: str, path: str) -> Draft:
        sql = "SELECT entries, at FROM drafts WHERE user = ? AND run = ? AND path = ?"
        found = self._db.execute(sql, (user, run, path)).fetchone()
        return Draft(json.loads(found[0]), found[1]) if found else Draft({}, None)

    def drop(self, run: str, path: str, user: str | None = None) -> None:
        """Of one person, or of all: the step is confirmed."""
        sql = "DELETE FROM drafts WHERE run = ?1 AND path = ?2 AND (?3 IS NULL OR user = ?3)"
        self._db.execute(sql, (run, path, user))
