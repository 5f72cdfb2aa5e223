"""Four ways to do it wrong, planted in the real ledger code: the check of §6.3 must tell each from the right one."""

from __future__ import annotations

from controller.run.doses import Doses, Weigh
from controller.run.intents import Intent
from controller.run.reconcile import Verdict
from drivers.core.fluid import FluidMover, Totals

SHORT_S = 0.5
"""A quiet time shorter than the longest that a byte can be on its way."""


class NoFence(Doses):
    """Stops and reads, and does not wait for what may still come."""

    async def fence(self, mover: FluidMover) -> Totals | None:
        await mover.stop()
        with mover.as_identified():
            return await mover.totals()


class RetryOnRestart(Doses):
    """Takes what it did not see end for what never was."""

    async def reconcile(
        self, intent: Intent, mover: FluidMover, identity: str, weigh: Weigh | None, density_g_ml: float
    ) -> Intent:
        return await self._record(intent, Verdict("cancelled", 0.0, "planted: tried again"), None, None, None)


class AssumeDone(Doses):
    """Takes what it did not see end for done."""

    async def reconcile(
        self, intent: Intent, mover: FluidMover, identity: str, weigh: Weigh | None, density_g_ml: float
    ) -> Intent:
        return await self._record(intent, Verdict("done", intent.target_ml, "planted: it will be"), None, None, None)
