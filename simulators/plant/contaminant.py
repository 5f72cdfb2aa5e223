"""A bacterium in the medium: off unless a fault puts it there (plant-models §6). Doubles within the hour, eats oxygen
and glucose, makes acid; the commonest end of a week-long pumped culture."""

from __future__ import annotations

from math import exp, log

from simulators.plant import parameters as p

ACID_PER_GLUCOSE = 2.0
"""Strong acid made of each glucose: the pH falls."""
FMOL_PER_HOUR = 1e-9 / 3600
"""1 fmol/cell/h in µmol/cell/s."""


def grown(
    count: float, ml: float, glucose_mm: float, dt_s: float, doubling_h: float = p.CONTAMINANT_DOUBLING_H
) -> float:
    """Cells after `dt_s`: logistic up to 10⁹ per mL, none without glucose; exact for a constant supply."""
    if count <= 0.0 or ml <= 0.0:
        return 0.0
    most = p.CONTAMINANT_MOST_PER_ML * ml
    supply = max(0.0, glucose_mm) / (max(0.0, glucose_mm) + p.CONTAMINANT_K_GLUCOSE)
    return most / (1 + (most / min(count, most) - 1) * exp(-log(2) / (doubling_h * 3600) * supply * dt_s))


def eaten_umol(count: float, glucose_umol: float, dt_s: float) -> float:
    """Glucose taken in `dt_s`, never more than there is; twice as much acid is made of it."""
    wanted = count * p.CONTAMINANT_GLUCOSE * FMOL_PER_HOUR * dt_s
    return glucose_umol * (1 - exp(-wanted / glucose_umol)) if glucose_umol > 0.0 else 0.0


def o2_uptake(count: float, ml: float) -> float:
    """mM/s while there is oxygen."""
    return count * p.CONTAMINANT_O2 * FMOL_PER_HOUR / ml


def turbidity(count: float, ml: float) -> float:
    """Whether a person sees it: 1 at 10⁷ per mL."""
    return count / ml / p.CONTAMINANT_VISIBLE_PER_ML
