"""Reasons that people give: what becomes part of a record says why (AT-03)."""

from __future__ import annotations

from controller.errors import Unusable

SHORTEST = 5
"""Characters (AT-03)."""


def enough(why: str) -> bool:
    """Whether it is a reason at all."""
    return len(why.strip()) >= SHORTEST


def needed(what: str) -> str:
    """That one is needed `what`: to discard a lot, to test again …"""
    return f"a reason of at least {SHORTEST} characters is needed {what}"


def reasoned(why: str) -> str:
    """The reason, if it is one. Raises Unusable."""
    if not enough(why):
        raise Unusable([f"say why, in {SHORTEST} characters or more: it becomes part of the batch record"])
    return why.strip()
