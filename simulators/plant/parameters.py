"""Every number of the plant, once: value, unit, mark and source. Other modules import the values by name.

Marks as in plant-models.md: R read in the source named, C customary, M general knowledge, A assumed, D calculated.
"""

from __future__ import annotations

from typing import NamedTuple

from drivers.core import carbonate


class Parameter(NamedTuple):
    """One line of the table."""

    name: str
    value: float
    unit: str
    mark: str
    source: str


TABLE: list[Parameter] = []
"""All parameters in order of appearance; the README and reports print from here."""


def _p(name: str, value: float, unit: str, mark: str, source: str) -> float:
    TABLE.append(Parameter(name, value, unit, mark, source))
    return value


# The room around the bench.
ROOM_CEL = _p("room temperature", 22.0, "Cel", "A", "plant-models AF-4")
ROOM_RH = _p("room relative humidity", 40.0, "%", "A", "plant-models §2")
ROOM_CO2 = _p("room CO2, fraction of gas", 0.0004, "1", "M", "plant-models AF-13")
PRESSURE_KPA = _p("barometric pressure", 101.325, "kPa", "A", "sea level")
O2_IN_AIR = _p("O2 share of O2 + N2 in air", 0.2095, "1", "M", "dry air")

# Chamber: heat (default set, CO2 incubator 170 L, air-jacketed).
HEATER_LAG_S = _p("heater lag tau_h", 120.0, "s", "A", "plant-models §1")
HEATER_RISE_K = _p("heater rise U at full power", 75.0, "K", "A", "plant-models §1")
K_HEATER = _p("heater to air k_g", 1 / 600, "1/s", "A", "plant-models §1")
K_LOSS_CLOSED = _p("air to room k_c, door closed", 1 / 2400, "1/s", "A", "plant-models §1")
K_LOSS_OPEN = _p("air to room k_o, door open", 1 / 25, "1/s", "A", "plant-models §1")
K_WALL = _p("air to walls and shelves", 1 / 90, "1/s", "A", "plant-models §1")
WALL_CAPACITY = _p("C_wall : C_air", 60.0, "1", "A", "plant-models §1")
AIR_SENSOR_LAG_S = _p("incubator temperature sensor lag in its pocket", 30.0, "s", "R", "plant-models §9, 5-30 s")
HEATER_GAIN = _p("incubator temperature loop, proportional", 0.30, "1/K", "A", "margin 4 to the ultimate gain 1.2 1/K")
HEATER_LEAD_S = _p("incubator temperature loop, derivative time", 200.0, "s", "A", "AF-4: overshoot after a door")
HEATER_RESET_S = _p("incubator temperature loop, reset time", 1200.0, "s", "A", "slower than air, faster than walls")

# Chamber: gas and water.
CHAMBER_L = _p("chamber volume", 170.0, "L", "A", "plant-models §1")
K_EXCHANGE_OPEN = _p("air exchange, door open", 1 / 33, "1/s", "D", "plant-models §2 from R [3]")
K_EXCHANGE_CLOSED = _p("air exchange, door closed", 0.05 / 3600, "1/s", "A", "plant-models §2, 0.02-0.1 1/h")
CO2_VALVE_L_MIN = _p("CO2 valve, open", 5.0, "L/min", "A", "plant-models §2")
N2_VALVE_L_MIN = _p("N2 valve, open", 10.0, "L/min", "A", "plant-models §2")
CO2_SENSOR_T90_S = _p("incubator CO2 sensor t90", 60.0, "s", "A", "plant-models §9")
CO2_LOOP_S = _p("incubator CO2 loop, time to close the gap", 120.0, "s", "A", "no overshoot with the sensor's lag")
O2_NEAR = _p("N2 fed without pause down to set point +", 0.004, "1", "R", "plant-models §2 from R [4]")
O2_DEAD_BAND = _p("N2 pulses down to set point +", 0.0005, "1", "A", "half a display step")
O2_PULSE_S = _p("N2 pulse", 10.0, "s", "R", "plant-models §2 from R [4]")
O2_WAIT_S = _p("wait after N2", 180.0, "s", "R", "plant-models §2 from R [4]")
K_PAN = _p("water pan to chamber air", 1 / 268, "1/s", "D", "AF-8: 48 to 90 % RH in 10 min")
PAN_COOLER_K = _p("water pan below wall temperature", 0.9, "K", "A", "gives 95 % RH in steady state")
K_CONDENSE = _p("condensation on colder walls", 1 / 60, "1/s", "A", "")
RH_SENSOR_LAG_S = _p("incubator humidity sensor lag", 30.0, "s", "A", "plant-models §9, 10-60 s")

