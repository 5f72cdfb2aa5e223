"""What instruments make of the truth: electrodes, optics, infrared, lags and drift (plant-models §9)."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from random import Random

from simulators.plant import parameters as p

KELVIN = 273.15


def nernst_mv(cel: float) -> float:
    """mV per pH of a perfect electrode: 54.99 at 4 °C, 58.17 at 20, 59.16 at 25, 61.54 at 37."""
    return 1000 * log(10) * p.GAS_CONSTANT * (cel + KELVIN) / p.FARADAY


@dataclass(frozen=True, slots=True)
class GlassElectrode:
    """E = E0 - S(T) (pH - 7): mV; efficiency 0.95-1.0 of the Nernst slope."""

    e0_mv: float = 0.0
    efficiency: float = 0.98

    def mv(self, ph: float, cel: float) -> float:
        return self.e0_mv - self.efficiency * nernst_mv(cel) * (ph - 7)

    def shown(self, mv: float, cel: float, calibrated: GlassElectrode | None = None) -> float:
        """pH that a meter with these calibration data shows (its own = perfectly calibrated)."""
        known = calibrated or self
        return 7 - (mv - known.e0_mv) / (known.efficiency * nernst_mv(cel))


def e0_drift_mv(days: float, seed: int, per_day_mv: float = p.PH_DRIFT_MV_DAY) -> float:
    """Drift of E0 after so many days: a trend and a random walk, hour by hour the same for the same seed."""
    chance, walk = Random(f"pH drift {seed}"), 0.0  # noqa: S311 - chance, not secrecy
    hours = int(24 * days)
    step = per_day_mv / 24**0.5
    for _ in range(hours):
        walk += chance.gauss(0.0, 0.5 * step)
    return per_day_mv * days + walk


def quenched(po2_kpa: float, k_sv: float = p.STERN_VOLMER) -> float:
    """I / I0 of an optical oxygen sensor: 1 / (1 + K_sv pO2)."""
    return 1 / (1 + k_sv * po2_kpa)


def unquenched_kpa(share: float, k_sv: float = p.STERN_VOLMER) -> float:
    """pO2 from I / I0; what a bleached dye (I0 lower than calibrated) shows is too high."""
    return (1 / share - 1) / k_sv


def infrared_co2(percent: float, pressure_hpa: float, cel: float, powered_s: float = 1e9) -> float | None:
    """What an uncompensated probe shows, % CO2; None while it starts up.

    Error + 0.15 % of reading per hPa above 1013.25, - 0.35 % per K above 25 °C, and 5 % until two minutes after start.
    """
    if powered_s < p.CO2_START_S:
        return None
    error = p.CO2_PER_HPA * (pressure_hpa - 1013.25) + p.CO2_PER_K * (cel - 25.0)
    warming = p.CO2_COLD_ERROR * max(0.0, 1 - powered_s / p.CO2_ACCURATE_S)
    return percent * (1 + error + warming)


def felt(shown: float, true: float, dt_s: float, tau_s: float) -> float:
    """First-order lag over one step."""
    return true + (shown - true) * exp(-dt_s / tau_s)


def tau_s(t90_s: float) -> float:
    """τ = t90 / 2.3026: a step is 63.2 % there at τ and 99 % at 2 t90."""
    return t90_s / log(10)


def humidity_drift(months_wet: float) -> float:
    """% RH a capacitive sensor shows too much after months of condensation."""
    return p.RH_DRIFT_MONTH * months_wet
