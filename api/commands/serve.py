"""Serve a real bench: keep its controller and its page running until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from api import service_child
from api.folders import data_argument
from api.refusal import Refusal
from api.socket_client import ask, running_pid
from api.supervisor import Child, Supervisor, refuse_if_served, stop_on_signals

CONTROLLER_S = 5.0
"""A controller that takes longer than this to come up keeps nobody from the page."""
EXAMPLE = "osteon serve --bench bench.toml --data /var/lib/osteon"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bench", type=Path, required=True, metavar="FILE", help="the bench file")
    data_argument(parser)
    service_child.arguments(parser)
    service_child.network_arguments(parser)


def run(options: argparse.Namespace) -> int:
    bench, data = options.bench.absolute(), options.data.absolute()
    if not bench.is_file():
        raise Refusal(f"{options.bench}: there is no such bench file")
    service_child.check_network(options)
    refuse_if_served(data)
    service_child.check_port(data, options.host, options.port)
    service_child.forget_address(data)
    line = (sys.executable, "-P", "-m", "controller", "--bench", str(bench), "--data", str(data))
    controller = Child("controller", line, pid_if_running=lambda: running_pid(data))
    service = service_child.child(data, options, *service_child.network_words(options))
    asyncio.run(live(data, [service, controller]))
    return 0


async def live(data: Path, children: list[Child]) -> None:
    """The service is started first and ended last: whoever looks sees what goes on."""
    stop = await stop_on_signals()
    up = asyncio.create_task(announce(data))
    announcing = [up, asyncio.create_task(announce_page(data, up))]
    try:
        await Supervisor(data, children, say).run(stop)
    finally:
        for task in announcing:
            task.cancel()
        await asyncio.gather(*announcing, return_exceptions=True)
    say("ended in order; devices keep their set points, pumps stand still")


async def announce(data: Path) -> None:
    """Say once that the controller answers. A question over a local socket: short enough for the loop."""
    while True:
        await asyncio.sleep(0.05)
        try:
            hello = ask(data, "hello", timeout_s=1.0)
        except Refusal:
            continue
        say(f"controller up (pid {hello.get('pid')}, epoch {hello.get('epoch')}, {hello.get('state')}), data in {data}")
        return


async def announce_page(data: Path, controller_up: asyncio.Task[None]) -> None:
    """Say once where the page is, and how to come in: not while the bench file may still be refused."""
    await asyncio.wait([controller_up], timeout=CONTROLLER_S)
    say(f"page at {await service_child.announced(data)}")
    if words := service_child.how_to_sign_in(data):
        say(words)


def say(text: str) -> None:
    print(f"osteon serve: {text}", flush=True)
