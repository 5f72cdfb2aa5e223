"""The loops: virtual time jumps, paced time never lies."""

from __future__ import annotations

import asyncio
import os
import socket
from time import perf_counter

import pytest

from simulators.core.time import PacedLoop, VirtualLoop


async def test_a_day_of_sleep_takes_no_wall_time():
    loop = asyncio.get_running_loop()
    before = loop.time()
    await asyncio.sleep(86_400 * 28)
    assert loop.time() - before == pytest.approx(86_400 * 28, abs=1e-5)


async def test_loop_time_is_seconds_since_1970():
    assert asyncio.get_running_loop().time() == pytest.approx(1_767_567_600, abs=1)


async def test_timers_fire_in_order_however_they_were_set():
    order: list[float] = []
    loop = asyncio.get_running_loop()
    for delay in (3.0, 1.0, 2.0, 0.5e-3, 1e-3):
        loop.call_later(delay, order.append, delay)
    await asyncio.sleep(4)
    assert order == [0.5e-3, 1e-3, 1.0, 2.0, 3.0]


async def test_a_deadline_in_virtual_time_is_exact():
    loop = asyncio.get_running_loop()
    before = loop.time()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await loop.create_future()
    assert loop.time() - before == pytest.approx(0.02, abs=1e-6)


def test_waiting_for_nothing_is_a_deadlock_not_a_hang():
    async def wait_for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="deadlock"), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(wait_for_ever())


async def test_executor_work_runs_at_once_and_keeps_its_error():
    loop = asyncio.get_running_loop()
    thread: list[int] = []
    await loop.run_in_executor(None, lambda: thread.append(os.getpid()))
    assert thread == [os.getpid()]
    with pytest.raises(ZeroDivisionError):
        await loop.run_in_executor(None, lambda: 1 // 0)


async def test_virtual_time_refuses_to_watch_a_socket():
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(RuntimeError, match="real_time"):
        asyncio.get_running_loop().add_reader(ours, lambda: None)


async def test_call_soon_threadsafe_works_in_virtual_time():
    loop = asyncio.get_running_loop()
    seen: list[int] = []
    for number in range(10_000):  # more than the loop's pipe holds
        loop.call_soon_threadsafe(seen.append, number)
    await asyncio.sleep(0)
    assert len(seen) == 10_000


@pytest.mark.real_time
async def test_the_marker_gives_the_ordinary_loop():
    assert type(asyncio.get_running_loop()) is asyncio.SelectorEventLoop


def paced(main, speed: float = 1000.0, start: float = 1_767_567_600.0):
    with asyncio.Runner(loop_factory=lambda: PacedLoop(speed, start)) as runner:
        return runner.run(main())


def burn(loop: PacedLoop, wall_s: float) -> None:
    end = loop.wall() + wall_s
    while loop.wall() < end:
        pass


def test_paced_time_stands_still_while_a_callback_runs():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, PacedLoop)
        before = loop.time()
        burn(loop, 0.01)
        assert loop.time() == before

    paced(main)


def test_a_busy_computer_causes_no_false_time_outs_in_paced_time():
    async def main() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, PacedLoop)
        late = 0

        async def exchange() -> None:
            nonlocal late
            reply = loop.create_future()
            loop.call_later(0.02, reply.set_result, None)
            try:
                async with asyncio.timeout(0.05):
                    await reply
            except TimeoutError:
                late += 1

        async def others() -> None:
            for _ in range(20):
                burn(loop, 0.002)  # 2 bench seconds at 1000 x
                await asyncio.sleep(0.01)

        busy = asyncio.create_task(others())
        for _ in range(100):
            await exchange()
        await busy
        return late

    assert paced(main) == 0


def test_paced_time_never_runs_ahead_of_the_wall():
    began = perf_counter()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for _ in range(20):
            await asyncio.sleep(1.0)
            assert loop.time() - 1_767_567_600.0 <= (perf_counter() - began) * 1000.0 + 1e-3

    paced(main)


def test_paced_time_hears_sockets():
    async def main() -> bytes:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with ours, theirs:
            loop.call_later(5.0, theirs.send, b"hello")
            return await loop.sock_recv(ours, 10)

    assert paced(main) == b"hello"


def test_a_flooded_socket_does_not_stop_paced_time():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.send(b"never read")
            loop.add_reader(ours, lambda: None)
            await asyncio.sleep(20.0)
            loop.remove_reader(ours)

    paced(main)


def test_catching_up_jumps_forward_and_never_back():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, PacedLoop)
        before = loop.time()
        fired: list[float] = []
        loop.call_later(1800.0, lambda: fired.append(loop.time()))
        loop.catch_up(before + 3600.0)
        loop.catch_up(before)
        assert loop.time() == before + 3600.0
        await asyncio.sleep(0.001)
        assert fired == [before + 3600.0]

    paced(main)


def test_the_speed_reached_is_told_and_slows_under_load():
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, PacedLoop)
        for _ in range(20):
            await asyncio.sleep(10.0)
        idle = loop.speed_reached
        for _ in range(20):
            burn(loop, 0.03)
            await asyncio.sleep(1.0)
        return idle, loop.speed_reached

    idle, loaded = paced(main)
    assert loaded < idle


def test_the_speed_can_be_changed_on_the_way():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, PacedLoop)
        await asyncio.sleep(10.0)
        loop.speed = 100_000.0
        before = loop.time()
        await asyncio.sleep(5_000.0)
        assert loop.time() - before == pytest.approx(5_000.0, abs=1e-3)
        assert loop.speed == 100_000.0

    paced(main)
