"""One simulator, several cables: what is said is the same on each."""

from __future__ import annotations

import asyncio
import os
import tty

import pytest

from drivers.core.errors import LinkLost
from simulators.core.hosts import MemoryHost
from simulators.core.ports import PtyHost, TcpHost
from tests.simulators.parrot import Parrot


async def read_line(link) -> bytes:
    got = b""
    while not got.endswith(b"\n"):
        got += await link.read()
    return got


async def test_a_reply_takes_the_time_the_device_takes():
    link = MemoryHost(Parrot()).link()
    await link.dial()
    before = asyncio.get_running_loop().time()
    link.write(b"hello\n")
    assert await link.read() == b"HELLO\n"
    assert asyncio.get_running_loop().time() - before == pytest.approx(0.020, abs=1e-5)


async def test_bytes_due_at_once_keep_their_order():
    link = MemoryHost(Parrot()).link()
    await link.dial()
    for word in (b"one\n", b"two\n", b"three\n"):
        link.write(word)
    await asyncio.sleep(1)
    assert link.waiting() == b"ONE\nTWO\nTHREE\n"
    assert link.waiting() == b""


async def test_the_device_speaks_unasked_when_its_time_has_come():
    link = MemoryHost(Parrot()).link()
    await link.dial()
    link.write(b"tick\n")
    await asyncio.sleep(130)
    assert link.waiting() == b"TICK\nTICK\nTICK\n"


async def test_what_was_said_before_the_far_side_closed_is_still_read():
    link = MemoryHost(Parrot()).link()
    await link.dial()
    link.write(b"bye\n")
    await asyncio.sleep(1)
    assert await link.read() == b"BYE\n"
    with pytest.raises(LinkLost):
        await link.read()
    with pytest.raises(LinkLost):
        link.write(b"anyone\n")


async def test_dialling_again_drops_what_was_on_its_way():
    link = MemoryHost(Parrot()).link()
    await link.dial()
    link.write(b"old\n")
    await link.dial()
    link.write(b"new\n")
    await asyncio.sleep(1)
    assert link.waiting() == b"NEW\n"


async def test_closing_is_heard_by_the_device_once_and_may_be_repeated():
    parrot = Parrot()
    link = MemoryHost(parrot).link()
    await link.dial()
    await link.close()
    await link.close()
    assert parrot.events == ["opened", "closed"]
    assert not link.is_open


async def test_a_waiting_reader_learns_that_the_link_closed():
    link = MemoryHost(Parrot()).link()
    await link.dial()
    asyncio.get_running_loop().call_later(1, lambda: link.hang_up())
    with pytest.raises(LinkLost):
        await link.read()


async def test_a_severed_process_says_nothing_more_and_the_device_lives_on():
    parrot = Parrot()
    host = MemoryHost(parrot)
    dead = host.link()
    await dead.dial()
    dead.write(b"tick\n")
    host.sever()
    dead.write(b"from the grave\n")
    with pytest.raises(LinkLost):
        await dead.read()
    with pytest.raises(LinkLost):
        await dead.dial()
    await asyncio.sleep(130)
    assert parrot.heard == 1
    assert parrot.tick_at is not None
    fresh = host.link()
    await fresh.dial()
    fresh.write(b"count\n")
    assert await fresh.read() == b"2\n"


def test_a_host_outlives_the_loop_of_the_process_that_died():
    from simulators.core.time import VirtualLoop

    parrot = Parrot()
    host = MemoryHost(parrot)

    async def first() -> float:
        link = host.link()
        await link.dial()
        link.write(b"tick\n")
        await link.read()
        host.sever()
        return asyncio.get_running_loop().time()

    async def second() -> bytes:
        link = host.link()
        await link.dial()
        return await link.read()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(1000.0)) as runner:
        died = runner.run(first())
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(died)) as runner:
        assert runner.run(second()) == b"TICK\n"


async def test_power_comes_back_with_the_devices_greeting():
    host = MemoryHost(Parrot())
    link = host.link()
    await link.dial()
    host.power_cycle()
    assert await link.read() == b"READY\n"


SCRIPT = [b"hello\n", b"a\nb\n", b"count\n", b"\x00\xff\n"]
EXPECTED = [b"HELLO\n", b"A\n", b"B\n", b"4\n", b"\x00\xff\n"]


async def transcript(write, read_byte_run) -> list[bytes]:
    for said in SCRIPT:
        write(said)
    got = b""
    while got.count(b"\n") < len(EXPECTED):
        got += await read_byte_run()
    return got.splitlines(keepends=True)


async def test_the_transcript_in_memory():
    link = MemoryHost(Parrot()).link()
    await link.dial()
    assert await transcript(link.write, link.read) == EXPECTED


@pytest.mark.real_time
async def test_the_transcript_on_a_pseudo_terminal_survives_reopening(tmp_path):
    path = tmp_path / "parrot"
    host = PtyHost(Parrot(), path)
    await host.open()
    assert host.url == f"serial://{path}"
    loop = asyncio.get_running_loop()
    try:
        for expected in (EXPECTED, [*EXPECTED[:3], b"9\n", EXPECTED[4]]):
            fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            tty.setraw(fd)

            async def read_some(fd: int = fd) -> bytes:
                ready = loop.create_future()
                loop.add_reader(fd, ready.set_result, None)
                await ready
                loop.remove_reader(fd)
                return os.read(fd, 100)

            assert await transcript(lambda data, fd=fd: os.write(fd, data), read_some) == expected
            os.close(fd)
    finally:
        await host.close()
    assert not path.exists()


@pytest.mark.real_time
async def test_the_transcript_on_tcp_and_a_second_caller_is_turned_away():
    host = TcpHost(Parrot(), "127.0.0.1", 0)
    await host.open()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", host.port)
        assert await transcript(writer.write, lambda: reader.read(100)) == EXPECTED
        other, other_writer = await asyncio.open_connection("127.0.0.1", host.port)
        assert await asyncio.wait_for(other.read(), 5) == b""
        other_writer.close()
        writer.write(b"bye\n")
        assert await asyncio.wait_for(reader.read(), 5) == b"BYE\n"
        writer.close()
    finally:
        await host.close()


@pytest.mark.real_time
async def test_a_second_http_caller_waits_its_turn():
    parrot = Parrot()
    host = TcpHost(parrot, "127.0.0.1", 0, "http")
    await host.open()
    try:
        first, first_writer = await asyncio.open_connection("127.0.0.1", host.port)
        second, second_writer = await asyncio.open_connection("127.0.0.1", host.port)
        second_writer.write(b"second\n")
        first_writer.write(b"first\nbye\n")
        assert await asyncio.wait_for(first.read(), 5) == b"FIRST\nBYE\n"
        first_writer.close()
        assert await asyncio.wait_for(second.readline(), 5) == b"SECOND\n"
        second_writer.close()
    finally:
        await host.close()


@pytest.mark.real_time
async def test_a_file_at_the_path_of_a_port_is_never_taken_away(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("three weeks of work")
    host = PtyHost(Parrot(), path)
    with pytest.raises(FileExistsError, match=r"notes\.txt"):
        await host.open()
    await host.close()
    assert path.read_text() == "three weeks of work"


@pytest.mark.real_time
async def test_a_link_left_behind_by_a_port_is_replaced(tmp_path):
    path = tmp_path / "port"
    path.symlink_to("/dev/pts/no-longer-there")
    host = PtyHost(Parrot(), path)
    await host.open()
    assert path.exists()
    await host.close()
    assert not path.is_symlink()
