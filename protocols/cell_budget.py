"""Cells a plan needs, counted back from the constructs to the flasks, against what the flasks will give.

There will be: cells seeded, doubling until the harvest, at most a confluent layer, times the yield of detachment.
Needed: what is poured with cells in it and what is sampled, followed back through the `moves` with their splits and
yields: where 8 % of the cells fill the plate, twelve and a half times as many must be there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil

from protocols.calendar import Calendar, Row
from protocols.models import Document
from protocols.plan import Hand, HandAct, Move, Plan


@dataclass(frozen=True, slots=True)
class Need:
    """Cells one act uses; `drawn` = what must be in the flasks for it, after splits and yields on the way."""

    at: float
    day: int
    cells: float
    into: str
    path: str
    drawn: float


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
    """Vessels whose cells are harvested for the same purpose. A split is as the file writes it: its shares are not
    traded, so `needed` is what the hungriest share asks for, and samples besides."""

    needs: tuple[Need, ...]
    sources: tuple[Source, ...]
    needed: float

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

    @property
    def most(self) -> Need | None:
        """What asks for the most cells."""
        return max(self.needs, key=lambda need: need.drawn, default=None)


@dataclass(slots=True)
class _Lot:
    """What is in a vessel from one filling to the next."""

    vessel: str
    at: float
    cells: float = 0.0
    """Poured; 0 where only a move brings them: then what is needed of it is needed of what it came from."""
    draws: list[_Draw] = field(default_factory=list["_Draw"])
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class _Draw:
    """Cells leaving a pool of lots at one step: for each part, the share that it gets and what it asks for."""

    pool: tuple[_Lot, ...]
    parts: tuple[tuple[float, Need | _Lot], ...]


def budgets(document: Document, plan: Plan, calendar: Calendar) -> tuple[Budget, ...]:
    """Every generation of cells in the order of time; the last ones end in the constructs."""
    flow = _Flow(document)
    for row in calendar.rows:
        if isinstance(work := plan.nodes[row.path].work, Hand):
            flow.follow(row, work)
    flow.finish()
    return tuple(_budget(pool) for pool in _pools(flow.harvested))


class _Flow:
    """Follows cells from vessel to vessel in the order of time."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.inside: dict[str, _Lot] = {}
        self.harvested: list[_Lot] = []
        self.at_hand: list[_Lot] = []
        """Of the last step that harvested: where cells come from that no move speaks of."""
        self.unmoved: dict[str, tuple[list[_Lot], list[Need]]] = {}
        """Poured, and no move has said yet where from; what was at hand then."""

    def follow(self, row: Row, work: Hand) -> None:
        fresh = [lot for act in work.acts if act.act == "harvest" and (lot := self._harvest(act, row))]
        if fresh:
            self.at_hand = fresh
        before = dict(self.inside)
        poured = {act.vessel: act for act in work.acts if act.act == "pour" and act.cells_per_ml}
        for act in poured.values():
            self._pour(act, row)
            self.unmoved.setdefault(act.vessel, (self.at_hand, []))[1].append(self._need(act, row))
        for move in work.moves:
            self._move(move, before, row)
        for act in work.acts:
            if act.act == "sample" and act.fluid == "cells" and act.vessel in self.inside:
                need = Need(row.at, row.day, act.value, f"sample {work.sample}", row.path, act.value)
                self._draw([self.inside[act.vessel]], [(1.0, need)])

    def finish(self) -> None:
        for pool, needs in self.unmoved.values():
            for need in needs:
                self._draw(pool, [(1.0, need)])

    def _harvest(self, act: HandAct, row: Row) -> _Lot | None:
        lot, vessel = self.inside.get(act.vessel), self.document.vessels.get(act.vessel)
        if lot is None or lot.source or not lot.cells or not act.elsewhere or act.kind != "flask" or vessel is None:
            return None
        growth, days = self.document.growth, (row.at - lot.at) / 86400
        full = growth.confluent * vessel.growth_area_cm2 * vessel.count
        grown = max(lot.cells, min(lot.cells * 2 ** (days * 86400 / growth.doubling_time), full))
        lot.source = Source(
            row.at, row.day, act.vessel, vessel.count, lot.cells, days, grown * growth.share, row.path
        )  # fmt: skip
        self.harvested.append(lot)
        return lot

    def _pour(self, act: HandAct, row: Row) -> None:
        lot = self.inside.get(act.vessel)
        if lot is None or lot.source or lot.draws:
            lot = self.inside[act.vessel] = _Lot(act.vessel, row.at)
        lot.cells += _cells(act)

    def _move(self, move: Move, before: dict[str, _Lot], row: Row) -> None:
        """The draw of one move; what was poured without a word of where from is what it brought."""
        parts: list[tuple[float, Need | _Lot]] = []
        for vessel, share in zip(move.targets, move.shares, strict=True):
            _, needs = self.unmoved.pop(vessel, ([], []))
            if not needs and vessel not in move.sources:
                lot = self.inside[vessel] = _Lot(vessel, row.at)
                parts.append((share * move.kept, lot))
            parts += [(share * move.kept, need) for need in needs]
        self._draw([before[name] for name in move.sources if name in before], parts)

    @staticmethod
    def _need(act: HandAct, row: Row) -> Need:
        return Need(row.at, row.day, _cells(act), act.vessel, row.path, _cells(act))

    @staticmethod
    def _draw(pool: list[_Lot], parts: list[tuple[float, Need | _Lot]]) -> None:
        draw = _Draw(tuple(pool), tuple(parts))
        for lot in pool:
            lot.draws.append(draw)


def _cells(act: HandAct) -> float:
    return act.cells_per_ml * act.volume_ml * max(1, act.dishes)


def _pools(harvested: list[_Lot]) -> Iterator[list[_Lot]]:
    """Harvests that are pooled with one another, in the order of time."""
    left = list(harvested)
    while left:
        pool = [left.pop(0)]
        for lot in pool:
            mates = {id(mate) for draw in lot.draws for mate in draw.pool}
            pool += [mate for mate in left if id(mate) in mates]
            left = [mate for mate in left if id(mate) not in mates]
        yield pool


def _budget(pool: list[_Lot]) -> Budget:
    needed, needs = _asked(pool, 1.0)
    return Budget(
        tuple(sorted(needs, key=lambda need: need.at)),
        tuple(lot.source for lot in pool if lot.source is not None),
        needed,
    )


def _asked(pool: list[_Lot], share: float) -> tuple[float, list[Need]]:
    """What the acts after a pool ask of what it came from, of which it got `share`."""
    total, needs = 0.0, list[Need]()
    for draw in {id(draw): draw for lot in pool for draw in lot.draws}.values():
        most = 0.0
        for part, asks in draw.parts:
            of = share * part
            if isinstance(asks, Need):
                found = [Need(asks.at, asks.day, asks.cells, asks.into, asks.path, asks.cells / of)]
                asked = found[0].drawn
            else:
                asked, found = _asked([asks], of)
            most = max(most, asked)
            needs += found
        total += most
    return total, needs
