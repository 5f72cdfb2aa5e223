"""Lineage that a protocol writes itself: a run works on a batch, a hand step with moves makes its children, once."""

from __future__ import annotations

import asyncio
import re
from dataclasses import asdict
from typing import Any

import pytest
import pytest_asyncio

from controller.actors import Actor
from controller.batches import Begun
from controller.errors import RunConflict, Unusable
from controller.lineage import batches_of_lot, family, touched
from controller.offspring import Said
from controller.store.verify import verify
from controller.vessels import Parts, Vessels, arrivals, planned_moves
from protocols.loading import load
from protocols.plan import Hand
from protocols.planning import plan
from tests.controller.quick import HEAD, QuickLab
from tests.runs.lab import TESTER

VESSELS = HEAD.replace(
    "vessels:\n", "vessels:\n  flasks: {kind: flask, count: 5, volume: 35 mL}\n  plates: {kind: plate, wells: 60}\n"
)
STEPS = (
    VESSELS
    + """
  - stage: Form
    do:
      - hand: Form spheroids
        write down: {viability: {unit: "%", limits: 0..100}}
        moves:
          - {move: cells, from: flasks, into: {plates: 75 %, reactor: 20 %}, yield: 80 %, becomes: spheroid batch}
        takes: 5 min
      - hand: Pool them
        moves: [{move: spheroids, from: [plates, reactor], into: reactor, becomes: differentiation}]
        takes: 5 min
      - hand: Move them
        moves: [{move: spheroids, from: reactor, into: plates}]
        takes: 5 min
      - hand: Combine
        moves: [{move: spheroids, from: plates, into: flasks, becomes: combination}]
        takes: 5 min
      - wait: 1 h
"""
)
LOOP = (
    VESSELS
    + """
  - stage: Passage
    do:
      - repeat:
          do:
            - hand: Passage
              write down: {again: yes/no}
              moves: [{move: cells, from: flasks, into: flasks, becomes: passage}]
              takes: 5 min
          until: not again
          at most: 3 rounds
      - wait: 1 h
"""
)


async def go(lab: QuickLab, text: str, **batch: Any) -> None:
    await lab.runs.start(text, by=TESTER, batch=Begun(**batch))
    assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)


@pytest_asyncio.fixture
async def bank(lab: QuickLab) -> QuickLab:
    """A donor and a bank of half of it, on no run."""
    await lab.up()
    await lab.runs.batches.add("D", "donor", TESTER, parents={})
    await lab.runs.batches.add("B-1", "bank", TESTER, parents={"D": 0.5})
    return lab


async def confirm(lab: QuickLab, entries: dict[str, Any] | None = None, key: str = "", **said: Said) -> str:
    """The open hand step is done; its path."""
    path = str(lab.runs.tasks()[0]["path"])
    await lab.runs.answer("run-1", path, entries or {}, TESTER, key, batches=said)
    await lab.until(lambda: all(task["path"] != path for task in lab.runs.tasks()), 60.0)
    await lab.until(lambda: bool(lab.runs.tasks()), 60.0)
    return path


def shares(lab: QuickLab, batch: str) -> dict[str, float | None]:
    return {each["batch"]: each["share"] for each in family(lab.ledger, batch)["parents"]}


@pytest.mark.req("RM-02")
async def test_confirmed_moves_write_a_split_a_pool_and_a_combination_that_were_shown_before(bank: QuickLab) -> None:
    lab = bank
    await go(lab, STEPS, batch="B-1")
    shown = lab.runs.tasks()[0]["makes"]
    assert [(each["into"], each["batch"], each["kept"]) for each in shown] == [
        ("plates", "B-1/plates", 0.8), ("reactor", "B-1/reactor", 0.8),
    ]  # fmt: skip
    first = await confirm(lab, {"viability": 93.0}, "once")
    await lab.runs.answer("run-1", first, {"viability": 93.0}, TESTER, "once", batches={})
    with pytest.raises(RunConflict, match="no open task"):
        await lab.runs.answer("run-1", first, {"viability": 93.0}, TESTER)
    assert shares(lab, "B-1/plates") == {"B-1": 0.75} and shares(lab, "B-1/reactor") == {"B-1": 0.2}
    pooled = await confirm(lab, reactor=Said("SB-7"))
    assert shares(lab, "SB-7") == {"B-1/plates": 1.0, "B-1/reactor": 1.0}
    await confirm(lab)
    await confirm(lab)
    assert shares(lab, "B-1/flasks") == {"SB-7": 1.0}, "moved without becoming another, then combined"
    found = family(lab.ledger, "SB-7")
    assert (found["kind"], found["run_id"]) == ("differentiation", "run-1")
    assert found["made"] == {"path": pooled, "title": "Pool them", "into": "reactor", "kept": 1.0}
    assert found["descendants"] == ["B-1/flasks"]
    assert set(found["ancestors"]) == {"B-1/plates", "B-1/reactor", "B-1", "D"}
    made = [row.object_id for row in lab.ledger.audit() if row.action == "batch made"]
    assert made == ["D", "B-1", "B-1/plates", "B-1/reactor", "SB-7", "B-1/flasks"]
    assert verify(lab.ledger.folder).ok


