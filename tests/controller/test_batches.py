"""Batches: what touched one through all its ancestors, and which of them got a lot, by hand or from a bottle."""

from __future__ import annotations

from typing import Any

import pytest

from controller.errors import RunConflict, Unusable
from controller.lineage import batches_of_lot, runs_of_lot, touched
from controller.store.changes import AuditEntry, Change, Insert
from tests.controller.quick import QuickLab
from tests.runs.lab import TESTER

HUNG = {"acts": [{"act": "renew", "fluid": "medium"}], "lots": ["medium"]}


async def past(lab: QuickLab) -> None:
    """Lots A, then B hung on one unit; run-1 drew from A, run-2 from A, run-3 from B; run-4 is on another unit."""
    rows: list[Change] = []
    for n, unit in enumerate(("left", "left", "left", "right"), 1):
        rows.append(Insert("runs", {"run_id": f"run-{n}", "unit": unit, "state": "COMPLETE", "created_at": 1.0 * n}))
    for run, lot, at in (("run-1", "A", 10.0), ("run-3", "B", 30.0)):
        task = {"run_id": run, "path": "hang", "hand": HUNG, "opened_at": at, "state": "answered"}
        rows.append(Insert("materials", {"lot": lot, "material": "medium", "received_at": 1.0, "state": "open"}))
        rows.append(Insert("tasks", task))
        rows.append(Insert("lot_uses", {"run_id": run, "path": "hang", "material": "medium", "lot": lot, "at": at}))
    epoch = lab.ledger.newest_epoch()
    for n, at in ((1, 11.0), (2, 20.0), (3, 31.0), (4, 20.0)):
        dose: dict[str, Any] = {"dose_id": f"d{n}", "run_id": f"run-{n}", "fluid": "medium", "device": f"pump{n}"}
        rows.append(Insert("doses", {**dose, "epoch": epoch, "state": "done", "intended_at": at}))
    rows.append(Insert("deviations", {"run_id": "run-1", "path": "hang", "at": 12.0, "text": "late"}))
    await lab.ledger.commit(rows, [AuditEntry("test", "run", "all", "tester")])


async def family(lab: QuickLab) -> None:
    batches = lab.runs.batches
    await batches.add("D", "donor", TESTER, parents={})
    await batches.add("P1", "passage", TESTER, run="run-1", parents={"D": 1.0})
    await batches.add("S1", "spheroid batch", TESTER, run="run-3", parents={"P1": 0.5})
    await batches.add("P2", "passage", TESTER, run="run-2", parents={"P1": 0.25})
    await batches.add("X", "combination", TESTER, run="run-4", parents={"P1": 0.25})


async def test_a_lot_is_followed_through_the_bottle_to_every_run_until_the_next_bottle(lab: QuickLab) -> None:
    await lab.up()
    await past(lab)
    await family(lab)
    assert runs_of_lot(lab.ledger, "A") == ["run-1", "run-2"]
    assert runs_of_lot(lab.ledger, "B") == ["run-3"]
    assert batches_of_lot(lab.ledger, "B") == ["S1"]
    assert sorted(batches_of_lot(lab.ledger, "A")) == ["P1", "P2", "S1", "X"]


async def test_what_touched_a_batch_is_found_through_its_ancestors(lab: QuickLab) -> None:
    await lab.up()
    await past(lab)
    await family(lab)
    found = touched(lab.ledger, "P2", {})
    assert (found["batches"], found["runs"], found["lots"]) == (["P2", "P1", "D"], ["run-1", "run-2"], ["A"])
    assert found["devices"] == ["pump1", "pump2"]
    assert [row["text"] for row in found["deviations"]] == ["late"]
    with pytest.raises(Unusable, match="no batch"):
        touched(lab.ledger, "P9", {})


async def test_a_batch_gives_no_more_than_all_of_itself_and_is_made_once(lab: QuickLab) -> None:
    await lab.up()
    batches = lab.runs.batches
    await batches.add("D", "donor", TESTER, parents={})
    await batches.add("P1", "passage", TESTER, parents={"D": 0.7})
    with pytest.raises(Unusable, match=r"only 0\.3 of itself left"):
        await batches.add("P2", "passage", TESTER, parents={"D": 0.5})
    with pytest.raises(RunConflict, match="on record already"):
        await batches.add("P1", "passage", TESTER, parents={"D": 0.1})
    with pytest.raises(Unusable, match="no parents"):
        await batches.add("D2", "donor", TESTER, parents={"D": 0.1})
