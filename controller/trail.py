"""Audit entries of the service: who signed in, what was refused. Under a quota, so that nobody can fill the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from controller.actors import SYSTEM
from controller.clock import people_s
from controller.store.changes import AuditEntry
from controller.store.ledger import Ledger

QUOTA = 60
"""Entries in one window that are written one by one; further ones are counted in one entry."""
WINDOW_S = 60.0


class Trail:
    """The way of the API process into the ledger. Windows are wall time: people time."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._began = float("-inf")
        self._written, self._beyond = 0, 0

    async def record(self, entries: Sequence[AuditEntry]) -> int:
        """Write what the quota allows; returns how many were written. The count of the others follows as one entry."""
        now = people_s()
        taken: list[AuditEntry] = []
        if now - self._began >= WINDOW_S:
            if self._beyond:
                taken.append(self._counted(f"{self._beyond} entries beyond {QUOTA} in a minute were only counted"))
            self._began, self._written, self._beyond = now, 0, 0
        free = max(0, QUOTA - self._written)
        fitting = list(entries[:free])
        over = len(entries) - len(fitting)
        if over and not self._beyond:
            taken.append(self._counted(f"more than {QUOTA} entries in a minute: the next ones are counted"))
        self._written += len(fitting)
        self._beyond += over
        if fitting or taken:
            await self.ledger.commit([], [*fitting, *taken])
        return len(fitting)

    def _counted(self, text: str) -> AuditEntry:
        return AuditEntry("audit quota", "audit", "api", SYSTEM.name, SYSTEM.role, reason=text)
