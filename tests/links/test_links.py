"""Real links: TCP on loopback, serial on a pty; and what a person is told when they do not open."""

from __future__ import annotations

import asyncio
import errno
import os
import pty
import socket
import struct
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from drivers.core.errors import LinkLost, NoAnswer
from drivers.core.line import Line
from drivers.core.link import ModbusTcpLink, SerialLink, TcpLink, open_link, serial_port, tcp, troubles
from drivers.core.link.ports import Port, ports
from drivers.core.wire.ascii import take_line

pytestmark = pytest.mark.real_time
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[str]:
    """A TCP server on a free port of loopback; gives its URL."""
    writers: list[asyncio.StreamWriter] = []

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            await serve(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield f"tcp://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1000):
        writer.write(data)


async def ask(line: Line, question: bytes) -> bytes:
    return await line.query(question + b"\r\n", take_line, timeout_s=5.0)


async def test_a_line_asks_over_tcp_and_dials_again_after_the_far_side_closed():
    connections = 0

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(await reader.readline())

    async with server(once) as url:
        line = Line(open_link(url))
        assert await ask(line, b"A") == b"A"
        while line.link.is_open:
            await asyncio.sleep(0)
        assert await ask(line, b"B") == b"B"
        await line.close()
    assert connections == 2


async def test_tcp_reads_what_arrived_before_the_end_and_then_says_it_ended():
    async def last_words(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"bye")

    async with server(last_words) as url:
        link = open_link(url)
        await link.dial()
        while link.is_open:
            await asyncio.sleep(0)
        assert await link.read() == b"bye"
        with pytest.raises(LinkLost, match="far side closed") as caught:
            await link.read()
        assert not caught.value.broken
        with pytest.raises(LinkLost, match="closed"):
            link.write(b"x")
        await link.close()


async def test_a_reset_is_a_broken_link_and_never_the_end_of_a_reply():
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"half")
        await writer.drain()
        await asyncio.sleep(0.02)
        plug = writer.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with server(reset) as url:
        line = Line(open_link(url))
        with pytest.raises(LinkLost, match="far side broke") as caught:
            await line.query_to_close(b"GET", timeout_s=5)
        assert caught.value.broken


async def test_everything_until_the_far_side_closes():
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"x" * 200_000)

    async with server(page) as url:
        line = Line(open_link(url.replace("tcp", "http")))
        for _ in range(3):
            assert len(await line.query_to_close(b"GET\r\n", timeout_s=5)) == 200_000


async def test_closing_wakes_whoever_reads_and_drops_what_is_queued():
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    async with server(deaf) as url:
        link = open_link(url)
        await link.dial()
        link.write(bytes(5_000_000))
        reading = asyncio.create_task(link.read())
        await asyncio.sleep(0)
        await link.close()
        with pytest.raises(LinkLost, match="closed by us"):
            await reading
        await link.close()
        assert link.waiting() == b""


async def test_dialling_again_forgets_what_was_waiting():
    async with server(echo) as url:
        link = open_link(url)
        await link.dial()
        link.write(b"old")
        await asyncio.sleep(0.05)
        await link.dial()
        link.write(b"new")
        assert await link.read() == b"new"
        await link.close()


async def test_a_port_where_nobody_listens_says_so():
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        link = TcpLink("tcp://x", *plug.getsockname())
        with pytest.raises(LinkLost, match="nothing listens"):
            await link.dial()
    assert not link.is_open
    with pytest.raises(LinkLost):
        link.write(b"x")
    with pytest.raises(LinkLost):
        await link.read()


async def test_a_host_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tcp, "DIAL_LIMIT_S", 0.05)
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        plug.listen(0)
        host, port = plug.getsockname()
        fillers = [socket.socket() for _ in range(4)]  # a full backlog: further connections hang
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex((host, port))
        with pytest.raises(LinkLost, match=r"no connection within 0\.05 s"):
            await TcpLink("tcp://x", host, port).dial()
        for filler in fillers:
            filler.close()


