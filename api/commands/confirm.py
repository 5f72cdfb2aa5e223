"""Confirm what runs wait for: a doubtful clock, a changed bench file, another program than the one that began."""

from __future__ import annotations

import argparse

from api.folders import data_argument
from api.socket_client import ask

EXAMPLE = 'osteon confirm configuration --why "the new balance was entered"'


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("clock", "configuration", "program"))
    parser.add_argument("--why", required=True, metavar="TEXT", help="what you have looked at: part of the record")
    data_argument(parser)


def run(options: argparse.Namespace) -> int:
    done = ask(options.data, "confirm", timeout_s=60.0, what=options.what, why=options.why)
    print(f"confirmed: {done['confirmed']}")
    print("held runs go on with 'osteon runs restart RUN'")
    return 0
