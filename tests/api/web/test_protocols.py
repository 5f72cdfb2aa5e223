"""Protocols over HTTP: read, checked and planned before anything is started."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.web.planner import AT_MOST
from api.web.security.settings import Settings
from tests.api.web.security.house import API, CHEAP, House, Wall, kind, whole
from tests.protocols.test_loading import HEADER, STAGES

pytestmark = pytest.mark.real_time
LONG = {"protocol": "adsc-osteo-spheroid-28d", "start": 1_767_567_600.0, "zone": "Asia/Tokyo"}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    wall = Wall()
    made = whole(Settings(tmp_path, hash_cost=CHEAP, wall=wall), wall)
    yield made
    made.app.state.service.planner.close()
    made.app.state.service.records.close()
    made.gate.close()


@pytest.mark.req("RM-08")
async def test_the_dry_run_returns_timeline_volumes_tasks_and_violations(house: House) -> None:
    async with house.signed_in("operator") as client:
        answer = await client.post(f"{API}/protocols/plan", json=LONG)
    assert answer.status_code == 200
    plan = answer.json()
    times = [row["when"] for row in plan["rows"]]
    assert times == sorted(times) and times[0] == "2026-01-05T08:00:00+09:00"
    assert {"fluid": "osteogenic medium", "day": 14, "volume_ml": 80.0} in plan["fluids"]
    assert [row["minutes"] for row in plan["rows"] if row["by"] == "hand"][:2] == [60.0, 90.0]
    assert (plan["hand_tasks"], plan["out_of_hours"]) == (sum(row["by"] == "hand" for row in plan["rows"]), 0)
    assert {warning["kind"] for warning in plan["warnings"]} == {"ascorbate", "two-tasks"}
    assert len(plan["media"]) == 4 and len(plan["bottles"]) == 2 and plan["cells"][0]["short"] is False


async def test_the_best_start_of_a_week_comes_with_its_reason(house: House) -> None:
    asked = {"protocol": "spheroid-formation", "start": 1_767_567_600.0, "zone": "Asia/Tokyo", "best_start": True}
    async with house.signed_in("supervisor") as client:
        plan = (await client.post(f"{API}/protocols/plan", json=asked)).json()
    assert plan["best_start"]["why"].split(":")[0].startswith("Monday 05 January")
    assert plan["start"] == plan["best_start"]["start"]


async def test_every_fault_is_listed_with_its_place(house: House) -> None:
    wrong = HEADER + STAGES + "      - fill: {into: reacter, volume: 18, of: medium, at: 1 mL/min}\n      - hnd: Look\n"
    async with house.signed_in("operator") as client:
        check = (await client.post(f"{API}/protocols/check", json={"protocol": wrong})).json()
        plan = await client.post(f"{API}/protocols/plan", json={**LONG, "protocol": wrong})
    assert check["in_order"] is False and check["warnings"] == []
    assert [fault["line"] for fault in check["faults"]] == [16, 17]
    assert kind(plan) == "invalid"
    assert plan.json()["faults"] == check["faults"]


async def test_warnings_of_a_protocol_in_order_refuse_nothing(house: House) -> None:
    async with house.signed_in("operator") as client:
        asked = {"protocol": "undifferentiated-control-28d", "set": {"fill volume": "15 mL"}}
        check = (await client.post(f"{API}/protocols/check", json=asked)).json()
    assert check["in_order"] is True and check["faults"] == []
    assert "ascorbate" in {warning["kind"] for warning in check["warnings"]}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"protocol": "../../etc/passwd"}, "send its text instead"),
        ({"zone": "Mars/Base"}, "no time zone"),
        ({"set": {"fill volume": "80 mL"}}, "outside"),
        ({"set": {"phase": "moon"}}, "no parameter"),
    ],
)
async def test_what_cannot_be_planned_is_refused_with_the_reason(house: House, changed: dict, says: str) -> None:
    async with house.signed_in("operator") as client:
        answer = await client.post(f"{API}/protocols/plan", json={**LONG, **changed})
    assert kind(answer) == "invalid"
    assert says in answer.json()["detail"]


async def test_without_a_controller_a_plan_names_its_own_start_and_zone(house: House) -> None:
    async with house.signed_in("operator") as client:
        answer = await client.post(f"{API}/protocols/plan", json={"protocol": LONG["protocol"]})
    assert kind(answer) == "controller-away"


async def test_a_viewer_reads_protocols_and_plans_none(house: House) -> None:
    async with house.signed_in("viewer") as client:
        assert len((await client.get(f"{API}/protocols")).json()) >= 11
        assert kind(await client.post(f"{API}/protocols/plan", json=LONG)) == "not-allowed"


async def test_a_long_plan_holds_up_nobody_and_too_many_are_told_to_come_back(house: House) -> None:
    free = threading.Event()
    planner = house.app.state.service.planner
    async with house.signed_in("operator") as client:
        waiting = [asyncio.create_task(planner.ask(lambda: free.wait(60))) for _ in range(AT_MOST)]
        await asyncio.sleep(0)
        assert (await client.get(f"{API}/session")).status_code == 200
        assert kind(await client.post(f"{API}/protocols/plan", json=LONG)) == "busy"
        free.set()
        await asyncio.gather(*waiting)
        assert (await client.post(f"{API}/protocols/plan", json=LONG)).status_code == 200
