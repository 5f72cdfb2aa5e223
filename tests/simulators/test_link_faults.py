"""Faults of cables: what arrives at our end, what the driver makes of it, and that the world behind stays true."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from drivers.core.errors import LinkLost, WireError
from drivers.core.fluid import Direction
from drivers.core.signals import Quality
from drivers.core.wire import modbus
from simulators.core.faults import FAULTS
from simulators.core.faults.table import Kind
from simulators.core.hosts import MemoryLink
from simulators.devices.new_era_ne1000 import safe_packet
from tests.simulators.desk import Desk

pytestmark = pytest.mark.req("SIM-04")

QUESTION = modbus.read_request(1, 3, 1031, 8)
"""The probe's firmware: the same text each time."""
Heard = tuple[bytes, ...]
CLOSED = b"closed"


async def ask(link: MemoryLink, patience_s: float = 1.0) -> bytes:
    """One question, and all that came within `patience_s`."""
    try:
        link.write(QUESTION)
    except LinkLost:
        return CLOSED
    await asyncio.sleep(patience_s)
    return link.waiting() if link.is_open else CLOSED


async def six(desk: Desk) -> Heard:
    link = desk.bench.open_link("probes")
    await link.dial()
    return tuple([await ask(link) for _ in range(6)])


async def six_on_one_that_was_there(desk: Desk, name: str) -> Heard:
    """The same, but the fault begins after the connection; a dead one is dialled again in the middle."""
    link = desk.bench.open_link("probes")
    await link.dial()
    desk.inject(f"{name}@ph_probe")
    await asyncio.sleep(0.2)
    found = [await ask(link) for _ in range(3)]
    if name == "half-open":
        await link.close()
        await link.dial()
    return (*found, *[await ask(link) for _ in range(3)])


def one_bit(heard: bytes, true: bytes) -> bool:
    return len(heard) == len(true) and sum((a ^ b).bit_count() for a, b in zip(heard, true, strict=True)) == 1


AT_THE_WIRE: dict[str, Callable[[Heard, bytes], bool]] = {
    "silence": lambda heard, true: heard == (b"",) * 6,
    "deaf": lambda heard, true: heard == (b"",) * 6,
    "mute": lambda heard, true: heard == (b"",) * 6,
    "drop": lambda heard, true: heard == (true, true, b"") * 2,
    "delay": lambda heard, true: heard == (b"", b"", b"", true, true, true),
    "late": lambda heard, true: heard == (true, true, b"", true + true, true, b""),
    "flip": lambda heard, true: heard[:2] == (true,) * 2 and one_bit(heard[2], true),
    "truncate": lambda heard, true: heard[:2] == (true,) * 2 and heard[2] != true and true.startswith(heard[2]),
    "duplicate": lambda heard, true: heard == (true, true, true + true) * 2,
    "garbage": lambda heard, true: heard[:2] == (true,) * 2 and heard[2] != true and heard[2].endswith(true),
    "wrong-unit": lambda heard, true: heard == (true, true, modbus.frame(b"\x02" + true[1:-2])) * 2,
    "exception": lambda heard, true: heard == (true, true, modbus.frame(b"\x01\x83\x04")) * 2,
    "hang-up": lambda heard, true: heard == (true, true, CLOSED, CLOSED, CLOSED, CLOSED),
    "half-open": lambda heard, true: heard == (b"", b"", b"", true, true, true),
    "unplugged": lambda heard, true: heard == (CLOSED,) * 6,
    "port-moves": lambda heard, true: heard == (CLOSED,) * 6,
}
NEEDS_A_CONNECTION = ("half-open", "unplugged", "port-moves")


def names(kind: Kind) -> list[str]:
    return [name for name, entry in FAULTS.items() if entry.kind is kind]


def test_every_fault_of_a_link_is_tested_here():
    assert sorted(AT_THE_WIRE) == sorted(names(Kind.LINK))


