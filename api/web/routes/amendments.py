"""Amendments of a running batch, its mode, and the steps that wait in mode step."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.web.models import AdvanceIn, AmendedOut, AmendIn, AmendPreviewIn, ModeIn, StateOut
from api.web.routes.runs import Here, Key, Operator, Starter, Supervisor, require_run, unit_of
from api.web.security.rights import require_unit

router = APIRouter(tags=["runs"])


@router.post("/runs/{run}/amendments/preview", response_model=AmendedOut)
async def preview(run: str, body: AmendPreviewIn, here: Here, person: Operator) -> Any:
    """What an amendment would change, row by row, and which rules it would break. Nothing is done."""
    await require_run(here, person, run)
    asked = {"run": run, **body.model_dump(), "preview": True}
    return await here.link.act("amend", {**asked, "actor": person.actor()}, "")


@router.post("/runs/{run}/amendments", response_model=AmendedOut)
async def amend(run: str, body: AmendIn, here: Here, person: Supervisor, key: Key) -> Any:
    """Skip, move or repeat one occurrence, or set other parameter values: only the future of the run changes."""
    require_unit(person, await unit_of(here, run))
    return await here.link.act("amend", {"run": run, **body.model_dump(), "actor": person.actor()}, key)


@router.post("/runs/{run}/mode", response_model=StateOut)
async def mode(run: str, body: ModeIn, here: Here, person: Starter, key: Key) -> StateOut:
    """How the unit is worked: auto, step by step, or by hand; into manual the run is held first."""
    require_unit(person, await unit_of(here, run))
    asked = {"run": run, "mode": body.mode, "why": body.why}
    return StateOut(**await here.link.act("mode", {**asked, "actor": person.actor()}, key))


@router.post("/runs/{run}/advance", response_model=StateOut)
async def advance(run: str, body: AdvanceIn, here: Here, person: Operator, key: Key) -> StateOut:
    """In mode step: let one waiting step begin."""
    require_unit(person, await unit_of(here, run))
    return StateOut(**await here.link.act("advance", {"run": run, "path": body.path, "actor": person.actor()}, key))
