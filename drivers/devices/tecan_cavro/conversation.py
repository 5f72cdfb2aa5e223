"""Talking to one pump: what may be asked again, what an error says about a command, which alarm is new."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from drivers.core.errors import BadFrame, NoAnswer, Refused
from drivers.core.line import ROUNDS, Line
from drivers.devices.tecan_cavro import replies
from drivers.devices.tecan_cavro.framing import Framing
from drivers.devices.tecan_cavro.replies import Answer, Pattern

T = TypeVar("T")

QUIET_S = 0.005
"""An answer begins within 5 ms (M): a second copy of the last one is over before the next question."""


class Conversation:
    """One pump's side of the line. Answers do not say what they answer, so only what fits the question is taken."""

    def __init__(self, line: Line, address: int, framing: Framing, timeout_s: float) -> None:
        self.line, self.address, self.framing, self.timeout_s = line, address, framing, timeout_s
        self.alarm_text = ""
        """The last error in words, kept until `prepare`."""
        self.alarms_met = 0
        self.replies_missed = 0
        self._error = 0

    async def certain(self, asking: Callable[[], Awaitable[T]]) -> T:
        """What `asking` brings, closed by Q, before or as whose answer comes to light what was left over."""
        before = self.line.surprises.unasked
        try:
            return await self.line.certain(asking, self.timeout_s, closing=self.query)
        finally:
            self.replies_missed += self.line.surprises.unasked - before

    async def ask(self, question: str, expected: Pattern) -> Answer:
        """A report; raises Refused when the pump does not know it, BadFrame when it cannot be told what answers what.

        A late answer may be the copy of the one before, in the place of its own that was lost: asked again after
        silence, until one comes in time or the same one twice.
        """
        earlier = None
        for _ in range(ROUNDS):
            late = self.line.surprises.late
            found = await self._query(question, expected, retries=1)
            if self.line.surprises.late == late or found == earlier:
                return found
            earlier = found
            self.line.doubt(2 * self.timeout_s)
        raise BadFrame(f"pump {self.address}: the answers to {question} come late and differ")

    async def query(self) -> Answer:
        """Q: the only answer whose ready bit and errors tell the present (M). A new error is an alarm."""
        found = await self._query("Q", replies.NOTHING, retries=1)
        error = 0 if found.error == replies.OVERFLOW else found.error
        if error and error != self._error:
            self.alarm(replies.in_words(error))
        self._error = error
        return found

    async def command(self, text: str) -> None:
        """Send a command exactly once. Refused = not executed for sure; any other WireError = nobody knows."""
        found = await self._query(text, replies.NOTHING, retries=0)
        if found.error in replies.NOT_EXECUTED:
            raise Refused(str(found.error), f"pump {self.address}: {text}: {replies.in_words(found.error)}")
        if found.error:
            raise BadFrame(f"pump {self.address}: {text} was answered {replies.in_words(found.error)}")

    def alarm(self, text: str) -> None:
        """Latch `text`."""
        self.alarm_text = text
        self.alarms_met += 1

    async def _query(self, text: str, expected: Pattern, retries: int) -> Answer:
        """Each copy has a number of its own; a missed answer is counted, for it may have told an alarm."""

        def parse(buffer: bytearray) -> Answer | None:
            body = self.framing.take(buffer)
            if body is None:
                return None
            found = replies.answer(body)
            refused = found.error in replies.NOT_EXECUTED and not found.data
            if expected.fullmatch(found.data) is None and not refused:
                raise BadFrame(f"pump {self.address}: {found.data!r} is no answer to {text}")
            return found

        for left in range(retries, -1, -1):
            request = self.framing.request(self.address, text)
            try:
                found = await self.line.query(request, parse, timeout_s=self.timeout_s, quiet_s=QUIET_S)
            except (NoAnswer, BadFrame):
                self.replies_missed += 1
                if not left:
                    raise
                continue
            if expected.fullmatch(found.data) is None:
                raise Refused(str(found.error), f"pump {self.address}: {text}: {replies.in_words(found.error)}")
            return found
        raise AssertionError("a loop over at least one try")
