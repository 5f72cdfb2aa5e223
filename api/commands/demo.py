"""The demo bench: a world of simulated devices and the real controller on them, under the supervisor."""

from __future__ import annotations

import argparse
import asyncio
import shutil
from pathlib import Path

from api import processes
from api.folders import data_argument
from api.refusal import Refusal
from api.simulators_child import bench_file, command
from api.socket_client import running_pid
from api.supervisor import Child, Supervisor, stop_on_signals
from api.terminal import watch

EXAMPLE = "osteon demo --speed 600"
PROTOCOL = "adsc-osteo-spheroid-28d"
MADE_BY_DEMO = "world.json"
"""A folder without this file is not the demo's to clear."""


def arguments(parser: argparse.ArgumentParser) -> None:
    data_argument(parser, "osteon-data/demo")
    parser.add_argument("--speed", type=speed, default=600, metavar="N", help="1 to 3600 x real time (default: 600)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of noise, drift and the simulated person")
    parser.add_argument("--bench", default="stirred-100", metavar="FILE", help="bench file, or one that ships")
    parser.add_argument("--protocol", default=PROTOCOL, metavar="NAME", help=f"what a fresh demo starts ({PROTOCOL})")
    parser.add_argument("--fresh", action="store_true", help="start anew instead of going on with the last state")


def speed(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 3600:
        raise argparse.ArgumentTypeError("a speed is 1 to 3600")
    return value


def run(options: argparse.Namespace) -> int:
    data: Path = options.data.absolute()
    if options.fresh:
        clear(data)
    children = bench(data, bench_file(options.bench), options.speed, options.seed, options.protocol)
    asyncio.run(live(data, children))
    return 0


def bench(data: Path, bench: Path, speed: float, seed: int, protocol: str) -> list[Child]:
    """The two processes of a demo: the world outlives every kill of the controller."""
    socket, rate = str(data / "world.sock"), f"{speed:g}"
    world = ("world", "--bench", str(bench), "--socket", socket, "--speed", rate, "--seed", str(seed))
    controller = ("controller", "--bench", str(bench), "--data", str(data), "--world", socket, "--speed", rate)
    return [
        Child("world", command(*world, "--state", str(data / "world.json")), socket="world.sock"),
        Child("controller", command(*controller, "--protocol", protocol), pid_if_running=lambda: running_pid(data)),
    ]


async def live(data: Path, children: list[Child]) -> None:
    stop = await stop_on_signals()
    said: list[str] = []
    supervising = asyncio.create_task(Supervisor(data, children, said.append).run(stop))
    watching = asyncio.create_task(watch(data, said))
    try:
        await asyncio.wait([supervising, watching], return_when=asyncio.FIRST_COMPLETED)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        print("ending in order; 'osteon demo' goes on from here", flush=True)
        stop.set()
        await supervising


def clear(data: Path) -> None:
    """Forget a former demo; raises Refusal when it still runs, or when the folder holds something else."""
    if not data.exists() or not any(data.iterdir()):
        return
    if not (data / MADE_BY_DEMO).exists() and not (data / "supervisor.pid").exists():
        raise Refusal(f"{data} holds something that no demo made; name another folder with --data")
    for name in ("controller", "world"):
        running = processes.read(data / f"{name}.pid")
        if running is not None:
            raise Refusal(f"the {name} of {data} still runs (pid {running.pid}); end it before starting anew")
    shutil.rmtree(data)
