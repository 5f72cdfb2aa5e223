"""Samples and gaps must tile time: no hole that nobody explained, no sample inside a gap (INV-19). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple


class Gap(NamedTuple):
    """No samples of a signal from start to end (UTC s), and why."""

    signal: str
    start: float
    end: float
    reason: str


def holes(times: Sequence[float], gaps: Sequence[Gap], allowed_s: float) -> list[tuple[float, float]]:
    """Stretches between two samples longer than `allowed_s` that no gap covers; `times` ascending, UTC s."""
    found = list[tuple[float, float]]()
    for before, after in pairwise(times):
        reached = before
        for gap in sorted(gaps, key=lambda gap: gap.start):
            if gap.start - reached <= allowed_s and gap.end > reached and gap.start < after:
                reached = min(gap.end, after)
        if after - reached > allowed_s:
            found.append((reached, after))
    return found


def overlaps(times: Sequence[float], gaps: Sequence[Gap]) -> list[float]:
    """Samples that lie inside a gap, its ends not counted."""
    return [at for at in times if any(gap.start < at < gap.end for gap in gaps)]
