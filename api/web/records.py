"""Ledger and history, read only, in a thread of their own: no import, no query and no unpacking of weeks of samples
holds up the loop. Opened when first asked for; what they need is imported then, after this process's first answer."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from api.web.problems import Problem

if TYPE_CHECKING:
    from controller.store.history_reader import HistoryReader
    from controller.store.reader import Reader


Found = TypeVar("Found")
NEEDED = ("controller.store.reader", "controller.store.history_reader", "controller.run.engine", "api.web.timeline")


class Records:
    """Of one data directory. Raises Problem while there are none yet, or when they cannot be read.

    `ledger` and `history` are for the reader's thread: for what is called through `ask`.
    """

    def __init__(self, data: Path) -> None:
        self.data = data
        self._ledger: Reader | None = None
        self._history: HistoryReader | None = None
        self._reader = ThreadPoolExecutor(1, "records")
        self._warm = False

    async def ask(self, question: Callable[[], Found]) -> Found:
        """Its answer, found in the reader's thread; questions go one after another."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, question)

    def warm(self) -> None:
        """Somebody has come and will ask soon: import what that takes, once, beside the loop."""
        if not self._warm:
            self._warm = True
            self._reader.submit(lambda: [importlib.import_module(name) for name in NEEDED])

    def ledger(self) -> Reader:
        if self._ledger is None:
            from controller.store.errors import LedgerDamaged
            from controller.store.reader import Reader

            try:
                ledger = Reader.open_read_only(self.data)
                if ledger.outdated:
                    ledger.close()
                    raise Problem("starting", "the controller has not brought its records up to date yet")
                self._ledger = ledger
            except FileNotFoundError:
                raise Problem("starting", "the controller has not opened its records yet") from None
            except LedgerDamaged as error:
                raise Problem("records-damaged", str(error)) from None
        return self._ledger

    def history(self) -> HistoryReader:
        if self._history is None:
            from controller.store.history_reader import HistoryReader

            try:
                self._history = HistoryReader.open_read_only(self.data)
            except FileNotFoundError:
                raise Problem("starting", "the controller has not opened its history yet") from None
        return self._history

    def close(self) -> None:
        """After the questions that were asked before."""
        self._reader.submit(self._close)
        self._reader.shutdown(wait=True)

    def _close(self) -> None:
        for each in (self._ledger, self._history):
            if each is not None:
                each.close()
