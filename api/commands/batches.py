"""Batches of a serving controller: list, add, what touched one, which of them got a lot."""

from __future__ import annotations

import argparse
import json
import secrets
from typing import Any, get_args

from api.folders import data_argument
from api.refusal import Refusal
from api.socket_client import ask
from api.table import table
from api.verbs import verbs
from controller.batches import Kind

EXAMPLE = "osteon batches add SB-1 --kind spheroids --from P3=0.5 --run run-4"


def arguments(parser: argparse.ArgumentParser) -> None:
    verb = verbs(parser)
    verb("list", "every batch")
    add = verb("add", "a new batch")
    add.add_argument("batch", metavar="BATCH")
    add.add_argument("--kind", required=True, choices=get_args(Kind))
    add.add_argument("--from", dest="parents", action="append", default=[], metavar="BATCH[=SHARE]", help="0 to 1")
    add.add_argument("--run", default="", metavar="RUN", help="in which it is made or cultivated")
    add.add_argument("--note", default="", metavar="TEXT")
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
        case "touched":
            found = ask(options.data, "touched", batch=options.batch)
            lines = [told(name, what) for name, what in found.items() if name != "batch"]
        case "lot":
            found = ask(options.data, "batches_of_lot", lot=options.lot)
            lines = found or ["no batch got this lot"]
        case _:
            found = ask(options.data, "batches")
            lines = [listed(found)]
    print(json.dumps(found, indent=1) if options.json else "\n".join(lines))
    return 0


def shares(words: list[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for word in words:
        name, _, share = word.partition("=")
        try:
            found[name] = float(share or 1.0)
        except ValueError:
            raise Refusal(f"{word}: write it as BATCH=SHARE, such as P3=0.5") from None
    return found


def told(name: str, what: list[Any]) -> str:
    plain = all(isinstance(each, str) for each in what)
    return f"{name}: {', '.join(what) or 'none'}" if plain else f"{name}: {len(what)}"


def listed(found: dict[str, list[dict[str, Any]]]) -> str:
    rows = [
        (
            each["batch"],
            each["kind"],
            each["run_id"] or "",
            ", ".join(f"{e['parent']} ({e['share']:g})" for e in found["edges"] if e["child"] == each["batch"]),
        )
        for each in found["batches"]
    ]
    return table(("batch", "kind", "run", "from"), rows) if rows else "no batches yet"
