"""Signals that hardly move: which of them the next poll asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from drivers.core.signals import Quality, Reading

NEVER_ASKED = float("-inf")


class Seldom:
    """All at first; a signal with a period of its own again when that is over, and until then only after `forget`."""

    def __init__(self, every_s: Mapping[str, float]) -> None:
        self.every_s = every_s
        self._next: dict[str, float] = {}

    def due(self, names: Iterable[str]) -> list[str]:
        """Those of `names` whose turn it is."""
        now, following = asyncio.get_running_loop().time(), self._next
        return [name for name in names if following.get(name, NEVER_ASKED) <= now]

    def took(self, readings: Mapping[str, Reading]) -> None:
        """A poll brought this: what is not BAD has its period before it."""
        now = asyncio.get_running_loop().time()
        for name, every_s in self.every_s.items():
            if name in readings and readings[name].quality is not Quality.BAD:
                self._next[name] = now + every_s

    def forget(self) -> None:
        """The next poll asks for everything: the device was identified anew, or something was set."""
        self._next.clear()
