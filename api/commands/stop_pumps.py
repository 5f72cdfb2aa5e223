"""Stop pumps, on the machine itself, without sign-in (AC-08); says of each whether it confirmed."""

from __future__ import annotations

import argparse

from api.folders import data_argument
from api.refusal import Refusal
from api.socket_client import ask

EXAMPLE = "osteon stop-pumps"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("unit", nargs="?", metavar="UNIT", help="only this unit (default: all)")
    data_argument(parser)


def run(options: argparse.Namespace) -> int:
    pumps = [str(each) for each in ask(options.data, "stop_pumps", unit=options.unit, timeout_s=60.0)["stopped"]]
    doubtful = [each for each in pumps if "NOT CONFIRMED" in each]
    for pump in pumps:
        print(pump if pump in doubtful else f"{pump} stopped")
    if doubtful:
        raise Refusal("not every pump confirmed that it stands still; go and look, or take its power away")
    return 0
