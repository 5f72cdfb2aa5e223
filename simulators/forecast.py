"""What a plan will probably come to: the same protocol rehearsed as a time-lapse with a few seeds, and the ranges.

The ranges are those of noise, drift, people and assays of this plant. They are no promise about living cells. In a
time-lapse the medium of the vessel that osteon serves does not live the whole time: it is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import hypot
from pathlib import Path
from zoneinfo import ZoneInfo

from protocols.loading import load
from protocols.moments import Calendar
from protocols.plan import Hand, Plan
from protocols.planning import plan
from simulators.plant.assays import ASSAYS, alp_activity
from simulators.rehearsal import Result, rehearse
from simulators.report.recording import Recording
from simulators.side_by_side import side_by_side

MEDIUM = {"ph": "[pH]", "glucose": "mmol/L", "lactate": "mmol/L"}
"""Told by day."""
OF_MEDIUM = (*MEDIUM, "pco2", "osmolality")
LAST = {
    "cells_million": "cells",
    "viability": "viability",
    "diameter_um": "diameter",
    "alp": "alp activity",
    "calcium_ug": "calcium",
}
"""Told as it is last seen: column of a recording -> assay."""


@dataclass(frozen=True, slots=True)
class Range:
    """One result of one sample over all seeds, as the simulated laboratory reports it."""

    sample: str
    day: float
    name: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Extremes:
    """Lowest and highest of one culture day over all seeds, as they truly are: means over the dishes of a vessel."""

    day: int
    vessel: str
    quantity: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class End:
    """What is last in a vessel, over all seeds, as it truly is; `error` = 1 SD of the assay at `high`, 0 = none is
    stated; below `least` the assay sees nothing."""

    day: float
    vessel: str
    name: str
    unit: str
    low: float
    high: float
    error: float = 0.0
    least: float = 0.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """`ends`: how often a rehearsal came to which state; `troubles`: why not to its end, deviations, alarms, each with
    the number of rehearsals it happened in; `ranges` in the order of the samples."""

    seeds: tuple[int, ...]
    ends: Mapping[str, int]
    troubles: Mapping[str, int]
    ranges: tuple[Range, ...]
    by_day: tuple[Extremes, ...] = ()
    at_end: tuple[End, ...] = ()
    left_out: tuple[str, ...] = ()
    """Vessels whose medium is not told."""
    simulated: bool = field(default=True, init=False)


def forecast(
    protocol: str | Path,
    *,
    start: float,
    zone: str = "UTC",
    bench: Path | None = None,
    sets: Mapping[str, str] | None = None,
    seeds: Sequence[int] = (1, 2, 3),
    processes: int = 2,
    done: Callable[[int], None] = lambda count: None,
) -> Forecast:
    """Rehearse it from `start` (UTC s; culture days are those of `zone`) with each seed; `done` is told how many have
    ended. Raises what `rehearse` raises."""
    bound = load(protocol).bound(sets or {})
    hands = {name for name, vessel in bound.document.vessels.items() if not vessel.by_osteon}
    own, days = _own(plan(bound, start, zone)), Calendar(start, ZoneInfo(zone))
    both = side_by_side(one, [(protocol, start, bench, sets, seed) for seed in seeds], processes, done)
    return of(seeds, [each for each, _ in both], [each for _, each in both], days, hands, own)


def one(
    protocol: str | Path, start: float, bench: Path | None, sets: Mapping[str, str] | None, seed: int
) -> tuple[Result, Recording]:  # fmt: skip
    seen = Recording(start)
    return rehearse(protocol, bench=bench, seed=seed, sets=sets, time_lapse=True, start=start, seen=seen), seen


def of(
    seeds: Sequence[int],
    results: Sequence[Result],
    seen: Sequence[Recording] = (),
    days: Calendar | None = None,
    hands: Iterable[str] = (),
    own: Iterable[str] = (),
) -> Forecast:
    """What the rehearsals have in common. `hands`: vessels whose medium lived the whole time; `own`: samples of
    others."""
    places = list(dict.fromkeys(place for each in seen for place in each.vessels()))
    troubles = Counter(text for result in results for text in set(_troubles(result)))
    return Forecast(
        tuple(seeds), dict(Counter(result.state for result in results)), dict(troubles), tuple(_ranges(results, own)),
        tuple(each for place in places if place in set(hands) and days for each in _extremes(seen, place, days)),
        tuple(each for place in places for each in _last(seen, place)),
        tuple(place for place in places if place not in set(hands)),
    )  # fmt: skip


def _own(plan: Plan) -> set[str]:
    """Samples taken from the vessel that osteon serves."""
    return {
        node.work.sample for node in plan.nodes.values()
        if isinstance(node.work, Hand) and node.work.sample
        and any(act.act == "take" and not act.elsewhere for act in node.work.acts)
    }  # fmt: skip


def _extremes(seen: Sequence[Recording], place: str, calendar: Calendar) -> Iterator[Extremes]:
    for quantity, unit in MEDIUM.items():
        days: dict[int, list[float]] = {}
        for each in seen:
            for day, value in each.known(f"{place}/{quantity}"):
                days.setdefault(calendar.day(each.start + day * 86_400.0), []).append(value)
        for day, values in sorted(days.items()):
            yield Extremes(day, place, quantity, unit, min(values), max(values))


def _last(seen: Sequence[Recording], place: str) -> Iterator[End]:
    for column, name in LAST.items():
        last = [known[-1] for each in seen if (known := each.known(f"{place}/{column}"))]
        if not last:
            continue
        values = [alp_activity(value) if column == "alp" else value for _, value in last]
        day, low, high = round(max(day for day, _ in last), 1), min(values), max(values)
        if (how := ASSAYS.get(name)) is None:
            yield End(day, place, name, "million", low, high)
        else:
            yield End(day, place, name, how.unit, low, high, hypot(how.spread * high, how.offset), how.least)


def _troubles(result: Result) -> Iterable[str]:
    if not result.complete:
        yield result.why
    yield from result.deviations
    yield from result.alarms


def _ranges(results: Sequence[Result], own: Iterable[str] = ()) -> Iterable[Range]:
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for result in results:
        for sample in result.samples:
            for name, value in sample.values.items():
                if sample.name in own and name in OF_MEDIUM:
                    continue
                found.setdefault((sample.name, name), []).append((sample.day, value))
    for (sample, name), seen in found.items():
        values = [value for _, value in seen]
        yield Range(sample, round(seen[0][0], 1), name, ASSAYS[name].unit, min(values), max(values))
