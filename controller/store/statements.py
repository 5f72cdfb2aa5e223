"""SQL text made from the schema by SQLAlchemy Core, once for each shape, so that a commit binds and runs only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Table, bindparam, insert, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

from controller.store.chain import canonical, digest_of
from controller.store.changes import Change, Insert, Update, Upsert
from controller.store.schema import OPEN_TO_CHANGES, metadata

DIALECT = sqlite.dialect(paramstyle="qmark")
Encode = Callable[[object], object]


class Statement(NamedTuple):
    """SQL with question marks, and the names whose values go there, in order."""

    sql: str
    names: tuple[str, ...]


def compiled(clause: ClauseElement) -> Statement:
    made = clause.compile(dialect=DIALECT)
    names: list[str] = getattr(made, "positiontup", None) or []
    return Statement(str(made), tuple(names))


@lru_cache(maxsize=512)
def statement(kind: type[Change], table: str, columns: tuple[str, ...], keys: tuple[str, ...] = ()) -> Statement:
    """The statement of one shape of change; names of key values begin with "key "."""
    target = metadata.tables[table]
    values: dict[str, BindParameter[Any]] = {column: bindparam(column) for column in columns}
    if kind is Update:
        where = [target.c[key] == bindparam(f"key {key}") for key in keys]
        return compiled(update(target).where(*where).values(values))
    if kind is Insert:
        return compiled(insert(target).values(values))
    upsert = sqlite.insert(target).values(values)
    primary = [column.name for column in target.primary_key]
    rest = {column: upsert.excluded[column] for column in columns if column not in primary}
    made = upsert.on_conflict_do_update(primary, set_=rest) if rest else upsert.on_conflict_do_nothing()
    return compiled(made)


LONG_TEXT = 512
"""Characters beyond which the record of a change holds the SHA-256 of a value instead of the value."""


class Bound(NamedTuple):
    """SQL and its values, ready to run; `one` = exactly one row must be changed.

    `record` is what the audit entry says of it: [kind, table, key, values], values as they are stored.
    """

    sql: str
    values: list[object]
    one: bool
    record: list[object]


def bind(change: Change) -> Bound:
    """One change as SQL. ValueError names a table or column that is not there, or not open to changes."""
    table = OPEN_TO_CHANGES.get(change.table)
    if table is None:
        raise ValueError(f"{change.table!r} is not a table that changes go to; there are: {', '.join(OPEN_TO_CHANGES)}")
    given = _encoded(table, change.values)
    if not given:
        raise ValueError(f"a change of {change.table} without values")
    columns, keys = tuple(given), dict[str, object]()
    values = {name: _short(value) for name, value in given.items()}
    if isinstance(change, Update):
        if not change.key:
            raise ValueError(f"an update of {change.table} without a key would change every row")
        keys = _encoded(table, change.key)
        made = statement(Update, change.table, columns, tuple(keys))
        given |= {f"key {name}": value for name, value in keys.items()}
    else:
        made = statement(type(change), change.table, columns)
    record: list[object] = [type(change).__name__.lower(), change.table, keys, values]
    return Bound(made.sql, [given[name] for name in made.names], not isinstance(change, Upsert), record)


def _short(value: object) -> object:
    return {"sha256": digest_of(value)} if isinstance(value, str) and len(value) > LONG_TEXT else value


def _encoded(table: Table, values: Mapping[str, object]) -> dict[str, object]:
    coders = encoders(table.name)
    unknown = [name for name in values if name not in coders]
    if unknown:
        raise ValueError(f"{table.name} has no column {', '.join(unknown)}; it has: {', '.join(coders)}")
    return {name: coders[name](value) for name, value in values.items()}


@lru_cache(maxsize=64)
def encoders(table: str) -> dict[str, Encode]:
    """How a value goes into each column of a table: canonical JSON where the schema marks it, else as it is."""
    columns = metadata.tables[table].columns
    return {column.name: canonical if column.info.get("json") else plain for column in columns}


def plain(value: object) -> object:
    return value