async def test_what_a_person_says_of_a_child_counts_and_is_checked(bank: QuickLab) -> None:
    lab = bank
    await go(lab, STEPS, batch="B-1")
    path = lab.runs.tasks()[0]["path"]
    for said, why in (
        ({"plates": Said(share=0.9)}, "together get 1.1 of flasks"),
        ({"plates": Said("D")}, "'D' is on record already"),
        ({"cup": Said("X")}, "no batch comes to be in 'cup'; this step makes one in plates, reactor"),
        ({"plates": Said(kept=1.5)}, "above 0 and at most 1"),
    ):
        with pytest.raises(Unusable, match=why):
            await lab.runs.answer("run-1", path, {"viability": 93.0}, TESTER, batches=said)
    assert lab.ledger.tasks("run-1")[0].state == "open"
    await confirm(lab, {"viability": 93.0}, plates=Said("SB-1", share=0.5, kept=0.6))
    assert shares(lab, "SB-1") == {"B-1": 0.5}
    assert family(lab.ledger, "SB-1")["made"]["kept"] == 0.6
    assert "60 % arrived" in family(lab.ledger, "SB-1")["note"]


async def test_each_round_of_a_loop_makes_one_child_of_the_child_before(bank: QuickLab) -> None:
    lab = bank
    await go(lab, LOOP, batch="P-0", parents={"B-1": 0.5})
    assert (shares(lab, "P-0"), family(lab.ledger, "P-0")["kind"]) == ({"B-1": 0.5}, "bank")
    await confirm(lab, {"again": True})
    await confirm(lab, {"again": False})
    assert shares(lab, "P-0/flasks") == {"P-0": 1.0}
    assert shares(lab, "P-0/flasks-2") == {"P-0/flasks": 1.0}
    assert family(lab.ledger, "B-1")["descendants"] == ["P-0", "P-0/flasks", "P-0/flasks-2"]


@pytest.mark.req("RM-06")
async def test_a_start_on_a_batch_that_cannot_be_is_refused_with_every_reason(bank: QuickLab) -> None:
    lab, batches = bank, bank.runs.batches
    await batches.add("R", "release", TESTER, parents={"D": 0.1})
    await batches.add("Q", "bank", TESTER, parents={"B-1": 0.1})
    await lab.runs.releases.sign("Q", "rejected", Actor("eva", "supervisor", "test"), why="contaminated")
    await go(lab, LOOP, batch="B-1")
    for batch, why in (
        (Begun("B-9"), "there is no batch 'B-9'"),
        (Begun("R"), "'R' is released"),
        (Begun("Q"), "'Q' is rejected"),
        (Begun("B-1"), "'B-1' is of run-1: give this run a new batch"),
        (Begun("N", {"R": 0.1, "B-9": 2.0}), "no batch 'B-9'; 'R' is released.*a share is above 0"),
        (Begun("N", {"D": 0.1, "B-1": 0.1}), "say it: one of isolation, passage"),
        (Begun("D", {"B-1": 0.1}), "'D' is on record already"),
        (Begun("N", {"D": 0.5}), r"only 0\.4 of itself left"),
    ):
        assert re.search(why, "; ".join(batches.objections(batch))), (batch, batches.objections(batch))
    assert [row.batch for row in lab.ledger.batches()] == ["D", "B-1", "R", "Q"]


@pytest.mark.req("RM-06")
async def test_a_refused_start_leaves_neither_run_nor_batch(bank: QuickLab) -> None:
    with pytest.raises(Unusable, match="no batch 'B-9'"):
        await bank.runs.start(LOOP, by=TESTER, batch=Begun("B-9"))
    assert bank.ledger.runs() == [] and bank.ledger.batch("B-1") is not None
    await go(bank, LOOP, batch="B-1")
    assert bank.ledger.runs()[0].plan["batch"] == "B-1"
    assert bank.ledger.audit()[-1].run_id == "run-1"
    row = bank.ledger.batch("B-1")
    assert row is not None and row.run_id == "run-1"
    created = next(row for row in bank.ledger.audit() if row.action == "run created")
    assert created.fields["new"]["batch"] == "B-1"


@pytest.mark.parametrize("after", [False, True])
async def test_a_crash_at_the_confirmation_leaves_all_of_it_or_nothing(bank: QuickLab, after: bool) -> None:
    lab = bank
    await go(lab, LOOP, batch="B-1")
    assert lab.life is not None
    path = lab.runs.tasks()[0]["path"]
    lab.life.boundary.kill_at = lab.life.boundary.count + after
    lost = asyncio.ensure_future(lab.runs.answer("run-1", path, {"again": False}, TESTER, "once"))
    while not lab.life.boundary.dead:
        await asyncio.sleep(0.1)
    await lab.kill()
    lost.cancel()
    await lab.up()
    assert (lab.ledger.batch("B-1/flasks") is not None) is after
    assert (lab.ledger.tasks("run-1")[0].state == "answered") is after
    await lab.runs.answer("run-1", path, {"again": False}, TESTER, "once")
    assert [row.batch for row in lab.ledger.batches()] == ["D", "B-1", "B-1/flasks"]


async def test_a_run_without_a_batch_writes_no_lineage(bank: QuickLab) -> None:
    lab = bank
    await lab.start(LOOP)
    assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)
    assert lab.runs.tasks()[0]["makes"] == []
    await confirm(lab, {"again": False})
    assert [row.batch for row in lab.ledger.batches()] == ["D", "B-1"]


async def test_a_mothers_later_past_is_not_that_of_the_daughter(bank: QuickLab) -> None:
    lab = bank
    await go(lab, LOOP, batch="B-1")
    await lab.runs.batches.add("C", "passage", TESTER, parents={"B-1": 0.25})
    await lab.until(lambda: False, 30.0)
    await confirm(lab, {"again": False})
    mother, daughter = touched(lab.ledger, "B-1/flasks", {}), touched(lab.ledger, "C", {})
    assert [row["state"] for row in mother["tasks"]] == ["answered"]
    assert daughter["tasks"] == [] and daughter["runs"] == ["run-1"]
    assert mother["readings"][0]["to"] is None
    made = lab.ledger.batch("C")
    assert made is not None and daughter["readings"][0]["to"] == made.at


ARMS = (
    VESSELS
    + """
  - stage: Form
    do:
      - hand: Form both arms
        acts: [{pour: 1 mL, into: plates, of: medium}]
        lots: [medium]
        moves: [{move: cells, from: flasks, into: {plates: 50 %, reactor: 50 %}, becomes: spheroid batch}]
        takes: 5 min
      - hand: Pour into {reactor}, hang a bottle
        acts: [{pour: 90 mL, into: reactor, of: medium}, {renew: 250 mL, of: medium}]
        lots: [medium]
        takes: 5 min
      - fill: {into: reactor, volume: 6 mL, of: medium, at: 6 mL/min}
        at most: 30 min
      - hand: Move the spheroids out
        moves: [{move: spheroids, from: reactor, into: flasks}]
        takes: 5 min
      - hand: Rinse the empty reactor
        acts: [{pour: 9 mL, into: reactor, of: medium}]
        lots: [medium]
        takes: 5 min
      - wait: 1 h
"""
)


async def test_a_lot_touches_the_batches_of_the_vessel_it_was_given_to_and_their_children_only(bank: QuickLab) -> None:
    """One arm in the plates, one in the reactor: of one run, and apart from each other."""
    lab = bank
    for lot in ("L-plates", "L-reactor", "L-late"):
        await lab.runs.materials.add(lot, "medium", TESTER)
    await go(lab, ARMS, batch="B-1")
    await use(lab, "L-plates")
    lab.bench.surroundings.hands.pour(lab.now, 90.0)
    await use(lab, "L-reactor")
    assert await lab.until(lambda: bool(lab.runs.tasks()), 3600.0)
    await confirm(lab)
    await asyncio.sleep(60.0)
    await use(lab, "L-late")
    assert batches_of_lot(lab.ledger, "L-plates") == ["B-1/plates"]
    assert batches_of_lot(lab.ledger, "L-reactor") == ["B-1/reactor"]
    assert batches_of_lot(lab.ledger, "L-late") == []
    plates, reactor = (touched(lab.ledger, f"B-1/{name}", {}) for name in ("plates", "reactor"))
    assert (plates["lots"], plates["doses"], plates["devices"]) == (["L-plates"], [], [])
    assert (reactor["lots"], reactor["devices"]) == (["L-reactor"], ["pump_in"])
    assert [len(found["tasks"]) for found in (plates, reactor)] == [1, 3]


async def use(lab: QuickLab, lot: str) -> None:
    path = str(lab.runs.tasks()[0]["path"])
    await lab.runs.answer("run-1", path, {}, TESTER, lots={"medium": lot})
    await lab.until(lambda: all(task["path"] != path for task in lab.runs.tasks()), 60.0)
    await lab.until(lambda: bool(lab.runs.tasks()), 30.0)


def test_the_arms_of_a_shipped_protocol_are_batches_of_their_own_with_known_shares() -> None:
    planned = plan(load("spheroid-first-28d"), 1_767_567_600.0, "Asia/Tokyo", {})
    vessels = Vessels.of("B", planned_moves(planned))
    made: list[tuple[str, str, Parts]] = []
    for node in planned.nodes.values():
        moves = [asdict(move) for move in node.work.moves] if isinstance(node.work, Hand) else []
        for slot, vessel, parts, move in arrivals(vessels, moves, {}):
            name = f"B/{slot}-{len(made)}"
            made.append((vessel, move["becomes"], parts))
            vessels.put(vessel, {name: 1.0})
    assert made == [
        ("plates", "spheroid batch", {"B": pytest.approx(0.08)}),
        ("control plate", "spheroid batch", {"B": pytest.approx(0.08)}),
        ("microwells", "spheroid batch", {"B": pytest.approx(0.82)}),
        ("plates", "differentiation", {"B/plates-0": 1.0}),
        ("reactor", "differentiation", {"B/microwells-2": 1.0}),
    ]
