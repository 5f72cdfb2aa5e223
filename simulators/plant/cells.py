"""What the cells in spheroids eat, breathe and release (plant-models §6). They compact, they do not grow."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from simulators.plant import parameters as p

FMOL_PER_HOUR = 1e-9 / 3600
"""1 fmol/cell/h in µmol/cell/s."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Per cell, fmol/h."""

    o2: float = p.O2_UPTAKE
    glucose: float = p.GLUCOSE_UPTAKE
    lactate: float = p.LACTATE_RELEASE


SPHEROID = Rates()


def alive_after(cells: float, dt_s: float) -> float:
    """Cells still alive after `dt_s`."""
    return cells * exp(-p.DEATH / 86400 * dt_s)


def glucose_eaten(cells: float, glucose: float, rates: Rates, dt_s: float) -> float:
    """µmol in `dt_s`; falls in proportion below K_GLUCOSE (`glucose` in mM)."""
    supply = 1.0 if glucose >= p.K_GLUCOSE else max(0.0, glucose / p.K_GLUCOSE)
    return cells * rates.glucose * FMOL_PER_HOUR * supply * dt_s
