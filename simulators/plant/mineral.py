"""Mineral in the matrix, after Komarova et al. 2015 (plant-models §8; structure R, NUMBERS FROM MEMORY: marked M).

    x1' = -k1c m x1      collagen as made          x2' = k1c m x1           matured
    I'  = v1 x1 - r1 x2 I   inhibitor              N'  = k2c x2' - r2 y' N  nucleators, masked as mineral grows
    y'  = k3 f N b / (b + I^a)                     mineral, relative

Alone m = f = 1, and y(28 d) = 2.781. In the plant m = g E / (E + 0.05) ties the matrix to early bone cells (our reading
of "production tied to E"; g as in `differentiation`: collagen is hydroxylated with ascorbate and oxygen), and f is
oxygen O⁴ / (O⁴ + 0.03⁴), phosphate and calcium.
Detachment leaves the matrix in the flask: everything here begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulators.plant import parameters as p
from simulators.plant.arrays import Array, Values, array

CALCIUM_G_MOL = 40.08
LONGEST_D = 1 / 24
"""Steps are cut to an hour: halving them changes day 28 by less than 1e-6."""


@dataclass(slots=True)
class Matrix:
    """Relative amounts; `y` is mineral."""

    x1: Array
    x2: Array
    inhibitor: Array
    nucleators: Array
    y: Array

    @classmethod
    def new(cls, wells: int = 1) -> Matrix:
        return cls(np.ones(wells), np.zeros(wells), np.ones(wells), np.zeros(wells), np.zeros(wells))


@dataclass(frozen=True, slots=True)
class Constants:
    """Per day; a and b without unit."""

    k1: float = p.MATRIX_K1
    v1: float = p.MATRIX_V1
    r1: float = p.MATRIX_R1
    k2: float = p.MATRIX_K2
    r2: float = p.MATRIX_R2
    k3: float = p.MATRIX_K3
    a: float = p.MATRIX_A
    b: float = p.MATRIX_B


KOMAROVA = Constants()


def matrix_drive(early: Values, g: Values = 1.0) -> Array:
    """m: how fast collagen matures, by the share of early bone cells and the drive of differentiation."""
    early = array(early)
    return array(g) * early / (early + p.EARLY_FOR_MATRIX)


def growth_factor(o2_mm: Values, phosphate_mm: Values, calcium_mm: Values) -> Array:
    """f: 0.999, 0.86 and 0.14 at 178, 48 and 19 µM of oxygen; none without phosphate or without calcium."""
    o2 = np.maximum(array(o2_mm), 0.0) ** 4
    oxygen = o2 / (o2 + p.O2_OF_MINERAL**4)
    phosphate = np.clip(array(phosphate_mm) / p.PHOSPHATE_ENOUGH, 0.0, 1.0)
    return oxygen * phosphate * np.clip(array(calcium_mm) / p.CALCIUM_ENOUGH, 0.0, 1.0)


def step(s: Matrix, days: float, m: Values = 1.0, f: Values = 1.0, constants: Constants = KOMAROVA) -> None:
    """4th-order steps of an hour at most; m and f hold throughout."""
    pieces = max(1, int(np.ceil(days / LONGEST_D - 1e-9)))
    h = days / pieces
    state = np.stack([s.x1, s.x2, s.inhibitor, s.nucleators, s.y])
    m, f = array(m), array(f)
    for _ in range(pieces):
        one = _slope(state, m, f, constants)
        two = _slope(state + h / 2 * one, m, f, constants)
        three = _slope(state + h / 2 * two, m, f, constants)
        four = _slope(state + h * three, m, f, constants)
        state = state + h / 6 * (one + 2 * two + 2 * three + four)
    s.x1, s.x2, s.inhibitor, s.nucleators, s.y = np.maximum(state, 0.0)


def deposit(s: Matrix, days: float, m: Values, f: Values, cells: Values, available_umol: Values) -> Array:
    """A step of the matrix of so many cells; calcium it took, µg, never more than there is: then `y` stays behind."""
    before = s.y.copy()
    step(s, days, m, f)
    wanted = calcium_ug(s.y - before, cells)
    got = np.minimum(wanted, np.maximum(array(available_umol), 0.0) * CALCIUM_G_MOL)
    s.y = before + (s.y - before) * np.where(wanted > 0.0, got / np.maximum(wanted, 1e-300), 1.0)
    return got


def _slope(state: Array, m: Array, f: Array, c: Constants) -> Array:
    x1, x2, inhibitor, nucleators, _ = state
    matured = c.k1 * m * x1
    grown = c.k3 * f * nucleators * c.b / (c.b + np.maximum(inhibitor, 0.0) ** c.a)
    return np.stack(
        [-matured, matured, c.v1 * x1 - c.r1 * x2 * inhibitor, c.k2 * matured - c.r2 * grown * nucleators, grown]
    )


def calcium_ug(y: Values, cells: Values) -> Array:
    """Calcium bound by a spheroid of so many cells, µg."""
    return array(y) / p.MINERAL_AT_28_D * p.CALCIUM_MOST_UG * array(cells) / p.CALCIUM_CELLS


def calcium_umol(ug: Values) -> Array:
    return array(ug) / CALCIUM_G_MOL
