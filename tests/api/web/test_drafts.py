"""Drafts of hand steps: each person's own, on any device, gone when the step is confirmed (UI-71)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.web.drafts import MOST, Draft, Drafts
from tests.api.web.bench import served
from tests.api.web.security.house import API, House, kind
from tests.controller.quick import HEAD as PROTOCOL
from tests.controller.quick import POUR, QuickLab

WHERE = f"{API}/runs/run-1/tasks"


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A run that waits for {clear}."""
    lab = QuickLab(tmp_path / "data")
    await lab.up()
    await lab.start(PROTOCOL + POUR)
    assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)
    async with served(lab) as made:
        yield made
    await lab.close()


@pytest.mark.req("UI-71")
async def test_a_draft_is_kept_for_its_person_until_the_step_is_confirmed(house: House) -> None:
    path, typed = "seed/hand", {"clear": "yes", "note": "½ pale"}
    async with house.signed_in("operator", "anna") as anna, house.signed_in("operator", "ben") as ben:
        assert (await anna.get(f"{WHERE}/draft", params={"path": path})).json() == {"entries": {}, "at": None}
        kept = await anna.put(f"{WHERE}/draft", json={"path": path, "entries": typed})
        assert kept.json() == {"entries": typed, "at": house.wall.now}
        await ben.put(f"{WHERE}/draft", json={"path": path, "entries": {"clear": "no"}})
        assert (await anna.get(f"{WHERE}/draft", params={"path": path})).json()["entries"] == typed
        huge = {"path": path, "entries": {"clear": "x" * 2001}}
        assert kind(await anna.put(f"{WHERE}/draft", json=huge)) == "invalid"
        elsewhere = {"path": "seed/other", "entries": typed}
        assert kind(await anna.put(f"{WHERE}/draft", json=elsewhere)) == "run-conflict"
        body, key = {"path": path, "entries": {"clear": "perhaps"}}, {"idempotency-key": "1"}
        assert kind(await anna.post(f"{WHERE}/answer", json=body, headers=key)) == "invalid"
        assert (await anna.get(f"{WHERE}/draft", params={"path": path})).json()["entries"] == typed, "refused: kept"
        body, key = {"path": path, "entries": {"clear": True}}, {"idempotency-key": "2"}
        assert (await ben.post(f"{WHERE}/answer", json=body, headers=key)).json() == {"state": "answered"}
        for each in (anna, ben):
            assert (await each.get(f"{WHERE}/draft", params={"path": path})).json()["entries"] == {}
        assert kind(await anna.put(f"{WHERE}/draft", json={"path": path, "entries": typed})) == "run-conflict"


def test_there_is_an_end_to_the_drafts_of_one_person(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    drafts.put("ben", "r", "0", {"a": "his"}, 0.0)
    for n in range(MOST + 1):
        drafts.put("anna", "r", str(n), {"a": str(n)}, float(n))
    assert drafts.get("anna", "r", "0") == Draft({}, None)
    assert drafts.get("anna", "r", str(MOST)).entries == {"a": str(MOST)}
    assert drafts.get("ben", "r", "0").entries == {"a": "his"}
    assert oct((tmp_path / "drafts.sqlite").stat().st_mode)[-3:] == "600"
    drafts.close()