# Medium.
PK_CARBONIC = _p("pK' of CO2/HCO3-, 37 Cel", carbonate.PK, "1", "M", "plant-models §3, R [7]")
ALPHA_CO2 = _p("CO2 solubility, 37 Cel", carbonate.ALPHA, "mM/kPa", "M", "plant-models §3, R [7]")
PH_CEILING = _p("highest pH shown", 9.0, "[pH]", "A", "AF-13: carbonate is neglected, so the formula is clipped")
BUFFER_NB = _p("non-bicarbonate buffer", 5.0, "mM/pH", "A", "plant-models §3, 2-8")
PH_REFERENCE = _p("pH at which the other buffers carry no charge", 7.40, "[pH]", "A", "plant-models §3")
MEDIUM_BICARBONATE = _p("NaHCO3 of alpha-MEM", 26.2, "mM", "R", "plant-models §3")
MEDIUM_GLUCOSE = _p("glucose of alpha-MEM", 5.55, "mM", "M", "1 g/L")
MEDIUM_CALCIUM = _p("calcium of alpha-MEM with serum", 1.8, "mM", "A", "plant-models §8")
BETA_GLYCEROPHOSPHATE = _p("beta-glycerophosphate of osteogenic medium", 10.0, "mM", "R", "culture-protocols §2.3")
DMEM_GLUCOSE = _p("glucose of DMEM, high", 25.0, "mM", "M", "4.5 g/L")
DMEM_BICARBONATE = _p("NaHCO3 of DMEM", 44.05, "mM", "R", "plant-models §3")
MEDIUM_LACTATE = _p("lactate of fresh medium", 0.0, "mM", "A", "serum's share neglected")
MEDIUM_OSMOLALITY = _p("osmolality of fresh medium", 290.0, "mmol/kg", "C", "")
MEDIUM_O2 = _p("O2 of fresh medium once warmed in the line", 0.1871, "mM", "A", "humid air, AF-14; the tube breathes")
BOTTLE_PCO2_KPA = _p("pCO2 of a bottle when hung", 5.0, "kPa", "A", "closed under 5 % CO2")
BOTTLE_CO2_LOSS_S = _p("CO2 loss of a vented bottle", 432000.0, "s", "D", "benches A1: +0.10 pH by a week-old dose")

# Oxygen.
O2_SOLUBILITY = _p("O2 solubility, water, 37 Cel", 0.01056, "mM/kPa", "R", "plant-models §4, R [9]")
MEDIUM_FACTOR = _p("solubility factor of culture medium", 0.89, "1", "R", "plant-models §4, R [9]")
AIR_PO2_KPA = _p("pO2 of humid air, 37 Cel (100 % DO)", 19.91, "kPa", "D", "plant-models §4")
D_O2 = _p("O2 diffusion in medium, 37 Cel", 2.7e-9, "m2/s", "M", "plant-models §4, 2.6-3.0")
K_L_SLOW = _p("surface transfer k_L at the slow end", 1.18e-5, "m/s", "R", "plant-models §4, R [11]")
K_L_FAST = _p("surface transfer k_L at the fast end", 3.54e-5, "m/s", "R", "plant-models §4, R [11]")
TURNS_SLOW = _p("impeller at the slow end", 1.6, "1/s", "R", "plant-models §4, R [11]")
TURNS_FAST = _p("impeller at the fast end", 5.8, "1/s", "R", "plant-models §4, R [11]")
CO2_TO_O2_TRANSFER = _p("kLa of CO2 : kLa of O2", 0.89, "1", "M", "root of the diffusion ratio, rounded")

