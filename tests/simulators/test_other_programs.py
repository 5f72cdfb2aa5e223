"""Each simulated device as other people's programs see it: plain pyserial, pymodbus and urllib, none of our drivers."""

from __future__ import annotations

import asyncio
import binascii
import struct
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from pymodbus import FramerType
from pymodbus.client import AsyncModbusTcpClient, ModbusSerialClient

from tests.simulators.test_simulate import simulate

pytestmark = [pytest.mark.real_time, pytest.mark.req("SIM-02")]


@pytest.fixture(params=["pty", "tcp"])
def cable(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[object]]:
    return ["--pty", tmp_path / "cable"] if request.param == "pty" else ["--tcp", "127.0.0.1:0"]


def port(url: str) -> serial.SerialBase:
    """pyserial on a pty or, by its own socket handler, on TCP."""
    where = url.replace("tcp://", "socket://") if url.startswith("tcp") else url.removeprefix("serial://")
    return serial.serial_for_url(where, timeout=5)


def safe_packet(body: bytes) -> bytes:
    """New Era's Safe mode, by its manual: STX length body CRC ETX."""
    return bytes([2, len(body) + 4]) + body + struct.pack(">H", binascii.crc_hqx(body, 0)) + b"\x03"


def test_pyserial_weighs_on_the_balance(cable: list[object]) -> None:
    with simulate("mettler_toledo_mt_sics", *cable, "--set", "weight=100") as (url,), port(url) as line:
        line.write(b"S\r\n")
        assert line.read_until(b"\r\n") == b"S S     100.00 g\r\n"
        line.write(b"XX\r\n")
        assert line.read_until(b"\r\n") == b"ES\r\n"


def test_pyserial_doses_with_the_pump_in_basic_mode_and_asks_in_safe_mode(cable: list[object]) -> None:
    with simulate("new_era_ne1000", *cable) as (url,), port(url) as line:

        def say(text: bytes) -> bytes:
            line.write(text + b"\r")
            return line.read_until(b"\x03")

        assert say(b"0VER") == b"\x0200A?R\x03"
        assert say(b"0VER") == b"\x0200SNE1000V3.923\x03"
        for command in (b"0DIA26.7", b"0PHN1", b"0FUNRAT", b"0VOL0.1", b"0RAT10MM", b"0DIRINF", b"0PHN2", b"0FUNSTP"):
            assert say(command) == b"\x0200S\x03", command
        assert say(b"0PHN1") == b"\x0200S\x03"
        assert say(b"0RUN") == b"\x0200I\x03"
        while say(b"0") == b"\x0200I\x03":
            pass
        assert say(b"0DIS") == b"\x0200SI0.100W0.000ML\x03"
        line.write(safe_packet(b"0SAF5"))
        assert line.read(8) == safe_packet(b"00S")
        line.write(safe_packet(b"0DIS"))
        assert line.read(22) == safe_packet(b"00SI0.100W0.000ML")


@pytest.mark.parametrize(
    ("model", "signal", "value"), [("hamilton_arc_ph", "ph", 7.2), ("hamilton_arc_do", "dissolved_oxygen", 81.5)]
)
async def test_pymodbus_reads_a_probe_over_tcp(model: str, signal: str, value: float) -> None:
    with simulate(model, "--tcp", "127.0.0.1:0", "--set", f"{signal}={value}") as (url,):
        host, number = url.removeprefix("tcp://").split(":")
        client = AsyncModbusTcpClient(host, port=int(number), framer=FramerType.RTU, retries=0, timeout=5)
        assert await client.connect()
        block = await client.read_holding_registers(2089, count=10, device_id=1)
        low, high = block.registers[2:4]
        assert struct.unpack(">f", struct.pack(">HH", high, low))[0] == pytest.approx(value, abs=0.01)
        assert (await client.read_holding_registers(100, count=2, device_id=1)).exception_code == 2
        client.close()
        await asyncio.sleep(0)


def test_pymodbus_reads_a_probe_over_a_serial_port(tmp_path: Path) -> None:
    path = tmp_path / "probe"
    with simulate("hamilton_arc_ph", "--pty", path, "--set", "ph=6.9", "--set", "temperature=36.5"):
        client = ModbusSerialClient(str(path), baudrate=19200, stopbits=2, retries=0, timeout=5)
        assert client.connect()
        low, high = client.read_holding_registers(2409, count=10, device_id=1).registers[2:4]
        client.close()
        assert struct.unpack(">f", struct.pack(">HH", high, low))[0] == pytest.approx(36.5, abs=0.01)


def test_urllib_reads_and_sets_the_incubator() -> None:
    with simulate("memmert_ico", "--tcp", "127.0.0.1:0", "--set", "temperature=36.8") as (url,):
        where = url.replace("tcp://", "http://") + "/atmoweb?"

        def get(query: str) -> bytes:
            with urllib.request.urlopen(where + query, timeout=10) as reply:
                return reply.read()

        assert get("Temp1Read=") == b'"Temp1Read": 36.8,'
        assert get("TempSet=37.0") == b'"TempSet": 37.0,'
        assert get("TempSet=") == b'"TempSet": 37.0,'
