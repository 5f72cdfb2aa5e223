"""Ledger and history, read only, opened when first asked for: what they need is imported only then, after this process
has given its first answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from api.web.problems import Problem

if TYPE_CHECKING:
    from controller.store.history_reader import HistoryReader
    from controller.store.reader import Reader


class Records:
    """Of one data directory. Raises Problem while there are none yet, or when they cannot be read."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._ledger: Reader | None = None
        self._history: HistoryReader | None = None

    def ledger(self) -> Reader:
        if self._ledger is None:
            from controller.store.errors import LedgerDamaged
            from controller.store.reader import Reader

            try:
                self._ledger = Reader.open_read_only(self.data)
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
        for each in (self._ledger, self._history):
            if each is not None:
                each.close()