# Cells as spheroids (they do not grow).
O2_UPTAKE = _p("O2 uptake, spheroid", 15.0, "fmol/cell/h", "A", "plant-models §5, AF-20")
GLUCOSE_UPTAKE = _p("glucose uptake, spheroid", 80.0, "fmol/cell/h", "A", "plant-models §6")
LACTATE_RELEASE = _p("lactate release, spheroid", 150.0, "fmol/cell/h", "A", "plant-models §6")
RESPIRATORY_QUOTIENT = _p("CO2 made : O2 used", 0.95, "1", "A", "plant-models §3, 0.9-1.0")
K_O2 = _p("O2 below which uptake falls", 0.005, "mM", "A", "plant-models §6; zero order above it")
K_GLUCOSE = _p("glucose below which uptake falls", 0.1, "mM", "A", "keeps amounts positive")
DEATH = _p("loss of spheroid cells", 0.01, "1/d", "A", "plant-models §6")

# The stirred vessel.
VESSEL_ML = _p("vessel, brim-full", 250.0, "mL", "A", "benches A1")
VESSEL_MAX_ML = _p("vessel, highest working volume", 150.0, "mL", "A", "benches A1")
VESSEL_LEVEL_ML = _p("open end of the dip tube", 72.0, "mL", "A", "benches A1")
VESSEL_AREA_M2 = _p("liquid surface, 60 mm bore", 2.827e-3, "m2", "D", "benches A1: 90 mL stand 32 mm")
STIRRING_RPM = _p("stirring", 95.0, "1/min", "A", "benches A1, 80-110")
OVERLAY_ML_MIN = _p("overlay of chamber gas", 10.0, "mL/min", "A", "benches A1")
GAS_ML_PER_UMOL = _p("molar volume of gas, 37 Cel", 0.02545, "mL/umol", "D", "8.314 x 310.15 / 101.325")
LIQUID_LAG_S = _p("liquid to chamber air", 1800.0, "s", "A", "glass, 90 mL")
EVAPORATION_ML_DAY = _p("evaporation at 95 % RH", 0.35, "mL/d", "A", "benches A1, 0.2-0.5")
LINE_WARMING_ML_MIN = _p("warming of medium in 1 m of line", 2.6, "mL/min", "D", "benches A1: 34.7 Cel at 1, 18.6 at 5")
PLUG_WARMS_S = _p("liquid at rest in a line warms", 120.0, "s", "A", "1.6 mm bore")
FRIDGE_CEL = _p("fresh medium", 6.0, "Cel", "A", "benches A1, 2-8")
POUR_CEL = _p("what a person pours in", 35.0, "Cel", "A", "warmed, carried over")
PH_T90_S = _p("pH probe t90", 15.0, "s", "R", "plant-models §9, R [24]")
DO_T90_S = _p("optical DO probe t90", 30.0, "s", "R", "plant-models §9, R [24]")
PROBE_CEL_LAG_S = _p("temperature in the probe shaft", 15.0, "s", "R", "plant-models §9, 5-30 s")

# The perfused beds.
BEDS = _p("beds in one chamber", 4, "1", "A", "benches A3")
RESERVOIR_ML = _p("reservoir as filled", 15.0, "mL", "A", "benches A3")
RESERVOIR_LEVEL_ML = _p("open end of a reservoir's dip tube", 7.0, "mL", "A", "benches A3: 8 of 15 mL are exchanged")
RESERVOIR_MAX_ML = _p("reservoir, highest working volume", 17.0, "mL", "A", "")
RESERVOIR_BRIM_ML = _p("reservoir, brim-full", 25.0, "mL", "A", "")
RESERVOIR_DRY_ML = _p("open end of the loop's pipe in its reservoir", 0.5, "mL", "A", "")
LOOP_LINES_ML = _p("loop beside its reservoir, without the void of the bed", 2.9, "mL", "A", "benches A3: 18 in all")
BED_VOID_ML = _p("void of the bed", 0.1, "mL", "A", "benches A3")
BED_CELLS = _p("cells of a bed, 100 spheroids", 3.0e6, "{cells}", "D", "benches A3: 4 uM at q 15, 25 at q 98")
LOOP_FLOW_ML_MIN = _p("loop flow", 0.2, "mL/min", "A", "benches A3, 0.1-0.27 R [22]")
LOOP_KLA = _p("gas exchange of loop and reservoir", 4.0 / 3600, "1/s", "A", "silicone tubes, vented reservoir")
GAS_LINE_BAR = _p("gas line behind its controller's bottle", 2.0, "bar", "A", "absolute")
LOOP_LAG_S = _p("liquid of a loop to chamber air", 600.0, "s", "A", "15 mL in a tube")
EXCHANGE_SYRINGE_ML = _p("syringe of the exchange pump", 5.0, "mL", "M", "the largest of its kind")

