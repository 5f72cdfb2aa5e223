"""Loops that stand though a run keeps them turning: told, not turned again, for somebody may have stopped them at the
pump because of a leak."""

from __future__ import annotations

from controller.plumbing import FLOW
from controller.run.doors import Doors
from controller.settings import Settings
from drivers.core.signals import Quality

SHARE = 0.5
"""Below this share of its set point a loop counts as standing (as agitation, safety-and-records 5.2)."""


class Loops:
    """Looked at again and again; what stands at two looks in a row is an alarm."""

    def __init__(self, settings: Settings, doors: Doors) -> None:
        self.doors = doors
        self._of = {unit.name: unit.roles[FLOW] for unit in settings.units if FLOW in unit.roles}
        self._seen: set[str] = set()

    async def look(self, busy: set[str]) -> None:
        """`busy`: units with a run; nobody waits for the others."""
        for unit, output in self._of.items():
            key = f"{output}:stands"
            if unit not in busy or not self._stands(output):
                self._seen.discard(output)
                await self.doors.alarms.clear(key)
            elif output in self._seen:
                kept = self.doors.outputs.kept[output]
                text = f"{output} is not the {kept:g} mL/min it was set to: the bed of {unit} is anoxic in minutes"
                advice = "Look at the pump and its tube now. Hold and restart the run, and it turns again."
                await self.doors.alarms.raise_(key, "critical", text, advice)
            else:
                self._seen.add(output)

    def _stands(self, output: str) -> bool:
        outputs, reading = self.doors.outputs, self.doors.latest.get(output)
        kept = outputs.kept.get(output, 0.0)
        if output in outputs.stopped_by_hand or reading.quality is not Quality.GOOD:
            return False
        return isinstance(reading.value, float) and reading.value < SHARE * kept