@pytest.mark.parametrize("name", AT_THE_WIRE)
async def test_a_fault_of_the_cable_is_seen_on_it_and_changes_nothing_behind_it(name: str):
    untouched, desk = Desk(), Desk()
    (true,) = set(await six(untouched))
    if name in NEEDS_A_CONNECTION:
        heard = await six_on_one_that_was_there(desk, name)
    else:
        desk.inject(f"{name}@ph_probe")
        heard = await six(desk)
    assert AT_THE_WIRE[name](heard, true), [each.hex() for each in heard]
    later = desk.now + 100.0
    assert desk.bench.truth(later) == untouched.bench.truth(later)


@pytest.mark.parametrize("name", AT_THE_WIRE)
async def test_a_driver_on_such_a_cable_believes_nothing_wrong_and_finds_back(name: str):
    desk = Desk()
    probe = await desk.ready("ph_probe")
    true = {key: reading.value for key, reading in (await probe.poll()).items()}
    desk.inject(f"{name}@ph_probe:for_s=60")
    worse = 0
    for _ in range(12):
        await asyncio.sleep(5.0)
        try:
            found = await probe.poll()
        except WireError:
            worse += 1
            continue
        worse += any(reading.quality is not Quality.GOOD for reading in found.values())
        for key, reading in found.items():
            if reading.quality is Quality.GOOD and isinstance(true[key], float):
                assert reading.value == pytest.approx(true[key], abs=0.1), key
    assert worse or name in ("drop", "late", "flip", "truncate", "duplicate", "garbage", "wrong-unit", "hang-up")
    if name == "port-moves":
        return
    await asyncio.sleep(30.0)
    for _ in range(2):  # the first may still have to dial
        try:
            found = await probe.poll()
        except WireError:
            continue
    assert all(reading.quality is Quality.GOOD for reading in found.values())


@pytest.mark.parametrize(("name", "moves_ml"), [("silence", 0.0), ("deaf", 0.0), ("mute", 1.0)])
async def test_what_a_pump_truly_did_depends_on_which_way_the_cable_is_dead(name: str, moves_ml: float):
    desk = Desk()
    pump = await desk.pump()
    await desk.stroke(pump, Direction.DRAW, 1.0)
    desk.inject(f"{name}@pump_in")
    link = desk.bench.open_link("pumps")
    await link.dial()
    link.write(safe_packet(b"00RUN"))  # the same stroke once more
    await asyncio.sleep(30.0)
    assert link.waiting() == b""
    with pytest.raises(WireError):
        await desk.device("pump_in").read("motion")
    assert desk.truth("fill_drawn_ml") == pytest.approx(1.0 + moves_ml, abs=0.01)


async def test_a_port_that_was_pulled_is_dialled_in_vain_until_it_is_back():
    desk = Desk()
    probe = await desk.ready("ph_probe")
    desk.inject("unplugged@ph_probe:for_s=60")
    await asyncio.sleep(1.0)
    with pytest.raises(WireError):
        await probe.read("ph")
    await asyncio.sleep(60.0)
    assert (await probe.read("ph")).quality is Quality.GOOD


async def test_a_dead_connection_is_given_up_and_a_new_one_works():
    desk = Desk()
    probe = await desk.ready("ph_probe")
    desk.inject("half-open@ph_probe")
    tries = 0
    while tries < 20:
        tries += 1
        try:
            await probe.read("ph")
            break
        except WireError:
            await asyncio.sleep(1.0)
    assert 1 < tries < 10


@pytest.mark.parametrize("fault", ["wrong-unit@balance", "exception@incubator", "wrong-unit@pump_in"])
async def test_modbus_faults_are_refused_where_no_modbus_is_spoken(fault: str):
    with pytest.raises(ValueError, match="speaks no Modbus"):
        Desk(fault)


@pytest.mark.parametrize("name", ["late", "half-open", "unplugged", "garbage"])
async def test_a_saved_bench_keeps_the_faults_of_its_cables(name: str):
    desk = Desk(f"{name}@ph_probe:after_s=2.5" + (":for_s=300" if name == "unplugged" else ""), seed=5)
    first = await six(desk)
    saved = desk.bench.snapshot()
    again = Desk(seed=5)
    again.bench.restore(saved)
    assert again.bench.snapshot() == saved
    assert len(set(await asyncio.gather(six(again), six(desk)))) == 1, first
