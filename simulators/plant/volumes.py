"""Where every millilitre is: bottle, fill syringe, line, vessel, dip tube, waste syringe, waste bottle (benches A1).

In the place of a syringe there may be a peristaltic head with its hose, which holds nothing. The pump that takes waste
draws through the dip tube: above its open end liquid, below it air, so the level after a withdrawal is fixed by
geometry. Liquid that has left the vessel into the dip tube is no longer the vessel's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from simulators.plant import parameters as p
from simulators.plant.hose import Hose
from simulators.plant.syringe import Syringe
from simulators.plant.tubing import Tube


class Moved(NamedTuple):
    """What one step did to the vessel. `out_ml` is net of what came back through a leaking valve."""

    volume_ml: float
    """After the step, evaporation included."""
    change_ml: float
    in_ml: float = 0.0
    in_ml_min: float = 0.0
    out_ml: float = 0.0


@dataclass(slots=True)
class Volumes:
    vessel_ml: float = 0.0
    fresh_ml: float = p.FRESH_BOTTLE_ML
    fresh_hung_at: float = 0.0
    waste_ml: float = 0.0
    cup_ml: float = 0.0
    """What priming has pushed into the cup."""
    line_in: Tube = field(default_factory=Tube)
    line_out: Tube = field(default_factory=Tube)
    line_in_cup: bool = False
    fill: Syringe = field(default_factory=Syringe)
    waste: Syringe = field(default_factory=Syringe)
    fill_hose: Hose = field(default_factory=Hose)
    waste_hose: Hose = field(default_factory=Hose)
    level_ml: float = p.VESSEL_LEVEL_ML
    screen_share: float = 1.0
    """Of what the dip tube could take, so much passes its screen."""
    screen_above_ml: float = 0.0
    """Within so much above the level nothing passes it."""
    max_ml: float = p.VESSEL_MAX_ML
    evaporation_ml_day: float = p.EVAPORATION_ML_DAY
    total_in_ml: float = 0.0
    """Fresh medium truly pumped into the vessel."""
    total_out_ml: float = 0.0
    """Liquid truly withdrawn from the vessel by the pump, less what leaked back."""
    evaporated_ml: float = 0.0
    by_hand_in_ml: float = 0.0
    by_hand_out_ml: float = 0.0
    bottles_in_ml: float = 0.0
    """Put into or taken from the two bottles by hand, net."""
    spilled_ml: float = 0.0
    highest_ml: float = 0.0
    start_ml: float = 0.0
    """All liquid at the start."""

    def copy(self) -> Volumes:
        """For looking ahead inside a step without moving anything."""
        new = Volumes.__new__(Volumes)
        for name in Volumes.__slots__:
            setattr(new, name, getattr(self, name))
        new.line_in, new.line_out = self.line_in.copy(), self.line_out.copy()
        new.fill, new.waste = replace(self.fill), replace(self.waste)
        new.fill_hose, new.waste_hose = replace(self.fill_hose), replace(self.waste_hose)
        return new

    @property
    def still(self) -> bool:
        """No pump turns."""
        return self.fill.ml_min == self.waste.ml_min == self.fill_hose.ml_min == self.waste_hose.ml_min == 0.0

    @property
    def overflow(self) -> bool:
        """The vessel has been above its highest working volume."""
        return self.highest_ml > self.max_ml

    def move(self, now: float, dt_s: float, rh_percent: float) -> Moved:
        """Strokes and evaporation from `now` to `now + dt_s`; both strokes last the whole step or stand."""
        before = self.vessel_ml
        lost = min(before, self.evaporation_ml_day / 86400 * dt_s * max(0.0, 100 - rh_percent) / 5)
        self.vessel_ml -= lost
        self.evaporated_ml += lost
        if self.still:
            return Moved(self.vessel_ml, -lost)
        out = self._move_waste(dt_s) + self._squeeze_waste(self.waste_hose.carry(dt_s))
        rate = abs(self.fill.ml_min) + abs(self.fill_hose.ml_min)
        into = self._move_fill(dt_s) + self._squeeze_fill(self.fill_hose.carry(dt_s))
        self.vessel_ml += into - out
        self.total_in_ml += into
        self.total_out_ml += out
        over = self.spill()
        return Moved(self.vessel_ml, self.vessel_ml - before, into, rate, out + over)

    def spill(self) -> float:
        """Liquid above the brim is gone; mL."""
        over = max(0.0, self.vessel_ml - p.VESSEL_ML + 1.0)
        self.vessel_ml -= over
        self.spilled_ml += over
        self.highest_ml = max(self.highest_ml, self.vessel_ml)
        return over

    def _move_waste(self, dt_s: float) -> float:
        """mL that left the vessel; negative when the valve leaks back into it (the dip tube taken as blown out)."""
        travel = self.waste.travel_ml(dt_s) if self.waste.ml_min else 0.0
        if travel < 0.0:
            liquid = self._through_screen(-travel)
            self.waste.take_in(*self.line_out.push_from_far_end(liquid, -travel - liquid))
            return liquid
        if travel > 0.0:
            to_waste, _, back, _ = self.waste.push_out(travel)
            self.waste_ml += to_waste
            return -back
        return 0.0

    def _through_screen(self, ml: float) -> float:
        """Liquid of `ml` that the dip tube takes; the rest is air."""
        return min(ml * self.screen_share, max(0.0, self.vessel_ml - self.level_ml - self.screen_above_ml))

    @property
    def dripped_ml(self) -> float:
        """On the bench, beside leaking pumps."""
        return sum(each.dripped_ml for each in (self.fill, self.waste, self.fill_hose, self.waste_hose))

    def _move_fill(self, dt_s: float) -> float:
        """mL that entered the vessel."""
        travel = self.fill.travel_ml(dt_s) if self.fill.ml_min else 0.0
        if travel < 0.0:
            liquid = min(-travel, self.fresh_ml)
            self.fresh_ml -= liquid
            self.fill.take_in(liquid, -travel - liquid)
        elif travel > 0.0:
            liquid, air, back, _ = self.fill.push_out(travel)
            self.fresh_ml += back
            return self._arrive(liquid, air)
        return 0.0

    def _arrive(self, liquid_ml: float, air_ml: float) -> float:
        """Pushed into the filling line; mL that entered the vessel and not the cup."""
        arrived, _ = self.line_in.push_from_pump(liquid_ml, air_ml)
        if not self.line_in_cup:
            return arrived
        self.cup_ml += arrived
        return 0.0

    def _squeeze_waste(self, ml: float) -> float:
        """Through a hose from the vessel to the waste bottle (< 0: back); mL that left the vessel."""
        if ml > 0.0:
            liquid = self._through_screen(ml)
            self.waste_ml += self.waste_hose.drip(self.line_out.push_from_far_end(liquid, ml - liquid)[0])
            return liquid
        liquid = min(-ml, self.waste_ml)
        self.waste_ml -= liquid
        return -self.line_out.push_from_pump(liquid, -ml - liquid)[0]

    def _squeeze_fill(self, ml: float) -> float:
        """Through a hose from the bottle to the vessel (< 0: back, with air behind); mL that entered the vessel."""
        if ml > 0.0:
            liquid = min(ml, self.fresh_ml)
            self.fresh_ml -= liquid
            return self._arrive(self.fill_hose.drip(liquid), ml - liquid)
        self.fresh_ml += self.line_in.push_from_far_end(0.0, -ml)[0]
        return 0.0

    def present_ml(self) -> float:
        """All liquid that is somewhere on the bench."""
        tubes = self.line_in.liquid_ml + self.line_out.liquid_ml
        barrels = self.fill.liquid_ml + self.waste.liquid_ml
        return self.vessel_ml + self.fresh_ml + self.waste_ml + self.cup_ml + tubes + barrels

    def residual_ml(self) -> float:
        """mL that the books cannot explain: zero but for rounding."""
        came = self.start_ml + self.by_hand_in_ml + self.bottles_in_ml
        gone = self.by_hand_out_ml + self.evaporated_ml + self.spilled_ml + self.dripped_ml
        return self.present_ml() - (came - gone)

    def vessel_residual_ml(self) -> float:
        """The same for the vessel alone; a vessel starts empty or filled by hand."""
        came = self.total_in_ml + self.by_hand_in_ml
        gone = self.total_out_ml + self.by_hand_out_ml + self.evaporated_ml + self.spilled_ml
        return self.vessel_ml - (came - gone)
