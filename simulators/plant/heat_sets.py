"""Chambers as two nodes, heater and air (plant-models §1): only these ratios can be known from temperatures.

    tau_h dT_h/dt = U h - (T_h - T_a);   dT_a/dt = k_g (T_h - T_a) - k (T_a - T_room),  k = k_c closed, k_o open

`chamber` has the default set with a wall node and the incubator's own loop; here are the others, for comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from simulators.plant import parameters as p
from simulators.plant.propagator import Matrix, propagator


@dataclass(frozen=True, slots=True)
class HeatSet:
    """s, K, 1/s."""

    name: str
    heater_lag_s: float
    heater_rise_k: float
    k_heater: float
    k_closed: float
    k_open: float

    def system(self, open_: bool) -> tuple[Matrix, Matrix]:
        """Nodes heater, air; inputs heater 0…1 and room °C."""
        lag, k = 1 / self.heater_lag_s, self.k_open if open_ else self.k_closed
        a = ((-lag, lag), (self.k_heater, -(self.k_heater + k)))
        return a, ((self.heater_rise_k * lag, 0.0), (0.0, k))

    def time_constants_s(self, open_: bool = False) -> tuple[float, float]:
        """Quick and slow, with the heater off: the eigenvalues of the two nodes, turned round."""
        (a, b), (c, d) = self.system(open_)[0]
        middle, root = (a + d) / 2, sqrt((a - d) ** 2 / 4 + b * c)
        return -1 / (middle - root), -1 / (middle + root)

    def steady(self, heater: float, room: float, open_: bool = False) -> tuple[float, float]:
        """(heater, air) °C after a long time at constant power."""
        k = self.k_open if open_ else self.k_closed
        air = room + self.heater_rise_k * heater * self.k_heater / k
        return air + self.heater_rise_k * heater, air

    def course(
        self, state: tuple[float, float], room: float, plan: Sequence[tuple[float, float, bool]]
    ) -> list[tuple[float, float]]:
        """(heater, air) °C after each (seconds, heater 0…1, open) of the plan; exact."""
        found: list[tuple[float, float]] = []
        h, a = state
        for seconds, heater, open_ in plan:
            (f0, f1), (g0, g1) = propagator(*self.system(open_), seconds)
            h, a = (
                f0[0] * h + f0[1] * a + g0[0] * heater + g0[1] * room,
                f1[0] * h + f1[1] * a + g1[0] * heater + g1[1] * room,
            )
            found.append((h, a))
        return found


DEMONSTRATOR = HeatSet(
    "open-top demonstrator: foam box, heater, fan", p.DEMO_HEATER_LAG_S, p.DEMO_HEATER_RISE_K,
    1 / p.DEMO_K_HEATER_S, 1 / p.DEMO_K_CLOSED_S, 1 / p.DEMO_K_OPEN_S,
)  # fmt: skip
AIR_JACKETED = HeatSet(
    "CO2 incubator 170 L, air-jacketed", p.HEATER_LAG_S, p.HEATER_RISE_K, p.K_HEATER, p.K_LOSS_CLOSED, p.K_LOSS_OPEN
)
WATER_JACKETED = HeatSet(
    "CO2 incubator, water-jacketed", p.WATER_HEATER_LAG_S, p.WATER_HEATER_RISE_K,
    1 / p.WATER_K_HEATER_S, 1 / p.WATER_K_CLOSED_S, 1 / p.WATER_K_OPEN_S,
)  # fmt: skip
SETS = (DEMONSTRATOR, AIR_JACKETED, WATER_JACKETED)


def of_capacities(air_j_k: float, box_w_k: float, heater_j_k: float, heater_w_k: float) -> HeatSet:
    """The same model from heat capacities and conductances, as the demonstrator's authors publish it."""
    k_closed = box_w_k / air_j_k
    return HeatSet("from capacities", heater_j_k / heater_w_k, 1.0, heater_w_k / air_j_k, k_closed, k_closed)
