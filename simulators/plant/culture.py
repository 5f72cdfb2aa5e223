"""The liquid of one stirred vessel with its cells and headspace: amounts, so that all books close (plant-models §3-6).

Amounts are µmol, volumes mL (so µmol/mL = mM), fractions are of wet gas. Liquid movements come from `volumes`; the
chamber's air comes in through the overlay. Probe lags are here because a probe feels its liquid late, whoever reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, log

from simulators.plant import contaminant, oxygen
from simulators.plant import parameters as p
from simulators.plant.cells import FMOL_PER_HOUR, SPHEROID, Rates, alive_after, glucose_eaten
from simulators.plant.chamber import ChamberState
from simulators.plant.medium import Medium, dissolved_co2, pco2_kpa, ph_closed
from simulators.plant.medium import charge_residual as medium_charge
from simulators.plant.supply import line_end_cel
from simulators.plant.volumes import Moved

_PH_LAG_S = p.PH_T90_S / log(10)
_DO_LAG_S = p.DO_T90_S / log(10)
DRY_ML = 0.5
"""Below this the vessel counts as empty: no chemistry, probes in gas."""


@dataclass(slots=True)
class Books:
    """µmol since the start: what came in and went out with liquid, what reacted, what the overlay brought (net)."""

    glucose_in: float = 0.0
    glucose_out: float = 0.0
    lactate_in: float = 0.0
    lactate_out: float = 0.0
    carbon_in: float = 0.0
    carbon_out: float = 0.0
    o2_in: float = 0.0
    o2_out: float = 0.0
    calcium_in: float = 0.0
    calcium_out: float = 0.0
    calcium_deposited: float = 0.0
    glucose_eaten: float = 0.0
    lactate_made: float = 0.0
    co2_made: float = 0.0
    o2_used: float = 0.0
    gas_co2: float = 0.0
    gas_o2: float = 0.0
    held_co2: float = 0.0
    """In the headspace at the start."""
    held_o2: float = 0.0


@dataclass(slots=True)
class CultureState:
    head_co2: float
    head_o2: float
    cel: float = 37.0
    glucose: float = 0.0
    lactate: float = 0.0
    sid: float = 0.0
    carbon: float = 0.0
    o2: float = 0.0
    osmoles: float = 0.0
    calcium: float = 0.0
    phosphate: float = 0.0
    supplements: float = 0.0
    cells: float = 0.0
    dead_cells: float = 0.0
    spheroids: float = 0.0
    """How many; what they are is `spheroids.Spheroids`."""
    contaminant: float = 0.0
    """Bacteria in the whole vessel."""
    rpm: float = p.STIRRING_RPM
    overlay_ml_min: float = p.OVERLAY_ML_MIN
    escaping: float = 0.0
    """Share of its cells that liquid on its way out takes along through a torn screen; 0 = they are kept back."""
    escaped_cells: float = 0.0
    ph: float = p.PH_REFERENCE
    felt_cel: float = 37.0
    felt_ph: float = p.PH_REFERENCE
    felt_do: float = 95.0
    books: Books = field(default_factory=Books)


def empty(air: ChamberState) -> CultureState:
    """A vessel without liquid, its headspace as the chamber."""
    s = CultureState(head_co2=air.co2, head_o2=air.o2, cel=air.air_cel, felt_cel=air.felt_cel)
    s.books.held_co2 = s.head_co2 * p.VESSEL_ML / p.GAS_ML_PER_UMOL
    s.books.held_o2 = s.head_o2 * p.VESSEL_ML / p.GAS_ML_PER_UMOL
    return s


def step(
    s: CultureState, air: ChamberState, moved: Moved, medium: Medium | None, dt_s: float, rates: Rates = SPHEROID
) -> None:
    """One step: liquid moves, headspace follows, gas is exchanged, cells live, probes feel."""
    volume = moved.volume_ml
    if s.escaping and moved.out_ml > 0.0:
        _escape(s, moved.out_ml / (volume - moved.in_ml + moved.out_ml))
    if moved.out_ml != 0.0:
        remove(s, moved.out_ml, volume - moved.in_ml + moved.out_ml)
    if medium is not None and moved.in_ml > 0.0:
        warm = line_end_cel(air.air_cel, moved.in_ml_min)
        add(s, moved.in_ml, medium, warm, volume)
    _ventilate(s, air, volume, moved.change_ml, dt_s)
    if volume < DRY_ML:
        s.felt_cel += (air.air_cel - s.felt_cel) * (1 - exp(-dt_s / p.PROBE_CEL_LAG_S))
        s.felt_do += (oxygen.do_percent(oxygen.saturated(s.head_o2 * p.PRESSURE_KPA)) - s.felt_do) * (
            1 - exp(-dt_s / _DO_LAG_S)
        )
        return
    s.cel += (air.air_cel - s.cel) * (1 - exp(-dt_s / p.LIQUID_LAG_S))
    _live(s, volume, dt_s, rates)
    _transfer(s, volume, dt_s, rates)
    s.ph = ph_closed((s.sid - s.lactate) / volume, s.carbon / volume, s.ph)
    s.felt_cel += (s.cel - s.felt_cel) * (1 - exp(-dt_s / p.PROBE_CEL_LAG_S))
    s.felt_ph += (s.ph - s.felt_ph) * (1 - exp(-dt_s / _PH_LAG_S))
    s.felt_do += (oxygen.do_percent(s.o2 / volume) - s.felt_do) * (1 - exp(-dt_s / _DO_LAG_S))


def add(s: CultureState, ml: float, medium: Medium, cel: float, volume_after_ml: float) -> None:
    """Liquid of a known composition comes in."""
    b = s.books
    s.glucose += medium.glucose * ml
    s.lactate += medium.lactate * ml
    s.sid += medium.sid * ml
    s.carbon += medium.carbon * ml
    s.o2 += medium.o2 * ml
    s.osmoles += medium.osmolality * ml
    s.calcium += medium.calcium * ml
    s.phosphate += medium.phosphate * ml
    s.supplements += medium.supplements * ml
    b.glucose_in += medium.glucose * ml
    b.lactate_in += medium.lactate * ml
    b.carbon_in += medium.carbon * ml
    b.o2_in += medium.o2 * ml
    b.calcium_in += medium.calcium * ml
    s.cel += (cel - s.cel) * min(1.0, ml / max(ml, volume_after_ml))


def remove(s: CultureState, ml: float, volume_before_ml: float, cells_too: bool = False) -> None:
    """Well-mixed liquid leaves (negative: the same liquid comes back through a leaking valve)."""
    share = min(1.0, ml / volume_before_ml) if volume_before_ml > 1e-9 else 0.0
    b = s.books
    b.glucose_out += s.glucose * share
    b.lactate_out += s.lactate * share
    b.carbon_out += s.carbon * share
    b.o2_out += s.o2 * share
    b.calcium_out += s.calcium * share
    rest = 1 - share
    s.glucose *= rest
    s.lactate *= rest
    s.sid *= rest
    s.carbon *= rest
    s.o2 *= rest
    s.osmoles *= rest
    s.calcium *= rest
    s.phosphate *= rest
    s.supplements *= rest
    s.contaminant *= rest
    if cells_too:
        s.cells *= rest
        s.dead_cells *= rest
        s.spheroids *= rest


def _escape(s: CultureState, share: float) -> None:
    """Of all cells, dead or alive, this share of the liquid takes some along."""
    lost = min(1.0, share * s.escaping)
    s.escaped_cells += s.cells * lost
    s.cells *= 1 - lost
    s.dead_cells *= 1 - lost
    s.spheroids *= 1 - lost


def displace(s: CultureState, air: ChamberState, volume_ml: float, change_ml: float) -> None:
    """The headspace after the liquid changed by `change_ml` to `volume_ml`: pushes gas out or draws chamber gas in."""
    b = s.books
    gas = change_ml / p.GAS_ML_PER_UMOL
    if change_ml >= 0.0:
        b.gas_co2 -= gas * s.head_co2
        b.gas_o2 -= gas * s.head_o2
        return
    share = -change_ml / (p.VESSEL_ML - volume_ml)
    s.head_co2 += (air.co2 - s.head_co2) * share
    s.head_o2 += (air.o2 - s.head_o2) * share
    b.gas_co2 -= gas * air.co2
    b.gas_o2 -= gas * air.o2


def _ventilate(s: CultureState, air: ChamberState, volume: float, change_ml: float, dt_s: float) -> None:
    """Overlay: the headspace follows the chamber with V_head / flow (16 min at 160 mL)."""
    if change_ml != 0.0:
        displace(s, air, volume, change_ml)
    head = max(1.0, p.VESSEL_ML - volume)
    share = 1 - exp(-s.overlay_ml_min / 60 * dt_s / head)
    co2, o2 = (air.co2 - s.head_co2) * share, (air.o2 - s.head_o2) * share
    s.head_co2 += co2
    s.head_o2 += o2
    s.books.gas_co2 += co2 * head / p.GAS_ML_PER_UMOL
    s.books.gas_o2 += o2 * head / p.GAS_ML_PER_UMOL


def _live(s: CultureState, volume: float, dt_s: float, rates: Rates) -> None:
    """Glucose to lactate, and a few cells die. Lactate made : glucose used is the ratio of the rates, always."""
    b = s.books
    if s.contaminant > 0.0:
        s.contaminant = contaminant.grown(s.contaminant, volume, s.glucose / volume, dt_s)
        eaten = contaminant.eaten_umol(s.contaminant, s.glucose, dt_s)
        s.glucose -= eaten
        s.sid -= contaminant.ACID_PER_GLUCOSE * eaten
        b.glucose_eaten += eaten
    if s.cells <= 0.0:
        return
    eaten = glucose_eaten(s.cells, s.glucose / volume, rates, dt_s)
    made = eaten * rates.lactate / rates.glucose
    s.glucose -= eaten
    s.lactate += made
    b.glucose_eaten += eaten
    b.lactate_made += made
    alive = alive_after(s.cells, dt_s)
    s.dead_cells += s.cells - alive
    s.cells = alive


def _transfer(s: CultureState, volume: float, dt_s: float, rates: Rates) -> None:
    """O2 and CO2 between headspace and liquid, respiration; what the liquid gains the headspace loses."""
    b = s.books
    height = volume * 1e-6 / p.VESSEL_AREA_M2
    kla = oxygen.transfer_coefficient(s.rpm, height) / height
    per_umol = p.GAS_ML_PER_UMOL / max(1.0, p.VESSEL_ML - volume)

    uptake = s.cells * rates.o2 * FMOL_PER_HOUR / volume
    if s.contaminant > 0.0:
        uptake += contaminant.o2_uptake(s.contaminant, volume)
    before = s.o2 / volume
    later, used = oxygen.after(before, oxygen.SOLUBILITY * s.head_o2 * p.PRESSURE_KPA, kla, uptake, dt_s)
    into = (later - before + used) * volume
    s.o2 = later * volume
    s.head_o2 -= into * per_umol
    b.o2_used += used * volume

    made = used * volume * p.RESPIRATORY_QUOTIENT
    missing = p.ALPHA_CO2 * s.head_co2 * p.PRESSURE_KPA - dissolved_co2(s.carbon / volume, s.ph)
    into = missing * (1 - exp(-p.CO2_TO_O2_TRANSFER * kla * dt_s)) * volume
    s.carbon += into + made
    s.head_co2 -= into * per_umol
    b.co2_made += made


def assay(s: CultureState, volume_ml: float) -> dict[str, float]:
    """What a laboratory finds in a sample: mM, kPa, mmol/kg, cells/mL, %."""
    total = s.cells + s.dead_cells
    return {
        "ph": s.ph,
        "pco2": pco2_kpa(s.carbon / volume_ml, s.ph),
        "glucose": s.glucose / volume_ml,
        "lactate": s.lactate / volume_ml,
        "osmolality": s.osmoles / volume_ml,
        "cells_per_ml": s.cells / volume_ml,
        "viability": 100 * s.cells / total if total > 0 else 0.0,
    }


def story(s: CultureState, volume_ml: float) -> dict[str, float]:
    """What a report tells of the vessel: as `assay`, with µM of oxygen; only the volume when it is empty."""
    told = {"volume_ml": volume_ml}
    if volume_ml < DRY_ML:
        return told
    told |= assay(s, volume_ml)
    if s.cells + s.dead_cells <= 0.0:
        del told["viability"]
    if s.contaminant > 0.0:
        told["bacteria_million_ml"] = s.contaminant / volume_ml / 1e6
    return told | {
        "o2_um": 1000 * s.o2 / volume_ml,
        "do_percent": oxygen.do_percent(s.o2 / volume_ml),
        "cells_million": s.cells / 1e6,
        "bicarbonate_mm": s.sid / volume_ml,
        "calcium_mm": s.calcium / volume_ml,
    }  # fmt: skip


def residuals(s: CultureState, volume_ml: float) -> dict[str, float]:
    """µmol that the books cannot explain: present - (in - out + reaction). Zero but for rounding."""
    b = s.books
    head = (p.VESSEL_ML - volume_ml) / p.GAS_ML_PER_UMOL
    return {
        "glucose": s.glucose - (b.glucose_in - b.glucose_out - b.glucose_eaten),
        "calcium": s.calcium - (b.calcium_in - b.calcium_out - b.calcium_deposited),
        "lactate": s.lactate - (b.lactate_in - b.lactate_out + b.lactate_made),
        "carbon": s.carbon + s.head_co2 * head - b.held_co2 - (b.carbon_in - b.carbon_out + b.co2_made + b.gas_co2),
        "o2": s.o2 + s.head_o2 * head - b.held_o2 - (b.o2_in - b.o2_out - b.o2_used + b.gas_o2),
    }


def charge_residual(s: CultureState, volume_ml: float) -> float:
    """mM of charge that is not in balance: zero but for rounding, in an empty vessel and where pH is clipped."""
    if volume_ml < DRY_ML or not 4.0 < s.ph < p.PH_CEILING:
        return 0.0
    return medium_charge((s.sid - s.lactate) / volume_ml, s.carbon / volume_ml, s.ph)


def balance_ph(s: CultureState, volume_ml: float) -> None:
    """pH at once after something was poured in (between steps it moves with them)."""
    if volume_ml >= DRY_ML:
        s.ph = ph_closed((s.sid - s.lactate) / volume_ml, s.carbon / volume_ml, s.ph)


def do_percent(s: CultureState, volume_ml: float) -> float:
    """Percent of air saturation of the liquid, or of the gas in an empty vessel."""
    if volume_ml < DRY_ML:
        return oxygen.do_percent(oxygen.saturated(s.head_o2 * p.PRESSURE_KPA))
    return oxygen.do_percent(s.o2 / volume_ml)
