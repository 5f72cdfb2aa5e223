"""Rehearsals beside one another, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, TypeVar

T = TypeVar("T")


def side_by_side(
    one: Callable[..., T], work: Sequence[tuple[Any, ...]], processes: int, done: Callable[[int], None]
) -> list[T]:
    """`one` of each piece of work, at most `processes` at a time (1 = here), in the order given; `done` is told how
    many have ended. Raises what `one` raises."""
    processes = min(processes, len(work))
    if processes <= 1:
        found: list[T] = []
        for each in work:
            found.append(one(*each))
            done(len(found))
        return found
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        asked = [pool.submit(one, *each) for each in work]
        for count, _ in enumerate(as_completed(asked), 1):
            done(count)
        return [future.result() for future in asked]
