"""One intended stroke of a pump: a row of the dose ledger (safety-and-records 6.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from controller.store.rows import DoseRow
from drivers.core.fluid import Direction

State = Literal["intended", "done", "partial", "over", "unknown", "cancelled"]

OPEN: tuple[State, ...] = ("intended",)
"""States in which fluid may have moved that nobody has measured yet."""


@dataclass(frozen=True, slots=True)
class Intent:
    """Volumes mL of plunger motion, weights g, times UTC s. `state` is "intended" until the result is measured."""

    dose_id: str
    run_id: str
    path: str
    part: str
    number: int
    stroke: Direction
    fluid: str
    fluid_path: str
    device: str
    identity: str
    target_ml: float
    tolerance_ml: float
    cap_ml: float
    rate_ml_min: float
    epoch: int
    intended_at: float
    drawn_before_ml: float
    delivered_before_ml: float
    resolution_ml: float
    witness: str = ""
    witness_before: float | None = None
    state: State = "intended"
    after_ml: float | None = None
    moved_ml: float | None = None
    witness_after: float | None = None
    liquid_ml: float | None = None
    """Counter volume during which the witness rose; None when nobody watched the whole stroke."""
    ended_at: float | None = None
    evidence: str = ""
    decided_by: str = ""

    @property
    def open(self) -> bool:
        return self.state in OPEN

    def before(self) -> float:
        return self.drawn_before_ml if self.stroke is Direction.DRAW else self.delivered_before_ml

    def row(self) -> dict[str, Any]:
        """As columns of the ledger."""
        return {**asdict(self), "stroke": self.stroke.value}

    @classmethod
    def of(cls, row: DoseRow) -> Intent:
        """From a row of the ledger; every intent was written whole, so only results may be missing."""
        facts = {name: getattr(row, name) for name in cls.__dataclass_fields__ if name != "stroke"}
        return cls(**facts, stroke=Direction(row.stroke))

    def ended(self, **facts: Any) -> Intent:
        return replace(self, **facts)


def removing(rows: Sequence[Intent]) -> Direction:
    """The stroke that takes fluid out of where a transfer comes from: DRAW of a syringe, which always draws first; of
    a pump whose fluid passes through, DELIVER, the only one there is. `rows` in the order they were intended."""
    return Direction.DELIVER if rows and rows[0].stroke is Direction.DELIVER else Direction.DRAW
