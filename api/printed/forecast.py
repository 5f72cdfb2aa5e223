"""What a plan will probably come to, for a terminal: how rehearsals of it ended, and the range of each result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.table import table

NOTE = (
    "Simulated as a time-lapse, seeds {seeds}: the ranges are those of noise, people and assays of this plant, and\n"
    "no promise about living cells. Not a validated or clinical protocol."
)


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """`found` as `python -m simulators forecast` tells it."""
    many = len(found["seeds"])
    yield "\nForecast"
    yield NOTE.format(seeds=", ".join(map(str, found["seeds"])))
    yield "ends: " + ", ".join(f"{state} {count} of {many}" for state, count in found["ends"].items())
    rows = [
        (each["sample"], f"{each['day']:g}", each["name"], spread(each["low"], each["high"]), each["unit"])
        for each in found["ranges"]
    ]
    if rows:
        yield table(("sample", "day", "result", "range", "unit"), rows)
    for text, count in found["troubles"].items():
        yield f"in {count} of {many}: {text}"


def spread(low: float, high: float) -> str:
    near = f"{low:.3g}" == f"{high:.3g}"
    return f"{low:.3g}" if near else f"{low:.3g} to {high:.3g}"
