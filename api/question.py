"""An open question of a run at the terminal: what is known of it, and what each answer does (UI-75)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any


def lines(run: str, step: Mapping[str, Any]) -> Iterator[str]:
    """The question of a step of `snapshot.run`, its evidence, and a command for each answer."""
    yield f"question: {step['question']}"
    evidence = step["evidence"]
    for each in evidence["strokes"]:
        yield f"  {each['device']}, {each['stroke']} {each['fluid']}: asked {each['asked_ml']:g} mL, {measured(each)}"
        if each["why"]:
            yield f"    {each['why']}"
    for each in evidence["answers"]:
        volume = " --volume ML" if each["answer"] == "delivered" else ""
        yield f"  osteon runs decide {run} {shlex.quote(step['path'])} {shlex.quote(each['answer'])}{volume}"
        most = "" if each["worst_ml"] is None else f"; at worst {each['worst_ml']:g} of {evidence['max_ml']:g} mL then"
        over = ", above its limit" if (each["worst_ml"] or 0.0) > evidence["max_ml"] else ""
        yield f"    {each['does']}{most}{over}"


def measured(stroke: Mapping[str, Any]) -> str:
    """What the instruments say of it."""
    counter = f"counter {shown(stroke['counter_before_ml'])} -> {shown(stroke['counter_after_ml'])} mL"
    if not stroke["witness"]:
        return counter
    return f"{counter}, {stroke['witness']} {shown(stroke['witness_before'])} -> {shown(stroke['witness_after'])}"


def shown(value: float | None) -> str:
    return "?" if value is None else f"{value:.2f}"
