"""The floor of a rehearsal: a bare bench in virtual time, with bytes, CRC, physics and storage, and nothing else.

Each device is polled with a Modbus RTU read of 10 registers (framing and CRC both ways, reply after 20 virtual ms, one
`asyncio.timeout`), moves a vessel of 8 states by one Runge-Kutta step a poll, and puts 10 rows a poll into SQLite
(WAL, NORMAL) in batches of 1,000. Written after performance.md §6; everything here is its own, nothing is osteon's.
"""

from __future__ import annotations

import asyncio
import selectors
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

Row = tuple[int, int, float]
States = tuple[float, ...]
BATCH = 1_000
REPLY_S = 0.02


def crc_steps() -> tuple[int, ...]:
    """One step a byte value of CRC-16/MODBUS."""
    steps: list[int] = []
    for step in range(256):
        for _ in range(8):
            step = (step >> 1) ^ 0xA001 if step & 1 else step >> 1
        steps.append(step)
    return tuple(steps)


STEPS = crc_steps()


def crc(data: bytes) -> bytes:
    value = 0xFFFF
    for byte in data:
        value = (value >> 8) ^ STEPS[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


def slopes(x: float, g: float, l: float, q: float, a: float, o: float, p: float, c: float) -> States:  # noqa: E741
    """Cells, glucose, lactate, glutamine, ammonia, oxygen, CO2, temperature: per hour."""
    growth = 0.02 * g / (g + 0.5) * q / (q + 0.1) * 30.0 / (30.0 + l) * o / (o + 0.02)
    grown = growth * x
    return (
        (growth - 0.001 * a) * x,
        -0.2 * grown - 0.004 * x * g / (g + 0.5),
        0.3 * grown,
        -0.05 * grown - 0.002 * q,
        0.04 * grown + 0.002 * q,
        10.0 * (0.2 - o) - 0.05 * x * o / (o + 0.02),
        -0.01 * l + 2.0 * (0.1 - p),
        1.5 * (37.0 - c),
    )


class Jump(selectors.SelectSelector):
    """Adds the wait to the clock instead of waiting."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0.0
        return []


class Loop(asyncio.SelectorEventLoop):
    """Virtual time in as few lines as it takes."""

    def __init__(self) -> None:
        self.jump = Jump()
        super().__init__(self.jump)

    def time(self) -> float:
        return self.jump.now


class Vessel:
    """The device and what it measures."""

    def __init__(self) -> None:
        self.states: States = (0.1, 25.0, 0.0, 4.0, 0.0, 0.2, 0.1, 30.0)
        self.at = 0.0

    def step(self, now: float) -> None:
        h, y = (now - self.at) / 3600, self.states
        self.at = now
        k1 = slopes(*y)
        k2 = slopes(*[u + 0.5 * h * k for u, k in zip(y, k1, strict=True)])
        k3 = slopes(*[u + 0.5 * h * k for u, k in zip(y, k2, strict=True)])
        k4 = slopes(*[u + h * k for u, k in zip(y, k3, strict=True)])
        self.states = tuple(
            [u + h / 6 * (a + 2 * b + 2 * c + d) for u, a, b, c, d in zip(y, k1, k2, k3, k4, strict=True)]
        )

    def receive(self, data: bytes, now: float) -> bytes:
        self.step(now)
        registers = [int(value * 1000) & 0xFFFF for value in self.states] + [1, 2]
        if crc(data[:-2]) != data[-2:]:
            raise ValueError("CRC")
        _, _, _, count = struct.unpack_from(">BBHH", data)
        reply = struct.pack(f">BBB{count}H", 1, 3, count * 2, *registers[:count])
        return reply + crc(reply)


async def poll(vessel: Vessel, period_s: float, until: float, rows: list[Row], flush: Callable[[], None]) -> None:
    """Poll one device to absolute deadlines until `until`."""
    loop = asyncio.get_running_loop()
    at = loop.time()
    while at < until:
        request = struct.pack(">BBHH", 1, 3, 0, 10)
        request += crc(request)
        waiter: asyncio.Future[bytes] = loop.create_future()
        loop.call_later(REPLY_S, waiter.set_result, vessel.receive(request, loop.time()))
        async with asyncio.timeout(1.0):
            data = await waiter
        if crc(data[:-2]) != data[-2:]:
            raise ValueError("CRC")
        now = int(loop.time() * 1000)
        rows.extend([(i, now, value / 1000) for i, value in enumerate(struct.unpack_from(">10H", data, 3))])
        if len(rows) >= BATCH:
            flush()
        at += period_s
        await asyncio.sleep(at - loop.time())


class Composite:
    """The bare bench, moved on piece by piece, so that it can be measured in turn with something else."""

    def __init__(self, folder: Path, devices: int, period_s: float) -> None:
        self._connection = sqlite3.connect(folder / "composite.db", isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("CREATE TABLE r (k INTEGER PRIMARY KEY AUTOINCREMENT, s INTEGER, t INTEGER, v REAL)")
        self._rows: list[Row] = []
        self._loop = Loop()
        self._polls = [
            self._loop.create_task(poll(Vessel(), period_s, float("inf"), self._rows, self._flush))
            for _ in range(devices)
        ]

    def advance(self, seconds: float) -> None:
        """Let `seconds` of bench time pass."""
        self._loop.run_until_complete(asyncio.sleep(seconds))

    def close(self) -> None:
        for each in self._polls:
            each.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._polls, return_exceptions=True))
        self._loop.close()
        self._connection.close()

    def _flush(self) -> None:
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO r (s, t, v) VALUES (?, ?, ?)", self._rows)
        self._connection.execute("COMMIT")
        self._rows.clear()
