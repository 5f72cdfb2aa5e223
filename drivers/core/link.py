"""Links carry bytes. The only file that knows pyserial, sockets or the operating system's ports."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, parse_qsl, urlsplit

from drivers.core.errors import LinkLost

if TYPE_CHECKING:
    import serial

AFTER_BREAK_S = 0.15
"""Wait after a break before anything is sent (liconic-stx.md: wait 150 ms, discard input)."""
DIAL_LIMIT_S = 3.0
"""Longest wait for a connection: a device on a bench is one or two switches away."""


class Link(Protocol):
    """One cable. Bytes in, bytes out; no framing, no retries, no meaning."""

    url: str

    @property
    def is_open(self) -> bool: ...

    async def dial(self) -> None:
        """Open (again); drops whatever was waiting in either direction. Raises LinkLost with the reason."""
        ...

    def write(self, data: bytes) -> None:
        """Hand `data` to the cable; never waits. Raises LinkLost when the link is closed."""
        ...

    async def read(self) -> bytes:
        """Wait for the next bytes, at least one. Raises LinkLost when the far side closed or the port went away."""
        ...

    def waiting(self) -> bytes:
        """Take what has already arrived, without waiting; b"" when nothing has."""
        ...

    async def close(self) -> None:
        """Close; repeated closing is fine. Bytes still queued are dropped, never replayed."""
        ...


def open_link(url: str, defaults: str = "") -> Link:
    """The link a URL names, not dialled yet; what a serial URL leaves out is taken from `defaults`, another such URL.

    serial:///dev/ttyUSB0?baud=9600&parity=N&bits=8&stopbits=1 · tcp://host:port · http://host[:port]
    Seldom needed at a serial port: rtscts=1 (hardware handshake), dtr=0, rts=0 (levels once open), break_ms=200.
    Raises ValueError when the URL is wrong.
    """
    parts = urlsplit(url)
    match parts.scheme:
        case "serial":
            settings = dict(parse_qsl(urlsplit(defaults).query)) | dict(parse_qsl(parts.query, strict_parsing=False))
            return SerialLink(url, parts.netloc + parts.path, settings)
        case "tcp":
            return TcpLink(url, *_host_and_port(parts, None))
        case "http":
            return TcpLink(url, *_host_and_port(parts, 80))
        case "modbus-tcp":
            raise ValueError(
                f"{url}: Modbus TCP is not there yet; a serial server that carries the bytes of the cable is tcp://"
            )
        case _:
            raise ValueError(f"{url}: a link is serial:///dev/…, tcp://host:port or http://host[:port]")


def _host_and_port(parts: SplitResult, default: int | None) -> tuple[str, int]:
    try:
        port = parts.port or default
    except ValueError as error:
        raise ValueError(f"{parts.geturl()}: {error}") from error
    if not parts.hostname or port is None:
        raise ValueError(f"{parts.geturl()}: host and port are needed, such as {parts.scheme}://192.168.0.5:4001")
    return parts.hostname, port


class _Inbox:
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


class TcpLink:
    """A TCP connection: a serial server, or a device with a plug of its own. Both sides of asyncio in one object."""

    def __init__(self, url: str, host: str, port: int) -> None:
        self.url, self.host, self.port = url, host, port
        self._connection: _Connection | None = None

    @property
    def is_open(self) -> bool:
        return self._connection is not None and self._connection.is_open

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
            raise LinkLost(f"{self.url}: {_reason(error)}") from error

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
        self.url, self.inbox = url, _Inbox()
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        plug: socket.socket = transport.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        self.inbox.put(data)

    def eof_received(self) -> None:
        self.inbox.end(LinkLost(f"{self.url}: the far side closed the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        reason = _reason(exc) if isinstance(exc, OSError) else "the connection is closed"
        self.inbox.end(LinkLost(f"{self.url}: {reason}", broken=exc is not None))

    def write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise LinkLost(f"{self.url}: the connection is closed")
        self._transport.write(data)

    def give_up(self) -> None:
        """Close at once; bytes not sent yet are dropped."""
        self.inbox.end(LinkLost(f"{self.url}: closed by us"))
        if self._transport is not None:
            self._transport.abort()


class SerialLink:
    """A serial port. pyserial opens and sets it, exclusively; reading and writing are the loop's (POSIX)."""

    def __init__(self, url: str, device: str, settings: dict[str, str]) -> None:
        self.url, self.device = url, device
        known = {"baud": "9600", "parity": "N", "bits": "8", "stopbits": "1"}
        known |= {"rtscts": "0", "dtr": "1", "rts": "1", "break_ms": "0"}
        if not device:
            raise ValueError(f"{url}: no port named, such as serial:///dev/ttyUSB0?baud=9600")
        if unknown := settings.keys() - known:
            raise ValueError(f"{url}: {', '.join(sorted(unknown))} unknown; known are {', '.join(known)}")
        asked = known | settings
        try:
            self.baud, self.bits, self.stopbits = int(asked["baud"]), int(asked["bits"]), float(asked["stopbits"])
            self.rtscts, self.dtr, self.rts = (bool(int(asked[name])) for name in ("rtscts", "dtr", "rts"))
            self.break_s = int(asked["break_ms"]) / 1000
        except ValueError as error:
            raise ValueError(f"{url}: {error}") from error
        self.parity = asked["parity"].upper()
        if self.parity not in ("N", "E", "O") or self.bits not in (7, 8) or self.stopbits not in (1, 1.5, 2):
            raise ValueError(f"{url}: parity is N, E or O; bits 7 or 8; stopbits 1, 1.5 or 2")
        self._port: serial.Serial | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._inbox = _Inbox()
        self._unsent = bytearray()

    @property
    def is_open(self) -> bool:
        return self._port is not None

    async def dial(self) -> None:
        """Open the port for us alone and empty both its queues. Raises LinkLost with what to do about it."""
        await self.close()
        if os.name != "posix":
            raise LinkLost(f"{self.url}: serial ports on Windows are not there yet; use a serial server and tcp://")
        import serial

        try:
            port = serial.Serial(
                None, self.baud, self.bits, self.parity, self.stopbits, timeout=0, rtscts=self.rtscts, exclusive=True
            )
            port.port, port.dtr = self.device, self.dtr
            if not self.rtscts:
                port.rts = self.rts
            port.open()
            if self.break_s:
                await self._break(port)
            port.reset_input_buffer()
            port.reset_output_buffer()
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise LinkLost(f"{self.url}: {_advice(error, self.device)}") from error
        self._port, self._inbox, self._loop = port, _Inbox(), asyncio.get_running_loop()
        self._loop.add_reader(port.fileno(), self._arrived)

    async def _break(self, port: serial.Serial) -> None:
        """Hold the line low for `break_s`: some programmable controllers find the baud rate by it."""
        try:
            port.break_condition = True
            await asyncio.sleep(self.break_s)
            port.break_condition = False
            await asyncio.sleep(AFTER_BREAK_S)
        except BaseException:
            port.close()
            raise

    def write(self, data: bytes) -> None:
        if self._port is None:
            raise LinkLost(f"{self.url}: not open")
        self._unsent += data
        self._send()

    async def read(self) -> bytes:
        if self._port is None:
            raise LinkLost(f"{self.url}: not open")
        return await self._inbox.get()

    def waiting(self) -> bytes:
        return self._inbox.take()

    async def close(self) -> None:
        self._hang_up(LinkLost(f"{self.url}: closed by us"))

    def _arrived(self) -> None:
        assert self._port is not None
        try:
            data = os.read(self._port.fileno(), 4096)
        except BlockingIOError:
            return
        except OSError as error:
            self._hang_up(LinkLost(f"{self.url}: {_reason(error)}; unplugged?", broken=True))
            return
        if data:
            self._inbox.put(data)
        else:
            self._hang_up(LinkLost(f"{self.url}: the port is gone; unplugged?", broken=True))

    def _send(self) -> None:
        assert self._port is not None
        assert self._loop is not None
        fd = self._port.fileno()
        try:
            del self._unsent[: os.write(fd, self._unsent)]
        except BlockingIOError:
            pass
        except OSError as error:
            lost = LinkLost(f"{self.url}: {_reason(error)}; unplugged?", broken=True)
            self._hang_up(lost)
            raise lost from error
        if self._unsent:
            self._loop.add_writer(fd, self._send_more)
        else:
            self._loop.remove_writer(fd)

    def _send_more(self) -> None:
        with contextlib.suppress(LinkLost):  # whoever reads is told by the inbox
            self._send()

    def _hang_up(self, why: LinkLost) -> None:
        port, self._port = self._port, None
        if port is None:
            return
        assert self._loop is not None
        self._loop.remove_reader(port.fileno())
        self._loop.remove_writer(port.fileno())
        self._unsent.clear()
        self._inbox.end(why)
        port.close()


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.ECONNREFUSED:
            return "refused: nothing listens at that port"
        case errno.ECONNRESET | errno.EPIPE:
            return "the far side broke the connection"
        case errno.EHOSTUNREACH | errno.ENETUNREACH:
            return "no way to that host; cable or address?"
        case _ if isinstance(error, socket.gaierror):
            return f"no such host ({error.strerror})"
        case _:
            return error.strerror or str(error)


def _advice(error: Exception, device: str) -> str:
    """Why a port did not open and what a person can do about it."""
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EACCES, errno.EPERM):
        return "no permission; add this user to the group that owns the port (sudo adduser $USER dialout), log in again"
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        near = sorted(str(path) for name in ("ttyUSB*", "ttyACM*") for path in Path("/dev").glob(name))
        return f"no such port; there are: {', '.join(near) or 'none'}"
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
        holders = _holders(device)
        return f"in use by {', '.join(holders) or 'another program'}; a port belongs to one program at a time"
    return str(error)


def _holders(device: str) -> list[str]:
    """Other processes that have the port open, as far as this user may see them (Linux)."""
    real, found = os.path.realpath(device), set[str]()
    for handle in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(handle.readlink()) == real and handle.parts[2] != str(os.getpid()):
                found.add(f"process {handle.parts[2]}")
        except OSError:
            continue
    return sorted(found)
