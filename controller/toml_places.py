"""Where in a TOML text a key stands: tomllib checks, but forgets lines; people need them."""

from __future__ import annotations

import re

HEADER = re.compile(r"^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(#.*)?$")
KEY = re.compile(r'^\s*("[^"]*"|[A-Za-z0-9_-]+)\s*=')


def parts_of(dotted: str) -> tuple[str, ...]:
    return tuple(piece.strip().strip('"') for piece in re.findall(r'"[^"]*"|[^.]+', dotted))


def place_of(text: str, where: tuple[int | str, ...]) -> tuple[int, int]:
    """Line and column (from 1) of the deepest part of `where` that the text shows; (1, 1) when none does."""
    counts: dict[tuple[str, ...], int] = {}
    at: tuple[int | str, ...] = ()
    best, depth = (1, 1), 0
    for number, line in enumerate(text.splitlines(), 1):
        key: tuple[int | str, ...] | None = None
        if header := HEADER.match(line):
            at = numbered(parts_of(header[2]), header[1] == "[[", counts)
            key = at
        elif named := KEY.match(line):
            key = (*at, named[1].strip('"'))
        if key is not None and len(key) > depth and key == where[: len(key)]:
            best, depth = (number, len(line) - len(line.lstrip()) + 1), len(key)
    return best


def numbered(names: tuple[str, ...], new: bool, counts: dict[tuple[str, ...], int]) -> tuple[int | str, ...]:
    """The full key of a table header, with the index of each array of tables it lies in."""
    if new:
        counts[names] = counts.get(names, -1) + 1
    key: list[int | str] = []
    for depth in range(1, len(names) + 1):
        key.append(names[depth - 1])
        if names[:depth] in counts:
            key.append(counts[names[:depth]])
    return tuple(key)
