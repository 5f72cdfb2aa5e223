"""Modbus TCP: drivers and simulators that speak RTU meet over the network's own header."""

from __future__ import annotations

import asyncio

import pytest

from drivers.core.errors import LinkLost, NoAnswer
from drivers.core.line import Line
from drivers.core.link import open_link
from drivers.core.wire import modbus
from drivers.devices.hamilton_arc import HamiltonArcPh
from simulators.core.modbus_tcp import ModbusTcpPlug
from simulators.core.ports import TcpHost
from simulators.core.simulator import Bytes, Send
from simulators.devices.hamilton_arc import HamiltonArcPh as Simulated
from simulators.standalone import StillLiquid
from tests.links.test_links import server

pytestmark = pytest.mark.real_time

READ = modbus.read_request(1, modbus.READ_HOLDING, 0, 2)
GOOD = bytes.fromhex("00 01 00 00 00 07 01 03 04 00 2A 00 2B")
"""Typed: transaction 1, protocol 0, 7 bytes, unit 1, function 3, 4 bytes, 42 and 43."""


async def test_a_driver_reads_a_device_with_a_network_plug() -> None:
    host = TcpHost(ModbusTcpPlug(Simulated(StillLiquid(), 1)), "127.0.0.1", 0, "modbus-tcp")
    await host.open()
    line = Line(open_link(host.url))
    probe = HamiltonArcPh(line, 1)
    assert (await probe.identify()).maker == "Hamilton"
    assert (await probe.ph.read()).value == pytest.approx(7.4, abs=0.01)
    await line.close()
    await host.close()


async def answered(*packets: bytes) -> bytes:
    """What the driver's end makes of these packets, each sent a moment after the question."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read(100) == bytes.fromhex("00 01 00 00 00 06 01 03 00 00 00 02")
        for packet in packets:
            writer.write(packet)
            await writer.drain()
            await asyncio.sleep(0.01)
        await reader.read(1)

    async with server(serve) as url:
        line = Line(open_link(url.replace("tcp", "modbus-tcp")))
        try:
            return await line.query(READ, modbus.reply_parser(READ), timeout_s=1)
        finally:
            await line.close()


async def test_a_reply_in_pieces_is_put_together() -> None:
    assert await answered(GOOD[:4], GOOD[4:9], GOOD[9:]) == bytes.fromhex("00 2A 00 2B")


async def test_a_reply_to_an_earlier_question_is_dropped() -> None:
    late = bytes.fromhex("00 00 00 00 00 07 01 03 04 FF FF FF FF")
    assert await answered(late, GOOD) == bytes.fromhex("00 2A 00 2B")
    with pytest.raises(NoAnswer):
        await answered(late)


async def test_what_is_no_modbus_tcp_is_said_to_be_so() -> None:
    with pytest.raises(LinkLost, match="no Modbus TCP"):
        await answered(b"01 03 00 00 hello")


def test_a_plug_ignores_other_protocols_and_waits_for_the_rest() -> None:
    plug = ModbusTcpPlug(Simulated(StillLiquid(), 1))
    ask = bytes.fromhex("12 34 00 00 00 06 01 03 08 29 00 0A")
    assert plug.receive(Bytes(ask[:7]), 0.0) == []
    (answer,) = plug.receive(Bytes(ask[7:]), 0.0)
    assert isinstance(answer, Send)
    assert answer.data[:9] == bytes.fromhex("12 34 00 00 00 17 01 03 14")
    assert plug.receive(Bytes(bytes.fromhex("12 34 00 09 00 06 01 03 08 29 00 0A")), 0.0) == []
