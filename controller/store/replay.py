"""The tables told again from the audit trail: every change stands in an entry, so a row that disagrees was altered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import Table, select

from controller.store.chain import Finding, digest_of
from controller.store.schema import OPEN_TO_CHANGES
from controller.store.statements import compiled

Key = tuple[Any, ...]
State = dict[str, dict[Key, dict[str, Any]]]


def replay(state: State, seq: int, entry: Mapping[str, Any], touched: dict[tuple[str, Key], int]) -> None:
    """Apply the changes of one entry; `touched` remembers the last entry that changed each row."""
    for kind, name, where, values in cast(list[list[Any]], entry.get("changes", [])):
        table = OPEN_TO_CHANGES.get(name)
        if table is None:
            continue
        rows = state.setdefault(name, {})
        for key in _matching(table, rows, where) if kind == "update" else [_key(table, rows, values)]:
            rows.setdefault(key, _defaults(table, key)).update(values)
            touched[name, key] = seq


def disagreements(
    connection: sqlite3.Connection, state: State, touched: Mapping[tuple[str, Key], int]
) -> list[Finding]:
    """Rows that are not what the trail made of them: altered, deleted, or never written by the ledger.

    An older ledger lacks columns and tables of later steps; nothing was ever written there."""
    found = list[Finding]()
    for name, table in OPEN_TO_CHANGES.items():
        expected = dict(state.get(name, {}))
        there = {str(row[1]) for row in connection.execute(f"PRAGMA table_info({name})")}
        kept = [column for column in table.columns if column.name in there]
        if not kept:
            continue
        columns = [column.name for column in kept]
        for row in connection.execute(compiled(select(*kept)).sql):
            stored: dict[str, Any] = dict(zip(columns, row, strict=True))
            key = tuple(stored[column.name] for column in table.primary_key)
            made = expected.pop(key, None)
            seq = touched.get((name, key), 0)
            if made is None:
                found.append(Finding(seq, f"{name} {key}: a row that no entry made"))
            else:
                wrong = [column for column in columns if not _same(stored[column], made.get(column))]
                found += [Finding(seq, f"{name} {key}: {column} was altered after this entry") for column in wrong]
        found += [Finding(touched[name, key], f"{name} {key}: the row is gone") for key in expected]
    return found


def _same(stored: object, made: object) -> bool:
    if isinstance(made, dict):
        return isinstance(stored, str) and digest_of(stored) == cast(dict[str, Any], made).get("sha256")
    return stored == made


def _matching(table: Table, rows: Mapping[Key, Mapping[str, Any]], where: Mapping[str, Any]) -> list[Key]:
    names = [column.name for column in table.primary_key]
    if set(where) == set(names):
        return [tuple(where[name] for name in names)]
    return [key for key, row in rows.items() if all(row.get(name) == value for name, value in where.items())]


def _key(table: Table, rows: Mapping[Key, object], values: Mapping[str, Any]) -> Key:
    names = [column.name for column in table.primary_key]
    if names == ["id"] and "id" not in values:
        return (max((key[0] for key in rows), default=0) + 1,)
    return tuple(values[name] for name in names)


def _defaults(table: Table, key: Key) -> dict[str, Any]:
    row: dict[str, Any] = {
        column.name: _default(column.server_default, column.type.python_type) for column in table.columns
    }
    return row | dict(zip((column.name for column in table.primary_key), key, strict=True))


def _default(given: object, kind: type) -> object:
    text = getattr(given, "arg", None)
    return text if text is None or kind is str else json.loads(text)
