"""Bicarbonate chemistry of culture medium (plant-models §3). mM (= mol/m³), kPa.

Carbonate is neglected, as in the acceptance tables; pH is clipped at 9.0 instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log10

from drivers.core import carbonate
from simulators.plant import parameters as p

_LN10 = log(10)


@dataclass(frozen=True, slots=True)
class Medium:
    """Composition of a liquid: mM, osmolality mmol/kg, `sid` = initial bicarbonate + strong base - strong acid."""

    glucose: float
    lactate: float
    sid: float
    carbon: float
    """Total inorganic carbon, CO2 + HCO3-."""
    o2: float
    osmolality: float
    calcium: float = p.MEDIUM_CALCIUM
    phosphate: float = 0.0
    """β-glycerophosphate, the source of phosphate for mineral."""
    supplements: float = 0.0
    """Share of the osteogenic supplements (dexamethasone, ascorbate): 0 none, 1 as the recipe has them."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a laboratory puts together: mM, mmol/kg; gases come by standing under them."""

    name: str
    glucose: float = p.MEDIUM_GLUCOSE
    bicarbonate: float = p.MEDIUM_BICARBONATE
    osmolality: float = p.MEDIUM_OSMOLALITY
    calcium: float = p.MEDIUM_CALCIUM
    phosphate: float = 0.0
    supplements: float = 0.0


GROWTH = Recipe("growth medium")
"""α-MEM with serum."""
_WITH_PHOSPHATE = p.MEDIUM_OSMOLALITY + 3 * p.BETA_GLYCEROPHOSPHATE
"""Two sodium ions come with each glycerophosphate."""
OSTEOGENIC = Recipe("osteogenic medium", osmolality=_WITH_PHOSPHATE, phosphate=p.BETA_GLYCEROPHOSPHATE, supplements=1.0)
PHOSPHATE_FREE = Recipe("osteogenic medium without phosphate", supplements=1.0)
DMEM = Recipe("DMEM, high glucose", glucose=p.DMEM_GLUCOSE, bicarbonate=p.DMEM_BICARBONATE)
RECIPES = (GROWTH, OSTEOGENIC, PHOSPHATE_FREE, DMEM)


def recipe(name: str) -> Recipe:
    """The recipe a protocol's material means by its name; growth medium where nothing is known of it."""
    words = name.lower()
    if "osteogenic" in words:
        return PHOSPHATE_FREE if "without" in words or "free" in words else OSTEOGENIC
    return DMEM if "dmem" in words else GROWTH


def ph_open(sid: float, pco2_kpa: float, buffer_nb: float = 0.0, ph_ref: float = p.PH_REFERENCE) -> float:
    """pH in equilibrium with a gas. `sid` already less lactate. [HCO3-] = sid - buffer_nb (pH - ph_ref)."""
    co2 = p.ALPHA_CO2 * pco2_kpa
    low, high = 4.0, p.PH_CEILING
    if buffer_nb == 0.0:
        return min(high, max(low, carbonate.ph(max(sid, 1e-9), pco2_kpa)))
    for _ in range(44):
        middle = 0.5 * (low + high)
        if p.PK_CARBONIC + log10(max(sid - buffer_nb * (middle - ph_ref), 1e-9) / co2) > middle:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def ph_closed(sid: float, carbon: float, guess: float, buffer_nb: float = p.BUFFER_NB) -> float:
    """pH of a liquid with `carbon` mM of CO2 + HCO3-: Newton on HCO3-(pH) + buffer(pH) = sid, from `guess`.

    The left side rises with pH, so the root is unique; two or three rounds from the last value are enough.
    """
    ph = guess
    for _ in range(30):
        share = 1 / (1 + 10 ** (p.PK_CARBONIC - ph))
        error = carbon * share + buffer_nb * (ph - p.PH_REFERENCE) - sid
        move = error / (_LN10 * carbon * share * (1 - share) + buffer_nb + 1e-9)
        ph -= 0.5 if move > 0.5 else -0.5 if move < -0.5 else move
        if -1e-10 < move < 1e-10:
            break
        if ph > p.PH_CEILING + 0.5:
            break
    return min(p.PH_CEILING, max(4.0, ph))


def charge_residual(sid: float, carbon: float, ph: float, buffer_nb: float = p.BUFFER_NB) -> float:
    """mM of charge that bicarbonate and buffers leave over at this pH: zero where it is in balance and not clipped."""
    return carbon / (1 + 10 ** (p.PK_CARBONIC - ph)) + buffer_nb * (ph - p.PH_REFERENCE) - sid


def dissolved_co2(carbon: float, ph: float) -> float:
    """mM of CO2 in a liquid with `carbon` mM of CO2 + HCO3-."""
    return carbon / (1 + 10 ** (ph - p.PK_CARBONIC))


def pco2_kpa(carbon: float, ph: float) -> float:
    """What a blood-gas analyser shows, kPa."""
    return dissolved_co2(carbon, ph) / p.ALPHA_CO2


def carbon_at(sid: float, pco2: float, buffer_nb: float = p.BUFFER_NB) -> float:
    """Total inorganic carbon of a liquid in equilibrium with `pco2` kPa, mM."""
    ph = ph_open(sid, pco2, buffer_nb)
    return p.ALPHA_CO2 * pco2 * (1 + 10 ** (ph - p.PK_CARBONIC))


def fresh_medium(pco2: float, made_as: Recipe = GROWTH) -> Medium:
    """Medium from the bottle, in equilibrium with `pco2` kPa."""
    return Medium(
        glucose=made_as.glucose,
        lactate=p.MEDIUM_LACTATE,
        sid=made_as.bicarbonate,
        carbon=carbon_at(made_as.bicarbonate, pco2),
        o2=p.MEDIUM_O2,
        osmolality=made_as.osmolality,
        calcium=made_as.calcium,
        phosphate=made_as.phosphate,
        supplements=made_as.supplements,
    )
