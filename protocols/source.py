"""A protocol file after reading: plain data, and where every key and value stands in the text."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocols.faults import Fault

Data = str | list["Data"] | dict[str, "Data"] | None
"""What a file holds: texts, lists and mappings; None where nothing was written."""
Loc = tuple[str | int, ...]
"""A place in the data: keys and indexes from the top."""
Mark = tuple[int, int]
"""Line and column, counted from 1."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file read: its data, and where each key and each value stands."""

    file: str
    data: dict[str, Data]
    keys: dict[Loc, Mark] = field(default_factory=dict[Loc, Mark])
    values: dict[Loc, Mark] = field(default_factory=dict[Loc, Mark])

    def fault(self, loc: Loc, reason: str, right: str = "", *, at_key: bool = False) -> Fault:
        """A fault at `loc`, or at the nearest place around it that stands in the file."""
        near = loc
        while near and near not in self.values:
            near = near[:-1]
        line, column = (self.keys if at_key and near in self.keys else self.values).get(near, (1, 1))
        return Fault(self.file, line, column, spoken(loc), reason, right)

    def line(self, loc: Loc) -> int:
        return self.values.get(loc, (0, 0))[0]


def spoken(loc: Loc) -> str:
    """A place as a person reads it: stages[2].do[1].exchange.in"""
    spoken = ""
    for part in loc:
        spoken += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if spoken else part
    return spoken
