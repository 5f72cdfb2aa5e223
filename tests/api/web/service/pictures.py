"""Pictures of a bench, as a controller's `snapshot` has them, and an end of the stream that may be slow."""

from __future__ import annotations

import asyncio
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from starlette.types import Message
from starlette.websockets import WebSocket

from api.web.controller_link import ControllerLink
from api.web.feed import Feed
from api.web.stream import Channel


def reading(value: float | None = 37.0, age_s: float = 0.0, quality: str = "good") -> dict[str, Any]:
    return {
        "value": value, "unit": "Cel", "quality": quality, "why": "", "age_s": age_s, "at": 1000.0 - age_s,
        "stale_after_s": 30.0, "low": None, "high": None, "writable": False,
    }  # fmt: skip


def picture(now: float = 1000.0, **readings: dict[str, Any]) -> dict[str, Any]:
    """A real bench (its speed is None) with one device."""
    device = {"name": "incubator", "condition": "ready", "why": "", "readings": readings or {"temperature": reading()}}
    return {
        "state": "running", "damaged": "", "now": now, "iso": "", "epoch": 1, "speed": None,
        "scan": {"count": int(now), "age_s": 0.1, "period_s": 10.0}, "devices": [device],
        "runs": [], "tasks": [], "alarms": [], "events": [], "units": {},
    }  # fmt: skip


def merged(seen: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """What a page makes of a change."""
    found = {**deepcopy(seen), **{name: part for name, part in changes.items() if name != "devices"}}
    for change in changes.get("devices", ()):
        device = next(each for each in found["devices"] if each["name"] == change["name"])
        device.update({**change, "readings": {**device["readings"], **change["readings"]}})
    return found


class Doorkeeper:
    """Decides whether the session behind a socket is still in force."""

    def __init__(self) -> None:
        self.signed_in = True

    def person(self, scope: object) -> object | None:
        return self if self.signed_in else None


class Client:
    """The far end of a stream: keeps what it heard with its time; reads only while `reads` is set."""

    def __init__(self, folder: Path) -> None:
        self.feed = Feed(ControllerLink(folder))
        self.gate: Any = Doorkeeper()
        self.heard: list[tuple[float, dict[str, Any]]] = []
        self.closed = 0
        self.reads = asyncio.Event()
        self.reads.set()
        self._says: asyncio.Queue[Message] = asyncio.Queue()
        self._says.put_nowait({"type": "websocket.connect"})

    def say(self, text: str) -> None:
        self._says.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        self._says.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def _send(self, message: Message) -> None:
        await self.reads.wait()
        if message["type"] == "websocket.send":
            self.heard.append((asyncio.get_running_loop().time(), json.loads(message["text"])))
        elif message["type"] == "websocket.close":
            self.closed = message["code"]

    async def live(self) -> None:
        """As the route does."""
        socket = WebSocket({"type": "websocket", "headers": []}, self._says.get, self._send)
        await socket.accept()
        await Channel(socket, self.feed, self.gate).live()

    def of(self, kind: str) -> list[tuple[float, dict[str, Any]]]:
        return [(at, message) for at, message in self.heard if message["type"] == kind]
