"""Cells a plan needs, counted back from where they end, against what its flasks will give.

There will be: cells seeded, doubling until the harvest, at most a confluent layer, times the yield of detachment.
Needed: cells poured into other vessels and cells sampled after it. Both are counted from the acts of the hand steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from protocols.calendar import Calendar
from protocols.models import Document, Vessel
from protocols.nesting import all_steps
from protocols.plan import Hand, HandAct, Plan
from protocols.quantities import quantity
from protocols.step_forms import SampleStep

ML_PER_CM2 = 0.2
"""Medium over a layer: 35 mL on 175 cm2 (C); gives the area of a flask whose file does not say it."""


@dataclass(frozen=True, slots=True)
class Need:
    """Cells one act uses."""

    at: float
    day: int
    cells: float
    into: str
    path: str


@dataclass(frozen=True, slots=True)
class Source:
    """What one harvest gives."""

    at: float
    day: int
    vessel: str
    dishes: int
    seeded: float
    grown_d: float
    cells: float
    path: str

    @property
    def per_dish(self) -> float:
        return self.cells / self.dishes


@dataclass(frozen=True, slots=True)
class Budget:
    """One generation: from a harvest to the next one that opens a new set of vessels."""

    needs: tuple[Need, ...]
    sources: tuple[Source, ...]

    @property
    def needed(self) -> float:
        return sum(need.cells for need in self.needs)

    @property
    def available(self) -> float:
        return sum(source.cells for source in self.sources)

    @property
    def short(self) -> bool:
        return self.needed > self.available * (1 + 1e-9)

    @property
    def dishes_needed(self) -> int:
        """Flasks of the same kind that would do."""
        dishes = sum(source.dishes for source in self.sources)
        each = self.available / dishes if dishes else 0.0
        return ceil(self.needed / each - 1e-9) if each else 0


def budgets(document: Document, plan: Plan, calendar: Calendar) -> tuple[Budget, ...]:
    """Every generation of cells in the order of time; the last one ends in the constructs."""
    seeded: dict[str, tuple[float, float]] = {}
    found: list[Budget] = []
    needs: list[Need] = []
    sources: list[Source] = []

    def close() -> None:
        if sources:
            found.append(Budget(tuple(needs), tuple(sources)))
        needs.clear()
        sources.clear()

    for row in calendar.rows:
        work = plan.nodes[row.path].work
        if not isinstance(work, Hand):
            continue
        for act in work.acts:
            if act.act == "harvest" and act.vessel in seeded:
                if sources and any(need.into == act.vessel for need in needs):
                    close()  # what this generation filled is itself harvested
                sources.append(_source(document, act, seeded.pop(act.vessel), row.at, row.day, row.path))
            elif act.act == "pour" and act.cells_per_ml:
                cells = act.cells_per_ml * act.volume_ml * max(1, act.dishes)
                if act.elsewhere and act.kind == "flask":
                    seeded[act.vessel] = (row.at, cells)
                if sources:
                    needs.append(Need(row.at, row.day, cells, act.vessel, row.path))
    close()
    return _with_samples(document, plan, calendar, found)


def _source(document: Document, act: HandAct, seeded: tuple[float, float], at: float, day: int, path: str) -> Source:
    began, cells = seeded
    vessel = document.vessels[act.vessel]
    growth = document.growth
    days = (at - began) / 86400
    full = growth.confluent * area_cm2(vessel) * vessel.count
    grown = max(cells, min(cells * 2 ** (days * 86400 / growth.doubling_time), full))
    return Source(at, day, act.vessel, vessel.count, cells, days, grown * growth.share, path)


def area_cm2(vessel: Vessel) -> float:
    """Growth area of one flask."""
    return vessel.area or (vessel.volume or 0.0) / ML_PER_CM2


def _with_samples(document: Document, plan: Plan, calendar: Calendar, found: list[Budget]) -> tuple[Budget, ...]:
    """Samples given in cells count for the generation whose flasks they are taken from."""
    taken: dict[int, list[Need]] = {}
    for row in calendar.rows:
        work = plan.nodes[row.path].work
        if row.kind != "sample" or not isinstance(work, Hand):
            continue
        for vessel, cells in _cells_of(document, work.sample):
            which = [i for i, budget in enumerate(found) if any(s.vessel == vessel for s in budget.sources)]
            for i in which[:1]:
                taken.setdefault(i, []).append(Need(row.at, row.day, cells, f"sample {work.sample}", row.path))
    return tuple(
        Budget(tuple(sorted((*budget.needs, *taken.get(i, ())), key=lambda need: need.at)), budget.sources)
        for i, budget in enumerate(found)
    )


def _cells_of(document: Document, sample: str) -> list[tuple[str, float]]:
    """(vessel, cells) of a sample whose `take` is a number of cells; nothing where it is a volume or counted wells."""
    read = quantity("{cells}")
    found: list[tuple[str, float]] = []
    for _, step in all_steps(document):
        if isinstance(step, SampleStep) and step.sample == sample:
            try:
                found.append((step.vessel, read(step.take)))
            except ValueError:
                continue
    return found
