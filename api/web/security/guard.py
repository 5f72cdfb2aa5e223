"""The outermost ASGI layer: closed unless listed as open. Looks at name, origin, sign-in, forgery, type and size before
anything else runs; puts the security headers on every answer; lets no exception out."""

from __future__ import annotations

import asyncio
import logging
import secrets
import traceback
from hmac import compare_digest

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.web.problems import Problem
from api.web.security import tokens
from api.web.security.addresses import HERE, from_own_page, host_names, name_of
from api.web.security.gate import Gate, client_of, headers_of
from api.web.security.rights import OPEN, READING
from api.web.security.sessions import forgery_token
from api.web.security.uploads import Bounded, is_upload, too_large
from api.web.security.visit import KEY, Visit

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
BEFORE_SET_UP = frozenset({("GET", "/api/v1/health"), ("GET", "/api/v1/setup"), ("POST", "/api/v1/setup")})
NOT_FILES = ("/openapi.json", "/docs", "/redoc")
QUIET = frozenset(
    {"not-found", "wrong-method", "invalid", "run-conflict", "starting", "controller-away", "bad-request"}
)
"""Problems that are no security events: the audit trail has them from elsewhere, or not at all."""
SINGLE = frozenset({"host", "origin", "authorization", "content-type", "content-length", "sec-fetch-site", "x-osteon"})
"""Headers that decide something must not come twice."""

STOPS = ("/hold", "/stop-pumps")
"""Ends of the addresses at which things are made safer: never refused because too many others are there."""
STRANGERS_BYTES = 16_384
"""Most that is read of somebody who is not signed in."""

CONTENT_POLICY = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'; "
    "script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
)

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), geolocation=(), microphone=()"),
)
NO_STORE = (b"cache-control", b"no-store")
TLS_ONLY = (b"strict-transport-security", b"max-age=31536000")

log = logging.getLogger("osteon.api")


def too_many() -> Problem:
    return Problem("too-many-connections", "too many connections at once; try again soon", {"retry-after": "2"})


