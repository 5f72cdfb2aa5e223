"""The bench `stirred-100` as devices and people meet it: the places instruments sit in, a person's hands, the truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Protocol, cast

from simulators.core.surroundings import Air, Barrel, Chamber, Immersion, Liquid, Pan
from simulators.plant import culture
from simulators.plant import parameters as p
from simulators.plant.hands import Hands
from simulators.plant.stirred import Faults, StirredPlant
from simulators.plant.syringe import Syringe

FAULTS = ("check-valve", "check-valve-fill", "tube-on-balance")
"""Faults of this vessel; parameters in simulators.plant.stirred."""

Place = Chamber | Immersion | Barrel | Pan


class Surroundings(Protocol):
    """What a host needs of a simulated bench: places for devices, a person's hands, and the truth to judge by."""

    hands: Hands

    def place(self, name: str) -> Place: ...
    def truth(self, now: float) -> dict[str, float | bool]: ...
    def books(self) -> dict[str, float]: ...
    def snapshot(self) -> dict[str, object]: ...
    def restore(self, saved: dict[str, object]) -> None: ...


class Stirred100(StirredPlant):
    """The plant with its places. A vessel that is not empty at the start was filled and warm long before."""

    def __init__(
        self,
        start: float,
        seed: int | None = None,
        faults: Faults | None = None,
        *,
        vessel_ml: float = 0.0,
        cells_per_ml: float = 0.0,
        **geometry: float,
    ) -> None:
        super().__init__(start, seed, faults, **geometry)
        self.hands = Hands(self)
        if vessel_ml > 0.0:
            self.hands.pour(self.start, vessel_ml, cells_per_ml)
            self.culture.cel = self.culture.felt_cel
            self.culture.felt_ph = self.culture.ph
            self.culture.felt_do = culture.do_percent(self.culture, self.volumes.vessel_ml)
        self._places: dict[str, Place] = {
            "chamber": _Incubator(self),
            "vessel": _Probe(self),
            "fill syringe": _Plunger(self, "fill"),
            "waste syringe": _Plunger(self, "waste"),
            "waste pan": _WastePan(self),
        }

    def place(self, name: str) -> Place:
        """What a device sits in; KeyError lists the places there are."""
        if name not in self._places:
            there = ", ".join(sorted(self._places))
            raise KeyError(f"no place {name!r} in stirred-100; there are {there}, and 'alone' for what touches none")
        return self._places[name]


class _Incubator:
    """The chamber as the incubator's own sensors show it: real air, their lags included."""

    def __init__(self, plant: StirredPlant) -> None:
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


class _Probe:
    """A probe in the vessel: temperature, pH and DO arrive late (t90 15 s pH, 30 s DO)."""

    def __init__(self, plant: StirredPlant) -> None:
        self._plant = plant

    def liquid(self, now: float) -> Liquid:
        self._plant.advance(now)
        c = self._plant.culture
        return Liquid(c.felt_cel, c.felt_ph, c.felt_do)


class _Plunger:
    def __init__(self, plant: StirredPlant, which: str) -> None:
        self._plant = plant
        self._which = which

    def _syringe(self) -> Syringe:
        v = self._plant.volumes
        return v.fill if self._which == "fill" else v.waste

    def run(self, now: float, ml_min: float, until: float) -> None:
        self._plant.cut(now)
        self._syringe().run(ml_min if until > self._plant.t else 0.0, until if isfinite(until) else 1e18)
        self._plant.resume()

    def halt(self, now: float) -> None:
        self._plant.cut(now)
        self._syringe().halt()
        self._plant.resume()


class _WastePan:
    def __init__(self, plant: StirredPlant) -> None:
        self._plant = plant

    def weight_g(self, now: float) -> float:
        return self._plant.pan_g(now)


def build(
    config: Mapping[str, object], seed: int | None, start: float, faults: Faults | Iterable[str] = ()
) -> Surroundings:
    """The plant a bench.toml asks for (`simulation.plant`); faults by name, those of other parts are passed over."""
    simulation = _table(config, "simulation")
    name = simulation.get("plant", "stirred-100")
    if name != "stirred-100":
        raise KeyError(f"simulation.plant {name!r}: this version has only 'stirred-100'")
    known: dict[str, Mapping[str, float]] = {}
    if isinstance(faults, Mapping):
        known.update(cast("Faults", faults))
    else:
        known.update((fault, {}) for fault in faults)
    units = cast("list[Mapping[str, object]]", config.get("units") or [{}])
    vessel, paths = _table(units[0], "vessel"), _table(units[0], "paths")
    fill = _pump_options(config, simulation, "fill syringe")
    waste = _pump_options(config, simulation, "waste syringe")
    return Stirred100(
        start,
        seed,
        known,
        vessel_ml=_number(simulation, "vessel_ml", 0.0),
        cells_per_ml=_number(simulation, "cells_per_ml", 0.0),
        level_ml=_number(vessel, "level_ml", p.VESSEL_LEVEL_ML),
        max_ml=_number(vessel, "max_ml", p.VESSEL_MAX_ML),
        evaporation_ml_day=_number(vessel, "evaporation_ml_day", p.EVAPORATION_ML_DAY),
        line_in_ml=_number(_table(paths, "medium in"), "line_ml", p.LINE_ML),
        line_out_ml=_number(_table(paths, "medium out"), "line_ml", p.LINE_ML),
        fill_syringe_ml=_number(fill, "capacity_ml", p.SYRINGE_ML),
        waste_syringe_ml=_number(waste, "capacity_ml", p.SYRINGE_ML),
        cel=_number(simulation, "chamber_cel", 37.0),
        co2_percent=_number(simulation, "chamber_co2_percent", 5.0),
    )


def _pump_options(config: Mapping[str, object], simulation: Mapping[str, object], place: str) -> Mapping[str, object]:
    places = _table(simulation, "places")
    for device in cast("list[Mapping[str, object]]", config.get("devices") or []):
        if places.get(cast("str", device.get("name"))) == place:
            return _table(device, "options")
    return {}


def _table(table: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = table.get(key)
    return cast("Mapping[str, object]", found) if isinstance(found, Mapping) else {}


def _number(table: Mapping[str, object], key: str, default: float) -> float:
    found = table.get(key, default)
    return float(found) if isinstance(found, int | float) else default
