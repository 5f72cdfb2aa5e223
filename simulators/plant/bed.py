"""A perfused bed of spheroids in its loop: what passes it loses oxygen, what stands in it is anoxic in minutes.

Two well-mixed parts: the void of the bed, where the cells are, and all the rest of the loop with its reservoir, which
breathes through silicone tubes and the reservoir's surface. Of the void only oxygen is told apart; 0.1 mL of the rest
is neglected. mM, mL, s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, expm1, inf, log, log1p

from simulators.plant import oxygen
from simulators.plant import parameters as p
from simulators.plant.cells import FMOL_PER_HOUR, Rates, alive_after, glucose_eaten
from simulators.plant.chamber import ChamberState
from simulators.plant.medium import Medium, dissolved_co2, pco2_kpa, ph_closed
from simulators.plant.mix import Mix

_PH_LAG_S = p.PH_T90_S / log(10)
_DO_LAG_S = p.DO_T90_S / log(10)


@dataclass(slots=True)
class Reacted:
    """µmol made (+) or used (−) in this bed since the start, and what came from the gas, net."""

    glucose: float = 0.0
    lactate: float = 0.0
    carbon: float = 0.0
    o2: float = 0.0
    calcium: float = 0.0
    gas_carbon: float = 0.0
    gas_o2: float = 0.0


@dataclass(slots=True)
class Bed:
    liquid: Mix
    """Everything in the loop but the void."""
    void_o2: float
    """mM, between the spheroids and at the outlet."""
    cel: float = 37.0
    ph: float = p.PH_REFERENCE
    cells: float = 0.0
    dead_cells: float = 0.0
    spheroids: float = 0.0
    felt_cel: float = 37.0
    felt_ph: float = p.PH_REFERENCE
    felt_do: float = 95.0
    reacted: Reacted = field(default_factory=Reacted)


def filled(medium: Medium, ml: float, air: ChamberState) -> Bed:
    """A loop filled long ago, in balance with the chamber's gas; no cells."""
    o2 = oxygen.saturated(air.o2 * p.PRESSURE_KPA)
    liquid = Mix.of(medium, ml)
    liquid.o2 = o2 * ml
    ph = ph_closed(medium.sid, medium.carbon, p.PH_REFERENCE)
    return Bed(liquid, o2, air.air_cel, ph, felt_cel=air.air_cel, felt_ph=ph, felt_do=oxygen.do_percent(o2))


def step(bed: Bed, air: ChamberState, flow_ml_min: float, dt_s: float, rates: Rates) -> None:
    """The loop turns (either way) and breathes, cells live, the probe at the outlet feels."""
    bed.cel += (air.air_cel - bed.cel) * (1 - exp(-dt_s / p.LOOP_LAG_S))
    _eat(bed, dt_s, rates)
    _breathe(bed, abs(flow_ml_min) / 60, dt_s, rates)
    _ventilate(bed, air, dt_s)
    liquid = bed.liquid
    bed.ph = ph_closed((liquid.sid - liquid.lactate) / liquid.ml, liquid.carbon / liquid.ml, bed.ph)
    bed.felt_cel += (bed.cel - bed.felt_cel) * (1 - exp(-dt_s / p.PROBE_CEL_LAG_S))
    bed.felt_ph += (bed.ph - bed.felt_ph) * (1 - exp(-dt_s / _PH_LAG_S))
    bed.felt_do += (oxygen.do_percent(bed.void_o2) - bed.felt_do) * (1 - exp(-dt_s / _DO_LAG_S))


def _eat(bed: Bed, dt_s: float, rates: Rates) -> None:
    if bed.cells <= 0.0:
        return
    liquid, done = bed.liquid, bed.reacted
    eaten = glucose_eaten(bed.cells, liquid.glucose / liquid.ml, rates, dt_s)
    made = eaten * rates.lactate / rates.glucose
    liquid.glucose -= eaten
    liquid.lactate += made
    done.glucose -= eaten
    done.lactate += made
    alive = alive_after(bed.cells, dt_s)
    bed.dead_cells += bed.cells - alive
    bed.cells = alive


