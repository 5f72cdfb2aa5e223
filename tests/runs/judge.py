"""What must hold after many kills in exchanges: ledger and truth agree, no dose twice, none lost unnoticed."""

from __future__ import annotations

from collections import Counter

import pytest

from controller.store.rows import DoseRow
from controller.store.verify import verify
from drivers.core.fluid import Direction
from protocols.plan import TO_CUP
from tests.runs.witness import PUMPS, Witness

COUNTER_ML = 0.11
"""Truth and ledger may differ so much: above 100 mL the pumps' counters show 0.1 mL."""
LOST_ML = 0.05
"""And so much more for each loss of a pump's power, which takes the digits along that the counter did not show."""
FILL_ML, DRAWN_ML, LEVEL_ML = 18.0, 24.0, 72.0


def agree(bench: Witness) -> None:
    """While all stands still: what is truly in the syringes is what the ledger says went in and did not come out."""
    for path in PUMPS:
        assert bench.surplus(path) == pytest.approx(0.0, abs=exact_ml(bench)), path


def exact_ml(bench: Witness) -> float:
    return COUNTER_ML + LOST_ML * bench.power_losses


def judge(bench: Witness, open_doses: list[list[str]] | None, seen: Counter[str]) -> None:
    """No dose given twice, none lost unnoticed; every death on record; nothing left open.

    `open_doses`: what each death left open, where somebody looked; None = nobody did.
    """
    truth = bench.eye.truth()
    with bench.ledger() as ledger:
        rows, outages, epoch = ledger.doses(), ledger.outages(), ledger.newest_epoch()
        deviations = {row.path for row in ledger.deviations()}
    agree(bench)
    assert not [row.dose_id for row in rows if row.state in ("intended", "unknown", "over")]
    assert all((row.moved_ml or 0.0) <= (row.target_ml or 0.0) + (row.tolerance_ml or 0.0) for row in rows)
    for stroke in Direction:
        booked = sum(row.moved_ml or 0.0 for row in rows if row.fluid_path == "medium in" and row.stroke == stroke)
        name = "fill_drawn_ml" if stroke is Direction.DRAW else "fill_delivered_ml"
        assert float(truth[name]) / bench.gain("fill") == pytest.approx(booked, abs=exact_ml(bench))
    assert not truth["overflow"]
    done = by_exchange(rows)
    for path, moves in done.items():
        judge_exchange(path, moves, path in deviations)
    last = moved(done[max(done, key=lambda path: int(path.split("/")[2]))], "fill", Direction.DELIVER)
    assert float(truth["vessel_ml"]) == pytest.approx(LEVEL_ML + last, abs=0.5)
    numbers = [int(path.split("/")[2]) for path in done]
    assert numbers == sorted(numbers)
    assert open_doses is None or [row.detail["open_doses"] for row in outages] == open_doses
    assert [row.epoch for row in outages] == list(range(2, epoch + 1)) and len(outages) == bench.deaths
    assert verify(bench.data).ok
    seen["exchanges"] = len(done)
    seen["strokes"] = len(rows)
    seen["outage records"] = len(outages)


def by_exchange(rows: list[DoseRow]) -> dict[str, list[DoseRow]]:
    """The strokes of each exchange, both in the order in which they were intended."""
    found: dict[str, list[DoseRow]] = {}
    for row in sorted(rows, key=lambda row: row.intended_at):
        if row.part not in TO_CUP:
            found.setdefault(row.path, []).append(row)
    return found


def moved(rows: list[DoseRow], part: str, stroke: Direction) -> float:
    return sum(row.moved_ml or 0.0 for row in rows if (row.part, row.stroke) == (part, stroke))


def judge_exchange(path: str, rows: list[DoseRow], deviates: bool) -> None:
    """Drawn what was asked, filled what was asked, in that order; what a person had to decide is a deviation, and a
    delivery whose amount they had to state is not completed by the machine."""
    parts = [row.part for row in rows]
    assert parts == sorted(parts, reverse=True), f"{path}: filled before it was withdrawn"
    assert deviates or not any(row.decided_by for row in rows), path
    for part, asked in (("withdraw", DRAWN_ML), ("fill", FILL_ML)):
        assert moved(rows, part, Direction.DRAW) == pytest.approx(asked, abs=0.01 * asked), f"{path} {part}"
        stated = any(row.decided_by and row.stroke == Direction.DELIVER and row.part == part for row in rows)
        least = 0.0 if stated else 0.99 * asked
        assert least <= moved(rows, part, Direction.DELIVER) <= 1.01 * asked, f"{path} {part}"
