"""A syringe, tip down, behind a dual check valve: drawn from one side, delivered to the other, liquid before air."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.plant import parameters as p


@dataclass(slots=True)
class Syringe:
    """`gain` = true volume : volume of the screw. `leak_back` = share of a delivery that goes back to the source."""

    capacity_ml: float = p.SYRINGE_ML
    gain: float = 1.0
    leak_back: float = 0.0
    liquid_ml: float = 0.0
    air_ml: float = 0.0
    ml_min: float = 0.0
    """Plunger motion: > 0 delivers, < 0 draws, 0 stands."""
    until: float = 0.0
    drawn_ml: float = 0.0
    """Liquid truly drawn since the start."""
    delivered_ml: float = 0.0
    """Liquid truly delivered to the far side since the start, without what leaked back."""
    leaked_ml: float = 0.0
    blocked_out: float = 0.0
    """Share of a delivery's travel that a squeezed line holds back."""
    blocked_in: float = 0.0
    """The same when it draws."""
    drips: float = 0.0
    """Share of what it delivers that drips onto the bench."""
    dripped_ml: float = 0.0

    def run(self, ml_min: float, until: float) -> None:
        self.ml_min, self.until = ml_min, until

    def halt(self) -> None:
        self.ml_min = 0.0

    def travel_ml(self, dt_s: float) -> float:
        """True plunger volume in `dt_s`, stopped by either end of the barrel: > 0 out, < 0 in."""
        ml = self.ml_min / 60 * dt_s * self.gain
        ml *= 1 - (self.blocked_out if ml > 0 else self.blocked_in)
        held = self.liquid_ml + self.air_ml
        return min(ml, held) if ml > 0 else max(ml, held - self.capacity_ml)

    def take_in(self, liquid_ml: float, air_ml: float) -> None:
        self.liquid_ml += liquid_ml
        self.air_ml += air_ml
        self.drawn_ml += liquid_ml

    def push_out(self, ml: float) -> tuple[float, float, float, float]:
        """(liquid, air) to the far side and (liquid, air) back to the source; what drips goes nowhere."""
        liquid = min(ml, self.liquid_ml)
        air = ml - liquid
        self.liquid_ml -= liquid
        self.air_ml = max(0.0, self.air_ml - air)
        back = self.leak_back
        arrives = liquid * (1 - back) * (1 - self.drips)
        self.delivered_ml += arrives
        self.leaked_ml += liquid * back
        self.dripped_ml += liquid * (1 - back) * self.drips
        return arrives, air * (1 - back), liquid * back, air * back
