"""Rows of the dose ledger as tests want them: a 10 mL stroke with 0.1 mL tolerance unless told otherwise."""

from __future__ import annotations

from typing import Any

from controller.run.intents import Intent
from drivers.core.fluid import Direction

DRAW, DELIVER = Direction.DRAW, Direction.DELIVER
SAME = "New Era · NE-1000 · 3.923"


def intent(stroke: Direction = DELIVER, **facts: Any) -> Intent:
    row: dict[str, Any] = {
        "dose_id": "run-1/feed#fill.deliver.1",
        "run_id": "run-1",
        "path": "feed",
        "part": "fill",
        "number": 1,
        "fluid": "medium",
        "fluid_path": "medium in",
        "device": "pump_in",
        "identity": SAME,
        "target_ml": 10.0,
        "tolerance_ml": 0.1,
        "cap_ml": 10.0,
        "rate_ml_min": 5.0,
        "epoch": 1,
        "intended_at": 100.0,
        "drawn_before_ml": 50.0,
        "delivered_before_ml": 40.0,
        "resolution_ml": 0.01,
    }
    return Intent(stroke=stroke, **(row | facts))


def done(stroke: Direction, moved_ml: float, state: str = "done", **facts: Any) -> Intent:
    return intent(stroke, **({"state": state, "moved_ml": moved_ml, "ended_at": 200.0} | facts))
