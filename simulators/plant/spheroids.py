"""The cells of a vessel as spheroids: their oxygen, their fate, their matrix; one entry for a vessel, 96 for a plate.

Moves in slow steps of half an hour beside the liquid, which moves in seconds. They compact, they do not grow. µm, mM,
hours; amounts are per spheroid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self, cast

import numpy as np

from simulators.plant import differentiation, mineral
from simulators.plant import parameters as p
from simulators.plant import spheroid_size as size
from simulators.plant.arrays import Array, Values, array
from simulators.plant.brood import SLOW_S
from simulators.plant.differentiation import Maturity
from simulators.plant.mineral import Matrix
from simulators.plant.saved import plain, rebuilt
from simulators.plant.spheroid_oxygen import SpheroidOxygen, spheroid_oxygen


class Surroundings(NamedTuple):
    """Of the liquid around: mM; `still` 1 in a well, 0 stirred or perfused; calcium that is there for each, µmol."""

    o2: Values
    supplements: Values
    phosphate: Values
    calcium: Values
    still: Values
    calcium_umol: Values


class Fate(NamedTuple):
    """What a step did to each: share of q it breathes, share of its cells that starved, calcium bound, µmol."""

    uptake: Array
    starved: Array
    bound_umol: Array


@dataclass(slots=True)
class Spheroids:
    seeded: Array
    """Cells each was formed of: its size follows."""
    hours: Array
    """Since it was formed."""
    starved_h: Array
    maturity: Maturity
    matrix: Matrix
    calcium_ug: Array
    dystrophic_ug: Array
    """Of it, in cores that are mostly dead."""
    rim: Array
    centre: Array
    uptake: Array
    hypoxic: Array

    @classmethod
    def formed(cls, cells: Values, maturity: Maturity | None = None) -> Self:
        """Just put together, of cells that bring their maturity and leave their matrix behind."""
        seeded = np.atleast_1d(array(cells)).copy()
        n = len(seeded)

        def none() -> Array:
            return np.zeros(n)

        return cls(
            seeded, none(), none(), maturity or Maturity.naive_cells(n), Matrix.new(n), none(), none(),
            none(), none(), np.ones(n), none(),
        )  # fmt: skip

    @classmethod
    def with_a_past(cls, cells: float, shares: tuple[float, float, float], formed_days: float) -> Self:
        """Of cells with this maturity (naive, early, mature) that were detached and left in their still microwells, in
        osteogenic medium if any of them has begun to differentiate."""
        new = cls.formed(cells, Maturity(*(np.array([share]) for share in shares)))
        fresh = float(shares[0] < 1.0)
        around = Surroundings(p.MEDIUM_O2, fresh, fresh * p.BETA_GLYCEROPHOSPHATE, p.MEDIUM_CALCIUM, 1.0, 1e9)
        for _ in range(round(formed_days * 86_400 / SLOW_S)):
            step(new, around, new.seeded, np.array([100.0]), SLOW_S)
        return new

    @property
    def diameter_um(self) -> Array:
        return 2 * size.radius_um(self.seeded, self.hours)

    @property
    def alp(self) -> Array:
        """Fold of undifferentiated cells."""
        return differentiation.alp(self.maturity.early)

    def mix(self, other: Spheroids, share: float) -> None:
        """`other` comes in as this share of all cells: what follows is the mean of both."""
        for part in (self, self.maturity, self.matrix):
            of = {id(self): other, id(self.maturity): other.maturity, id(self.matrix): other.matrix}[id(part)]
            for name in (field.name for field in fields(part) if field.name not in ("maturity", "matrix")):
                setattr(part, name, (1 - share) * getattr(part, name) + share * getattr(of, name))

    def snapshot(self) -> dict[str, Any]:
        return cast("dict[str, Any]", plain(self))

    @classmethod
    def restored(cls, saved: Mapping[str, Any]) -> Self:
        return rebuilt(cls, saved)


def step(s: Spheroids, around: Surroundings, living: Array, viability: Array, dt_s: float) -> Fate:
    """`living` cells of each and their viability in %, kept by the vessel; conditions hold through the step."""
    days = dt_s / 86_400
    oxygen = breathes(s, around, living)
    s.rim, s.centre, s.uptake, s.hypoxic = oxygen.rim, oxygen.centre, oxygen.uptake, oxygen.hypoxic
    within = 0.5 * (oxygen.rim + oxygen.centre)
    g = differentiation.drive(around.supplements, within)
    differentiation.step(s.maturity, g, days)
    f = mineral.growth_factor(within, around.phosphate, around.calcium)
    m = mineral.matrix_drive(s.maturity.early, g)
    got_ug = mineral.deposit(s.matrix, days, m, f, living, around.calcium_umol)
    s.calcium_ug = s.calcium_ug + got_ug
    s.dystrophic_ug = s.dystrophic_ug + np.where(viability < 50.0, got_ug, 0.0)
    s.starved_h = np.where(oxygen.starving > 0.01, s.starved_h + dt_s / 3600, 0.0)
    dies = np.where(s.starved_h > p.STARVING_AFTER_H, oxygen.starving, 0.0)
    s.hours = s.hours + dt_s / 3600
    return Fate(oxygen.uptake, -np.expm1(-p.STARVING_DEATH * dies * dt_s / 3600), mineral.calcium_umol(got_ug))


def breathes(s: Spheroids, around: Surroundings, living: Array) -> SpheroidOxygen:
    radius = size.radius_um(s.seeded, s.hours)
    density = np.maximum(living, 1.0) / (4 / 3 * np.pi * (1e-6 * radius) ** 3)
    return spheroid_oxygen(radius, around.o2, p.O2_UPTAKE, density, still=around.still)
