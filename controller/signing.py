"""Who may sign off a hand step: an operator, a supervisor, or two different persons who write down the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controller.actors import Actor
from controller.errors import Unusable
from controller.store.rows import TaskRow
from protocols.events import EntryValue

FIRST = "first"
"""Where a task keeps what the first of two persons said beside the entries."""
WAITS = "waits for a second person"
UNQUESTIONED = ("simulated", "local")
"""Roles that sign whatever there is to sign: the simulated person, and whoever works at the machine itself (AC-08)."""


def signature(task: TaskRow, taken: Mapping[str, EntryValue], by: Actor) -> str:
    """WAITS when this is the first of two persons, "" when the answer stands. Raises Unusable: the wrong person."""
    sign = str(task.hand.get("sign", "operator"))
    if sign != "operator" and by.authenticated_by == "token":  # it stands for a person and is none (SEC-09)
        raise Unusable([f"a token cannot sign: {by.name} has to sign in for it"])
    match sign:
        case "supervisor" if by.role not in ("supervisor", *UNQUESTIONED):
            raise Unusable([f"a supervisor signs this task, and {by.name} is {by.role}"])
        case "two persons" if by.role != "simulated":
            return second(task, taken, by)
        case _:
            return ""


def second(task: TaskRow, taken: Mapping[str, EntryValue], by: Actor) -> str:
    if task.answered_by in ("", by.name):
        return WAITS
    differs = [name for name, value in taken.items() if task.entries.get(name) != value]
    if differs:
        told = ", ".join(f"{name}: {task.entries.get(name)} and {taken[name]}" for name in differs)
        raise Unusable([f"{task.answered_by} wrote down something else ({told}): look together"])
    return ""


def by_both(task: TaskRow, said: Mapping[str, Any], by: Actor) -> dict[str, Any]:
    """What the first of two persons said beside the entries (lots, times, batches), completed by the second. Raises
    Unusable where the second says something else."""
    first: Mapping[str, Any] = task.hand.get(FIRST, {})
    if not first or task.answered_by in ("", by.name):
        return dict(said)
    differs = [name for name in said if name in first and first[name] != said[name]]
    if differs:
        told = ", ".join(f"{name}: {first[name]} and {said[name]}" for name in differs)
        raise Unusable([f"{task.answered_by} wrote down something else ({told}): look together"])
    return {**first, **said}


def signed(task: TaskRow, by: Actor) -> str:
    """Who signed, as the record has it."""
    return f"{task.answered_by}, {by.name}" if task.answered_by and task.answered_by != by.name else by.name
