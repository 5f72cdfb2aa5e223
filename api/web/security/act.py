"""One entry for the audit trail, always within what the controller takes (controller/requests.py, Note)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, cast

WORD = 200
"""Most characters of every field but the reason."""
REASON = 500
OUTCOMES = ("done", "refused", "failed")
LATER = "delivered later: "
"""Before the reason of an entry that an earlier process took: the trail dates it by its delivery."""


@dataclass(frozen=True, slots=True)
class Act:
    """Fields that are too long are cut and end in "…"; what is no text in UTF-8 becomes "?"."""

    action: str
    object: str
    actor: str = ""
    role: str = ""
    authenticated_by: str = ""
    outcome: str = "done"
    """done, refused or failed."""
    reason: str = ""
    client: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, cut(getattr(self, field.name), longest(field.name)))


def longest(name: str) -> int:
    """Most characters of the field of that name."""
    return REASON if name == "reason" else WORD


def cut(text: str, most: int) -> str:
    whole = text.encode("utf-8", "replace").decode()
    return whole if len(whole) <= most else whole[: most - 1] + "…"


def later(act: Act) -> Act:
    """The act, marked once as delivered by another process than the one that took it."""
    reason = act.reason if act.reason.startswith(LATER.strip()) else f"{LATER}{act.reason}".strip()
    return Act(**{**asdict(act), "reason": reason})


def act_in(line: bytes | str) -> Act | None:
    """The act in a line of JSON; None where it holds anything else."""
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    entry = cast(dict[str, Any], found)
    texts = all(isinstance(value, str) for value in entry.values())
    known = {"action", "object"} <= entry.keys() <= {field.name for field in fields(Act)}
    if not texts or not known or entry.get("outcome", "done") not in OUTCOMES:
        return None
    return Act(**entry)