# Pumps, lines, bottles.
SYRINGE_ML = _p("syringe", 60.0, "mL", "A", "benches A1")
SYRINGE_GAIN_SD = _p("syringe gain error, 1 SD", 0.005, "1", "M", "plant-models §10, 0.5-1 %")
TUBE_GAIN_SD = _p("peristaltic tube gain error, 1 SD", 0.03, "1", "R", "plant-models §10, R [8]")
TUBE_BREAK_IN = _p("flow lost while a tube breaks in", 0.03, "1", "A", "plant-models §10")
TUBE_BREAK_IN_S = _p("time in which it breaks in", 7200.0, "s", "A", "plant-models §10")
TUBE_WEAR_PER_100_H = _p("flow lost with 100 h of turning", 0.01, "1", "A", "plant-models §10")
TUBE_WORN = _p("flow lost by a worn tube", 0.25, "1", "A", "a fault: more than any witness lets pass")
LINE_ML = _p("line volume", 4.0, "mL", "A", "2 m of 1.6 mm bore")
FRESH_BOTTLE_ML = _p("fresh medium bottle", 250.0, "mL", "A", "benches A1")
DENSITY = _p("density of medium", 1.005, "g/mL", "A", "")
WASTE_TARE_G = _p("empty waste bottle", 180.0, "g", "A", "500 mL glass and cap")
LEAK_BACK = _p("leaking check valve, share of a delivery", 0.16, "1", "A", "benches A1: counter 18.0, balance 15.1")
TUBE_PULL_G = _p("tube pulls on the balance", 0.05, "g", "A", "plant-models §10")
TUBE_PULL_S = _p("period of the pull", 1700.0, "s", "A", "")

