"""The way to the controller: its local socket, one JSON object a line.

Every act has a connection of its own, so that a slow one delays no other. An act that was sent and not answered has an
unknown outcome, and is never sent again from here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from api.socket_client import address
from api.web.problems import Problem, of_controller

ACT_S = 15.0
"""Longest wait for the answer to an act; the controller answers most in milliseconds, pumps in a second."""
ASK_S = 3.0
LONGEST = 1 << 24
"""Bytes of one answer."""
AT_ONCE = 16
"""Connections of acts at a time; the controller takes 64 in all, so that its own machine always has a way in."""
URGENT = frozenset({"hold", "stop_pumps"})
"""Acts that wait for no free connection."""

Answer = dict[str, Any]


class ControllerAway(Problem):
    """Nobody answers there; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("controller-away", "the controller does not answer now; nothing was done")


class OutcomeUnknown(Problem):
    """It was sent, and no answer came. Whoever asked looks it up by its key."""

    def __init__(self, key: str) -> None:
        text = "the controller was asked and did not answer: the outcome is not known; look it up by its key"
        super().__init__("outcome-not-known", text, key=key)


class Line:
    """One connection: a question, its answer, the next question."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._number = 0

    @classmethod
    async def open(cls, data: Path) -> Line:
        """Raises ControllerAway."""
        try:
            return cls(*await asyncio.open_unix_connection(address(data), limit=LONGEST))
        except OSError:
            raise ControllerAway from None

    async def ask(self, do: str, **fields: Any) -> Answer:
        """The whole answer, with "ok" or "error". Raises ConnectionError when the line is cut."""
        self._number += 1
        self._writer.write(json.dumps({"id": self._number, "do": do, **fields}).encode() + b"\n")
        await self._writer.drain()
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the controller hung up")
        return json.loads(line)

    def close(self) -> None:
        self._writer.close()


class ControllerLink:
    """What routes ask the controller through. Raises Problem: away, outcome unknown, or the controller's refusal."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._free = asyncio.Semaphore(AT_ONCE)

    async def ask(self, do: str, limit_s: float = ASK_S, **fields: Any) -> Any:
        """A question that changes nothing: no answer within `limit_s` is the same as nobody there."""
        try:
            async with asyncio.timeout(limit_s), self._free:
                return ok(await self._exchange(do, fields))
        except (TimeoutError, ConnectionError):
            raise ControllerAway from None

    async def act(self, do: str, fields: Mapping[str, Any], key: str = "", limit_s: float = ACT_S) -> Any:
        """Something that changes the bench or the records; `key` goes with it where there is one."""
        sent = {**fields, "key": key} if key else fields
        if do in URGENT:
            return ok(await self._sent(do, sent, key, limit_s))
        try:
            async with asyncio.timeout(limit_s):
                await self._free.acquire()
        except TimeoutError:
            raise Problem("busy", "too many commands are under way; nothing was done") from None
        try:
            return ok(await self._sent(do, sent, key, limit_s))
        finally:
            self._free.release()

    async def audit(self, entries: Sequence[Mapping[str, str]]) -> None:
        """Entries of the service for the trail, at most 20. Raises Problem."""
        await self.ask("audit", entries=list(entries))

    async def _sent(self, do: str, fields: Mapping[str, Any], key: str, limit_s: float) -> Answer:
        line = await Line.open(self.data)
        try:
            async with asyncio.timeout(limit_s):
                return await line.ask(do, **fields)
        except (TimeoutError, ConnectionError):
            raise OutcomeUnknown(key) from None
        finally:
            line.close()

    async def _exchange(self, do: str, fields: Mapping[str, Any]) -> Answer:
        line = await Line.open(self.data)
        try:
            return await line.ask(do, **fields)
        finally:
            line.close()


def ok(answer: Answer) -> Any:
    """What was asked for; raises Problem with the controller's reason."""
    if "error" in answer:
        refuse(answer)
    return answer["ok"]


def refuse(answer: Answer) -> NoReturn:
    error = answer["error"]
    if error.get("type") == "conflict" and answer.get("state") == "starting":
        raise Problem("starting", "the controller is starting; ask again in a second")
    raise of_controller(error, **{name: answer[name] for name in ("state", "faults") if answer.get(name)})
