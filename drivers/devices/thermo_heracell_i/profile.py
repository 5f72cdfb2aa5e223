"""Where set points are written: known only to an owner of the maker's document, read from a file, never guessed."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from drivers.core import registers
from drivers.core.registers import Row

TEMPLATE = "drivers/devices/thermo_heracell_i/profile-template.csv"

_ADDRESS = re.compile(r"[0-9a-f]{4}")
_FORMAT = re.compile(r"(\+?)(0+)(?:\.(0+))?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one set point is read and written, how a number is spelled there, and the incubator's limits."""

    read: str
    field: int
    write: str
    sign: bool
    digits: int
    decimals: int
    low: float
    high: float

    def spell(self, value: float) -> str:
        """`value` as it is written: +037.00; raises ValueError when it does not fit."""
        width = self.digits + (self.decimals + 1 if self.decimals else 0)
        text = f"{abs(value):0{width}.{self.decimals}f}"
        if len(text) > width or (value < 0 and not self.sign):
            raise ValueError(f"{value:g} does not fit into {self.digits} digits and {self.decimals} decimals")
        return ("-" if value < 0 else "+") + text if self.sign else text


def load(path: str, names: Collection[str]) -> dict[str, Place]:
    """The places of the file at `path`, by signal; raises ValueError naming the file and the fault."""
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"profile {path}: {error}") from error
    found = registers.parse(text, f"profile {path}")
    return {name: _place(f"profile {path}: {name}", row, names) for name, row in found.items()}


def _place(where: str, row: Row, names: Collection[str]) -> Place:
    if row.name not in names:
        raise ValueError(f"{where}: only {', '.join(names)} can be filled in")
    read, write, field = (row.extra.get(name, "") for name in ("read", "write", "field"))
    if not _ADDRESS.fullmatch(read) or not _ADDRESS.fullmatch(write):
        raise ValueError(f"{where}: read and write must be four hex digits in small letters")
    if not field.isdigit() or not int(field):
        raise ValueError(f"{where}: field {field!r} is no number from 1")
    if row.low is None or row.high is None or row.low >= row.high:
        raise ValueError(f"{where}: a set point that is written needs low and high")
    form = _FORMAT.fullmatch(row.extra.get("format", ""))
    if form is None:
        raise ValueError(f"{where}: format must look like +000.00 or 00.0")
    sign, digits, decimals = form.groups()
    return Place(read, int(field), write, bool(sign), len(digits), len(decimals or ""), row.low, row.high)
