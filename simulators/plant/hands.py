"""What a person can physically do at the bench. Each act happens at `now`, exactly there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.plant import culture
from simulators.plant import parameters as p
from simulators.plant.brood import poured
from simulators.plant.cells import SPHEROID
from simulators.plant.medium import fresh_medium
from simulators.plant.stirred import StirredPlant
from simulators.plant.timed import Trouble


class Hands:
    def __init__(self, plant: StirredPlant) -> None:
        self._plant = plant

    def at(self, unit: str) -> Hands:
        """There is one vessel."""
        return self

    def pour(self, now: float, ml: float, cells_per_ml: float = 0.0) -> None:
        """Pour warm, CO2-equilibrated medium like the bottle's into the vessel, with or without cells."""
        plant = self._plant
        plant.cut(now)
        v, c = plant.volumes, plant.culture
        before = v.vessel_ml
        v.vessel_ml += ml
        v.by_hand_in_ml += ml
        culture.add(c, ml, fresh_medium(p.BOTTLE_PCO2_KPA, plant.recipe), p.POUR_CEL, v.vessel_ml)
        c.cells += ml * cells_per_ml
        if cells_per_ml > 0.0:
            harvested = None if plant.shelf is None else plant.shelf.batch
            plant.spheroids = poured(plant.spheroids, c, ml * cells_per_ml, plant.past, harvested)
        full = v.vessel_ml
        over = v.spill()
        if over > 0.0:
            culture.remove(c, over, full, cells_too=True)
        culture.displace(c, plant.air, v.vessel_ml, v.vessel_ml - before)
        culture.balance_ph(c, v.vessel_ml)
        plant.resume()

    def take(self, now: float, ml: float) -> dict[str, float]:
        """Take a well-mixed sample and have it analysed.

        Keys: ph, pco2 (kPa), glucose, lactate (mM), osmolality (mmol/kg), cells_per_ml, viability (%), volume_ml.
        """
        plant = self._plant
        plant.cut(now)
        v, c = plant.volumes, plant.culture
        ml = min(ml, v.vessel_ml)
        if v.vessel_ml < culture.DRY_ML or ml <= 0.0:
            plant.resume()
            return {"volume_ml": 0.0}
        found = culture.assay(c, v.vessel_ml) | {"volume_ml": ml}
        culture.remove(c, ml, v.vessel_ml, cells_too=True)
        v.vessel_ml -= ml
        v.by_hand_out_ml += ml
        culture.displace(c, plant.air, v.vessel_ml, -ml)
        plant.resume()
        return found

    def harvest(self, now: float) -> dict[str, float]:
        """Empty the vessel: the assay of what was in it, its volume and its cells."""
        self._plant.cut(now)
        volume, cells = self._plant.volumes.vessel_ml, self._plant.culture.cells
        found = self.take(now, volume) | {"cells": cells}
        self._plant.spheroids, self._plant.rates = None, SPHEROID
        return found

    def renew_bottle(self, now: float, fluid: str, ml: float = p.FRESH_BOTTLE_ML) -> None:
        """Hang a new bottle: `waste` puts an empty one on the balance, anything else a full one at the fill pump."""
        self._plant.cut(now)
        self._plant.hang(fluid, ml)
        self._plant.resume()

    def clamp(self, now: float, seconds: float) -> None:
        """Leave a clamp on the filling line; it is found and taken off after so long."""
        self._plant.trouble(now, Trouble("pinched", {"share": 1.0, "out": 0.0, "bed": 0.0}, now, now + seconds))

    def line_to_cup(self, now: float) -> None:
        """Hold the open end of the filling line over a cup (priming)."""
        self._plant.cut(now)
        self._plant.volumes.line_in_cup = True
        self._plant.resume()

    def line_to_vessel(self, now: float) -> None:
        self._plant.cut(now)
        self._plant.volumes.line_in_cup = False
        self._plant.resume()

    def stir(self, now: float, rpm: float) -> None:
        self._plant.cut(now)
        self._plant.culture.rpm = rpm
        self._plant.resume()

    def elsewhere(self, now: float, act: Mapping[str, Any]) -> dict[str, float]:
        """Something is done to a flask or a plate in the same chamber; what is found there."""
        return self._plant.by_hand(now, act)

    def door(self, now: float, seconds: float) -> None:
        """Open the chamber door; it falls shut after `seconds`."""
        self._plant.open_door(now, seconds)

    def look(self, now: float) -> dict[str, float]:
        """What is to be seen without touching: volume mL, temperature °C, assay of the liquid."""
        v, c = self._plant.volumes_at(now), self._plant.culture
        seen = {
            "volume_ml": v.vessel_ml,
            "fresh_ml": v.fresh_ml,
            "waste_ml": v.waste_ml,
            "cup_ml": v.cup_ml,
            "cel": c.cel,
        }
        return seen | (culture.assay(c, v.vessel_ml) if v.vessel_ml >= culture.DRY_ML else {})