# Spheroids: oxygen, size, formation.
D_TISSUE = _p("O2 diffusion in a spheroid", 2.0e-9, "m2/s", "M", "plant-models §5, 1.5-2.5")
K_M_TISSUE = _p("Michaelis constant of O2 uptake in a spheroid", 0.005, "mM", "A", "plant-models §5, 0.001-0.01")
HYPOXIC_MM = _p("O2 below which a cell counts as hypoxic", 0.010, "mM", "A", "plant-models §5")
STARVING_MM = _p("O2 below which cells die", 0.001, "mM", "A", "plant-models §5")
STARVING_AFTER_H = _p("time without O2 until they begin to die", 24.0, "h", "A", "plant-models §5")
STARVING_DEATH = _p("death without O2", 1 / 24, "1/h", "A", "plant-models §5")
SIZE_RADIUS_UM = _p("radius of a spheroid of 15 000 cells", 176.0, "um", "R", "plant-models §5, R [14]")
SIZE_CELLS = _p("cells of that spheroid", 15000.0, "{cells}", "R", "plant-models §5, R [14]")
SIZE_POWER = _p("size law, power of the cell number", 0.50, "1", "D", "plant-models §5 from R [14]")
AGGREGATION_H = _p("aggregation t_a", 8.0, "h", "A", "plant-models §7")
COMPACTION_H = _p("compaction t_c", 18.0, "h", "A", "plant-models §7")
LOOSE_AT_FIRST = _p("radius at first : after compaction", 1.5, "1", "A", "plant-models §7")
COMPACT_AFTER_H = _p("compaction is over", 72.0, "h", "A", "4 t_c")
RADIUS_LOSS_PER_DAY = _p("radius lost later", 0.01, "1/d", "A", "plant-models §7")
INDUCED_DAYS = _p("cells that are poured in: days induced on plastic", 7.0, "d", "A", "culture-protocols §4, I0-7")
FORMED_DAYS = _p("cells that are poured in: days since forming", 2.0, "d", "A", "culture-protocols §4, D14-16")
LOOSE_WELLS = _p("wells with incomplete aggregation", 0.03, "1", "A", "plant-models §7")
TWIN_WELLS = _p("wells with two bodies", 0.01, "1", "A", "plant-models §7")
SATELLITE_WELLS = _p("wells with satellites", 0.05, "1", "A", "plant-models §7")
ROUNDNESS = _p("Feret ratio of one round body", 0.92, "1", "A", "")
ROUNDNESS_SD = _p("its spread, 1 SD", 0.02, "1", "A", "")
GROWING_START_UM = _p("growing spheroid (melanoma 983b), at first", 170.0, "um", "R", "plant-models AF-27, R [15]")
GROWING_UM_PER_DAY = _p("growing spheroid, slope", 17.0, "um/d", "R", "plant-models AF-27, 16-18")
GROWING_FROM_D = _p("growing spheroid, begin of the slope", 2.2, "d", "D", "through the medians of AF-27")
GROWING_TURN_D = _p("growing spheroid, width of the turn", 0.3, "d", "D", "through the medians of AF-27")

# Differentiation.
DIFFERENTIATION_K1 = _p("naive to early bone cell k1", 0.10, "1/d", "A", "plant-models §8")
DIFFERENTIATION_K2 = _p("early to mature bone cell k2", 0.075, "1/d", "A", "plant-models §8")
O2_OF_DIFFERENTIATION = _p("O2 at half speed of differentiation", 0.02, "mM", "A", "plant-models §8, direction R [21]")
ALP_BASE = _p("ALP of naive cells : ALP of early ones", 0.15, "1", "A", "3.5-fold at day 7, culture-protocols R [24]")
RUNX2_RISE = _p(
    "RUNX2 rise with bone cells", 2.4, "1", "A", "2.1-fold at day 7 and rising, culture-protocols R [24, 25]"
)
COL1A1_RISE = _p("COL1A1 rise with early bone cells", 2.0, "1", "A", "early to middle phase, culture-protocols C")
SPP1_RISE = _p("SPP1 rise with mature bone cells", 1.0, "1", "A", "low in ADSC, culture-protocols R [25]")
BGLAP_RISE = _p("BGLAP rise with mature bone cells", 0.3, "1", "A", "not raised in ADSC, culture-protocols R [24]")

# Matrix and mineral: structure R [23], numbers from memory.
MATRIX_K1 = _p("collagen matures k1c", 0.1, "1/d", "M", "plant-models §8, check Table 1 of R [23]")
MATRIX_V1 = _p("inhibitor made v1", 0.1, "1/d", "M", "plant-models §8, check Table 1 of R [23]")
MATRIX_R1 = _p("inhibitor removed r1", 0.2, "1/d", "M", "plant-models §8, check Table 1 of R [23]")
MATRIX_K2 = _p("nucleators of matured collagen k2c", 1.0, "1", "M", "plant-models §8, check Table 1 of R [23]")
MATRIX_R2 = _p("nucleators masked r2", 1.0, "1", "M", "plant-models §8, check Table 1 of R [23]")
MATRIX_K3 = _p("mineral grows k3", 1.0, "1/d", "M", "plant-models §8, check Table 1 of R [23]")
MATRIX_A = _p("power of the inhibitor a", 10.0, "1", "M", "plant-models §8, check Table 1 of R [23]")
MATRIX_B = _p("inhibition constant b", 0.001, "1", "M", "plant-models §8, check Table 1 of R [23]")
MINERAL_AT_28_D = _p("y at 28 d with these numbers", 2.781, "1", "D", "AF-29")
EARLY_FOR_MATRIX = _p("early bone cells at half speed of the matrix", 0.05, "1", "A", "none without them")
O2_OF_MINERAL = _p("O2 at half speed of mineral", 0.03, "mM", "A", "plant-models §8, direction R [21]")
PHOSPHATE_ENOUGH = _p("beta-glycerophosphate that suffices", 2.0, "mM", "A", "none without it, AF-31")
CALCIUM_ENOUGH = _p("calcium of the medium that suffices", 0.2, "mM", "A", "deposition stops in an exhausted well")
CALCIUM_MOST_UG = _p("calcium of a spheroid at 28 d", 5.0, "ug", "A", "plant-models §8, 2-10 per 3e4 cells")
CALCIUM_CELLS = _p("cells of that spheroid", 3.0e4, "{cells}", "A", "plant-models §8")

