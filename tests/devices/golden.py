"""Golden exchanges: frames typed from a datasheet, checked against the driver and against the simulator separately.

    GOLDEN = golden("new_era_ne1000", r'''
        sheet  | M | > 30 56 45 52 0D  | < 02 "00SNE1000V3.923" 03 | firmware
        p. 87  | V | > "S\r\n"         | < "S S     100.00 g\r\n"  | stable weight
        export | R | > "GET /x HTTP/1.1\r\n\r\n" | < "HTTP/1.1 200 OK\r\n\r\nhello" close | a page
    ''')

Bytes are hex pairs and quoted text with Python escapes (use r-strings); `close` = the device closes after its reply;
`-` = nothing. Frames must be typed or copied from the sheet, never made by our own codec.
"""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from drivers.core.errors import LinkLost
from drivers.core.line import Line
from simulators.core.simulator import Bytes, Close, Opened, Send, Simulator

VERIFIED = frozenset("VRM")
"""Vendor document, recorded on a device, vendor manual: tags that make a wire verified."""

PART = re.compile(r'"(?:[^"\\]|\\.)*"|[0-9A-Fa-f]{2}(?![0-9A-Za-z])|close|-')
WAKE_LIMIT_S = 120.0


@dataclass(frozen=True)
class Exchange:
    page: str
    tag: str
    request: bytes
    reply: bytes
    closes: bool
    what: str

    def __str__(self) -> str:
        return f"{self.what} ({self.page}, {self.tag})"


@dataclass(frozen=True)
class Golden:
    family: str
    exchanges: tuple[Exchange, ...]

    @property
    def verified(self) -> bool:
        """Whether any exchange comes from the vendor or from a real device."""
        return any(VERIFIED & set(exchange.tag) for exchange in self.exchanges)

    def __getitem__(self, what: str) -> Exchange:
        return next(exchange for exchange in self.exchanges if exchange.what == what)

    def chosen(self, whats: tuple[str, ...]) -> list[Exchange]:
        return [self[what] for what in whats] if whats else list(self.exchanges)

    def check_simulator(self, simulator: Simulator | Callable[[], Simulator], *whats: str, now: float = 0.0) -> None:
        """Feed each request and compare the joined reply, byte for byte.

        A simulator keeps its state from exchange to exchange; a callable makes a fresh one for each.
        """
        for exchange in self.chosen(whats):
            one = simulator() if callable(simulator) else simulator
            reply, closed = _ask(one, exchange.request, now)
            assert reply == exchange.reply, f"{exchange}:\n  sheet     {exchange.reply!r}\n  simulator {reply!r}"
            assert closed == exchange.closes, f"{exchange}: the simulator {'closed' if closed else 'did not close'}"

    @asynccontextmanager
    async def line(self, *whats: str) -> AsyncIterator[Line]:
        """A line at whose far end the sheet answers: exactly these requests, in this order, each one once.

        Of an HTTP request only the first line is compared.
        """
        link = SheetLink(self.chosen(whats))
        line = Line(link)
        yield line
        await line.close()
        assert not link.script, f"never asked: {', '.join(map(str, link.script))}"


def golden(family: str, text: str) -> Golden:
    """Read lines of `page | tag | > request | < reply | what`."""
    exchanges: list[Exchange] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        page, tag, request, reply, what = (cell.strip() for cell in re.split(r'\|(?=(?:[^"]*"[^"]*")*[^"]*$)', line))
        assert request[0] == ">", line
        assert reply[0] == "<", line
        sent, _ = spell(request[1:])
        answer, closes = spell(reply[1:])
        exchanges.append(Exchange(page, tag, sent, answer, closes, what))
    return Golden(family, tuple(exchanges))


def spell(text: str) -> tuple[bytes, bool]:
    """The bytes of hex pairs and quoted texts, and whether `close` stood among them."""
    parts, rest = PART.findall(text), PART.sub("", text).strip()
    assert not rest, f"not hex, not quoted: {rest!r} in {text!r}"
    data = b"".join(
        ast.literal_eval("b" + part) if part[0] == '"' else bytes.fromhex(part)
        for part in parts
        if part not in ("close", "-")
    )
    return data, "close" in parts


def _ask(simulator: Simulator, request: bytes, now: float) -> tuple[bytes, bool]:
    actions = list(simulator.receive(Opened(), now))
    actions = list(simulator.receive(Bytes(request), now))
    until = now + WAKE_LIMIT_S
    while not actions and (wake_at := simulator.wake_at) is not None and wake_at <= until:
        actions += simulator.wake(wake_at)
    actions.sort(key=lambda action: action.delay_s)
    reply = b"".join(action.data for action in actions if isinstance(action, Send))
    return reply, any(isinstance(action, Close) for action in actions)


class SheetLink:
    """A cable with the sheet at its far end: any other byte than the expected ones is a failed test."""

    url = "sheet://"
    may_be_dead = False

    def __init__(self, script: list[Exchange]) -> None:
        self.script = script
        self.is_open = False
        self._sent = b""
        self._received: list[bytes] = []
        self._closing = False

    async def dial(self) -> None:
        self.is_open, self._closing, self._sent = True, False, b""
        self._received.clear()

    def write(self, data: bytes) -> None:
        assert self.is_open
        assert self.script, f"not in the script: {data!r}"
        self._sent += data
        expected = self.script[0]
        if b" HTTP/1." in expected.request:
            same = self._sent.split(b"\r\n")[0] == expected.request.split(b"\r\n")[0]
        else:
            same = self._sent == expected.request
            if expected.request.startswith(self._sent) and not same:
                return  # the rest may follow
        assert same, f"{expected}:\n  sheet  {expected.request!r}\n  driver {self._sent!r}"
        self.script.pop(0)
        self._sent = b""
        if expected.reply:
            self._received.append(expected.reply)
        self._closing = expected.closes

    async def read(self) -> bytes:
        if self._received:
            return self._received.pop(0)
        if self._closing or not self.is_open:
            raise LinkLost("the far side closed")
        await asyncio.sleep(1e9)
        raise AssertionError

    def waiting(self) -> bytes:
        data = b"".join(self._received)
        self._received.clear()
        return data

    async def close(self) -> None:
        self.is_open = False
