"""Talking to one pump of a chain: questions, settings, the one start; a stall is met once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from drivers.core.errors import BadFrame, NoAnswer, Refused
from drivers.core.line import Line
from drivers.devices.harvard_pump import replies
from drivers.devices.harvard_pump.replies import Reply

T = TypeVar("T")

QUIET_S = 0.03
"""The end of a reply cannot be seen where a prompt alone is expected: what still follows comes within this (X)."""


class Conversation:
    def __init__(self, line: Line, address: int, timeout_s: float) -> None:
        self.line, self.address, self.timeout_s = line, address, timeout_s
        self.alarm_text = ""
        self.alarms_met = 0
        self.replies_missed = 0
        self._stalled = False
        line.listen(self._hear)

    async def ask(self, question: str) -> tuple[str, str]:
        """Its one line of text and the prompt; asked twice at most. Raises Refused when the text is an error."""
        reply = await self._query(question, least=1, retries=1)
        self._judge(question, reply)
        return reply.lines[0], reply.prompt

    async def prompt(self) -> str:
        """CR alone: what it does now."""
        return (await self._query("", least=0, retries=1)).prompt

    async def tell(self, command: str) -> str:
        """Send once; the prompt. Raises Refused when it says an error; a setting is proved by asking only."""
        reply = await self._query(command, least=0, retries=0)
        self._judge(command, reply)
        return reply.prompt

    async def certain(self, asking: Callable[[], Awaitable[T]]) -> T:
        """What `asking` brings, closed by a prompt, before or as which comes to light what was left over."""
        before = self.line.surprises.unasked
        try:
            return await self.line.certain(asking, self.timeout_s, closing=self.prompt)
        finally:
            self.replies_missed += self.line.surprises.unasked - before

    def alarm(self, text: str) -> None:
        self.alarm_text = text
        self.alarms_met += 1

    async def _query(self, text: str, least: int, retries: int) -> Reply:
        start = f"{self.address}:" if self.address else ""
        request = f"{start}{text}\r".encode("ascii")
        parse = replies.parser(self.address, least)
        for left in range(retries, -1, -1):
            try:
                reply = await self.line.query(request, parse, timeout_s=self.timeout_s, quiet_s=QUIET_S)
            except (NoAnswer, BadFrame):
                self.replies_missed += 1
                if not left:
                    raise
                continue
            self._look(reply.prompt)
            return reply
        raise AssertionError("a loop over at least one try")

    def _look(self, prompt: str) -> None:
        """A stall is told by every prompt until it is acknowledged at the display (F); it is met once."""
        stalled = prompt == replies.STALLED
        if stalled and not self._stalled:
            self.alarm(replies.STALL)
        self._stalled = stalled

    def _judge(self, command: str, reply: Reply) -> None:
        """Texts that say no: Command error, Unknown command, Argument error, Out of range, Range error (F, M)."""
        words = " ".join(reply.lines)
        lower = words.lower()
        if "error" in lower or "unknown command" in lower or "out of range" in lower:
            raise Refused(reply.lines[0], f"pump {self.address}: {command}: {words}; is its Quick Start method loaded?")

    def _hear(self, data: bytes) -> bool:
        """A prompt by itself says that a target was reached; any text is an answer out of place."""
        return replies.PROMPTS_ONLY.fullmatch(bytes(byte for byte in data if byte not in replies.XON_XOFF)) is not None