@asynccontextmanager
async def port() -> AsyncIterator[tuple[int, str]]:
    """A pty: the far end's descriptor, and the path of the near end."""
    far, near = pty.openpty()
    tty.setraw(near)
    os.set_blocking(far, False)
    path = os.ttyname(near)
    os.close(near)
    try:
        yield far, path
    finally:
        with suppress(OSError):
            os.close(far)


async def test_a_serial_line_asks_and_is_answered():
    async with port() as (far, path):
        loop = asyncio.get_running_loop()
        line = Line(open_link(f"serial://{path}?baud=19200&stopbits=2"))
        await line.link.dial()
        loop.add_reader(far, lambda: os.write(far, os.read(far, 100)))
        assert await ask(line, b"hello") == b"hello"
        loop.remove_reader(far)
        with pytest.raises(NoAnswer):
            await line.query(b"x", take_line, timeout_s=0.01)
        await line.close()
        assert not line.link.is_open


async def test_a_serial_line_with_handshake_levels_and_a_break_still_opens():
    async with port() as (far, path):
        link = open_link(f"serial://{path}?parity=E&dtr=0&rts=0&break_ms=20", "serial:///dev/x?rtscts=0")
        begin = asyncio.get_running_loop().time()
        await link.dial()
        assert asyncio.get_running_loop().time() - begin >= 0.02
        link.write(b"CR\r")
        await asyncio.sleep(0.01)
        assert os.read(far, 100) == b"CR\r"
        await link.close()
    assert isinstance(handshake := open_link("serial:///dev/x?rtscts=1&break_ms=200"), SerialLink)
    assert (handshake.rtscts, handshake.break_s) == (True, 0.2)


async def test_a_port_given_up_in_its_break_is_closed():
    async with port() as (_, path):
        link = open_link(f"serial://{path}?break_ms=5000")
        dialling = asyncio.create_task(link.dial())
        await asyncio.sleep(0.02)
        dialling.cancel()
        with suppress(asyncio.CancelledError):
            await dialling
        assert not link.is_open
        await open_link(f"serial://{path}").dial()


async def test_a_port_that_vanishes_is_a_lost_link():
    async with port() as (far, path):
        link = open_link(f"serial://{path}")
        await link.dial()
        reading = asyncio.create_task(link.read())
        await asyncio.sleep(0)
        os.close(far)
        with pytest.raises(LinkLost, match="unplugged"):
            await reading
        assert not link.is_open
        for act in (link.dial, link.read):
            with pytest.raises(LinkLost):
                await act()
        with pytest.raises(LinkLost):
            link.write(b"x")


async def test_a_full_port_takes_the_rest_later():
    async with port() as (far, path):
        link = SerialLink("serial:", path, {})
        await link.dial()
        data = bytes(range(256)) * 400
        link.write(data)
        received = b""
        while len(received) < len(data):
            await asyncio.sleep(0.001)
            with suppress(BlockingIOError):
                received += os.read(far, 65536)
        assert received == data
        link.write(bytes(200_000))
        os.close(far)
        await asyncio.sleep(0.01)
        assert not link.is_open


async def test_a_port_belongs_to_one_program():
    async with port() as (_, path):
        first, second = open_link(f"serial://{path}"), open_link(f"serial://{path}")
        await first.dial()
        with pytest.raises(LinkLost, match="in use by"):
            await second.dial()
        await first.close()
        await second.dial()
        await second.close()


async def test_a_missing_port_says_which_there_are():
    with pytest.raises(LinkLost, match="no such port; there are: "):
        await open_link("serial:///dev/ttyNOWHERE0").dial()


async def test_a_file_that_is_no_port_is_refused(tmp_path):
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(LinkLost):
        await open_link(f"serial://{path}").dial()


def test_what_a_person_is_told():
    assert "dialout" in troubles.advice(PermissionError(errno.EACCES, "no"), "/dev/x")
    assert "another program" in troubles.advice(BlockingIOError(errno.EAGAIN, "busy"), "/dev/nothing-has-this-open")
    assert troubles.advice(ValueError("odd"), "/dev/x") == "odd"
    assert "no such host" in troubles.reason(socket.gaierror(-2, "Name or service not known"))
    assert "cable" in troubles.reason(OSError(errno.EHOSTUNREACH, "x"))
    assert troubles.reason(OSError("plain")) == "plain"
    assert troubles.holders("/dev/null") == sorted(troubles.holders("/dev/null"))


