"""The client's side of HTTP/1.1 with one connection a request (pure).

A reply without transfer coding is taken apart here (2 µs); anything unusual is left to h11.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import h11

from drivers.core.errors import BadFrame


class Response(NamedTuple):
    """Status code, header fields with lower-case names, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def get(target: str, host: str) -> bytes:
    """The bytes of `GET target`; the far side is asked to close after its answer."""
    if any(char <= " " or char > "~" for char in target + host):
        raise ValueError(f"not to be sent as a request line: {target!r} at {host!r}")
    return (
        f"GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: osteon\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


def parse_response(data: bytes) -> Response:
    """Take apart everything that came until the far side closed; raises BadFrame when it is not a whole response."""
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank:
        raise BadFrame(f"no whole HTTP header in {len(data)} bytes: {data[:60]!r}")
    status, headers = _parse_head(head)
    if "transfer-encoding" in headers or status < 200:
        return _parse_with_h11(data)
    length = headers.get("content-length")
    if length is not None:
        if not length.isdecimal() or len(body) < int(length):
            raise BadFrame(f"HTTP body of {len(body)} bytes, {length[:20]} announced")
        body = body[: int(length)]
    return Response(status, headers, body)


@lru_cache(maxsize=16)
def _parse_head(head: bytes) -> tuple[int, Mapping[str, str]]:
    """Status code and header fields; remembered, as a device without a clock says the same each time."""
    status, *fields = head.split(b"\r\n")
    if not (status.startswith(b"HTTP/1.") and status[8:9] == b" " and status[9:12].isdigit()):
        raise BadFrame(f"not an HTTP status line: {status[:60]!r}")
    headers: dict[str, str] = {}
    for field in fields:
        name, colon, value = field.decode("latin-1").partition(":")
        if not colon:
            raise BadFrame(f"not an HTTP header field: {field[:60]!r}")
        headers[name.strip().lower()] = value.strip()
    return int(status[9:12]), MappingProxyType(headers)


def _parse_with_h11(data: bytes) -> Response:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "device")]))
    connection.send(h11.EndOfMessage())
    head: h11.Response | None = None
    body = bytearray()
    try:
        connection.receive_data(data)
        connection.receive_data(b"")
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)) or event is h11.NEED_DATA:
                break
    except h11.RemoteProtocolError as error:
        raise BadFrame(f"not a whole HTTP response: {error}") from error
    if head is None:
        raise BadFrame("no final HTTP response")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in head.headers}
    return Response(head.status_code, headers, bytes(body))
