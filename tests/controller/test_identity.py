"""Chain of identity: a hand step takes the label it expects and is blocked by any other (RM-10)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

import protocols
from api.commands.runs_labels import labels as labels_of
from controller.actors import Actor
from controller.identity import sought
from protocols.labels import labels, plan_id
from simulators.people import Person
from tests.controller.quick import HEAD, QuickLab
from tests.controller.test_materials import ANNA, EVA, ask

STEPS = (
    HEAD.replace("vessels:", "vessels:\n  plates: {kind: plate, count: 2, wells: 60, volume: 150 uL}")
    + """
  - stage: Seed
    do:
      - hand: Hang the first bottle
        acts: [{renew: 250 mL, of: medium}]
        lots: [medium]
        write down: {any: scan}
      - hand: Feed the plates
        write down: {plate: {scan: plates}, bottle: {scan: medium}, donor: {scan: donor}}
      - sample: R-{day}
        from: plates
        take: 6 wells
        results: {alive: "%"}
        due: 7 d
        write down: {tube: {scan: sample}}
"""
)
RIGHT = {"plate": "osteon:plate:run-1:plates:2", "bottle": "osteon:bottle:run-1:medium:1",
         "donor": "osteon:donor:run-1:donor:1"}  # fmt: skip


async def answer(lab: QuickLab, entries: dict[str, Any], actor: dict[str, str] = ANNA, **more: Any) -> Any:
    (task,) = lab.runs.tasks()
    found = await ask(lab, "answer", actor, run="run-1", path=task["path"], entries=entries, **more)
    return found.get("text", found.get("state"))


@pytest_asyncio.fixture
async def hung(lab: QuickLab) -> QuickLab:
    """Two lots of medium on stock, M-1 for an hour; the first bottle hangs, filled from it; plates are to be fed."""
    await lab.up()
    await lab.start(STEPS)
    assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)
    now = lab.controller.clock.now()
    await ask(lab, "add_lot", lot="M-1", material="medium", expires_at=now + 3600.0)
    await ask(lab, "add_lot", lot="M-2", material="medium")
    await ask(lab, "add_lot", lot="T-1", material="trypsin")
    any_label = {"any": "osteon:vessel:run-1:reactor:1"}
    assert await answer(lab, any_label, lots={"medium": "M-1"}) == "answered"
    assert await lab.until(lambda: [each["title"] for each in lab.runs.tasks()] == ["Feed the plates"], 600.0)
    return lab


@pytest.mark.req("RM-10")
@pytest.mark.parametrize(
    ("entry", "scanned", "told"),
    [
        ("plate", "osteon:plate:run-1:plates:3", "expected plates 1 to 2; read plates 3 of run-1"),
        ("plate", "osteon:vessel:run-1:reactor:1", "expected plates 1 to 2; read reactor 1 of run-1"),
        ("plate", "osteon:plate:run-2:plates:1", "of run-2: that is not run-1"),
        ("plate", "4006381333931", "'4006381333931' is no label of osteon"),
        (
            "bottle",
            "osteon:bottle:run-1:medium:2",
            "expected bottle of medium 1, or one of its lots; read bottle of medium 2 of",
        ),
        ("bottle", "T-1", "'T-1' is a lot of trypsin"),
        ("donor", "osteon:donor:run-2:donor:1", "expected donor; read donor of run-2: that is not run-1"),
    ],
)
async def test_a_wrong_or_unknown_label_blocks_the_task_and_is_on_record(
    hung: QuickLab, entry: str, scanned: str, told: str
) -> None:
    why = await answer(hung, {**RIGHT, entry: scanned}, EVA, why="it is the right one, I am sure")
    assert told in why, "not even a supervisor may let it pass"
    last = [each for each in hung.ledger.audit() if each.action == "scan refused"][-1]
    assert (last.outcome, last.fields["new"][entry]) == ("refused", scanned)
    assert told in last.fields["reason"]
    assert len(hung.runs.tasks()) == 1, "the task is open"


@pytest.mark.req("RM-10")
async def test_the_right_labels_pass_and_those_printed_from_the_plan_too(hung: QuickLab) -> None:
    row = hung.ledger.run("run-1")
    assert row is not None
    planned = protocols.plan(protocols.load(row.protocol), row.plan["start"], row.plan["zone"])
    printed = {each.code for each in labels(protocols.load(row.protocol), planned)}
    plate = RIGHT["plate"].replace("run-1", plan_id(planned))
    assert plate in printed
    assert await answer(hung, {**RIGHT, "plate": plate, "bottle": "M-2"}) == "answered"


@pytest.mark.req("RM-10")
async def test_a_bottle_whose_lot_has_expired_blocks_the_task(hung: QuickLab) -> None:
    assert await hung.until(lambda: hung.controller.clock.now() > (hung.ledger.lots()[0].expires_at or 0.0), 7200.0)
    assert "'M-1' had expired" in await answer(hung, RIGHT)
    assert await answer(hung, {**RIGHT, "bottle": "M-2"}) == "answered"


@pytest.mark.req("RM-10")
async def test_a_sample_is_that_of_the_step_and_the_simulated_person_holds_the_right_things(hung: QuickLab) -> None:
    person = Person(hung.bench.surroundings.hands, seed=1)
    for _ in range(2):
        (task,) = hung.runs.tasks()
        found = person._answer(task, hung.now)
        by = Actor(found.by, "simulated", "simulated person")
        assert await hung.runs.answer("run-1", found.path, found.entries, by) == "answered"
        assert await hung.until(lambda task=task: hung.runs.tasks() != [task], 600.0)
    tubes = [row.entries["tube"] for row in hung.ledger.tasks("run-1") if "tube" in row.entries]
    assert tubes == ["osteon:sample:run-1:R-0:1"]


@pytest.mark.req("RM-10")
async def test_the_labels_of_a_run_are_printed_with_its_id(hung: QuickLab, tmp_path: Path) -> None:
    sheet = tmp_path / "labels.html"
    assert labels_of(argparse.Namespace(data=hung.ledger.folder, id="run-1", to=sheet)) == 0
    assert all(code in sheet.read_text() for code in (*RIGHT.values(), "osteon:sample:run-1:R-0:1"))


async def test_before_a_bottle_hangs_none_of_it_is_right(hung: QuickLab) -> None:
    hand = {"entries": [{"name": "bottle", "kind": "scan", "label": "bottle", "of": "other"}]}
    found = sought(hung.ledger, hung.engine.plan, "run-1", "seed/hand", hand)
    assert found["bottle"].nothing == "no bottle of other is hung yet"
