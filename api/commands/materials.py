"""Lots of materials of a serving controller: list, add, open, used, discard."""

from __future__ import annotations

import argparse
import json
import secrets
from typing import Any

from api.folders import data_argument
from api.site_time import parse_time, site_time
from api.socket_client import ask
from api.table import table
from api.verbs import verbs

EXAMPLE = "osteon materials add GM-0412 'growth medium' --expires 2026-03-01"
STATES = {"open": "open", "used": "used up", "discard": "discarded"}


def arguments(parser: argparse.ArgumentParser) -> None:
    verb = verbs(parser)
    verb("list", "every lot")
    add = verb("add", "book a lot in")
    add.add_argument("lot", metavar="LOT", help="its number, as on the label")
    add.add_argument("material", metavar="MATERIAL", help="as protocols name it")
    add.add_argument("--made", metavar="ISO", help="in the site's zone")
    add.add_argument("--expires", metavar="ISO", help="in the site's zone (default: never)")
    add.add_argument("--container", default="", metavar="TEXT", help="what is on the label of its container")
    add.add_argument("--amount", type=float, metavar="N")
    add.add_argument("--unit", default="", metavar="UNIT", help="of the amount")
    for name, state in STATES.items():
        part = verb(name, f"the lot is {state} from now on")
        part.add_argument("lot", metavar="LOT")
        part.add_argument("--why", default="", metavar="TEXT", help="kept in the record; needed to discard")
    parser.set_defaults(verb="list", json=False)
    data_argument(parser)


def run(options: argparse.Namespace) -> int:
    if options.verb == "list":
        zone = "UTC" if options.json else str(ask(options.data, "snapshot")["zone"])
        return show(ask(options.data, "lots"), zone, options.json)
    key = secrets.token_hex(8)
    if options.verb == "add":
        zone = str(ask(options.data, "snapshot")["zone"])
        times = {
            "made_at": parse_time(options.made, zone) if options.made else None,
            "expires_at": parse_time(options.expires, zone) if options.expires else None,
        }
        facts: dict[str, Any] = {
            "container": options.container,
            "amount": options.amount,
            "unit": options.unit,
            **times,
        }
        done = ask(options.data, "add_lot", key=key, lot=options.lot, material=options.material, **facts)
    else:
        state = STATES[options.verb]
        done = ask(options.data, "put_lot", key=key, lot=options.lot, state=state, why=options.why)
    print(json.dumps(done) if options.json else f"{done['lot']}: {done['state']}")
    return 0


def show(found: list[dict[str, Any]], zone: str, as_json: bool) -> int:
    if as_json:
        print(json.dumps(found, indent=1))
        return 0
    rows = [
        (
            each["lot"],
            each["material"],
            each["state"],
            site_time(each["expires_at"], zone) if each["expires_at"] else "",
        )
        for each in found
    ]
    print(table(("lot", "material", "state", f"expires ({zone})"), rows) if rows else "no lots yet")
    return 0
