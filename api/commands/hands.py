"""What a person does at a demo's simulated bench: a probe into a buffer, medium into the vessel, a cable pulled."""

from __future__ import annotations

import argparse

from api.folders import data_argument
from api.simulators_child import become

EXAMPLE = """osteon hands dip ph_probe ph=4.01
         osteon hands put-back ph_probe
         osteon hands look
         osteon hands fault silence@balance
'osteon hands' alone lists what can be done."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="ACT", help="the act, on what, and name=value; none: list them")
    data_argument(parser, "osteon-data/demo")


def run(options: argparse.Namespace) -> int:
    become(["hands", "--world", str(options.data.absolute() / "world.sock"), *options.words])
