"""Rehearse a protocol: the real controller on simulated devices in virtual time, in a process of its own."""

from __future__ import annotations

import argparse
from pathlib import Path

from api.folders import json_argument
from api.simulators_child import become, bench_file

EXAMPLE = "osteon rehearse adsc-osteo-spheroid-28d --seed 1"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("protocol", metavar="PROTOCOL", help="a protocol file, or the name of one that ships")
    parser.add_argument("--bench", metavar="FILE", help="bench file, or one that ships (default: stirred-100)")
    parser.add_argument("--seed", type=int, metavar="N", help="of noise, drift, faults and the simulated person")
    parser.add_argument("--faults", metavar="NAME,…", help="what goes wrong, e.g. check-valve; or random")
    parser.add_argument("--shrink", action="store_true", help="if it fails: the shortest list of faults that does it")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the protocol")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep ledger and history there")
    parser.add_argument("--report", type=Path, metavar="FILE.html", help="write the culture's story there")
    parser.add_argument("--time-lapse", action="store_true", help="the same acts, the waiting between them cut short")
    parser.add_argument("--attended", action="store_true", help="a person comes to a held run, mends and goes on")
    parser.add_argument("--units", metavar="NAME,…", help="side by side on each of these units of the bench, or all")
    json_argument(parser)


def run(options: argparse.Namespace) -> int:
    words = ["rehearse", options.protocol]
    if options.bench:
        words += ["--bench", str(bench_file(options.bench))]
    for name in ("seed", "faults", "data", "report", "units"):
        if (value := vars(options)[name]) is not None:
            words += [f"--{name}", str(value)]
    for each in options.set:
        words += ["--set", each]
    if options.shrink:
        words.append("--shrink")
    if options.time_lapse:
        words.append("--time-lapse")
    if options.attended:
        words.append("--attended")
    become([*words, "--json"] if options.json else words)
