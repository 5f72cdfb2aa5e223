"""Hold runs, on the machine itself, without sign-in (AC-08)."""

from __future__ import annotations

import argparse

from api.folders import data_argument
from api.socket_client import ask

EXAMPLE = "osteon hold reactor"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("unit", nargs="?", metavar="UNIT", help="only this unit (default: all)")
    data_argument(parser)


def run(options: argparse.Namespace) -> int:
    answer = ask(options.data, "hold", unit=options.unit, timeout_s=60.0)
    held = answer.get("held", [])
    print("holding " + ", ".join(map(str, held)) if held else "no run to hold")
    print("temperature, gas and stirring go on")
    return 0