def _breathe(bed: Bed, flow_ml_s: float, dt_s: float, rates: Rates) -> None:
    """Oxygen from the loop into the void, to the cells and on; the CO2 they make goes into the loop."""
    liquid, done = bed.liquid, bed.reacted
    inlet = liquid.o2 / liquid.ml
    uptake = bed.cells * rates.o2 * FMOL_PER_HOUR / p.BED_VOID_ML
    before = bed.void_o2
    bed.void_o2, used = passed(before, inlet, flow_ml_s / p.BED_VOID_ML, uptake, dt_s)
    kept = (bed.void_o2 - before) * p.BED_VOID_ML
    used *= p.BED_VOID_ML
    liquid.o2 -= kept + used
    liquid.carbon += used * p.RESPIRATORY_QUOTIENT
    done.o2 -= used
    done.carbon += used * p.RESPIRATORY_QUOTIENT


def _ventilate(bed: Bed, air: ChamberState, dt_s: float) -> None:
    """The loop's exchange with the chamber's gas."""
    liquid, done = bed.liquid, bed.reacted
    missing = oxygen.saturated(air.o2 * p.PRESSURE_KPA) - liquid.o2 / liquid.ml
    into = missing * (1 - exp(-p.LOOP_KLA * dt_s)) * liquid.ml
    liquid.o2 += into
    done.gas_o2 += into
    missing = p.ALPHA_CO2 * air.co2 * p.PRESSURE_KPA - dissolved_co2(liquid.carbon / liquid.ml, bed.ph)
    into = missing * (1 - exp(-p.CO2_TO_O2_TRANSFER * p.LOOP_KLA * dt_s)) * liquid.ml
    liquid.carbon += into
    done.gas_carbon += into


def passed(o2: float, inlet: float, rate: float, uptake: float, dt_s: float) -> tuple[float, float]:
    """(concentration, mM taken up) of a well-mixed void after `dt_s`, exact piece by piece.

    `rate` = flow : void, 1/s; `uptake` mM/s, zero order down to K_O2 and in proportion below it.
    """
    used, k = 0.0, p.K_O2
    while dt_s > 0.0:
        falls = uptake - rate * (inlet - k)
        if o2 > k or (o2 == k and falls < 0.0):
            span = min(dt_s, _until_low(o2 - k, rate, falls))
            used += uptake * span
            grown = (rate * inlet - uptake) * span * _mean(rate * span)
            o2 = k if span < dt_s else o2 * exp(-rate * span) + grown
        else:
            total = rate + uptake / k
            end = rate * inlet / total if total else o2
            span = min(dt_s, log((end - o2) / (end - k)) / total) if end > k > o2 else dt_s
            still = _mean(total * span)
            used += uptake / k * span * (end + (o2 - end) * still)
            o2 = k if span < dt_s else o2 - (o2 - end) * total * span * still
        dt_s -= span
    return o2, used


def _mean(x: float) -> float:
    """The mean of exp(-y) from 0 to x."""
    return -expm1(-x) / x if x else 1.0


def _until_low(above: float, rate: float, falls: float) -> float:
    """Seconds until zero-order uptake has brought it down to K_O2 from `above` it; infinite when it never does."""
    if falls <= 0.0:
        return inf
    return log1p(above * rate / falls) / rate if rate else above / falls


def assay(bed: Bed) -> dict[str, float]:
    """What a laboratory finds in a sample of the reservoir: mM, kPa, mmol/kg; and in the bed: cells, viability %."""
    liquid, total = bed.liquid, bed.cells + bed.dead_cells
    return {
        "ph": bed.ph,
        "pco2": pco2_kpa(liquid.carbon / liquid.ml, bed.ph),
        "glucose": liquid.glucose / liquid.ml,
        "lactate": liquid.lactate / liquid.ml,
        "osmolality": liquid.osmoles / liquid.ml,
        "cells": bed.cells,
        "viability": 100 * bed.cells / total if total > 0 else 0.0,
    }


def story(bed: Bed, reservoir_ml: float) -> dict[str, float]:
    """What a report tells of a bed: as `assay`; oxygen is what leaves the bed, µM."""
    liquid, told = bed.liquid, assay(bed)
    if bed.cells + bed.dead_cells <= 0.0:
        del told["viability"]
    return told | {
        "volume_ml": reservoir_ml,
        "o2_um": 1000 * bed.void_o2,
        "do_percent": oxygen.do_percent(bed.void_o2),
        "cells_million": bed.cells / 1e6,
        "bicarbonate_mm": liquid.sid / liquid.ml,
        "calcium_mm": liquid.calcium / liquid.ml,
    }
