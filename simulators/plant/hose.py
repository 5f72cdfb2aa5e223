"""The tube in a peristaltic head: what truly flows is the pump's nominal flow times the tube's gain, less its wear."""

from __future__ import annotations

from collections.abc import Mapping
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
    worn_from: float = 0.0
    """Bench time of that."""
    turned_s: float = 0.0
    ml_min: float = 0.0
    """Nominal: > 0 forward, < 0 backward, 0 stands."""
    until: float = 0.0
    carried_ml: float = 0.0
    """Truly carried forward since the start, less what went backward."""

    def run(self, ml_min: float, until: float) -> None:
        self.ml_min, self.until = ml_min, until

    def halt(self) -> None:
        self.ml_min = 0.0

    def flow(self, now: float) -> float:
        """True mL/min at `now`: break-in, then slow loss (plant-models §10)."""
        wear = 0.0
        if self.wears:
            lost = p.TUBE_BREAK_IN * (1 - exp(-self.turned_s / p.TUBE_BREAK_IN_S))
            wear = lost + p.TUBE_WEAR_PER_100_H * self.turned_s / 360_000
        fault = self.worn if now >= self.worn_from else 0.0
        return self.ml_min * self.gain * max(0.0, 1 - wear) * (1 - fault)

    def carry(self, now: float, dt_s: float) -> float:
        """True mL from `now` on for `dt_s`, during which it turns or stands; it has worn by so much afterwards."""
        if not self.ml_min:
            return 0.0
        ml = self.flow(now) / 60 * dt_s
        self.turned_s += dt_s
        self.carried_ml += ml
        return ml

    def stop_before(self, now: float, stop: float) -> float:
        """The first moment after `now` and up to `stop` at which it ends or its fault begins."""
        if self.ml_min and self.until < stop:
            stop = self.until
        if now < self.worn_from < stop:
            stop = self.worn_from
        return stop


def hose(chance_gain: float | None, worn: Mapping[str, float] | None, start: float) -> Hose:
    """A tube with a fault or none; `chance_gain` None = exact, and it does not wear."""
    made = Hose() if chance_gain is None else Hose(chance_gain, wears=True)
    if worn is not None:
        made.worn, made.worn_from = worn.get("fraction", p.TUBE_WORN), start + worn.get("at", 0.0)
    return made
