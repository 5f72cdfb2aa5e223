"""The places of a plant that a device sits in, whatever vessel it is: chamber, pumps, balance, gas line."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import NamedTuple, Protocol

from simulators.core.surroundings import Air, GasStream
from simulators.plant import parameters as p
from simulators.plant.hose import Hose
from simulators.plant.syringe import Syringe
from simulators.plant.timed import Timed


class Incubator:
    """The chamber as the incubator's own sensors show it: real air, their lags included."""

    def __init__(self, plant: Timed) -> None:
        self._plant = plant

    def air(self, now: float) -> Air:
        self._plant.advance(now)
        a = self._plant.air
        return Air(a.felt_cel, 100 * a.felt_co2, 100 * a.o2, a.felt_rh, a.door_open)

    def set_points(self, now: float, cel: float, co2_percent: float, o2_percent: float | None) -> None:
        plant, co2 = self._plant, co2_percent / 100
        o2 = None if o2_percent is None else o2_percent / 100
        if (cel, co2, o2) == (plant.air.set_cel, plant.air.set_co2, plant.air.set_o2):
            return
        plant.cut(now)
        plant.air.set_cel, plant.air.set_co2, plant.air.set_o2 = cel, co2, o2
        plant.recover_finely()
        plant.resume()


class ChamberAir:
    """The chamber's air itself, for a probe that stands in it."""

    def __init__(self, plant: Timed) -> None:
        self._plant = plant

    def air(self, now: float) -> Air:
        self._plant.advance(now)
        a = self._plant.air
        return Air(a.air_cel, 100 * a.co2, 100 * a.o2, a.rh, a.door_open)


class Throughput(NamedTuple):
    """What a pump truly moved since the start, and what it holds: liquid and air; mL."""

    drawn_ml: float
    delivered_ml: float
    held_ml: float


class Turning:
    """A plunger, or a head over a hose: turned by its device, what moves is the plant's business."""

    def __init__(self, plant: Timed, pump: Callable[[], Syringe | Hose]) -> None:
        """`pump` is asked each time: a restored plant has other parts."""
        self._plant, self._pump = plant, pump

    def run(self, now: float, ml_min: float, until: float) -> None:
        self._plant.cut(now)
        self._pump().run(ml_min if until > self._plant.t else 0.0, until if isfinite(until) else 1e18)
        self._plant.resume()

    def halt(self, now: float) -> None:
        self._plant.cut(now)
        self._pump().halt()
        self._plant.resume()

    def throughput(self, now: float) -> Throughput:
        """A hose holds nothing: what it draws it delivers."""
        self._plant.advance(now)
        pump = self._pump()
        if isinstance(pump, Hose):
            return Throughput(pump.carried_ml, pump.carried_ml, 0.0)
        return Throughput(pump.drawn_ml, pump.delivered_ml, pump.liquid_ml + pump.air_ml)

    def leak(self, now: float, share: float) -> None:
        """From now on this share of what it delivers drips onto the bench."""
        self._plant.cut(now)
        self._pump().drips = share
        self._plant.resume()


class Weighed(Protocol):
    def pan_g(self, now: float) -> float: ...


class WastePan:
    def __init__(self, plant: Weighed) -> None:
        self._plant = plant

    def weight_g(self, now: float) -> float:
        return self._plant.pan_g(now)


class Gassed(Protocol):
    gas_ml_min: float

    def cut(self, now: float) -> None: ...
    def resume(self) -> None: ...


class GasPipe:
    """Mixed gas from a bottle; it flows as its controller lets it."""

    def __init__(self, plant: Gassed) -> None:
        self._plant = plant

    def stream(self, now: float) -> GasStream:
        return GasStream(self._plant.gas_ml_min, p.ROOM_CEL, p.GAS_LINE_BAR)

    def drive(self, now: float, normal_ml_min: float) -> None:
        if normal_ml_min == self._plant.gas_ml_min:
            return
        self._plant.cut(now)
        self._plant.gas_ml_min = normal_ml_min
        self._plant.resume()