class Guard:
    """Wraps the app that `gate` belongs to."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self.app, self.gate = app, gate
        self._names = host_names(gate.settings)
        self._open = 0
        self._strangers = 0
        """Bodies under way from people who are not signed in: they may not keep everybody else out."""
        self._headers = (*HEADERS, TLS_ONLY) if gate.settings.tls else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        visit = scope[KEY] = Visit(secrets.token_hex(8), client_of(scope))
        answer = Answer(send, (*self._headers, NO_STORE) if is_api(scope["path"]) else self._headers)
        self._open += 1
        try:
            await self._visit(scope, receive, answer, visit)
        except Problem as problem:
            await self._refuse(scope, receive, answer, visit, problem)
        except Exception as error:  # noqa: BLE001  the last place that can turn a fault into an answer
            log.error("request %s failed: %s at %s", visit.correlation, type(error).__name__, place(error))
            if not answer.started:
                text = "a fault in the program; the log has it under this correlation id"
                await self._refuse(scope, receive, answer, visit, Problem("fault", text))
        finally:
            self._open -= 1
            self._note(scope, visit)

    async def _visit(self, scope: Scope, receive: Receive, answer: Answer, visit: Visit) -> None:
        if self._open > self.gate.settings.connections and not scope["path"].endswith(STOPS):
            raise too_many()
        headers = headers_of(scope)
        if len(headers) != len(scope["headers"]):
            refuse_doubles(scope)
        if name_of(headers.get("host", "")) not in self._names:
            raise Problem("foreign-host", "this server does not go by that name")
        method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
        if is_api(scope["path"]):
            self._sign_in(scope["path"], method, headers, visit)
        elif method not in READING:
            raise Problem("wrong-method", "files are only read; sockets are under /api")
        if method == "WEBSOCKET":
            self._check_socket(headers)
        elif method in CHANGING:
            self._check_change(headers, visit, (method, scope["path"]) in OPEN)
            if visit.person and is_upload(method, scope["path"]):
                receive = self._upload(headers, receive)
            else:
                receive = await self._with_body(headers, receive, visit)
        elif method not in READING:
            raise Problem("wrong-method", "this method is not used here")
        await self.app(scope, receive, answer)

    def _sign_in(self, path: str, method: str, headers: dict[str, str], visit: Visit) -> None:
        """Finds the person; raises Problem where nobody is signed in and the address is not an open one."""
        if headers.get("sec-fetch-site", "none") not in HERE:
            raise Problem("foreign-origin", "the request comes from a foreign page")
        route = ("GET" if method == "HEAD" else method, path)
        if self.gate.setup.needed and route not in BEFORE_SET_UP:
            raise Problem(
                "set-up-needed", "nobody has an account yet: set up first, with the token printed at the start"
            )
        visit.person = self.gate.who(headers, visit.client)
        if visit.person is None and route not in OPEN:
            raise Problem("not-signed-in", "sign in first", {"www-authenticate": "Bearer"})

    def _check_socket(self, headers: dict[str, str]) -> None:
        """A browser's socket must name our own page; only a bearer of a token may leave the origin out (SEC-07)."""
        anonymous = "origin" not in headers and tokens.secret_in(headers) is None
        if anonymous or not from_own_page(headers, self.gate.settings):
            raise Problem("foreign-origin", "the socket was not opened by a page of this server")

    def _check_change(self, headers: dict[str, str], visit: Visit, open: bool) -> None:
        """Raises Problem unless a change comes from our own page or from a program, unforged (SEC-06). An open address
        takes any value of the header: what matters there is that a foreign page cannot set it."""
        if not from_own_page(headers, self.gate.settings):
            raise Problem("foreign-origin", "the request comes from a foreign page")
        said, secret = headers.get("x-osteon", ""), self.gate.sessions.secret_in(headers)
        if open and not said:
            raise Problem("forged", "the header X-Osteon is missing")
        by_cookie = visit.person is not None and visit.person.how == "password"
        if not open and by_cookie and not compare_digest(said.encode(), forgery_token(secret or "").encode()):
            raise Problem("forged", "the header X-Osteon must carry the anti-forgery value of the session")
        if by_cookie:
            self._active(headers)

    def _active(self, headers: dict[str, str]) -> None:
        session = self.gate.session(headers)
        if session is not None:
            self.gate.sessions.active(session)

    def _upload(self, headers: dict[str, str], receive: Receive) -> Receive:
        most, said = self.gate.settings.photo_bytes, headers.get("content-length", "0")
        if said.isdigit() and int(said) > most:
            raise too_large(most)
        return Bounded(receive, most, self.gate.settings.photo_s)

    async def _with_body(self, headers: dict[str, str], receive: Receive, visit: Visit) -> Receive:
        """Reads the whole body, within its limits of size and time; a stranger has nothing long to say."""
        most = self.gate.settings.body_bytes if visit.person else STRANGERS_BYTES
        if headers.get("content-length", "0").isdigit() and int(headers.get("content-length", "0")) > most:
            raise Problem("too-large", f"a request has at most {most} bytes")
        strange = visit.person is None
        if strange and self._strangers >= max(1, self.gate.settings.connections // 4):
            raise too_many()
        self._strangers += strange
        try:
            async with asyncio.timeout(self.gate.settings.body_s):
                body = await read(receive, most)
        except TimeoutError:
            raise Problem("too-slow", "the request did not arrive in time") from None
        finally:
            self._strangers -= strange
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if (body or kind) and kind != "application/json":
            raise Problem("not-json", "send application/json")
        return Replay(body, receive)

    async def _refuse(self, scope: Scope, receive: Receive, answer: Answer, visit: Visit, problem: Problem) -> None:
        visit.problem = problem.kind
        response = problem.response(visit.correlation)
        if scope["type"] == "http":
            await response(scope, receive, answer)
            return
        if "websocket.http.response" in scope.get("extensions", {}):
            start = {"type": "websocket.http.response.start", "status": problem.status, "headers": response.raw_headers}
            await answer(start)
            await answer({"type": "websocket.http.response.body", "body": response.body})
        else:
            await answer({"type": "websocket.close", "code": 4403})

    def _note(self, scope: Scope, visit: Visit) -> None:
        """Refusals are security events; what a person without sign-in only looked for is none."""
        looking = visit.problem == "not-signed-in" and scope.get("method", "GET") in READING
        if visit.problem and visit.problem not in QUIET and not looking:
            what = f"{scope.get('method', 'WEBSOCKET')} {scope['path'][:200]}"
            by = {} if visit.person else {"client": visit.client}
            self.gate.note("request", what, visit.person, outcome="refused", reason=visit.problem, **by)


class Answer:
    """Sends, with the security headers on the first message; knows whether anything went out."""

    def __init__(self, send: Send, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        self._send, self._headers, self.started = send, headers, False

    async def __call__(self, message: Message) -> None:
        kind = message["type"]
        if kind in ("http.response.start", "websocket.http.response.start"):
            own = {name for name, _ in message.get("headers", ())}
            message["headers"] = [*message.get("headers", ()), *(each for each in self._headers if each[0] not in own)]
        self.started = True
        await self._send(message)


class Replay:
    """Hands an app the body that was read before."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def read(receive: Receive, most: int) -> bytes:
    """The body; raises Problem too-large as soon as it is."""
    parts, size, more = list[bytes](), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem("bad-request", "the request ended early")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise Problem("too-large", f"a request has at most {most} bytes")
        more = message.get("more_body", False)
    return b"".join(parts)


def is_api(path: str) -> bool:
    """Whether a path needs sign-in; everything else is a file of the dashboard."""
    return path == "/api" or path.startswith("/api/") or path in NOT_FILES


def refuse_doubles(scope: Scope) -> None:
    names = [name.decode("latin-1") for name, _ in scope["headers"]]
    if any(names.count(name) > 1 for name in SINGLE):
        raise Problem("bad-request", "a header that must come once came twice")


def place(error: Exception) -> str:
    """Where an exception came from: files and lines, never values or messages, which may hold secrets (SEC-18)."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
