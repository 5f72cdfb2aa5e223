"""Real processes: a world that outlives its controllers, controllers killed by -9, and the judge who asks the world."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from api import processes
from api.refusal import Refusal
from simulators.rehearsal import shipped_bench
from simulators.world_client import WorldClient
from tests.runs.witness import PUMPS, Witness

ROOT = Path(__file__).parents[2]
EXCHANGES = ROOT / "tests" / "protocols" / "exchanges.yaml"
WAIT_S = 60.0
"""Wall seconds after which a process that does not do what is waited for fails the test."""
WARM = """
import json, os, signal, sys
import controller.ipc, simulators.demo
from simulators.__main__ import main
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    if (pid := os.fork()) == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        sys.exit(main(json.loads(line)))
    print(pid, flush=True)
"""
"""Forks controllers that need not import anything: a second of computing saved at each of many restarts."""


def exchanges(times: int) -> str:
    """The protocol with so many exchanges."""
    return EXCHANGES.read_text("utf-8").replace("times: 40", f"times: {times}")


class Processes(Witness):
    """One bench in a process of its own, one data folder, controllers one after another. Ends only what it started."""

    def __init__(
        self,
        folder: Path,
        *,
        speed: float = 600.0,
        seed: int = 1,
        protocol: str = "",
        warm: bool = False,
        bench: str = "",
        faults: str = "",
    ) -> None:
        """`protocol` is the text of a protocol that a controller starts when the bench has no run; "" = none.
        `bench` is the text of a bench file, "" = the shipped one; `faults` are the world's, separated by commas.

        `warm` controllers are forked from one process that has imported everything, others are whole command lines.
        """
        super().__init__(folder / "data")
        self.folder, self.world_socket = folder, folder / "w"
        self.speed, self.seed, self.warm = speed, seed, warm
        self.bench_file, self.faults = shipped_bench(), faults
        if bench:
            self.bench_file = folder / "bench.toml"
            self.bench_file.write_text(bench, "utf-8")
        self.protocol = folder / "protocol.yaml" if protocol else None
        if self.protocol is not None:
            self.protocol.write_text(protocol, "utf-8")
        self.pid = 0
        """Of the controller of the moment; 0 = none."""
        self._born = ""
        self._started: list[subprocess.Popen[bytes]] = []

    async def __aenter__(self) -> Self:
        state = self.folder / "world.json"
        self._warm = self._spawn("-c", WARM, pipes=True) if self.warm else None
        self._spawn(
            "-m", "simulators", "world", "--bench", self.bench_file, "--socket", self.world_socket,
            "--speed", self.speed, "--seed", self.seed, "--state", state, "--faults", self.faults,
        )  # fmt: skip
        try:
            await until(lambda: f"ready {self.world_socket}" in self.log(), "the world listens")
            self.eye = WorldClient(self.world_socket, role="observer")
        except BaseException:
            self._end_all()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.eye.close()
        self._end_all()

    def _end_all(self) -> None:
        if self._lives():
            os.kill(self.pid, signal.SIGKILL)
        for process in reversed(self._started):
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=WAIT_S)

    def controller_line(self, data: Path | None = None, world: Path | None = None) -> list[str]:
        """Arguments of `python -m simulators` for a controller."""
        more = () if self.protocol is None else ("--protocol", self.protocol)
        line = (
            "controller", "--bench", self.bench_file, "--data", data or self.data,
            "--world", world or self.world_socket, "--speed", self.speed, *more,
        )  # fmt: skip
        return [str(word) for word in line]

    def _spawn(self, *line: object, pipes: bool = False) -> subprocess.Popen[bytes]:
        between = subprocess.PIPE if pipes else None
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *map(str, line)],
                stdin=between or subprocess.DEVNULL,
                stdout=between or log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        self._started.append(process)
        return process

    async def boot(self) -> dict[str, Any]:
        """Start the controller and wait until it is up; what it says of itself."""
        if self._warm is None:
            self.mind(self._spawn("-m", "simulators", *self.controller_line()).pid)
        else:
            assert self._warm.stdin is not None and self._warm.stdout is not None
            self._warm.stdin.write(json.dumps(self.controller_line()).encode() + b"\n")
            self._warm.stdin.flush()
            self.mind(int(self._warm.stdout.readline()))
        await until(lambda: self.hello().get("state") == "running", "the controller is up", self.alive)
        return self.hello()

    async def kill(self) -> None:
        """-9, at once."""
        os.kill(self.pid, signal.SIGKILL)
        await until(lambda: not self._lives(), "the controller is dead")
        self.pid = 0
        self.deaths += 1

    def cut_power(self) -> None:
        """Take the power from both pumps and give it back."""
        for pump, _ in PUMPS.values():
            self.eye.power_cycle(pump)
        self.power_losses += 1

    def mind(self, pid: int) -> None:
        """`pid` is the controller from now on; a later process of the same number is not."""
        self.pid, self._born = pid, processes.born(pid)

    def _lives(self) -> bool:
        return self.pid != 0 and self._born != "" and processes.born(self.pid) == self._born

    def alive(self) -> None:
        """Fail with the log when the controller ended by itself."""
        assert self._lives(), f"the controller ended by itself:\n{self.log()[-4000:]}"

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    @asynccontextmanager
    async def patience(self) -> AsyncIterator[None]:
        """So long may a run take to come where a test waits for it; then fail with its state and the log's end."""
        try:
            async with asyncio.timeout(WAIT_S):
                yield
        except TimeoutError:
            run = self.run()
            raise AssertionError(
                f"the run is {run.get('state')} ({run.get('why')}) after {WAIT_S:g} s, "
                f"at {run.get('steps')}\n{self.log()[-2000:]}"
            ) from None

    async def refused(self, *line: object) -> tuple[int, str]:
        """Run a program that must not start; its exit code and what it said."""
        before = len(self.log())
        process = self._spawn(*line)
        await until(lambda: process.poll() is not None, "the second controller has ended")
        return process.wait(WAIT_S), self.log()[before:]

    # the bench on real ports, in real time

    async def simulate_on_ports(self) -> None:
        """From now on `bench_file` names ports of this machine at which its devices listen."""
        self.bench_file = on_ports(self.bench_file, self.folder / "ports.toml", free_ports(4))
        self._spawn("-m", "simulators", "simulate", self.bench_file)
        await until(lambda: self.log().count("ready tcp") + self.log().count("ready http") == 4, "the devices listen")

    def serve(self) -> subprocess.Popen[bytes]:
        """`osteon serve` on that bench."""
        return self._spawn("-m", "api.cli", "serve", "--bench", self.bench_file, "--data", self.data, "--port", 0)

    def fresh_since(self, at: float) -> bool:
        """Whether every device gave a good reading after bench time `at`."""
        seen = self.ask("snapshot")
        return all(
            any(
                reading["quality"] == "good" and seen["now"] - reading["age_s"] > at
                for reading in device["readings"].values()
            )
            for device in seen["devices"]
        )

    # asking

    def hello(self) -> dict[str, Any]:
        """{} while nobody answers, or somebody else."""
        try:
            said = self.ask("hello")
        except Refusal:
            return {}
        return said if self.pid in (0, said["pid"]) else {}

    def run(self) -> dict[str, Any]:
        """The live run as a view sees it; {} when there is none (yet)."""
        try:
            runs = self.ask("snapshot")["runs"]
        except Refusal:
            return {}
        return runs[0] if runs else {}

    async def movement(self, check: Callable[[], None] = lambda: None) -> bool:
        """Whether a plunger moves now, in truth: two looks, some wall milliseconds apart."""
        before = [self.held_ml(name) for _, name in PUMPS.values()]
        await asyncio.sleep(0.01)
        check()
        return before != [self.held_ml(name) for _, name in PUMPS.values()]


