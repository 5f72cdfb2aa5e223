"""The calendar of a protocol: every step, hand task and volume, nights and weekends marked."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from api.agenda import Item, agenda, best_start, ics, volumes
from api.commands.runs import pairs
from api.folders import json_argument
from api.refusal import Refusal
from api.site_time import next_monday, parse_time
from api.table import table
from controller.clock import Clock, boot_seconds
from protocols.loading import Protocol, load
from protocols.planning import plan

EXAMPLE = "osteon plan adsc-osteo-spheroid-28d --best-start --ics calendar.ics"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("protocol", metavar="PROTOCOL", help="a protocol file, or the name of one that ships")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--start", metavar="ISO", help="2026-01-05T08:00 at the site (default: next Monday 08:00)")
    when.add_argument(
        "--best-start", action="store_true", help="the start of the next week with least night and weekend work"
    )
    parser.add_argument("--bench", type=Path, metavar="FILE", help="bench file; gives the site's zone (default: UTC)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the protocol")
    parser.add_argument("--ics", type=Path, metavar="FILE", help="write a calendar file")
    json_argument(parser)


def run(options: argparse.Namespace) -> int:
    zone = site_zone(options.bench)
    protocol = load(options.protocol).bound(pairs(options.set))
    items = agenda(plan(protocol, chosen_start(options, protocol, zone), zone))
    if options.ics:
        options.ics.write_text(ics(protocol.name, items), encoding="utf-8", newline="")
    if options.json:
        print(json.dumps([each.facts() for each in items], indent=1))
    else:
        show(protocol, items, zone)
    return 0


def site_zone(bench: Path | None) -> str:
    from controller.settings import load as load_bench

    return load_bench(bench).bench.zone if bench else "UTC"


def chosen_start(options: argparse.Namespace, protocol: Protocol, zone: str) -> float:
    if options.start:
        return parse_time(options.start, zone)
    monday = next_monday(Clock.real(zone).utc_of(boot_seconds()), zone)
    if not options.best_start:
        return monday
    found = best_start(lambda start: plan(protocol, start, zone), monday)
    if found is None:
        raise Refusal(f"{protocol.name}: no start in the week from next Monday fits; name one with --start")
    return found


def show(protocol: Protocol, items: list[Item], zone: str) -> None:
    print(f"{protocol.name} {protocol.version}, times in {zone}")
    rows = [
        (
            each.when.strftime("%a %d %b %H:%M") if each.fixed else "then",
            f"day {each.day}",
            each.what,
            each.title,
            each.mark,
        )
        for each in items
    ]
    print(table(("when", "culture day", "who", "step", ""), rows))
    print()
    print(table(("fluid", "day", "mL"), [(fluid, str(day), f"{ml:g}") for (fluid, day), ml in volumes(items).items()]))
    hands = [each for each in items if each.what == "hand"]
    print(f"\n{len(hands)} hand tasks, {sum(bool(each.mark) for each in hands)} of them at night or on a weekend")
