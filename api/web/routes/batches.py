"""Batches: where they come from, everything that touched one. A name may hold a stroke: B-001/plates."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from api.web import batch_archive
from api.web.feed import compact
from api.web.models_batches import BatchAdded, BatchIn, BatchOut, BatchRow, TouchedOut
from api.web.routes.runs import JSON, Here, Key, Viewer
from api.web.security.rights import Right, needs
from api.web.security.who import Person
from api.web.service import Service

Operator = Annotated[Person, needs(Right.ACT)]

router = APIRouter(prefix="/batches", tags=["batches"])


@router.get("", response_model=list[BatchRow])
async def batches(here: Here, person: Viewer) -> Response:
    """Every batch with its parents, the newest first."""
    found = await here.read(lambda archive: compact(batch_archive.batches(archive.ledger, person.unit)))
    return Response(found, media_type=JSON)


@router.post("", response_model=BatchAdded, status_code=201)
async def add(body: BatchIn, here: Here, person: Operator, key: Key) -> BatchAdded:
    """Write a batch down. What hand steps make is written down by themselves, in runs that work on a batch."""
    return BatchAdded(**await here.link.act("add_batch", {**body.model_dump(), "actor": person.actor()}, key))


@router.get("/{batch:path}/touched", response_model=TouchedOut)
async def touched(batch: str, here: Here, person: Viewer) -> Response:
    """Everything that touched a batch, in one answer: runs, lots, doses, tasks, samples, results, alarms, deviations,
    and where its readings are."""
    signals = signals_of(here)
    found = await here.read(lambda archive: batch_archive.touched(archive.ledger, batch, person.unit, signals))
    return Response(compact(found), media_type=JSON)


@router.get("/{batch:path}", response_model=BatchOut)
async def batch(batch: str, here: Here, person: Viewer) -> Response:
    """One batch with the hand step that made it, its ancestors and descendants."""
    found = await here.read(lambda archive: compact(batch_archive.batch(archive.ledger, batch, person.unit)))
    return Response(found, media_type=JSON)


def signals_of(here: Service) -> dict[str, list[str]]:
    """What is measured at each unit now, as the history names it; none while the controller was never heard."""
    units: dict[str, Any] = here.feed.snapshot["units"] if here.feed.snapshot is not None else {}
    return {name: sorted(set(facts["roles"].values())) for name, facts in units.items()}
