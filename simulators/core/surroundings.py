"""What a simulated device touches in the physical world: four seams, and nothing of the plant behind them."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Air(NamedTuple):
    """Chamber air as it truly is: °C, vol-% of wet gas, % relative humidity."""

    cel: float
    co2_percent: float
    o2_percent: float
    rh_percent: float
    door_open: bool


class Chamber(Protocol):
    """What an incubator feels and acts on; its own control loops are part of the chamber's physics."""

    def air(self, now: float) -> Air: ...

    def set_points(self, now: float, cel: float, co2_percent: float, o2_percent: float | None) -> None:
        """Hand the incubator's own loops their set points; None = oxygen control off."""
        ...


class Liquid(NamedTuple):
    """Culture medium as it truly is at a probe tip."""

    cel: float
    ph: float
    do_percent: float


class Immersion(Protocol):
    """What a probe in a vessel feels."""

    def liquid(self, now: float) -> Liquid: ...


class Barrel(Protocol):
    """The liquid side of one syringe: what truly moves is the plant's business, the pump only turns its screw."""

    def run(self, now: float, ml_min: float, until: float) -> None:
        """Turn at `ml_min` of plunger motion from `now` to at most `until`; > 0 pushes out (infuse), < 0 pulls in."""
        ...

    def halt(self, now: float) -> None:
        """Stop turning."""
        ...


class Pan(Protocol):
    """What stands on a balance."""

    def weight_g(self, now: float) -> float: ...
