"""Calibrations as they stand in the record; they are carried out with `osteon calibrate` on the machine."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.web.feed import compact
from api.web.models import CalibrationOut
from api.web.one_unit import foreign_devices
from api.web.security.rights import Right, needs
from api.web.security.who import Person
from api.web.service import Service, service

router = APIRouter(prefix="/calibrations", tags=["calibrations"])
JSON = "application/json"


@router.get("", response_model=list[CalibrationOut])
async def calibrations(
    here: Annotated[Service, Depends(service)],
    person: Annotated[Person, needs(Right.SEE)],
    device: str | None = None,
) -> Response:
    """Every calibration, or those of one device, the newest first: points, limits, verdict, who signed it, when it is
    due again."""
    rows = await here.read(lambda archive: archive.calibrations(device))
    if person.unit is not None:
        foreign = foreign_devices(here.feed.current(), person.unit)
        rows = [row for row in rows if row["device"] not in foreign]
    return Response(compact(rows), media_type=JSON)
