"""Growth, death and metabolism of cells on a plate, and lactate between exchanges (plant-models §6).

    dX/dt = (µ - k_d) X;  µ = µ_max · S/(K_S+S) · K_L/(K_L+L) · K_A/(K_A+A) · O/(K_O+O) · (1 - X/X_max) · lag
    lag = 1 - exp(-t / t_lag);  glucose used = q_S X,  lactate made = Y_LS × glucose used

Rates are published in fmol/cell/h. Cells in spheroids do not grow: `spheroids`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulators.plant import parameters as p
from simulators.plant.arrays import Array, Values, array


@dataclass(frozen=True, slots=True)
class Strain:
    """A kind of cell on a plate: µ_max per day, X_max per cm², rates per cell in fmol/h."""

    name: str
    growth_per_day: float
    most_per_cm2: float = p.MONOLAYER_MOST
    o2: float = p.O2_UPTAKE_MONOLAYER
    glucose: float = p.GLUCOSE_UPTAKE_MONOLAYER
    lactate: float = p.LACTATE_RELEASE_MONOLAYER
    death_per_day: float = p.DEATH
    lag_h: float = p.LAG_H


ADSC = Strain("ADSC on plastic", p.GROWTH_ADSC)
SLOW_ADSC = Strain("ADSC of a slow donor", p.GROWTH_SLOW_DONOR)
FIBROBLAST = Strain(
    "lung fibroblasts, 21 % O2", 24 * p.GROWTH_FIBROBLAST, glucose=p.GLUCOSE_FIBROBLAST, lactate=p.LACTATE_FIBROBLAST
)
FIBROBLAST_HYPOXIC = Strain(
    "lung fibroblasts, 0.5 % O2", 24 * p.GROWTH_FIBROBLAST_HYPOXIC,
    glucose=p.GLUCOSE_FIBROBLAST_HYPOXIC, lactate=p.LACTATE_FIBROBLAST_HYPOXIC,
)  # fmt: skip
"""No extra glycolysis in dividing primary cells: the ratio falls (R [20])."""


def rate_per_day(
    strain: Strain,
    per_cm2: Values,
    *,
    glucose_mm: Values = 1e9,
    lactate_mm: Values = 0.0,
    ammonium_mm: Values = 0.0,
    o2_mm: Values = 1e9,
    hours: Values = 1e9,
) -> Array:
    """µ; what is not told limits nothing. Never negative: a dish beyond its X_max stops."""
    s, o2 = np.maximum(array(glucose_mm), 0.0), np.maximum(array(o2_mm), 0.0)
    room = np.clip(1 - array(per_cm2) / strain.most_per_cm2, 0.0, 1.0)
    lag = 1 - np.exp(-array(hours) / strain.lag_h)
    poison = p.K_LACTATE / (p.K_LACTATE + array(lactate_mm)) * p.K_AMMONIUM / (p.K_AMMONIUM + array(ammonium_mm))
    return strain.growth_per_day * s / (p.K_S_GLUCOSE + s) * poison * o2 / (p.K_O2 + o2) * room * lag


def grown(cells: Values, per_day: float, days: Values) -> Array:
    """Without any limit."""
    return array(cells) * np.exp(per_day * array(days))


def mean_cells(cells: Values, per_day: float, days: float) -> Array:
    """Mean number through `days` of growth without limit."""
    grows = per_day * days
    return array(cells) * (np.expm1(grows) / grows if grows else 1.0)


def used_mm(cells: Values, fmol_per_cell_h: Values, ml: Values, hours: Values) -> Array:
    """What a constant number of cells takes from, or gives to, so much medium, mM."""
    return array(cells) * array(fmol_per_cell_h) * 1e-9 * array(hours) / array(ml)


def confluence(per_cm2: Values) -> Array:
    """0 … 1, as a person judges it."""
    return np.minimum(1.0, array(per_cm2) / p.CONFLUENT)


def peaks_mm(made_mm: float, exchanged: float, intervals: int) -> Array:
    """Lactate just before each exchange when `made_mm` comes in each interval and a share is exchanged each time.

    A geometric series: 50 % exchange tends to twice what one interval makes.
    """
    n = np.arange(1.0, intervals + 1.0)
    kept = 1 - exchanged
    return made_mm * (1 - kept**n) / exchanged