# Cells on a plate.
GROWTH_ADSC = _p("growth of ADSC on plastic", 0.45, "1/d", "A", "plant-models §6; doubling 1-3 d C")
GROWTH_SLOW_DONOR = _p("growth of ADSC of a slow donor", 0.136, "1/d", "D", "plant-models §6 from R [16]")
GROWTH_FIBROBLAST = _p("growth of lung fibroblasts, 21 % O2", 0.0238, "1/h", "R", "plant-models §6, R [20]")
GROWTH_FIBROBLAST_HYPOXIC = _p("growth of lung fibroblasts, 0.5 % O2", 0.0168, "1/h", "R", "plant-models §6, R [20]")
GLUCOSE_FIBROBLAST = _p(
    "glucose uptake, lung fibroblasts, 21 % O2", 497.0, "fmol/cell/h", "R", "plant-models §6, R [20]"
)
LACTATE_FIBROBLAST = _p(
    "lactate release, lung fibroblasts, 21 % O2", 1013.0, "fmol/cell/h", "R", "plant-models §6, R [20]"
)
GLUCOSE_FIBROBLAST_HYPOXIC = _p("glucose uptake, lung fibroblasts, 0.5 % O2", 565.0, "fmol/cell/h", "R", "R [20]")
LACTATE_FIBROBLAST_HYPOXIC = _p("lactate release, lung fibroblasts, 0.5 % O2", 873.0, "fmol/cell/h", "R", "R [20]")
O2_UPTAKE_MONOLAYER = _p("O2 uptake, expanded MSC on plastic", 98.0, "fmol/cell/h", "R", "plant-models §5, R [13]")
GLUCOSE_UPTAKE_MONOLAYER = _p("glucose uptake, MSC on plastic", 250.0, "fmol/cell/h", "A", "plant-models §6")
LACTATE_RELEASE_MONOLAYER = _p("lactate release, MSC on plastic", 480.0, "fmol/cell/h", "A", "plant-models §6")
MONOLAYER_MOST = _p("most cells on plastic X_max", 8.0e4, "1/cm2", "A", "plant-models §6, 4e4-1e5")
CONFLUENT = _p("cells of a confluent dish", 4.0e4, "1/cm2", "A", "plant-models §6")
DETACHED = _p("share of cells that detachment yields", 0.8, "1", "A", "plant-models §6, 0.6-0.9")
LAG_H = _p("lag after seeding", 12.0, "h", "A", "")
K_S_GLUCOSE = _p("glucose at half speed of growth", 1.0, "mM", "R", "plant-models §6, CHO cells R [19]: order only")
K_LACTATE = _p("lactate at half speed of growth", 43.0, "mM", "R", "plant-models §6, CHO cells R [19]: order only")
K_AMMONIUM = _p("ammonium at half speed of growth", 6.5, "mM", "R", "plant-models §6, CHO cells R [19]: order only")

