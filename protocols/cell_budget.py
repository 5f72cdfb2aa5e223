"""Cells a plan needs, counted back from where they end, against what its flasks will give.

There will be: cells seeded, doubling until the harvest, at most a confluent layer, times the yield of detachment.
Needed: cells poured into other vessels and cells sampled after it. Both are counted from the acts of the hand steps;
their `moves` say which flasks feed which vessels (each arm of a study has its own budget) and what is lost between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from protocols.calendar import Calendar
from protocols.models import Document, Vessel
from protocols.nesting import all_steps
from protocols.plan import Hand, HandAct, Move, Plan
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
    """That have to leave the flasks: with what is lost on the way."""
    into: str
    path: str
    of: frozenset[str] = frozenset()
    """The flasks they come from, as the moves have it; empty = from all there are."""


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
    ways = Ways()
    found: list[Budget] = []
    needs: list[Need] = []
    sources: list[Source] = []

    def close() -> None:
        found.extend(_by_arm(needs, sources))
        needs.clear()
        sources.clear()

    for row in calendar.rows:
        work = plan.nodes[row.path].work
        if not isinstance(work, Hand):
            continue
        for move in work.moves:
            ways.add(move)
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
                    of = ways.back(act.vessel) & {source.vessel for source in sources}
                    needs.append(Need(row.at, row.day, cells / ways.kept(act.vessel), act.vessel, row.path, of))
    close()
    return _with_samples(document, plan, calendar, found)


class Ways:
    """Where what is in a vessel came from, by the moves so far."""

    def __init__(self) -> None:
        self._from: dict[str, frozenset[str]] = {}
        self._kept: dict[str, float] = {}

    def add(self, move: Move) -> None:
        origins = frozenset[str]().union(*(self.back(source) or {source} for source in move.sources))
        kept = move.kept * min(self.kept(source) for source in move.sources)
        for target in move.targets:
            self._from[target] = self.back(target) | origins
            self._kept[target] = kept

    def back(self, vessel: str) -> frozenset[str]:
        """The vessels it came from first; empty = no move says."""
        return self._from.get(vessel, frozenset())

    def kept(self, vessel: str) -> float:
        """Which part arrived there, 0 to 1."""
        return self._kept.get(vessel, 1.0)


def _by_arm(needs: Sequence[Need], sources: Sequence[Source]) -> Iterator[Budget]:
    """Flasks that feed the same vessels have one budget; a need of which no move tells draws on all of them."""
    arms = [{source.vessel} for source in sources]
    for need in needs:
        meant = [arm for arm in arms if not need.of or arm & need.of]
        arms = [arm for arm in arms if arm not in meant]
        arms.append(set[str]().union(*meant))
    order = {source.vessel: n for n, source in enumerate(sources)}
    for arm in sorted(filter(None, arms), key=lambda arm: min(order[name] for name in arm)):
        mine = tuple(need for need in needs if not need.of or need.of & arm)
        yield Budget(mine, tuple(source for source in sources if source.vessel in arm))


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
