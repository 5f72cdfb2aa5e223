"""Errors as problem details (RFC 9457): one `type` per kind, a sentence for a person, a correlation id, no secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import ceil
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from api.web.security.refused import Refused
from api.web.security.visit import visit_of

PREFIX = "urn:osteon:problem:"

KINDS: dict[str, tuple[int, str]] = {
    "not-signed-in": (401, "Not signed in"),
    "wrong-sign-in": (401, "User or password is not right"),
    "locked-out": (429, "Too many wrong sign-ins"),
    "password-change-needed": (403, "This password can be used only to choose a new one"),
    "weak-password": (422, "This password cannot be used"),
    "set-up-needed": (403, "Not set up yet"),
    "set-up-refused": (403, "Set-up refused"),
    "not-allowed": (403, "Not allowed"),
    "view-only": (403, "View only"),
    "foreign-host": (421, "Not the name of this server"),
    "foreign-origin": (403, "Request from a foreign page"),
    "forged": (403, "Anti-forgery header missing or wrong"),
    "not-json": (415, "JSON only"),
    "wrong-type": (415, "Not a type that is taken here"),
    "not-a-picture": (422, "Not a picture that is taken"),
    "disk-full": (507, "No room on the disk"),
    "too-large": (413, "Request too large"),
    "too-slow": (408, "Request too slow"),
    "too-many-connections": (503, "Too many connections"),
    "too-many-requests": (429, "Too many requests"),
    "busy": (503, "Busy"),
    "bad-request": (400, "Bad request"),
    "not-found": (404, "Not found"),
    "wrong-method": (405, "Method not allowed"),
    "invalid": (422, "Cannot be used as sent"),
    "exists": (409, "Exists already"),
    "run-conflict": (409, "Not possible in this state"),
    "key-reused": (409, "Idempotency key used for something else"),
    "blocked": (409, "Held by an interlock or a missing proof"),
    "out-of-range": (422, "Outside its limits"),
    "refused": (409, "Refused by the controller"),
    "controller-away": (503, "The controller does not answer"),
    "starting": (503, "Starting"),
    "outcome-not-known": (504, "Outcome not known"),
    "unknown-key": (404, "No command has this key"),
    "key-needed": (400, "Idempotency-Key needed"),
    "records-damaged": (503, "Records cannot be read"),
    "fault": (500, "Fault in the program"),
}
"""Kind -> status and title. `type` is PREFIX + kind."""

OF_STATUS = {400: "bad-request", 404: "not-found", 405: "wrong-method", 413: "too-large", 415: "not-json"}

OF_CONTROLLER = {
    "conflict": "run-conflict",
    "unusable": "invalid",
    "bad request": "invalid",
    "Blocked": "blocked",
    "NotOwner": "blocked",
    "OutOfRange": "out-of-range",
    "OldEpoch": "controller-away",
    "KeyReused": "key-reused",
    "fault": "fault",
}
"""Error type on the local socket -> kind; everything else is "refused"."""


class Problem(Exception):
    """What is answered instead: `kind` from KINDS, `detail` one sentence, `more` further members of the answer."""

    def __init__(self, kind: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.more = kind, detail, more
        self.status, self.title = KINDS[kind]
        self.headers = dict(headers or {})

    def response(self, correlation: str) -> Response:
        members = {
            "type": PREFIX + self.kind,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "correlation": correlation,
            **self.more,
        }
        text = json.dumps(members, ensure_ascii=False)
        return Response(text.encode(), self.status, self.headers, media_type="application/problem+json")


def of_controller(error: Mapping[str, Any], **more: Any) -> Problem:
    """The problem for an error the controller answered: {"type", "text"}; `more` = state, faults beside it."""
    kind = OF_CONTROLLER.get(str(error.get("type")), "refused")
    if kind == "fault":
        return Problem(kind, "the controller met a fault in the program")
    return Problem(kind, str(error.get("text", "")), **more)


def install(app: FastAPI) -> None:
    """Every error of this app leaves as problem details."""
    app.add_exception_handler(Problem, answer_problem)
    app.add_exception_handler(Refused, answer_refused)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(HTTPException, answer_http)
    app.add_exception_handler(Exception, answer_fault)


async def answer(connection: HTTPConnection, problem: Problem) -> Response:
    visit = visit_of(connection.scope)
    visit.problem = problem.kind
    response = problem.response(visit.correlation)
    if isinstance(connection, WebSocket):
        await deny(connection, response)
    return response


async def deny(socket: WebSocket, response: Response) -> None:
    """A socket refused before it opened."""
    if "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(response)
    else:
        await socket.close(4403)


async def answer_problem(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return await answer(connection, error)


async def answer_refused(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return await answer(connection, of_refused(error))


def of_refused(error: Refused) -> Problem:
    wait_s = error.retry_after_s
    if wait_s is None:
        return Problem(error.kind, str(error))
    return Problem(error.kind, str(error), {"retry-after": str(ceil(wait_s))}, retry_after_s=ceil(wait_s))


async def answer_invalid(request: Request, error: Exception) -> Response:
    """Says where and why, never what was sent: that may have been a password (SEC-18)."""
    assert isinstance(error, RequestValidationError)
    faults = [{"at": ".".join(map(str, each["loc"])), "reason": reason(each)} for each in error.errors()]
    if any(each["type"] == "json_invalid" for each in error.errors()):
        return await answer(request, Problem("bad-request", "the body is not JSON"))
    text = "; ".join(f"{each['at']}: {each['reason']}" for each in faults[:5])
    return await answer(request, Problem("invalid", text, faults=faults[:50]))


def reason(fault: Mapping[str, Any]) -> str:
    return "unknown field" if fault["type"] == "extra_forbidden" else str(fault["msg"])


async def answer_http(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = OF_STATUS.get(error.status_code, "fault" if error.status_code >= 500 else "bad-request")
    text = {"not-found": "there is nothing here", "wrong-method": "this address does not take that method"}
    return await answer(connection, Problem(kind, text.get(kind, KINDS[kind][1].lower()), error.headers))


async def answer_fault(connection: HTTPConnection, error: Exception) -> Response:
    del error  # logged by the guard, with the correlation id
    return await answer(
        connection, Problem("fault", "a fault in the program; the log has it under this correlation id")
    )
