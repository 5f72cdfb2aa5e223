"""`python -m benchmarks.still_bench BENCH.toml`: every device of a bench file on its link, each in still surroundings.

A process of its own, so that what simulating costs is not charged to the controller. Prints `ready URL` for each link,
and after SIGTERM `asked N`: how often bytes arrived. On the ordinary clock: paced time stands still while the computer
is busy, and a device that wants 30 ms of silence between two requests would count fewer than there were.
"""

from __future__ import annotations

import asyncio
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulators import catalogue
from simulators.bench import START
from simulators.core.modbus import ModbusUnit
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Action, Bytes, Event
from simulators.simulate import Port, port, serve
from simulators.standalone import PLACES


class CountingLine(SharedLine):
    """A cable that counts how often something came over it."""

    asked = 0

    def receive(self, event: Event, now: float) -> list[Action]:
        CountingLine.asked += isinstance(event, Bytes)
        return super().receive(event, now)


def ports(config: Mapping[str, Any]) -> list[Port]:
    """One port a link, at the URL of the file; `simulation.baud` = the rate of a cable that is not its devices' own."""
    lines = {link: CountingLine({}) for link in config["links"]}
    schemes: dict[str, str] = {}
    for each in config["devices"]:
        entry = catalogue.entry(each["model"])
        schemes[each["link"]] = entry.scheme
        device = catalogue.build(each["model"], PLACES[entry.place](), address=each.get("address", entry.address))
        if isinstance(device, ModbusUnit):
            device.baud = config["simulation"]["baud"].get(each["link"], device.baud)
        lines[each["link"]].add(each["name"], device)
    return [port(line, config["links"][link], schemes[link]) for link, line in lines.items()]


class Steady(asyncio.SelectorEventLoop):
    """Real time, counted from a bench time."""

    def time(self) -> float:
        return START + super().time()


def main(path: Path) -> None:
    with asyncio.Runner(loop_factory=Steady) as runner:
        runner.run(serve(ports(tomllib.loads(path.read_text("utf-8")))))
    print(f"asked {CountingLine.asked}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
