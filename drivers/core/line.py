"""Turn-taking on one link: one question at a time, quiet times, time-outs, retries by rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from drivers.core.link import Link

T = TypeVar("T")

Parse = Callable[[bytearray], T | None]
"""Looks at everything received so far for one request: returns the reply, or None for "not complete yet".
It may delete leading garbage from the buffer. Raises BadFrame or Refused when the reply is certain to be bad or a no."""


class Line:
    """One link shared by the devices on it; devices call `query`, never the link."""

    def __init__(self, link: Link, name: str = "") -> None:
        self.link = link
        self.name = name or link.url

    async def query(self, request: bytes, parse: Parse[T], *, timeout_s: float, retries: int = 0, quiet_s: float = 0.0) -> T:
        """Send `request` in this device's turn and return what `parse` makes of the answer.

        `retries` counts further sends after NoAnswer or BadFrame; it must stay 0 for anything that moves fluid.
        After a time-out or a bad frame the line is quarantined: a late answer is thrown away before the next request.
        Raises NoAnswer, BadFrame, Refused, LinkLost.
        """
        raise NotImplementedError

    async def query_to_close(self, request: bytes, *, timeout_s: float) -> bytes:
        """Dial, send, and return everything until the far side closes (HTTP without a length); one connection a request."""
        raise NotImplementedError

    def listen(self, hear: Callable[[bytes], None]) -> None:
        """Have `hear` called with bytes that came unasked (spontaneous alarms), before the next request goes out."""
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError
