"""Hand steps: who may sign them, what a wrong answer is told, and how long vessels were out of the incubator."""

from __future__ import annotations

import pytest

from controller.actors import Actor
from controller.errors import RunConflict, Unusable
from controller.outings import totals
from tests.controller.quick import HEAD, QuickLab

ANN, BOB = Actor("ann", "operator", "password"), Actor("bob", "operator", "password")
EVE = Actor("eve", "supervisor", "password")
LOOK = (
    HEAD.replace(
        "  reactor:",
        "  flasks: {kind: flask, count: 2, volume: 35 mL}\n  plates: {kind: plate, wells: 6, volume: 1 mL}\n  reactor:",
    )
    + """
  - stage: Look
    do:
      - hand: Look at the flasks
        write down: {confluence: {unit: "%", limits: 0..100}}
        out of incubator: 20 min
        acts: [{take: 5 mL, from: flasks}, {take: 100 uL, from: plates}]
        sign: WHO
      - wait: 1 h
"""
)
PATH = "look/hand"


async def asked(lab: QuickLab, who: str = "operator") -> None:
    await lab.up()
    await lab.start(LOOK.replace("WHO", who))
    assert await lab.until(lambda: bool(lab.runs.tasks()), 60.0)


@pytest.mark.req("DX-33")
async def test_time_out_of_the_incubator_is_counted_for_each_vessel(lab: QuickLab) -> None:
    await asked(lab)
    await lab.runs.answer("run-1", PATH, {"confluence": 70.0}, ANN, out_min=12.5)
    rows = lab.ledger.outings("run-1")
    assert [(row.vessel, row.out_s, row.limit_s) for row in rows] == [
        ("flasks", 750.0, 1200.0),
        ("plates", 750.0, 1200.0),
    ]
    assert totals(rows)["flasks"] == {"visits": 1, "minutes": 12.5, "longest_min": 12.5, "unknown": 0}
    assert lab.ledger.deviations("run-1") == []


@pytest.mark.req("DX-33")
async def test_too_long_out_is_a_deviation_and_an_alarm(lab: QuickLab) -> None:
    await asked(lab)
    await lab.runs.answer("run-1", PATH, {"confluence": 70.0}, ANN, out_min=31.0)
    (deviation,) = lab.ledger.deviations("run-1")
    assert "time out of the incubator 31 min, at most 20 min" in deviation.text
    assert [alarm["text"] for alarm in lab.controller.alarms.open()] == [deviation.text]


@pytest.mark.req("DX-33")
async def test_a_time_nobody_wrote_down_is_unknown_and_not_zero(lab: QuickLab) -> None:
    await asked(lab)
    with pytest.raises(Unusable, match="give 0 to 1440 min"):
        await lab.runs.answer("run-1", PATH, {"confluence": 70.0}, ANN, out_min=float("inf"))
    await lab.runs.answer("run-1", PATH, {"confluence": 70.0}, ANN)
    assert "not written down" in lab.ledger.deviations("run-1")[0].text
    assert totals(lab.ledger.outings("run-1"))["plates"] == {
        "visits": 1,
        "minutes": 0.0,
        "longest_min": 0.0,
        "unknown": 1,
    }


async def test_a_supervisor_s_task_is_refused_to_an_operator_with_the_reason(lab: QuickLab) -> None:
    await asked(lab, "supervisor")
    with pytest.raises(Unusable, match="a supervisor signs this task, and ann is operator"):
        await lab.runs.answer("run-1", PATH, {"confluence": 70.0}, ANN, out_min=5.0)
    assert lab.ledger.task("run-1", PATH).state == "open"  # type: ignore[union-attr]
    assert await lab.runs.answer("run-1", PATH, {"confluence": 70.0}, EVE, out_min=5.0) == "answered"


async def test_two_persons_write_down_the_same_and_one_of_them_is_not_enough(lab: QuickLab) -> None:
    await asked(lab, "two persons")
    entries = {"confluence": 70.0}
    assert await lab.runs.answer("run-1", PATH, entries, ANN, "k1", out_min=5.0) == "waits for a second person"
    assert await lab.runs.answer("run-1", PATH, entries, ANN, "k2", out_min=5.0) == "waits for a second person"
    assert PATH in lab.engine.run.active
    with pytest.raises(Unusable, match=r"ann wrote down something else .confluence: 70\.0 and 80\.0."):
        await lab.runs.answer("run-1", PATH, {"confluence": 80.0}, BOB, out_min=5.0)
    await lab.kill()
    await lab.up()
    with pytest.raises(Unusable, match=r"ann wrote down something else .out_min: 5\.0 and 9\.0."):
        await lab.runs.answer("run-1", PATH, entries, BOB, out_min=9.0)
    assert await lab.runs.answer("run-1", PATH, entries, BOB) == "answered"
    assert lab.ledger.task("run-1", PATH).answered_by == "ann, bob"  # type: ignore[union-attr]
    assert [row.out_s for row in lab.ledger.outings("run-1")] == [300.0, 300.0], "what the first one said is kept"


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"confluence": 170.0}, "outside 0.0 to 100.0 %"),
        ({"confluence": "a lot"}, "is a number"),
        ({"confluence": True}, "is a number"),
        ({}, "'confluence' is missing"),
        ({"confluence": 70.0, "colour": "red"}, "was not asked"),
        ({"confluence": float("nan")}, "is a number"),
    ],
)
async def test_an_answer_that_cannot_be_is_told_why_and_the_task_stays_open(lab: QuickLab, entries, says: str) -> None:
    await asked(lab)
    with pytest.raises(Unusable, match=says):
        await lab.runs.answer("run-1", PATH, entries, ANN, out_min=5.0)
    assert lab.ledger.task("run-1", PATH).state == "open"  # type: ignore[union-attr]


async def test_an_answer_given_twice_is_refused_and_the_first_one_stands(lab: QuickLab) -> None:
    await asked(lab)
    await lab.runs.answer("run-1", PATH, {"confluence": 70.0}, ANN, out_min=5.0)
    with pytest.raises(RunConflict, match="no open task"):
        await lab.runs.answer("run-1", PATH, {"confluence": 90.0}, BOB, out_min=5.0)
    assert lab.ledger.task("run-1", PATH).entries == {"confluence": 70.0}  # type: ignore[union-attr]
    assert lab.engine.run.written == {"confluence": 70.0}


@pytest.mark.req("SEC-09")
@pytest.mark.parametrize("who", ["two persons", "supervisor"])
async def test_a_token_is_no_signature_of_a_hand_step(lab: QuickLab, who: str) -> None:
    await asked(lab, who)
    with pytest.raises(Unusable, match="a token cannot sign: eve"):
        await lab.runs.answer("run-1", PATH, {"confluence": 70.0}, Actor("eve", "supervisor", "token"), out_min=5.0)
