"""`python -m controller --bench FILE --data DIR`: the controller on real links, until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from controller.bench import OpenLink
from controller.clock import BenchLoop, Clock
from controller.controller import Controller
from controller.ipc import NAME, LocalSocket
from controller.settings import BenchInvalid, Settings, load
from controller.store.errors import DirectoryTaken
from drivers import catalogue
from drivers.core.link import Link, open_link


def links(settings: Settings) -> OpenLink:
    """Opens real links; what a serial URL leaves out comes from the datasheet of the first device on it."""
    defaults = {each.link: catalogue.find(each.model).default_url for each in reversed(settings.devices)}

    def link(name: str, url: str) -> Link:
        return open_link(url, defaults.get(name, ""))

    return link


async def control(controller: Controller, socket: LocalSocket) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, controller.stop)
    await controller.run(socket.serve)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m controller", description=__doc__)
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    asked = parser.parse_args(argv)
    try:
        settings = load(asked.bench)
        asked.data.mkdir(parents=True, exist_ok=True)
        controller = Controller(settings, asked.data, links(settings), Clock.real(settings.bench.zone))
        with asyncio.Runner(loop_factory=BenchLoop) as runner:
            runner.run(control(controller, LocalSocket(asked.data / NAME)))
    except (BenchInvalid, DirectoryTaken, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