async def until(
    true: Callable[[], object], what: str, check: Callable[[], None] = lambda: None, limit_s: float = WAIT_S
) -> None:
    """Wait until `true()`; fails by name when it takes too long, or by `check`."""
    try:
        async with asyncio.timeout(limit_s):
            while not true():
                check()
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"waited {limit_s:g} s in vain until {what}") from None


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens at now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


def on_ports(bench_file: Path, into: Path, ports: Sequence[int]) -> Path:
    """A copy of the shipped bench file with other ports, polled every second."""
    text = bench_file.read_text("utf-8").replace("poll_s = 10", "poll_s = 1").replace("poll_s = 30", "poll_s = 1")
    for shipped_port, port in zip((18080, 18081, 18082, 18083), ports, strict=True):
        text = text.replace(f"127.0.0.1:{shipped_port}", f"127.0.0.1:{port}")
    into.write_text(text, "utf-8")
    return into


class Ports:
    """Ports in place of a bench's devices, which count who connects."""

    def __init__(self, bench_file: Path, into: Path) -> None:
        self._shipped, self._into = bench_file, into
        self.opened = 0

    async def __aenter__(self) -> Self:
        self._servers = [await asyncio.start_server(self._count, "127.0.0.1", 0) for _ in range(4)]
        ports = [server.sockets[0].getsockname()[1] for server in self._servers]
        self.bench_file = on_ports(self._shipped, self._into, ports)
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()

    async def _count(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        writer.close()


class Tap:
    """A socket between a controller and the world that keeps every line the controller says."""

    def __init__(self, path: Path, world: Path) -> None:
        self.path, self.world = path, world
        self.heard: list[list[Any]] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._carry, self.path)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_world, to_world = await asyncio.open_unix_connection(self.world)
        while line := await reader.readline():
            self.heard.append(json.loads(line))
            to_world.write(line)
            writer.write(await from_world.readline())
        to_world.close()
        writer.close()


def kinds(heard: Sequence[Sequence[Any]]) -> set[str]:
    """What was said, without its content: `hello observer`, `now`, `bytes` …"""
    return {f"hello {said[1]}" if said[0] == "hello" else str(said[0]) for said in heard}
