"""The tube in a peristaltic head: what truly flows is the pump's nominal flow times the tube's gain, less its wear."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from simulators.plant import parameters as p


@dataclass(slots=True)
class Hose:
    """Holds nothing: what comes in at one end goes out at the other. `wears` False = no wear with turning."""

    gain: float = 1.0
    """True : nominal flow of the new tube."""
    wears: bool = False
    worn: float = 0.0
    """Share of the flow lost at once, a fault."""
    turned_s: float = 0.0
    ml_min: float = 0.0
    """Nominal: > 0 forward, < 0 backward, 0 stands."""
    until: float = 0.0
    carried_ml: float = 0.0
    """Truly carried forward since the start, less what went backward."""
    pinched: float = 0.0
    """Share of the flow that is held back where the line is squeezed."""
    drips: float = 0.0
    """Share of what it carries that drips onto the bench."""
    dripped_ml: float = 0.0

    def run(self, ml_min: float, until: float) -> None:
        self.ml_min, self.until = ml_min, until

    def halt(self) -> None:
        self.ml_min = 0.0

    def flow(self) -> float:
        """True mL/min: break-in, then slow loss (plant-models §10)."""
        wear = 0.0
        if self.wears:
            lost = p.TUBE_BREAK_IN * (1 - exp(-self.turned_s / p.TUBE_BREAK_IN_S))
            wear = lost + p.TUBE_WEAR_PER_100_H * self.turned_s / 360_000
        return self.ml_min * self.gain * max(0.0, 1 - wear) * (1 - self.worn) * (1 - self.pinched)

    def carry(self, dt_s: float) -> float:
        """True mL in `dt_s`, during which it turns or stands; it has worn by so much afterwards."""
        if not self.ml_min:
            return 0.0
        ml = self.flow() / 60 * dt_s
        self.turned_s += dt_s
        self.carried_ml += ml
        return ml

    def drip(self, ml: float) -> float:
        """What arrives of `ml` that it carried."""
        dripped = ml * self.drips
        self.dripped_ml += dripped
        return ml - dripped

    def stop_before(self, stop: float) -> float:
        """Up to `stop`, the moment at which it ends."""
        return self.until if self.ml_min and self.until < stop else stop


def hose(chance_gain: float | None) -> Hose:
    """A new tube; `chance_gain` None = exact, and it does not wear."""
    return Hose() if chance_gain is None else Hose(chance_gain, wears=True)
