"""A rehearsal from the inside: a row of values each half hour, beside the run and without touching it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

EVERY_S = 1800.0
"""Between two rows; an exchange of a day lasts about an hour."""

Column = list[float | None]


@dataclass(slots=True)
class Recording:
    """`columns` by name, `place/quantity`: what truly is. Names that begin with `shown ` are what instruments said."""

    start: float
    days: list[float] = field(default_factory=list[float])
    columns: dict[str, Column] = field(default_factory=dict[str, Column])

    def add(self, now: float, true: Mapping[str, Mapping[str, float]], shown: Mapping[str, float | None]) -> None:
        """One row. A value met for the first time was not known before."""
        row: dict[str, float | None] = {
            f"{place}/{quantity}": value for place, values in true.items() for quantity, value in values.items()
        }
        row |= {f"shown {name}": value for name, value in shown.items()}
        for name in row.keys() - self.columns.keys():
            self.columns[name] = [None] * len(self.days)
        self.days.append((now - self.start) / 86_400.0)
        for name, column in self.columns.items():
            column.append(row.get(name))

    def get(self, name: str) -> Column:
        """A column; nothing known where it was never met."""
        return self.columns.get(name) or [None] * len(self.days)

    def known(self, name: str) -> list[tuple[float, float]]:
        """(day, value) where it is known."""
        return [(day, value) for day, value in zip(self.days, self.get(name), strict=True) if value is not None]

    def vessels(self) -> Sequence[str]:
        """Places that hold a culture, in the order they were met."""
        places = dict.fromkeys(name.partition("/")[0] for name in self.columns if not name.startswith("shown "))
        return [place for place in places if place != "chamber"]
