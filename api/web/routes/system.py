"""Health: one word for anybody, details for who is signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.web.feed import Condition, compact
from api.web.models import Health, SystemHealth
from api.web.security.rights import Right, needs
from api.web.security.who import Person
from api.web.service import Service, service

router = APIRouter(tags=["system"])
JSON = "application/json"
WORDS: dict[Condition, str] = {
    "ok": "ok",
    "starting": "starting",
    "silent": "controller silent",
    "away": "controller away",
}


@router.get("/health", response_model=Health)
async def health(here: Annotated[Service, Depends(service)]) -> Response:
    """Without sign-in: whether there is anything to sign in to."""
    doing = {"doing": words} if (words := here.feed.doing) else {}
    return Response(compact({"status": WORDS[here.feed.condition], **doing}), media_type=JSON)


@router.get("/system/health", response_model=SystemHealth)
async def system_health(
    here: Annotated[Service, Depends(service)], person: Annotated[Person, needs(Right.SEE)]
) -> Response:
    """Controller, scans, records, version, speed."""
    shown = here.feed.snapshot or {}
    beat = here.feed.heartbeat()
    facts = {name: beat[name] for name in ("controller", "scanning", "scan", "ledger", "epoch", "speed", "now")}
    told = {name: shown.get(name, "") for name in ("version", "bench", "zone", "state")}
    more = {
        "simulated": bool(shown.get("simulated")),
        "streams": here.feed.listeners,
        "insecure": here.settings.insecure,
    }
    return Response(compact({**facts, **told, **more}), media_type=JSON)
