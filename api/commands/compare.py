"""The arms of a study: one protocol rehearsed with other parameters, ALP and calcium of each, and their order."""

from __future__ import annotations

import argparse

from api.folders import json_argument
from api.simulators_child import become, bench_file

EXAMPLE = "osteon compare adsc-osteo-spheroid-28d --time-lapse"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("protocol", metavar="PROTOCOL", help="a protocol file, or the name of one that ships")
    parser.add_argument(
        "--arm", action="append", default=[], metavar="NAME=VALUE,…",
        help="one arm by its parameters; repeat it (default: every combination of the parameters that have options)",
    )  # fmt: skip
    parser.add_argument("--bench", metavar="FILE", help="bench file, or one that ships (default: stirred-100)")
    parser.add_argument("--seed", type=int, metavar="N", help="of noise, drift and the simulated person, in every arm")
    parser.add_argument("--time-lapse", action="store_true", help="the same acts, the waiting between them cut short")
    parser.add_argument("--processes", type=int, metavar="N", help="arms at a time (default: 2)")
    json_argument(parser)


def run(options: argparse.Namespace) -> int:
    words = ["compare", options.protocol]
    if options.bench:
        words += ["--bench", str(bench_file(options.bench))]
    for name in ("seed", "processes"):
        if (value := vars(options)[name]) is not None:
            words += [f"--{name}", str(value)]
    for each in options.arm:
        words += ["--arm", each]
    if options.time_lapse:
        words.append("--time-lapse")
    become([*words, "--json"] if options.json else words)
