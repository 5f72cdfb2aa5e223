"""The place a device sits in, with what is wrong between the two: it feels wrongly, or does not do what it is told.

What a device asked for last is remembered, so that a fault that comes or goes in mid-stroke acts in that moment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from simulators.core.faults.spec import FaultSpec, active, parse
from simulators.core.faults.table import READ

FEELS: Mapping[str, Mapping[str, str]] = {
    "air": {"cel": "cel", "co2": "co2_percent", "o2": "o2_percent", "rh": "rh_percent", "hpa": "pressure_hpa"},
    "liquid": {"cel": "cel", "ph": "ph", "do": "do_percent", "ms_cm": "ms_cm", "redox": "redox_mv"},
    "stream": {"ml_min": "normal_ml_min", "cel": "cel"},
    "weight_g": {"g": ""},
    "bath_cel": {"cel": ""},
    "torque_ncm": {"ncm": ""},
}
"""What each place lets a device feel: key of the fault -> field of what is felt; "" = the number itself."""
ACTS = ("run", "halt", "set_points", "drive", "turn", "heat_to", "connect")
HEATER_CEL, VALVE_PERCENT = 80.0, 20.0
"""Set points that a chamber's loops never reach: heater or CO2 valve is on for ever."""
BATH_CEL = 150.0
Felt = Any
"""A NamedTuple of surroundings, or a number."""


class SeatFault:
    """One fault at one seat. `on` = it acts; `kept` = what was felt when it began."""

    def __init__(self, spec: FaultSpec, began: float) -> None:
        self.spec, self.began = spec, began
        self.starts, self.ends = spec.span(began)
        self.values = spec.values
        self.keys = [key for key in READ if self.values.get(key)]
        self.on = False
        self.kept: dict[str, Any] = {}

    def by(self, key: str) -> float:
        return self.values.get(key, 0.0)

    def shown(self, name: str, felt: Felt, now: float) -> Felt:
        """What the device feels instead."""
        match self.spec.name:
            case "frozen":
                return self._as_it_was(name, felt)
            case "drift":
                return _changed(name, felt, {key: self.by(key) * (now - self.starts) / 86400 for key in self.keys})
            case "sensor-offset":
                return _changed(name, felt, {key: self.by(key) for key in self.keys})
            case "spike":
                high = (now - self.starts) % max(1e-3, self.by("every_s")) < self.by("lasts_s")
                return _changed(name, felt, {key: self.by(key) for key in self.keys}) if high else felt
            case "not-a-number":
                return _changed(name, felt, dict.fromkeys(self.keys or FEELS[name], math.nan))
            case _:
                return felt

    def _as_it_was(self, name: str, felt: Felt) -> Felt:
        """What was kept, of the keys that are 1; all of it without any."""
        kept = self.kept.get(name)
        if kept is None or (self.keys and not FEELS[name].keys() & set(self.keys)):
            return felt
        if not isinstance(kept, list):
            return kept
        was = type(felt)(*kept)
        fields = [FEELS[name][key] for key in self.keys if key in FEELS[name]]
        return felt._replace(**{field: getattr(was, field) for field in fields}) if fields else was

    def snapshot(self) -> dict[str, object]:
        return {"text": self.spec.text, "began": self.began, "on": self.on, "kept": self.kept}

    @classmethod
    def restored(cls, saved: Mapping[str, Any]) -> SeatFault:
        fault = cls(parse(saved["text"]), saved["began"])
        fault.on, fault.kept = saved["on"], dict(saved["kept"])
        return fault


def _changed(name: str, felt: Felt, by: Mapping[str, float]) -> Felt:
    fields = {FEELS[name][key]: change for key, change in by.items() if key in FEELS[name]}
    if not fields:
        return felt
    if "" in fields:
        return cast("float", felt) + fields[""]
    return felt._replace(**{field: getattr(felt, field) + change for field, change in fields.items()})


