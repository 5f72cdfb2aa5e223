"""Units: live values of every role, hold, stop pumps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.web.feed import Snapshot
from api.web.idempotency import idempotency_key
from api.web.models import HeldOut, HoldIn, PumpOut, PumpsOut, StopPumpsIn, UnitOut, UnitRow, VolumeIn, VolumeOut
from api.web.models_hand import ClearLineIn, ClearLineOut
from api.web.problems import Problem
from api.web.security.rights import Right, needs
from api.web.security.who import Person
from api.web.service import Service, service
from api.web.unit_picture import unit_picture

router = APIRouter(prefix="/units", tags=["units"])
JSON = "application/json"

Here = Annotated[Service, Depends(service)]
Viewer = Annotated[Person, needs(Right.SEE)]
Operator = Annotated[Person, needs(Right.ACT)]
Signer = Annotated[Person, needs(Right.SIGN)]
Key = Annotated[str, Depends(idempotency_key)]


@router.get("", response_model=list[UnitRow])
async def units(here: Here, person: Viewer) -> Response:
    """Every unit of the bench with what needs a person."""
    return Response(here.feed.made("units", rows, person.unit), media_type=JSON)


@router.get("/{unit}", response_model=UnitOut)
async def unit(unit: str, here: Here, person: Viewer) -> Response:
    """One unit, live: values with unit, quality and age, set points, limits, run, tasks, alarms."""
    return Response(unit_bytes(here, unit, person.unit), media_type=JSON)


@router.post("/{unit}/hold", response_model=HeldOut)
async def hold(unit: str, body: HoldIn, here: Here, person: Operator, key: Key) -> HeldOut:
    """Hold the run of this unit now: strokes stop, the environment stays."""
    stays_on = list(here.feed.current()["units"][known(here.feed.current(), unit)]["stays_on"])
    done = await here.link.act("hold", {"unit": unit, "why": body.why, "actor": person.actor()}, key)
    return HeldOut(states=done["states"], stays_on=stays_on)


@router.post("/{unit}/stop-pumps", response_model=PumpsOut)
async def stop_pumps(unit: str, body: StopPumpsIn, here: Here, person: Operator, key: Key) -> PumpsOut:
    """Stop every pump of this unit now and hold its run; what each pump said to it."""
    known(here.feed.current(), unit)
    done = await here.link.act("stop_pumps", {"unit": unit, "actor": person.actor()}, key)
    pumps = [pump(said) for said in done["stopped"]]
    return PumpsOut(pumps=pumps, at=here.feed.current()["now"])


@router.post("/{unit}/volume", response_model=VolumeOut)
async def volume(unit: str, body: VolumeIn, here: Here, person: Operator, key: Key) -> VolumeOut:
    """The vessel was found to hold so much: its books begin anew, and a large difference is an alarm."""
    known(here.feed.current(), unit)
    asked = {"unit": unit, "ml": body.ml, "why": body.why, "actor": person.actor()}
    return VolumeOut(**await here.link.act("volume", asked, key))


@router.post("/{unit}/clear-line", response_model=ClearLineOut)
async def clear_line(unit: str, body: ClearLineIn, here: Here, person: Signer, key: Key) -> ClearLineOut:
    """Sign the line clearance: nothing of the last donor is left here, and cells of another may come. No token can."""
    known(here.feed.current(), unit)
    asked = {"unit": unit, "why": body.why, "actor": person.actor()}
    return ClearLineOut(**await here.link.act("clear_line", asked, key))


def unit_bytes(here: Service, unit: str, only: str | None) -> bytes:
    """Made once for each picture of the bench."""
    condition = here.feed.condition
    return here.feed.made(("unit", unit), lambda shown: unit_picture(known(shown, unit), shown, condition), only)


def pump(said: str) -> PumpOut:
    """ "pump_in", or "pump_in NOT CONFIRMED: why"."""
    name, _, trouble = said.partition(" ")
    return PumpOut(pump=name, confirmed=not trouble, text=trouble or "stopped")


def known(shown: Snapshot, unit: str) -> str:
    if unit not in shown["units"]:
        raise Problem("not-found", f"there is no unit {unit!r}; there is {', '.join(shown['units']) or 'none'}")
    return unit


def rows(shown: Snapshot) -> list[Mapping[str, Any]]:
    return [row(shown, unit) for unit in shown["units"]]


def row(shown: Snapshot, unit: str) -> Mapping[str, Any]:
    run = next((run for run in shown["runs"] if run["unit"] == unit), None)
    name = run["run"] if run else None
    return {
        "unit": unit,
        "run": name,
        "state": run["state"] if run else None,
        "tasks": sum(task["run"] == name for task in shown["tasks"]),
        "alarms": sum(alarm["run_id"] in (None, name) for alarm in shown["alarms"]),
    }
