"""Talking to one Modbus address: questions that are certainly answered, and commands sent once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from drivers.core.errors import BadFrame, Refused, WireError
from drivers.core.line import Line
from drivers.core.modbus_under_way import under_way
from drivers.core.wire import modbus

LATE = 2.0
"""A reply, or a copy of it, comes at most so many time-outs late (as `Line` has it)."""
TRIES = 3
"""Questions asked before an answer that may be another's is given up."""


@dataclass(frozen=True, slots=True)
class Question:
    """A ready-made read, and how what comes back begins: address, function, length, but no register."""

    request: bytes
    parse: Callable[[bytearray], bytes | None]
    head: bytes
    refusal: bytes
    tells: Callable[[bytes], bool] | None = None
    """Whether these registers say by themselves (a unit) that they are these and not others of their length."""


def question(address: int, function: int, start: int, count: int) -> Question:
    """Ask for `count` registers from wire address `start`."""
    request = modbus.read_request(address, function, start, count)
    head, refusal = bytes((address, function, 2 * count)), bytes((address, function | modbus.FAILED))
    return Question(request, modbus.reply_parser(request), head, refusal)


class ModbusTalk:
    """One device's side of the line. A late or doubled reply is never taken for the answer to another question
    (modbus_under_way): where the last one was for equally many registers, another of `others` is asked between them.
    """

    def __init__(
        self,
        line: Line,
        address: int,
        others: Callable[[], Iterable[Question]],
        *,
        timeout_s: float,
        quiet_s: float,
        retries: int,
    ) -> None:
        """`others` brings what else can be read, the cheapest first, the more different lengths the better. `retries`
        is of questions only."""
        self.line, self.address, self.others = line, address, others
        self.timeout_s, self.quiet_s, self.retries = timeout_s, quiet_s, retries
        self._under_way = under_way(line, address)

    async def ask(self, asked: Question) -> bytes:
        """What the registers hold, and certainly these; raises Refused, WireError."""
        time, late_s = asyncio.get_running_loop().time, LATE * self.timeout_s
        for _ in range(TRIES):
            if asked.tells is None and self._under_way.could_mix(asked.head, asked.request, time()):
                await self._let_pass(asked)
            try:
                data = await self.line.query(
                    asked.request, asked.parse, timeout_s=self.timeout_s, retries=self.retries, quiet_s=self.quiet_s
                )
            except Refused:
                if self._under_way.came(asked.refusal, asked.request, time(), late_s):
                    raise
                await self._let_pass(asked)
                continue
            except WireError:
                self._under_way.missing((asked.head, asked.refusal), asked.request, time(), late_s)
                raise
            if self._under_way.came(asked.head, asked.request, time(), late_s) or (
                asked.tells is not None and asked.tells(data)
            ):
                return data
        raise BadFrame(f"{self.line.name}: address {self.address}: answers come that nobody asked for: none is sure")

    async def tell(self, request: bytes, timeout_s: float | None = None) -> None:
        """Send a request that writes, once, and wait for its confirmation; raises Refused, WireError."""
        timeout_s = timeout_s or self.timeout_s
        heads = request[:6], bytes((request[0], request[1] | modbus.FAILED))
        time, late_s = asyncio.get_running_loop().time, LATE * timeout_s
        try:
            await self.line.query(request, modbus.reply_parser(request), timeout_s=timeout_s, quiet_s=self.quiet_s)
        except Refused:
            self._under_way.came(heads[1], request, time(), late_s)
            raise
        except WireError:
            self._under_way.missing(heads, request, time(), late_s)
            raise
        self._under_way.came(heads[0], request, time(), late_s)

    async def _let_pass(self, asked: Question) -> None:
        """Have what may be mixed up with the reply to `asked` behind us: read something of another length, whose reply
        comes after it; where nothing else can be read, wait until it would be too late."""
        time, late_s = asyncio.get_running_loop().time, LATE * self.timeout_s
        for other in self.others():
            head = other.head
            if head == asked.head or not self._under_way.is_new(head, time()):
                continue
            try:
                await self.line.query(
                    other.request, other.parse, timeout_s=self.timeout_s, retries=self.retries, quiet_s=self.quiet_s
                )
            except Refused:
                head = other.refusal
            except WireError:
                self._under_way.missing((head, other.refusal), other.request, time(), late_s)
                raise
            new = self._under_way.is_new(head, time())
            self._under_way.came(head, other.request, time(), late_s)
            if new:
                return
        self.line.doubt(late_s)
        self._under_way.passed()
