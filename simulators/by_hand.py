"""What a person does at a simulated bench, asked from a terminal: a probe into a buffer, medium into the vessel.

A demo, or any world, has a simulated person for the hand steps of a run; this is for everything else, and for trouble.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drivers.core.errors import LinkLost
from simulators.world_client import WorldClient


@dataclass(frozen=True, slots=True)
class Act:
    """`first` is the word behind the act, a number when `ml`, `seconds` or the like; `more` are name=value, numbers."""

    meaning: str
    first: str = ""
    more: tuple[str, ...] = ()


ACTS = {
    "dip": Act("take a probe out of its vessel into a buffer or gas", "device", ("ph", "do_percent", "cel")),
    "put-back": Act("stand the probe in its vessel again", "device"),
    "look": Act("what is to be seen without touching"),
    "pour": Act("pour so many mL of warm medium into the vessel", "ml", ("cells_per_ml",)),
    "take": Act("take a sample of so many mL and have it analysed", "ml"),
    "renew-bottle": Act("hang a full bottle, or an empty one for 'waste'", "fluid", ("ml",)),
    "clamp": Act("leave a clamp on the filling line for so many seconds", "seconds"),
    "line-to-cup": Act("hold the open end of the filling line over a cup"),
    "line-to-vessel": Act("lead the filling line into the vessel again"),
    "stir": Act("set the stirrer by hand, rpm", "rpm"),
    "door": Act("open the chamber's door for so many seconds", "seconds"),
    "fault": Act("put a fault in, NAME@DEVICE:KEY=VALUE ('osteon simulate --list-faults')", "text"),
    "mend": Act("mend every fault: cables, devices, plant, people"),
    "power-cycle": Act("pull a device's mains plug and put it back", "device"),
}
NUMBERS = ("ml", "rpm", "seconds")
"""First words that are numbers."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An act, spelled right."""

    act: str
    fields: dict[str, str | float] = field(default_factory=dict[str, "str | float"])


def asked(words: Sequence[str]) -> Asked:
    """Raises ValueError with what would be right."""
    name, *rest = words
    if (act := ACTS.get(name)) is None:
        raise ValueError(f"nobody can {name!r}; there are {', '.join(ACTS)}")
    fields: dict[str, str | float] = {}
    if act.first:
        if not rest or "=" in rest[0].partition(":")[0]:
            raise ValueError(f"{name} what? Write: {spelled(name)}")
        first, *rest = rest
        fields[act.first] = number(act.first, first) if act.first in NUMBERS else first
    for word in rest:
        key, _, value = word.partition("=")
        if key == "unit" and value:
            fields[key] = value
        elif key in act.more and value:
            fields[key] = number(key, value)
        else:
            raise ValueError(f"{word!r} does not belong here; write: {spelled(name)}")
    return Asked(name, fields)


def number(name: str, text: str) -> float:
    value = float(text) if text.replace(".", "", 1).isdecimal() else math.nan
    if math.isnan(value):
        raise ValueError(f"{name} is a number, not {text!r}")
    return value


def spelled(name: str) -> str:
    act = ACTS[name]
    return " ".join([name, *([act.first.upper()] if act.first else []), *(f"[{each}=N]" for each in act.more)])


def perform(world: WorldClient, asked: Asked) -> dict[str, float]:
    """Do it at the world's time; what was found. Raises ValueError when the world says no."""
    match asked.act:
        case "fault":
            world.inject(str(asked.fields["text"]))
        case "mend":
            world.mend()
        case "power-cycle":
            world.power_cycle(str(asked.fields["device"]))
        case act:
            return world.hands(act.replace("-", "_"), **asked.fields)
    return {}


def usage() -> str:
    width = max(len(spelled(name)) for name in ACTS)
    lines = [f"  {spelled(name):{width}}  {act.meaning}" for name, act in ACTS.items()]
    return "\n".join(["acts (several units: add unit=NAME):", *lines])


def main(argv: list[str]) -> int:
    """`python -m simulators hands …`; 0 = done, 1 = not possible."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators hands",
        description=__doc__,
        epilog=usage()
        + "\n\nexample: python -m simulators hands --world osteon-data/demo/world.sock dip ph_probe ph=7",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--world", type=Path, required=True, help="socket of the world")
    parser.add_argument("words", nargs="*", metavar="ACT", help="see below")
    options = parser.parse_args(argv)
    if not options.words:
        print(usage())
        return 0
    try:
        wanted = asked(options.words)
        with WorldClient(options.world, role="observer") as world:
            found = perform(world, wanted)
    except LinkLost:
        print(
            f"osteon: no simulated bench is running in {options.world.parent}; start one: osteon demo", file=sys.stderr
        )
        return 1
    except ValueError as error:
        print(f"osteon: {str(error).removeprefix('ValueError: ')}", file=sys.stderr)
        return 1
    print("\n".join(f"{name:16} {value:.6g}" for name, value in found.items()) or "done")
    return 0
