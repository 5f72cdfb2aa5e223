"""TCP: a serial server, or a device with a plug of its own."""

from __future__ import annotations

import asyncio
import socket

from drivers.core.errors import LinkLost
from drivers.core.link.inbox import Inbox
from drivers.core.link.troubles import reason

DIAL_LIMIT_S = 3.0
"""Longest wait for a connection: a device on a bench is one or two switches away."""

HALF_OPEN = (
    ("TCP_KEEPIDLE", 10),
    ("TCP_KEEPINTVL", 5),
    ("TCP_KEEPCNT", 3),
    ("TCP_USER_TIMEOUT", 15_000),
)
"""A far side that lost its power says nothing. It is asked after 10 s of silence and given up 15 s later, and so are
bytes that nobody confirms for 15 s (milliseconds). Where the system has such an option (Linux has all)."""


class TcpLink:
    """A TCP connection: a serial server, or a device with a plug of its own. Both sides of asyncio in one object."""

    def __init__(self, url: str, host: str, port: int) -> None:
        self.url, self.host, self.port = url, host, port
        self._connection: _Connection | None = None

    @property
    def may_be_dead(self) -> bool:
        return True

    @property
    def is_open(self) -> bool:
        return self._connection is not None and self._connection.is_open

    @property
    def socket(self) -> socket.socket:
        """The system's own; raises LinkLost when not connected."""
        if self._connection is None or self._connection.plug is None:
            raise LinkLost(f"{self.url}: not connected")
        return self._connection.plug

    async def dial(self) -> None:
        """Connect within DIAL_LIMIT_S; a connection that is still there is given up first."""
        await self.close()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(DIAL_LIMIT_S):
                _, self._connection = await loop.create_connection(lambda: _Connection(self.url), self.host, self.port)
        except TimeoutError:
            raise LinkLost(
                f"{self.url}: no connection within {DIAL_LIMIT_S:g} s; is the device on and cabled?"
            ) from None
        except OSError as error:
            raise LinkLost(f"{self.url}: {reason(error)}") from error

    def write(self, data: bytes) -> None:
        if self._connection is None:
            raise LinkLost(f"{self.url}: not connected")
        self._connection.write(data)

    async def read(self) -> bytes:
        if self._connection is None:
            raise LinkLost(f"{self.url}: not connected")
        return await self._connection.inbox.get()

    def waiting(self) -> bytes:
        return b"" if self._connection is None else self._connection.inbox.take()

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.give_up()
            self._connection = None


class _Connection(asyncio.Protocol):
    """One TCP connection from its making to its end."""

    def __init__(self, url: str) -> None:
        self.url, self.inbox = url, Inbox()
        self._transport: asyncio.Transport | None = None
        self.plug: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        plug: socket.socket = transport.get_extra_info("socket")
        self.plug = plug
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in HALF_OPEN:
            if (number := getattr(socket, option, None)) is not None:
                plug.setsockopt(socket.IPPROTO_TCP, number, value)

    def data_received(self, data: bytes) -> None:
        self.inbox.put(data)

    def eof_received(self) -> None:
        self.inbox.end(LinkLost(f"{self.url}: the far side closed the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        why = reason(exc) if isinstance(exc, OSError) else "the connection is closed"
        self.inbox.end(LinkLost(f"{self.url}: {why}", broken=exc is not None))

    def write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise LinkLost(f"{self.url}: the connection is closed")
        self._transport.write(data)

    def give_up(self) -> None:
        """Close at once; bytes not sent yet are dropped."""
        self.inbox.end(LinkLost(f"{self.url}: closed by us"))
        if self._transport is not None:
            self._transport.abort()
