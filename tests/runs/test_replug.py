"""Cables that fall out and come back under the real controller: pseudo-terminals, TCP, and a server that forgot us."""

from __future__ import annotations

import asyncio
import ctypes
import os
import pty
import re
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from api.refusal import Refusal
from api.socket_client import ask
from simulators import catalogue
from simulators.core.ports import PtyHost, TcpHost
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Action, Bytes, Event, Simulator
from simulators.standalone import FreeBarrel, StillLiquid, StillPan
from tests.runs.processes import ROOT, until

pytestmark = [pytest.mark.real_time, pytest.mark.timeout(120)]

BENCH = """
[bench]
name = "replug"
zone = "UTC"
[links]
pumps = "serial://{folder}/pumps"
balance = "serial://{folder}/balance"
probe = "tcp://127.0.0.1:{port}"
[[devices]]
name = "pump_in"
model = "new_era_ne1000"
link = "pumps"
address = 0
poll_s = 1
options = {{ diameter_mm = 26.7, capacity_ml = 60 }}
[[devices]]
name = "pump_out"
model = "new_era_ne1000"
link = "pumps"
address = 1
poll_s = 1
options = {{ diameter_mm = 26.7, capacity_ml = 60 }}
[[devices]]
name = "balance"
model = "mettler_toledo_mt_sics"
link = "balance"
poll_s = 1
[[devices]]
name = "probe"
model = "hamilton_arc_ph"
link = "probe"
poll_s = 1
[[units]]
name = "reactor"
[units.vessel]
kind = "stirred"
min_ml = 60
max_ml = 150
level_ml = 72
[units.roles]
"ph" = "probe.ph"
"waste weight" = "balance.weight"
[units.paths."medium in"]
pump = "pump_in"
line_ml = 4.0
[units.paths."medium out"]
pump = "pump_out"
line_ml = 4.0
witness = "waste weight"
"""
DEVICES = {"pump_in", "pump_out", "balance", "probe"}
ACCEPT_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)
"""A socket filter of one instruction, BPF_RET 0: every packet is thrown away, the kernel's own acknowledgements too."""


class Ear:
    """A simulator whose every word from the cable is kept."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.heard: list[bytes] = []

    @property
    def wake_at(self) -> float | None:
        return self.simulator.wake_at

    def receive(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Bytes):
            self.heard.append(event.data)
        return self.simulator.receive(event, now)

    def wake(self, now: float) -> list[Action]:
        return self.simulator.wake(now)

    def power_cycle(self, now: float) -> list[Action]:
        return self.simulator.power_cycle(now)

    def snapshot(self) -> dict[str, object]:
        return self.simulator.snapshot()

    def restore(self, saved: dict[str, object]) -> None:
        self.simulator.restore(saved)


def commands(said: bytes) -> set[bytes]:
    """The words of a New Era pump in what it was told."""
    return set(re.findall(rb"[01]([A-Z]{3})", said))


def balance(serial: str = "B123456789") -> Ear:
    return Ear(catalogue.build("mettler_toledo_mt_sics", StillPan(), options={"serial": serial}))


class Bench:
    """Simulated devices on real ports in this process, and the real controller in another."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "d"
        self.barrels = {name: FreeBarrel() for name in ("pump_in", "pump_out")}
        pumps = {
            name: catalogue.build("new_era_ne1000", place, address=number)
            for number, (name, place) in enumerate(self.barrels.items())
        }
        self.pumps, self.balance = Ear(SharedLine(pumps)), balance()
        self.probe = Ear(catalogue.build("hamilton_arc_ph", StillLiquid(), address=1))
        self.on_pumps = PtyHost(self.pumps, folder / "pumps")
        self.on_balance = PtyHost(self.balance, folder / "balance")
        self.on_probe = TcpHost(self.probe, "127.0.0.1", 0)
        self.old_terminals: list[int] = []

    async def plug_in(self) -> None:
        """Every cable, the terminals under other numbers than before."""
        self.old_terminals += pty.openpty()
        for host in (self.on_pumps, self.on_balance, self.on_probe):
            await host.open()

    async def pull(self) -> None:
        for host in (self.on_pumps, self.on_balance, self.on_probe):
            await host.close()

    async def plug_balance(self, simulator: Ear) -> None:
        """This balance at the port of the one before."""
        await self.on_balance.close()
        self.old_terminals += pty.openpty()
        self.on_balance = PtyHost(simulator, self.folder / "balance")
        await self.on_balance.open()

    def devices(self) -> Mapping[str, Mapping[str, Any]]:
        try:
            found = ask(self.data, "snapshot", timeout_s=5.0)["devices"]
        except Refusal:
            return {}
        return {each["name"]: each for each in found}

    def conditions(self) -> set[str]:
        return {each["condition"] for each in self.devices().values()}

    def good(self) -> set[str]:
        """Devices of which every reading is good, or counts as manual because the device is being calibrated."""
        return {
            name
            for name, each in self.devices().items()
            if each["condition"] == "ready"
            and all(it["quality"] in ("good", "manual") for it in each["readings"].values())
        }

    async def osteon(self, *words: str) -> tuple[int, str]:
        """The command of a person, its exit code and what it said."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "api.cli", *words, "--data", self.data, cwd=ROOT,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()


@asynccontextmanager
async def controlled(folder: Path) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        bench = Bench(folder)
        await bench.plug_in()
        stack.push_async_callback(bench.pull)
        file = folder / "bench.toml"
        file.write_text(BENCH.format(folder=folder, port=bench.on_probe.port))
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "controller", "--bench", file, "--data", bench.data,
                cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            await until(lambda: bench.good() == DEVICES, "every device is good")
            yield bench
        finally:
            for terminal in bench.old_terminals:
                os.close(terminal)
            process.kill()
            await process.wait()


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a short name, for the socket in it."""
    return tmp_path_factory.mktemp("r")


