"""A whole bench and its real drivers, without a controller: what a driver reads, and what is true behind it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping
from typing import Any

from drivers.catalogue import find
from drivers.core.device import Device
from drivers.core.fluid import Direction, FluidMover
from drivers.core.line import Line
from simulators.bench import SimulatedBench, shipped

FULL: dict[str, Any] = copy.deepcopy(dict(shipped()))
FULL["simulation"] |= {"vessel_ml": 90.0, "cells_per_ml": 2e5}
"""`stirred-100` with its vessel filled and warm."""
PERFUSED: dict[str, Any] = copy.deepcopy(dict(shipped("perfusion-4")))
PERFUSED["simulation"] |= {"reservoir_ml": 15.0, "cells": 3e6}


class Desk:
    """`faults` are there from the start."""

    def __init__(self, *faults: str, config: Mapping[str, Any] = FULL, seed: int | None = None) -> None:
        self.config = config
        self.bench = SimulatedBench(config, seed=seed, faults=faults, start=self.now)
        self.lines: dict[str, Line] = {}
        self.bench.switch_on()

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def device(self, name: str) -> Device:
        """A fresh driver, as after a restart of the controller."""
        asked = next(each for each in self.config["devices"] if each["name"] == name)
        link = asked["link"]
        if link not in self.lines:
            self.lines[link] = Line(self.bench.open_link(link))
        return find(asked["model"])(self.lines[link], asked.get("address", 0), asked.get("options"))

    async def ready(self, name: str) -> Device:
        device = self.device(name)
        await device.identify()
        await device.prepare()
        return device

    async def pump(self, name: str = "pump_in") -> FluidMover:
        device = await self.ready(name)
        assert isinstance(device, FluidMover)
        return device

    def inject(self, text: str) -> None:
        self.bench.inject(text, self.now)

    def truth(self, name: str) -> float:
        return float(self.bench.truth(self.now)[name])

    async def stroke(self, pump: FluidMover, direction: Direction, ml: float, rate_ml_min: float = 5.0) -> None:
        """Start it and let it end, with a word now and then for its watchdog."""
        await pump.start(direction, ml, rate_ml_min)
        for _ in range(int(ml / rate_ml_min * 60 / 20) + 2):
            await asyncio.sleep(20.0)
            await pump.status()
