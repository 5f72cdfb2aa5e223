"""The data frame and the table of its columns (`??D*`): read by blanks and by that table, never by position."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from drivers.core.errors import BadFrame, Refused

SIGNALS = {
    "002": "pressure",
    "003": "temperature",
    "004": "volumetric_flow",
    "005": "standard_flow",
    "037": "flow_setpoint",
}
GAS, UNIT_ID = "703", "700"
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
OUT_OF_RANGE = re.compile(r"[-+.]+")
"""Dashes or plus signs instead of digits (X)."""
ROW = re.compile(r"\s*D(\d\d)\s+(\d{3})\s+(\S.*?)(?:\s{2,}(.*))?")
FULL_SCALE = re.compile(r"\+?(\d+(?:\.(\d+))?)\s+(?:\d+\s+)?([A-Za-z/]+)")


class Column(NamedTuple):
    """One number of the frame: the signal it is ("" = none of ours) and its unit as the device prints it."""

    signal: str
    unit: str


@dataclass(frozen=True, slots=True)
class Frame:
    """One data frame: numbers by signal as printed (None = out of range), gas, and status words in their order."""

    numbers: dict[str, float | None]
    gas: str
    words: tuple[str, ...]


class FullScale(NamedTuple):
    """Full scale of the mass flow in the device's `unit`, and how many decimals it shows."""

    value: float
    decimals: int
    unit: str


def columns_of(rows: list[str]) -> tuple[Column, ...]:
    """The numeric columns of a canonical `??D*` table (firmware 6v and later); raises BadFrame, Refused."""
    columns: list[Column] = []
    gas_seen = False
    for expected, text in enumerate(rows):
        number = re.match(r"\s*D(\d\d)\b", text)
        if number is None or int(number[1]) != expected:
            raise BadFrame(f"??D*: line {expected} is missing: {text!r}")
        if expected == 0:
            continue
        row = ROW.fullmatch(text)
        if row is None:
            raise Refused("??D*", f"a column table of another form ({text!r}): say the columns in option columns")
        _, statistic, name, rest = row.groups()
        if name.startswith("*") or statistic == UNIT_ID:
            continue
        if statistic == GAS:
            gas_seen = True
        elif gas_seen:
            raise Refused("??D*", f"a column behind the gas ({name}): this driver reads status words there")
        else:
            columns.append(Column(SIGNALS.get(statistic, "total" if name.startswith("Tot") else ""), _last(rest)))
    if not gas_seen or not columns:
        raise Refused("??D*", "no gas column: not a gas flow device, or a table of another form")
    return tuple(columns)


def columns_from(option: str) -> tuple[Column, ...]:
    """Option `columns`: `pressure PSIA, temperature C, volumetric_flow CCM, standard_flow SCCM`, in frame order."""
    known = {*SIGNALS.values(), "total", "other"}
    columns: list[Column] = []
    for part in option.split(","):
        name, _, unit = part.strip().partition(" ")
        if name not in known:
            raise ValueError(f"option columns: {name!r} is none of {', '.join(sorted(known))}")
        columns.append(Column("" if name == "other" else name, unit.strip()))
    return tuple(columns)


def frame_of(text: str, columns: tuple[Column, ...]) -> Frame | None:
    """Read a frame without its unit ID; None when it does not fit the columns, or numbers stand behind the gas: then
    it is what is left of one and another behind it."""
    cells = text.split()
    count = len(columns)
    if len(cells) <= count or any(NUMBER.fullmatch(cell) for cell in cells[count:]):
        return None
    numbers: dict[str, float | None] = {}
    for (signal, _), cell in zip(columns, cells, strict=False):
        if NUMBER.fullmatch(cell):
            value = float(cell)
        elif OUT_OF_RANGE.fullmatch(cell):
            value = None
        else:
            return None
        if signal:
            numbers[signal] = value
    return Frame(numbers, cells[count], tuple(cells[count + 1 :]))


def full_scale_of(text: str) -> FullScale | None:
    """`+500.00 12 SCCM`, or `500.00 SCCM` of option full_scale."""
    match = FULL_SCALE.fullmatch(text.strip())
    return None if match is None else FullScale(float(match[1]), len(match[2] or ""), match[3])


def _last(text: str | None) -> str:
    cells = (text or "").split()
    return cells[-1] if cells else ""