@pytest.mark.req("EQ-05", "EQ-06", "DS-04")
async def test_cables_pulled_in_mid_stroke_and_plugged_in_again(folder: Path) -> None:
    async with controlled(folder) as bench:
        known = commands(b"".join(bench.pumps.heard))
        assert (await bench.osteon("calibrate", "begin", "pump_out"))[0] == 0
        weigh = ("calibrate", "weigh", "pump_out", "--doses", "3", "--volume", "3mL", "--rate", "5mL/min")
        weighing = asyncio.ensure_future(bench.osteon(*weigh, "--balance", "balance.weight"))
        await until(lambda: any(b"1RUN" in said for said in bench.pumps.heard), "the pump was started")
        assert bench.good() == DEVICES
        await bench.pull()
        code, said = await weighing
        assert (code, "pump_out" in said) == (1, True), said
        await until(lambda: bench.conditions() == {"lost"}, "every device is known to be away")
        assert not bench.good()
        bench.pumps.heard.clear()
        bench.balance.heard.clear()
        await bench.plug_in()
        await until(lambda: bench.good() == DEVICES, "every device is good again")
        await asyncio.sleep(2)
        asked = b"".join(bench.pumps.heard)
        assert b"VER" in asked[:10]
        assert commands(asked) <= known == {b"VER", b"STP", b"SAF", b"DIA", b"DIS"}
        assert 0.0 < bench.barrels["pump_out"].pulled_in_ml < 3.0, "stopped as soon as it was back"


@pytest.mark.req("EQ-05")
async def test_another_balance_at_the_port_of_the_one_before_is_refused_until_that_is_back(folder: Path) -> None:
    async with controlled(folder) as bench:
        other = balance("B999999999")
        await bench.plug_balance(other)
        await until(lambda: bench.devices()["balance"]["condition"] == "wrong device", "the other one is refused")
        assert "B999999999" in bench.devices()["balance"]["why"]
        assert bench.good() == DEVICES - {"balance"}
        assert {word[:1] for word in b"".join(other.heard).splitlines()} == {b"I"}, (
            "asked for its name and nothing else"
        )
        await bench.plug_balance(bench.balance)
        await until(lambda: bench.good() == DEVICES, "the one before is taken back")


@pytest.mark.skipif(sys.platform != "linux", reason="needs socket filters")
async def test_a_serial_server_that_lost_us_without_a_word_is_dialled_anew(folder: Path) -> None:
    async with controlled(folder) as bench:
        (connection,) = bench.on_probe.queue
        plug = cast("socket.socket", connection._transport.get_extra_info("socket"))  # type: ignore[union-attr]
        deafen(plug)
        bench.on_probe.queue.clear()  # it restarted: the connection is nothing to it, a new one is welcome
        bench.on_probe.unplug()
        await until(lambda: "probe" not in bench.good(), "its silence is noticed")
        await until(lambda: bench.good() == DEVICES, "it was dialled anew")
        connection.give_up()
        await asyncio.sleep(0.05)


def deafen(plug: socket.socket) -> None:
    """Let the kernel throw away whatever comes for this socket: the far side sees no end, only silence."""
    code = ctypes.create_string_buffer(ACCEPT_NOTHING)
    program = struct.pack("HL", 1, ctypes.addressof(code))
    plug.setsockopt(socket.SOL_SOCKET, 26, program)  # SO_ATTACH_FILTER
