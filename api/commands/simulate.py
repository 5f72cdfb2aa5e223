"""One simulated device, or a whole bench of them, for any program that speaks the maker's bytes."""

from __future__ import annotations

import argparse

from api.simulators_child import become

EXAMPLE = "osteon simulate hamilton_arc_ph --tcp 127.0.0.1:5020 --set ph=7.2"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="MODEL|BENCH.toml", help="a model of 'osteon device list', or a bench file")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--pty", metavar="PATH", help="make a serial port there")
    where.add_argument("--tcp", metavar="HOST:PORT", help="listen there with the bytes of the serial cable")
    parser.add_argument("--address", type=int, metavar="N", help="number on its line")
    parser.add_argument("--set", action="append", default=[], metavar="SIGNAL=VALUE", help="a value that holds still")
    parser.add_argument("--seed", type=int, metavar="N", help="switch noise and drift on")
    parser.add_argument("--fault", metavar="NAME", help="what is wrong with it, e.g. silence")
    parser.add_argument("--variant", metavar="NAME", help="a dialect of its datasheet")


def run(options: argparse.Namespace) -> int:
    words = ["simulate", options.what]
    for name in ("pty", "tcp", "address", "seed", "fault", "variant"):
        if (value := vars(options)[name]) is not None:
            words += [f"--{name}", str(value)]
    for each in options.set:
        words += ["--set", each]
    become(words)
