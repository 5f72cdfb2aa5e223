"""Stops a pump that is seen moving although no stroke is open here, and holds the runs of its unit (INV-02)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from controller.actors import RULE
from controller.run.doors import Doors
from controller.runs import Runs
from controller.settings import Settings
from controller.store.errors import LedgerFault
from drivers.core.errors import WireError
from drivers.core.fluid import Motion
from drivers.core.signals import Quality, Reading

ADVICE = "Look at vessel, syringe and lines: a key may have been pressed, or another program uses this pump."


class Strays:
    """Hears every poll; costs one look-up for what is no pump."""

    def __init__(self, settings: Settings, doors: Doors, runs: Runs, group: asyncio.TaskGroup) -> None:
        self.settings, self.doors, self.runs, self._group = settings, doors, runs, group
        self._pumps = frozenset(doors.bench.movers())
        self._stopping: set[str] = set()
        doors.latest.listen(self._hear)

    def _hear(self, device: str, readings: Mapping[str, Reading]) -> None:
        if device not in self._pumps or device in self._stopping:
            return
        motion = readings.get("motion")
        if motion is None or motion.quality is not Quality.GOOD or motion.value != Motion.MOVING.value:
            return
        ledger = self.doors.ledger
        if ledger.reigns() and all(row.device != device for row in ledger.open_doses()):
            self._stopping.add(device)
            self._group.create_task(self._stop(device), name=f"stray {device}")

    async def _stop(self, device: str) -> None:
        """Stop first, then tell and hold; what it moved enters the ledger before the next stroke."""
        try:
            await self.doors.bench.mover(device).stop()
            how = "it was stopped"
        except WireError as error:
            how = f"its stop is NOT CONFIRMED: {error}"
        text = f"{device} moved and nothing here had asked for it; {how}"
        try:
            for unit in self.settings.units:
                if device in (path.pump for path in unit.paths.values()):
                    await self.runs.hold(unit.name, RULE, text)
            await self.doors.alarms.raise_(f"{device}:unasked", "critical", text, ADVICE)
        except LedgerFault:
            self.runs.halt(None)
        finally:
            self._stopping.discard(device)
