"""What a person can physically do at a perfused bed. Each act happens at `now`, exactly there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.plant import bed as beds
from simulators.plant import parameters as p
from simulators.plant.medium import fresh_medium
from simulators.plant.mix import Mix
from simulators.plant.perfusion import PerfusionPlant
from simulators.plant.timed import Trouble


class BedHands:
    """At one bed, counted from 0."""

    def __init__(self, plant: PerfusionPlant, number: int, others: Mapping[str, int]) -> None:
        """`others`: the bed of each unit, by the unit's name."""
        self._plant, self._number, self._others = plant, number, others

    def at(self, unit: str) -> BedHands:
        """At the bed of a unit; "" = here. Raises ValueError for a unit that has none."""
        if not unit:
            return self
        if unit not in self._others:
            raise ValueError(f"no bed of {unit!r}; there are {', '.join(self._others)}")
        return BedHands(self._plant, self._others[unit], self._others)

    def pour(self, now: float, ml: float, cells_per_ml: float = 0.0) -> None:
        """Pour warm, CO2-equilibrated medium into the reservoir; cells in it settle in the bed."""
        plant, v = self._plant, self._plant.volumes
        plant.cut(now)
        one = plant.beds[self._number]
        part = Mix.of(fresh_medium(p.BOTTLE_PCO2_KPA, plant.recipe), ml)
        one.liquid.add(part)
        plant.explained.add(part)
        v.reservoirs[self._number] += ml
        v.by_hand_in_ml += ml
        one.cel += (p.POUR_CEL - one.cel) * min(1.0, ml / one.liquid.ml)
        if cells_per_ml > 0.0:
            plant.put_cells(self._number, ml * cells_per_ml)
        plant.resume()

    def take(self, now: float, ml: float) -> dict[str, float]:
        """Take a sample of the reservoir and have it analysed; the cells stay in the bed.

        Keys: ph, pco2 (kPa), glucose, lactate (mM), osmolality (mmol/kg), cells, viability (%), volume_ml.
        """
        plant, v = self._plant, self._plant.volumes
        plant.cut(now)
        one = plant.beds[self._number]
        ml = min(ml, v.reservoirs[self._number])
        found = beds.assay(one) | {"volume_ml": ml}
        plant.explained.add(one.liquid.take(ml), -1.0)
        v.reservoirs[self._number] -= ml
        v.by_hand_out_ml += ml
        plant.resume()
        return found

    def harvest(self, now: float) -> dict[str, float]:
        """Empty the reservoir and take the bed out."""
        self._plant.cut(now)
        found = self.take(now, self._plant.volumes.reservoirs[self._number])
        self._plant.take_out(self._number)
        return found

    def renew_bottle(self, now: float, fluid: str, ml: float = p.FRESH_BOTTLE_ML) -> None:
        """Hang a new bottle: `waste` puts an empty one on the balance, anything else a full one at the valve."""
        self._plant.cut(now)
        self._plant.hang(fluid, ml)
        self._plant.resume()

    def clamp(self, now: float, seconds: float) -> None:
        """Leave a clamp on the line of the syringe; it is found and taken off after so long."""
        self._plant.trouble(now, Trouble("pinched", {"share": 1.0, "out": 0.0, "bed": 0.0}, now, now + seconds))

    def line_to_cup(self, now: float) -> None:
        """Hold the end of the loop over the waste bottle: the balance shows what the loop pump truly carries."""
        self._lead(now, away=True)

    def line_to_vessel(self, now: float) -> None:
        self._lead(now, away=False)

    def _lead(self, now: float, away: bool) -> None:
        self._plant.cut(now)
        self._plant.volumes.led_away[self._number] = away
        self._plant.resume()

    def stir(self, now: float, rpm: float) -> None:
        """Nothing stirs a perfused bed."""
        raise ValueError("nothing stirs a perfused bed")

    def elsewhere(self, now: float, act: Mapping[str, Any]) -> dict[str, float]:
        """Something is done to a flask or a plate in the same chamber; what is found there."""
        return self._plant.by_hand(now, act)

    def door(self, now: float, seconds: float) -> None:
        """Open the chamber door; it falls shut after `seconds`."""
        self._plant.open_door(now, seconds)

    def look(self, now: float) -> dict[str, float]:
        """What is to be seen without touching: volume mL, temperature °C, assay of the liquid."""
        v, one = self._plant.volumes_at(now), self._plant.beds[self._number]
        seen = {"volume_ml": v.reservoirs[self._number], "fresh_ml": v.fresh_ml, "waste_ml": v.waste_ml}
        return seen | {"cel": one.cel} | beds.assay(one)
