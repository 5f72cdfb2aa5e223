"""Tasks for people: what was asked, who is on it, and the door through which an answer comes in, entry by entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from math import isfinite
from typing import Any, Literal

from controller.actors import Actor
from controller.claims import MACHINE, entitled, names
from controller.errors import RunConflict, Unusable
from controller.reasons import SHORTEST, enough
from controller.store.changes import Change, Upsert
from controller.store.rows import TaskRow
from protocols.effects import CloseTask, OpenTask
from protocols.events import EntryValue

SIMULATED = "simulated operator"
"""The simulated person's name; no person's user name has a blank in it."""

LONGEST_TEXT = {"photo": 200, "scan": 1000}
"""Of the name of a picture, of a label, in characters."""

Whom = Literal["me", "simulated", "anyone"]
"""For whom a task is claimed; anyone = given back."""


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


def claimant(task: TaskRow, whom: Whom, by: Actor, simulated: bool) -> str:
    """Who is on the task after this claim, "" = nobody. A task that a person is on is claimed by nobody else: that
    raises RunConflict with the name. Anybody may give it back: people go home. `simulated`: is there such a person?

    A machine claims and gives back for itself only, and only what names it (Unusable); a person takes over from it."""
    me, machine = by.name, by.role == MACHINE
    entitled(task, by)
    if machine and (whom == "simulated" or (whom == "anyone" and task.claimed_by not in ("", me))):
        raise Unusable(["a machine claims a task for itself, and gives back only what it is on itself"])
    if whom == "anyone":
        return ""
    if whom == "simulated" and not simulated:
        raise Unusable(["there is no simulated person at this bench: a person has to do this task"])
    if task.claimed_by not in ("", SIMULATED, me) and (machine or not names(task, task.claimed_by)):
        raise RunConflict(f"{task.claimed_by} is on this task; it can be claimed when it has been given back")
    return me if whom == "me" else SIMULATED


def happened(task: TaskRow, at: float | None, now: float, why: str) -> float:
    """When the step was done, UTC s; raises Unusable for a time to come, or before the task was there unless a reason
    of 5 characters says how that could be (AT-03)."""
    if at is None:
        return now
    if at > now:
        raise Unusable(["what is written down has happened: its time cannot be in the future"])
    if at < task.opened_at and not enough(why):
        raise Unusable([f"the task was not open then; say why in at least {SHORTEST} characters"])
    return at


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
        try:
            taken[name] = fitting(entry, entries[name])
        except ValueError as error:
            faults.append(str(error))
    if faults:
        raise Unusable(faults)
    return taken


def fitting(entry: Mapping[str, Any], value: object) -> EntryValue:
    """The value as its kind; raises ValueError that says what is wrong with it."""
    name, unit = entry["name"], entry["unit"]
    match entry["kind"]:
        case "yes_no" if isinstance(value, bool):
            return value
        case "yes_no":
            raise ValueError(f"{name!r} is yes or no (true, false), not {value!r}")
        case "text":
            return str(value)
        case "choice" if value in entry["options"]:
            return str(value)
        case "choice":
            raise ValueError(f"{name!r} is one of {', '.join(entry['options'])}, not {value!r}")
        case "photo" | "scan" as kind:
            what = "the name of a stored picture" if kind == "photo" else "the text of a label"
            if not isinstance(value, str) or not 0 < len(value.strip()) <= LONGEST_TEXT[kind]:
                raise ValueError(f"{name!r} is {what}, up to {LONGEST_TEXT[kind]} characters, not {str(value)[:40]!r}")
            return value.strip()
        case _:
            return _number(entry, name, unit, value)


def _number(entry: Mapping[str, Any], name: str, unit: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{name!r} is a number in {unit or 'no unit'}, not {value!r}")
    low, high = entry["low"], entry["high"]
    if (low is not None and value < low) or (high is not None and value > high):
        of = f" {unit}" if unit else ""
        allowed = f"{low} to {high}{of}"
        raise ValueError(f"{name!r}: {value:g}{of} is outside {allowed}; check it, the protocol allows no more")
    return float(value)
