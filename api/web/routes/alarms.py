"""Alarms: the open ones, all of them, and that somebody has seen one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.web.feed import compact
from api.web.models import AcknowledgedOut, AcknowledgeIn, AlarmOut
from api.web.one_unit import concerns, foreign_devices
from api.web.problems import Problem
from api.web.security.rights import Right, needs
from api.web.security.who import Person
from api.web.service import Service, service

router = APIRouter(prefix="/alarms", tags=["alarms"])
JSON = "application/json"
Here = Annotated[Service, Depends(service)]


@router.get("", response_model=list[AlarmOut])
async def alarms(here: Here, person: Annotated[Person, needs(Right.SEE)], past: bool = False) -> Response:
    """Alarms that a person must still see, critical first; with `past` those that are over too, the newest first."""
    if not past:
        return Response(here.feed.made("alarms", lambda shown: shown["alarms"], person.unit), media_type=JSON)
    rows = await here.read(lambda archive: archive.alarms())
    if person.unit is not None:
        runs = {row["run"] for row in await here.read(lambda archive: archive.runs(person.unit))}
        foreign = foreign_devices(here.feed.current(), person.unit)
        rows = [row for row in rows if concerns(row["run_id"], row["key"], runs, foreign)]
    return Response(compact(rows), media_type=JSON)


@router.post("/{alarm}/acknowledge", response_model=AcknowledgedOut)
async def acknowledge(
    alarm: str, body: AcknowledgeIn, here: Here, person: Annotated[Person, needs(Right.ACT, knows_unit=True)]
) -> AcknowledgedOut:
    """Say that it was seen; that never clears its condition. Repeating changes nothing."""
    if person.unit is not None and alarm not in (each["alarm_id"] for each in here.feed.current(person.unit)["alarms"]):
        raise Problem("not-allowed", f"this token is for the unit {person.unit} only, which has no such alarm")
    done = await here.link.act("acknowledge", {"alarm": alarm, "actor": person.actor()})
    return AcknowledgedOut(acknowledged=done["acknowledged"])
