"""The spheroids in a stirred vessel: how they come in, how they age beside the liquid, what is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from simulators.plant import parameters as p
from simulators.plant.cells import SPHEROID, Rates
from simulators.plant.culture import DRY_ML, CultureState
from simulators.plant.mix import Mix
from simulators.plant.timed import SLOW_S

if TYPE_CHECKING:
    from simulators.plant.spheroids import Spheroids

STILL_RPM = 20.0
"""Below this a spheroid lies in liquid that does not move."""


Shares = tuple[float, float, float]
"""Of all cells: naive, early, mature."""


@lru_cache(maxsize=64)
def _past(cells: float, shares: Shares, formed_days: float) -> dict[str, Any]:
    from simulators.plant.spheroids import Spheroids

    return Spheroids.with_a_past(cells, shares, formed_days).snapshot()


def restored(saved: Mapping[str, Any]) -> Spheroids:
    from simulators.plant.spheroids import Spheroids

    return Spheroids.restored(saved)


def with_a_past(each: float, induced_days: float, formed_days: float, harvested: Shares | None = None) -> Spheroids:
    """Spheroids of `each` cells, formed some days ago of what was harvested, or else of cells induced on plastic."""
    from simulators.plant.differentiation import induced

    return restored(_past(each, harvested or induced(induced_days, p.MEDIUM_O2), formed_days))


def poured(
    present: Spheroids | None,
    c: CultureState,
    cells: float,
    past: tuple[float, float, float],
    harvested: Shares | None = None,
) -> Spheroids:
    """So many cells more, as spheroids with a past: cells each, days induced, days since they were formed."""
    new = with_a_past(*past, harvested)
    c.spheroids += cells / past[0]
    if present is None:
        return new
    present.mix(new, cells / c.cells)
    return present


class Aged(NamedTuple):
    """How the cells breathe from now on, how many starved, and µmol of calcium bound."""

    rates: Rates
    starved: float
    bound_umol: float


def aged(
    s: Spheroids,
    count: float,
    cells: float,
    dead: float,
    liquid: Mix,
    o2_mm: float,
    still: bool,
    rates: Rates,
    dt_s: float = SLOW_S,
) -> Aged:
    """A slow step, half an hour, of `count` spheroids in this liquid; `rates` as of a cell that has all it wants."""
    import numpy as np

    from simulators.plant.spheroids import Surroundings, step

    if liquid.ml < DRY_ML or count <= 0.0 or cells <= 0.0:
        return Aged(rates, 0.0, 0.0)
    ml = liquid.ml
    around = Surroundings(
        o2_mm, liquid.supplements / ml, liquid.phosphate / ml, liquid.calcium / ml, float(still),
        max(0.0, liquid.calcium) / count,
    )  # fmt: skip
    viability = 100 * cells / (cells + dead)
    fate = step(s, around, np.array([cells / count]), np.array([viability]), dt_s)
    breathes = replace(rates, o2=rates.o2 * float(fate.uptake[0]))
    return Aged(breathes, cells * float(fate.starved[0]), float(fate.bound_umol[0]) * count)


def age(s: Spheroids, c: CultureState, volume_ml: float, dt_s: float = SLOW_S) -> Rates:
    """A slow step, half an hour, in the stirred vessel; how its cells breathe from now on."""
    liquid = Mix(volume_ml, calcium=c.calcium, phosphate=c.phosphate, supplements=c.supplements)
    o2 = c.o2 / volume_ml if volume_ml else 0.0
    done = aged(s, c.spheroids, c.cells, c.dead_cells, liquid, o2, c.rpm < STILL_RPM, SPHEROID, dt_s)
    c.cells -= done.starved
    c.dead_cells += done.starved
    c.calcium -= done.bound_umol
    c.books.calcium_deposited += done.bound_umol
    return done.rates


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
