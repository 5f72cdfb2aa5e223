"""What limited the culture, and what a careful reader should be warned of. Pure: a recording in, sentences out.

Limits are those of culture-protocols §3 and plant-models §5; the marks say how sure they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from simulators.plant import parameters as p
from simulators.report.recording import Recording

TURBID_MILLION_ML = p.CONTAMINANT_VISIBLE_PER_ML / 1e6


@dataclass(frozen=True, slots=True)
class Limit:
    """A quantity of a vessel that goes on costing the cells something while it is outside."""

    quantity: str
    outside: Callable[[float], bool]
    says: str


LIMITS = (
    Limit("bacteria_million_ml", lambda v: v > TURBID_MILLION_ML, "contaminated, turbid to the eye (C)"),
    Limit("glucose", lambda v: v < 2.0, "glucose below 2 mM (A)"),
    Limit("lactate", lambda v: v > 15.0, "lactate above 15 mM (A)"),
    Limit("ph", lambda v: not 7.1 <= v <= 7.6, "pH outside 7.1-7.6 (A)"),
    Limit("rim_um", lambda v: v < 10.0, "oxygen at the rim of a spheroid below 10 µM (A)"),
    Limit("core_um", lambda v: v < 10.0, "oxygen in the core of a spheroid below 10 µM: hypoxic (A)"),
    Limit("core_um", lambda v: v < 1.0, "oxygen in the core below 1 µM: cells die within days (A)"),
    Limit("calcium_mm", lambda v: v < 0.2, "calcium of the medium used up: mineral can grow no further (A)"),
)
VIABLE_PERCENT = 80.0
CONCENTRATED = 1.10
PROBE_OFF_PH = 0.05
DMEM_BICARBONATE_MM = 40.0


def limited(recording: Recording) -> list[str]:
    """For each vessel what was outside its limit, for how long and from when; or that nothing was."""
    found: list[str] = []
    for vessel in recording.vessels():
        for limit in LIMITS:
            spans = list(_spans(recording, f"{vessel}/{limit.quantity}", limit.outside))
            if spans:
                hours = 24 * sum(end - begin for begin, end in spans)
                found.append(f"{vessel}: {limit.says} for {hours:.0f} h, first on day {spans[0][0]:.1f}")
        found += _lost(recording, vessel)
    return found or ["Nothing was outside its limits: the culture was limited by time alone."]


def warnings(recording: Recording) -> list[str]:
    """What makes the figures of this rehearsal, or the recipe itself, doubtful."""
    return [text for vessel in recording.vessels() for text in _of_vessel(recording, vessel)]


def _of_vessel(recording: Recording, vessel: str) -> Iterator[str]:
    bicarbonate, co2 = recording.known(f"{vessel}/bicarbonate_mm"), recording.known("chamber/co2_percent")
    if bicarbonate and co2:
        most, usual = max(value for _, value in bicarbonate), sorted(value for _, value in co2)[len(co2) // 2]
        if most > DMEM_BICARBONATE_MM and usual < 8.0:
            yield f"{vessel}: {most:.0f} mM bicarbonate under {usual:.0f} % CO2 stand at pH 7.68; 10 % give 7.38"
    osmolality = recording.known(f"{vessel}/osmolality")
    if osmolality:
        first, (day, most) = osmolality[0][1], max(osmolality, key=lambda each: each[1])
        if most > CONCENTRATED * first:
            percent = 100 * (most / first - 1)
            yield f"{vessel}: osmolality rose by {percent:.0f} % until day {day:.1f}: evaporation, or a richer medium"
    for name in recording.columns:
        if name == f"shown {vessel}/ph":
            yield from _drifted(recording, name, vessel)


def _drifted(recording: Recording, shown: str, vessel: str) -> Iterator[str]:
    """A probe that no longer tells the truth."""
    true = dict(recording.known(f"{vessel}/ph"))
    off = [(day, value - true[day]) for day, value in recording.known(shown) if day in true]
    if off:
        day, error = max(off[-48:], key=lambda each: abs(each[1]))
        if abs(error) > PROBE_OFF_PH:
            yield f"{shown.removeprefix('shown ')}: the probe was off by {error:+.2f} on day {day:.1f}"


def _lost(recording: Recording, vessel: str) -> Iterator[str]:
    viability = recording.known(f"{vessel}/viability")
    low = [(day, value) for day, value in viability if value < VIABLE_PERCENT]
    if low:
        least = min(value for _, value in viability)
        yield f"{vessel}: viability fell to {least:.0f} %, below {VIABLE_PERCENT:.0f} % from day {low[0][0]:.1f}"


def _spans(recording: Recording, name: str, outside: Callable[[float], bool]) -> Iterator[tuple[float, float]]:
    """Stretches (from day, to day) between two rows that both lie outside."""
    for (begin, first), (end, second) in pairwise(recording.known(name)):
        if outside(first) and outside(second):
            yield begin, end
