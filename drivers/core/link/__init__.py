"""Links carry bytes. The only folder that knows pyserial, sockets or the operating system's ports."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import SplitResult, parse_qsl, urlsplit

from drivers.core.link.modbus_tcp import ModbusTcpLink
from drivers.core.link.serial_port import SerialLink
from drivers.core.link.tcp import TcpLink

__all__ = ["Link", "ModbusTcpLink", "SerialLink", "TcpLink", "open_link"]


class Link(Protocol):
    """One cable. Bytes in, bytes out; no framing, no retries, no meaning."""

    url: str

    @property
    def may_be_dead(self) -> bool:
        """Whether it can have lost its far side without a sign, as a connection over a network can."""
        ...

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

    serial:///dev/ttyUSB0?baud=9600&parity=N&bits=8&stopbits=1 · serial://?usb=FT4XYZ12 (wherever that adapter is) ·
    tcp://host:port · modbus-tcp://host[:port] · http://host[:port]
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
            return ModbusTcpLink(url, *_host_and_port(parts, 502))
        case _:
            raise ValueError(
                f"{url}: a link is serial:///dev/…, tcp://host:port, modbus-tcp://host[:port] or http://host[:port]"
            )


def _host_and_port(parts: SplitResult, default: int | None) -> tuple[str, int]:
    try:
        port = parts.port or default
    except ValueError as error:
        raise ValueError(f"{parts.geturl()}: {error}") from error
    if not parts.hostname or port is None:
        raise ValueError(f"{parts.geturl()}: host and port are needed, such as {parts.scheme}://192.168.0.5:4001")
    return parts.hostname, port