class Seat:
    """Stands for `place` towards one device; without a fault it is as good as the place itself."""

    def __init__(self, place: object) -> None:
        self.place: Any = place
        self.faults: list[SeatFault] = []
        self.asked: dict[str, list[Any]] = {}
        """What the device wants last, by act; `run` is empty when it wants rest."""
        self.done: dict[str, list[Any]] = {}
        """What was passed on last."""
        self._due: float | None = None
        for name in ACTS:
            if hasattr(place, name):
                setattr(self, name, partial(self._ask, name))
        self._bind()

    def __getattr__(self, name: str) -> Any:
        """A hatch, a shaker: whatever else the place offers."""
        if name == "place":
            raise AttributeError(name)
        return getattr(self.place, name)

    # -- faults

    def check(self, spec: FaultSpec) -> None:
        """Raises ValueError where this place cannot have the fault."""
        entry = spec.entry
        if not READ.keys() <= entry.parameters.keys():
            return
        keys = [key for key in READ if spec.values[key]]
        can = [key for name, fields in FEELS.items() if hasattr(self.place, name) for key in fields]
        needs_one = spec.name not in ("frozen", "not-a-number")
        if any(key not in can for key in keys) or (needs_one and not keys):
            raise ValueError(f"fault {spec.text}: say what it feels wrongly, one of {', '.join(can)}")

    def put(self, spec: FaultSpec, now: float) -> None:
        self.faults.append(SeatFault(spec, now))
        self._settle(now)

    def mend(self, now: float) -> None:
        for fault in self.faults:
            fault.ends = min(fault.ends, now)
        self._settle(now)
        self.faults.clear()

    @property
    def wake_at(self) -> float | None:
        """When a fault begins or ends next."""
        return self._due

    def wake(self, now: float) -> None:
        """Begin what is due and end what is over."""
        if self._due is not None and self._due <= now:
            self._settle(now)

    def _settle(self, now: float) -> None:
        changed = [fault for fault in self.faults if fault.on is not active(fault, now)]
        for fault in changed:
            fault.on = not fault.on
            if fault.on and fault.spec.name == "frozen":
                fault.kept = {name: _plain(getattr(self.place, name)(now)) for name in FEELS if self._has(name)}
        self._look_ahead(now)
        if changed:
            self._bind()
            for name in list(self.asked):
                self._act(name, now)
            if any(fault.spec.name == "leak" for fault in changed):
                self._leak(now)

    def _look_ahead(self, now: float) -> None:
        edges = [edge for fault in self.faults for edge in (fault.starts, fault.ends) if now < edge < math.inf]
        self._due = min(edges, default=None)

    def _has(self, name: str) -> bool:
        return hasattr(self.place, name)

    def _on(self, name: str) -> SeatFault | None:
        return next((fault for fault in self.faults if fault.on and fault.spec.name == name), None)

    # -- what it feels

    def _bind(self) -> None:
        """The way to the place is direct where nothing is wrong."""
        spoilt = any(fault.on for fault in self.faults)
        for name in FEELS:
            if self._has(name):
                setattr(self, name, partial(self._feel, name) if spoilt else getattr(self.place, name))

    def _feel(self, name: str, now: float) -> Felt:
        felt = getattr(self.place, name)(now)
        for fault in self.faults:
            if fault.on:
                felt = fault.shown(name, felt, now)
        return felt

    # -- what it does

    def _ask(self, act: str, now: float, *what: Any) -> None:
        """The device wants something of its place."""
        self.wake(now)
        act, what = ("run", ()) if act == "halt" else (act, what)
        self.asked[act] = list(what)
        self._act(act, now)

    def _act(self, act: str, now: float) -> None:
        wanted = self._wanted(act, self.asked[act], now)
        if wanted is None:
            return
        self.done[act] = wanted
        if act == "run" and not wanted:
            self.place.halt(now)
        else:
            getattr(self.place, act)(now, *wanted)

    def _wanted(self, act: str, asked: list[Any], now: float) -> list[Any] | None:
        """What the place is told; None = nothing, it stays as it is."""
        if self._on("ignores-set-point") and act != "run":
            return None
        if act == "run":
            return self._run(asked, now)
        if act == "set_points":
            return self._set_points(asked)
        resting = [None] if act == "heat_to" else [0]
        before = self.done.get(act, resting)
        if self._on("stuck-off"):
            return None if act == "connect" else resting
        if self._on("stuck-on"):
            if act == "heat_to":
                return [BATH_CEL]
            return None if act == "connect" or (not asked[0] and before[0]) else asked
        return asked

    def _run(self, asked: list[Any], now: float) -> list[Any]:
        """[mL/min, until], or nothing for rest."""
        ml_min, until = asked or (0.0, now)
        if until <= now:
            ml_min = 0.0
        if self._on("stuck-off"):
            return []
        if self._on("stuck-on"):
            before = self.done.get("run")
            still = before[0] if before and before[1] > now else 0.0
            ml_min, until = ml_min or still, math.inf
        elif (air := self._on("air-in-line")) is not None:
            ml_min *= 1 - air.by("fraction")
        return [ml_min, until] if ml_min else []

    def _set_points(self, asked: list[Any]) -> list[Any]:
        cel, co2, o2 = asked
        for fault in self.faults:
            if not fault.on:
                continue
            match fault.spec.name:
                case "sensor-offset":
                    cel, co2 = cel - fault.by("cel"), max(0.0, co2 - fault.by("co2"))
                    o2 = None if o2 is None else max(0.0, o2 - fault.by("o2"))
                case "stuck-on":
                    cel = HEATER_CEL if fault.by("heater") else cel
                    co2 = VALVE_PERCENT if fault.by("co2") else co2
                case "stuck-off":
                    cel = 0.0 if fault.by("heater") else cel
                    co2 = 0.0 if fault.by("co2") else co2
                case _:
                    pass
        return [cel, co2, o2]

    def _leak(self, now: float) -> None:
        leak = self._on("leak")
        self.place.leak(now, 0.0 if leak is None else leak.by("fraction"))

    # -- kept

    def snapshot(self) -> dict[str, object]:
        return {
            "faults": [fault.snapshot() for fault in self.faults],
            "asked": {act: list(what) for act, what in self.asked.items()},
            "done": {act: list(what) for act, what in self.done.items()},
        }

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        """The place itself is restored elsewhere; nothing is done to it."""
        self.faults = [SeatFault.restored(each) for each in saved["faults"]]
        self.asked = {act: list(what) for act, what in saved["asked"].items()}
        self.done = {act: list(what) for act, what in saved["done"].items()}
        self._look_ahead(now)
        self._bind()


def _plain(felt: Felt) -> Any:
    return list(cast("tuple[object, ...]", felt)) if isinstance(felt, tuple) else felt
