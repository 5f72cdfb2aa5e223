"""The arms of a study, rehearsed one beside the other and compared: an order, never a figure of anybody's paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from protocols.loading import load
from simulators.rehearsal import Result, rehearse
from simulators.side_by_side import side_by_side

Sets = Mapping[str, str]
CONTROL = "-control"
"""A sample whose name ends so belongs to the control that every arm carries along."""
MEASURES = ("alp activity", "calcium", "viability")
MOST_PROCESSES = 4


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm at its end. `found` is what the simulated laboratory reports of its last sample of cells, `true` what was
    in it: nmol/min/mg, µg a spheroid (or 3·10⁴ cells), %; both empty where no such sample was taken."""

    name: str
    sets: dict[str, str]
    state: str
    why: str
    days: float
    sample: str
    found: dict[str, float]
    true: dict[str, float]
    deviations: tuple[str, ...]
    event_log_digest: str

    @property
    def complete(self) -> bool:
        return self.state == "COMPLETE"


def every(protocol: str | Path) -> dict[str, dict[str, str]]:
    """All arms a protocol knows: each combination of its parameters that have options. Empty when it has none."""
    found = {
        name: each.options for name, each in load(protocol).document.parameters.items() if each.options is not None
    }
    if not found:
        return {}
    return {", ".join(values): dict(zip(found, values, strict=True)) for values in product(*found.values())}


def compare(
    protocol: str | Path,
    arms: Mapping[str, Sets],
    *,
    bench: Path | None = None,
    seed: int = 0,
    time_lapse: bool = False,
    rounds: int | None = None,
    processes: int = 2,
    done: Callable[[int], None] = lambda count: None,
) -> tuple[Arm, ...]:
    """Rehearse each arm with the same seed, at most `processes` at a time; in the order given.

    `done` is told how many have ended. Raises what `rehearse` raises.
    """
    work = [(name, protocol, dict(sets), bench, seed, time_lapse, rounds) for name, sets in arms.items()]
    return tuple(side_by_side(one, work, min(processes, MOST_PROCESSES), done))


def one(
    name: str,
    protocol: str | Path,
    sets: dict[str, str],
    bench: Path | None,
    seed: int,
    time_lapse: bool,
    rounds: int | None,
) -> Arm:
    return of(name, sets, rehearse(protocol, bench=bench, seed=seed, sets=sets, time_lapse=time_lapse, rounds=rounds))


def of(name: str, sets: dict[str, str], result: Result) -> Arm:
    """An arm from its rehearsal."""
    cells = [each for each in result.samples if "alp activity" in each.values and not each.name.endswith(CONTROL)]
    last = cells[-1] if cells else None
    return Arm(
        name, sets, result.state, result.why, result.days,
        last.name if last else "",
        {each: last.values[each] for each in MEASURES} if last else {},
        {each: last.true[each] for each in MEASURES} if last else {},
        result.deviations, result.event_log_digest,
    )  # fmt: skip


def order(arms: Sequence[Arm], measure: str) -> str:
    """The arms from the highest to the lowest, by what was truly in the samples; `=` where there is no difference."""
    ranked = sorted((arm for arm in arms if arm.true), key=lambda arm: -arm.true[measure])
    return "".join(_ranked(ranked, measure))


def _ranked(ranked: Sequence[Arm], measure: str) -> Iterator[str]:
    for before, arm in zip([None, *ranked], ranked, strict=False):
        if before is not None:
            yield " > " if before.true[measure] > arm.true[measure] else " = "
        yield arm.name


def facts(arm: Arm) -> dict[str, object]:
    """For programs."""
    return asdict(arm)
