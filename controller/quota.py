"""So many in a minute, the rest is counted: what anybody may cause to be written must not fill the ledger."""

from __future__ import annotations

from controller.clock import people_s

WINDOW_S = 60.0


class Quota:
    """Windows are wall time: people time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._began = float("-inf")
        self._taken = self._beyond = 0

    def ended(self) -> int:
        """How many were beyond it in a window that has ended since; told once."""
        now, beyond = people_s(), self._beyond
        if now - self._began < WINDOW_S:
            return 0
        self._began, self._taken, self._beyond = now, 0, 0
        return beyond

    def take(self) -> bool:
        """True: one more fits; False: it was counted."""
        fits = self._taken < self.most
        self._taken += fits
        self._beyond += not fits
        return fits
