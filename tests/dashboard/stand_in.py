"""A server that looks like ours to a browser and can be made sick at will: frozen, not scanning, hostile, slow.

Only for what the real one cannot be brought to in a second. `python -m tests.dashboard.stand_in PORT`; tests steer it
by POST /stand-in with fields of `Mood`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.web.security.roles import Right, allows, commands
from api.web.security.who import Role
from protocols.states import ALLOWED, Cause, RunState
from tests.dashboard import picture

DASHBOARD = Path(__file__).parents[2] / "api" / "web" / "dashboard"
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@dataclass
class Mood:
    state: str = "RUNNING"
    protocol: str = "adsc-osteo-spheroid-28d"
    speed: float = 1.0
    scanning: bool = True
    tasks: list[str] = field(default_factory=lambda: ["Sample the spheroids"])
    claimed_by: str = ""
    due_in_s: float = 1800.0
    """Of the tasks, when the bench began."""
    alarms: list[list[str]] = field(default_factory=list[list[str]])
    bad: dict[str, str] = field(default_factory=dict[str, str])
    """signal -> quality ("stale", "bad")"""
    values: dict[str, float] = field(default_factory=dict[str, float])
    pump_fails: bool = False
    cut_answers: bool = False
    """Carry a command out, then close without an answer."""
    refuse: str = ""
    signed_in: bool = True
    role: str = "supervisor"
    insecure: bool = False
    device_s: float = 0.25
    """How long the pretended devices take to hold."""
    waits: bool = False
    """A step waits for a temperature."""
    doubt: bool = False
    """A stroke's end is not known, and the run asks."""
    rehearsing: str = ""
    """What a start does that has no picture to show yet."""


class Bench:
    def __init__(self) -> None:
        self.mood = Mood()
        self.began = time.perf_counter()
        self.commands: list[str] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self.posts: list[dict[str, Any]] = []
        self.acked: set[str] = set()
        self.draft: dict[str, str] | None = None
        self.version = 0

    def now(self) -> float:
        return picture.NOW + (time.perf_counter() - self.began) * self.mood.speed

    def snapshot(self) -> dict[str, Any]:
        t, mood = self.now(), self.mood
        found = picture.devices(t)
        for device in found:
            for name, each in device["readings"].items():
                signal = f"{device['name']}.{name}"
                each["quality"] = mood.bad.get(signal, each["quality"])
                each["value"] = mood.values.get(signal, each["value"])
                if each["quality"] == "bad":
                    each.update(value=None, why="no answer from the device")
                if each["quality"] == "stale":
                    each.update(age_s=95.0, at=t - 95.0)
        alarms = [picture.alarm(n, *each, self.now()) for n, each in enumerate(mood.alarms, 1)]
        for each in alarms:
            if each["alarm_id"] in self.acked:
                each.update(state="ACKED", acked_at=t, acked_by="demo")
        return {
            "bench": "stirred-100",
            "version": "0.1.0",
            "epoch": 1,
            "state": "running",
            "damaged": "",
            "now": t,
            "zone": picture.ZONE,
            "simulated": True,
            "simulated_person": True,
            "speed": mood.speed,
            "devices": found,
            "units": {"reactor": picture.unit()},
            "events": [],
            "runs": [picture.run(mood.state, t, mood.protocol, mood.waits, mood.doubt)],
            "tasks": [
                {**picture.task(title, picture.NOW + mood.due_in_s), "claimed_by": mood.claimed_by}
                for title in mood.tasks
            ],
            "alarms": alarms,
            "scan": self.scan(),
        }

    def scan(self) -> dict[str, float]:
        return {"count": 1, "age_s": 0.4 if self.mood.scanning else 47.0, "period_s": 1.0}

    async def settle(self) -> None:
        await asyncio.sleep(self.mood.device_s)
        after = ALLOWED.get((RunState(self.mood.state), Cause.DONE))
        if after is not None and self.mood.state != "RUNNING":
            self.mood.state = after.value


def bench_of(app: Any) -> Bench:
    return app.state.bench


def problem(status: int, kind: str, text: str, **more: Any) -> JSONResponse:
    return JSONResponse({"type": f"urn:osteon:problem:{kind}", "title": kind, "detail": text, **more}, status)


