"""`python -m benchmarks [names]`: every benchmark or those named; figures are ratios to a floor of the same run."""

from __future__ import annotations

import argparse
import importlib

from benchmarks.figures import Options

NAMES = {
    "rehearsal": "a rehearsal against a bare bench in virtual time with as many devices",
    "start": "from `osteon serve` to a bench under control, also with a dead and a silent port; memory",
    "modbus_read": "a Modbus read through the driver against a bare echo and against pymodbus",
    "growth": "a step late in a run of 10,000 (--full), a stroke with 5,000 doses on record",
    "forty_devices": "forty devices on ten lines polled each second: processor, deadlines, memory",
    "catalogue": "import of the catalogue of all models",
    "durable_step": "an intended and a done dose against a bare fdatasync loop",
    "first_answer": "from `osteon serve` to the first HTTP answer; memory and processor of the three processes at rest",
    "live_values": "a unit's live values over HTTP, signed in, eight devices polled each second",
    "first_view": "the overview and the unit in a browser slowed four times, until living values are drawn",
    "planning": "a protocol read, checked and planned: the shipped 28 days, and 10,000 steps",
    "plant": "twenty-eight days of ninety-six wells, the plant without wires",
    "restart": "a run killed on its eighth day (--full: day 27), until environment and run are right again",
    "sample_store": "samples added, flushed and packed against bare sqlite3",
}


def main(arguments: list[str] | None = None) -> int:
    listed = "\n".join(f"  {name:<14}{text}" for name, text in NAMES.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=listed,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which benchmarks (default: all)")
    parser.add_argument("--full", action="store_true", help="all 28 days instead of four, ten minutes instead of one")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="repetitions of the short ones (default: 3)")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.names if name not in NAMES]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    options, missed = Options(asked.full, asked.rounds), 0
    for name in asked.names or NAMES:
        print(f"{name}: {NAMES[name]}", flush=True)
        for figure in importlib.import_module(f"benchmarks.{name}").figures(options):
            print(figure.line(), flush=True)
            missed += not figure.met
    print("all goals met" if not missed else f"{missed} goals missed (on a busy machine trust the ratios only)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
