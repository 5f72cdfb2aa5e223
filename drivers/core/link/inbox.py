"""What has arrived on a link and was not taken yet."""

from __future__ import annotations

import asyncio

from drivers.core.errors import LinkLost


class Inbox:
    """What has arrived and was not taken, one reader that waits, and why there will be no more."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._reader: asyncio.Future[None] | None = None
        self._end: LinkLost | None = None

    def put(self, data: bytes) -> None:
        self._bytes += data
        self._wake()

    def end(self, why: LinkLost) -> None:
        """Nothing more will come; what has arrived may still be read."""
        if self._end is None:
            self._end = why
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def take(self) -> bytes:
        if not self._bytes:
            return b""
        data = bytes(self._bytes)
        self._bytes.clear()
        return data

    async def get(self) -> bytes:
        while not self._bytes:
            if self._end is not None:
                raise self._end
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self.take()
