"""A bench at one moment, kept: crash tests play many lives and deaths from the same scene."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from simulators.bench import START
from simulators.core.time import VirtualLoop
from tests.runs.lab import Lab

T = TypeVar("T")


@dataclass(frozen=True)
class Scene:
    """A data folder and a world at one moment, with no controller alive."""

    folder: Path
    world: str
    """As JSON: every life begins with a copy of its own."""
    at: float
    seed: int
    toml: str
    noise: bool

    @classmethod
    async def take(cls, lab: Lab, into: Path) -> Scene:
        """Kill the lab's controller now and keep everything that survives it."""
        await lab.kill()
        shutil.copytree(lab.folder, into)
        now = asyncio.get_running_loop().time()
        world = json.dumps(lab.bench.snapshot())
        lab.bench.switch_off()
        return cls(into, world, now, lab.seed, lab.toml, lab.noise)

    def play(self, folder: Path, act: Callable[[Lab], Awaitable[T]]) -> T:
        """Enter the scene with a bench and folder of its own, in a loop of its own, and act there."""
        shutil.copytree(self.folder, folder)

        async def acted() -> T:
            lab = Lab(folder, seed=self.seed, start=self.at, toml=self.toml, noise=self.noise)
            lab.bench.restore(json.loads(self.world))
            try:
                return await act(lab)
            finally:
                await lab.close()

        with asyncio.Runner(loop_factory=lambda: VirtualLoop(self.at)) as runner:
            return runner.run(acted())


def staged(act: Callable[[], Awaitable[Scene]]) -> Scene:
    """Make a scene from nothing, in virtual time."""

    async def made() -> Scene:
        return await act()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(START)) as runner:
        return runner.run(made())
