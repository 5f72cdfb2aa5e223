"""Fresh medium on its way: a bottle in the cold that loses CO2, a line that warms (benches A1). °C, kPa, mL/min, s."""

from __future__ import annotations

from math import exp

from simulators.plant import parameters as p


def line_end_cel(chamber_cel: float, ml_min: float, bottle_cel: float = p.FRIDGE_CEL) -> float:
    """What comes out of 1 m of line inside the chamber: from 6 °C 34.7 at 1 mL/min, but 18.6 at 5."""
    return chamber_cel - (chamber_cel - bottle_cel) * exp(-p.LINE_WARMING_ML_MIN / max(1e-6, ml_min))


def plug_cel(chamber_cel: float, rested_s: float, came_at_cel: float) -> float:
    """Liquid that has stood in the line since the last dose."""
    return chamber_cel + (came_at_cel - chamber_cel) * exp(-rested_s / p.PLUG_WARMS_S)


def bottle_pco2_kpa(hung_s: float) -> float:
    """A vented bottle, closed under 5 % CO2 when it was hung."""
    room = p.ROOM_CO2 * p.PRESSURE_KPA
    return room + (p.BOTTLE_PCO2_KPA - room) * exp(-hung_s / p.BOTTLE_CO2_LOSS_S)
