"""A 96-well plate of spheroids as one state: 60 inner wells, 36 outer ones with buffer (benches A2). Served by hand.

Every well is its own spheroid: its cells, oxygen, fate and medium. Wells count row by row, A1 = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from simulators.plant import growth, spheroids
from simulators.plant import parameters as p
from simulators.plant.arrays import Array, Values, array
from simulators.plant.cells import FMOL_PER_HOUR
from simulators.plant.differentiation import Maturity
from simulators.plant.dishes import INCUBATOR, Dishes, Gas
from simulators.plant.medium import GROWTH, Medium, Recipe, fresh_medium
from simulators.plant.spheroid_size import Formed, formed
from simulators.plant.spheroids import SLOW_S, Spheroids, Surroundings

ROWS, COLUMNS = 8, 12
STEP_S = 120.0
"""Of the liquid; a well takes an hour to follow its gas."""


def inner() -> Array:
    """1 for the 60 wells that are not at the edge."""
    grid = np.zeros((ROWS, COLUMNS))
    grid[1:-1, 1:-1] = 1.0
    return grid.ravel()


@dataclass(slots=True)
class Plate:
    wells: Dishes
    seeded: Array
    """1 where a spheroid is."""
    cells: Array
    dead: Array
    spheroids: Spheroids
    formed: Formed
    seconds: float = 0.0

    @classmethod
    def seed(
        cls,
        cells: Values = p.PLATE_CELLS,
        medium: Recipe = GROWTH,
        *,
        ml: float = p.PLATE_ML,
        wells: Array | None = None,
        maturity: Maturity | None = None,
        seed: int = 0,
        gas: Gas = INCUBATOR,
    ) -> Self:
        """Spheroids formed just now in `wells` (1 or 0 each; None = the inner 60), buffer in the others."""
        count = ROWS * COLUMNS
        filled = inner() if wells is None else wells
        lid = np.where(inner() > 0.0, p.PLATE_LID, p.PLATE_LID_EDGE)
        dishes = Dishes.empty(count, p.PLATE_AREA_CM2, p.PLATE_AIR_MM, lid)
        made = fresh_medium(gas.co2 * p.PRESSURE_KPA, medium)
        dishes.add(np.where(filled > 0.0, ml, p.PLATE_BUFFER_ML), made)
        per_well = np.broadcast_to(array(cells), (count,)) * filled
        bodies = formed(count, seed)
        return cls(
            dishes, filled, per_well.copy(), np.zeros(count),
            Spheroids.formed(np.where(filled > 0.0, per_well, p.PLATE_CELLS) * bodies.share, maturity), bodies,
        )  # fmt: skip

    def exchange(self, remove_ml: Values, add_ml: Values, medium: Medium) -> None:
        """A person takes from every well with a spheroid, and adds; loses none here."""
        self.wells.remove(np.where(self.seeded > 0.0, remove_ml, 0.0))
        self.wells.add(np.where(self.seeded > 0.0, add_ml, 0.0), medium)

    def take(self, wells: Array) -> None:
        """Wells are used up for an assay: emptied."""
        gone = wells > 0.0
        self.wells.remove(np.where(gone, self.wells.ml, 0.0))
        self.seeded = np.where(gone, 0.0, self.seeded)
        self.cells = np.where(gone, 0.0, self.cells)
        self.dead = np.where(gone, 0.0, self.dead)

    @property
    def viability(self) -> Array:
        """%; 0 where there is nothing."""
        return 100 * self.cells / np.maximum(self.cells + self.dead, 1e-9)

    def advance(self, seconds: float, gas: Gas = INCUBATOR, step_s: float = STEP_S, slow_s: float = SLOW_S) -> None:
        """Let time pass under one gas; whole steps of two minutes, and the rest. Spheroids age every `slow_s`."""
        while seconds > 1e-9:
            dt = min(step_s, seconds, slow_s - self.seconds % slow_s)
            self._step(gas, dt, slow_s)
            seconds -= dt

    def _step(self, gas: Gas, dt_s: float, slow_s: float) -> None:
        wells, living = self.wells, self.cells
        breathing = living * p.O2_UPTAKE * self.spheroids.uptake * FMOL_PER_HOUR
        wells.breathe(gas, breathing, dt_s)
        hungry = np.clip(wells.mm("glucose") / p.K_GLUCOSE, 0.0, 1.0)
        eaten = np.minimum(living * p.GLUCOSE_UPTAKE * FMOL_PER_HOUR * hungry * dt_s, wells.glucose)
        wells.react("glucose", -eaten)
        wells.react("lactate", eaten * p.LACTATE_RELEASE / p.GLUCOSE_UPTAKE)
        dies = living * -np.expm1(-p.DEATH / 86_400 * dt_s)
        self.cells, self.dead = living - dies, self.dead + dies
        self.seconds += dt_s
        if self.seconds % slow_s < 1e-6 or slow_s - self.seconds % slow_s < 1e-6:
            self._age(slow_s)

    def _age(self, dt_s: float) -> None:
        wells = self.wells
        around = Surroundings(
            wells.bottom_mm, wells.mm("supplements"), wells.mm("phosphate"), wells.mm("calcium"), 1.0, wells.calcium
        )
        fate = spheroids.step(self.spheroids, around, self.cells, self.viability, dt_s)
        starved = self.cells * fate.starved
        self.cells, self.dead = self.cells - starved, self.dead + starved
        bound = np.where(self.seeded > 0.0, fate.bound_umol, 0.0)
        wells.react("calcium", -bound)


def lactate_peak_mm(cells: float, ml: float, hours: float, exchanged: float, intervals: int = 40) -> float:
    """Where the lactate peak of a well ends up, without waiting for it: 20 % daily against 50 % every 72 h."""
    made = float(growth.used_mm(cells, p.LACTATE_RELEASE, ml, hours))
    return float(growth.peaks_mm(made, exchanged, intervals)[-1])
