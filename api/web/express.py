"""A short way for what pages and scripts ask again and again: ready-made bytes need none of FastAPI's work per request.

Same right, same answer as the declared route, which stays for the description of the interface and for everything else.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.web.routes.units import unit_bytes
from api.web.security.rights import Needs, Right

UNITS = "/api/v1/units/"
SEE = Needs(Right.SEE)


class Express(FastAPI):
    """The app, with a short way in front of its routing; it stands behind the guard as any other."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises Problem, which the guard answers."""
        unit = unit_in(scope)
        if not unit:
            await super().__call__(scope, receive, send)
            return
        person = SEE.check({**scope, "path_params": {"unit": unit}})
        response = Response(unit_bytes(self.state.service, unit, person.unit), media_type="application/json")
        await response(scope, receive, send)


def unit_in(scope: Scope) -> str:
    """The unit whose live values are asked for; "" when it is something else."""
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(UNITS):
        return ""
    unit = scope["path"].removeprefix(UNITS)
    return "" if "/" in unit else unit
