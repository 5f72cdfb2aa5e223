"""Plants as devices and people meet them: the places instruments sit in, a person's hands, the truth.

Here is the bench `stirred-100`; `perfusion-4` is in `perfused`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from simulators import people, perfused
from simulators.core.surroundings import Barrel, Chamber, Immersion, Liquid, Pan, Tube
from simulators.places import Incubator, Turning, WastePan
from simulators.plant import brood, culture
from simulators.plant import parameters as p
from simulators.plant.hands import Hands
from simulators.plant.medium import GROWTH
from simulators.plant.stirred import Faults, StirredPlant
from simulators.plant.timed import Trouble
from simulators.tables import first, number, options_at, table

Place = Chamber | Immersion | Barrel | Tube | Pan


class Surroundings(Protocol):
    """What a host needs of a simulated bench: places for devices, a person's hands, and the truth to judge by."""

    lived: Callable[[float], float] | None

    @property
    def hands(self) -> people.Hands: ...
    def place(self, name: str) -> object: ...
    def truth(self, now: float) -> dict[str, float | bool]: ...
    def books(self) -> dict[str, float]: ...
    def story(self, now: float) -> dict[str, dict[str, float]]: ...
    def trouble(self, now: float, trouble: Trouble) -> None: ...
    def mend(self, now: float) -> None: ...
    @property
    def known_troubles(self) -> frozenset[str]: ...
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
        unit: str = "vessel",
        vessel_ml: float = 0.0,
        cells_per_ml: float = 0.0,
        medium: str = GROWTH.name,
        **geometry: float,
    ) -> None:
        super().__init__(start, seed, faults, medium=medium, **geometry)
        self.unit = unit
        self.hands = Hands(self)
        if vessel_ml > 0.0:
            self.hands.pour(self.start, vessel_ml, cells_per_ml)
            self.culture.cel = self.culture.felt_cel
            self.culture.felt_ph = self.culture.ph
            self.culture.felt_do = culture.do_percent(self.culture, self.volumes.vessel_ml)
        self._places: dict[str, Place] = {
            "chamber": Incubator(self),
            "vessel": _Probe(self),
            "fill syringe": Turning(self, lambda: self.volumes.fill),
            "waste syringe": Turning(self, lambda: self.volumes.waste),
            "fill tube": Turning(self, lambda: self.volumes.fill_hose),
            "waste tube": Turning(self, lambda: self.volumes.waste_hose),
            "waste pan": WastePan(self),
        }

    def place(self, name: str) -> Place:
        """What a device sits in; KeyError lists the places there are."""
        if name not in self._places:
            there = ", ".join(sorted(self._places))
            raise KeyError(f"no place {name!r} in stirred-100; there are {there}, and 'alone' for what touches none")
        return self._places[name]

    def story(self, now: float) -> dict[str, dict[str, float]]:
        """What a report tells at `now`: the chamber, and the culture under its unit's name."""
        self.advance(now)
        told = culture.story(self.culture, self.volumes.vessel_ml)
        if self.spheroids is not None:
            told |= brood.story(self.spheroids)
        return {"chamber": self.chamber_story(), **self.shelf_story(), self.unit: told}


class _Probe:
    """A probe in the vessel: temperature, pH and DO arrive late (t90 15 s pH, 30 s DO)."""

    def __init__(self, plant: StirredPlant) -> None:
        self._plant = plant

    def liquid(self, now: float) -> Liquid:
        self._plant.advance(now)
        c = self._plant.culture
        return Liquid(c.felt_cel, c.felt_ph, c.felt_do)


def build(config: Mapping[str, object], seed: int | None, start: float) -> Surroundings:
    """The plant a bench.toml asks for (`simulation.plant`)."""
    simulation = table(config, "simulation")
    name = simulation.get("plant", "stirred-100")
    if name not in ("stirred-100", "perfusion-4"):
        raise KeyError(f"simulation.plant {name!r}: there are stirred-100, perfusion-4")
    if name == "perfusion-4":
        return perfused.build(config, seed, start)
    unit = first(config, "units")
    vessel, paths = table(unit, "vessel"), table(unit, "paths")
    fill, waste = options_at(config, "fill syringe"), options_at(config, "waste syringe")
    return Stirred100(
        start,
        seed,
        unit=str(unit.get("name", "vessel")),
        vessel_ml=number(simulation, "vessel_ml", 0.0),
        cells_per_ml=number(simulation, "cells_per_ml", 0.0),
        level_ml=number(vessel, "level_ml", p.VESSEL_LEVEL_ML),
        max_ml=number(vessel, "max_ml", p.VESSEL_MAX_ML),
        evaporation_ml_day=number(vessel, "evaporation_ml_day", p.EVAPORATION_ML_DAY),
        line_in_ml=number(table(paths, "medium in"), "line_ml", p.LINE_ML),
        line_out_ml=number(table(paths, "medium out"), "line_ml", p.LINE_ML),
        fill_syringe_ml=number(fill, "capacity_ml", number(fill, "syringe_ml", p.SYRINGE_ML)),
        waste_syringe_ml=number(waste, "capacity_ml", number(waste, "syringe_ml", p.SYRINGE_ML)),
        cel=number(simulation, "chamber_cel", 37.0),
        co2_percent=number(simulation, "chamber_co2_percent", 5.0),
        medium=str(simulation.get("medium", GROWTH.name)),
        spheroid_cells=number(simulation, "spheroid_cells", p.SIZE_CELLS),
        induced_days=number(simulation, "induced_days", p.INDUCED_DAYS),
        formed_days=number(simulation, "formed_days", p.FORMED_DAYS),
    )
