"""The live channel: the whole picture, then what changes, and a heartbeat every 2 s (UI-20). Commands go over HTTP.

Server to client only. Close codes: 4401 the session is over, 4408 the client talks, 4008 too slow: come again and take
the whole picture.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from api.web.controller_link import ControllerAway
from api.web.feed import Feed, Snapshot, compact
from api.web.security.gate import Gate
from api.web.security.rights import Right, needs
from api.web.security.who import Person
from api.web.service import service_of

router = APIRouter(tags=["stream"])

BEAT_S = 2.0
CHANGE_S = 0.2
"""At most five changes a second."""
SLOW_S = 5.0
"""Time a client may take to make room for one message."""
LAST_WORD_S = 0.5
MOST_SAID = 20
"""Messages a client may send; it has nothing to say."""
SLOW, SESSION_OVER, TALKS = 4008, 4401, 4408
RESYNC = '{"type":"resync"}'


@router.websocket("/stream")
async def stream(socket: WebSocket, person: Annotated[Person, needs(Right.SEE)]) -> None:
    """Snapshot, changes, heartbeats, until either side ends it."""
    here = service_of(socket)
    here.records.warm()
    await socket.accept()
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await Channel(socket, here.feed, here.gate, person.unit).live()


class Channel:
    """One client; with `unit` it hears of that unit only (SEC-10)."""

    def __init__(self, socket: WebSocket, feed: Feed, gate: Gate, unit: str | None = None) -> None:
        self._socket, self._feed, self._gate, self._unit = socket, feed, gate, unit
        self._seen: Snapshot | None = None
        self._seq = 0

    async def live(self) -> None:
        """Until the client goes, is too slow, talks too much, or its session ends."""
        self._feed.listen()
        both = [asyncio.create_task(self._hear()), asyncio.create_task(self._tell())]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._feed.leave()
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_S):
                await self._end(done.pop())

    async def _end(self, task: asyncio.Task[int]) -> None:
        """Close as the one that ended first wants; a slow reader is told to come again, if it takes anything."""
        try:
            code = task.result()
        except TimeoutError:
            code = SLOW
            await self._socket.send_text(RESYNC)
        await self._socket.close(code)

    async def _hear(self) -> int:
        """Notice that the client has gone; what it says is not used."""
        for _ in range(MOST_SAID):
            await self._socket.receive_text()
        return TALKS

    async def _tell(self) -> int:
        loop = asyncio.get_running_loop()
        beat_at, told = loop.time(), None
        while True:
            changed = asyncio.ensure_future(self._feed.changed())
            try:
                await self._picture()
                verdict = self._feed.condition, self._feed.scanning
                if loop.time() >= beat_at or verdict != told:
                    if self._gate.person(self._socket.scope) is None:
                        return SESSION_OVER
                    await self._say(compact(self._feed.heartbeat()))
                    told, beat_at = verdict, loop.time() + BEAT_S
                await asyncio.sleep(CHANGE_S)
                await asyncio.wait([changed], timeout=max(0.0, beat_at - loop.time()))
            finally:
                changed.cancel()

    async def _picture(self) -> None:
        """All of it at first, then what is new; nothing before the controller was ever heard."""
        try:
            if self._seen is None:
                self._seen, text = self._feed.whole(self._unit)
            else:
                self._seen, text = self._feed.change(self._seen, self._seq, self._unit)
        except ControllerAway:
            return
        self._seq = self._feed.seq
        if text:
            await self._say(text)

    async def _say(self, text: str) -> None:
        """Raises TimeoutError when the client does not read."""
        async with asyncio.timeout(SLOW_S):
            await self._socket.send_text(text)
