"""Bodies that are not JSON: where they are taken, and how much of them within what time (SEC-06, SEC-11)."""

from __future__ import annotations

import asyncio
import re

from starlette.types import Message, Receive

from api.web.problems import Problem

ADDRESS = re.compile(r"/api/v1/runs/[^/]+/tasks/photos")


def is_upload(method: str, path: str) -> bool:
    """Whether this request brings a file: its body is handed on part by part and never kept whole."""
    return method == "POST" and ADDRESS.fullmatch(path) is not None


def too_large(most: int) -> Problem:
    return Problem("too-large", f"a photo has at most {most / (1 << 20):g} MiB")


class Bounded:
    """Hands on a body of at most `most` bytes that is there within `limit_s`."""

    def __init__(self, receive: Receive, most: int, limit_s: float) -> None:
        self._receive, self._most, self._size = receive, most, 0
        self._until = asyncio.get_running_loop().time() + limit_s

    async def __call__(self) -> Message:
        """Raises Problem too-large, too-slow."""
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise Problem("too-slow", "the photo did not arrive in time") from None
        self._size += len(message.get("body", b""))
        if self._size > self._most:
            raise too_large(self._most)
        return message
