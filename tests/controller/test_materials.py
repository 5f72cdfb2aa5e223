"""Lots of materials: a hand step names what it used; the wrong, expired or discarded is refused (RM-10)."""

from __future__ import annotations

import json
from typing import Any

import pytest
import pytest_asyncio

from controller.actors import Actor
from controller.ipc import reply
from controller.store.verify import verify
from tests.controller.quick import HEAD, QuickLab
from tests.runs.lab import TESTER

ANNA = {"name": "anna", "role": "operator", "authenticated_by": "password", "client": ""}
EVA = {**ANNA, "name": "eva", "role": "supervisor"}
STEP = (
    HEAD
    + """
  - stage: Seed
    do:
      - hand: Look at it
        lots: [medium]
        write down: {clear: yes/no}
        takes: 5 min
"""
)


async def ask(lab: QuickLab, do: str, actor: dict[str, str] = ANNA, **fields: Any) -> Any:
    found = await reply(lab.controller, json.dumps({"do": do, "actor": actor, **fields}).encode(), TESTER)
    return found.get("ok", found.get("error"))


async def answer(lab: QuickLab, lots: dict[str, str], actor: dict[str, str] = ANNA, **fields: Any) -> Any:
    path = lab.ledger.tasks("run-1")[0].path
    return await ask(lab, "answer", actor, run="run-1", path=path, entries={"clear": True}, lots=lots, **fields)


@pytest_asyncio.fixture
async def waiting(lab: QuickLab) -> QuickLab:
    """A run that waits for a step which uses a lot of medium; two lots are on stock, one of them of something else."""
    await lab.up()
    await lab.start(STEP)
    assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)
    await ask(lab, "add_lot", lot="M-1", material="medium", expires_at=lab.controller.clock.now() + 3600.0)
    await ask(lab, "add_lot", lot="T-1", material="trypsin")
    return lab


@pytest.mark.req("RM-10")
async def test_a_step_that_uses_a_material_is_blocked_by_a_wrong_lot_and_takes_the_right_one(
    waiting: QuickLab,
) -> None:
    assert waiting.runs.tasks()[0]["stock"] == {"medium": ["M-1"]}
    assert "name its lot" in (await answer(waiting, {}))["text"]
    assert "there is no lot 'M-9'" in (await answer(waiting, {"medium": "M-9"}))["text"]
    assert "'T-1' is a lot of trypsin" in (await answer(waiting, {"medium": "T-1"}))["text"]
    assert waiting.ledger.lot_uses() == []
    assert await answer(waiting, {"medium": "M-1"}) == {"state": "answered"}
    (use,) = waiting.ledger.lot_uses()
    assert (use.run_id, use.material, use.lot, use.by, use.why) == ("run-1", "medium", "M-1", "anna", "")
    assert [row.fields["new"] for row in waiting.ledger.audit() if row.action == "lots used"] == [{"medium": "M-1"}]
    assert verify(waiting.ledger.folder).ok


@pytest.mark.req("RM-10")
async def test_an_expired_lot_passes_only_with_a_supervisor_and_a_reason_and_is_a_deviation(
    waiting: QuickLab,
) -> None:
    assert await waiting.until(lambda: waiting.controller.clock.now() > waiting.ledger.lots()[0].expires_at, 7200.0)
    assert "expired" in (await answer(waiting, {"medium": "M-1"}, why="it looks fine"))["text"]
    assert "expired" in (await answer(waiting, {"medium": "M-1"}, EVA))["text"]
    assert await answer(waiting, {"medium": "M-1"}, EVA, why="checked sterile, ph 7.4") == {"state": "answered"}
    assert any("eva let it pass: checked sterile, ph 7.4" in row.text for row in waiting.ledger.deviations("run-1"))


@pytest.mark.req("AT-03")
async def test_discarding_a_lot_needs_a_reason_and_is_for_good(waiting: QuickLab) -> None:
    assert "a reason" in (await ask(waiting, "put_lot", lot="M-1", state="discarded", why="mold"))["text"]
    assert (await ask(waiting, "put_lot", lot="M-1", state="discarded", why="cloudy"))["state"] == "discarded"
    assert "is discarded" in (await ask(waiting, "put_lot", lot="M-1", state="open"))["text"]
    assert "is discarded" in (await answer(waiting, {"medium": "M-1"}))["text"]
    last = waiting.ledger.audit()[-1]
    assert (last.action, last.fields["reason"]) == ("lot discarded", "cloudy")


async def test_a_lot_is_booked_once(waiting: QuickLab) -> None:
    again = {"lot": "M-2", "material": "medium", "key": "k1"}
    assert await ask(waiting, "add_lot", **again) == await ask(waiting, "add_lot", **again)
    assert "booked already" in (await ask(waiting, "add_lot", lot="M-2", material="medium"))["text"]
    assert "simulated person" in (await ask(waiting, "add_lot", lot="S-2", material="medium"))["text"]
    late = await ask(waiting, "add_lot", lot="M-3", material="medium", expires_at=1.0)
    assert "expired before" in late["text"]


@pytest.mark.req("AT-03")
async def test_a_late_entry_keeps_both_times_and_none_lies_ahead(waiting: QuickLab) -> None:
    task, now = waiting.ledger.tasks("run-1")[0], waiting.controller.clock.now()
    lots = {"medium": "M-1"}
    assert "in the future" in (await answer(waiting, lots, happened_at=now + 60.0))["text"]
    assert "not open then" in (await answer(waiting, lots, happened_at=task.opened_at - 60.0))["text"]
    done = task.opened_at - 60.0
    assert await answer(waiting, lots, happened_at=done, why="done before the start") == {"state": "answered"}
    row = waiting.ledger.tasks("run-1")[0]
    assert row.happened_at == done and row.answered_at is not None and row.answered_at >= now


async def test_the_simulated_person_takes_lots_from_its_own_shelf(waiting: QuickLab) -> None:
    path = waiting.ledger.tasks("run-1")[0].path
    await waiting.runs.answer("run-1", path, {"clear": True}, Actor("simulated person", "simulated", "test"))
    assert [use.lot for use in waiting.ledger.lot_uses()] == ["S-medium"]
    assert waiting.ledger.lot("S-medium") is not None
