"""A pump by weight: n doses through the dose ledger into a cup on a balance, each weighed before and after."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from controller.actors import Actor
from controller.calibration.points import Point
from controller.errors import Unusable
from controller.run.books import INTO
from controller.run.doors import Doors
from controller.run.transfers import Site
from controller.settings import UnitSettings
from controller.store.changes import AuditEntry, Insert
from drivers.core import units
from drivers.core.errors import WireError
from drivers.core.fluid import Direction
from drivers.core.signals import Quality
from protocols.effects import Transfer
from protocols.states import RunState

SETTLE_S = 10.0
"""Drops fall and the balance stands still before a weight is taken."""
SEEN = 0.25
"""Share of the counted volume that the balance must see: less is a hose elsewhere, not a worn tube."""


@dataclass(frozen=True, slots=True)
class Weighing:
    """What is asked: how many doses of how much, mL and mL/min, and the signal of the balance."""

    doses: int
    volume_ml: float
    rate_ml_min: float
    balance: str


def path_of(unit: UnitSettings, pump: str) -> str:
    """The fluid path that this pump moves; raises Unusable."""
    for name, path in unit.paths.items():
        if path.pump == pump:
            return name
    raise Unusable([f"no fluid path of {unit.name} has the pump {pump}"])


async def weigh(
    doors: Doors, unit: UnitSettings, pump: str, number: str, asked: Weighing, by: Actor, halt: asyncio.Event
) -> list[Point]:
    """Do the doses under run id `number`, which this opens in the ledger; `halt` ends them. Raises Unusable when one
    fails, and when the balance does not see what the pump counts: then the hose is not over the cup.

    Each goes the way of any dose: intent first, one bounded command, fence, counters. The cup takes it (`prime`), so
    the books of a vessel know nothing of it.
    """
    now, name = doors.clock.now(), path_of(unit, pump)
    path = unit.paths[name]
    room = unit.vessel.max_ml - unit.vessel.level_ml
    if name == INTO and 2 * asked.volume_ml > room:
        raise Unusable([f"two doses that miss the cup must fit into the vessel ({room:g} mL): weigh smaller ones"])
    await weight(doors, asked.balance)
    row = {
        "run_id": number,
        "unit": unit.name,
        "name": f"calibration of {pump}",
        "state": RunState.IDLE.value,
        "created_at": now,
        "ended_at": now,
        "created_by": by.name,
    }
    if doors.ledger.run(number) is None:
        entry = AuditEntry("doses to weigh", "device", pump, by.name, by.role, by.authenticated_by, new=asked.doses)
        await doors.ledger.commit([Insert("runs", row)], [entry])
    done = len({each.path for each in doors.ledger.doses(number)})
    found: list[Point] = []
    for count in range(done, done + asked.doses + 1):
        before = await weight(doors, asked.balance)
        transfer = Transfer(
            f"dose {count}", "prime", name, "volume", asked.volume_ml, asked.rate_ml_min, "calibration", unit.name
        )
        result = await doors.transfers.perform(Site(number, unit, now), transfer, halt)
        if result is None or result.outcome in ("refused", "failed", "unknown") or result.counter_ml is None:
            which = "the first dose, which fills the line" if count == done else f"dose {count - done}"
            raise Unusable([f"{which}: {result.why if result else 'ended early'}"])
        if count == done:
            continue  # the first one fills the line
        await asyncio.sleep(SETTLE_S)
        weighed = (await weight(doors, asked.balance) - before) / path.density_g_ml
        counted = sum(
            each.moved_ml or 0.0
            for each in doors.ledger.doses(number, f"dose {count}")
            if each.stroke == Direction.DELIVER
        )
        if weighed < SEEN * counted:
            raise Unusable([f"{asked.balance} saw {weighed:.2f} of {counted:.2f} mL: is the hose over the cup on it?"])
        found.append(
            Point(
                "dose",
                pump,
                "mL",
                weighed,
                counted,
                None,
                doors.clock.now(),
                by.name,
                lot=asked.balance,
                asked_ml=asked.volume_ml,
                counted_ml=counted,
            )
        )
    return found


async def weight(doors: Doors, balance: str) -> float:
    """Grams on the balance now; raises Unusable when it cannot be read."""
    device, _, signal = balance.partition(".")
    spec = doors.bench.device(device).specs().get(signal) if device in doors.bench.keepers else None
    if spec is None or not spec.unit or units.unit(spec.unit).dimension != "mass":
        raise Unusable([f"{balance} is no weight; write it as device.signal, like balance.weight"])
    if device in doors.latest.marks:
        raise Unusable([f"{device} is no reference now: {doors.latest.marks[device][1]}"])
    try:
        reading = await doors.bench.device(device).read(signal)
    except WireError as error:
        raise Unusable([f"{balance} cannot be read: {error}"]) from error
    if reading.quality is not Quality.GOOD or not isinstance(reading.value, (int, float)):
        raise Unusable([f"{balance} is not good: {reading.why}"])
    return units.convert(float(reading.value), spec.unit, "g")
