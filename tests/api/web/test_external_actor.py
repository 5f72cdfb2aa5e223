"""A machine does the hand steps that name it, through the API, and nothing else; people take over, and are asked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from api.web.security.who import Role
from tests.api.web.bench import served
from tests.api.web.security.house import API, House
from tests.controller.quick import HEAD, QuickLab

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "external-actor.md"
STEPS, PROGRAM = (
    re.sub("(?m)^   ", "", found) for found in re.findall(r"```(?:yaml|python)\n(.*?)```", PAGE.read_text(), re.S)
)
BY_HAND = "- hand: Look at it\n- wait: 9 h\n"
MACHINE, OTHER = "liquid-handler", "other-machine"


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[QuickLab]:
    """A run that waits for the step of the page."""
    made = QuickLab(tmp_path / "data")
    await made.up()
    await made.start(f"{HEAD}  - stage: One\n    do:\n" + re.sub("(?m)^", "      ", STEPS + BY_HAND).rstrip())
    assert await made.until(lambda: bool(made.runs.tasks()), 600.0)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def house(lab: QuickLab) -> AsyncIterator[House]:
    async with served(lab) as made:
        for name in (MACHINE, OTHER):
            await made.add(name, Role.MACHINE)
        yield made


def client(house: House, name: str = MACHINE) -> httpx2.AsyncClient:
    """As its program has it: base address, bearer token."""
    secret, _ = house.gate.tokens.create(house.gate.accounts.find(name), "", Role.MACHINE, 30, "reactor")
    transport = httpx2.ASGITransport(house.guard, client=("127.0.0.1", 40_000))
    bearer = {"Authorization": f"Bearer {secret}"}
    return httpx2.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:8620{API}", headers=bearer)


async def post(who: httpx2.AsyncClient, path: str, body: dict[str, Any], key: list[int] = [0]) -> httpx2.Response:  # noqa: B006
    key[0] += 1
    return await who.post(path, json=body, headers={"Idempotency-Key": f"k-{key[0]}"})


def task(lab: QuickLab) -> dict[str, Any]:
    return lab.runs.tasks()[0]


@pytest.mark.req("INV-30", "RM-10")
async def test_the_program_of_the_page_does_its_step_once_and_is_on_record(
    lab: QuickLab, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "httpx", httpx2)
    program: dict[str, Any] = {"__name__": "program"}
    exec(compile(PROGRAM, str(PAGE), "exec"), program)
    path = task(lab)["path"]
    async with client(house) as machine, house.signed_in("operator") as ann:
        lot = {"lot": "M-1", "material": "medium", "amount": 500.0, "unit": "mL"}
        assert await program["one_round"](machine) == [], "there is no such lot yet"
        assert (await post(ann, f"{API}/materials", lot)).status_code == 201
        assert await program["one_round"](machine) == [path]
        assert await lab.until(lambda: task(lab)["path"] != path, 60.0)
        assert await program["one_round"](machine) == [], "the next step does not name it"
    row = lab.ledger.task("run-1", path)
    assert row is not None
    assert (row.answered_by, row.claimed_by, row.entries["volume"]) == (MACHINE, MACHINE, 9.6)
    (said,) = [each for each in lab.ledger.audit() if each.action == "run Answered" and each.outcome != "refused"]
    assert (said.actor, said.fields["role"]) == (MACHINE, "machine")


@pytest.mark.req("INV-30", "AC-02")
async def test_a_machine_does_nothing_else(lab: QuickLab, house: House) -> None:
    path = task(lab)["path"]
    answer = {"path": path, "entries": {"volume": 9.0, "all wells filled": True}}
    async with client(house) as machine, client(house, OTHER) as other:
        refused = await post(other, "/runs/run-1/tasks/claim", {"path": path, "by": "me"})
        assert (refused.status_code, "may be done by liquid handler, not by other-machine" in refused.text) == (
            422,
            True,
        )
        assert (await post(other, "/runs/run-1/tasks/answer", answer)).status_code == 422
        refused = await post(machine, "/runs/run-1/tasks/answer", answer)
        assert (refused.status_code, "claims a task before" in refused.text) == (409, True)
        for where, body in (
            ("/runs/run-1/commands", {"cause": "hold", "state_seen": "RUNNING"}),
            ("/units/reactor/hold", {}),
            ("/runs", {"protocol": "x"}),
        ):
            assert (await post(machine, where, body)).status_code == 403, where
    assert task(lab)["claimed_by"] == ""


@pytest.mark.req("INV-30")
async def test_a_person_takes_over_and_the_machine_never_from_a_person(lab: QuickLab, house: House) -> None:
    path = task(lab)["path"]
    me, back = {"path": path, "by": "me"}, {"path": path, "by": "anyone"}
    async with client(house) as machine, house.signed_in("operator") as ann:
        assert (await post(machine, "/runs/run-1/tasks/claim", me)).json() == {"claimed_by": MACHINE}
        assert (await post(ann, f"{API}/runs/run-1/tasks/claim", me)).json() == {"claimed_by": "operator"}
        assert (await post(machine, "/runs/run-1/tasks/claim", me)).status_code == 409
        assert (await post(machine, "/runs/run-1/tasks/claim", back)).status_code == 422
        answer = {"path": path, "entries": {"volume": 9.0, "all wells filled": True}}
        assert (await post(machine, "/runs/run-1/tasks/answer", answer)).status_code == 409
    entry = [each for each in lab.ledger.audit() if each.action == "task claimed"][-1]
    assert (entry.actor, entry.fields["old"], entry.fields["new"]) == ("operator", MACHINE, "operator")


@pytest.mark.parametrize("killed", [False, True])
async def test_a_claim_ends_after_twice_its_work_also_over_a_kill_and_people_are_asked(
    lab: QuickLab, house: House, killed: bool
) -> None:
    me = {"path": task(lab)["path"], "by": "me"}
    async with client(house) as machine:
        await post(machine, "/runs/run-1/tasks/claim", me)
        await asyncio.sleep(2300.0)
        await post(machine, "/runs/run-1/tasks/claim", me)
    if killed:
        await lab.kill()
        await lab.up()
    await asyncio.sleep(2300.0)
    assert task(lab)["claimed_by"] == MACHINE, "claimed again, it lasts anew"
    assert await lab.until(lambda: task(lab)["claimed_by"] == "", 200.0)
    assert lab.controller.alarms is not None
    (alarm,) = [each for each in lab.controller.alarms.open() if str(each["key"]).endswith(":given back")]
    assert "liquid-handler has not done it within 40 min" in alarm["text"]
    (ended,) = [each for each in lab.ledger.audit() if each.action == "task given back"]
    assert (ended.actor, ended.fields["old"], ended.fields["new"]) == ("rule", MACHINE, "")
