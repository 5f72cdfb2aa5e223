"""What pumps do to a flow beside its mean (plant-models §10). mL/min, 1/min, s."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, pi, sin

from simulators.plant import parameters as p


def pulsation(rollers: int, rpm: float, t_s: float) -> float:
    """Flow : mean of a peristaltic head at `t_s`; the mean over whole roller periods is 1."""
    phase = 2 * pi * rollers * rpm / 60 * t_s
    return 1 + p.PULSATION * sin(phase) + p.PULSATION_SECOND * sin(2 * phase)


def carried_ml(rate_ml_min: float, rollers: int, rpm: float, t_s: float) -> float:
    """mL from 0 to `t_s`, pulsation included; exact."""
    turn = 2 * pi * rollers * rpm / 60
    if turn == 0.0:
        return 0.0
    swing = p.PULSATION * (1 - _cos(turn * t_s)) + p.PULSATION_SECOND * (1 - _cos(2 * turn * t_s)) / 2
    return rate_ml_min / 60 * (t_s + swing / turn)


def _cos(x: float) -> float:
    return sin(x + pi / 2)


def unevenness(rate: float, full_range: float) -> float:
    """Extra spread of the flow of a slow peristaltic head, 1 SD as a share: none above 15 % of its range."""
    share = rate / full_range
    return p.SLOW_UNEVENNESS * max(0.0, 1 - share / p.SLOW_SHARE)


@dataclass(frozen=True, slots=True)
class Compliance:
    """A soft line between a syringe and its end: what is pushed in comes out late."""

    ml_per_bar: float = p.LINE_COMPLIANCE_ML_BAR
    bar_min_ml: float = p.LINE_RESISTANCE_BAR_MIN_ML

    @property
    def lag_s(self) -> float:
        return 60 * self.ml_per_bar * self.bar_min_ml

    def delivered_ml(self, rate_ml_min: float, seconds: float) -> float:
        """From rest, at a constant rate: the start-up volume lags behind."""
        return rate_ml_min / 60 * (seconds - self.lag_s * (1 - exp(-seconds / self.lag_s)))

    def occluded_bar(self, rate_ml_min: float, seconds: float) -> float:
        """Pressure in a line that is closed at its end: rises until the pump stalls."""
        return rate_ml_min / 60 * seconds / self.ml_per_bar


def with_air(asked_ml: float, air_ml: float) -> float:
    """mL of liquid that arrive when a bubble is in the line: the pump counts it as liquid."""
    return max(0.0, asked_ml - air_ml)


def stick_slip(rate_ul_min: float, t_s: float) -> float:
    """Flow : mean of a syringe below 1 µL/min, which moves in jerks; 1 above."""
    if rate_ul_min >= p.STICK_SLIP_UL_MIN:
        return 1.0
    return 2.0 if (t_s % p.STICK_SLIP_S) < p.STICK_SLIP_S / 2 else 0.0
