"""Flasks and plates in the same chamber, served by hand: what a person pours, takes and harvests there.

Volumes are of each dish: 35 mL into flasks is 35 mL into each. What is harvested keeps its maturity until it is poured
again; its matrix stays behind. A mould of a thousand microwells is too fine to be followed, and is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simulators.plant import differentiation
from simulators.plant import parameters as p
from simulators.plant.differentiation import Maturity
from simulators.plant.dishes import Gas
from simulators.plant.flask import Flasks
from simulators.plant.medium import fresh_medium, recipe
from simulators.plant.plate import COLUMNS, ROWS, Plate
from simulators.plant.saved import plain, rebuilt

Act = Mapping[str, Any]
NAIVE = (1.0, 0.0, 0.0)
KINDS = {"flask": Flasks, "plate": Plate}


class Shelf:
    """`t` is how far its dishes have lived."""

    def __init__(self, t: float) -> None:
        self.t = t
        self.vessels: dict[str, Flasks | Plate] = {}
        self.suspended: tuple[float, float, float] | None = None
        """Maturity of the cells that were harvested last: naive, early, mature; None = none yet."""
        self.batch: tuple[float, float, float] | None = None
        """Of the largest harvest: what is formed by the thousand comes of it."""
        self.batch_cells = 0.0

    def live(self, to: float, gas: Gas, step_s: float | None = None) -> None:
        """`step_s`: another, longer step than each vessel's own, for a time-lapse."""
        for vessel in self.vessels.values():
            if step_s is None:
                vessel.advance(to - self.t, gas)
            elif isinstance(vessel, Plate):
                vessel.advance(to - self.t, gas, step_s, step_s)
            else:
                vessel.advance(to - self.t, gas, step_s)
        self.t = to

    def do(self, act: Act) -> dict[str, float]:
        """What a person does at `t`, and what is found in it before, as `story`; of a harvest the cells too. Acts on
        vessels that are not followed change nothing."""
        name, ml = str(act.get("vessel")), float(act.get("volume_ml") or 0.0)
        found = story(self.vessels[name]) if name in self.vessels else {}
        match act["act"]:
            case "pour":
                self._pour(name, act, ml)
            case "take" if name in self.vessels:
                self._take(self.vessels[name], ml)
            case "harvest" if name in self.vessels:
                found["cells"] = self._harvest(self.vessels[name])
            case "sample" if name in self.vessels:
                self._use(self.vessels[name], str(act.get("fluid")), float(act.get("value") or 0.0))
            case _:
                pass
        return found

    def _pour(self, name: str, act: Act, ml: float) -> None:
        made = recipe(str(act.get("fluid") or ""))
        cells, dishes = ml * float(act.get("cells_per_ml") or 0.0), int(act.get("dishes") or 1)
        vessel = self.vessels.get(name)
        if isinstance(vessel, Flasks) and not cells:
            vessel.liquid.add(ml, fresh_medium(p.BOTTLE_PCO2_KPA, made))
        elif isinstance(vessel, Plate) and not cells:
            vessel.wells.add(np.where(vessel.seeded > 0.0, ml, 0.0), fresh_medium(p.BOTTLE_PCO2_KPA, made))
        elif act.get("kind") == "flask":
            flasks = self.vessels[name] = Flasks.seed(dishes, cells / p.FLASK_AREA_CM2, made, ml=ml)
            flasks.maturity = Maturity(*(np.full(dishes, share) for share in self.suspended or NAIVE))
        elif act.get("kind") == "plate" and dishes <= ROWS * COLUMNS:
            shares = self.suspended or NAIVE
            maturity = Maturity(*(np.full(ROWS * COLUMNS, share) for share in shares))
            self.vessels[name] = Plate.seed(cells, made, ml=ml, maturity=maturity)

    @staticmethod
    def _take(vessel: Flasks | Plate, ml: float) -> None:
        if isinstance(vessel, Flasks):
            vessel.liquid.remove(ml)
        else:
            vessel.wells.remove(np.where(vessel.seeded > 0.0, ml, 0.0))

    @staticmethod
    def _use(vessel: Flasks | Plate, what: str, number: float) -> None:
        """So many wells are emptied, the last ones first; so many cells are scraped off, of each flask its share."""
        if isinstance(vessel, Flasks):
            total = float(vessel.cells.sum())
            vessel.cells = vessel.cells * max(0.0, 1 - number / total) if what == "cells" and total else vessel.cells
        elif what == "wells":
            filled = np.flatnonzero(vessel.seeded > 0.0)
            gone = np.zeros_like(vessel.seeded)
            gone[filled[max(0, len(filled) - int(number)) :]] = 1.0
            vessel.take(gone)

    def _harvest(self, vessel: Flasks | Plate) -> float:
        """Living cells that came off."""
        if isinstance(vessel, Plate):
            cells = vessel.cells
            vessel.take(vessel.seeded)
            return float(cells.sum())
        cells, m = vessel.detach()
        self.suspended = (float(m.naive.mean()), float(m.early.mean()), float(m.mature.mean()))
        if (total := float(cells.sum())) > self.batch_cells:
            self.batch, self.batch_cells = self.suspended, total
        return total

    def story(self) -> dict[str, dict[str, float]]:
        return {name: story(vessel) for name, vessel in self.vessels.items()}

    def residuals(self) -> dict[str, float]:
        """The worst of each vessel's books, µmol: zero but for rounding."""
        return {
            name: max(map(abs, (v.liquid if isinstance(v, Flasks) else v.wells).residuals().values()))
            for name, v in self.vessels.items()
        }

    def snapshot(self) -> dict[str, Any]:
        vessels = {
            name: {"kind": "flask" if isinstance(vessel, Flasks) else "plate", "state": plain(vessel)}
            for name, vessel in self.vessels.items()
        }
        suspended, batch = (each and list(each) for each in (self.suspended, self.batch))
        return {
            "t": self.t, "suspended": suspended, "batch": batch, "batch_cells": self.batch_cells, "vessels": vessels
        }  # fmt: skip

    @classmethod
    def restored(cls, saved: Mapping[str, Any]) -> Shelf:
        new = cls(saved["t"])
        new.suspended, new.batch = (each and tuple(each) for each in (saved["suspended"], saved["batch"]))
        new.batch_cells = saved["batch_cells"]
        for name, each in saved["vessels"].items():
            new.vessels[name] = rebuilt(KINDS[each["kind"]], each["state"])
        return new


