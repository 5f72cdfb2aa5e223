"""What a person sees before they decide: strokes in doubt, what an answer does, the worst case beside V_max (UI-75)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from controller.run.books import INTO
from controller.run.engine import Engine
from controller.store.rows import DoseRow
from drivers.core.fluid import Direction
from protocols.plan import TO_CUP, Dose, Exchange, Node
from protocols.tree import LATE

OF_A_STROKE: Mapping[str, str] = {
    "delivered": "so much has moved: it is booked, and only the rest is given",
    "nothing": "nothing has moved: the stroke is done again",
    "skip": "the step is left out from here; a stroke in doubt stays booked as if all of it had moved",
    "accept": "goes on as it is; what is missing is not given",
}
OF_A_STEP: Mapping[str, str] = {
    "run": "the step is done now",
    "shift": "the step is done now, and the later ones come later by as much",
    "skip": "the step is left out",
    "accept": "goes on as it is",
    "yes": "it is so: goes the way of yes",
    "no": "it is not so: goes the way of no",
}
AGAIN = ("nothing", *(answer for answer in LATE if answer != "skip"))
"""Answers after which fluid flows once more."""


def evidence(engine: Engine, node: Node, options: Sequence[str], part: str) -> dict[str, Any]:
    """Of an open question: `strokes` in doubt, `answers` with what each does and the most that the vessel may hold then
    (`worst_ml`; None where no fluid flows into it), `max_ml` of the vessel."""
    rows = [row for row in engine.doors.ledger.doses(engine.run_id, node.path) if row.part == part or not part]
    doubtful = [row for row in rows if row.state != "done"][-2:] or rows[-1:]
    words = OF_A_STROKE if doubtful else OF_A_STEP
    now_ml = engine.volume().most_ml
    more_ml = _once_more(node, doubtful)
    return {
        "strokes": [_told(row) for row in doubtful],
        "answers": [
            {
                "answer": option,
                "does": words.get(option, OF_A_STEP.get(option, "")),
                "worst_ml": None if more_ml is None else round(now_ml + (more_ml if option in AGAIN else 0.0), 1),
            }
            for option in options
        ],
        "max_ml": engine.site.unit.vessel.max_ml,
    }


def _once_more(node: Node, doubtful: Sequence[DoseRow]) -> float | None:
    """What flows into the vessel if the stroke, or the step, is done (again); mL, None = nothing ever does."""
    if doubtful:
        into = [row for row in doubtful if row.fluid_path == INTO and row.part not in TO_CUP]
        return max((row.target_ml or 0.0 for row in into), default=None)
    match node.work:
        case Dose(volume_ml=volume_ml) as dose if not dose.to_cup:
            return volume_ml
        case Exchange(fill_ml=fill_ml):
            return fill_ml
        case _:
            return None


def _told(row: DoseRow) -> dict[str, Any]:
    before = row.drawn_before_ml if row.stroke == Direction.DRAW else row.delivered_before_ml
    return {
        "stroke": row.stroke,
        "device": row.device,
        "fluid": row.fluid,
        "asked_ml": row.target_ml,
        "moved_ml": row.moved_ml,
        "counter_before_ml": before,
        "counter_after_ml": row.after_ml,
        "witness": row.witness,
        "witness_before": row.witness_before,
        "witness_after": row.witness_after,
        "at": row.intended_at,
        "why": row.evidence,
    }