# A contaminant.
CONTAMINANT_AT_FIRST = _p("bacteria that come in", 100.0, "{cells}", "A", "a touch")
CONTAMINANT_DOUBLING_H = _p("contaminant doubles in", 0.75, "h", "A", "plant-models §6, 0.5-1")
CONTAMINANT_MOST_PER_ML = _p("most contaminant", 1.0e9, "1/mL", "A", "")
CONTAMINANT_GLUCOSE = _p("glucose uptake, contaminant", 1.0, "fmol/cell/h", "A", "10^8 per mL empty 5 mM in two days")
CONTAMINANT_O2 = _p("O2 uptake, contaminant", 2.0, "fmol/cell/h", "A", "")
CONTAMINANT_K_GLUCOSE = _p("glucose at half speed of a contaminant", 0.05, "mM", "A", "")
CONTAMINANT_VISIBLE_PER_ML = _p("contaminant a person sees as turbid", 1.0e7, "1/mL", "C", "")

# Other chambers, for comparison.
DEMO_HEATER_LAG_S = _p("open-top demonstrator, heater lag tau_h", 41.8, "s", "D", "plant-models §1, fitted to R [1]")
DEMO_HEATER_RISE_K = _p("open-top demonstrator, heater rise U", 187.3, "K", "D", "plant-models §1, fitted to R [1]")
DEMO_K_HEATER_S = _p("open-top demonstrator, 1/k_g", 692.0, "s", "D", "plant-models §1, fitted to R [1]")
DEMO_K_CLOSED_S = _p("open-top demonstrator, 1/k_c", 653.0, "s", "D", "plant-models §1, fitted to R [1]")
DEMO_K_OPEN_S = _p("open-top demonstrator, 1/k_o", 30.5, "s", "D", "plant-models §1, fitted to R [1]")
WATER_HEATER_LAG_S = _p("water-jacketed, heater lag tau_h", 120.0, "s", "A", "plant-models §1")
WATER_HEATER_RISE_K = _p("water-jacketed, heater rise U", 75.0, "K", "A", "plant-models §1")
WATER_K_HEATER_S = _p("water-jacketed, 1/k_g", 900.0, "s", "A", "plant-models §1")
WATER_K_CLOSED_S = _p("water-jacketed, 1/k_c", 9000.0, "s", "A", "plant-models §1")
WATER_K_OPEN_S = _p("water-jacketed, 1/k_o", 25.0, "s", "A", "plant-models §1")

# Evaporation from dishes.
D_VAPOUR = _p("diffusion of vapour in air, 37 Cel", 2.7e-5, "m2/s", "M", "plant-models §2")
VAPOUR_SATURATED = _p("saturated vapour, 37 Cel", 2.435, "mol/m3", "D", "plant-models §2")

# Sensors.
GAS_CONSTANT = _p("gas constant R", 8.314462618, "J/mol/K", "M", "exact by the SI")
FARADAY = _p("Faraday constant F", 96485.33212, "C/mol", "M", "exact by the SI")
PH_DRIFT_MV_DAY = _p("drift of a pH electrode", 1.0, "mV/d", "A", "plant-models §9, 0.5-2 M")
STERN_VOLMER = _p("Stern-Volmer constant of an optical O2 sensor", 0.15, "1/kPa", "A", "")
CO2_START_S = _p("infrared CO2 probe says nothing for", 12.0, "s", "R", "plant-models §9, R [25]")
CO2_ACCURATE_S = _p("infrared CO2 probe within accuracy after", 120.0, "s", "R", "plant-models §9, R [25]")
CO2_COLD_ERROR = _p("its error while it warms up", 0.05, "1", "A", "")
CO2_PER_HPA = _p("infrared CO2, error of reading by pressure", 0.0015, "1/hPa", "R", "plant-models §9, R [26]")
CO2_PER_K = _p("infrared CO2, error of reading by temperature", -0.0035, "1/K", "R", "plant-models §9, R [26]")
RH_DRIFT_MONTH = _p("capacitive RH sensor, drift when wetted", 2.0, "%/month", "A", "plant-models §9")

