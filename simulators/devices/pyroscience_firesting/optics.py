"""The sensor spot and the arithmetic behind it: oxygen quenches, the meter turns the phase back into oxygen (pure).

One Stern-Volmer constant for all oxygen: the maker's two-site model needs constants the sheet does not give. A sensor
and a calibration that agree give back the true oxygen exactly, and a wrong calibration errs the right way.
"""

from __future__ import annotations

import math

TRUE_ZERO_DEG, TRUE_AIR_DEG = 53.0, 22.0
"""Phase of a fresh spot without oxygen and in air; ours, of the usual size."""
O2_IN_DRY_AIR = 0.2095
MOLAR_MASS_O2 = 31.998


def tangent(degrees: float) -> float:
    return math.tan(math.radians(degrees))


def phase_deg(air_percent: float) -> float:
    """Phase of the spot at `air_percent` of air saturation (0 and more)."""
    zero = tangent(TRUE_ZERO_DEG)
    quenching = (zero / tangent(TRUE_AIR_DEG) - 1) / 100
    return math.degrees(math.atan(zero / (1 + quenching * max(0.0, air_percent))))


def air_percent(phase: float, zero_deg: float, air_deg: float) -> float:
    """Air saturation the meter makes of a phase with its calibration; 0 when the calibration is senseless."""
    if not (0 < air_deg < zero_deg < 89 and 0 < phase < 89):
        return 0.0
    return (tangent(zero_deg) / tangent(phase) - 1) / (tangent(zero_deg) / tangent(air_deg) - 1) * 100


def water_hpa(cel: float) -> float:
    """Saturated water vapour over water (Magnus formula)."""
    return 6.112 * math.exp(17.62 * cel / (243.12 + cel))


def oxygen_hpa(air_percent: float, cel: float, hpa: float) -> float:
    return air_percent / 100 * O2_IN_DRY_AIR * (hpa - water_hpa(cel))


def saturated_umol_l(cel: float, salinity_g_l: float) -> float:
    """Oxygen in air-saturated water at 1013.25 hPa (Benson and Krause 1984, as in Standard Methods 4500-O)."""
    t = cel + 273.15
    exponent = -139.34411 + 1.575701e5 / t - 6.642308e7 / t**2 + 1.2438e10 / t**3 - 8.621949e11 / t**4
    exponent -= salinity_g_l * (1.7674e-2 - 10.754 / t + 2140.7 / t**2)
    return math.exp(exponent) / MOLAR_MASS_O2 * 1000
