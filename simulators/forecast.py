"""What a plan will probably come to: the same protocol rehearsed as a time-lapse with a few seeds, and the ranges.

The ranges are those of noise, drift, people and assays of this plant. They are no promise about living cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from simulators.plant.assays import ASSAYS
from simulators.rehearsal import Result, rehearse


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
class Forecast:
    """`ends`: how often a rehearsal came to which state; `troubles`: why not to its end, deviations, alarms, each with
    the number of rehearsals it happened in; `ranges` in the order of the samples."""

    seeds: tuple[int, ...]
    ends: Mapping[str, int]
    troubles: Mapping[str, int]
    ranges: tuple[Range, ...]


def forecast(
    protocol: str | Path,
    *,
    start: float,
    bench: Path | None = None,
    sets: Mapping[str, str] | None = None,
    seeds: Sequence[int] = (1, 2, 3),
    processes: int = 2,
    done: Callable[[int], None] = lambda count: None,
) -> Forecast:
    """Rehearse it from `start` (UTC s) with each seed; `done` is told how many have ended. Raises what `rehearse`
    raises."""
    if processes == 1:
        results: list[Result] = []
        for seed in seeds:
            results.append(one(protocol, start, bench, sets, seed))
            done(len(results))
        return of(seeds, results)
    with ProcessPoolExecutor(min(processes, len(seeds)), mp_context=get_context("spawn")) as pool:
        asked = [pool.submit(one, protocol, start, bench, sets, seed) for seed in seeds]
        for count, _ in enumerate(as_completed(asked), 1):
            done(count)
        return of(seeds, [future.result() for future in asked])


def one(
    protocol: str | Path, start: float, bench: Path | None, sets: Mapping[str, str] | None, seed: int
) -> Result:  # fmt: skip
    return rehearse(protocol, bench=bench, seed=seed, sets=sets, time_lapse=True, start=start)


def of(seeds: Sequence[int], results: Sequence[Result]) -> Forecast:
    """What the rehearsals have in common."""
    troubles = Counter(text for result in results for text in set(_troubles(result)))
    return Forecast(
        tuple(seeds), dict(Counter(result.state for result in results)), dict(troubles), tuple(_ranges(results))
    )  # fmt: skip


def _troubles(result: Result) -> Iterable[str]:
    if not result.complete:
        yield result.why
    yield from result.deviations
    yield from result.alarms


def _ranges(results: Sequence[Result]) -> Iterable[Range]:
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for result in results:
        for sample in result.samples:
            for name, value in sample.values.items():
                found.setdefault((sample.name, name), []).append((sample.day, value))
    for (sample, name), seen in found.items():
        values = [value for _, value in seen]
        yield Range(sample, round(seen[0][0], 1), name, ASSAYS[name].unit, min(values), max(values))
