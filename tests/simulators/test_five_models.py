"""The shipped bench says the same over every cable: memory, TCP, pseudo-terminal and the world."""

from __future__ import annotations

import asyncio
import os
import tty
from pathlib import Path

import pytest

from drivers.catalogue import find
from drivers.core.line import Line
from drivers.core.signals import Quality
from simulators import catalogue
from simulators.bench import START, SimulatedBench, shipped
from simulators.core.ports import PtyHost, TcpHost
from simulators.core.time import PacedLoop, VirtualLoop
from simulators.world_client import WorldClient
from tests.simulators.test_world import world_process

GET = b"GET /atmoweb?TempSet=&CO2Set= HTTP/1.1\r\nHost: incubator\r\n\r\n"
SCRIPT = [
    ("incubator", GET),
    ("probes", bytes.fromhex("01 03 08 29 00 0A 16 65")),
    ("probes", bytes.fromhex("02 03 08 29 00 0A 16 56")),
    ("pumps", b"0VER\r"),
    ("pumps", b"0VER\r"),
    ("pumps", b"1VER\r"),
    ("balance", b"I4\r\n"),
    ("balance", b"SI\r\n"),
]
SERIAL = [(link, said) for link, said in SCRIPT if link != "incubator"]


def run(loop, main):
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main)


async def over_links(open_link, script=SCRIPT) -> list[bytes]:
    heard = []
    for link_name, said in script:
        link = open_link(link_name)
        await link.dial()
        link.write(said)
        await asyncio.sleep(0.5)
        heard.append(link.waiting())
        await link.close()
    return heard


def expected(script=SCRIPT) -> list[bytes]:
    return run(VirtualLoop(START), over_links(SimulatedBench(shipped()).open_link, script))


def test_every_device_of_the_shipped_bench_answers():
    heard = expected()
    assert all(heard)
    assert b"37" in heard[0]
    assert (heard[1][:3], heard[2][:3]) == (b"\x01\x03\x14", b"\x02\x03\x14")
    assert b"NE1000" in heard[4]
    assert heard[7].startswith(b"S ")


@pytest.mark.req("SIM-02")
async def test_every_driver_reads_its_simulator_byte_by_byte():
    config = shipped()
    bench = SimulatedBench(config, seed=3)
    lines = {name: Line(bench.open_link(name)) for name in bench.lines}
    for table in config["devices"]:
        device = find(table["model"])(lines[table["link"]], table.get("address", 0), table.get("options"))
        await device.identify()
        await device.prepare()
        readings = await device.poll()
        assert readings and all(reading.quality is Quality.GOOD for reading in readings.values()), readings
    for line in lines.values():
        await line.close()


def test_the_same_over_tcp():
    async def main() -> list[bytes]:
        bench = SimulatedBench(shipped())
        hosts = {name: TcpHost(line, "127.0.0.1", 0, bench.schemes[name]) for name, line in bench.lines.items()}
        for host in hosts.values():
            await host.open()
        heard = []
        for name, said in SCRIPT:
            reader, writer = await asyncio.open_connection("127.0.0.1", hosts[name].port)
            writer.write(said)
            got = b""
            while len(got) < len(answers[len(heard)]):
                got += await asyncio.wait_for(reader.read(1000), 30)
            heard.append(got)
            writer.close()
            await writer.wait_closed()
            await asyncio.sleep(0.05)
        for host in hosts.values():
            await host.close()
        return heard

    answers = expected()
    assert run(PacedLoop(1.0, START), main()) == answers


def test_the_same_over_a_pseudo_terminal(tmp_path):
    async def main() -> list[bytes]:
        bench = SimulatedBench(shipped())
        hosts = {name: PtyHost(bench.lines[name], tmp_path / name) for name in ("probes", "pumps", "balance")}
        fds: dict[str, int] = {}
        for name, host in hosts.items():
            await host.open()
            fds[name] = os.open(host.path, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(fds[name])
        heard = []
        loop = asyncio.get_running_loop()
        for name, said in SERIAL:
            os.write(fds[name], said)
            got = b""
            while len(got) < len(answers[len(heard)]):
                ready = loop.create_future()
                loop.add_reader(fds[name], lambda ready=ready: ready.done() or ready.set_result(None))
                await asyncio.wait_for(ready, 30)
                loop.remove_reader(fds[name])
                got += os.read(fds[name], 1000)
            heard.append(got)
        for name, host in hosts.items():
            os.close(fds[name])
            await host.close()
        return heard

    answers = expected(SERIAL)
    assert run(PacedLoop(1.0, START), main()) == answers


def test_the_same_in_the_world(tmp_path):
    text = Path("simulators/benches/stirred-100.toml").read_text()
    with world_process(tmp_path, text=text) as (path, _), WorldClient(path) as client:
        assert run(VirtualLoop(client.now()), over_links(client.link)) == expected()


@pytest.mark.parametrize("model", catalogue.SIMULATORS)
def test_every_model_of_the_catalogue_can_be_built_alone(model):
    from simulators.standalone import PLACES

    entry = catalogue.entry(model)
    simulator = catalogue.build(model, PLACES[entry.place](), address=entry.address)
    saved = simulator.snapshot()
    simulator.restore(saved)
    assert simulator.snapshot() == saved


def test_drivers_and_simulators_know_the_same_models():
    from drivers.catalogue import MODELS

    assert set(MODELS) == set(catalogue.SIMULATORS)
