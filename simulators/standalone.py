"""Surroundings for one device alone: values hold still until somebody acts on them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from simulators.core.surroundings import Air, GasStream, Liquid

TIME_CONSTANT_S: Mapping[str, float] = {"temperature": 600.0, "co2": 120.0, "o2": 300.0}
"""How fast chamber air follows a new set point; round figures of ours, not a datasheet's."""
ROOM: Mapping[str, float] = {"temperature": 22.0, "co2": 0.04, "o2": 20.9}
HATCH_S = 600.0
"""How fast chamber air becomes room air through an open hatch, a hand's breadth wide; ours as well."""


def _number(signal: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{signal}: {value!r} is not a number") from None


class Still:
    """Numbers by signal name that change only by `set`; its state is its attributes."""

    def __init__(self, **values: float) -> None:
        self.values = values

    def set(self, signal: str, value: str) -> None:
        """Raises ValueError for a signal this place does not have, or a value that is no number."""
        if signal not in self.values:
            can = ", ".join(self.values) or "nothing"
            raise ValueError(f"{signal!r} cannot be set here; what can be set: {can}")
        self.values[signal] = _number(signal, value)

    def snapshot(self) -> dict[str, object]:
        """Everything as JSON-able data."""
        return {name: _written(value) for name, value in vars(self).items()}

    def restore(self, saved: Mapping[str, object]) -> None:
        """Become what `snapshot` described."""
        for name, value in saved.items():
            setattr(self, name, _read(value))


@dataclass(slots=True)
class _Approach:
    """An exponential way from `start` to `target` since `since`."""

    start: float
    target: float
    since: float
    tau_s: float

    def at(self, now: float) -> float:
        return self.target + (self.start - self.target) * math.exp(-(now - self.since) / self.tau_s)


def _written(value: object) -> object:
    """A way of change as `{"way": [its numbers]}`, a table with each of its values so."""
    if isinstance(value, _Approach):
        return {"way": [value.start, value.target, value.since, value.tau_s]}
    if isinstance(value, dict):
        return {str(key): _written(each) for key, each in cast("dict[object, object]", value).items()}
    return value


def _read(value: object) -> object:
    if not isinstance(value, dict):
        return value
    table = cast("dict[str, object]", value)
    if list(table) == ["way"]:
        return _Approach(*cast("list[float]", table["way"]))
    return {key: _read(each) for key, each in table.items()}


class StillChamber(Still):
    """Humid air at 37 °C, 5 % CO2; a quantity moves only after its set point was changed."""

    def __init__(self) -> None:
        super().__init__(temperature=37.0, co2=5.0, o2=18.6, humidity=93.0, door_open=0.0, pressure=1013.25)
        self._set_points: dict[str, float | None] | None = None
        self._on_the_way: dict[str, _Approach] = {}
        self._before: dict[str, float] | None = None
        """The air before the hatch was opened; None = it is closed."""
        self.shaken: dict[int, tuple[float, float]] = {}
        """What each shaker does: turns a minute, mm."""

    def restore(self, saved: Mapping[str, object]) -> None:
        super().restore(saved)
        self.shaken = {int(shaker): (per_min, mm) for shaker, (per_min, mm) in self.shaken.items()}

    def set(self, signal: str, value: str) -> None:
        super().set(signal, {"true": "1", "false": "0"}.get(value.lower(), value))
        self._on_the_way.pop(signal, None)

    def air(self, now: float) -> Air:
        for signal, way in self._on_the_way.items():
            self.values[signal] = way.at(now)
        values = self.values
        return Air(
            values["temperature"],
            values["co2"],
            values["o2"],
            values["humidity"],
            bool(values["door_open"]),
            values["pressure"],
        )

    def set_points(self, now: float, cel: float, co2_percent: float, o2_percent: float | None) -> None:
        wanted = {"temperature": cel, "co2": co2_percent, "o2": o2_percent}
        self.air(now)
        for signal, target in wanted.items():
            if self._set_points is not None and target != self._set_points[signal]:
                self._on_the_way.pop(signal, None)
                if target is not None:
                    self._on_the_way[signal] = _Approach(self.values[signal], target, now, TIME_CONSTANT_S[signal])
        self._set_points = wanted

    def open_hatch(self, now: float, is_open: bool) -> None:
        """Room air comes in while it is open; then everything goes back to where it was."""
        if is_open is (self._before is not None):
            return
        self.air(now)
        before, self._before = self._before, {name: self.values[name] for name in ROOM} if is_open else None
        for signal, target in (before or ROOM).items():
            tau_s = HATCH_S if is_open else TIME_CONSTANT_S[signal]
            self._on_the_way[signal] = _Approach(self.values[signal], target, now, tau_s)

    def shake(self, now: float, shaker: int, per_min: float, mm: float) -> None:
        self.shaken[shaker] = (per_min, mm)


class StillRoom(StillChamber):
    """The air of the room the bench stands in: 22 °C, 420 ppm CO2."""

    def __init__(self) -> None:
        super().__init__()
        self.values |= {"temperature": 22.0, "co2": 0.042, "o2": 20.9, "humidity": 45.0}


class StillLiquid(Still):
    """Medium in balance with 5 % CO2 at 37 °C."""

    def __init__(self) -> None:
        super().__init__(temperature=37.0, ph=7.4, dissolved_oxygen=95.0, conductivity=15.0, redox=200.0)

    def liquid(self, now: float) -> Liquid:
        values = self.values
        return Liquid(
            values["temperature"], values["ph"], values["dissolved_oxygen"], values["conductivity"], values["redox"]
        )


class FreeBarrel(Still):
    """A syringe that is never full nor empty; counts what truly moved."""

    def __init__(self) -> None:
        super().__init__()
        self.pushed_out_ml = 0.0
        self.pulled_in_ml = 0.0
        self.dripped_ml = 0.0
        self._drips = 0.0
        self._since = 0.0
        self._until = 0.0
        self._ml_min = 0.0

    def run(self, now: float, ml_min: float, until: float) -> None:
        self.halt(now)
        self._since, self._until, self._ml_min = now, until, ml_min

    def halt(self, now: float) -> None:
        moved = self._ml_min * max(0.0, min(now, self._until) - self._since) / 60
        if moved > 0:
            self.pushed_out_ml += moved * (1 - self._drips)
            self.dripped_ml += moved * self._drips
        else:
            self.pulled_in_ml -= moved
        self._ml_min = 0.0

    def leak(self, now: float, share: float) -> None:
        """From now on this share of what it pushes out drips onto the bench."""
        ml_min, until = self._ml_min, self._until
        self.halt(now)
        self._drips = share
        self.run(now, ml_min, until)


class StillPan(Still):
    """A bottle of 500 g."""

    def __init__(self) -> None:
        super().__init__(weight=500.0)

    def weight_g(self, now: float) -> float:
        return self.values["weight"]


class StillGasLine(Still):
    """A line that follows its controller with a second of lag, as long as its bottle gives `pressure`, bar absolute."""

    TAU_S = 1.0

    def __init__(self) -> None:
        super().__init__(flow=0.0, temperature=25.0, pressure=2.0)
        self._way: _Approach | None = None

    def set(self, signal: str, value: str) -> None:
        super().set(signal, value)
        if signal == "flow":
            self._way = None

    def stream(self, now: float) -> GasStream:
        if self._way is not None:
            self.values["flow"] = self._way.at(now)
        empty = self.values["pressure"] <= 1.013
        return GasStream(0.0 if empty else self.values["flow"], self.values["temperature"], self.values["pressure"])

    def drive(self, now: float, normal_ml_min: float) -> None:
        if self._way is None or self._way.target != normal_ml_min:
            self._way = _Approach(self.stream(now).normal_ml_min, normal_ml_min, now, self.TAU_S)


class FreeTube(FreeBarrel):
    """A tube between two full bottles; counts what truly flowed forward and backward."""


class FreeShaft(Still):
    """An impeller in water."""

    def __init__(self) -> None:
        super().__init__(torque=0.5)
        self.rpm = 0.0

    def turn(self, now: float, rpm: float) -> None:
        self.rpm = rpm

    def torque_ncm(self, now: float) -> float:
        return self.values["torque"] if self.rpm else 0.0


class StillBath(Still):
    """Water at room temperature until it is heated."""

    TAU_S = 300.0

    def __init__(self) -> None:
        super().__init__(temperature=22.0)
        self._way: _Approach | None = None

    def set(self, signal: str, value: str) -> None:
        super().set(signal, value)
        self._way = None

    def bath_cel(self, now: float) -> float:
        if self._way is not None:
            self.values["temperature"] = self._way.at(now)
        return self.values["temperature"]

    def heat_to(self, now: float, cel: float | None) -> None:
        target = 22.0 if cel is None else cel
        if self._way is None or self._way.target != target:
            self._way = _Approach(self.bath_cel(now), target, now, self.TAU_S)


class StirredStillBath(FreeShaft, StillBath):
    """A beaker of water on a hotplate stirrer."""

    def __init__(self) -> None:
        StillBath.__init__(self)
        self.values["torque"] = 0.5
        self.rpm = 0.0


class FreeSelector(Still):
    """A valve on the bench; remembers where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.port = 1

    def connect(self, now: float, port: int) -> None:
        self.port = port


PLACES: Mapping[str, type[Still]] = {
    "chamber": StillChamber,
    "room": StillRoom,
    "immersion": StillLiquid,
    "barrel": FreeBarrel,
    "pan": StillPan,
    "gas line": StillGasLine,
    "tube": FreeTube,
    "shaft": FreeShaft,
    "bath": StillBath,
    "stirred bath": StirredStillBath,
    "selector": FreeSelector,
}
