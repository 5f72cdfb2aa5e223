"""Alarms: the open ones, all of them, and that somebody has seen one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.web.feed import compact
from api.web.models import AcknowledgedOut, AcknowledgeIn, AlarmOut
from api.web.security.rights import Right, needs, require_unit
from api.web.security.who import Person
from api.web.service import Service, service

router = APIRouter(prefix="/alarms", tags=["alarms"])
JSON = "application/json"
Here = Annotated[Service, Depends(service)]


@router.get("", response_model=list[AlarmOut])
async def alarms(here: Here, person: Annotated[Person, needs(Right.SEE)], past: bool = False) -> Response:
    """Alarms that a person must still see, critical first; with `past` those that are over too, the newest first."""
    if past:
        return Response(await here.read(lambda archive: compact(archive.alarms())), media_type=JSON)
    return Response(here.feed.made("alarms", lambda shown: shown["alarms"]), media_type=JSON)


@router.post("/{alarm}/acknowledge", response_model=AcknowledgedOut)
async def acknowledge(
    alarm: str, body: AcknowledgeIn, here: Here, person: Annotated[Person, needs(Right.ACT, knows_unit=True)]
) -> AcknowledgedOut:
    """Say that it was seen; that never clears its condition. Repeating changes nothing."""
    shown = here.feed.current()
    run = next((each["run_id"] for each in shown["alarms"] if each["alarm_id"] == alarm), None)
    unit = next((each["unit"] for each in shown["runs"] if each["run"] == run), None)
    if unit is not None:
        require_unit(person, unit)
    done = await here.link.act("acknowledge", {"alarm": alarm, "actor": person.actor()})
    return AcknowledgedOut(acknowledged=done["acknowledged"])