def test_urls_of_links():
    assert isinstance(open_link("tcp://10.0.0.5:4001"), TcpLink)
    web = open_link("http://10.0.0.5")
    assert isinstance(web, TcpLink)
    assert (web.host, web.port) == ("10.0.0.5", 80)
    assert isinstance(open_link("modbus-tcp://10.0.0.5"), ModbusTcpLink)
    port = open_link("serial:///dev/ttyUSB0?baud=9600", "serial:///dev/ttyS0?baud=19200&parity=e&bits=7&stopbits=2")
    assert isinstance(port, SerialLink)
    assert (port.device, port.baud, port.parity, port.bits, port.stopbits) == ("/dev/ttyUSB0", 9600, "E", 7, 2)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("usb://1", "a link is"),
        ("tcp://10.0.0.5", "host and port are needed"),
        ("tcp://10.0.0.5:99999", "Port out of range"),
        ("serial://", "no port named"),
        ("serial:///dev/x?speed=9600", "speed unknown"),
        ("serial:///dev/x?baud=fast", "such as baud=9600"),
        ("serial:///dev/x?parity=M", "parity is N, E or O"),
    ],
)
def test_a_wrong_url_says_what_would_be_right(url: str, why: str):
    with pytest.raises(ValueError, match=why):
        open_link(url)


async def test_windows_is_told_politely(monkeypatch: pytest.MonkeyPatch):
    link = open_link("serial://COM3")
    monkeypatch.setattr(serial_port.os, "name", "nt")
    with pytest.raises(LinkLost, match="Windows"):
        await link.dial()


@pytest.mark.req("EQ-06")
async def test_an_adapter_that_comes_back_under_another_name_is_found_by_its_serial_number():
    async with port() as (far, first), port() as (other, second):
        names = [Port(first, "FT1"), Port("/dev/ttyS9")]
        link = SerialLink("serial://?usb=FT1", "", {"usb": "FT1"}, lambda: names)
        line = Line(link)
        await line.link.dial()
        assert link.device == first
        link.write(b"queued before the cable went out")
        os.close(far)
        names[0] = Port(second, "FT1")
        loop = asyncio.get_running_loop()
        heard = bytearray()

        def answer() -> None:
            heard.extend(os.read(other, 100))
            os.write(other, b"here\r\n")

        loop.add_reader(other, answer)
        with pytest.raises(LinkLost):
            await ask(line, b"lost")
        assert await ask(line, b"hello") == b"here"
        loop.remove_reader(other)
        assert link.device == second
        assert bytes(heard) == b"hello\r\n"
        await line.close()


async def test_an_adapter_that_is_not_plugged_in_or_there_twice_says_which_are():
    names = [Port("/dev/ttyUSB0", "FT1"), Port("/dev/ttyUSB1", "FT2"), Port("/dev/ttyUSB2", "FT2")]
    with pytest.raises(LinkLost, match="no USB adapter with serial number FT9; plugged in: FT1 at /dev/ttyUSB0, FT2"):
        await SerialLink("serial://?usb=FT9", "", {"usb": "FT9"}, lambda: names).dial()
    with pytest.raises(LinkLost, match="/dev/ttyUSB1, /dev/ttyUSB2 all say"):
        await SerialLink("serial://?usb=FT2", "", {"usb": "FT2"}, lambda: names).dial()
    assert all(isinstance(each, Port) for each in ports())


async def test_a_silent_far_side_is_asked_whether_it_is_still_there():
    async with server(echo) as url:
        link = open_link(url)
        assert isinstance(link, TcpLink)
        await link.dial()
        plug = link.socket
        assert plug.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert plug.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
        assert plug.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000
        await link.close()


@pytest.mark.parametrize("settings", ["bits=7&parity=E", "parity=O"])
async def test_a_pseudo_terminal_is_opened_again_with_a_frame_it_does_not_have(settings: str):
    async with port() as (_, path):
        for _ in range(3):
            link = open_link(f"serial://{path}?{settings}")
            await link.dial()
            await link.close()
