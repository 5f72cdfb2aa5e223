"""Devices and their signals, live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.web.feed import Snapshot
from api.web.models import DeviceOut, SignalOut
from api.web.problems import Problem
from api.web.security.rights import Right, needs
from api.web.security.who import Person
from api.web.service import Service, service

router = APIRouter(prefix="/devices", tags=["devices"])
JSON = "application/json"


@router.get("", response_model=list[DeviceOut])
async def devices(here: Annotated[Service, Depends(service)], person: Annotated[Person, needs(Right.SEE)]) -> Response:
    """Every device of the bench: model, identity, condition."""
    return Response(here.feed.made("devices", rows, person.unit), media_type=JSON)


@router.get("/{device}/signals", response_model=list[SignalOut])
async def signals(
    device: str, here: Annotated[Service, Depends(service)], person: Annotated[Person, needs(Right.SEE)]
) -> Response:
    """Every signal of one device with its last reading."""
    return Response(here.feed.made(("signals", device), lambda shown: of(shown, device), person.unit), media_type=JSON)


def rows(shown: Snapshot) -> list[Mapping[str, Any]]:
    return [{name: part for name, part in device.items() if name != "readings"} for device in shown["devices"]]


def of(shown: Snapshot, name: str) -> list[Mapping[str, Any]]:
    found = next((device for device in shown["devices"] if device["name"] == name), None)
    if found is None:
        there = ", ".join(device["name"] for device in shown["devices"])
        raise Problem("not-found", f"there is no device {name!r}; there is {there or 'none'}")
    return [{"name": f"{name}.{signal}", **reading} for signal, reading in found["readings"].items()]
