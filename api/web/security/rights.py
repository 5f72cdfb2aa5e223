"""How a route declares the right it needs, and the table route x role made from that (AC-02, SEC-04).

Every route and WebSocket declares one: `person: Annotated[Person, needs(Right.SEE)]` in its parameters, or
`dependencies=[needs(Right.ACT)]`; a bare Starlette route is made with `Guarded(Right.SEE, endpoint)`. What answers
without sign-in is listed in OPEN and nowhere else. A test walks all routes and fails on any other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Depends
from fastapi.requests import HTTPConnection
from fastapi.routing import iter_route_contexts
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from api.web.problems import Problem
from api.web.security.roles import RIGHT_OF_CAUSE, ROLES, TOKENS_NEVER, Right, allows, within
from api.web.security.visit import visit_of
from api.web.security.who import Person, Role

__all__ = [
    "OPEN",
    "RIGHT_OF_CAUSE",
    "ROLES",
    "Guarded",
    "Needs",
    "Right",
    "Row",
    "allows",
    "needs",
    "require",
    "require_unit",
    "table",
    "within",
]

OPEN: frozenset[tuple[str, str]] = frozenset(
    {
        ("GET", "/api/v1/health"),
        ("POST", "/api/v1/session"),
        ("GET", "/api/v1/setup"),
        ("POST", "/api/v1/setup"),
    }
)
"""Answers without sign-in, beside the files of the dashboard (every GET outside /api/)."""

READING = frozenset({"GET", "HEAD"})


def require(person: Person, right: Right) -> Person:
    """The person, who has the right; raises Problem not-allowed or view-only."""
    if person.how == "token" and right in TOKENS_NEVER:
        raise Problem("not-allowed", "a token cannot do this; a person has to sign in for it")
    if not allows(person.role, right):
        if person.view_only:
            raise Problem("view-only", "nobody was active here for a while: sign in again to act")
        raise Problem("not-allowed", f"the role {person.role} has no right to: {right}")
    return person


def require_unit(person: Person, unit: str) -> None:
    """Raises Problem not-allowed where the person's token is for another unit."""
    if not person.covers(unit):
        raise Problem("not-allowed", f"this token is for the unit {person.unit} only")


@dataclass(frozen=True, slots=True)
class Needs:
    """The dependency behind `needs`. With `knows_unit` the handler itself calls `require_unit`, because the path does
    not name the unit; without it a token of one unit cannot act there."""

    right: Right
    knows_unit: bool = False

    async def __call__(self, connection: HTTPConnection) -> Person:
        return self.check(connection.scope)

    def check(self, scope: Scope) -> Person:
        person = visit_of(scope).person
        if person is None:
            raise Problem("not-signed-in", "sign in first")
        require(person, self.right)
        if person.unit is not None:
            unit = scope.get("path_params", {}).get("unit")
            if unit is not None:
                require_unit(person, unit)
            elif scope.get("method", "GET") not in READING and not self.knows_unit and self.right is not Right.OWN:
                raise Problem("not-allowed", f"this token is for the unit {person.unit} only")
        return person


def needs(right: Right, *, knows_unit: bool = False) -> Any:
    """A FastAPI dependency: the signed-in person who has this right."""
    return Depends(Needs(right, knows_unit))


class Guarded:
    """A bare Starlette endpoint with its right, for routes where FastAPI's own work per request is too much:
    `Route("/x", Guarded(Right.SEE, x))`. For reading only."""

    def __init__(self, right: Right, endpoint: Callable[[Request], Awaitable[Response]]) -> None:
        self.needs = Needs(right)
        self.endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in READING:
            raise Problem("wrong-method", "this address is only read")
        self.needs.check(scope)
        response = await self.endpoint(Request(scope, receive, send))
        await response(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Row:
    """One route and what it asks for; `right` None = it declares nothing."""

    method: str
    """GET, POST, … or WEBSOCKET."""
    path: str
    right: Right | None

    @property
    def open(self) -> bool:
        return (self.method, self.path) in OPEN

    def admits(self, role: Role) -> bool:
        return self.open or (self.right is not None and allows(role, self.right))


def table(routes: Sequence[BaseRoute]) -> Iterator[Row]:
    """Every route of an app with its right: the table route x role, made from the code itself."""
    for route in iter_route_contexts(routes):
        needed = declared(route.original_route)
        own = READING if isinstance(route.original_route, Route) else {"WEBSOCKET"}
        for method in sorted(route.methods or own):
            yield Row(method, route.path or "", needed.right if needed else None)


def declared(route: BaseRoute) -> Needs | None:
    """What a route says it needs."""
    endpoint = getattr(route, "app", None)
    if isinstance(endpoint, Guarded):
        return endpoint.needs
    dependant = getattr(route, "dependant", None)
    for each in dependant.dependencies if dependant else ():
        if isinstance(each.call, Needs):
            return each.call
    return None
