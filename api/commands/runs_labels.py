"""The labels of a run as a sheet to print: its own id is in their codes, so that a scan tells them from any other's."""

from __future__ import annotations

import argparse
from pathlib import Path

from api.refusal import Refusal


def labels(options: argparse.Namespace) -> int:
    from api.printed.label_sheet import label_sheet
    from controller.store.reader import Reader
    from protocols import records
    from protocols.labels import labels as made_for
    from protocols.loading import load
    from protocols.plan import Plan

    try:
        with Reader.open_read_only(options.data) as ledger:
            row = ledger.run(options.id)
    except FileNotFoundError:
        raise Refusal(f"{options.data}: there is no ledger") from None
    plan = None if row is None else records.from_json(row.plan)
    if row is None or not isinstance(plan, Plan):
        raise Refusal(f"there is no run {options.id!r} with a plan; 'osteon runs list' shows the runs")
    made = made_for(load(row.protocol).bound(row.parameters), plan, options.id)
    target: Path = options.to
    target.write_text(label_sheet(f"{options.id} {row.name}", made), encoding="utf-8")
    print(f"{len(made)} labels in {target}")
    return 0
