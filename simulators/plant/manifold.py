"""One syringe behind a selection valve, reservoirs in loops, bottles: where every millilitre goes (benches A3).

What the syringe draws from and delivers to is what the valve's port leads to in this moment. Each reservoir has a dip
tube: above its open end liquid, below it air. Lines of 0.3 mm bore hold 0.1 mL each and are neglected.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from simulators.plant import parameters as p
from simulators.plant.hose import Hose
from simulators.plant.syringe import Syringe

FRESH, WASTE, NOWHERE = "fresh bottle", "waste bottle", "nowhere"


def reservoir(number: int) -> str:
    """The name of a reservoir, counted from 1, in `ports`."""
    return f"reservoir {number}"


class Moved(NamedTuple):
    """What one step did: liquid that went into the syringe or out of it, and where; per bed flow, loss and overflow."""

    drawn_ml: float
    delivered_ml: float
    place: str
    flow_ml_min: list[float]
    evaporated_ml: list[float]
    led_away_ml: list[float]
    spilled_ml: list[float]
    dripped_ml: float = 0.0
    """Out of the syringe onto the bench."""


@dataclass(slots=True)
class Manifold:
    ports: dict[str, str]
    """Port of the valve, counted from 1, as text -> what it leads to; a port that is not named is plugged."""
    reservoirs: list[float]
    hoses: list[Hose]
    led_away: list[bool]
    """The end of this loop hangs over the waste bottle: a person measures its flow by weight."""
    syringe: Syringe
    level_ml: float = p.RESERVOIR_LEVEL_ML
    max_ml: float = p.RESERVOIR_MAX_ML
    evaporation_ml_day: float = 0.0
    port: int = 1
    fresh_ml: float = p.FRESH_BOTTLE_ML
    fresh_hung_at: float = 0.0
    waste_ml: float = 0.0
    drawn: dict[str, float] = field(default_factory=dict[str, float])
    """Liquid truly drawn from each place since the start."""
    delivered: dict[str, float] = field(default_factory=dict[str, float])
    evaporated_ml: float = 0.0
    by_hand_in_ml: float = 0.0
    by_hand_out_ml: float = 0.0
    bottles_in_ml: float = 0.0
    spilled_ml: float = 0.0
    highest_ml: float = 0.0
    start_ml: float = 0.0

    @property
    def overflow(self) -> bool:
        """A reservoir has been above its highest working volume."""
        return self.highest_ml > self.max_ml

    @property
    def leads_to(self) -> str:
        return self.ports.get(str(self.port), NOWHERE)

    def move(self, now: float, dt_s: float, rh_percent: float) -> Moved:
        """From `now` on for `dt_s`: the stroke lasts the whole step or stands, so do the loops."""
        lost = [self._evaporate(number, dt_s, rh_percent) for number in range(len(self.reservoirs))]
        travel = self.syringe.travel_ml(dt_s) if self.syringe.ml_min else 0.0
        drawn = self._draw(-travel) if travel < 0.0 else 0.0
        delivered, dripped = self._deliver(travel) if travel > 0.0 else (0.0, 0.0)
        flows, away = zip(*(self._turn(number, dt_s) for number in range(len(self.hoses))), strict=True)
        over = [self._spill(number, flows[number] * dt_s / 60) for number in range(len(self.reservoirs))]
        return Moved(drawn, delivered, self.leads_to, list(flows), lost, list(away), over, dripped)

    def copy(self) -> Manifold:
        """For looking ahead inside a step without moving anything."""
        return replace(
            self,
            reservoirs=list(self.reservoirs),
            hoses=[replace(each) for each in self.hoses],
            syringe=replace(self.syringe),
            drawn=dict(self.drawn),
            delivered=dict(self.delivered),
        )

    def _draw(self, ml: float) -> float:
        """Into the syringe from where the valve leads; mL of liquid, the rest is air."""
        place = self.leads_to
        number = self._number(place)
        there = {FRESH: self.fresh_ml, WASTE: self.waste_ml}.get(place, 0.0)
        if number is not None:
            there = max(0.0, self.reservoirs[number] - self.level_ml)
        liquid = min(ml, there)
        self.syringe.take_in(liquid, ml - liquid)
        self._change(place, -liquid)
        self.drawn[place] = self.drawn.get(place, 0.0) + liquid
        return liquid

    def _deliver(self, ml: float) -> tuple[float, float]:
        """Out of the syringe to where the valve leads, mL of liquid; and what drips onto the bench."""
        place, before = self.leads_to, self.syringe.dripped_ml
        liquid, _, _, _ = self.syringe.push_out(ml)
        dripped = self.syringe.dripped_ml - before
        self.spilled_ml += dripped
        self._change(place, liquid)
        self.delivered[place] = self.delivered.get(place, 0.0) + liquid
        return liquid, dripped

    def _change(self, place: str, ml: float) -> None:
        number = self._number(place)
        if number is not None:
            self.reservoirs[number] += ml
        elif place == FRESH:
            self.fresh_ml += ml
        elif place == WASTE:
            self.waste_ml += ml
        else:
            self.spilled_ml += ml

    def _number(self, place: str) -> int | None:
        """Of a reservoir, counted from 0; None for what is none of this bench."""
        name, _, number = place.partition(" ")
        if name != "reservoir" or not number.isdigit() or not 1 <= int(number) <= len(self.reservoirs):
            return None
        return int(number) - 1

    def _turn(self, number: int, dt_s: float) -> tuple[float, float]:
        """True flow of one loop, mL/min, and mL that its end led away."""
        hose = self.hoses[number]
        if hose.ml_min == 0.0 or self._above_pipe(number) <= 0.0:
            return 0.0, 0.0
        ml = hose.carry(dt_s)
        away = min(max(0.0, ml), self._above_pipe(number)) if self.led_away[number] else 0.0
        self.reservoirs[number] -= away
        self.waste_ml += away
        return ml / dt_s * 60, away

    def flow(self, number: int) -> float:
        """True mL/min of a loop, counted from 0; air does not count."""
        return self.hoses[number].flow() if self._above_pipe(number) > 0.0 else 0.0

    def _above_pipe(self, number: int) -> float:
        """What the loop can draw: below it there is air in the tube."""
        return max(0.0, self.reservoirs[number] - p.RESERVOIR_DRY_ML)

    def _evaporate(self, number: int, dt_s: float, rh_percent: float) -> float:
        wanted = self.evaporation_ml_day / 86400 * dt_s * max(0.0, 100 - rh_percent) / 5
        lost = min(self.reservoirs[number], wanted)
        self.reservoirs[number] -= lost
        self.evaporated_ml += lost
        return lost

    def _spill(self, number: int, carried_ml: float) -> float:
        """Liquid above the brim is gone, and what drips from the loop."""
        above = max(0.0, self.reservoirs[number] - p.RESERVOIR_BRIM_ML)
        carried = max(0.0, carried_ml)
        over = above + min(self._above_pipe(number), carried - self.hoses[number].drip(carried))
        self.reservoirs[number] -= over
        self.spilled_ml += over
        self.highest_ml = max(self.highest_ml, self.reservoirs[number] + above)
        return over

    def present_ml(self) -> float:
        """All liquid that is somewhere on the bench, but for what always stands in loops."""
        return sum(self.reservoirs) + self.fresh_ml + self.waste_ml + self.syringe.liquid_ml

    def residual_ml(self) -> float:
        """mL that the books cannot explain: zero but for rounding."""
        came = self.start_ml + self.by_hand_in_ml + self.bottles_in_ml
        gone = self.by_hand_out_ml + self.evaporated_ml + self.spilled_ml
        return self.present_ml() - (came - gone)
