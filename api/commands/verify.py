"""Check the record chain of a data directory or a copy of it, offline; names the first bad entry (AT-06)."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from api.folders import json_argument
from api.refusal import Refusal
from controller.store.verify import Report, verify

EXAMPLE = "osteon verify osteon-data"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("place", type=Path, metavar="DATA", help="a data directory, or a copy of its ledger")
    json_argument(parser)


def run(options: argparse.Namespace) -> int:
    try:
        report = verify(options.place)
    except FileNotFoundError:
        raise Refusal(f"{options.place}: there is no ledger") from None
    if options.json:
        print(json.dumps(facts(report), indent=1))
    else:
        print(report.text(), file=sys.stdout if report.ok else sys.stderr)
    return 0 if report.ok else 1


def facts(report: Report) -> dict[str, object]:
    return {
        "path": str(report.path),
        "ok": report.ok,
        "entries": report.entries,
        "head": report.head,
        "anchors": report.anchors,
        "findings": [{"entry": each.seq, "text": each.text} for each in report.findings],
        "notes": list(report.notes),
    }
