"""Fluid moved by hand over HTTP: once for each key, told with its outcome, under way when it takes long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api.web.controller_link import OutcomeUnknown
from controller.by_hand import UNDER_WAY
from tests.api.web.bench import served
from tests.api.web.security.house import API, House, kind
from tests.controller.quick import WAIT, QuickLab
from tests.runs.lab import TESTER

MOVE = {"path": "medium in", "volume_ml": 6.0, "rate_ml_min": 6.0, "why": "the level is low"}


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[QuickLab]:
    made = QuickLab(tmp_path / "data")
    await made.up()
    made.bench.surroundings.hands.pour(made.now, 90.0)
    await made.runs.measure(None, 90.0, TESTER, why="poured in by hand")
    yield made
    await made.close()


@pytest_asyncio.fixture
async def house(lab: QuickLab) -> AsyncIterator[House]:
    async with served(lab) as made:
        yield made


async def send(client: Any, key: str = "k" * 20, **changes: Any) -> Any:
    body = {**MOVE, **changes}
    return await client.post(f"{API}/units/reactor/moves", json=body, headers={"idempotency-key": key})


@pytest.mark.req("DS-11", "DS-12", "UI-81")
async def test_a_move_is_measured_and_done_once_for_its_key(lab: QuickLab, house: House) -> None:
    async with house.signed_in("operator") as client:
        moved = await send(client)
        assert moved.status_code == 200, moved.text
        assert moved.json()["outcome"] == "done"
        assert moved.json()["measured_ml"] == pytest.approx(6.0, abs=0.05)
        assert (await send(client)).json() == moved.json()
        assert len(lab.ledger.doses()) == 2, "drawn and delivered, once"
        assert (await send(client, "z" * 20, volume_ml=80.0)).status_code == 422, "more than the vessel may hold"
    async with house.signed_in("viewer") as client:
        assert kind(await send(client, "y" * 20)) == "not-allowed"


async def test_a_unit_in_the_hands_of_a_run_is_refused_with_what_to_do(lab: QuickLab, house: House) -> None:
    await lab.start(WAIT)
    async with house.signed_in("operator") as client:
        refused = await send(client)
    assert refused.status_code == 409
    assert "set its mode to manual first" in refused.json()["detail"]


@pytest.mark.req("DS-11", "DX-06")
async def test_a_long_move_is_told_as_under_way_and_a_hold_ends_it(lab: QuickLab, house: House) -> None:
    here = house.app.state.service
    whole = here.link.act
    sent: list[asyncio.Future[Any]] = []

    async def impatient(do: str, fields: Any, key: str = "", limit_s: float = 1.0) -> Any:
        if do != "move":
            return await whole(do, fields, key)
        sent.append(asyncio.ensure_future(whole(do, fields, key)))
        await lab.moving("fill", 1.0)
        raise OutcomeUnknown(key)

    here.link.act = impatient
    async with house.signed_in("operator") as client:
        moved = await send(client, rate_ml_min=0.5)
        assert (moved.status_code, moved.json()["outcome"]) == (202, UNDER_WAY)
        hold = await client.post(f"{API}/units/reactor/hold", json={}, headers={"idempotency-key": "h" * 20})
        assert hold.status_code == 200
        await sent[0]
        told = (await client.get(f"{API}/commands/{'k' * 20}")).json()["answer"]["moved"]
    assert told["outcome"] not in (UNDER_WAY, "done")
    assert lab.pump_moves("fill") < 6.0
