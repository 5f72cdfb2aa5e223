"""The demo bench: a world of simulated devices and the real controller on them, under the supervisor."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from pathlib import Path

from api import past_child, processes, service_child
from api.folders import data_argument
from api.refusal import Refusal
from api.simulators_child import bench_file, command
from api.socket_client import running_pid
from api.supervisor import Child, Supervisor, refuse_if_served, stop_on_signals
from api.terminal import watch
from api.web.security.demo_password import USER, new_password

EXAMPLE = "osteon demo --speed 600"
PROTOCOL = "adsc-osteo-spheroid-28d"
PATIENCE_S = 12
"""Wall seconds a task is left to whoever watches before the simulated person answers it."""
BENCH = "stirred-100"
DAY = 16.3
"""In the afternoon of culture day 16: the spheroids are in the stirred vessel, the first exchange is a night away."""
MADE_BY_DEMO = past_child.STATE
"""A folder without this file is not the demo's to clear."""


def arguments(parser: argparse.ArgumentParser) -> None:
    data_argument(parser, "osteon-data/demo")
    service_child.arguments(parser)
    parser.add_argument("--speed", type=speed, default=600, metavar="N", help="1 to 3600 x real time (default: 600)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of noise, drift and the simulated person")
    parser.add_argument("--bench", default=BENCH, metavar="FILE", help="bench file, or one that ships")
    parser.add_argument("--protocol", default=PROTOCOL, metavar="NAME", help=f"what a fresh demo starts ({PROTOCOL})")
    parser.add_argument(
        "--day",
        type=past_child.day,
        metavar="N",
        help="culture day a fresh demo opens at, what came before rehearsed; 0 = from the start "
        f"(default: {DAY:g}, 0 with a bench or protocol of your own)",
    )
    parser.add_argument("--fresh", action="store_true", help="start anew instead of going on with the last state")


def speed(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 3600:
        raise argparse.ArgumentTypeError("a speed is 1 to 3600")
    return value


def run(options: argparse.Namespace) -> int:
    data: Path = options.data.absolute()
    bench_toml = bench_file(options.bench)
    if not service_child.loopback(options.host):
        raise Refusal(f"the demo answers on this machine only, not on {options.host}")
    refuse_if_served(data)
    service_child.check_port(data, options.host, options.port)
    if options.fresh:
        clear(data)
    service_child.forget_address(data)
    password = new_password(data)
    service = service_child.child(data, options, "--demo")
    before = past(data, bench_toml, options)
    asyncio.run(
        live(
            data, [service, *before, *bench(data, bench_toml, options.speed, options.seed, options.protocol)], password
        )
    )
    return 0


def past(data: Path, bench: Path, options: argparse.Namespace) -> list[Child]:
    """The job that fills in the days before the one the demo opens at; none where a culture is going on."""
    ours = options.protocol == PROTOCOL and options.bench == BENCH
    days: float = options.day if options.day is not None else DAY if ours else 0.0
    if options.day is not None and (not past_child.possible(data) or past_child.made(data)):
        print(f"going on with what is in {data}; --day is for a fresh start (--fresh)", flush=True)
    if not past_child.possible(data):
        return []
    if not days and not past_child.made(data):
        past_child.forget(data)
        return []
    return [past_child.child(data, bench, options.protocol, days, options.seed)]


def bench(data: Path, bench: Path, speed: float, seed: int, protocol: str) -> list[Child]:
    """The two processes of a demo: the world outlives every kill of the controller."""
    socket, rate = str(data / "world.sock"), f"{speed:g}"
    world = ("world", "--bench", str(bench), "--socket", socket, "--speed", rate, "--seed", str(seed), "--wait")
    controller = ("controller", "--bench", str(bench), "--data", str(data), "--world", socket, "--speed", rate)
    tasks = ("--protocol", protocol, "--patience", str(PATIENCE_S))
    return [
        Child("world", command(*world, "--state", str(data / past_child.STATE)), socket="world.sock"),
        Child("controller", command(*controller, *tasks), pid_if_running=lambda: running_pid(data)),
    ]


async def live(data: Path, children: list[Child], password: str) -> None:
    stop = await stop_on_signals()
    said: list[str] = []
    announcing = asyncio.create_task(announce(data, password, said))
    supervising = asyncio.create_task(Supervisor(data, children, said.append).run(stop))
    watching = asyncio.create_task(watch(data, said))
    try:
        await asyncio.wait([supervising, watching], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (watching, announcing):
            task.cancel()
        await asyncio.gather(watching, announcing, return_exceptions=True)
        print("ending in order; 'osteon demo' goes on from here", flush=True)
        stop.set()
        await supervising


async def announce(data: Path, password: str, said: list[str]) -> None:
    text = f"page at {await service_child.announced(data)}   user {USER}   password {password}"
    said.insert(0 if sys.stdout.isatty() else len(said), text)


def clear(data: Path) -> None:
    """Forget a former demo; raises Refusal when it still runs, or when the folder holds something else."""
    if not data.exists() or not any(data.iterdir()):
        return
    if not (data / MADE_BY_DEMO).exists() and not (data / "supervisor.pid").exists():
        raise Refusal(f"{data} holds something that no demo made; name another folder with --data")
    for name in ("controller", "world", past_child.NAME, service_child.NAME):
        running = processes.read(data / f"{name}.pid")
        if running is not None:
            raise Refusal(f"the {name} of {data} still runs (pid {running.pid}); end it before starting anew")
    shutil.rmtree(data)
