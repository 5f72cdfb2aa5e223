"""Fluid moved by a person's word, through the same ledger, caps and books as any dose (DS-11, UI-81)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.web.controller_link import OutcomeUnknown
from api.web.models import Incoming, Name
from api.web.routes.runs import Here, Key
from api.web.routes.units import known
from api.web.security.rights import Right, needs
from api.web.security.who import Person

Manual = Annotated[Person, needs(Right.MANUAL)]
LARGEST_ML = 10_000.0
ANSWERS_AT_ONCE_S = 5.0
"""A short move is answered with its outcome; of a longer one, that it is under way."""

router = APIRouter(prefix="/units", tags=["units"])


class MoveIn(Incoming):
    """One bounded move, mL and mL/min. `path` is a fluid path of the unit; `to` the cup instead of the vessel."""

    path: Annotated[Name, Field(examples=["medium in"])]
    volume_ml: Annotated[float, Field(gt=0, le=LARGEST_ML, strict=False, examples=[5.0])]
    rate_ml_min: Annotated[float, Field(gt=0, le=LARGEST_ML, strict=False, examples=[3.0])]
    fluid: Name = "by hand"
    to: Literal["vessel", "cup"] = "vessel"
    why: Annotated[str, Field(min_length=5, max_length=1000, examples=["the level is low"])]


class MovedOut(BaseModel):
    """`outcome` is "done", how else it ended, or that it is under way; `measured_ml` by the pump's own counter."""

    run: str
    path: str
    asked_ml: float
    outcome: str
    measured_ml: float | None = None
    why: str = ""


@router.post(
    "/{unit}/moves", response_model=MovedOut, responses={202: {"description": "Under way.", "model": MovedOut}}
)
async def move(unit: str, body: MoveIn, here: Here, person: Manual, key: Key, response: Response) -> dict[str, Any]:
    """Move fluid of a unit without a live run, or of one whose run is held in mode manual (SM-06), once for each key.

    202: it takes longer than a few seconds and is under way; `GET /commands/{key}` tells how it ended. A hold of the
    unit, or stop-pumps, ends it."""
    known(here.feed.current(), unit)
    asked = {"unit": unit, **body.model_dump(), "actor": person.actor()}
    try:
        return await here.link.act("move", asked, key, ANSWERS_AT_ONCE_S)
    except OutcomeUnknown:
        begun, _ = await here.read(lambda archive: archive.answer(key, person.user))
        if begun is None or "moved" not in begun:
            raise
        response.status_code = 202
        return dict(begun["moved"])
