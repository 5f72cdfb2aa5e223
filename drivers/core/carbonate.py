"""pH of medium from bicarbonate and CO2: the closed form that the plant and the warnings about a protocol share.

pH = pK' + log10([HCO3-] / (alpha pCO2)) at 37 degC and ionic strength 0.15 mol/L (plant-models §3, AF-10).
"""

from __future__ import annotations

from math import log10

PK = 6.10
"""pK' of CO2/HCO3- (M, and R [7] of plant-models)."""
ALPHA = 0.230
"""Solubility of CO2, mM/kPa (M, and R [7])."""
SEA_LEVEL_KPA = 101.325


def ph(bicarbonate_mm: float, pco2_kpa: float) -> float:
    """pH of a liquid in equilibrium with a gas; no other buffer. Both arguments more than 0."""
    return PK + log10(bicarbonate_mm / (ALPHA * pco2_kpa))


def ph_at(bicarbonate_mm: float, co2_percent: float, pressure_kpa: float = SEA_LEVEL_KPA) -> float:
    """As `ph`, for vol-% of CO2 on wet gas, as a chamber shows it."""
    return ph(bicarbonate_mm, co2_percent / 100 * pressure_kpa)


def co2_for(bicarbonate_mm: float, wanted_ph: float, pressure_kpa: float = SEA_LEVEL_KPA) -> float:
    """vol-% of CO2 (wet gas) under which this bicarbonate stands at `wanted_ph`."""
    return 100 * bicarbonate_mm / (ALPHA * 10 ** (wanted_ph - PK)) / pressure_kpa
