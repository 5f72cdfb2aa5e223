"""What a plan will probably come to, for a terminal: how rehearsals of it ended, and the range of each result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.printed.words import unit_words
from api.table import table

MEDIUM = ("ph", "glucose", "lactate")
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
        (each["sample"], f"{each['day']:g}", each["name"], spread(each["low"], each["high"]), unit_words(each["unit"]))
        for each in found["ranges"]
    ]
    if rows:
        yield table(("sample", "day", "result", "range", "unit"), rows)
    yield from _by_day(found)
    yield from _at_end(found)
    for text, count in found["troubles"].items():
        yield f"in {count} of {many}: {text}"


def _by_day(found: Mapping[str, Any]) -> Iterator[str]:
    """Medium of each vessel by culture day, beside the calendar's days."""
    told: dict[tuple[int, str], dict[str, str]] = {}
    for each in found["by_day"]:
        digits = 2 if each["quantity"] == "ph" else 1
        low, high = f"{each['low']:.{digits}f}", f"{each['high']:.{digits}f}"
        cells = told.setdefault((each["day"], each["vessel"]), {})
        cells[each["quantity"]] = low if low == high else f"{low} to {high}"
    if told:
        heads = ("day", "vessel", "pH", "glucose, mmol/L", "lactate, mmol/L")
        rows = [
            (str(day), vessel, *(of.get(name, "") for name in MEDIUM)) for (day, vessel), of in sorted(told.items())
        ]
        yield f"\nMedium by day, simulated: lowest to highest, mean of a vessel's dishes\n{table(heads, rows)}"
    if found["left_out"]:
        names = ", ".join(found["left_out"])
        yield f"Not told: the medium of {names}, which does not live the whole time in a time-lapse."


def _at_end(found: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        (each["vessel"], f"{each['day']:g}", each["name"], _value(each), unit_words(each["unit"]))
        for each in found["at_end"]
    ]
    if rows:
        yield "\nLast in each vessel, simulated; ± is one standard deviation of the assay"
        yield table(("vessel", "day", "what", "value", "unit"), rows)


def _value(each: Mapping[str, Any]) -> str:
    if each["high"] < each["least"]:
        return f"below {each['least']:g}, not detected"
    return spread(each["low"], each["high"]) + (f" ± {each['error']:.2g}" if each["error"] else "")


def spread(low: float, high: float) -> str:
    near = f"{low:.3g}" == f"{high:.3g}"
    return f"{low:.3g}" if near else f"{low:.3g} to {high:.3g}"
