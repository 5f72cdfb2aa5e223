"""The shortest list of faults with which a run still fails, found by leaving parts of it out (SIM-03)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def shortest(faults: Sequence[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """Of the result none can be left out: halves first, then smaller parts, each time with one run.

    Their order is kept. `fails` must be true of the whole list; raises ValueError where it is not.
    """
    left = list(faults)
    if not fails(left):
        raise ValueError("the whole list does not fail")
    if fails([]):
        return []
    parts = 2
    while len(left) > 1:
        size = -(-len(left) // parts)
        found = _smaller(left, size, fails)
        if found is not None:
            parts = 2 if len(found) <= size else max(2, parts - 1)
            left = found
        elif size == 1:
            break
        else:
            parts = min(len(left), 2 * parts)
    return left


def _smaller(left: list[T], size: int, fails: Callable[[list[T]], bool]) -> list[T] | None:
    """One part alone that fails, or all but one part; None = neither."""
    for at in range(0, len(left), size):
        part, rest = left[at : at + size], left[:at] + left[at + size :]
        if len(part) < len(left) and fails(part):
            return part
        if len(rest) > size and fails(rest):
            return rest
    return None
