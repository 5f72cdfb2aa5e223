"""Whose step has a pump in hand: from its first stroke until the step is over nobody else's fluid comes in between.

Units may share a pump with its valve (RM-12). Between drawing and delivering the syringe holds what is one vessel's,
and between withdrawing and filling a vessel stands drained; so a pump belongs to a step, not to a stroke.
"""

from __future__ import annotations

from collections.abc import Callable

from controller.store.ledger import Ledger

Step = tuple[str, str]
"""Run id and path."""


class Holders:
    """`under_way(run, path)` tells whether that step still goes on; after a restart the ledger knows whose it was."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.under_way: Callable[[str, str], bool] = lambda run, path: False
        self._last: dict[str, Step] = {}
        self._queue: dict[str, list[str]] = {}
        """Runs that wait for a pump, in the order they came."""

    def holder(self, pump: str) -> Step | None:
        """The step that has this pump in hand."""
        step = self._last.get(pump) or self._of_ledger(pump)
        return step if step and self.under_way(*step) else None

    def other(self, pump: str, run_id: str) -> Step | None:
        """The same, when it is another run's."""
        step = self.holder(pump)
        return step if step and step[0] != run_id else None

    def wait(self, pump: str, run_id: str) -> None:
        """Stand in the queue; may be repeated."""
        queue = self._queue.setdefault(pump, [])
        if run_id not in queue:
            queue.append(run_id)

    def leave(self, pump: str, run_id: str) -> None:
        """Out of the queue: it has the pump, or wants it no more."""
        if run_id in (queue := self._queue.get(pump, [])):
            queue.remove(run_id)

    def first(self, pump: str, run_id: str) -> bool:
        """Whether it is this run's turn; one that had the pump last goes on first: it has just rinsed the syringe."""
        had = self._last.get(pump)
        queue = self._queue.get(pump, [])
        return not queue or queue[0] == run_id or (had is not None and had[0] == run_id)

    def take(self, pump: str, run_id: str, path: str) -> None:
        """This step begins to work with it, or goes on."""
        self._last[pump] = run_id, path

    def _of_ledger(self, pump: str) -> Step | None:
        last = self.ledger.last_dose(pump)
        return None if last is None else (last.run_id or "", last.path)
