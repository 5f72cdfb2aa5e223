"""History of one signal: as many points as asked for, with minimum, mean, maximum and the gaps."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.web.models import History
from api.web.problems import Problem
from api.web.security.rights import Right, needs
from api.web.security.who import Person
from api.web.service import Service, service
from api.web.unit_picture import readings_of

router = APIRouter(prefix="/signals", tags=["signals"])
MOST_POINTS = 5000
LONGEST_S = 400 * 86_400.0
USUAL_S = 6 * 3600.0

Moment = Annotated[float | None, Query(ge=0, le=4e9, allow_inf_nan=False)]


@router.get("/{signal}/history", response_model=History)
async def history(
    signal: str,
    here: Annotated[Service, Depends(service)],
    person: Annotated[Person, needs(Right.SEE)],
    start: Annotated[Moment, Query(alias="from", description="UTC s; default: 6 h before `to`")] = None,
    end: Annotated[Moment, Query(alias="to", description="UTC s; default: now")] = None,
    points: Annotated[int, Query(ge=1, le=MOST_POINTS)] = 500,
) -> Response:
    """At most about `points` buckets; single samples where there are fewer. Up to 10 s behind the present."""
    shown = here.feed.current(person.unit)
    until = shown["now"] if end is None else end
    since = until - USUAL_S if start is None else start
    if not 0 < until - since <= LONGEST_S:
        raise Problem("invalid", "`to` must be after `from`, by 400 days at most")
    known = readings_of(shown).get(signal)
    if known is None and person.unit is not None:
        raise Problem("not-allowed", f"this token is for the unit {person.unit} only, which has no signal {signal!r}")
    unit = None if known is None else str(known["unit"])
    found = await here.read(lambda archive: archive.history(signal, since, until, points, unit))
    return Response(found, media_type="application/json")
