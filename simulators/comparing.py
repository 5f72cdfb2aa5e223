"""`osteon compare`: the arms of a study at the terminal."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from controller.errors import Unusable
from controller.settings import BenchInvalid
from drivers.core.errors import OsteonError
from protocols.faults import ProtocolInvalid
from simulators.arms import MEASURES, Arm, compare, every, facts, order
from simulators.plant.assays import ASSAYS

NOTE = (
    "Simulated devices and cells; not a validated or clinical protocol. The order is that of this plant; no figure\n"
    "here is, or agrees with, a figure of the work the study follows, whose methods were not available to us."
)
SCAFFOLD = "scaffold alone"


def table(arms: tuple[Arm, ...]) -> str:
    """Arm by arm, then the order by each measure."""
    heads = ("arm", "end", *(f"{name}, {ASSAYS[name].unit}" for name in MEASURES), "sample", "deviations")
    rows = [
        heads,
        *(
            (arm.name, arm.state, *(_shown(arm, name) for name in MEASURES), arm.sample, str(len(arm.deviations)))
            for arm in arms
        ),
        (SCAFFOLD, "on record", *("—" for _ in MEASURES), "—", "—"),
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    orders = [f"{name}: {order(arms, name)}" for name in MEASURES[:2]]
    held = [f"{arm.name}: {arm.state}, {arm.why}" for arm in arms if not arm.complete]
    return "\n".join([*lines, "", *orders, *held, "", NOTE])


def _shown(arm: Arm, measure: str) -> str:
    """What the laboratory reports; where its assay sees nothing, what is truly there."""
    if not arm.found:
        return "—"
    found, true = arm.found[measure], arm.true[measure]
    return f"{found:.3g}" if found or not true else f"{true:.2g} (not detected)"


def named(texts: list[str]) -> dict[str, dict[str, str]]:
    """Arms from the command line, each `name=value,name=value`. Raises ValueError."""
    arms: dict[str, dict[str, str]] = {}
    for text in texts:
        parts = [part.partition("=") for part in text.split(",")]
        if not all(name.strip() and sign and value.strip() for name, sign, value in parts):
            raise ValueError(f"--arm {text}: write it as NAME=VALUE,NAME=VALUE")
        sets = {name.strip(): value.strip() for name, _, value in parts}
        arms[", ".join(sets.values())] = sets
    return arms


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="osteon compare", description=__doc__)
    parser.add_argument("protocol")
    parser.add_argument("--arm", action="append", default=[], metavar="NAME=VALUE,…")
    parser.add_argument("--bench", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-lapse", action="store_true")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(argv)
    try:
        arms = named(asked.arm) or every(asked.protocol)
        if not arms:
            raise ValueError(f"{asked.protocol} has no parameter with options: name its arms with --arm NAME=VALUE")
        show = bar(len(arms)) if sys.stderr.isatty() else None
        if show:
            show(0)
        ended = compare(
            asked.protocol, arms,
            bench=asked.bench, seed=asked.seed, time_lapse=asked.time_lapse, processes=asked.processes,
            done=show or (lambda count: None),
        )  # fmt: skip
    except (ProtocolInvalid, BenchInvalid, Unusable, OsteonError, ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    if sys.stderr.isatty():
        print(file=sys.stderr)
    orders = {name: order(ended, name) for name in MEASURES[:2]}
    print(json.dumps({"arms": [facts(arm) for arm in ended], "order": orders}) if asked.json else table(ended))
    return 0 if all(arm.complete for arm in ended) else 1


def bar(arms: int) -> Callable[[int], None]:
    """A line on the terminal, rewritten in place."""

    def progress(count: int) -> None:
        filled = 40 * count // arms
        print(f"\r[{'#' * filled}{'.' * (40 - filled)}] {count} of {arms} arms", end="", file=sys.stderr, flush=True)

    return progress
