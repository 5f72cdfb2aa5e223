"""Results of samples, and the release of batches by them (RM-11)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from api.web.feed import compact
from api.web.models import Incoming, Name, Outgoing, Time
from api.web.models_batches import ReleaseIn, ReleaseOut
from api.web.routes.runs import JSON, Here, Key, Operator, Viewer, require_run, unit_of
from api.web.security.rights import Right, needs, require, require_unit
from api.web.security.who import Person

Signer = Annotated[Person, needs(Right.SIGN)]
"""No token signs."""

router = APIRouter(tags=["results"])


class ResultOut(Outgoing):
    """Where one result of a sample stands. `low` to `high` is possible, `warn_low` to `warn_high` is within."""

    run: str
    path: str
    sample: Annotated[str, Field(examples=["QC-RAPID"])]
    name: Annotated[str, Field(examples=["viability"])]
    taken_at: Time
    due: Time | None
    late: bool
    state: Annotated[str, Field(examples=["pending", "within", "out of specification", "retest", "not done"])]
    kind: str
    unit: str
    low: float | None
    high: float | None
    warn_low: float | None
    warn_high: float | None
    value: float | str | bool | None
    method: str
    why: str
    at: Time | None
    by: str
    readings: int


class ResultIn(Incoming):
    """A value in the unit the sample asks for; or `state`: tested again, or (by a supervisor) that it never comes."""

    sample: Annotated[Name, Field(examples=["QC-RAPID"])]
    """Its id, or the path of the step that took it."""
    name: Annotated[Name, Field(examples=["viability"])]
    value: Annotated[float | str | bool | None, Field(examples=[91.0])] = None
    state: Literal["retest", "not done"] | None = None
    unit: Annotated[str, Field(max_length=200)] = ""
    method: Annotated[str, Field(max_length=200, examples=["trypan blue"])] = ""
    why: Annotated[str, Field(max_length=1000)] = ""
    """Needed to correct, to test again and to leave out."""


class ResultState(Outgoing):
    state: str


@router.get("/runs/{run}/results", response_model=list[ResultOut])
async def results(run: str, here: Here, person: Viewer) -> Response:
    """Every result of every sample that the run has taken."""
    from controller.results import expected

    await require_run(here, person, run)
    now = here.feed.current()["now"]
    found = await here.read(lambda archive: compact([each.told(now) for each in expected(archive.ledger, run)]))
    return Response(found, media_type=JSON)


@router.post("/runs/{run}/results", response_model=ResultState, status_code=201)
async def write(run: str, body: ResultIn, here: Here, person: Operator, key: Key) -> ResultState:
    """Write a result down. One that is on record is changed only with a reason, and stays on record."""
    require_unit(person, await unit_of(here, run))
    asked = {"run": run, **body.model_dump(), "actor": person.actor()}
    return ResultState(**await here.link.act("result", asked, key))


@router.post("/batches/{batch:path}/release", response_model=ReleaseOut)
async def release(batch: str, body: ReleaseIn, here: Here, person: Signer, key: Key) -> ReleaseOut:
    """Sign one stage of a batch's release. The final one takes two persons, and no result may be missing."""
    require(person, Right.DECIDE)
    asked = {"batch": batch, **body.model_dump(), "actor": person.actor()}
    return ReleaseOut(**await here.link.act("release", asked, key))