# Flow and stirring.
PULSATION = _p("pulsation of a peristaltic head", 0.5, "1", "A", "plant-models §10")
PULSATION_SECOND = _p("its second harmonic", 0.1, "1", "A", "plant-models §10")
SLOW_SHARE = _p(
    "share of its range below which a peristaltic head is uneven", 0.15, "1", "R", "plant-models §10, R [28], weak"
)
SLOW_UNEVENNESS = _p("unevenness near standstill, 1 SD", 0.05, "1", "A", "")
LINE_COMPLIANCE_ML_BAR = _p("compliance of a line", 0.02, "mL/bar", "A", "")
LINE_RESISTANCE_BAR_MIN_ML = _p("resistance of a line", 0.05, "bar.min/mL", "A", "")
STICK_SLIP_UL_MIN = _p("syringe moves in jerks below", 1.0, "uL/min", "M", "plant-models §10")
STICK_SLIP_S = _p("period of the jerks", 4.0, "s", "A", "")
IMPELLER_M = _p("impeller", 0.035, "m", "A", "benches A1")
POWER_NUMBER = _p("power number of an axial impeller", 0.5, "1", "M", "")
VISCOSITY = _p("kinematic viscosity of medium, 37 Cel", 6.9e-7, "m2/s", "D", "plant-models §10")
ZWIETERING = _p("Zwietering constant s", 4.0, "1", "M", "axial impeller near the bottom, 3.5-6")

# Flasks and plates, served by hand.
FLASK_AREA_CM2 = _p("T175 flask, bottom", 175.0, "cm2", "C", "its name")
FLASK_ML = _p("T175 flask, medium", 35.0, "mL", "C", "benches A2")
FLASK_AIR_MM = _p("T175 flask, air above", 40.0, "mm", "A", "")
FLASK_LID = _p("filter cap hinders evaporation", 20.0, "1", "A", "plant-models §2, 5-20")
SEEDING_PER_CM2 = _p("seeding density", 5000.0, "1/cm2", "C", "culture-protocols §4")
PLATE_AREA_CM2 = _p("96-well plate, bottom of a well", 0.33, "cm2", "D", "plant-models §2")
PLATE_ML = _p("96-well plate, medium of a well", 0.150, "mL", "C", "benches A2")
PLATE_BUFFER_ML = _p("96-well plate, buffer of an outer well", 0.200, "mL", "C", "benches A2")
PLATE_AIR_MM = _p("96-well plate, still air above the liquid", 10.0, "mm", "D", "plant-models §2")
PLATE_LID = _p("lid hinders evaporation, inner wells", 10.0, "1", "A", "benches A2: 1.7 uL/d")
PLATE_LID_EDGE = _p("lid hinders evaporation, outer wells", 5.0, "1", "A", "plant-models §2, 5-20")
PLATE_CELLS = _p("cells of a well", 3.0e4, "{cells}", "R", "culture-protocols §4, R [12]")

# Assays.
ALP_NAIVE = _p("ALP activity of naive cells", 20.0, "nmol/min/mg", "A", "")
ALIZARIN_PER_UG = _p("Alizarin red, absorbance for each ug of calcium", 0.2, "1/ug", "A", "")
PCR_SPREAD = _p("scatter of a relative expression, 1 SD of its logarithm", 0.2, "1", "A", "a quarter of a cycle")
# Faults: what goes wrong with plumbing and vents, as it is unless told otherwise.
SCREEN_SHARE = _p("clogged screen, share of the flow that passes", 0.4, "1", "A", "benches: withdrawal slows")
SCREEN_ABOVE_ML = _p("clogged screen, stops so far above the level", 6.0, "mL", "A", "benches: and stops above")
VESSEL_WORKING_ML = _p("vessel, working volume", 90.0, "mL", "A", "benches A1")
VENT_BLOCKED_H = _p("headspace to chamber through an unforced vent", 5.0, "h", "D", "benches A1")
BUBBLE_ML = _p("bubble in a line", 1.0, "mL", "A", "half a metre of 1.6 mm bore")
LEAK_SHARE = _p("leaking tube, share of a delivery", 0.2, "1", "A", "a fault: more than any witness lets pass")
AIR_SHARE = _p("air in a pump's line, share of its volume", 0.3, "1", "A", "")
