"""One bounded dose by one pump, through the same ledger code as a run: intent, one command, fence, measure, result."""

from __future__ import annotations

import argparse
import asyncio
import re
import tempfile
from pathlib import Path

from api.folders import json_argument
from api.one_device import model, place_arguments
from api.refusal import Refusal
from drivers.core.fluid import FluidMover

EXAMPLE = "osteon device dispense new_era_ne1000 tcp://127.0.0.1:18082 --volume 1.5mL --rate 1mL/min"

PER_ML = {"mL": 1.0, "uL": 1000.0, "µL": 1000.0, "L": 0.001}


def arguments(parser: argparse.ArgumentParser) -> None:
    place_arguments(parser)
    parser.add_argument("--volume", required=True, type=volume_ml, metavar="1.5mL", help="how much")
    parser.add_argument("--rate", type=rate_ml_min, default=1.0, metavar="1mL/min", help="how fast (default: 1mL/min)")
    parser.add_argument(
        "--direction", choices=("in", "out"), default="out", help="into the pump, or out of it (default)"
    )
    json_argument(parser)


def volume_ml(text: str) -> float:
    """ "1.5mL", "150 uL" as mL; a bare number is refused, since a forgotten unit is a wrong dose."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*([a-zµA-Z]+)\s*", text)
    if not found or found[2] not in PER_ML:
        units = ", ".join(dict.fromkeys(PER_ML))
        raise argparse.ArgumentTypeError(f"{text!r} is not a volume; write it with its unit ({units}), like 1.5mL")
    return positive(found[1], text) / PER_ML[found[2]]


def rate_ml_min(text: str) -> float:
    """ "1mL/min", "60 mL/h" as mL/min."""
    amount, _, per = text.partition("/")
    if per.strip() not in ("min", "h", "s"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a rate; write it with its unit, like 1mL/min")
    return volume_ml(amount) * {"min": 1.0, "h": 1 / 60, "s": 60.0}[per.strip()]


def positive(number: str, text: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not more than nothing")
    return value


def run(options: argparse.Namespace) -> int:
    if not issubclass(model(options.model), FluidMover):
        raise Refusal(f"{options.model} moves no fluid")
    from api.one_dose import dispense

    with tempfile.TemporaryDirectory(prefix="osteon-dispense-") as folder:
        return asyncio.run(dispense(options, Path(folder)))