async def stand_in(request: Request) -> Response:
    bench = bench_of(request.app)
    known = {each.name for each in fields(Mood)}
    sent = await request.json()
    if sent.pop("fresh", False):
        bench.__init__()
    for name, value in sent.items():
        if name not in known:
            return JSONResponse({"unknown": name}, 400)
        setattr(bench.mood, name, value)
    return JSONResponse({"posts": bench.posts, "mood": asdict(bench.mood)})


ME = {
    "user": "demo",
    "name": "Demo person",
    "csrf": "token-of-the-stand-in",
    "view_only": False,
}


def me(bench: Bench) -> dict[str, Any]:
    role = Role(bench.mood.role)
    return {
        **ME,
        "insecure": bench.mood.insecure,
        "role": role.value,
        "commands": commands(role),
        "acts": allows(role, Right.ACT),
        "decides": allows(role, Right.DECIDE),
    }


async def session(request: Request) -> Response:
    bench = bench_of(request.app)
    if request.method == "DELETE":
        bench.mood.signed_in = False
        return JSONResponse({})
    if request.method == "POST":
        if (await request.json())["password"] != "a long enough password":
            return problem(401, "wrong-sign-in", "user or password is not right")
        bench.mood.signed_in = True
    return JSONResponse(me(bench)) if bench.mood.signed_in else problem(401, "sign-in-needed", "sign in first")


async def touch(request: Request) -> Response:
    return JSONResponse(me(bench_of(request.app)))


async def setup(request: Request) -> Response:
    return JSONResponse({"needed": False})


async def unit(request: Request) -> Response:
    limits = {role: dict(zip(("low", "high"), pair, strict=True)) for role, pair in picture.LIMITS.items()}
    roles = [
        {"role": role, "signal": signal, "limits": limits.get(role)}
        for role, signal in picture.ROLES.items()
        if not role.endswith(" set")
    ]
    return JSONResponse({"unit": "reactor", "roles": roles})


async def history(request: Request) -> Response:
    signal = request.path_params["signal"]
    begin, end, points = (float(request.query_params[name]) for name in ("from", "to", "points"))
    step = max(10.0, (end - begin) / points)
    hole = (end - 7_000, end - 5_200)
    ts = [begin + n * step for n in range(int((end - begin) / step) + 1)]
    buckets = [
        [t, level - 0.01 * abs(level) ** 0.3, level, level + 0.01 * abs(level) ** 0.3]
        for t in ts
        if not hole[0] < t < hole[1]
        for level in [picture.level(signal, t)]
    ]
    return JSONResponse(
        {
            "signal": signal,
            "unit": "",
            "start": begin,
            "end": end,
            "buckets": buckets,
            "gaps": [{"start": hole[0], "end": hole[1], "reason": "controller not running"}],
        }
    )


async def timeline(request: Request) -> Response:
    return JSONResponse(picture.timeline(bench_of(request.app).now()))


async def command(request: Request) -> Response:
    bench, body = bench_of(request.app), await request.json()
    key = request.headers.get("idempotency-key", "")
    bench.posts.append(
        {"path": request.url.path, "body": body, "key": key, "csrf": request.headers.get("x-osteon", "")}
    )
    if bench.mood.refuse:
        return problem(409, "run-conflict", bench.mood.refuse, state=bench.mood.state)
    if key in bench.answers:
        return JSONResponse(bench.answers[key])
    after = ALLOWED.get((RunState(bench.mood.state), Cause(body["cause"])))
    if after is None:
        return problem(409, "run-conflict", f"the run is {bench.mood.state}", state=bench.mood.state)
    bench.mood.state = after.value
    request.app.state.settling = asyncio.create_task(bench.settle())
    bench.answers[key] = {"state": after.value}
    if bench.mood.cut_answers:
        await asyncio.sleep(3600)
    return JSONResponse(bench.answers[key])


async def outcome(request: Request) -> Response:
    found = bench_of(request.app).answers.get(request.path_params["key"])
    return (
        JSONResponse({"key": request.path_params["key"], "answer": found})
        if found
        else problem(404, "unknown-key", "no command with this key was carried out")
    )


async def stop_pumps(request: Request) -> Response:
    bench = bench_of(request.app)
    bench.posts.append(
        {"path": request.url.path, "body": await request.json(), "key": request.headers.get("idempotency-key", "")}
    )
    bench.mood.state = "HELD"
    said = "NOT CONFIRMED: no answer" if bench.mood.pump_fails else "stopped"
    pumps = [
        {"pump": "pump_in", "confirmed": True, "text": "stopped"},
        {"pump": "pump_out", "confirmed": not bench.mood.pump_fails, "text": said},
    ]
    return JSONResponse({"pumps": pumps, "at": bench.now()})


