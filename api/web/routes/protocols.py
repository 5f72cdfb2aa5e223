"""Protocols that ship."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from api.web.models import ProtocolOut, ProtocolRow
from api.web.problems import Problem
from api.web.security.rights import Right, needs
from api.web.security.who import Person
from api.web.service import Service, service

router = APIRouter(prefix="/protocols", tags=["protocols"])
Here = Annotated[Service, Depends(service)]
Viewer = Annotated[Person, needs(Right.SEE)]


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
