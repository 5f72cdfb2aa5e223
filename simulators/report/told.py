"""What the records of a rehearsal tell: transfers, tasks, results, events; days count from the run's start."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer by both witnesses, mL; None = that witness saw nothing of it."""

    day: float
    path: str
    part: str
    asked_ml: float
    counter_ml: float | None
    balance_ml: float | None


@dataclass(frozen=True, slots=True)
class Task:
    day: float
    what: str
    by: str
    hours_late: float
    wrote: str


@dataclass(frozen=True, slots=True)
class Result:
    """One number of a sample."""

    day: float
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Happened:
    day: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    protocol: str
    title: str
    bench: str
    seed: int
    state: str
    why: str
    started: str
    days: float
    digest: str
    faults: tuple[str, ...] = ()
    doses: tuple[Transfer, ...] = ()
    tasks: tuple[Task, ...] = ()
    results: tuple[Result, ...] = ()
    events: tuple[Happened, ...] = field(default=())

    @property
    def deviations(self) -> list[Happened]:
        return [each for each in self.events if each.kind == "deviation"]

    @property
    def alarms(self) -> list[Happened]:
        return [each for each in self.events if each.kind.startswith("alarm")]
