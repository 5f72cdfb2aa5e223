"""The tables of the history: recent samples as rows, older ones as chunks, and the gaps between. Times are UTC ms."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import REAL

from controller.store.statements import DIALECT

metadata = MetaData()

signals = Table(
    "signals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("divisor", REAL, nullable=False, server_default="100"),
    sqlite_strict=True,
)

recent = Table(
    "recent",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("signal", Integer, ForeignKey("signals.id"), nullable=False),
    Column("at_ms", Integer, nullable=False),
    Column("value", REAL),
    Column("quality", Integer, nullable=False),
    sqlite_strict=True,
)
"""Rows of each signal in the order of arrival; one whose id is not above `last_id` of its signal's chunks is packed."""

chunks = Table(
    "chunks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("signal", Integer, ForeignKey("signals.id"), nullable=False),
    Column("last_id", Integer, nullable=False),
    Column("first_ms", Integer, nullable=False),
    Column("last_ms", Integer, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("good", Integer, nullable=False),
    Column("low", REAL),
    Column("high", REAL),
    Column("mean", REAL),
    Column("blob", LargeBinary, nullable=False),
    sqlite_strict=True,
)
Index("chunks_by_time", chunks.c.signal, chunks.c.first_ms)

gaps = Table(
    "gaps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("signal", Integer, ForeignKey("signals.id"), nullable=False),
    Column("start_ms", Integer, nullable=False),
    Column("end_ms", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_strict=True,
)

VERSION = 1
"""PRAGMA user_version of a history file."""


def ddl() -> list[str]:
    """The statements that make an empty history."""
    made = [str(CreateTable(table).compile(dialect=DIALECT)) for table in metadata.sorted_tables]
    made += [
        str(CreateIndex(index).compile(dialect=DIALECT)) for table in metadata.sorted_tables for index in table.indexes
    ]
    return made
