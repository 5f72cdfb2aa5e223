"""A house to break into: the real routers behind the real guard, a few rooms with each right, people time by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

import httpx2
from fastapi import FastAPI, Request, WebSocket
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from api.web.app import build_app
from api.web.routes import session, setup, tokens, users
from api.web.security.gate import Gate
from api.web.security.guard import Guard
from api.web.security.rights import Guarded, Right, needs
from api.web.security.secure import secure
from api.web.security.settings import HashCost, Settings
from api.web.security.who import Person, Role

HOST = "127.0.0.1:8620"
OWN = f"http://{HOST}"
CHEAP = HashCost(1, 8, 1)
PASSWORD = "brisk walrus under glass"
API = "/api/v1"


@dataclass
class Wall:
    """People time, moved by hand."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class House:
    settings: Settings
    guard: Guard
    gate: Gate
    app: FastAPI
    wall: Wall
    acts: list[dict[str, str]] = field(default_factory=list)

    @asynccontextmanager
    async def visitor(self, address: str = "127.0.0.1", **headers: str) -> AsyncIterator[httpx2.AsyncClient]:
        """Somebody at another end, with a browser's cookie jar."""
        transport = httpx2.ASGITransport(self.guard, client=(address, 40_000))
        async with httpx2.AsyncClient(transport=transport, base_url=OWN, headers=headers) as client:
            yield client

    @asynccontextmanager
    async def signed_in(self, role: Role | str, user: str = "") -> AsyncIterator[httpx2.AsyncClient]:
        """A browser in which a person of this role has signed in, sending the anti-forgery header."""
        user = user or str(role)
        if self.gate.access.user(user) is None:
            await self.add(user, Role(role))
        async with self.visitor() as client:
            client.headers["x-osteon"] = (await sign_in(client, user)).json()["csrf"]
            yield client

    async def add(self, user: str, role: Role, password: str = PASSWORD) -> None:
        await self.gate.accounts.add(user, f"The {role}", role, password, must_change=False)

    def audited(self) -> list[dict[str, str]]:
        """Every entry so far."""
        while more := self.gate.audit.take():
            self.acts += more
        while posted := self.gate.outbox.waiting():
            for number, entry in posted:
                self.acts.append(entry)
                self.gate.outbox.delivered(number)
        return self.acts


async def sign_in(client: httpx2.AsyncClient, user: str, password: str = PASSWORD, **more: str) -> httpx2.Response:
    sent = {"user": user, "password": password, **more}
    return await client.post(f"{API}/session", json=sent, headers={"x-osteon": "1"})


def kind(answer: httpx2.Response) -> str:
    """The kind of the problem an answer is."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.json()["type"].removeprefix("urn:osteon:problem:")


def rooms(app: FastAPI) -> None:
    """One route for each right, as other parts of the service write them."""

    @app.get("/api/v1/see", dependencies=[needs(Right.SEE)])
    async def see() -> dict[str, bool]:
        return {"seen": True}

    @app.post("/api/v1/act", dependencies=[needs(Right.ACT)])
    async def act(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @app.post("/api/v1/units/{unit}/act")
    async def act_on_unit(unit: str, person: Annotated[Person, needs(Right.ACT)]) -> dict[str, str]:
        return {"unit": unit, "by": person.user}

    @app.post("/api/v1/manual", dependencies=[needs(Right.MANUAL)])
    async def manual() -> dict[str, bool]:
        return {"done": True}

    @app.post("/api/v1/decide", dependencies=[needs(Right.DECIDE)])
    async def decide() -> dict[str, bool]:
        return {"done": True}

    @app.post("/api/v1/sign", dependencies=[needs(Right.SIGN)])
    async def sign() -> dict[str, bool]:
        return {"signed": True}

    @app.post("/api/v1/broken", dependencies=[needs(Right.ACT)])
    async def broken(request: Request) -> None:
        raise RuntimeError(f"unexpected {await request.body()!r} in {request.headers}")

    @app.websocket("/api/v1/stream")
    async def stream(socket: WebSocket, person: Annotated[Person, needs(Right.SEE)]) -> None:
        await socket.accept()
        await socket.send_json({"hello": person.user})
        await socket.close()

    async def quick(request: Request) -> Response:
        return PlainTextResponse("quick")

    async def page(request: Request) -> Response:
        return PlainTextResponse("page")

    app.router.routes.append(Route("/api/v1/quick", Guarded(Right.SEE, quick)))
    app.router.routes.append(Route("/", page))


def build(settings: Settings, wall: Wall) -> House:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for each in (session, setup, users, tokens):
        app.include_router(each.router, prefix=API)
    rooms(app)
    guard = secure(app, settings)
    return House(settings, guard, guard.gate, app, wall)


def whole(settings: Settings, wall: Wall) -> House:
    """The service as it is served, with no controller to talk to."""
    guard = build_app(settings)
    app = guard.app
    assert isinstance(app, FastAPI)
    return House(settings, guard, guard.gate, app, wall)