def story(vessel: Flasks | Plate) -> dict[str, float]:
    """Means over the dishes with cells: mL, mM, µM, %, fold, µg; only the volume when all are empty.

    `calcium_ug` is that of a spheroid; in flasks that of as many cells, 3·10⁴."""
    flask = isinstance(vessel, Flasks)
    liquid = vessel.liquid if flask else vessel.wells
    cells, dead = vessel.cells, vessel.dead
    with_cells = (cells > 0.0).astype(np.float64)
    if not with_cells.sum():
        return {"volume_ml": float(liquid.ml.mean())}

    def mean(values: np.ndarray[Any, np.dtype[np.float64]]) -> float:
        return float((values * with_cells).sum() / with_cells.sum())

    maturity = vessel.maturity if flask else vessel.spheroids.maturity
    told = {
        "volume_ml": mean(liquid.ml),
        "ph": mean(liquid.ph),
        "glucose": mean(liquid.mm("glucose")),
        "lactate": mean(liquid.mm("lactate")),
        "osmolality": mean(liquid.mm("osmoles")),
        "calcium_mm": mean(liquid.mm("calcium")),
        "bicarbonate_mm": mean(liquid.mm("sid")),
        "o2_um": 1000 * mean(liquid.bottom_mm),
        "cells_million": float(cells.sum()) / 1e6,
        "viability": 100 * mean(cells / np.maximum(cells + dead, 1e-9)),
        "early": mean(maturity.early),
        "mature": mean(maturity.mature),
        "alp": mean(differentiation.alp(maturity.early)),
    }
    if flask:
        of_a_spheroid = vessel.calcium_ug / np.maximum(cells, 1e-9) * p.CALCIUM_CELLS
        return told | {"confluence": 100 * mean(vessel.confluence), "calcium_ug": mean(of_a_spheroid)}
    s = vessel.spheroids
    return told | {
        "diameter_um": mean(s.diameter_um),
        "rim_um": 1000 * mean(s.rim),
        "core_um": 1000 * mean(s.centre),
        "calcium_ug": mean(s.calcium_ug),
        "dystrophic_ug": mean(s.dystrophic_ug),
    }
