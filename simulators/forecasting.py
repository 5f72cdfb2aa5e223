"""`osteon plan --forecast`: rehearsals behind a plan, told as JSON; progress on the terminal."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from controller.errors import Unusable
from controller.settings import BenchInvalid
from controller.settings import load as load_settings
from drivers.core.errors import OsteonError
from protocols.faults import ProtocolInvalid
from protocols.moments import instant
from simulators.forecast import forecast
from simulators.rehearsal import shipped_bench


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m simulators forecast", description=__doc__)
    parser.add_argument("protocol")
    parser.add_argument("--start", required=True, metavar="ISO", help="local time at the bench, no offset")
    parser.add_argument("--bench", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    asked = parser.parse_args(argv)
    shown = sys.stderr.isatty()

    def done(count: int) -> None:
        if shown:
            print(f"\rrehearsed {count} of {asked.seeds}", end="", file=sys.stderr, flush=True)

    try:
        done(0)
        zone = load_settings(asked.bench or shipped_bench()).bench.zone
        start = instant(datetime.fromisoformat(asked.start), ZoneInfo(zone))
        found = forecast(
            asked.protocol, start=start, zone=zone, bench=asked.bench,
            sets=dict(part.split("=", 1) for part in asked.set),
            seeds=range(1, asked.seeds + 1), processes=min(2, os.cpu_count() or 1), done=done,
        )  # fmt: skip
    except (ProtocolInvalid, BenchInvalid, Unusable, OsteonError, ValueError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if shown:
            print(file=sys.stderr)
    print(json.dumps(asdict(found)))
    return 0
