"""Opens a WebSocket on an ASGI app without a network, and tells what came of it."""

from __future__ import annotations

import json
from typing import Any

from starlette.types import ASGIApp, Message


async def knock(app: ASGIApp, path: str, denial: bool = True, **headers: str) -> tuple[int, list[Any]]:
    """101 and what was received, or the status of the refusal and its problem; 403 for a bare close."""
    names = {"host": "127.0.0.1:8620", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "ws",
        "client": ("127.0.0.1", 40_001),
        "server": ("127.0.0.1", 8620),
        "headers": [(name.encode(), value.encode()) for name, value in names.items()],
        "subprotocols": [],
        "state": {},
        "extensions": {"websocket.http.response": {}} if denial else {},
    }
    got: list[Message] = []
    waiting: list[Message] = [{"type": "websocket.connect"}]

    async def receive() -> Message:
        return waiting.pop() if waiting else {"type": "websocket.disconnect", "code": 1000}

    async def send(message: Message) -> None:
        got.append(message)

    await app(scope, receive, send)
    if got[0]["type"] == "websocket.accept":
        return 101, [json.loads(each["text"]) for each in got if each["type"] == "websocket.send"]
    if got[0]["type"] == "websocket.http.response.start":
        return got[0]["status"], [json.loads(got[1]["body"])]
    return 403, []
