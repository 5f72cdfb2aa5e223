"""The physics of one stirred vessel in its chamber, coupled and moved through time (plant-models §11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from math import inf
from random import Random
from typing import TYPE_CHECKING, Any, cast

from simulators.plant import chamber, culture
from simulators.plant import parameters as p
from simulators.plant.brood import age, restored
from simulators.plant.cells import SPHEROID, Rates
from simulators.plant.hose import Hose, hose
from simulators.plant.medium import GROWTH, Medium, fresh_medium, recipe
from simulators.plant.pull import Pull
from simulators.plant.suffering import IN_STIRRED, suffer, troubles
from simulators.plant.supply import bottle_pco2_kpa
from simulators.plant.syringe import Syringe
from simulators.plant.timed import Timed, Trouble
from simulators.plant.tubing import Tube
from simulators.plant.volumes import Volumes

if TYPE_CHECKING:  # numpy takes a tenth of a second to import: only a vessel with cells pays it
    from simulators.plant.spheroids import Spheroids

Faults = Mapping[str, Mapping[str, float]]
"""Name -> numbers, as `suffering.DEFAULTS` has them; `worn-tube` is the outgoing pump's."""


class StirredPlant(Timed):
    """See `timed`; empty vessel, settled chamber. `seed=None` = both syringes exact."""

    known_troubles = IN_STIRRED

    def __init__(
        self,
        start: float,
        seed: int | None = None,
        faults: Faults | None = None,
        *,
        level_ml: float = p.VESSEL_LEVEL_ML,
        max_ml: float = p.VESSEL_MAX_ML,
        evaporation_ml_day: float = p.EVAPORATION_ML_DAY,
        line_in_ml: float = p.LINE_ML,
        line_out_ml: float = p.LINE_ML,
        fill_syringe_ml: float = p.SYRINGE_ML,
        waste_syringe_ml: float = p.SYRINGE_ML,
        cel: float = 37.0,
        co2_percent: float = 5.0,
        medium: str = GROWTH.name,
        spheroid_cells: float = p.SIZE_CELLS,
        induced_days: float = p.INDUCED_DAYS,
        formed_days: float = p.FORMED_DAYS,
    ) -> None:
        chance = Random(seed)  # noqa: S311 - chance, not secrecy
        gains = (1.0, 1.0) if seed is None else (chance.gauss(1, p.SYRINGE_GAIN_SD), chance.gauss(1, p.SYRINGE_GAIN_SD))
        super().__init__(start, chamber.settled(cel, co2_percent / 100))
        self.culture = culture.empty(self.air)
        self.volumes = Volumes(level_ml=level_ml, max_ml=max_ml, evaporation_ml_day=evaporation_ml_day)
        self.volumes.fresh_hung_at = self.start
        self.volumes.line_in = Tube([[0.0, line_in_ml]])
        self.volumes.line_out = Tube([[0.0, line_out_ml]])
        self.volumes.fill = Syringe(fill_syringe_ml, gains[0])
        self.volumes.waste = Syringe(waste_syringe_ml, gains[1])
        self.volumes.start_ml = self.volumes.present_ml()
        self.pull = Pull.of(seed)
        for name in ("fill_hose", "waste_hose"):
            setattr(self.volumes, name, hose(None if seed is None else chance.gauss(1, p.TUBE_GAIN_SD)))
        self.recipe = recipe(medium)
        """Of the bottle that hangs at the fill pump."""
        self.past = (spheroid_cells, induced_days, formed_days)
        """Of the cells that are poured in: cells a spheroid, days induced on plastic, days since it was formed."""
        self.spheroids: Spheroids | None = None
        self.rates = SPHEROID
        """Of each cell, as deep in their spheroids they breathe less."""
        for trouble in troubles(faults or {}, self.start):
            self.trouble(self.start, trouble)
        self._next = self._next_stop()

    # time

    def breakpoint(self, stop: float) -> float:
        v = self.volumes
        for syringe in (v.fill, v.waste):
            if syringe.ml_min and syringe.until < stop:
                stop = syringe.until
        return v.waste_hose.stop_before(v.fill_hose.stop_before(stop))

    def live(self, dt_s: float) -> None:
        t, air = self.t, self.air
        chamber.step(air, t, dt_s)
        moved = self.volumes.move(t, dt_s, air.rh)
        culture.step(self.culture, air, moved, self._fresh() if moved.in_ml else None, dt_s, self.rates)
        if self.spheroids is not None:
            for _ in range(self.slow_steps(t, t + dt_s)):
                self.rates = age(self.spheroids, self.culture, self.volumes.vessel_ml, self.slow_s)

    def end(self, to: float) -> None:
        v = self.volumes
        for pump in (v.fill, v.waste, v.fill_hose, v.waste_hose):
            if pump.ml_min and pump.until <= to:
                pump.halt()

    def suffer(self, trouble: Trouble, begins: bool) -> None:
        suffer(self, trouble, begins)

    def hang(self, fluid: str, ml: float) -> None:
        """A new bottle at `t`: `waste` is an empty one on the balance, anything else a full one at the fill pump."""
        v = self.volumes
        if "waste" in fluid.lower():
            v.bottles_in_ml -= v.waste_ml
            v.waste_ml = 0.0
        else:
            v.bottles_in_ml += ml - v.fresh_ml
            v.fresh_ml = ml
            v.fresh_hung_at = self.t
            self.recipe = recipe(fluid)

    def _fresh(self) -> Medium:
        """Medium of the bottle as it is now: vented, it loses its CO2 to the room."""
        return fresh_medium(bottle_pco2_kpa(self.t - self.volumes.fresh_hung_at), self.recipe)

    def volumes_at(self, now: float) -> Volumes:
        """All volumes at `now`, without moving the plant off its grid."""
        self.advance(now)
        v = self.volumes
        if now <= self.t or v.still:
            return v
        ahead = v.copy()
        ahead.move(self.t, now - self.t, self.air.rh)
        return ahead

    def pan_g(self, now: float) -> float:
        """Waste bottle with its content, and a tube that may pull."""
        return p.WASTE_TARE_G + p.DENSITY * self.volumes_at(now).waste_ml + self.pull.at(now - self.start)

    # judgement

    def truth(self, now: float) -> dict[str, float | bool]:
        """The world as it truly is: mL, °C, %, and what the pumps have truly moved since the start."""
        v, air, c = self.volumes_at(now), self.air, self.culture
        return {
            "at": now,
            "vessel_ml": v.vessel_ml,
            "fill_liquid_ml": v.fill.liquid_ml,
            "fill_air_ml": v.fill.air_ml,
            "waste_liquid_ml": v.waste.liquid_ml,
            "waste_air_ml": v.waste.air_ml,
            "fresh_ml": v.fresh_ml,
            "waste_ml": v.waste_ml,
            "cup_ml": v.cup_ml,
            "total_in_ml": v.total_in_ml,
            "total_out_ml": v.total_out_ml,
            "fill_drawn_ml": v.fill.drawn_ml,
            "fill_delivered_ml": v.fill.delivered_ml,
            "fill_leaked_ml": v.fill.leaked_ml,
            "waste_drawn_ml": v.waste.drawn_ml,
            "waste_delivered_ml": v.waste.delivered_ml,
            "waste_leaked_ml": v.waste.leaked_ml,
            "fill_hose_ml": v.fill_hose.carried_ml,
            "waste_hose_ml": v.waste_hose.carried_ml,
            "evaporated_ml": v.evaporated_ml,
            "by_hand_in_ml": v.by_hand_in_ml,
            "by_hand_out_ml": v.by_hand_out_ml,
            "overflow": v.overflow,
            "line_in_cup": v.line_in_cup,
            "ph": c.ph,
            "do_percent": culture.do_percent(c, v.vessel_ml),
            "liquid_cel": c.cel,
            "cells": c.cells,
            "contaminant": c.contaminant,
            "escaped_cells": c.escaped_cells,
            "dripped_ml": v.dripped_ml,
            "phosphate_mm": c.phosphate / v.vessel_ml if v.vessel_ml >= culture.DRY_ML else 0.0,
            "bottle_phosphate_mm": self.recipe.phosphate,
            "headspace_co2_percent": 100 * c.head_co2,
            "chamber_cel": air.air_cel,
            "chamber_co2_percent": 100 * air.co2,
            "chamber_o2_percent": 100 * air.o2,
            "chamber_rh_percent": air.rh,
            "door_open": air.door_open,
        }

    def books(self) -> dict[str, float]:
        """What the books of mass, charge and heat cannot explain, mL, µmol, mM, K: zero but for rounding."""
        v = self.volumes
        liquid = {"liquid_ml": v.residual_ml(), "vessel_ml": v.vessel_residual_ml()}
        liquid["charge_mm"] = culture.charge_residual(self.culture, v.vessel_ml)
        liquid["heat_k"] = chamber.heat_residual(self.air)
        return liquid | culture.residuals(self.culture, v.vessel_ml) | self.shelf_books()

    def snapshot(self) -> dict[str, object]:
        return {
            "t": self.t,
            "start": self.start,
            "door_closes_at": None if self.door_closes_at == inf else self.door_closes_at,
            "fine_until": None if self.fine_until == -inf else self.fine_until,
            "recipe": self.recipe.name,
            "spheroids": None if self.spheroids is None else self.spheroids.snapshot(),
            "rates": asdict(self.rates),
            "shelf": self.shelf_snapshot(),
            "pull": [self.pull.grams, self.pull.phase],
            "troubles": [asdict(each) for each in self.troubles],
            "air": asdict(self.air),
            "culture": asdict(self.culture),
            "volumes": asdict(self.volumes),
        }

    def restore(self, saved: dict[str, object]) -> None:
        data = cast("dict[str, Any]", saved)
        self.t, self.start = data["t"], data["start"]
        self.door_closes_at = inf if data["door_closes_at"] is None else data["door_closes_at"]
        self.fine_until = -inf if data["fine_until"] is None else data["fine_until"]
        self.pull = Pull(*data["pull"])
        self.troubles = [Trouble(**each) for each in data.get("troubles", ())]
        self.recipe = recipe(data["recipe"])
        self.spheroids = None if data["spheroids"] is None else restored(data["spheroids"])
        self.rates = Rates(**data["rates"])
        self.restore_shelf(data["shelf"])
        self.air = chamber.ChamberState(**data["air"])
        self.culture = culture.CultureState(**data["culture"] | {"books": culture.Books(**data["culture"]["books"])})
        v = data["volumes"]
        tubes = {name: Tube([list(plug) for plug in v[name]["plugs"]]) for name in ("line_in", "line_out")}
        syringes = {name: Syringe(**v[name]) for name in ("fill", "waste")}
        hoses = {name: Hose(**v[name]) for name in ("fill_hose", "waste_hose") if name in v}
        self.volumes = Volumes(**v | tubes | syringes | hoses)
        self._next = self._next_stop()
