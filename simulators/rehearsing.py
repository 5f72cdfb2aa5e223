"""`osteon rehearse`: a rehearsal at the terminal, its progress and what it came to."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from controller.errors import Unusable
from controller.settings import BenchInvalid
from controller.settings import load as load_settings
from drivers.core.errors import OsteonError
from protocols.faults import ProtocolInvalid
from simulators.laboratory import Sample
from simulators.plant.assays import ASSAYS
from simulators.rehearsal import Progress, Result, rehearse, shipped_bench, silent
from simulators.shrinking import shortest


def summary(result: Result) -> str:
    """For a terminal."""
    lines = [
        f"{result.protocol}: {result.state}" + (f" — {result.why}" if result.why and not result.complete else ""),
        f"{result.days:.2f} days in {result.wall_s:.1f} s: {result.compression:,.0f} x real time (seed {result.seed})",
        *(
            ["time-lapse: waiting was cut short; flasks, plates and spheroids lived the whole time"]
            if result.time_lapse
            else []
        ),
        *([f"faults: {','.join(result.faults)}"] if result.faults else []),
        f"hand steps done: {result.hand_steps}",
        "doses (asked / pump counter / balance, mL):",
        *(
            f"  {dose.path} {dose.part}: {dose.asked_ml:.1f} / {shown(dose.counter_ml)} / {shown(dose.balance_ml)}"
            for dose in result.doses
        ),
        *(["samples:"] if result.samples else []),
        *(f"  day {each.day:.1f} {each.name}: {findings(each)}" for each in result.samples),
        f"deviations: {len(result.deviations)}",
        *(f"  {text}" for text in result.deviations),
        f"truth beside the ledger: {'; '.join(result.apart) or 'agree'}",
        *([f"held and looked after: {result.looks} times"] if result.looks else []),
        f"alarms: {len(result.alarms)}",
        *(f"  {text}" for text in result.alarms),
        f"event_log_digest: {result.event_log_digest}",
        "Simulated devices; not a validated or clinical protocol.",
    ]
    return "\n".join(lines)


def findings(sample: Sample) -> str:
    return ", ".join(f"{name} {value:.4g} {ASSAYS[name].unit}" for name, value in sample.values.items())


def shown(volume_ml: float | None) -> str:
    return "—" if volume_ml is None else f"{volume_ml:.2f}"


def units_of(asked: str, bench: Path | None) -> tuple[str, ...]:
    """The units named, or `all` of the bench."""
    if asked == "all":
        return tuple(unit.name for unit in load_settings(bench or shipped_bench()).units)
    return tuple(name for name in asked.split(",") if name)


def bar(days: float) -> Progress:
    """A progress line on the terminal, rewritten in place."""
    last = time.perf_counter()

    def progress(day: float, state: str) -> None:
        nonlocal last
        if time.perf_counter() - last > 0.2:
            last = time.perf_counter()
            filled = min(40, int(40 * day / days))
            print(
                f"\r[{'#' * filled}{'.' * (40 - filled)}] day {day:5.2f} of {days:.0f} {state:<12}",
                end="",
                file=sys.stderr,
            )

    return progress


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="osteon rehearse", description=__doc__)
    parser.add_argument("protocol")
    parser.add_argument("--bench", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faults", default="", help="separated by commas, e.g. check-valve; or random")
    parser.add_argument("--shrink", action="store_true", help="if it fails: the shortest list of faults that does it")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--time-lapse", action="store_true", help="the same acts, the waiting between them cut short")
    parser.add_argument(
        "--units", default="", help="run it on each of these units side by side, e.g. bed_1,bed_2; or all"
    )
    parser.add_argument("--attended", action="store_true", help="a person comes to a held run, mends and goes on")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(argv)
    if wrong := [part for part in asked.set if "=" not in part]:
        parser.error(f"--set {wrong[0]}: write it as NAME=VALUE")
    sets = dict(part.split("=", 1) for part in asked.set)
    faults = [name for name in asked.faults.split(",") if name]
    show = bar(28.0) if sys.stderr.isatty() else silent

    def run(faults: Sequence[str], data: Path | None = None, report: Path | None = None) -> Result:
        return rehearse(
            asked.protocol,
            bench=asked.bench,
            seed=asked.seed,
            faults=faults,
            sets=sets,
            data=data,
            report=report,
            progress=show,
            units=units_of(asked.units, asked.bench),
            time_lapse=asked.time_lapse,
            attended=asked.attended,
        )

    try:
        result = run(faults, asked.data, asked.report)
        left: list[str] | None = None
        if asked.shrink and not result.complete:
            left = shortest(result.faults, lambda few: not run(few).complete)
    except (ProtocolInvalid, BenchInvalid, Unusable, OsteonError, ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(json.dumps(asdict(result)) if asked.json else summary(result))
    if left is not None:
        told = f"seed {asked.seed}, shortest list that fails: {','.join(left) or 'none, it fails without'}"
        print(told, file=sys.stderr if asked.json else sys.stdout)
    return 0 if result.complete else 1
