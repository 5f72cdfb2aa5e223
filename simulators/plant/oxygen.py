"""Oxygen in the liquid: solubility, transfer through the surface, uptake (plant-models §4). mM, kPa, 1/s."""

from __future__ import annotations

from math import exp, pi

from simulators.plant import parameters as p

SOLUBILITY = p.O2_SOLUBILITY * p.MEDIUM_FACTOR
"""Of culture medium at 37 °C, mM/kPa."""
AIR_SATURATED = SOLUBILITY * p.AIR_PO2_KPA
"""100 % DO, mM."""


def saturated(po2_kpa: float, factor: float = p.MEDIUM_FACTOR) -> float:
    """Concentration in equilibrium with a gas, mM, 37 °C."""
    return p.O2_SOLUBILITY * factor * po2_kpa


def do_percent(o2: float) -> float:
    """Percent of air saturation (humid air, 37 °C)."""
    return 100 * o2 / AIR_SATURATED


def transfer_coefficient(rpm: float, height_m: float) -> float:
    """Surface k_L, m/s: measured between 1.6 and 5.8 turns/s, diffusion when still, straight lines between."""
    turns = rpm / 60
    if turns >= p.TURNS_SLOW:
        slope = (p.K_L_FAST - p.K_L_SLOW) / (p.TURNS_FAST - p.TURNS_SLOW)
        return p.K_L_SLOW + slope * (min(turns, p.TURNS_FAST) - p.TURNS_SLOW)
    still = height_m * still_kla(height_m)
    return still + (p.K_L_SLOW - still) * turns / p.TURNS_SLOW


def still_kla(height_m: float, diffusion: float = p.D_O2) -> float:
    """1/s: slowest mode of a still layer, π² D / 4 h²."""
    return pi * pi * diffusion / (4 * height_m * height_m)


def after(o2: float, saturation: float, kla: float, uptake: float, dt_s: float) -> tuple[float, float]:
    """(concentration, mM taken up) after `dt_s` of transfer at `kla` 1/s and zero-order uptake in mM/s, exact.

    Below K_O2 uptake falls in proportion, so nothing becomes negative.
    """
    if o2 < p.K_O2:
        rate = kla + uptake / p.K_O2
        end = kla * saturation / rate
        later = end + (o2 - end) * exp(-rate * dt_s)
        mean = end + (o2 - end) * (1 - exp(-rate * dt_s)) / (rate * dt_s)
        return later, uptake / p.K_O2 * mean * dt_s
    end = saturation - uptake / kla
    return max(0.0, end + (o2 - end) * exp(-kla * dt_s)), uptake * dt_s
