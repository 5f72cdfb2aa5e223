"""What the pumps truly moved, beside what the ledger says: no dose twice, none lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from controller.run.books import INTO
from controller.store.rows import DoseRow
from drivers.core.fluid import Direction
from simulators.places import Throughput


class Moved(NamedTuple):
    """One way of one pump: what the ledger is sure of, what it doubts, how far both may be apart, and the truth; mL."""

    device: str
    stroke: Direction
    sure: float
    doubt: float
    slack: float
    true: float

    def __str__(self) -> str:
        way = "drew" if self.stroke is Direction.DRAW else "delivered"
        doubt = f" and {self.doubt:.2f} mL in doubt" if self.doubt else ""
        return f"{self.device} truly {way} {self.true:.2f} mL, on record are {self.sure:.2f} mL{doubt}"


def moves(throughput: Mapping[str, Throughput], rows: Sequence[DoseRow]) -> Iterator[Moved]:
    """Both ways of each pump that has a place in the plant."""
    for device, true in throughput.items():
        for stroke, true_ml in ((Direction.DRAW, true.drawn_ml), (Direction.DELIVER, true.delivered_ml)):
            strokes = [row for row in rows if row.device == device and row.stroke == stroke]
            sure = sum(row.moved_ml or 0.0 for row in strokes)
            doubt = sum(row.target_ml or 0.0 for row in strokes if row.moved_ml is None)
            yield Moved(device, stroke, sure, doubt, 0.02 * sure + 0.1 * len(strokes), true_ml)


def given_twice(throughput: Mapping[str, Throughput], rows: Sequence[DoseRow]) -> list[str]:
    """Where more flowed than the ledger says or doubts."""
    return [str(each) for each in moves(throughput, rows) if each.true > each.sure + each.doubt + each.slack]


def lost(throughput: Mapping[str, Throughput], rows: Sequence[DoseRow], unseen_ml: float = 0.0) -> list[str]:
    """Where less flowed in than the ledger says, `unseen_ml` aside. A pump that takes fluid out also moves air."""
    moves_air = {row.device for row in rows if row.fluid_path != INTO}
    found = (each for each in moves(throughput, rows) if each.device not in moves_air)
    return [str(each) for each in found if each.true < each.sure - each.slack - unseen_ml]
