"""Faults where other programs meet the devices: pseudo-terminals, Modbus TCP, `osteon simulate`, a world."""

from __future__ import annotations

import asyncio
import os
import tty
from argparse import Namespace
from pathlib import Path

import pytest

from drivers.core.wire import modbus
from simulators.bench import START
from simulators.core.faults import Fault, FaultyWire, parse
from simulators.core.modbus_tcp import ModbusTcpPlug
from simulators.core.ports import PtyHost
from simulators.core.simulator import Bytes, Opened, Send
from simulators.lockstep import World
from simulators.simulate import device
from tests.simulators.desk import Desk
from tests.simulators.parrot import Parrot

pytestmark = pytest.mark.req("SIM-04")


async def until(true, limit_s: float = 10.0) -> bool:
    for _ in range(int(limit_s / 0.02)):
        if true():
            return True
        await asyncio.sleep(0.02)
    return False


async def heard(path: Path, said: bytes) -> bytes:
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(fd)
    os.write(fd, said)
    found = b""

    def answered() -> bool:
        nonlocal found
        try:
            found += os.read(fd, 100)
        except BlockingIOError:
            return False
        return found.endswith(b"\n")

    await until(answered)
    os.close(fd)
    return found


@pytest.mark.real_time
@pytest.mark.parametrize(("name", "back_at"), [("unplugged", "port"), ("port-moves", "port-moved")])
async def test_a_terminal_is_gone_and_comes_back_under_its_name_or_another(tmp_path: Path, name: str, back_at: str):
    path = tmp_path / "port"
    wire = FaultyWire(Parrot())
    host = PtyHost(wire, path)
    await host.open()
    try:
        assert await heard(path, b"hello\n") == b"HELLO\n"
        wire.faults.append(Fault(parse(f"{name}:for_s=0.3"), host.now, 0))
        host.act([])
        assert await until(lambda: not path.exists())
        assert await until(lambda: (tmp_path / back_at).exists())
        assert path.exists() is (name == "unplugged")
        await asyncio.sleep(0.1)
        assert await heard(tmp_path / back_at, b"again\n") == b"AGAIN\n"
    finally:
        await host.close()
    assert os.listdir(tmp_path) == []


def asked(what: str, *faults: str) -> Namespace:
    return Namespace(what=what, set=[], option=[], variant=None, address=None, seed=3, fault=list(faults))


def question(number: int) -> Bytes:
    body = modbus.read_request(1, 3, 1031, 8)[:-2]
    return Bytes(number.to_bytes(2, "big") + bytes(2) + len(body).to_bytes(2, "big") + body)


def test_over_modbus_tcp_another_unit_answers_and_a_no_is_a_no():
    for fault, unit, function in (("wrong-unit:every=1", 2, 3), ("exception:every=1:code=6", 1, 0x83)):
        plug = ModbusTcpPlug(device(asked("hamilton_arc_ph", fault)))
        plug.receive(Opened(), START)
        (said,) = plug.receive(question(7), START)
        assert isinstance(said, Send)
        assert (said.data[:2], said.data[6], said.data[7]) == (b"\x00\x07", unit, function)


def test_a_device_that_was_replaced_keeps_its_plug():
    wire = device(asked("hamilton_arc_ph", "replaced:after_s=5"))
    plug = ModbusTcpPlug(wire)
    assert plug.wake_at == START + 5.0
    plug.wake(START + 5.0)
    (said,) = plug.receive(question(1), START + 6.0)
    assert isinstance(said, Send) and said.data[6:8] == b"\x01\x03"
    assert wire.simulator.serial == "0001002"


def test_one_device_alone_can_have_faults_of_its_own():
    wire = device(asked("hamilton_arc_ph", "drift:ph=0.1", "slow"))
    one = modbus.read_request(1, 3, 2089, 10)
    (first,) = wire.receive(Bytes(one), START)
    (later,) = wire.receive(Bytes(one), START + 86400.0)
    assert isinstance(first, Send) and isinstance(later, Send)
    assert first.data != later.data


@pytest.mark.parametrize(
    ("what", "fault", "says"),
    [
        ("new_era_ne1000", "frozen", "not for new_era_ne1000"),
        ("new_era_ne1000", "exception", "speaks no Modbus"),
        ("hamilton_arc_ph", "stall", "no such trouble"),
        ("hamilton_arc_ph", "drift:g=1", "one of cel, ph"),
        ("hamilton_arc_ph", "vent-blocks", "whole bench"),
        ("hamilton_arc_ph", "late-person", "whole bench"),
        ("alicat_meter", "panel-change:ml_min=3", "nothing to set"),
    ],
)
def test_one_device_refuses_what_it_cannot_have(what: str, fault: str, says: str):
    with pytest.raises(ValueError, match=says):
        device(asked(what, fault))


async def test_a_world_takes_faults_of_every_kind_and_mends_them():
    desk = Desk()
    world = World(desk.bench, 1.0, desk.now, lambda: 0.0)
    for fault in ("silence@balance", "drift@ph_probe:ph=1", "check-valve", "late-person", "stuck-off@pump_in"):
        world.inject(fault)
    assert desk.bench.surroundings.snapshot()["volumes"]["waste"]["leak_back"] > 0
    assert len(desk.bench.person.lapses) == len(desk.bench.seats["ph_probe"].faults) == 1
    world.mend()
    assert desk.bench.surroundings.snapshot()["volumes"]["waste"]["leak_back"] == 0
    assert desk.bench.person.lapses == desk.bench.seats["ph_probe"].faults == []
    world.hands("clamp", {"seconds": 60.0})
    assert desk.bench.surroundings.snapshot()["volumes"]["fill"]["blocked_out"] == 1.0
