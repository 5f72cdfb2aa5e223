"""Drafts of hand steps: each person's own, until the step is confirmed."""

from __future__ import annotations

from fastapi import APIRouter

from api.web.models_hand import DraftIn, DraftOut, TaskPath
from api.web.problems import Problem
from api.web.routes.runs import Here, Operator, unit_of
from api.web.security.rights import require_unit

router = APIRouter(prefix="/runs/{run}/tasks", tags=["drafts"])


@router.get("/draft", response_model=DraftOut)
async def draft(run: str, here: Here, person: Operator, path: TaskPath = "") -> DraftOut:
    """What you have begun to write for the hand step at `path`; without entries where that is nothing."""
    require_unit(person, await unit_of(here, run))
    found = here.drafts.get(person.user, run, path)
    return DraftOut(entries=found.entries, at=found.at)


@router.put("/draft", response_model=DraftOut)
async def keep(run: str, body: DraftIn, here: Here, person: Operator) -> DraftOut:
    """Keep it, in place of the one before. 409 when the step is not open: there is nothing more to write for it."""
    require_unit(person, await unit_of(here, run))
    if not await here.read(lambda archive: archive.is_open(run, body.path)):
        raise Problem("run-conflict", f"no open task {body.path!r} in {run}: nothing was kept")
    now = here.settings.wall()
    here.drafts.put(person.user, run, body.path, body.entries, now)
    return DraftOut(entries=body.entries, at=now)
