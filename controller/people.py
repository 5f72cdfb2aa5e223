"""Tasks for people: what was asked, and the door through which an answer comes in, checked entry by entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from math import isfinite
from typing import Any

from controller.errors import Unusable
from controller.store.changes import Change, Upsert
from controller.store.rows import TaskRow
from protocols.effects import CloseTask, OpenTask
from protocols.events import EntryValue


def open_row(run_id: str, task: OpenTask, now: float) -> Change:
    """The row of a task put before a person; opening it again changes nothing but the text."""
    return Upsert(
        "tasks",
        {
            "run_id": run_id,
            "path": task.path,
            "title": task.title,
            "hand": asdict(task.hand),
            "due": task.due,
            "opened_at": now,
            "state": "open",
        },
    )


def close_row(run_id: str, task: CloseTask, now: float) -> dict[str, object]:
    return {"run_id": run_id, "path": task.path, "state": "closed", "closed_at": now, "why": task.why}


def checked(task: TaskRow, entries: Mapping[str, Any]) -> dict[str, EntryValue]:
    """The entries of one answer as they may be recorded; raises Unusable with every fault at once."""
    faults: list[str] = []
    taken: dict[str, EntryValue] = {}
    asked: dict[str, Mapping[str, Any]] = {entry["name"]: entry for entry in task.hand["entries"]}
    asks = ", ".join(asked) or "for no entry"
    faults.extend(f"{name!r} was not asked; this task asks {asks}" for name in entries if name not in asked)
    for name, entry in asked.items():
        if name not in entries:
            faults.append(f"{name!r} is missing")
            continue
        value = fitting(entry, entries[name])
        if isinstance(value, str) and entry["kind"] != "text":
            faults.append(value)
        else:
            taken[name] = value
    if faults:
        raise Unusable(faults)
    return taken


def fitting(entry: Mapping[str, Any], value: object) -> EntryValue:
    """The value as its kind; for numbers and yes/no, a text says what is wrong with it."""
    name, unit = entry["name"], entry["unit"]
    match entry["kind"]:
        case "yes_no":
            return value if isinstance(value, bool) else f"{name!r} is yes or no (true, false), not {value!r}"
        case "text":
            return str(value)
        case _:
            pass
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return f"{name!r} is a number in {unit or 'no unit'}, not {value!r}"
    low, high = entry["low"], entry["high"]
    if (low is not None and value < low) or (high is not None and value > high):
        return f"{name!r}: {value:g} {unit} is outside {low} to {high} {unit}; check it, the protocol allows no more"
    return float(value)
