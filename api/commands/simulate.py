"""One simulated device, or a whole bench of them, for any program that speaks the maker's bytes."""

from __future__ import annotations

import argparse

from api.simulators_child import become

EXAMPLE = "osteon simulate hamilton_arc_ph --tcp 127.0.0.1:5020 --set ph=7.2"


def arguments(parser: argparse.ArgumentParser) -> None:
    what = "a model of 'osteon device list', or a bench file"
    parser.add_argument("what", nargs="?", metavar="MODEL|BENCH.toml", help=what)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--pty", metavar="PATH", help="make a serial port there")
    where.add_argument("--tcp", metavar="HOST:PORT", help="listen there with the bytes of the serial cable")
    where.add_argument("--modbus-tcp", metavar="HOST:PORT", help="the same with the header of Modbus TCP")
    parser.add_argument("--address", type=int, metavar="N", help="number on its line")
    parser.add_argument("--set", action="append", default=[], metavar="SIGNAL=VALUE", help="a value that holds still")
    parser.add_argument("--seed", type=int, metavar="N", help="switch noise and drift on")
    fault = "what is wrong with it, e.g. silence; may be repeated"
    parser.add_argument("--fault", action="append", default=[], metavar="NAME", help=fault)
    parser.add_argument("--list-faults", action="store_true", help="say which faults there are, and end")
    parser.add_argument("--variant", metavar="NAME", help="a dialect of its datasheet")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="an option of the device")


def run(options: argparse.Namespace) -> int:
    words = ["simulate", *([options.what] if options.what else []), *(["--list-faults"] if options.list_faults else [])]
    for name in ("pty", "tcp", "modbus_tcp", "address", "seed", "variant"):
        if (value := vars(options)[name]) is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    for name in ("set", "fault", "option"):
        for each in vars(options)[name]:
            words += [f"--{name}", each]
    become(words)
