"""The physics of perfused beds in one chamber, one syringe and valve that exchange their medium (benches A3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from math import inf
from random import Random
from typing import TYPE_CHECKING, Any, cast

from simulators.plant import bed as beds
from simulators.plant import brood, chamber, oxygen
from simulators.plant import parameters as p
from simulators.plant.bed import Bed, Reacted
from simulators.plant.cells import SPHEROID, Rates
from simulators.plant.hose import Hose, hose
from simulators.plant.manifold import FRESH, WASTE, Manifold, Moved, reservoir
from simulators.plant.medium import GROWTH, Medium, fresh_medium, recipe
from simulators.plant.mix import SOLUTES, Mix
from simulators.plant.pull import Pull
from simulators.plant.suffering import IN_PERFUSED, other_bottle, troubles
from simulators.plant.supply import bottle_pco2_kpa, line_end_cel
from simulators.plant.syringe import Syringe
from simulators.plant.timed import Timed, Trouble

if TYPE_CHECKING:
    from simulators.plant.spheroids import Spheroids

Faults = Mapping[str, Mapping[str, float]]
"""Name -> numbers, as `suffering.DEFAULTS` has them; beds are counted from 1."""


class PerfusionPlant(Timed):
    """See `timed`; reservoirs empty, loops filled, chamber settled. `seed=None` = exact syringe, tubes do not wear."""

    known_troubles = IN_PERFUSED

    def __init__(
        self,
        start: float,
        seed: int | None = None,
        faults: Faults | None = None,
        *,
        beds_in_use: int = int(p.BEDS),
        ports: Mapping[str, str] | None = None,
        level_ml: float = p.RESERVOIR_LEVEL_ML,
        max_ml: float = p.RESERVOIR_MAX_ML,
        evaporation_ml_day: float = 0.0,
        syringe_ml: float = p.EXCHANGE_SYRINGE_ML,
        o2_uptake: float = p.O2_UPTAKE,
        cel: float = 37.0,
        co2_percent: float = 5.0,
        medium: str = GROWTH.name,
        spheroid_cells: float = p.CALCIUM_CELLS,
        induced_days: float = p.INDUCED_DAYS,
        formed_days: float = p.FORMED_DAYS,
    ) -> None:
        """`o2_uptake` in fmol/cell/h. Raises ValueError when a port leads to something that is not there."""
        super().__init__(start, chamber.settled(cel, co2_percent / 100))
        chance = Random(seed)  # noqa: S311 - chance, not secrecy
        hoses = [hose(None if seed is None else chance.gauss(1, p.TUBE_GAIN_SD)) for _ in range(beds_in_use)]
        gain = 1.0 if seed is None else chance.gauss(1, p.SYRINGE_GAIN_SD)
        self.volumes = Manifold(
            ports=_checked(ports, beds_in_use),
            reservoirs=[0.0] * beds_in_use,
            hoses=hoses,
            led_away=[False] * beds_in_use,
            syringe=Syringe(syringe_ml, gain),
            level_ml=level_ml,
            max_ml=max_ml,
            evaporation_ml_day=evaporation_ml_day,
            fresh_hung_at=self.start,
        )
        self.volumes.start_ml = self.volumes.present_ml()
        self._rates = replace(SPHEROID, o2=o2_uptake)
        self.barrel, self.waste = Mix(), Mix()
        """What the syringe and the waste bottle hold."""
        self.recipe = recipe(medium)
        """Of the bottle that hangs at the valve."""
        first = fresh_medium(self.air.co2 * p.PRESSURE_KPA, self.recipe)
        self.beds = [beds.filled(first, p.LOOP_LINES_ML, self.air) for _ in range(beds_in_use)]
        self.past = (spheroid_cells, induced_days, formed_days)
        """Of the cells that are put into a bed: cells a spheroid, days induced on plastic, days since it was formed."""
        self.spheroids: list[Spheroids | None] = [None] * beds_in_use
        self.rates = [self._rates] * beds_in_use
        self.explained = self._present()
        """Every solute that is on the bench by what came and went; what reacted is each bed's own."""
        self.gas_ml_min = 0.0
        """Through the gas line, normal mL/min."""
        self.gas_ml = 0.0
        self.pull = Pull.of(seed)
        for trouble in troubles(faults or {}, self.start):
            self.trouble(self.start, trouble)
        self._next = self._next_stop()

    # time

    def breakpoint(self, stop: float) -> float:
        syringe = self.volumes.syringe
        if syringe.ml_min and syringe.until < stop:
            stop = syringe.until
        for each in self.volumes.hoses:
            stop = each.stop_before(stop)
        return stop

    def live(self, dt_s: float) -> None:
        t, air = self.t, self.air
        chamber.step(air, t, dt_s)
        moved = self.volumes.move(t, dt_s, air.rh)
        self._follow(moved, dt_s)
        for one, flow, rates in zip(self.beds, moved.flow_ml_min, self.rates, strict=True):
            beds.step(one, air, flow, dt_s, rates)
        for _ in range(self.slow_steps(t, t + dt_s)):
            self._age()
        self.gas_ml += self.gas_ml_min * dt_s / 60

    def put_cells(self, number: int, cells: float) -> None:
        """Spheroids settle in a bed, counted from 0."""
        one, each = self.beds[number], self.past[0]
        new = brood.with_a_past(*self.past, None if self.shelf is None else self.shelf.batch)
        one.cells += cells
        one.spheroids += cells / each
        present = self.spheroids[number]
        if present is None:
            self.spheroids[number] = new
        else:
            present.mix(new, cells / one.cells)

    def take_out(self, number: int) -> None:
        one = self.beds[number]
        one.cells = one.dead_cells = one.spheroids = 0.0
        self.spheroids[number], self.rates[number] = None, self._rates

    def _age(self) -> None:
        """A slow step of the spheroids in their beds, which the loop's liquid passes."""
        for number, (one, spheroids) in enumerate(zip(self.beds, self.spheroids, strict=True)):
            if spheroids is None:
                continue
            done = brood.aged(
                spheroids, one.spheroids, one.cells, one.dead_cells, one.liquid, one.void_o2, False, self._rates,
                self.slow_s,
            )  # fmt: skip
            self.rates[number] = done.rates
            one.cells -= done.starved
            one.dead_cells += done.starved
            one.liquid.calcium -= done.bound_umol
            one.reacted.calcium -= done.bound_umol

    def end(self, to: float) -> None:
        for pump in (self.volumes.syringe, *self.volumes.hoses):
            if pump.ml_min and pump.until <= to:
                pump.halt()

    def _follow(self, moved: Moved, dt_s: float) -> None:
        """What is dissolved goes where the liquid went."""
        if moved.drawn_ml:
            self.barrel.add(self._source(moved.place, moved.drawn_ml))
        if moved.delivered_ml:
            self._arrive(moved.place, self.barrel.take(moved.delivered_ml), moved.delivered_ml / dt_s * 60)
        if moved.dripped_ml:
            self.explained.add(self.barrel.take(moved.dripped_ml), -1.0)
        for number, one in enumerate(self.beds):
            one.liquid.ml -= moved.evaporated_ml[number]
            self.explained.ml -= moved.evaporated_ml[number]
            if moved.led_away_ml[number]:
                self.waste.add(one.liquid.take(moved.led_away_ml[number]))
            if moved.spilled_ml[number]:
                self.explained.add(one.liquid.take(moved.spilled_ml[number]), -1.0)

    def _source(self, place: str, ml: float) -> Mix:
        if place == FRESH:
            drawn = Mix.of(self.fresh(), ml)
            self.explained.add(drawn)
            return drawn
        return (self.waste if place == WASTE else self.beds[self._number(place)].liquid).take(ml)

    def _arrive(self, place: str, part: Mix, ml_min: float) -> None:
        if place == WASTE:
            self.waste.add(part)
        elif place.startswith("reservoir"):
            one = self.beds[self._number(place)]
            held = self.volumes.reservoirs[self._number(place)]
            one.liquid.add(part)
            cel = line_end_cel(self.air.air_cel, ml_min)
            one.cel += (cel - one.cel) * min(1.0, part.ml / max(part.ml, held))
        else:
            self.explained.add(part, -1.0)

    def _number(self, place: str) -> int:
        return int(place.rpartition(" ")[2]) - 1

    def suffer(self, trouble: Trouble, begins: bool) -> None:
        values, v = trouble.values, self.volumes
        bed = int(values.get("bed", 0))
        if not 0 <= bed <= len(self.beds):
            raise ValueError(f"fault {trouble.name}: bed={bed} is none of 1 to {len(self.beds)}")
        match trouble.name:
            case "worn-tube":
                v.hoses[max(0, bed - 1)].worn = values["fraction"] if begins else 0.0
            case "pinched":
                held = values["share"] if begins else 0.0
                if bed:
                    v.hoses[bed - 1].pinched = held
                else:
                    v.syringe.blocked_in = v.syringe.blocked_out = held
            case "tube-on-balance":
                self.pull.grams = values["grams"] if begins else 0.0
            case _:
                if begins:
                    self.hang(other_bottle(self.recipe.name, values), values["ml"])

    def hang(self, fluid: str, ml: float) -> None:
        """A new bottle at `t`: `waste` is an empty one on the balance, anything else a full one at the valve."""
        v = self.volumes
        if "waste" in fluid.lower():
            v.bottles_in_ml -= v.waste_ml
            v.waste_ml = 0.0
            self.explained.add(self.waste, -1.0)
            self.waste = Mix()
        else:
            v.bottles_in_ml += ml - v.fresh_ml
            v.fresh_ml = ml
            v.fresh_hung_at = self.t
            self.recipe = recipe(fluid)

    def fresh(self) -> Medium:
        """Medium of the bottle as it is now: vented, it loses its CO2 to the room."""
        return fresh_medium(bottle_pco2_kpa(self.t - self.volumes.fresh_hung_at), self.recipe)

    def volumes_at(self, now: float) -> Manifold:
        """All volumes at `now`, without moving the plant off its grid."""
        self.advance(now)
        if now <= self.t:
            return self.volumes
        ahead = self.volumes.copy()
        ahead.move(self.t, now - self.t, self.air.rh)
        return ahead

    def pan_g(self, now: float) -> float:
        """The waste bottle with its content."""
        self.advance(now)
        v = self.volumes
        moves = v.syringe.ml_min or any(v.led_away)
        return (
            p.WASTE_TARE_G
            + p.DENSITY * (self.volumes_at(now) if moves else v).waste_ml
            + self.pull.at(now - self.start)
        )

    # judgement

    def truth(self, now: float) -> dict[str, float | bool]:
        """The world as it truly is: mL, mL/min, °C, %, µM; and what the syringe has truly moved, from where, to where.

        Beds are counted from 1."""
        v, air = self.volumes_at(now), self.air
        found: dict[str, float | bool] = {
            "at": now,
            "valve_port": v.port,
            "syringe_liquid_ml": v.syringe.liquid_ml,
            "syringe_air_ml": v.syringe.air_ml,
            "syringe_drawn_ml": v.syringe.drawn_ml,
            "syringe_delivered_ml": v.syringe.delivered_ml,
            "fresh_ml": v.fresh_ml,
            "waste_ml": v.waste_ml,
            "evaporated_ml": v.evaporated_ml,
            "by_hand_in_ml": v.by_hand_in_ml,
            "by_hand_out_ml": v.by_hand_out_ml,
            "spilled_ml": v.spilled_ml,
            "overflow": v.overflow,
            "bottle_phosphate_mm": self.recipe.phosphate,
            "gas_ml_min": self.gas_ml_min,
            "gas_ml": self.gas_ml,
            "chamber_cel": air.air_cel,
            "chamber_co2_percent": 100 * air.co2,
            "chamber_o2_percent": 100 * air.o2,
            "chamber_rh_percent": air.rh,
            "door_open": air.door_open,
        }
        for place in sorted({FRESH, WASTE, *v.ports.values(), *v.drawn, *v.delivered}):
            name = place.replace(" ", "_")
            found[f"drawn_from_{name}_ml"] = v.drawn.get(place, 0.0)
            found[f"delivered_to_{name}_ml"] = v.delivered.get(place, 0.0)
        for number, one in enumerate(self.beds, 1):
            found |= {
                f"reservoir_{number}_ml": v.reservoirs[number - 1],
                f"flow_{number}_ml_min": v.flow(number - 1),
                f"carried_{number}_ml": v.hoses[number - 1].carried_ml,
                f"inlet_{number}_o2_um": 1000 * one.liquid.o2 / one.liquid.ml,
                f"outlet_{number}_o2_um": 1000 * one.void_o2,
                f"outlet_{number}_do_percent": oxygen.do_percent(one.void_o2),
                f"ph_{number}": one.ph,
                f"lactate_{number}": one.liquid.lactate / one.liquid.ml,
                f"liquid_{number}_cel": one.cel,
                f"cells_{number}": one.cells,
            }
        return found

    def books(self) -> dict[str, float]:
        """What the books of mass and heat cannot explain, mL, µmol, K: zero but for rounding, at any time."""
        present, left = self._present(), {"liquid_ml": self.volumes.residual_ml()}
        left["heat_k"] = chamber.heat_residual(self.air)
        for name in ("ml", *SOLUTES):
            explained = getattr(self.explained, name)
            for one in self.beds:
                explained += getattr(one.reacted, name, 0.0) + getattr(one.reacted, f"gas_{name}", 0.0)
            left["mixed_ml" if name == "ml" else name] = getattr(present, name) - explained
        return left

    def _present(self) -> Mix:
        """Everything dissolved in loops, syringe and waste, and the liquid itself."""
        found = Mix()
        for part in (self.barrel, self.waste, *(one.liquid for one in self.beds)):
            found.add(part)
        found.o2 += sum(one.void_o2 * p.BED_VOID_ML for one in self.beds)
        return found

    def snapshot(self) -> dict[str, object]:
        return {
            "t": self.t,
            "start": self.start,
            "door_closes_at": None if self.door_closes_at == inf else self.door_closes_at,
            "fine_until": None if self.fine_until == -inf else self.fine_until,
            "recipe": self.recipe.name,
            "spheroids": [None if each is None else each.snapshot() for each in self.spheroids],
            "rates": [asdict(each) for each in self.rates],
            "shelf": self.shelf_snapshot(),
            "gas": [self.gas_ml_min, self.gas_ml],
            "pull": [self.pull.grams, self.pull.phase],
            "troubles": [asdict(each) for each in self.troubles],
            "air": asdict(self.air),
            "volumes": asdict(self.volumes),
            "beds": [asdict(one) for one in self.beds],
            "barrel": asdict(self.barrel),
            "waste": asdict(self.waste),
            "explained": asdict(self.explained),
        }

    def restore(self, saved: dict[str, object]) -> None:
        data = cast("dict[str, Any]", saved)
        self.t, self.start = data["t"], data["start"]
        self.door_closes_at = inf if data["door_closes_at"] is None else data["door_closes_at"]
        self.fine_until = -inf if data["fine_until"] is None else data["fine_until"]
        self.gas_ml_min, self.gas_ml = data["gas"]
        self.pull = Pull(*data.get("pull", (0.0, 0.0)))
        self.troubles = [Trouble(**each) for each in data.get("troubles", ())]
        self.recipe = recipe(data["recipe"])
        self.spheroids = [None if each is None else brood.restored(each) for each in data["spheroids"]]
        self.rates = [Rates(**each) for each in data["rates"]]
        self.restore_shelf(data["shelf"])
        self.air = chamber.ChamberState(**data["air"])
        v = data["volumes"]
        hoses = [Hose(**each) for each in v["hoses"]]
        self.volumes = Manifold(**v | {"syringe": Syringe(**v["syringe"]), "hoses": hoses})
        self.beds = [
            Bed(**one | {"liquid": Mix(**one["liquid"]), "reacted": Reacted(**one["reacted"])}) for one in data["beds"]
        ]
        self.barrel, self.waste, self.explained = (Mix(**data[name]) for name in ("barrel", "waste", "explained"))
        self._next = self._next_stop()


def _checked(ports: Mapping[str, str] | None, beds_in_use: int) -> dict[str, str]:
    """Port 1 the fresh bottle, 2 the waste, from 3 on the reservoirs, unless told otherwise."""
    reservoirs = [reservoir(number) for number in range(1, beds_in_use + 1)]
    if ports is None:
        return {str(port): place for port, place in enumerate((FRESH, WASTE, *reservoirs), 1)}
    known: Sequence[str] = (FRESH, WASTE, *reservoirs)
    for port, place in ports.items():
        if place not in known or not port.isdigit():
            raise ValueError(f"valve port {port!r} leads to {place!r}; there are {', '.join(known)}")
    return dict(ports)
