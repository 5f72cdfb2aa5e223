"""A short way for what pages and scripts ask again and again: ready-made bytes need none of FastAPI's work per request.

Same right, same answer as the declared route, which stays for the description of the interface and for everything else.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.web.routes.units import unit_bytes
from api.web.security.rights import Needs, Right
from api.web.service import Service

UNITS = "/api/v1/units/"


class Express:
    """In front of the app, behind the guard."""

    def __init__(self, app: ASGIApp, here: Service) -> None:
        self._app, self._here = app, here
        self._needs = Needs(Right.SEE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises Problem, which the guard answers."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(UNITS):
            await self._app(scope, receive, send)
            return
        unit = scope["path"].removeprefix(UNITS)
        if not unit or "/" in unit:
            await self._app(scope, receive, send)
            return
        self._needs.check({**scope, "path_params": {"unit": unit}})
        await Response(unit_bytes(self._here, unit), media_type="application/json")(scope, receive, send)
