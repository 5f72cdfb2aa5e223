"""The registers that only an owner of the maker's document knows: read from a file, checked, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from drivers.core import registers
from drivers.core.registers import KINDS, SWAPPED, Row
from drivers.core.signals import Access

TEMPLATE = "drivers/devices/binder_mb/cb-profile-template.csv"
HIGHEST = 0xFFFF


def load(path: str, unknown: Mapping[str, Row]) -> dict[str, Row]:
    """The rows of the file at `path`, for signals of `unknown` only; raises ValueError naming file and fault."""
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"profile {path}: {error}") from error
    found = registers.parse(text, f"profile {path}", counts_from=0)
    return {name: _checked(path, row, unknown) for name, row in found.items()}


def _checked(path: str, row: Row, unknown: Mapping[str, Row]) -> Row:
    where = f"profile {path}: {row.name}"
    if row.name not in unknown:
        raise ValueError(f"{where}: only {', '.join(unknown)} can be filled in")
    if not 0 < row.wire < HIGHEST:
        raise ValueError(f"{where}: there is no address in it")
    if row.type.removesuffix(SWAPPED) not in KINDS or row.scale <= 0:
        raise ValueError(f"{where}: type {row.type!r} with scale {row.scale:g} is none that can be read")
    known = unknown[row.name]
    writes = row.extra.get("writes", "")
    if writes and (known.access is Access.READ or row.low is None or row.high is None or row.low >= row.high):
        raise ValueError(f"{where}: a set point that is written needs low and high, and {row.name} must be a set point")
    targets(row)
    return replace(row, table="holding", unit=known.unit, access=known.access if writes else Access.READ)


def targets(row: Row) -> tuple[int, ...]:
    """The wire addresses a set point is written to, in the order to write them; raises ValueError."""
    words: Iterable[str] = row.extra.get("writes", "").split()
    return tuple(int(word, 16) if word.startswith("0x") else int(word) for word in words)
