"""What a simulated device touches in the physical world: narrow seams, and nothing of the plant behind them."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable


class Air(NamedTuple):
    """Chamber air as it truly is: °C, vol-% of wet gas, % relative humidity, hPa."""

    cel: float
    co2_percent: float
    o2_percent: float
    rh_percent: float
    door_open: bool
    pressure_hpa: float = 1013.25


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
    ms_cm: float = 15.0
    """Conductivity at this temperature; medium has about as much as blood plasma at 37 °C."""
    redox_mv: float = 200.0


class Room(Protocol):
    """The air around the bench."""

    def air(self, now: float) -> Air: ...


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


class GasStream(NamedTuple):
    """Gas in a line as it truly is: mL/min at 0 °C and 1013.25 hPa ("normal"), °C, bar absolute."""

    normal_ml_min: float
    cel: float
    bar: float


class GasLine(Protocol):
    """The line a flow meter or flow controller is plumbed into."""

    def stream(self, now: float) -> GasStream: ...

    def drive(self, now: float, normal_ml_min: float) -> None:
        """The controller's own loop drives its valve to this flow; an empty bottle gives less. 0 = closed."""
        ...


class Tube(Protocol):
    """The tube in a peristaltic head, or the hose of a metering pump: what truly flows is the plant's business."""

    def run(self, now: float, ml_min: float, until: float) -> None:
        """Turn for a nominal `ml_min` from `now` to at most `until`; > 0 clockwise (forward), < 0 backward."""
        ...

    def halt(self, now: float) -> None: ...


class Shaft(Protocol):
    """What a stirrer or a shaker turns."""

    def turn(self, now: float, rpm: float) -> None:
        """From now on at `rpm`; < 0 the other way round."""
        ...

    def torque_ncm(self, now: float) -> float: ...


class Bath(Protocol):
    """The liquid of a circulator, or what stands on a hot plate; the device's own loop is part of its physics."""

    def bath_cel(self, now: float) -> float: ...

    def heat_to(self, now: float, cel: float | None) -> None:
        """Hand the device's loop its set point; None = heating and cooling off."""
        ...


class StirredBath(Shaft, Bath, Protocol):
    """What stands on a hotplate stirrer, on a thermoshaker or under an overhead stirrer with a thermometer."""


class Selector(Protocol):
    """The fluid side of a rotary valve."""

    def connect(self, now: float, port: int) -> None:
        """From now on the common port leads to `port`, counted from 1; 0 = to none, while it turns."""
        ...


@runtime_checkable
class Hatch(Protocol):
    """The opening of a chamber through which plates come and go: an automatic gate, a drawer. A chamber may have it."""

    def open_hatch(self, now: float, is_open: bool) -> None: ...


@runtime_checkable
class Shaken(Protocol):
    """Plates that a shaker in a chamber moves in circles. A chamber may have it."""

    def shake(self, now: float, shaker: int, per_min: float, mm: float) -> None:
        """Shaker `shaker`, counted from 1, goes at `per_min` turns a minute and `mm` to each side from now; 0 = off."""
        ...
