"""Hosts that other programs can reach: a pseudo-terminal and a TCP port. Real files, so not for virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import pty
import tty
from pathlib import Path
from typing import cast

from simulators.core.hosts import Host
from simulators.core.simulator import Simulator

MOVED_S = 5.0
"""An adapter that is put into another socket is there again after this long."""


def target(path: Path) -> str | None:
    """The terminal that the link `path` leads to, None = it is no such link."""
    leads_to = os.readlink(path) if path.is_symlink() else ""
    return leads_to if leads_to.startswith("/dev/") else None


class PtyHost(Host):
    """A simulator on a pseudo-terminal, for any program that opens a serial port at `path`."""

    def __init__(self, simulator: Simulator, path: Path) -> None:
        super().__init__(simulator)
        self.path = path
        self.url = f"serial://{path}"
        self._fds: tuple[int, int] | None = None
        self._closed = False

    async def open(self) -> None:
        """Create the terminal in raw mode and `path` as a link to it; a link left behind earlier is replaced.

        Raises FileExistsError when `path` is anything else: a file of somebody's is never taken away.
        """
        if target(self.path) is None and self.path.exists():
            raise FileExistsError(errno.EEXIST, "is there already and is no port; name another path", str(self.path))
        self._put_up()

    def _put_up(self) -> None:
        ours, theirs = self._fds = pty.openpty()
        tty.setraw(theirs)  # and keep it open: the terminal then survives every program that closes it
        os.set_blocking(ours, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(theirs))
        self.plug(self)
        self.loop.add_reader(ours, self._read)

    def arrive(self, data: bytes) -> None:
        if self._fds is not None:
            with contextlib.suppress(BlockingIOError):  # nobody reads: the bytes are lost, as on a serial cable
                os.write(self._fds[0], data)

    def hang_up(self) -> None:
        """A serial cable cannot be hung up: the terminal stays where it is."""
        self._end = self

    def _read(self) -> None:
        if self._fds is not None:
            with contextlib.suppress(BlockingIOError):
                self.hear(os.read(self._fds[0], 4096))

    def vanish(self, seconds: float, moves: bool) -> None:
        """The terminal is gone, as when an adapter is pulled; moved, its name has `-moved` behind it from then on."""
        self._take_down()
        if moves:
            self.path = self.path.with_name(f"{self.path.name}-moved")
            self.url = f"serial://{self.path}"
        self.loop.call_later(min(seconds, MOVED_S) if moves else seconds, self._back)

    def _back(self) -> None:
        if self._fds is None and not self._closed:
            self._put_up()

    async def close(self) -> None:
        self._closed = True
        self.switch_off()
        self._take_down()

    def _take_down(self) -> None:
        if self._fds is not None:
            self.unplug()
            self.loop.remove_reader(self._fds[0])
            if target(self.path) == os.ttyname(self._fds[1]):  # still ours
                self.path.unlink()
            for fd in self._fds:
                os.close(fd)
            self._fds = None


class TcpHost(Host):
    """A simulator on a TCP port, one connection at a time.

    A serial server (`scheme` tcp) turns a second caller away; a small HTTP server (`scheme` http) lets it wait.
    """

    def __init__(self, simulator: Simulator, host: str, port: int, scheme: str = "tcp") -> None:
        super().__init__(simulator)
        self.host, self.port, self.scheme = host, port, scheme
        self.queue: list[_Connection] = []
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    async def open(self) -> None:
        """Listen; port 0 becomes the port the system gave."""
        self.switch_on()
        self._server = await self.loop.create_server(lambda: _Connection(self), self.host, self.port)
        self.port = cast("int", self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        self.switch_off()
        if self._server is not None:
            self._server.close()
            for connection in [*self.queue]:
                connection.give_up()
            await self._server.wait_closed()


class _Connection(asyncio.Protocol):
    """One caller; the first in the queue is the one the simulator hears."""

    def __init__(self, host: TcpHost) -> None:
        self._host = host
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        queue = self._host.queue
        if queue and self._host.scheme != "http":
            self._transport.abort()
            return
        queue.append(self)
        if queue[0] is self:
            self._host.plug(self)
        else:
            self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        if self._host.plugged(self):
            self._host.hear(data)

    def connection_lost(self, exc: Exception | None) -> None:
        queue = self._host.queue
        had_turn = queue[:1] == [self]
        if self in queue:
            queue.remove(self)
        if self._host.plugged(self):
            self._host.unplug()
        if had_turn and queue:
            queue[0].take_turn()

    def take_turn(self) -> None:
        self._host.plug(self)
        if self._transport is not None:
            self._transport.resume_reading()

    def arrive(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def give_up(self) -> None:
        """Close at once, also where the far side takes nothing any more."""
        if self._transport is not None:
            self._transport.abort()
