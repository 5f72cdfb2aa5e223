"""Protocols checked and planned in a thread of their own, so that neither the loop nor a reader of records waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from api.web.problems import Problem

Found = TypeVar("Found")
AT_MOST = 4
"""Questions at work or waiting; one more is told to come back."""


class Planner:
    """One question after another; raises Problem busy when too many wait."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "planner")
        self._waiting = 0

    async def ask(self, question: Callable[[], Found]) -> Found:
        if self._waiting >= AT_MOST:
            raise Problem("busy", "other protocols are being planned; try again in a moment", {"retry-after": "2"})
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, question)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
