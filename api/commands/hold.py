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
    states: dict[str, str] = ask(options.data, "hold", unit=options.unit, timeout_s=60.0)["states"]
    for run, state in states.items():
        print(f"{run}: {state}")
    if not states:
        print("there is no run to hold")
    print("temperature, gas and stirring go on")
    return 0
