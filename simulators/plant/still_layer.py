"""Oxygen in a still layer of medium with cells at its bottom: flask and well (plant-models §4). mM, m, s.

Ten finite volumes of equal height; gas at the top. A step is exact for a constant uptake, which is cut back where the
lowest volume cannot give it, so nothing becomes negative and every µmol is accounted for.
"""

from __future__ import annotations

from functools import lru_cache
from math import pi

import numpy as np

from simulators.plant import parameters as p
from simulators.plant.arrays import Array, Values, array

VOLUMES = 10


def slowest_s(height_m: float, diffusion: float = p.D_O2) -> float:
    """τ = 4 h² / π² D: 22.5 min at 3 mm, 62.5 min at 5 mm."""
    return 4 * height_m * height_m / (pi * pi * diffusion)


def drop_mm(q_fmol: Values, per_cm2: Values, height_m: Values, diffusion: float = p.D_O2) -> Array:
    """Steady fall from the gas to a monolayer: q σ h / D, mM."""
    return array(q_fmol) * 1e-15 / 3600 * array(per_cm2) * 1e4 * array(height_m) / diffusion


def anoxic_per_cm2(o2_mm: Values, q_fmol: Values, height_m: Values, diffusion: float = p.D_O2) -> Array:
    """The cell density at which a monolayer runs dry."""
    return array(o2_mm) / drop_mm(q_fmol, 1.0, height_m, diffusion)


@lru_cache(maxsize=256)
def _modes() -> tuple[Array, Array]:
    """Rates (in D / dz²) and vectors of ten volumes: top in touch with the gas half a volume above, bottom closed."""
    a = np.diag(np.full(VOLUMES, -2.0)) + np.diag(np.ones(VOLUMES - 1), 1) + np.diag(np.ones(VOLUMES - 1), -1)
    a[0, 0], a[-1, -1] = -3.0, -1.0
    rates, vectors = np.linalg.eigh(a)
    return rates, vectors


def step(layer: Array, gas_mm: Values, height_m: Array, uptake: Array, dt_s: float, diffusion: float = p.D_O2) -> Array:
    """Move `layer` (wells × 10, top first; changed in place) by `dt_s`; what was taken up, mol/m² (= mM·m).

    `uptake` wanted by the cells, mol/m²/s; `gas_mm` the concentration in balance with the gas.
    """
    dz = height_m / VOLUMES
    k = diffusion / (dz * dz)
    rates, vectors = _modes()
    grows = k[:, None] * rates * dt_s
    fades, mean = np.exp(grows), np.expm1(grows) / np.where(grows == 0.0, 1.0, grows)
    start, inflow = layer @ vectors, np.zeros_like(layer)
    inflow[:, 0] = 2 * k * array(gas_mm)
    free = (start * fades + dt_s * mean * (inflow @ vectors)) @ vectors.T
    out = np.zeros_like(layer)
    out[:, -1] = 1.0 / dz
    pulled = (dt_s * mean * (out @ vectors)) @ vectors.T  # by an uptake of 1
    most = np.maximum(0.0, free[:, -1]) / pulled[:, -1] * 0.999
    taken = np.minimum(uptake, most)
    np.maximum(free - taken[:, None] * pulled, 0.0, out=layer)
    return taken * dt_s
