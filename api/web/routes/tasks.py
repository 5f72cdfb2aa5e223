"""Open tasks of all runs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.web.security.rights import Right, needs
from api.web.security.who import Person
from api.web.service import Service, service

router = APIRouter(prefix="/tasks", tags=["tasks"])


@router.get("", response_model=list[dict[str, Any]])
async def tasks(here: Annotated[Service, Depends(service)], person: Annotated[Person, needs(Right.SEE)]) -> Response:
    """What a person has to do now or soon: run, path, title, due, instruction, entries. Answered at the run."""
    return Response(here.feed.made("tasks", lambda shown: shown["tasks"], person.unit), media_type="application/json")
