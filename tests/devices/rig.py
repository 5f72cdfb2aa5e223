"""One simulated device on a faulty cable in memory, and its driver: the bench of every driver test."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from random import Random
from types import ModuleType
from typing import Generic, TypeVar, cast

from drivers.catalogue import MODELS, find
from drivers.core.device import Device
from drivers.core.fluid import Direction
from drivers.core.line import Line
from simulators import catalogue
from simulators.core import faults
from simulators.core.hosts import MemoryHost
from simulators.core.simulator import Simulator
from simulators.standalone import PLACES, FreeBarrel

D = TypeVar("D", bound=Device)

LIES = (
    "flip:every=2",
    "truncate:every=3",
    "garbage:every=2",
    "drop:every=3",
    "duplicate:every=2",
    "delay:every=3:seconds=1.5",
)
"""For a wire with a check sum."""
HONEST_LIES = tuple(lie for lie in LIES if not lie.startswith("flip"))
"""For a wire without one: a flipped digit there is another number, and nobody can tell."""


@dataclass(frozen=True)
class Dose:
    """A dose this model can give with these options: `DOSES` of its family's test module, by model."""

    volume_ml: float
    rate_ml_min: float
    options: Mapping[str, float | str] = field(default_factory=dict[str, "float | str"])
    directions: tuple[Direction, ...] = (Direction.DELIVER, Direction.DRAW)


@dataclass(frozen=True)
class Setting:
    """What a model needs beyond its factory state to show all its signals: `SETTINGS` of its family's test module."""

    options: Mapping[str, float | str] = field(default_factory=dict[str, "float | str"])
    simulated: Mapping[str, float | str] = field(default_factory=dict[str, "float | str"])
    """Options of its simulator."""


def dose(model: str) -> Dose:
    return cast("Mapping[str, Dose]", vars(_tests(model))["DOSES"])[model]


def setting(model: str) -> Setting:
    return cast("Mapping[str, Setting]", vars(_tests(model)).get("SETTINGS", {})).get(model, Setting())


def _tests(model: str) -> ModuleType:
    return import_module(f"tests.devices.test_{MODELS[model].split('.')[2]}")


class Rig(Generic[D]):
    """`driver` talks to `simulator` over `wire`, where faults are put in."""

    def __init__(
        self,
        driver: type[D],
        simulator: Simulator,
        address: int = 0,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        self.simulator = simulator
        self.wire = faults.FaultyWire(simulator)
        self.host = MemoryHost(self.wire)
        self.driver = driver(Line(self.host.link()), address, options)
        self.place: object = None

    @staticmethod
    def of(model: str, options: Mapping[str, float | str] | None = None) -> Rig[Device]:
        """A model of the catalogue by itself, at its factory address, in still surroundings."""
        entry = catalogue.entry(model)
        place = PLACES[entry.place]()
        needs = setting(model)
        simulator = catalogue.build(model, place, address=entry.address, options=needs.simulated)
        rig = Rig(find(model), simulator, entry.address, {**needs.options, **(options or {})})
        rig.place = place
        return rig

    def moved_ml(self) -> float:
        """What has truly moved until now, both ways together."""
        assert isinstance(self.place, FreeBarrel)
        self.place.halt(asyncio.get_running_loop().time())
        return self.place.pushed_out_ml + self.place.pulled_in_ml

    async def put_away(self) -> None:
        """Close the line and stop the simulator: else it lives on for as long as the test's loop."""
        await self.driver.line.close()
        self.host.switch_off()

    def fault(self, text: str, seed: int = 0) -> None:
        """Put in a fault, written as in simulators.core.faults."""
        self.wire.faults.append(faults.Fault(faults.parse(text), asyncio.get_running_loop().time(), seed))

    def lie(self, seed: int, lies: tuple[str, ...] = LIES) -> Random:
        """Put in one to three lies chosen by `seed`; the chance they were chosen with, to go on with."""
        chance = Random(seed)
        for lie in chance.sample(lies, chance.randint(1, 3)):
            self.fault(lie, seed)
        return chance
