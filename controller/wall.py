"""The wall clock of the computer beside the clock of the bench: a jump of one does not move the other (TM-04, TM-05).

The bench counts elapsed seconds from its start, so a jump changes no plan; it is recorded, and a large one is an alarm.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from controller.actors import SYSTEM
from controller.alarms import Alarms
from controller.clock import SCAN_S, Clock
from controller.store.changes import AuditEntry
from controller.store.errors import LedgerFault
from controller.store.ledger import Ledger

EVENT_S, ALARM_S = 1.0, 5.0
"""A jump larger than this is an event, and an alarm (TM-04)."""


@dataclass(slots=True)
class Wall:
    """Compares at each scan how far both clocks went."""

    clock: Clock
    ledger: Ledger
    alarms: Alarms
    ahead_s: float = 0.0

    async def watch(self) -> None:
        """Until cancelled; at once where there is no wall clock (virtual and paced time)."""
        if self.clock.wall is None:
            return
        self.ahead_s = self.clock.ahead_s()
        while True:
            await asyncio.sleep(SCAN_S)
            await self.look()

    async def look(self) -> None:
        jumped_s = self.clock.ahead_s() - self.ahead_s
        if abs(jumped_s) <= EVENT_S:
            return  # drift of a disciplined clock adds up until it is an event
        self.ahead_s += jumped_s
        text = f"the wall clock of this computer jumped by {jumped_s:+.1f} s; osteon counts elapsed time and goes on"
        entry = AuditEntry(
            "clock stepped",
            "controller",
            "clock",
            SYSTEM.name,
            SYSTEM.role,
            new=round(jumped_s, 3),
            unit="s",
            reason=text,
        )
        try:
            await self.ledger.commit([], [entry])
            if abs(jumped_s) > ALARM_S:
                advice = "Find out why. Times of records are those of the bench since its start; check them."
                await self.alarms.raise_(f"clock:{self.clock.now():.0f}", "critical", text, advice)
        except LedgerFault:
            return  # told elsewhere: nothing can be recorded any more (ST-04)
