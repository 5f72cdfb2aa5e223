"""The spheroids in a stirred vessel: how they come in, how they age beside the liquid, what is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from simulators.plant import parameters as p
from simulators.plant.cells import SPHEROID, Rates
from simulators.plant.culture import DRY_ML, CultureState

if TYPE_CHECKING:
    from simulators.plant.spheroids import Spheroids

SLOW_S = 1800.0
"""Between two steps of the biology."""
STILL_RPM = 20.0
"""Below this a spheroid lies in liquid that does not move."""


@lru_cache(maxsize=64)
def _past(cells: float, induced_days: float, formed_days: float) -> dict[str, Any]:
    from simulators.plant.spheroids import Spheroids

    return Spheroids.with_a_past(cells, induced_days, formed_days).snapshot()


def restored(saved: Mapping[str, Any]) -> Spheroids:
    from simulators.plant.spheroids import Spheroids

    return Spheroids.restored(saved)


def poured(
    present: Spheroids | None, c: CultureState, cells: float, each: float, induced_days: float, formed_days: float
) -> Spheroids:
    """So many cells more, as spheroids of `each`, made of cells induced on plastic and formed some days ago."""
    new = restored(_past(each, induced_days, formed_days))
    c.spheroids += cells / each
    if present is None:
        return new
    present.mix(new, cells / c.cells)
    return present


def age(s: Spheroids, c: CultureState, volume_ml: float) -> Rates:
    """Half an hour of the spheroids in this liquid; how their cells breathe from now on."""
    import numpy as np

    from simulators.plant.spheroids import Surroundings, step

    if volume_ml < DRY_ML or c.spheroids <= 0.0 or c.cells <= 0.0:
        return SPHEROID
    around = Surroundings(
        c.o2 / volume_ml,
        c.supplements / volume_ml,
        c.phosphate / volume_ml,
        c.calcium / volume_ml,
        float(c.rpm < STILL_RPM),
        max(0.0, c.calcium) / c.spheroids,
    )
    viability = 100 * c.cells / (c.cells + c.dead_cells)
    fate = step(s, around, np.array([c.cells / c.spheroids]), np.array([viability]), SLOW_S)
    starved = c.cells * float(fate.starved[0])
    c.cells -= starved
    c.dead_cells += starved
    bound = float(fate.bound_umol[0]) * c.spheroids
    c.calcium -= bound
    c.books.calcium_deposited += bound
    return Rates(o2=p.O2_UPTAKE * float(fate.uptake[0]))


def story(s: Spheroids) -> dict[str, float]:
    """µm, µM, shares, fold, µg of each spheroid."""
    return {
        "diameter_um": float(s.diameter_um[0]),
        "rim_um": 1000 * float(s.rim[0]),
        "core_um": 1000 * float(s.centre[0]),
        "early": float(s.maturity.early[0]),
        "mature": float(s.maturity.mature[0]),
        "alp": float(s.alp[0]),
        "calcium_ug": float(s.calcium_ug[0]),
        "dystrophic_ug": float(s.dystrophic_ug[0]),
    }
