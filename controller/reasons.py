"""Reasons that people give: what becomes part of a record says why (AT-03)."""

from __future__ import annotations

from controller.errors import Unusable

SHORTEST = 5
"""Characters (AT-03)."""


def enough(why: str) -> bool:
    """Whether it is a reason at all."""
    return len(why.strip()) >= SHORTEST


def reasoned(why: str) -> str:
    """The reason, if it is one. Raises Unusable."""
    if not enough(why):
        raise Unusable([f"say why, in {SHORTEST} characters or more: it becomes part of the batch record"])
    return why.strip()
