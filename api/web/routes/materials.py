"""Materials: lots on stock, booked in, opened, taken out of use."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from api.web import batch_archive
from api.web.feed import compact
from api.web.models import LotIn, LotOut, LotStateIn, LotStateOut
from api.web.routes.runs import JSON, Here, Key, Viewer
from api.web.security.rights import Right, needs
from api.web.security.who import Person

Operator = Annotated[Person, needs(Right.ACT)]

router = APIRouter(prefix="/materials", tags=["materials"])


@router.get("", response_model=list[LotOut])
async def lots(here: Here, person: Viewer) -> Response:
    """Every lot of every material, the newest first."""
    return Response(await here.read(lambda archive: compact(archive.lots())), media_type=JSON)


@router.get("/{lot}/batches", response_model=list[str])
async def batches(lot: str, here: Here, person: Viewer) -> Response:
    """Which batches got this lot, by hand or from a bottle on a pump, themselves or through an ancestor."""
    found = await here.read(lambda archive: compact(batch_archive.of_lot(archive.ledger, lot, person.unit)))
    return Response(found, media_type=JSON)


@router.post("", response_model=LotStateOut, status_code=201)
async def add(body: LotIn, here: Here, person: Operator, key: Key) -> LotStateOut:
    """Book a lot in. A name is given once for all materials; hand steps name the lots they used."""
    return LotStateOut(**await here.link.act("add_lot", {**body.model_dump(), "actor": person.actor()}, key))


@router.post("/{lot}/state", response_model=LotStateOut)
async def put(lot: str, body: LotStateIn, here: Here, person: Operator, key: Key) -> LotStateOut:
    """Open a lot, or take it out of use: used up, or discarded with a reason. That is for good."""
    return LotStateOut(
        **await here.link.act("put_lot", {"lot": lot, **body.model_dump(), "actor": person.actor()}, key)
    )
