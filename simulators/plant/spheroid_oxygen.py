"""Oxygen in a spheroid and in the still liquid around it (plant-models §5). µm, mM, fmol/cell/h, cells/m³.

    zero order:          C(r) = C_s - V_m (R² - r²) / (6 D_t);   critical radius R_c = sqrt(6 D_t C_s / V_m)
    anoxic core r_n:     1 - 3x² + 2x³ = (R_c / R)²,  x = r_n / R,  where R > R_c
    Michaelis-Menten:    D_t ∇²C = V_m C / (K_m + C);  still liquid outside: C_s = C_∞ - V_m R² f / (3 D_m)

V_m = ρ q; f = the share of V_m that the sphere takes up in the mean. In still medium the drop outside a sphere is
2 D_t : D_m times the drop inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulators.plant import parameters as p
from simulators.plant import thiele
from simulators.plant.arrays import Array, Values, array

FMOL_PER_HOUR = 1e-15 / 3600
"""1 fmol/cell/h in mol/cell/s."""


def volume_rate(q: Values, density: Values) -> Array:
    """V_m, mol/m³/s."""
    return array(q) * FMOL_PER_HOUR * array(density)


def critical_radius_um(o2_mm: Values, q: Values, density: Values, d_t: float = p.D_TISSUE) -> Array:
    """The largest radius without an anoxic core, zero order; `o2_mm` at the surface."""
    return 1e6 * np.sqrt(6 * d_t * array(o2_mm) / volume_rate(q, density))


def core_share(radius_um: Values, critical_um: Values) -> Array:
    """Anoxic core as a share of the radius: 0 up to the critical radius, towards 1 far above it."""
    k = np.minimum(1.0, (array(critical_um) / array(radius_um)) ** 2)
    return 0.5 + np.cos((2 * np.pi - np.arccos(2 * k - 1)) / 3)


@dataclass(frozen=True, slots=True)
class SpheroidOxygen:
    """mM at rim and centre; shares of the volume below 10 and below 1 µM; mean uptake as a share of q."""

    rim: Array
    centre: Array
    uptake: Array
    hypoxic: Array
    starving: Array


def spheroid_oxygen(
    radius_um: Values,
    o2_mm: Values,
    q: Values = p.O2_UPTAKE,
    density: Values = 4.5e14,
    *,
    still: Values = 0.0,
    k_m: float = p.K_M_TISSUE,
    d_t: float = p.D_TISSUE,
    d_m: float = p.D_O2,
) -> SpheroidOxygen:
    """Michaelis-Menten, arrays of spheroids at once. `o2_mm` in the liquid; `still` 1 in a well, 0 where it is stirred.

    Within 0.5 % of a fresh solution up to S = R sqrt(V_m / (D_t K_m)) = 40.
    """
    shape = np.broadcast(array(radius_um), array(o2_mm), array(q), array(density), array(still))

    def filled(value: Values) -> Array:
        return np.broadcast_to(array(value), shape.shape).ravel()

    s = filled(radius_um) * 1e-6 * np.sqrt(volume_rate(filled(q), filled(density)) / (d_t * k_m))
    found = thiele.solve(s, filled(o2_mm) / k_m, filled(still) * d_t / d_m)

    def shaped(value: Array) -> Array:
        return value.reshape(shape.shape)

    return SpheroidOxygen(
        rim=shaped(found.rim * k_m),
        centre=shaped(found.centre * k_m),
        uptake=shaped(found.uptake),
        hypoxic=shaped(found.share_below(p.HYPOXIC_MM / k_m)),
        starving=shaped(found.share_below(p.STARVING_MM / k_m)),
    )


def most_cells(o2_mm: float, q: float = p.O2_UPTAKE, *, still: bool = False) -> float:
    """The most cells in one spheroid that leave its centre above 10 µM, by the size law; cells."""
    from simulators.plant.spheroid_size import density, final_radius_um

    cells = np.logspace(2.0, 6.0, 2001)
    centre = spheroid_oxygen(final_radius_um(cells), o2_mm, q, density(cells), still=float(still)).centre
    fed = cells[centre >= p.HYPOXIC_MM]
    return float(fed[-1]) if len(fed) else 0.0
