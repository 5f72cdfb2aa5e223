"""Batches of a serving controller: list, add, what touched one, which of them got a lot."""

from __future__ import annotations

import argparse
import json
import secrets
from typing import Any

from api.commands.runs_batches import shares
from api.folders import data_argument
from api.site_time import shown_time
from api.socket_client import ask
from api.table import table
from api.verbs import verbs
from controller.batches import KINDS

EXAMPLE = "osteon batches add SB-1 --kind 'spheroid batch' --from P3=0.5 --run run-4"


def arguments(parser: argparse.ArgumentParser) -> None:
    verb = verbs(parser)
    verb("list", "every batch")
    add = verb("add", "a new batch")
    add.add_argument("batch", metavar="BATCH")
    add.add_argument("--kind", required=True, choices=KINDS)
    add.add_argument("--from", dest="parents", action="append", default=[], metavar="BATCH[=SHARE]", help="0 to 1")
    add.add_argument("--run", default="", metavar="RUN", help="in which it is made or cultivated")
    add.add_argument("--note", default="", metavar="TEXT")
    verb("show", "one batch: what it is, who made it, its ancestors and descendants").add_argument(
        "batch", metavar="BATCH"
    )
    release = verb("release", "sign a stage of its release: preliminary, final (two persons), or rejected")
    release.add_argument("batch", metavar="BATCH")
    release.add_argument("stage", choices=("preliminary", "final", "rejected"))
    release.add_argument("--why", default="", metavar="TEXT", help="names each result that is out of specification")
    clear = verb("clear-line", "sign that nothing of the last donor is left at a unit")
    clear.add_argument("--unit", metavar="UNIT", help="which (default: the first of the bench)")
    clear.add_argument("--why", required=True, metavar="TEXT", help="what was checked: part of the record")
    verb("touched", "everything that touched a batch").add_argument("batch", metavar="BATCH")
    verb("lot", "which batches got a lot").add_argument("lot", metavar="LOT")
    parser.set_defaults(verb="list", json=False)
    data_argument(parser)


def run(options: argparse.Namespace) -> int:
    match options.verb:
        case "add":
            facts: dict[str, Any] = {"run": options.run, "note": options.note, "parents": shares(options.parents)}
            key = secrets.token_hex(8)
            found = ask(options.data, "add_batch", key=key, batch=options.batch, kind=options.kind, **facts)
            lines = [f"{found['batch']} is on record"]
        case "show":
            found = ask(options.data, "batch", batch=options.batch)
            lines = shown(found)
        case "release":
            asked = {"batch": options.batch, "stage": options.stage, "why": options.why}
            found = ask(options.data, "release", key=secrets.token_hex(8), **asked)
            lines = [f"{found['batch']}: {found['state']}"]
        case "clear-line":
            found = ask(options.data, "clear_line", key=secrets.token_hex(8), unit=options.unit, why=options.why)
            lines = [f"cleared; it held cells of {found['donor'] or 'nobody that was named'}"]
        case "touched":
            found = ask(options.data, "touched", batch=options.batch)
            lines = [told(name, what) for name, what in found.items() if name not in ("batch", "readings")]
            lines += [reading(each) for each in found["readings"]]
        case "lot":
            found = ask(options.data, "batches_of_lot", lot=options.lot)
            lines = found or ["no batch got this lot"]
        case _:
            found = ask(options.data, "batches")
            lines = [listed(found)]
    print(json.dumps(found, indent=1) if options.json else "\n".join(lines))
    return 0


def part(relative: dict[str, Any]) -> str:
    """A relative and which part of the parent that is; ? = nobody knows."""
    share = relative["share"]
    return f"{relative['batch']} ({'?' if share is None else f'{share:g}'})"


def shown(found: dict[str, Any]) -> list[str]:
    made = found["made"]
    by_step = f", by {made['title']!r} in {made['into']}, {made['kept'] * 100:g} % arrived" if made else ""
    lines = [f"{found['batch']}: {found['kind']}, {found['run_id'] or 'of no run'}, written by {found['by']}{by_step}"]
    near = ("parents", "children")
    lines += [f"{name}: {', '.join(part(each) for each in found[name]) or 'none'}" for name in near]
    for each in found["releases"]:
        signed = f"{each['by']}, {each['second_by']}" if each["second_by"] else each["by"]
        waits = ", waits for a second person" if each["stage"] == "final" and not each["second_by"] else ""
        lines.append(f"release: {each['stage']} by {signed}, {shown_time(each['at'])} UTC{waits}")
    return [*lines, *(told(name, found[name]) for name in ("ancestors", "descendants"))]


def reading(where: dict[str, Any]) -> str:
    begins, ends = shown_time(where["from"]), shown_time(where["to"]) if where["to"] is not None else "now"
    return f"readings of {where['run']}: {', '.join(where['signals']) or 'none'}, {begins} to {ends} (UTC)"


def told(name: str, what: list[Any]) -> str:
    plain = all(isinstance(each, str) for each in what)
    return f"{name}: {', '.join(what) or 'none'}" if plain else f"{name}: {len(what)}"


def listed(found: dict[str, list[dict[str, Any]]]) -> str:
    rows = [
        (
            each["batch"],
            each["kind"],
            each["run_id"] or "",
            ", ".join(part({**e, "batch": e["parent"]}) for e in found["edges"] if e["child"] == each["batch"]),
        )
        for each in found["batches"]
    ]
    return table(("batch", "kind", "run", "from"), rows) if rows else "no batches yet"
