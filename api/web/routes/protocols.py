"""Protocols that ship, and what would come of one: faults, warnings, plan. Nothing is kept or started."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from api.web.controller_link import ControllerAway
from api.web.models import CheckIn, CheckOut, PlanIn, PlanOut, ProtocolOut, ProtocolRow
from api.web.problems import Problem
from api.web.security.rights import Right, needs
from api.web.security.who import Person
from api.web.service import Service, service

router = APIRouter(prefix="/protocols", tags=["protocols"])
Here = Annotated[Service, Depends(service)]
Viewer = Annotated[Person, needs(Right.SEE)]
PlannerOfRuns = Annotated[Person, needs(Right.ACT, knows_unit=True)]
"""Who may act on runs may plan them; a plan is of no unit."""


@router.get("", response_model=list[ProtocolRow])
async def protocols(here: Here, person: Viewer) -> list[ProtocolRow]:
    from protocols.loading import library

    return [ProtocolRow(name=name) for name in library()]


@router.get("/{name}", response_model=ProtocolOut)
async def protocol(name: str, here: Here, person: Viewer) -> ProtocolOut:
    """The text of one, as it is written."""
    from protocols.loading import shipped

    text = shipped(name)
    if text is None:
        raise Problem("not-found", f"no protocol {name!r} ships with osteon")
    return ProtocolOut(name=name, text=text)


@router.post("/check", response_model=CheckOut)
async def check(body: CheckIn, here: Here, person: PlannerOfRuns) -> CheckOut:
    """Every fault of a protocol with its place; or, when it is in order, what is legal but unwise."""
    from api.web.protocol_desk import checked

    return CheckOut(**await here.planner.ask(lambda: checked(body.protocol, body.set)))


@router.post("/plan", response_model=PlanOut)
async def plan(body: PlanIn, here: Here, person: PlannerOfRuns) -> PlanOut:
    """The dry run (RM-08): timeline, volumes per fluid and day, medium, bottles, hand tasks, cells, warnings.

    422 with every fault when the protocol, a value or the zone does not fit.
    """
    from api.web.protocol_desk import planned

    start, zone = body.start, body.zone
    if start is None or zone is None:
        now, site = site_of(here)
        start, zone = now if start is None else start, zone or site
    best = body.best_start
    return PlanOut(**await here.planner.ask(lambda: planned(body.protocol, body.set, start, zone, best=best)))


def site_of(here: Service) -> tuple[float, str]:
    """Bench time and zone, as the controller has them; without a controller the plan must name its own."""
    try:
        shown = here.feed.current()
    except ControllerAway:
        raise Problem("controller-away", "no controller answers: name both `start` and `zone`") from None
    return float(shown["now"]), str(shown["zone"])
