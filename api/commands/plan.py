"""The calendar of a protocol: every step, hand task and volume, nights and weekends marked."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from api.commands.runs import pairs
from api.folders import json_argument
from api.plan_facts import Planned, facts, mark, worked_out
from api.printed.forecast import lines
from api.printed.words import plain, way_words
from api.refusal import Refusal
from api.simulators_child import bench_file, told
from api.site_time import next_monday, parse_time
from api.table import table
from controller.clock import Clock, boot_seconds
from protocols.calendar import Row
from protocols.loading import Protocol, load
from protocols.plan import Plan
from protocols.planning import plan
from protocols.starting import Best, best_start

MOST_REHEARSALS = 20
EXAMPLE = "osteon plan adsc-osteo-spheroid-28d --best-start --ics calendar.ics --sheets work.html --labels labels.html"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("protocol", metavar="PROTOCOL", help="a protocol file, or the name of one that ships")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--start", metavar="ISO", help="2026-01-05T08:00 at the site (default: next Monday 08:00)")
    when.add_argument(
        "--best-start", action="store_true", help="the start of the next week with least night and weekend work"
    )
    parser.add_argument("--bench", metavar="FILE", help="bench file, or one that ships; gives zone and bottle")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the protocol")
    parser.add_argument("--read", action="store_true", help="print the protocol as a person reads it at the bench")
    parser.add_argument("--ics", type=Path, metavar="FILE", help="write a calendar file of all hand tasks")
    parser.add_argument("--sheets", type=Path, metavar="FILE.html", help="write work sheets to print, a page a day")
    parser.add_argument("--labels", type=Path, metavar="FILE.html", help="write labels with 2D codes to print")
    parser.add_argument(
        "--forecast",
        type=int,
        nargs="?",
        const=3,
        metavar="N",
        help="rehearse it N times (3), show what comes of it",
    )
    json_argument(parser)


def run(options: argparse.Namespace) -> int:
    protocol = load(options.protocol).bound(pairs(options.set))
    if options.read:
        from api.printed.reading import reading

        print(reading(protocol), end="")
        return 0
    options.bench = bench_file(options.bench) if options.bench else None
    zone, place_ml = site(options.bench)
    start, best = chosen_start(options, protocol, zone)
    planned = worked_out(protocol, plan(protocol, start, zone), place_ml, best)
    written(options, planned)
    if not options.json:
        show(planned)
    found = forecast(options, planned.plan) if options.forecast else None
    if options.json:
        print(json.dumps({**facts(planned), "forecast": found}, indent=1))
    elif found is not None:
        print("\n".join(lines(found)))
    return 0


def forecast(options: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    """Rehearsals of the plan, in processes of their own; takes half a minute."""
    if not 1 <= options.forecast <= MOST_REHEARSALS:
        raise Refusal(f"--forecast {options.forecast}: rehearse it 1 to {MOST_REHEARSALS} times")
    local = datetime.fromtimestamp(plan.start, ZoneInfo(plan.zone)).replace(tzinfo=None)
    words = ["forecast", options.protocol, "--start", local.isoformat(), "--seeds", str(options.forecast)]
    if options.bench:
        words += ["--bench", str(options.bench)]
    for each in options.set:
        words += ["--set", each]
    return told(words)


def written(options: argparse.Namespace, planned: Planned) -> None:
    """The files that were asked for."""
    if options.ics:
        from api.printed.ics import ics

        options.ics.write_text(ics(planned.plan, planned.rows), encoding="utf-8", newline="")
    if options.sheets:
        from api.printed.sheets import sheets

        options.sheets.write_text(sheets(planned.plan, planned.rows), encoding="utf-8")
    if options.labels:
        from api.printed.label_sheet import label_sheet
        from protocols.labels import labels

        made = labels(planned.protocol, planned.plan)
        options.labels.write_text(label_sheet(planned.protocol.name, made), encoding="utf-8")


def site(bench: Path | None) -> tuple[str, float | None]:
    """The zone of a bench, and the largest bottle it has room for, mL; None = not known."""
    if bench is None:
        return "UTC", None
    from controller.settings import load as load_bench

    settings = load_bench(bench)
    sources = [path.source_ml for unit in settings.units for path in unit.paths.values() if path.source_ml]
    return settings.bench.zone, max(sources, default=None)


def chosen_start(options: argparse.Namespace, protocol: Protocol, zone: str) -> tuple[float, Best | None]:
    if options.start:
        return parse_time(options.start, zone), None
    monday = next_monday(Clock.real(zone).utc_of(boot_seconds()), zone)
    if not options.best_start:
        return monday, None
    first = datetime.fromtimestamp(monday, ZoneInfo(zone)).date()
    found = best_start(lambda start: plan(protocol, start, zone), first, zone)
    if found is None:
        raise Refusal(f"{protocol.name}: no start in the week from next Monday fits; name one with --start")
    return found.chosen.start, found


def show(planned: Planned) -> None:
    rows, zone = planned.rows, ZoneInfo(planned.plan.zone)
    started = datetime.fromtimestamp(planned.plan.start, zone)
    print(
        f"{planned.protocol.name} {planned.protocol.version}, start {started:%a %d %b %Y %H:%M} ({planned.plan.zone})"
    )
    print("Rehearsal, not a validated or clinical protocol.")
    if planned.best:
        print(f"Best start: {planned.best.why}.")
    section("Calendar", ("when", "day", "who", "min", "step", ""), [calendar_line(row) for row in rows.rows])
    section("Fluid moved by osteon", ("fluid", "day", "mL"), [
        (fluid, str(day), f"{ml:g}") for (day, fluid), ml in sorted(rows.volume_by_day_ml.items())
    ])  # fmt: skip
    section("Medium to prepare, 10 % reserve included", ("medium", "by", "mL", "used until", "keeps"), [
        (each.fluid, f"{each.prepare_by:%a %d %b %H:%M}", f"{each.volume_ml:g}", f"{each.used_until:%a %d %b}",
         f"{each.keeps}{' TOO OLD' if each.too_old else ''}")
        for each in planned.media
    ])  # fmt: skip
    section("Bottles", ("fluid", "hung", "mL", "drawn"), [
        (each.fluid, f"{each.local:%a %d %b %H:%M}", f"{each.volume_ml:g}",
         f"{each.used_ml:g}{'' if each.enough else ' TOO SMALL'}")
        for each in rows.bottles
    ])  # fmt: skip
    section("Cells", ("from", "day", "needed", "expected", "flasks that would do"), [
        (", ".join(f"{s.dishes} {s.vessel}" if s.dishes > 1 else s.vessel for s in each.sources),
         str(each.sources[0].day), f"{each.needed:.2g}", f"{each.available:.2g}{' SHORT' if each.short else ''}",
         str(each.dishes_needed))
        for each in planned.cells
    ])  # fmt: skip
    section("Cells, back from what they are for", ("for", "day", "cells", "there must be", "from"), [
        (need.into, str(need.day), f"{need.cells:.2g}", f"{need.drawn:.2g}", ", ".join(s.vessel for s in each.sources))
        for each in planned.cells for need in each.needs
    ])  # fmt: skip
    hours, late = rows.hand_minutes / 60, len(rows.out_of_hours)
    print(f"\n{len(rows.hand_rows)} hand tasks, {hours:.1f} h; {late} of them at night or on a weekend")
    for each in planned.warnings:
        print(each)


def calendar_line(row: Row) -> tuple[str, ...]:
    who, minutes = ("hand", f"{row.minutes:g}") if row.minutes else ("osteon", "")
    note = " ".join(filter(None, (mark(row), way_words(row.only_if))))
    return f"{row.local:%a %d %b %H:%M}", str(row.day), who, minutes, plain(row.title), plain(note)


def section(title: str, heads: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    if lines:
        print(f"\n{title}\n{table(heads, lines)}")
