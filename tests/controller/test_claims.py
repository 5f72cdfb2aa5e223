"""Who is on a task: one person at a time, on record with their name, done once for a key, kept through a kill."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import pytest_asyncio

from controller.ipc import reply
from controller.people import SIMULATED
from controller.store.rows import TaskRow
from simulators import people
from tests.controller.quick import WAIT, QuickLab
from tests.runs.lab import TESTER

ANNA = {"name": "anna", "role": "operator", "authenticated_by": "password", "client": "10.0.0.7"}
BEN = {**ANNA, "name": "ben"}


async def ask(lab: QuickLab, do: str, **fields: Any) -> Any:
    return await reply(lab.controller, json.dumps({"do": do, "run": "run-1", **fields}).encode(), TESTER)


async def claim(lab: QuickLab, whom: str, actor: dict[str, str], key: str = "") -> Any:
    answer = await ask(lab, "claim", path=row(lab).path, whom=whom, actor=actor, key=key)
    return answer["ok"]["claimed_by"] if "ok" in answer else answer["error"]


def row(lab: QuickLab) -> TaskRow:
    return lab.ledger.tasks("run-1")[0]


@pytest_asyncio.fixture
async def waiting(lab: QuickLab) -> QuickLab:
    """A run that waits for its hand step."""
    await lab.up()
    await lab.start(WAIT)
    assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)
    return lab


async def test_a_claim_is_in_the_row_the_tasks_and_the_trail_with_its_person(waiting: QuickLab) -> None:
    assert waiting.runs.tasks()[0]["claimed_by"] == ""
    assert await claim(waiting, "me", ANNA) == "anna"
    assert waiting.runs.hand_work.claimed.is_set()
    assert row(waiting).claimed_by == waiting.runs.tasks()[0]["claimed_by"] == "anna"
    last = waiting.ledger.audit()[-1]
    assert (last.action, last.actor, last.object_id, last.run_id) == (
        "task claimed",
        "anna",
        row(waiting).path,
        "run-1",
    )
    assert (last.fields["old"], last.fields["new"], last.fields["client"]) == ("", "anna", "10.0.0.7")
    assert [change[:2] for change in last.fields["changes"]] == [["update", "tasks"]]


async def test_the_second_person_is_told_who_is_on_it_until_it_is_given_back(waiting: QuickLab) -> None:
    assert await claim(waiting, "me", ANNA) == "anna"
    for whom in ("me", "simulated"):
        waiting.runs.hand_work.simulated_person = {}
        refused = await claim(waiting, whom, BEN)
        assert refused["type"] == "conflict"
        assert "anna is on this task" in refused["text"]
    assert await claim(waiting, "me", ANNA) == "anna"
    assert await claim(waiting, "anyone", ANNA) == ""
    assert await claim(waiting, "me", BEN) == "ben"
    assert await claim(waiting, "anyone", ANNA) == "", "ben went home"
    assert waiting.ledger.audit()[-1].action == "task given back"


@pytest.mark.req("SM-03")
async def test_a_repeated_key_gets_the_first_answer_and_claims_nothing_again(waiting: QuickLab) -> None:
    assert await claim(waiting, "me", ANNA, "k1") == "anna"
    assert await claim(waiting, "anyone", ANNA, "k2") == ""
    assert await claim(waiting, "me", ANNA, "k1") == "anna"
    assert row(waiting).claimed_by == ""
    assert (await claim(waiting, "anyone", ANNA, "k1"))["type"] == "KeyReused"
    assert await claim(waiting, "me", BEN, "k1") == "ben", "another person's key is another key"


async def test_of_many_at_once_one_gets_it(waiting: QuickLab) -> None:
    assert waiting.disk is not None
    waiting.disk.slow_s = 0.5
    people_ = [{**ANNA, "name": f"person{n}"} for n in range(5)]
    found = await asyncio.gather(*(claim(waiting, "me", one) for one in people_))
    assert [each for each in found if isinstance(each, str)] == [row(waiting).claimed_by]


async def test_anybody_may_answer_and_the_row_shows_both(waiting: QuickLab) -> None:
    await claim(waiting, "me", ANNA)
    await ask(waiting, "answer", path=row(waiting).path, entries={"clear": True}, actor=BEN)
    assert (row(waiting).claimed_by, row(waiting).answered_by) == ("anna", "ben")
    assert "no open task" in (await claim(waiting, "me", BEN))["text"]


async def test_a_claim_that_meets_the_answer_on_its_way_to_the_disk_claims_nothing(waiting: QuickLab) -> None:
    assert waiting.disk is not None
    waiting.disk.slow_s = 0.5
    answering = asyncio.ensure_future(ask(waiting, "answer", path=row(waiting).path, entries={"clear": True}))
    await asyncio.sleep(0.1)
    assert "no open task" in (await claim(waiting, "me", ANNA))["text"]
    assert (await answering)["ok"] == {"state": "answered"}
    assert row(waiting).claimed_by == ""


async def test_only_a_bench_with_a_simulated_person_gives_tasks_to_one(waiting: QuickLab) -> None:
    refused = await claim(waiting, "simulated", ANNA)
    assert (refused["type"], refused["text"].split(":")[0]) == (
        "unusable", "there is no simulated person at this bench",
    )  # fmt: skip
    assert "whom" in (await claim(waiting, "bob", ANNA))["text"]
    waiting.runs.hand_work.simulated_person = {f"run-1:{row(waiting).path}": 7.0}
    assert waiting.runs.tasks()[0]["answers_at"] == 7.0
    assert await claim(waiting, "simulated", ANNA) == SIMULATED == people.SIMULATED
    assert await claim(waiting, "me", BEN) == "ben", "a person may take it from the simulated one"


@pytest.mark.req("DX-04")
async def test_a_claim_outlives_the_kill_of_the_controller(waiting: QuickLab) -> None:
    await claim(waiting, "me", ANNA, "k1")
    await waiting.kill()
    await waiting.up()
    assert await waiting.until(lambda: bool(waiting.runs.tasks()), 600.0)
    assert waiting.runs.tasks()[0]["claimed_by"] == "anna"
    assert await claim(waiting, "me", ANNA, "k1") == "anna"
    assert "anna is on this task" in (await claim(waiting, "me", BEN))["text"]
