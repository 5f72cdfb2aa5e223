"""What a benchmark tells: figures, each against a floor measured in the same run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """How much to measure: `full` = all 28 days or ten minutes; `rounds` = repetitions of the short ones."""

    full: bool = False
    rounds: int = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; `floor` in the same unit, `floor_is` says of what; `goal` in words, `met` by this run."""

    what: str
    value: float
    unit: str
    goal: str
    met: bool
    floor: float | None = None
    floor_is: str = ""

    def line(self) -> str:
        beside = ""
        if self.floor is not None:
            beside = f"  = {self.value / self.floor:.2f} x {shown(self.floor)} {self.floor_is}"
        judged = f"(goal {self.goal}: {'met' if self.met else 'MISSED'})"
        return f"  {self.what}: {shown(self.value)} {self.unit}{beside}  {judged}"


def shown(value: float) -> str:
    """Three figures, or all of them before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
