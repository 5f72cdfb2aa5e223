"""What the guard found out about one request or socket, carried in its scope."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Scope

from api.web.security.who import Person

KEY = "osteon.visit"


@dataclass(slots=True)
class Visit:
    correlation: str
    """Names this request in answers, logs and the audit trail."""
    client: str
    person: Person | None = None
    problem: str = ""
    """Kind of the problem it was answered with."""


def visit_of(scope: Scope) -> Visit:
    """The visit of a scope; a scope that passed no guard is nobody's."""
    found = scope.get(KEY)
    return found if isinstance(found, Visit) else Visit("", "")