async def answer(request: Request) -> Response:
    bench = bench_of(request.app)
    bench.posts.append(
        {"path": request.url.path, "body": await request.json(), "key": request.headers.get("idempotency-key", "")}
    )
    if request.path_params["what"] == "claim":
        return claim(bench, bench.posts[-1]["body"]["by"])
    bench.mood.tasks = []
    return JSONResponse({"state": "answered"})


async def decision(request: Request) -> Response:
    bench = bench_of(request.app)
    bench.posts.append(
        {"path": request.url.path, "body": await request.json(), "key": request.headers.get("idempotency-key", "")}
    )
    return JSONResponse({"state": "HELD"})


async def draft(request: Request) -> Response:
    bench = bench_of(request.app)
    if request.method == "PUT":
        bench.draft = (await request.json())["entries"]
    return JSONResponse({"entries": bench.draft or {}, "at": None if bench.draft is None else bench.now()})


def claim(bench: Bench, by: str) -> Response:
    on = bench.mood.claimed_by
    if by != "anyone" and on not in ("", ME["user"]):
        return problem(409, "run-conflict", f"{on} is on this task; it can be claimed when it has been given back")
    bench.mood.claimed_by = "" if by == "anyone" else str(ME["user"])
    if by == "simulated":
        bench.mood.claimed_by, bench.mood.tasks = "", []
        return JSONResponse({"claimed_by": "simulated operator"})
    return JSONResponse({"claimed_by": bench.mood.claimed_by})


async def acknowledge(request: Request) -> Response:
    bench_of(request.app).acked.add(request.path_params["alarm"])
    return JSONResponse({})


async def stream(socket: WebSocket) -> None:
    bench = bench_of(socket.app)
    await socket.accept()
    with suppress(WebSocketDisconnect, RuntimeError):
        while bench.mood.rehearsing:
            await socket.send_json({"type": "heartbeat", "now": None, "scanning": True, "doing": bench.mood.rehearsing})
            await asyncio.sleep(0.2)
        await socket.send_json(
            {
                "type": "snapshot",
                "seq": 1,
                "snapshot": bench.snapshot(),
                "scanning": bench.mood.scanning,
                "controller": "ok",
            }
        )
        n = 0
        while True:
            await asyncio.sleep(0.2)
            n += 1
            await socket.send_json(
                {
                    "type": "change",
                    "seq": n,
                    "changes": bench.snapshot(),
                    "scanning": bench.mood.scanning,
                    "controller": "ok",
                }
            )
            if n % 10 == 0:
                await socket.send_json(
                    {
                        "type": "heartbeat",
                        "now": bench.now(),
                        "scan": bench.scan(),
                        "scanning": bench.mood.scanning,
                        "seq": n,
                        "ledger": "ok",
                    }
                )


class Strict:
    """The headers the real server sends, the content security policy before all."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"content-security-policy", CSP.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


def build() -> Any:
    api = "/api/v1"
    app = Starlette(
        routes=[
            Route("/stand-in", stand_in, methods=["POST"]),
            Route(f"{api}/session", session, methods=["GET", "POST", "DELETE"]),
            Route(f"{api}/session/touch", touch, methods=["POST"]),
            Route(f"{api}/setup", setup),
            Route(f"{api}/units/{{unit}}", unit),
            Route(f"{api}/units/{{unit}}/stop-pumps", stop_pumps, methods=["POST"]),
            Route(f"{api}/signals/{{signal}}/history", history),
            Route(f"{api}/runs/{{run}}/timeline", timeline),
            Route(f"{api}/runs/{{run}}/commands", command, methods=["POST"]),
            Route(f"{api}/runs/{{run}}/decisions", decision, methods=["POST"]),
            Route(f"{api}/runs/{{run}}/tasks/draft", draft, methods=["GET", "PUT"]),
            Route(f"{api}/runs/{{run}}/tasks/{{what}}", answer, methods=["POST"]),
            Route(f"{api}/commands/{{key}}", outcome),
            Route(f"{api}/alarms/{{alarm}}/acknowledge", acknowledge, methods=["POST"]),
            WebSocketRoute(f"{api}/stream", stream),
            Mount("/", StaticFiles(directory=DASHBOARD, html=True)),
        ]
    )
    app.state.bench = Bench()
    return Strict(app)


if __name__ == "__main__":
    uvicorn.run(build(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
