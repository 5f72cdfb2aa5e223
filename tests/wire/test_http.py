"""The HTTP client side: a recorded reply, h11 as the oracle, and replies that are not whole."""

from __future__ import annotations

import contextlib

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.core.errors import BadFrame
from drivers.core.wire import http

RECORDED = b'HTTP/1.1 200 OK\r\nContent-Type: Unknown\r\nServer: Memmert\r\n\r\n"Temp1Read": 28.7,'


def test_a_recorded_reply_of_an_incubator():
    assert http.parse_response(RECORDED) == (
        200,
        {"content-type": "Unknown", "server": "Memmert"},
        b'"Temp1Read": 28.7,',
    )


def test_a_request_is_what_h11_understands():
    server = h11.Connection(h11.SERVER)
    server.receive_data(http.get("/atmoweb?Temp1Read=&CO2Read=", "192.168.100.100"))
    request = server.next_event()
    assert isinstance(request, h11.Request)
    assert (request.method, request.target) == (b"GET", b"/atmoweb?Temp1Read=&CO2Read=")
    assert dict(request.headers)[b"host"] == b"192.168.100.100"
    assert isinstance(server.next_event(), h11.EndOfMessage)


@given(st.binary(max_size=200), st.integers(200, 599), st.booleans())
def test_replies_built_by_h11_are_read(body: bytes, status: int, chunked: bool):
    server = h11.Connection(h11.SERVER)
    server.receive_data(http.get("/", "host"))
    server.next_event()
    server.next_event()
    if status in (204, 304):
        status = 200
    kind = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))
    data = server.send(h11.Response(status_code=status, headers=[kind, ("X-A", "b")]))
    data += server.send(h11.Data(data=body)) + server.send(h11.EndOfMessage())
    response = http.parse_response(data)
    assert (response.status, response.body, response.headers["x-a"]) == (status, body, "b")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nServer: x\r\n",
        b"hello\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_what_is_not_a_whole_reply_is_a_bad_frame(data: bytes):
    with pytest.raises(BadFrame):
        http.parse_response(data)


@given(st.binary(max_size=300))
def test_garbage_is_a_bad_frame_and_nothing_else(data: bytes):
    for whole in (data, b"HTTP/1.1 200 OK\r\n" + data):
        with contextlib.suppress(BadFrame):
            http.parse_response(whole)


def test_more_than_announced_is_cut_off():
    assert http.parse_response(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc").body == b"ab"


def test_blanks_and_line_ends_cannot_be_smuggled_into_a_request():
    for target in ("/a b", "/a\r\nX: y", "/µ"):
        with pytest.raises(ValueError, match="request line"):
            http.get(target, "host")
