"""A calibration as ten strings of twelve characters, as `Export,?` says `10,120`; what is in them is ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

COUNT, LENGTH = 10, 12
EMPTY = "." * LENGTH


def pack(points: Mapping[str, float]) -> list[str]:
    """`zero` = 1.25 becomes `zer:1.25....`; names are known by their first three letters."""
    filled = [f"{name[:3]}:{value:.6f}"[:LENGTH].ljust(LENGTH, ".") for name, value in sorted(points.items())]
    return filled + [EMPTY] * (COUNT - len(filled))


def unpack(strings: Sequence[str]) -> dict[str, float] | None:
    """The points once all ten strings are there; None before. Raises ValueError for strings of somebody else's."""
    if len(strings) < COUNT:
        return None
    points: dict[str, float] = {}
    for text in strings:
        name, colon, value = text.partition(":")
        if colon:
            points[name] = float(value.rstrip("."))
    return points
