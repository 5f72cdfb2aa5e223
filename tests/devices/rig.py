"""One simulated device on a faulty cable in memory, and its driver: the bench of every driver test."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Generic, TypeVar

from drivers.core.device import Device
from drivers.core.line import Line
from simulators.core import faults
from simulators.core.hosts import MemoryHost
from simulators.core.simulator import Simulator

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

    def fault(self, text: str, seed: int = 0) -> None:
        """Put in a fault, written as in simulators.core.faults."""
        self.wire.faults.append(faults.Fault(faults.parse(text), asyncio.get_running_loop().time(), seed))

    def lie(self, seed: int, lies: tuple[str, ...] = LIES) -> Random:
        """Put in one to three lies chosen by `seed`; the chance they were chosen with, to go on with."""
        chance = Random(seed)
        for lie in chance.sample(lies, chance.randint(1, 3)):
            self.fault(lie, seed)
        return chance
