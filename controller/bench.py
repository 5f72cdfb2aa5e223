"""The equipment of one controller: links, lines, devices and the tasks that keep them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from controller.latest import Latest
from controller.poller import Keeper
from controller.settings import Settings, UnitSettings
from drivers import catalogue
from drivers.core.device import Device
from drivers.core.fluid import FluidMover
from drivers.core.line import Line
from drivers.core.link import Link
from drivers.core.signals import Identity
from drivers.core.valve import SelectionValve

OpenLink = Callable[[str, str], Link]
"""(name, url) -> a link not yet dialled."""


class Bench:
    """Builds every device of the settings on its line; connecting is each keeper's own business."""

    def __init__(
        self,
        settings: Settings,
        open_link: OpenLink,
        latest: Latest,
        *,
        admit: Callable[[str, Identity], Awaitable[None]],
        told: Callable[[Keeper], Awaitable[None]],
    ) -> None:
        self.settings = settings
        self.lines = {name: Line(open_link(name, url), name) for name, url in settings.links.items()}
        self.keepers: dict[str, Keeper] = {}
        for each in settings.devices:
            kind = catalogue.find(each.model)
            address = kind.default_address if each.address is None else each.address
            device = kind(self.lines[each.link], address, each.options)
            self.keepers[each.name] = Keeper(each.name, device, latest, each.poll_s, admit=admit, told=told)

    def device(self, name: str) -> Device:
        return self.keepers[name].device

    def mover(self, name: str) -> FluidMover:
        device = self.device(name)
        if not isinstance(device, FluidMover):
            raise TypeError(f"{name} ({device.model}) moves no fluid")
        return device

    def valve(self, name: str) -> SelectionValve:
        device = self.device(name)
        if not isinstance(device, SelectionValve):
            raise TypeError(f"{name} ({device.model}) is no selection valve")
        return device

    def movers(self, unit: UnitSettings | None = None, *, loops: bool = False) -> dict[str, FluidMover]:
        """Every fluid mover of `unit`, or of the whole bench; with `loops` also those that keep a closed loop alive."""
        wanted = None if unit is None else {path.pump for path in unit.paths.values()} | {unit.loop}
        return {
            name: keeper.device
            for name, keeper in self.keepers.items()
            if isinstance(keeper.device, FluidMover)
            and (wanted is None or name in wanted)
            and (loops or not keeper.device.keeps_turning)
        }

    async def settled(self) -> None:
        """Wait until each device's first attempt to connect has ended."""
        for keeper in self.keepers.values():
            await keeper.settled.wait()

    async def keep(self) -> None:
        """Run every keeper until cancelled, then close the lines."""
        try:
            async with asyncio.TaskGroup() as group:
                for name, keeper in self.keepers.items():
                    group.create_task(keeper.run(), name=f"keep {name}")
        finally:
            for line in self.lines.values():
                await line.close()
