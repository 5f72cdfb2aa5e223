"""Turn-taking on one link: one question at a time, quiet times, time-outs, retries by rule."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from drivers.core.errors import BadFrame, LinkLost, NoAnswer, Refused
from drivers.core.link import Link
from drivers.core.surprises import Surprises

T = TypeVar("T")

Parse = Callable[[bytearray], T | None]
"""Looks at everything received so far for one request: returns the reply, or None for "not complete yet".
It takes garbage and the reply out of the buffer; what it leaves behind a reply counts as having come unasked.
Raises BadFrame or Refused when the reply is certain to be bad or a no."""

NOISE_LIMIT_S = 5.0
"""Longest wait for a doubtful line to become quiet. A device that streams for longer has to be stopped by a person."""

LONGEST_DOUBT_S = 5.0
"""Longest silence asked for after a missing reply: a balance may take 60 s to answer, but is not two minutes late."""

ROUNDS = 3
"""Rounds of questions after which a disturbed line is given up."""
HANG_UP_AFTER = 5
"""So many questions in a row without a byte from anybody, and a connection that can be dead without a sign is dialled
anew: the serial server at its other end may have restarted, or have forgotten it."""

_ONLY: ContextVar[tuple[Line, int] | None] = ContextVar("only", default=None)
"""What `Line.as_dialled` asks of this task."""


class Line:
    """One link shared by the devices on it; devices call `query`, never the link.

    Quarantine: once a reply is missing or broken, it may still come and look like the answer to the next question.
    So nothing is sent until the line has been silent for as long as the failed request was allowed to take: an answer
    up to twice as late as allowed is thrown away (at most 5 s more). Time that has passed anyway counts, so a rare
    question does not wait.

    Where replies do not say what they answer, `certain` asks again when there were surprises (surprises.py).
    """

    noise_limit_s = NOISE_LIMIT_S
    hang_up_after = HANG_UP_AFTER

    def __init__(self, link: Link, name: str = "") -> None:
        self.link = link
        self.name = name or link.url
        self._turn = asyncio.Lock()
        self._hearers: list[Callable[[bytes], bool | None]] = []
        self._losses = 0
        self._last_at = float("-inf")
        """Loop time of the last byte seen or sent."""
        self._doubt_s = 0.0
        """Silence needed before the next request; > 0 while a reply may still be under way."""
        self._doubt_from = 0.0
        """Loop time at which the doubtful request was, or would have been, given up: the silence counts from here."""
        self._asked_to_rest = False
        """The doubt is a driver's own: what comes until the line is silent surprises nobody any more."""
        self._closed = False
        self.surprises = Surprises()
        self.dialled = 0
        """How often the link was opened to stay open: after each time, who answers must be asked anew (EQ-05)."""
        self._unheard = 0
        """Questions asked since the last byte came."""

    async def query(
        self,
        request: bytes,
        parse: Parse[T],
        *,
        timeout_s: float,
        retries: int = 0,
        quiet_s: float = 0.0,
        doubt_s: float | None = None,
    ) -> T:
        """Send `request` in this device's turn and return what `parse` makes of the answer.

        `retries` counts further sends after NoAnswer or BadFrame; it must stay 0 for anything that moves fluid.
        After a time-out or a bad frame the line is quarantined: a late answer is thrown away before the next request.
        `doubt_s` is the silence that quarantine asks for, where a device talks by itself more often than `timeout_s`.
        Dials by itself when the link is closed. A request that waits for its turn while the link is lost is not sent.
        Raises NoAnswer, BadFrame, Refused, LinkLost.
        """
        losses = self._losses
        async with self._turn:
            while True:
                self._not_lost_since(losses)
                try:
                    return await self._exchange(
                        request, parse, timeout_s, quiet_s, timeout_s if doubt_s is None else doubt_s
                    )
                except (NoAnswer, BadFrame):
                    if retries <= 0:
                        raise
                    retries -= 1
                except LinkLost:
                    await self._lose()
                    raise

    async def query_to_close(self, request: bytes, *, timeout_s: float) -> bytes:
        """Dial, send, and return everything until the far side closes (HTTP without a length).

        One connection a request; `timeout_s` is for all of it. Raises NoAnswer, and LinkLost when the connection broke
        or closed without a byte.
        """
        losses = self._losses
        async with self._turn:
            self._not_lost_since(losses)
            received = bytearray()
            limit = _Limit()
            timer = asyncio.get_running_loop().call_later(timeout_s, limit.reached)
            try:
                await self.link.dial()
                self.link.write(request)
                while True:
                    received += await self.link.read()
            except asyncio.CancelledError:
                if limit.was_reached_alone():
                    raise NoAnswer(f"{self.name}: {_came(received)}, and no end of it within {timeout_s:g} s") from None
                raise
            except LinkLost as error:
                if error.broken or not received:
                    self._losses += 1
                    raise
                return bytes(received)
            finally:
                timer.cancel()
                await self.link.close()

    @contextmanager
    def as_dialled(self, count: int) -> Generator[None]:
        """What this task asks within is sent only on the cable as it was opened for the `count`-th time, and it dials
        none: who is at the end of another one is not known (EQ-05). Raises LinkLost then."""
        token = _ONLY.set((self, count))
        try:
            yield
        finally:
            _ONLY.reset(token)

    def listen(self, hear: Callable[[bytes], bool | None]) -> None:
        """Have `hear` called with bytes that came unasked (spontaneous alarms), before the next request goes out.

        Every listener of a shared line hears all of them, late answers included, and picks what is its own. One that
        returns True knows all of them for what a device says by itself: they are no surprise.
        """
        self._hearers.append(hear)

    async def certain(
        self,
        asking: Callable[[], Awaitable[T]],
        timeout_s: float,
        closing: Callable[[], Awaitable[object]] | None = None,
    ) -> T:
        """What `asking` brings, asked again after silence while surprises come meanwhile.

        For drivers whose replies do not say what they answer, and for questions only; `timeout_s` is that of one
        question. `closing` asks for something whose answer looks like no other: what was left over comes to light in
        front of it, and being late alone is no surprise then. Raises BadFrame after three rounds.
        """
        seen = self.surprises
        for _ in range(ROUNDS):
            unasked, late = seen.unasked, seen.late
            found = await asking()
            broken = seen.broken
            if closing is not None:
                await closing()
                late = seen.late
            if (seen.unasked, seen.late, seen.broken) == (unasked, late, broken):
                return found
            self.doubt(2 * timeout_s)
        raise BadFrame(f"{self.name}: an answer came late, or one that nobody asked for: no number is sure")

    def doubt(self, silence_s: float) -> None:
        """Have nothing sent until the line was silent for `silence_s`, as after a missing reply."""
        if not self._doubt_s:
            self._doubt_from, self._asked_to_rest = self._last_at, True
        self._doubt_s = max(self._doubt_s, silence_s)

    async def close(self) -> None:
        """Close for good: waiting requests fail with LinkLost and nothing is sent any more."""
        self._closed = True
        self._losses += 1
        await self.link.close()

    # --- one exchange

    async def _exchange(self, request: bytes, parse: Parse[T], timeout_s: float, quiet_s: float, doubt_s: float) -> T:
        loop = asyncio.get_running_loop()
        if not self.link.is_open:
            await self.link.dial()
            self.dialled += 1
        if self._doubt_s:
            await self._become_quiet(loop)
        if quiet_s and (wait_s := self._last_at + quiet_s - loop.time()) > 0:
            await asyncio.sleep(wait_s)
        if stray := self.link.waiting():
            self._left_over(stray)
        self.link.write(request)
        sent_at = self._last_at = loop.time()
        until = sent_at + timeout_s
        self._doubt_s, self._doubt_from = (
            min(doubt_s, LONGEST_DOUBT_S),
            until,
        )  # until a whole reply is here; stays when cancelled
        buffer, received = bytearray(), b""
        while True:
            data = await self._read_until(loop, until)
            if not data:
                await self._unanswered()
                raise NoAnswer(f"{self.name}: {_came(buffer, len(received))} within {timeout_s:g} s")
            self._unheard = 0
            received += data
            buffer += data
            no: Refused | None = None
            try:
                reply = parse(buffer)
            except Refused as refused:
                no, reply = refused, None
            except BadFrame as error:
                self.surprises.broken += 1
                self._last_at = self._doubt_from = loop.time()
                raise BadFrame(f"{self.name}: {error}") from error
            if reply is None and no is None:
                continue
            self._doubt_s = 0.0
            self._last_at = now = loop.time()
            rest = len(buffer)
            self.surprises.answered(request, received[:-rest] if rest else received, now - sent_at, timeout_s)
            if rest:
                self._left_over(bytes(buffer))
            if no is not None:
                raise no
            assert reply is not None
            return reply

    def _left_over(self, data: bytes) -> None:
        if not self._heard(data):
            self.surprises.left_over(data)

    async def _unanswered(self) -> None:
        self._unheard += 1
        if self._unheard >= self.hang_up_after and self.link.may_be_dead:
            self._unheard = 0
            await self._lose()

    async def _become_quiet(self, loop: asyncio.AbstractEventLoop) -> None:
        """Throw away whatever comes until nothing came for `_doubt_s`; raises BadFrame when it does not stop."""
        throw_away = self._heard if self._asked_to_rest else self._left_over
        give_up, thrown = loop.time() + self.noise_limit_s + self._doubt_s, 0
        if late := self.link.waiting():  # came at some unknown time since: be as careful as if it were now
            self._last_at, thrown = loop.time(), len(late)
            throw_away(late)
        while (until := max(self._last_at, self._doubt_from) + self._doubt_s) > loop.time():
            late = await self._read_until(loop, until)
            if late:
                self._last_at = loop.time()
                thrown += len(late)
                throw_away(late)
            if loop.time() > give_up:
                raise BadFrame(
                    f"{self.name}: not sent: the line was not quiet for {self._doubt_s:g} s after a missing reply, "
                    f"{thrown} bytes came unasked"
                )
        self._doubt_s, self._asked_to_rest = 0.0, False

    async def _read_until(self, loop: asyncio.AbstractEventLoop, at: float) -> bytes:
        """The next bytes, or b"" when none came by loop time `at`."""
        if loop.time() >= at:
            return b""
        limit = _Limit()
        timer = loop.call_at(at, limit.reached)
        try:
            return await self.link.read()
        except asyncio.CancelledError:
            if limit.was_reached_alone():
                return b""
            raise
        finally:
            timer.cancel()

    def _heard(self, data: bytes) -> bool:
        """Whether somebody knows what this is."""
        known = False
        for hear in self._hearers:
            known |= bool(hear(data))
        return known

    # --- losing the link

    def _not_lost_since(self, losses: int) -> None:
        if self._closed:
            raise LinkLost(f"{self.name}: closed")
        if self._losses != losses:
            raise LinkLost(f"{self.name}: lost while this request waited for its turn; it was not sent")
        line, count = _ONLY.get() or (None, 0)
        if line is self and not (self.dialled == count and (self.link.is_open or count == 0)):
            raise LinkLost(f"{self.name}: not sent, as it is not known who answers there now; it is asked first")

    async def _lose(self) -> None:
        self._losses += 1
        self._doubt_from = min(self._doubt_from, asyncio.get_running_loop().time())
        await self.link.close()


class _Limit:
    """Cancels the task that made it, and afterwards knows whether somebody else wanted it cancelled too.

    Does what `asyncio.timeout_at` does without its objects, which would cost a quarter of the whole exchange.
    """

    __slots__ = ("before", "fired", "task")

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task, self.before, self.fired = task, task.cancelling(), False

    def reached(self) -> None:
        self.fired = True
        self.task.cancel()

    def was_reached_alone(self) -> bool:
        return self.fired and self.task.uncancel() <= self.before


def _came(received: bytearray, count: int | None = None) -> str:
    count = len(received) if count is None else count
    if not count:
        return "no answer"
    shown = received[-24:].hex(" ")
    return f"no whole answer, only {count} bytes" + (f" (last: {shown})" if shown else "")
