"""One Modbus read of ten registers, from the question to values with quality where everybody looks for them.

Over Modbus TCP on the loopback, both ends in one process, in turns of BLOCK reads, charged with processor time: our
whole path (frame, check, decode, quality, publish), an echo of as many bytes by bare asyncio, and pymodbus' client and
server as their users run them, which decode nothing. Ours runs on the controller's own loop, the others on the plain
one. Ours is asked of three ends: one that answers ready-made bytes as the echo does, our simulated device, and
pymodbus' server.
"""

from __future__ import annotations

import asyncio
import json
import logging
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import cast

from benchmarks.figures import Figure, Options
from controller.clock import BenchLoop
from controller.latest import Latest
from drivers.core import registers
from drivers.core.device import LinkLoss, Signal
from drivers.core.line import Line
from drivers.core.link import open_link
from drivers.core.modbus_device import ModbusDevice
from drivers.core.signals import Quality
from simulators.core.modbus import ModbusUnit
from simulators.core.modbus_tcp import ModbusTcpPlug
from simulators.core.simulator import Bytes, Send, Simulator

GOAL_ECHO, GOAL_PYMODBUS = 0.40, 1.5
READS, BLOCK = 6000, 50
VALUES = (37.0, 7.25, 41.5, 1013.25, 72.0)
CONTENT = struct.pack(">5f", *VALUES)
REQUEST, REPLY = bytes(12), bytes(29)
"""As long as a read of ten registers and its answer are on the network."""


class Probe(ModbusDevice):
    """Five floats in ten registers, read in one exchange."""

    model = "benchmark_probe"
    maker = "nobody"
    kind = "probe"
    default_url = "modbus-tcp://127.0.0.1"
    table = registers.beside(__file__, "modbus_read.csv", counts_from=0)
    on_link_loss = LinkLoss.ONLY_MEASURES
    safe_state = "measures only"

    temperature = Signal()
    ph = Signal()
    dissolved_oxygen = Signal()
    pressure = Signal()
    level = Signal()


class Unit(ModbusUnit):
    """Our simulated device, less the time that a cable takes."""

    wake_at = None

    def __init__(self) -> None:
        super().__init__(1, baud=10**12, processing_s=0.0)
        self.add(0, 10, lambda now: CONTENT)


class Plugged(asyncio.Protocol):
    """Its network plug, which sends at once what there is to send."""

    def __init__(self) -> None:
        self.plug = ModbusTcpPlug(cast("Simulator", Unit()))
        self.loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        for action in self.plug.receive(Bytes(data), self.loop.time()):
            assert isinstance(action, Send)
            self.transport.write(action.data)


class Answering(asyncio.Protocol):
    """Answers every question with the same bytes; `numbered` = behind the question's transaction number."""

    def __init__(self, reply: bytes, numbered: bool) -> None:
        self.reply, self.numbered = reply, numbered

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(data[:2] + self.reply[2:] if self.numbered else self.reply)


class Asking(asyncio.Protocol):
    """The bare far end of it: one future a question."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        assert len(data) == len(REPLY)
        self.answered.set_result(None)

    def ask(self) -> asyncio.Future[None]:
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(REQUEST)
        return self.answered


@dataclass
class Lane:
    """One way to ask, on the loop it lives on."""

    loop: asyncio.AbstractEventLoop
    ask: Callable[[], Awaitable[object]]
    took_s: float = 0.0

    def go(self, counted: bool) -> None:
        self.took_s += self.loop.run_until_complete(self._block()) if counted else 0.0

    async def _block(self) -> float:
        begun = time.process_time()
        for _ in range(BLOCK):
            await self.ask()
        return time.process_time() - begun


async def listening(end: Callable[[], asyncio.Protocol]) -> int:
    """The port at which `end` answers."""
    server = await asyncio.get_running_loop().create_server(end, "127.0.0.1", 0)
    return int(server.sockets[0].getsockname()[1])


async def echo() -> Callable[[], Awaitable[object]]:
    port = await listening(lambda: Answering(REPLY, numbered=False))
    _, asking = await asyncio.get_running_loop().create_connection(Asking, "127.0.0.1", port)
    return asking.ask


def driver(port: int) -> Callable[[], Awaitable[object]]:
    """The path a keeper goes at each poll, less the waiting."""
    device, latest = Probe(Line(open_link(f"modbus-tcp://127.0.0.1:{port}")), 1), Latest()
    latest.expect("probe", 1.0)

    async def read() -> None:
        readings = await device.poll()
        latest.put("probe", readings)
        value, _, quality, _ = readings["level"]
        assert value == VALUES[-1] and quality is Quality.GOOD

    return read


async def ours_alone() -> Callable[[], Awaitable[object]]:
    reply = bytes(4) + struct.pack(">HBBB", 3 + len(CONTENT), 1, 3, len(CONTENT)) + CONTENT
    return driver(await listening(lambda: Answering(reply, numbered=True)))


async def ours_both() -> Callable[[], Awaitable[object]]:
    return driver(await listening(Plugged))


async def pymodbus() -> tuple[Callable[[], Awaitable[object]], int]:
    """Client and server of the library that our tests use as an oracle, and the server's port."""
    from pymodbus.client import AsyncModbusTcpClient
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    logging.disable(logging.CRITICAL)
    words = list(struct.unpack(">10H", CONTENT))
    device = SimDevice(1, simdata=[SimData(0, values=words, datatype=DataType.REGISTERS)])
    server = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await server.listen()
    port = int(server.transport.sockets[0].getsockname()[1])
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    assert await client.connect()

    async def read() -> None:
        assert (await client.read_holding_registers(0, count=10, device_id=1)).registers == words

    return read, port


def rates() -> dict[str, float]:
    """Reads per processor second by lane."""
    plain, bench = asyncio.SelectorEventLoop(), BenchLoop()
    library, port = plain.run_until_complete(pymodbus())
    lanes = {
        "echo": Lane(plain, plain.run_until_complete(echo())),
        "driver": Lane(bench, bench.run_until_complete(ours_alone())),
        "both": Lane(bench, bench.run_until_complete(ours_both())),
        "pymodbus": Lane(plain, library),
        "mixed": Lane(plain, driver(port)),
    }
    for turn in range(-1, READS // BLOCK):
        for lane in lanes.values():
            lane.go(counted=turn >= 0)
    for loop in (plain, bench):
        closed(loop)
    return {name: READS / lane.took_s for name, lane in lanes.items()}


def closed(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def figures(options: Options) -> Iterator[Figure]:
    line = [sys.executable, "-m", "benchmarks.modbus_read"]  # the library stays out of this process
    rounds = [
        json.loads(subprocess.run(line, check=True, stdout=subprocess.PIPE).stdout) for _ in range(options.rounds)
    ]
    for what, lane, base, goal, of in (
        ("against ready-made answers", "driver", "echo", GOAL_ECHO, "of an echo of as many bytes"),
        ("with our simulated device", "both", "echo", GOAL_ECHO, "of an echo of as many bytes"),
        ("the same", "both", "pymodbus", GOAL_PYMODBUS, "of pymodbus client and server"),
        ("from pymodbus' server", "mixed", "pymodbus", None, "of its own client, which decodes nothing"),
    ):
        found = sorted(rounds, key=lambda each: each[lane] / each[base])[len(rounds) // 2]
        ours, floor = found[lane], found[base]
        wanted = "none of its own" if goal is None else f"at least {goal:g} x the floor"
        yield Figure(
            f"Modbus reads {what}", ours, "a processor second", wanted, goal is None or ours >= goal * floor, floor, of
        )


if __name__ == "__main__":
    print(json.dumps(rates()))
