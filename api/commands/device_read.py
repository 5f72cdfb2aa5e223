"""Identify a device, then read every readable signal with unit and quality."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict

from api.folders import json_argument
from api.one_device import connected, model, place_arguments, shown, signal
from api.table import table
from drivers.core.device import Device
from drivers.core.signals import Access, Identity, Quality, Reading

EXAMPLE = "osteon device read hamilton_arc_ph serial:///dev/ttyUSB0 --address 1 --watch 5"


def arguments(parser: argparse.ArgumentParser) -> None:
    place_arguments(parser)
    parser.add_argument("--signal", metavar="S", help="only this signal")
    parser.add_argument("--watch", type=float, metavar="SECONDS", help="read again every so many seconds until Ctrl-C")
    json_argument(parser)


def run(options: argparse.Namespace) -> int:
    if options.signal:
        signal(model(options.model), options.signal)
    return asyncio.run(read(options))


async def read(options: argparse.Namespace) -> int:
    """Exit code 1 when a signal read once is bad."""
    async with connected(options) as device:
        identity = await device.identify()
        while True:
            readings = await taken(device, options.signal)
            text = as_json(device, identity, readings) if options.json else as_table(device, identity, readings)
            print(text, flush=True)
            if not options.watch:
                return 1 if any(each.quality is Quality.BAD for each in readings.values()) else 0
            await asyncio.sleep(options.watch)


async def taken(device: Device, only: str | None) -> Mapping[str, Reading]:
    if only:
        return {only: await device.read(only)}
    readings = await device.poll()
    readable = [name for name, spec in device.specs().items() if spec.access is not Access.WRITE]
    return {name: readings[name] for name in readable if name in readings}


def as_json(device: Device, identity: Identity, readings: Mapping[str, Reading]) -> str:
    signals = {
        name: {"value": each.value, "unit": device.specs()[name].unit, "quality": each.quality.value}
        | ({"why": each.why} if each.why else {})
        for name, each in readings.items()
    }
    return json.dumps({"model": device.model, "identity": asdict(identity), "signals": signals})


def as_table(device: Device, identity: Identity, readings: Mapping[str, Reading]) -> str:
    who = ", ".join(f"{fact} {value}" for fact, value in asdict(identity).items() if value)
    rows = [
        (name, shown(each.value), device.specs()[name].unit, each.quality.value, each.why)
        for name, each in readings.items()
    ]
    return f"{device.model}: {who}\n{table(('signal', 'value', 'unit', 'quality', ''), rows)}"
