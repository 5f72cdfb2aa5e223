"""Numbered steps from an empty file to today's schema. A step that shipped is frozen; a change is a new step."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from controller.store.errors import LedgerDamaged, LedgerTooNew

FOLDER = Path(__file__).parent / "steps"


class Step(NamedTuple):
    """One step: the schema version it leads to, and the SQL that leads there."""

    version: int
    file: str


STEPS = (
    Step(1, "001_first_ledger.sql"),
    Step(2, "002_claims.sql"),
    Step(3, "003_calibrations.sql"),
    Step(4, "004_configurations.sql"),
    Step(5, "005_materials.sql"),
    Step(6, "006_batches.sql"),
    Step(7, "007_volumes.sql"),
    Step(8, "008_outings.sql"),
    Step(9, "009_photos_and_donors.sql"),
    Step(10, "010_doses_found.sql"),
    Step(11, "011_results_and_releases.sql"),
)
NEWEST = STEPS[-1].version


def statements(script: str) -> Iterator[str]:
    """Single statements of a script; a trigger with its inner semicolons is one."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        raise ValueError(f"a step ends inside a statement: {pending.strip()[:60]}")


def version_of(connection: sqlite3.Connection) -> int:
    """Schema version of an open ledger; 0 = an empty file."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return 0
    if "meta" not in tables:
        raise LedgerDamaged(f"a database that is no ledger of osteon (tables: {', '.join(sorted(tables))})")
    found = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    if found is None or not str(found[0]).isdecimal():
        raise LedgerDamaged("the ledger does not say its schema version")
    return int(found[0])


def migrate(connection: sqlite3.Connection, version: int) -> int:
    """Take the steps after `version` inside the caller's transaction; returns the version reached."""
    if version > NEWEST:
        raise LedgerTooNew(
            f"the ledger has schema {version}, this program knows up to {NEWEST}: "
            "start the program version that wrote it, or a newer one"
        )
    for step in STEPS:
        if step.version > version:
            for statement in statements((FOLDER / step.file).read_text("utf-8")):
                connection.execute(statement)
            connection.execute(
                "INSERT INTO meta (key, value) VALUES ('schema_version', ?) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (str(step.version),),
            )
    return NEWEST
