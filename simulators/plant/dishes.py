"""The liquid of many equal dishes at once, flasks or the wells of a plate: still, with gas above (plant-models §2-4).

One entry a dish. Amounts are µmol, volumes mL; oxygen has ten layers, everything else is mixed (it has hours).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np

from simulators.plant import oxygen, still_layer
from simulators.plant import parameters as p
from simulators.plant.arrays import Array, Mask, Values, array
from simulators.plant.evaporation import evaporated_ml
from simulators.plant.medium import Medium

SOLUTES = ("glucose", "lactate", "sid", "carbon", "osmoles", "calcium", "phosphate", "supplements")
_LN10 = float(np.log(10.0))


class Gas(NamedTuple):
    """Above the dishes: fractions of wet gas, % RH, °C."""

    co2: float
    o2: float
    rh: float
    cel: float


INCUBATOR = Gas(0.05, 0.1867, 95.0, 37.0)
ROOM = Gas(p.ROOM_CO2, p.O2_IN_AIR * 0.99, p.ROOM_RH, p.ROOM_CEL)
"""Out of the incubator, on the bench."""


@dataclass(slots=True)
class Books:
    """µmol over all dishes since the start, by solute and `o2`."""

    came: dict[str, float] = field(default_factory=lambda: dict.fromkeys((*SOLUTES, "o2"), 0.0))
    went: dict[str, float] = field(default_factory=lambda: dict.fromkeys((*SOLUTES, "o2"), 0.0))
    reacted: dict[str, float] = field(default_factory=lambda: dict.fromkeys((*SOLUTES, "o2"), 0.0))
    gas: dict[str, float] = field(default_factory=lambda: {"carbon": 0.0, "o2": 0.0})


@dataclass(slots=True)
class Dishes:
    area_m2: float
    """Of the surface, and of the bottom."""
    air_m: float
    """Still air between liquid and lid."""
    lid: Array
    """How many times the lid hinders evaporation."""
    ml: Array
    glucose: Array
    lactate: Array
    sid: Array
    carbon: Array
    osmoles: Array
    calcium: Array
    phosphate: Array
    supplements: Array
    layer: Array
    """Oxygen, mM, dishes × 10, top first."""
    ph: Array
    evaporated_ml: Array
    books: Books = field(default_factory=Books)

    @classmethod
    def empty(cls, count: int, area_cm2: float, air_mm: float, lid: Values = 10.0) -> Self:

        def none() -> Array:
            return np.zeros(count)

        return cls(
            area_cm2 * 1e-4, air_mm * 1e-3, np.broadcast_to(array(lid), (count,)).copy(), none(),
            none(), none(), none(), none(), none(), none(), none(), none(),
            np.zeros((count, still_layer.VOLUMES)), np.full(count, p.PH_REFERENCE), none(),
        )  # fmt: skip

    @property
    def height_m(self) -> Array:
        return self.ml * 1e-6 / self.area_m2

    def mm(self, solute: str) -> Array:
        """Concentration, mM; nothing in an empty dish."""
        return getattr(self, solute) / np.maximum(self.ml, 1e-9)

    @property
    def bottom_mm(self) -> Array:
        """Oxygen where the cells are."""
        return self.layer[:, -1]

    def add(self, ml: Values, medium: Medium) -> None:
        """Pipetted in: mixed with what is there. `ml` for each dish, or one for all."""
        ml = np.broadcast_to(array(ml), self.ml.shape)
        before = self.ml
        self.ml = before + ml
        for solute in SOLUTES:
            amount = ml * (medium.osmolality if solute == "osmoles" else getattr(medium, solute))
            setattr(self, solute, getattr(self, solute) + amount)
            self.books.came[solute] += float(amount.sum())
        self.books.came["o2"] += float((medium.o2 * ml).sum())
        mixed = (self.layer.mean(axis=1) * before + medium.o2 * ml) / np.maximum(self.ml, 1e-9)
        self.layer = np.where((ml > 0.0)[:, None], mixed[:, None], self.layer)

    def remove(self, ml: Values) -> Array:
        """Pipetted off, at most what is there; mL of each."""
        taken = np.minimum(np.broadcast_to(array(ml), self.ml.shape), self.ml)
        share = taken / np.maximum(self.ml, 1e-9)
        for solute in SOLUTES:
            amount = getattr(self, solute) * share
            setattr(self, solute, getattr(self, solute) - amount)
            self.books.went[solute] += float(amount.sum())
        mean = self.layer.mean(axis=1)
        self.books.went["o2"] += float((mean * taken).sum())
        self.layer = np.where((taken > 0.0)[:, None], mean[:, None], self.layer)
        self.ml = self.ml - taken
        return taken

    def react(self, solute: str, umol: Array) -> None:
        """Cells make (+) or take (-); never more than there is."""
        change = np.maximum(umol, -getattr(self, solute))
        setattr(self, solute, getattr(self, solute) + change)
        self.books.reacted[solute] += float(change.sum())

    def breathe(self, gas: Gas, uptake_umol_s: Array, dt_s: float) -> Array:
        """Gas, water and pH over a step of a minute or two; oxygen taken up, µmol. Empty dishes stay empty."""
        wet = self.ml > 1e-6
        lost = np.where(wet, evaporated_ml(self.area_m2, self.air_m, gas.rh, dt_s, self.lid), 0.0)
        lost = np.minimum(lost, 0.5 * self.ml)
        before = self.ml
        self.ml = before - lost
        self.evaporated_ml = self.evaporated_ml + lost
        self.layer *= (before / np.maximum(self.ml, 1e-9))[:, None]
        height = np.maximum(self.height_m, 1e-4)
        had = self.layer.mean(axis=1)
        taken_m2 = still_layer.step(
            self.layer, oxygen.saturated(gas.o2 * p.PRESSURE_KPA), height, uptake_umol_s * 1e-6 / self.area_m2, dt_s
        )
        taken = np.where(wet, taken_m2 * self.area_m2 * 1e6, 0.0)
        self.books.reacted["o2"] -= float(taken.sum())
        self.books.gas["o2"] += float(np.where(wet, (self.layer.mean(axis=1) - had) * self.ml + taken, 0.0).sum())
        self._exchange_co2(gas, taken, height, wet, dt_s)
        return taken

    def _exchange_co2(self, gas: Gas, taken: Array, height: Array, wet: Mask, dt_s: float) -> None:
        self.react("carbon", taken * p.RESPIRATORY_QUOTIENT)
        kla = p.CO2_TO_O2_TRANSFER * np.pi**2 * p.D_O2 / (4 * height * height)
        dissolved = self.mm("carbon") / (1 + 10 ** (self.ph - p.PK_CARBONIC))
        missing = p.ALPHA_CO2 * gas.co2 * p.PRESSURE_KPA - dissolved
        into = np.where(wet, missing * -np.expm1(-kla * dt_s) * self.ml, 0.0)
        into = np.maximum(into, -self.carbon)
        self.carbon = self.carbon + into
        self.books.gas["carbon"] += float(into.sum())
        self.ph = np.where(
            wet, ph_closed((self.sid - self.lactate) / np.maximum(self.ml, 1e-9), self.mm("carbon"), self.ph), self.ph
        )

    def residuals(self) -> dict[str, float]:
        """µmol over all dishes that the books cannot explain: zero but for rounding."""
        b = self.books
        present = {solute: float(getattr(self, solute).sum()) for solute in SOLUTES}
        present["o2"] = float((self.layer.mean(axis=1) * self.ml).sum())
        return {
            name: amount - (b.came[name] - b.went[name] + b.reacted[name] + b.gas.get(name, 0.0))
            for name, amount in present.items()
        }


def ph_closed(sid: Array, carbon: Array, guess: Array, buffer_nb: float = p.BUFFER_NB) -> Array:
    """As `medium.ph_closed`, for many: Newton from the last values, eight rounds at most."""
    ph = guess
    for _ in range(8):
        share = 1 / (1 + 10 ** (p.PK_CARBONIC - ph))
        error = carbon * share + buffer_nb * (ph - p.PH_REFERENCE) - sid
        move = error / (_LN10 * carbon * share * (1 - share) + buffer_nb + 1e-9)
        ph = ph - np.clip(move, -0.5, 0.5)
        if np.max(np.abs(move)) < 1e-9:
            break
    return np.clip(ph, 4.0, p.PH_CEILING)
