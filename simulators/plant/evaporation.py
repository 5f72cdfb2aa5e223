"""Water lost from open surfaces and what that does to the rest (plant-models §2). m, mL, % RH.

E = D_v A c_sat (1 - RH) / L:  a bare 96-well of 0.33 cm² under 10 mm of still air loses 17 µL/day at 95 % RH
"""

from __future__ import annotations

import numpy as np

from simulators.plant import parameters as p
from simulators.plant.arrays import Array, Values, array

WATER_ML_PER_MOL = 18.02 / 0.9933
"""At 37 °C."""


def evaporated_ml(area_m2: Values, air_m: Values, rh_percent: Values, dt_s: float, lid: Values = 1.0) -> Array:
    """Through a still column of `air_m`; `lid` = how many times it hinders (1 bare, 5-20 under a lid)."""
    dry = np.maximum(0.0, 1 - array(rh_percent) / 100)
    mol_s = p.D_VAPOUR * array(area_m2) * p.VAPOUR_SATURATED * dry / array(air_m)
    return mol_s * WATER_ML_PER_MOL * dt_s / array(lid)


def concentrated(amount: Values, ml: Values, lost_ml: Values) -> Array:
    """Concentration after water has gone: what is dissolved stays."""
    return array(amount) / (array(ml) - array(lost_ml))
