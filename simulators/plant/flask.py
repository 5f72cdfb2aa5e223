"""Flasks of cells on plastic, served by hand: they grow, eat, differentiate, and are detached (benches A2, §6, §8).

One entry a flask, so that six T175 are one state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from simulators.plant import differentiation, growth, mineral
from simulators.plant import parameters as p
from simulators.plant.arrays import Array, Values, array
from simulators.plant.cells import FMOL_PER_HOUR
from simulators.plant.differentiation import Maturity
from simulators.plant.dishes import INCUBATOR, Dishes, Gas
from simulators.plant.growth import ADSC, Strain
from simulators.plant.medium import GROWTH, Medium, Recipe, fresh_medium
from simulators.plant.mineral import Matrix

STEP_S = 600.0
"""A layer of 2 mm follows its gas in ten minutes, and oxygen is exact for any step."""


@dataclass(slots=True)
class Flasks:
    strain: Strain
    liquid: Dishes
    cells: Array
    dead: Array
    maturity: Maturity
    matrix: Matrix
    calcium_ug: Array
    hours: Array
    """Since seeding."""

    @classmethod
    def seed(
        cls, count: int, per_cm2: Values = p.SEEDING_PER_CM2, medium: Recipe = GROWTH, strain: Strain = ADSC,
        *, ml: float = p.FLASK_ML, gas: Gas = INCUBATOR,
    ) -> Self:  # fmt: skip
        liquid = Dishes.empty(count, p.FLASK_AREA_CM2, p.FLASK_AIR_MM, p.FLASK_LID)
        liquid.add(ml, fresh_medium(gas.co2 * p.PRESSURE_KPA, medium))
        cells = np.broadcast_to(array(per_cm2), (count,)) * p.FLASK_AREA_CM2
        return cls(
            strain, liquid, cells.copy(), np.zeros(count), Maturity.naive_cells(count), Matrix.new(count),
            np.zeros(count), np.zeros(count),
        )  # fmt: skip

    @property
    def per_cm2(self) -> Array:
        return self.cells / p.FLASK_AREA_CM2

    @property
    def confluence(self) -> Array:
        return growth.confluence(self.per_cm2)

    def exchange(self, share: Values, medium: Medium) -> None:
        """A person takes a share of the medium off and puts as much fresh medium in."""
        taken = self.liquid.remove(self.liquid.ml * array(share))
        self.liquid.add(taken, medium)

    def detach(self) -> tuple[Array, Maturity]:
        """Living cells that come off, and their maturity; the matrix stays in the flask, which is empty then."""
        came = self.cells * p.DETACHED
        self.liquid.remove(self.liquid.ml)
        kept = Maturity(self.maturity.naive.copy(), self.maturity.early.copy(), self.maturity.mature.copy())
        self.cells, self.dead = np.zeros_like(came), np.zeros_like(came)
        return came, kept

    def advance(self, seconds: float, gas: Gas = INCUBATOR, step_s: float = STEP_S) -> None:
        while seconds > 1e-9:
            dt = min(step_s, seconds)
            self._step(gas, dt)
            seconds -= dt

    def _step(self, gas: Gas, dt_s: float) -> None:
        liquid, strain, living = self.liquid, self.strain, self.cells
        liquid.breathe(gas, living * strain.o2 * FMOL_PER_HOUR, dt_s)
        hungry = np.clip(liquid.mm("glucose") / p.K_GLUCOSE, 0.0, 1.0)
        eaten = np.minimum(living * strain.glucose * FMOL_PER_HOUR * hungry * dt_s, liquid.glucose)
        liquid.react("glucose", -eaten)
        liquid.react("lactate", eaten * strain.lactate / strain.glucose)
        rate = growth.rate_per_day(
            strain, self.per_cm2, glucose_mm=liquid.mm("glucose"), lactate_mm=liquid.mm("lactate"),
            o2_mm=liquid.bottom_mm, hours=self.hours,
        )  # fmt: skip
        days = dt_s / 86_400
        dies = living * -np.expm1(-strain.death_per_day * days)
        self.cells, self.dead = living * np.exp(rate * days) - dies, self.dead + dies
        self._mature(days)
        self.hours = self.hours + dt_s / 3600

    def _mature(self, days: float) -> None:
        liquid = self.liquid
        g = differentiation.drive(liquid.mm("supplements"), liquid.bottom_mm)
        differentiation.step(self.maturity, g, days)
        f = mineral.growth_factor(liquid.bottom_mm, liquid.mm("phosphate"), liquid.mm("calcium"))
        m = mineral.matrix_drive(self.maturity.early, g)
        got = mineral.deposit(self.matrix, days, m, f, self.cells, liquid.calcium)
        self.calcium_ug = self.calcium_ug + got
        liquid.react("calcium", -mineral.calcium_umol(got))
