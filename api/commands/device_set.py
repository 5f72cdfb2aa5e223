"""Write one set point with limits checked, and read it back."""

from __future__ import annotations

import argparse
import asyncio
import json

from api.folders import json_argument
from api.one_device import connected, model, place_arguments, shown, signal
from api.refusal import Refusal
from drivers.core.signals import Quality, Value

EXAMPLE = "osteon device set memmert_ico http://192.168.1.20 temperature_setpoint 37.0"


def arguments(parser: argparse.ArgumentParser) -> None:
    place_arguments(parser)
    parser.add_argument("signal", metavar="SIGNAL")
    parser.add_argument("value", metavar="VALUE", help="in the signal's unit")
    json_argument(parser)


def run(options: argparse.Namespace) -> int:
    spec = model(options.model).specs()[signal(model(options.model), options.signal)]
    if not spec.writable:
        raise Refusal(f"{options.model}: {spec.name} can only be read")
    return asyncio.run(write(options))


async def write(options: argparse.Namespace) -> int:
    async with connected(options) as device:
        reading = await device.write(options.signal, value(options.value))
    unit = device.specs()[options.signal].unit
    if options.json:
        found = {"signal": options.signal, "value": reading.value, "unit": unit, "quality": reading.quality.value}
        print(json.dumps(found | ({"why": reading.why} if reading.why else {})))
    else:
        print(f"{options.signal} is {shown(reading.value)} {unit} ({reading.quality.value}, read back)")
    if reading.quality is not Quality.GOOD:
        raise Refusal(f"{options.signal}: not confirmed: {reading.why}")
    return 0


def value(text: str) -> Value:
    """A number where it looks like one, true/false for flags, else text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return float(text)
    except ValueError:
        return text
