"""Results of samples of a serving controller: what is expected, what came, what is tested again."""

from __future__ import annotations

import argparse
import json
import secrets
from typing import Any

from api.commands.runs import entered
from api.folders import data_argument
from api.site_time import shown_time
from api.socket_client import ask
from api.table import table
from api.verbs import verbs

EXAMPLE = "osteon results add run-1 QC-RAPID viability 91 --method 'trypan blue'"


def arguments(parser: argparse.ArgumentParser) -> None:
    verb = verbs(parser)
    verb("list", "every result of the samples a run has taken, and where it stands").add_argument("id", metavar="RUN")
    add = verb("add", "write a result down, in the unit that the list shows")
    again = verb("retest", "a result is doubted and tested again")
    gone = verb("missing", "a result will never come; a supervisor says so")
    for part in (add, again, gone):
        part.add_argument("id", metavar="RUN")
        part.add_argument("sample", metavar="SAMPLE", help="its id, or the path of the step that took it")
        part.add_argument("name", metavar="RESULT")
        part.add_argument("--why", default="", metavar="TEXT", help="kept in the record; needed to change something")
    add.add_argument("value", metavar="VALUE", help="a number, yes, no, or a text")
    add.add_argument("--method", default="", metavar="TEXT", help="how it was measured")
    parser.set_defaults(json=False)
    data_argument(parser)


def run(options: argparse.Namespace) -> int:
    if options.verb == "list":
        return show(ask(options.data, "results", run=options.id), options.json)
    asked: dict[str, Any] = {"run": options.id, "sample": options.sample, "name": options.name, "why": options.why}
    match options.verb:
        case "add":
            asked |= {"value": entered(options.value), "method": options.method}
        case "retest":
            asked["state"] = "retest"
        case _:
            asked["state"] = "not done"
    done = ask(options.data, "result", key=secrets.token_hex(8), **asked)
    print(json.dumps(done) if options.json else f"{options.sample} {options.name}: {done['state']}")
    return 0


def show(results: list[dict[str, Any]], as_json: bool) -> int:
    if as_json:
        print(json.dumps(results, indent=1))
        return 0
    rows = [
        (
            each["sample"],
            each["name"],
            "" if each["value"] is None else f"{said(each['value'])} {each['unit']}".rstrip(),
            each["state"] + (", late" if each["late"] else ""),
            "" if each["due"] is None else shown_time(each["due"]),
            each["method"],
        )
        for each in results
    ]
    head = ("sample", "result", "value", "state", "due (UTC)", "method")
    print(table(head, rows) if rows else "no sample has been taken yet")
    return 0


def said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
