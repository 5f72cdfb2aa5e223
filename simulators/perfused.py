"""The bench `perfusion-4` as devices and people meet it: loops, outlets, one syringe and valve, the waste balance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulators.core.surroundings import Barrel, Chamber, GasLine, Immersion, Liquid, Pan, Room, Selector, Tube
from simulators.places import ChamberAir, GasPipe, Incubator, Turning, WastePan
from simulators.plant import brood
from simulators.plant import parameters as p
from simulators.plant.bed import story
from simulators.plant.medium import GROWTH
from simulators.plant.perfusion import Faults, PerfusionPlant
from simulators.plant.perfusion_hands import BedHands
from simulators.tables import Table, first, number, options_at, table, tables

Place = Chamber | Room | Immersion | Barrel | Tube | Pan | Selector | GasLine


class Perfused(PerfusionPlant):
    """The plant with its places; beds are counted from 1 and belong to the units of the bench file in their order."""

    def __init__(
        self,
        start: float,
        seed: int | None = None,
        faults: Faults | None = None,
        *,
        units: Sequence[str] = ("bed_1", "bed_2", "bed_3", "bed_4"),
        reservoir_ml: float = 0.0,
        cells: float = 0.0,
        **geometry: Any,
    ) -> None:
        """Reservoirs that are not empty at the start were filled and warm long before."""
        super().__init__(start, seed, faults, beds_in_use=len(units), **geometry)
        self.units = tuple(units)
        of_unit = {unit: bed for bed, unit in enumerate(units)}
        self.hands = BedHands(self, 0, of_unit)
        for unit, bed in of_unit.items():
            one = self.beds[bed]
            if reservoir_ml > 0.0:
                self.hands.at(unit).pour(self.start, reservoir_ml)
                one.cel = one.felt_cel
            if cells > 0.0:
                self.put_cells(bed, cells)
        self._places: dict[str, Place] = {
            "chamber": Incubator(self),
            "chamber air": ChamberAir(self),
            "syringe": Turning(self, lambda: self.volumes.syringe),
            "valve": _Ports(self),
            "waste pan": WastePan(self),
            "gas line": GasPipe(self),
        }
        for bed in range(len(units)):
            self._places[f"loop {bed + 1}"] = Turning(self, lambda bed=bed: self.volumes.hoses[bed])
            self._places[f"outlet {bed + 1}"] = _Outlet(self, bed)

    def place(self, name: str) -> Place:
        """What a device sits in; KeyError lists the places there are."""
        if name not in self._places:
            raise KeyError(f"no place {name!r} in perfusion-4; there are {', '.join(sorted(self._places))}")
        return self._places[name]

    def story(self, now: float) -> dict[str, dict[str, float]]:
        """What a report tells at `now`: the chamber, and each bed under its unit's name."""
        self.advance(now)
        beds = zip(self.units, self.beds, self.volumes.reservoirs, strict=True)
        told = {unit: story(one, ml) for unit, one, ml in beds}
        for unit, spheroids in zip(self.units, self.spheroids, strict=True):
            if spheroids is not None:
                told[unit] |= brood.story(spheroids)
        return {"chamber": self.chamber_story()} | self.shelf_story() | told


class _Outlet:
    """A probe behind a bed: what the spheroids left of the oxygen arrives late."""

    def __init__(self, plant: PerfusionPlant, bed: int) -> None:
        self._plant, self._bed = plant, bed

    def liquid(self, now: float) -> Liquid:
        self._plant.advance(now)
        one = self._plant.beds[self._bed]
        return Liquid(one.felt_cel, one.felt_ph, one.felt_do)


class _Ports:
    """The selection valve between the syringe, bottles and reservoirs."""

    def __init__(self, plant: PerfusionPlant) -> None:
        self._plant = plant

    def connect(self, now: float, port: int) -> None:
        self._plant.cut(now)
        self._plant.volumes.port = port
        self._plant.resume()


def build(config: Table, seed: int | None, start: float) -> Perfused:
    """The plant behind a bench file with `simulation.plant = "perfusion-4"`: one bed for each unit, ports of the valve
    as `simulation.ports` says."""
    simulation, units = table(config, "simulation"), tables(config, "units")
    vessel = table(first(config, "units"), "vessel")
    ports = {port: str(place) for port, place in table(simulation, "ports").items()}
    return Perfused(
        start,
        seed,
        units=tuple(str(unit["name"]) for unit in units),
        ports=ports or None,
        reservoir_ml=number(simulation, "reservoir_ml", 0.0),
        cells=number(simulation, "cells", 0.0),
        o2_uptake=number(simulation, "o2_fmol_cell_h", p.O2_UPTAKE),
        cel=number(simulation, "chamber_cel", 37.0),
        co2_percent=number(simulation, "chamber_co2_percent", 5.0),
        medium=str(simulation.get("medium", GROWTH.name)),
        spheroid_cells=number(simulation, "spheroid_cells", p.CALCIUM_CELLS),
        induced_days=number(simulation, "induced_days", p.INDUCED_DAYS),
        formed_days=number(simulation, "formed_days", p.FORMED_DAYS),
        level_ml=number(vessel, "level_ml", p.RESERVOIR_LEVEL_ML),
        max_ml=number(vessel, "max_ml", p.RESERVOIR_MAX_ML),
        evaporation_ml_day=number(vessel, "evaporation_ml_day", 0.0),
        syringe_ml=number(options_at(config, "syringe"), "syringe_ml", p.EXCHANGE_SYRINGE_ML),
    )
