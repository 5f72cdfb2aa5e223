"""The world: a simulated bench in a process of its own, with the bench's clock. It outlives the controller.

While a controller is connected the world follows the controller's time, message by message (lockstep). When the
controller is gone, or silent for `SILENCE_S`, the world runs on by itself at wall time x speed. Its time never goes
back.

One JSON array a line over a Unix socket, and one answer each: `[kind, …]` -> `[now, result]` or `{"error": text}`.
From the controller, with its bench time: `["bytes", link, now, text]` (bytes as Latin-1), `["opened"|"closed"|"wake",
link, now]`, `["tick", now]`; the result is `{link: [[[delay_s, text | null = close], …], wake_at | null]}`. At its
orderly end: `["farewell"]`.
From anybody: `["hello", role]` (controller or observer), `["truth"]`, `["fault", text]`, `["mend"]`,
`["power_cycle", device]`, `["snapshot"]`, `["people", [task, …], now]` (what the simulated person answers to the open
tasks, and when they mean to), `["hands", act, {arguments}]` (an act at the bench).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from simulators.bench import START, Config, SimulatedBench, read
from simulators.core.simulator import Bytes, Closed, Opened
from simulators.lockstep import World

SCAN_S = 0.05
"""Wall seconds between looks while the world runs by itself."""
VERSION = 2
"""Of what a state file holds."""
SAVE_S = 5.0
"""Wall seconds between two snapshots on disk."""
LONGEST_LINE = 1 << 20


def digest(config: Config) -> str:
    """SHA-256 of a bench file's data."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()


def state_of(bench: SimulatedBench, config: Config, now: float) -> dict[str, object]:
    """What a state file holds: also how a rehearsal hands its bench over to a world, with `save`."""
    return {"version": VERSION, "config": digest(config), "now": now, "bench": bench.snapshot()}


def save(path: Path, data: Mapping[str, object]) -> None:
    """Replace `path` in one step: after a crash it holds the old or the new."""
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(data, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def load(path: Path, config: Config) -> Mapping[str, Any] | None:
    """The saved world, or None when there is none; raises ValueError when it belongs to another bench file."""
    if not path.exists():
        return None
    data = cast("Mapping[str, Any]", json.loads(path.read_text("utf-8")))
    if data.get("version") != VERSION or data.get("config") != digest(config):
        raise ValueError(f"{path}: the saved world is of another bench or version; remove it to begin anew")
    return data


class Connection(asyncio.Protocol):
    """One client; each line is answered at once, so that the bench never does two things at a time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._world.leave(self)

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        transport = self._transport
        if transport is None:
            return
        if len(self._buffer) > LONGEST_LINE:
            transport.abort()
            return
        for line in lines:
            try:
                result = self._do(json.loads(line))
                reply: object = (self._world.now, result)
            except (ValueError, KeyError, TypeError, IndexError) as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            transport.write(json.dumps(reply).encode() + b"\n")

    def _do(self, message: list[Any]) -> object:
        world, kind = self._world, message[0]
        if kind in ("bytes", "wake", "opened", "closed", "tick"):
            if world.controller is not self:
                raise ValueError("only the controller of the moment leads the time")
            match kind:
                case "bytes":
                    return world.event(message[1], Bytes(message[3].encode("latin-1")), message[2])
                case "wake":
                    return world.wake(message[1], message[2])
                case "opened":
                    return world.event(message[1], Opened(), message[2])
                case "closed":
                    return world.event(message[1], Closed(), message[2])
                case _:
                    return world.tick(message[1])
        world.run_on()
        match kind:
            case "farewell":
                return world.farewell(self)
            case "hello":
                if message[1] == "controller":
                    world.join(self)
                return {"speed": world.speed, "links": list(world.bench.lines)}
            case "truth":
                return world.bench.truth(world.now)
            case "snapshot":
                return world.bench.snapshot()
            case "fault":
                return world.inject(message[1])
            case "mend":
                return world.mend()
            case "power_cycle":
                return world.power_cycle(message[1])
            case "people":
                return world.people(message[1], message[2] if world.controller is self else world.now)
            case "now":
                return None
            case "hands":
                return world.hands(message[1], message[2])
            case _:
                raise ValueError(f"the world does not know {kind!r}")


async def serve(world: World, socket: Path, state: Path | None, config: Config) -> None:
    """Listen on `socket` until SIGTERM or SIGINT, saving to `state`; prints `ready SOCKET` when it listens."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_unix_server(lambda: Connection(world), str(socket))
    print(f"ready {socket}", flush=True)
    save_at = loop.time() + SAVE_S
    while not stop.is_set():
        world.run_on()
        if state is not None and loop.time() >= save_at:
            save(state, state_of(world.bench, config, world.now))
            save_at = loop.time() + SAVE_S
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), SCAN_S)
    if state is not None:
        save(state, state_of(world.bench, config, world.now))
    server.close()


def main(argv: list[str]) -> int:
    """`python -m simulators world …`; 0 = ended on a signal, 1 = could not start."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators world",
        description="A simulated bench with its own clock, for a controller to connect to.",
        epilog="example: python -m simulators world --bench stirred-100.toml --socket world.sock --speed 600",
    )
    parser.add_argument("--bench", type=Path, required=True, help="bench file (TOML)")
    parser.add_argument("--socket", type=Path, required=True, help="Unix socket to listen on")
    parser.add_argument("--speed", type=float, default=1.0, help="bench seconds for one wall second (default 1)")
    parser.add_argument("--seed", type=int, help="switches noise and drift on")
    parser.add_argument("--state", type=Path, help="file to save to and to continue from")
    parser.add_argument("--start", type=float, default=START, help="bench time to begin at, seconds since 1970")
    parser.add_argument("--wait", action="store_true", help="let no time pass before the first controller has come")
    parser.add_argument("--faults", default="", help="faults, separated by commas; see simulate --list-faults")
    asked = parser.parse_args(argv)
    try:
        config = read(asked.bench)
        faults = [text for text in asked.faults.split(",") if text]
        earlier = None if asked.state is None else load(asked.state, config)
        bench = SimulatedBench(config, seed=asked.seed, faults=faults, start=asked.start)
        if earlier is not None:
            bench.restore(earlier["bench"])
    except (OSError, ValueError, KeyError) as error:
        print(f"world: {error}", file=sys.stderr)
        return 1
    now = asked.start if earlier is None else earlier["now"]

    async def run() -> None:
        world = World(bench, asked.speed, now, asyncio.get_running_loop().time, waits=asked.wait)
        await serve(world, asked.socket, asked.state, config)

    asked.socket.unlink(missing_ok=True)
    asyncio.run(run())
    asked.socket.unlink(missing_ok=True)
    return 0
