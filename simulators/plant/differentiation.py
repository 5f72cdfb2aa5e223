"""From adipose stem cell to bone cell (plant-models §8): U → E (early, with ALP) → M (mature), shares of the cells.

    U' = -k1 g U,  E' = k1 g U - k2 g E,  M' = k2 g E,   g = osteogenic supplements × O / (O + 0.02 mM)
    E(t) = k1 / (k2 - k1) (e^{-k1 t} - e^{-k2 t}),  peak at ln(k2 / k1) / (k2 - k1)   with g = 1

Cells carry this state through detachment. Expressions are relative to undifferentiated cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from simulators.plant import parameters as p
from simulators.plant.arrays import Array, Values, array


@dataclass(slots=True)
class Maturity:
    """Shares of the living cells; together 1."""

    naive: Array
    early: Array
    mature: Array

    @classmethod
    def naive_cells(cls, wells: int = 1) -> Maturity:
        return cls(np.ones(wells), np.zeros(wells), np.zeros(wells))


def drive(supplements: Values, o2_mm: Values) -> Array:
    """g: 1 in full osteogenic medium with plenty of oxygen; 2 % O2 halves it."""
    o2 = np.maximum(array(o2_mm), 0.0)
    return np.clip(array(supplements), 0.0, 1.0) * o2 / (o2 + p.O2_OF_DIFFERENTIATION)


def step(s: Maturity, g: Values, days: float) -> None:
    """Exact for a constant g."""
    k1, k2 = p.DIFFERENTIATION_K1, p.DIFFERENTIATION_K2
    stays, early_stays = np.exp(-k1 * array(g) * days), np.exp(-k2 * array(g) * days)
    total = s.naive + s.early + s.mature
    s.early = s.early * early_stays + s.naive * (k1 / (k2 - k1)) * (stays - early_stays)
    s.naive = s.naive * stays
    s.mature = total - s.naive - s.early


def cascade(days: Values) -> tuple[Array, Array]:
    """(E, M) after so many days of full drive."""
    k1, k2, t = p.DIFFERENTIATION_K1, p.DIFFERENTIATION_K2, array(days)
    early = k1 / (k2 - k1) * (np.exp(-k1 * t) - np.exp(-k2 * t))
    return early, 1 - np.exp(-k1 * t) - early


def induced(days: float, o2_mm: float) -> tuple[float, float, float]:
    """(naive, early, mature) of cells that were in full osteogenic medium for so many days."""
    early, mature = cascade(days * float(drive(1.0, o2_mm)))
    return float(1 - early - mature), float(early), float(mature)


def peak_day() -> float:
    """When E, and with it ALP, is highest."""
    k1, k2 = p.DIFFERENTIATION_K1, p.DIFFERENTIATION_K2
    return log(k2 / k1) / (k2 - k1)


def alp(early: Values) -> Array:
    """ALP activity, fold."""
    return (p.ALP_BASE + array(early)) / p.ALP_BASE


def expression(early: Values, mature: Values) -> dict[str, Array]:
    """Relative expression by gene, fold; BGLAP stays low, as it did in adipose stem cells (culture-protocols §2.4)."""
    early, mature = array(early), array(mature)
    return {
        "RUNX2": 1 + p.RUNX2_RISE * (early + mature),
        "ALPL": alp(early),
        "COL1A1": 1 + p.COL1A1_RISE * early,
        "SPP1": 1 + p.SPP1_RISE * mature,
        "BGLAP": 1 + p.BGLAP_RISE * mature,
    }
