"""Real processes: a world that outlives its controllers, controllers killed by -9, and the judge who asks the world."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from api.refusal import Refusal
from api.socket_client import ask
from controller.store.reader import Reader
from drivers.core.fluid import Direction
from simulators.rehearsal import shipped_bench
from simulators.world_client import WorldClient

EXCHANGES = Path(__file__).parent.parent / "protocols" / "exchanges.yaml"
WAIT_S = 60.0
"""Wall seconds after which a process that does not do what is waited for fails the test."""
PUMPS = {"medium in": ("pump_in", "fill"), "medium out": ("pump_out", "waste")}
"""Fluid path -> device, and its name in the truth."""


def exchanges(times: int) -> str:
    """The protocol with so many exchanges."""
    return EXCHANGES.read_text("utf-8").replace("times: 40", f"times: {times}")


class Processes:
    """One bench in a process of its own, one data folder, controllers one after another. Ends only what it started."""

    def __init__(self, folder: Path, *, speed: float = 600.0, seed: int = 1, protocol: str = "") -> None:
        """`protocol` is the text of a protocol that a controller starts when the bench has no run; "" = none."""
        self.folder, self.data, self.world_socket = folder, folder / "data", folder / "w"
        self.speed, self.seed = speed, seed
        self.bench_file = shipped_bench()
        self.protocol = folder / "protocol.yaml" if protocol else None
        if self.protocol is not None:
            self.protocol.write_text(protocol, "utf-8")
        self.controller: subprocess.Popen[bytes] | None = None
        self.deaths = 0
        self._started: list[subprocess.Popen[bytes]] = []

    async def __aenter__(self) -> Self:
        state = self.folder / "world.json"
        self._spawn(
            "simulators", "world", "--bench", self.bench_file, "--socket", self.world_socket,
            "--speed", self.speed, "--seed", self.seed, "--state", state,
        )  # fmt: skip
        await until(self.world_socket.exists, "the world listens")
        self.eye = WorldClient(self.world_socket, role="observer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.eye.close()
        for process in reversed(self._started):
            if process.poll() is None:
                process.kill()
            process.wait(WAIT_S)

    def spawn_controller(self, data: Path | None = None, world: Path | None = None) -> subprocess.Popen[bytes]:
        """A controller process, not waited for."""
        more = () if self.protocol is None else ("--protocol", self.protocol)
        return self._spawn(
            "simulators", "controller", "--bench", self.bench_file, "--data", data or self.data,
            "--world", world or self.world_socket, "--speed", self.speed, *more,
        )  # fmt: skip

    def _spawn(self, module: str, *arguments: object) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            line = [sys.executable, "-m", module, *map(str, arguments)]
            process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._started.append(process)
        return process

    async def boot(self) -> dict[str, Any]:
        """Start the controller and wait until it is up; what it says of itself."""
        self.controller = self.spawn_controller()
        await until(lambda: self.hello().get("state") == "running", "the controller is up", self.alive)
        return self.hello()

    def kill(self) -> float:
        """-9, at once; the bench time of the death."""
        assert self.controller is not None
        os.kill(self.controller.pid, signal.SIGKILL)
        self.controller.wait(WAIT_S)
        self.deaths += 1
        return float(self.eye.truth()["at"])

    def alive(self) -> None:
        """Fail with the log when the controller ended by itself."""
        assert self.controller is not None
        code = self.controller.poll()
        assert code is None, f"the controller ended with {code}:\n{self.log()[-4000:]}"

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    # asking

    def ask(self, do: str, **arguments: object) -> Any:
        return ask(self.data, do, timeout_s=WAIT_S, **arguments)

    def hello(self) -> dict[str, Any]:
        """{} while nobody answers, or the dead one's socket is still there."""
        try:
            said = self.ask("hello")
        except Refusal:
            return {}
        return said if self.controller is None or said["pid"] == self.controller.pid else {}

    def run(self) -> dict[str, Any]:
        """The live run as a view sees it; {} when there is none (yet)."""
        try:
            runs = self.ask("snapshot")["runs"]
        except Refusal:
            return {}
        return runs[0] if runs else {}

    def ledger(self) -> Reader:
        return Reader.open_read_only(self.data)

    def held_ml(self, name: str) -> float:
        """Liquid and air truly in a syringe, by its name in the truth."""
        truth = self.eye.truth()
        self.now = float(truth["at"])
        return float(truth[f"{name}_liquid_ml"]) + float(truth[f"{name}_air_ml"])

    def gain(self, name: str) -> float:
        """True volume of a syringe for each mL its pump counts."""
        surroundings: Any = self.eye.snapshot()["surroundings"]
        return float(surroundings["volumes"][name]["gain"])

    async def movement(self, check: Callable[[], None] = lambda: None) -> bool:
        """Whether a plunger moves now, in truth: two looks, some wall milliseconds apart."""
        before = [self.held_ml(name) for _, name in PUMPS.values()]
        await asyncio.sleep(0.01)
        check()
        return before != [self.held_ml(name) for _, name in PUMPS.values()]

    # judging

    def settle_question(self, run: dict[str, Any]) -> list[str]:
        """Answer every open question of a held run from the truth, as a person at the bench would, and restart it."""
        answers: list[str] = []
        for step in run["steps"]:
            if step["question"]:
                answer, ml = self._true_answer(step)
                self.ask("decide", run=run["run"], path=step["path"], answer=answer, volume_ml=ml, why="looked")
                answers.append(f"{step['path']}: {answer} {'' if ml is None else f'{ml:.2f} mL'}")
        self.ask("command", run=run["run"], cause="restart", why="question settled" if answers else "looked at")
        return answers

    def _true_answer(self, step: dict[str, Any]) -> tuple[str, float | None]:
        """What the plant says about the one unknown stroke of a step."""
        if "accept" in step["options"]:
            return "accept", None
        with self.ledger() as ledger:
            rows = [row for row in ledger.doses(path=step["path"], run_id="run-1") if row.state == "unknown"]
        if not rows:
            return "nothing", None
        (row,) = rows
        surplus = round(self.surplus(row.fluid_path), 3)
        if row.stroke == Direction.DRAW:
            return "nothing", max(0.0, surplus)
        return ("delivered", -surplus) if surplus < -0.05 else ("nothing", None)

    def surplus(self, path: str) -> float:
        """True content of a syringe less what the ledger says is in it, mL of the pump's own counting."""
        name = PUMPS[path][1]
        held = self.held_ml(name) / self.gain(name)
        with self.ledger() as ledger:
            rows = [row for row in ledger.doses() if row.fluid_path == path]
        booked = {stroke: sum(row.moved_ml or 0.0 for row in rows if row.stroke == stroke) for stroke in Direction}
        return held - booked[Direction.DRAW] + booked[Direction.DELIVER]


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
