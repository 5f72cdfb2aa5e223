"""A cable whose far end follows a script of (request -> what comes back and when)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from drivers.core.errors import LinkLost

Answers = list[tuple[float, bytes | None]]
"""(delay s, bytes); None in place of bytes = the far side closes."""


class ScriptedLink:
    """`answer` gets every request and says what comes back; `sent` keeps (loop time, bytes)."""

    url = "scripted:"
    may_be_dead = False

    def __init__(self, answer: Callable[[bytes], Answers] = lambda request: []) -> None:
        self.answer = answer
        self.sent: list[tuple[float, bytes]] = []
        self.dials = 0
        self.dead = False
        self.is_open = False
        self._arrived = b""
        self._changed = asyncio.Event()

    @property
    def requests(self) -> list[bytes]:
        return [data for _, data in self.sent]

    async def dial(self) -> None:
        self.dials += 1
        if self.dead:
            raise LinkLost("scripted: nobody there")
        self.is_open, self._arrived = True, b""

    def write(self, data: bytes) -> None:
        if not self.is_open:
            raise LinkLost("scripted: closed")
        self.sent.append((asyncio.get_running_loop().time(), data))
        for delay_s, part in self.answer(data):
            asyncio.get_running_loop().call_later(delay_s, self.arrive, part)

    def arrive(self, data: bytes | None) -> None:
        if data is None:
            self.is_open = False
        elif self.is_open:
            self._arrived += data
        self._changed.set()

    async def read(self) -> bytes:
        while not self._arrived:
            if not self.is_open:
                raise LinkLost("scripted: the far side closed")
            self._changed.clear()
            await self._changed.wait()
        return self.waiting()

    def waiting(self) -> bytes:
        data, self._arrived = self._arrived, b""
        return data

    async def close(self) -> None:
        self.is_open = False
        self._changed.set()
