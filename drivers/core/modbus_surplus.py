"""Notices Modbus replies that nobody asked for: a reply names no register, so a late copy looks like the next one.

As replies keep their order on a cable, a copy taken for another answer leaves that answer over, and it is seen as soon
as an exchange of another length follows. Whoever reads several things of equal length ends with one of another length,
and believes none of them when a reply was left over meanwhile:

    begun = surplus.answers
    …
    if surplus.since(begun): …
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.core.line import Line
from drivers.core.wire import modbus

READS, WRITES = (modbus.READ_HOLDING, modbus.READ_INPUT), (modbus.WRITE_ONE, modbus.WRITE_MANY)


class Surplus:
    """Keeps count for the device at `address` on `line`."""

    def __init__(self, line: Line, address: int) -> None:
        self.address = address
        self.answers = 0
        """Replies taken as answers so far."""
        self._seen_at = 0
        """What `answers` was when a reply was last left over."""
        line.listen(self.hear)

    def since(self, begun: int) -> bool:
        """Whether a reply was left over since `answers` was `begun`; what came before the first answer was thrown away
        before the first question and does not count."""
        return self._seen_at > begun

    def hear(self, data: bytes) -> None:
        """Bytes that came between two requests."""
        if self.frames(data):
            self._seen_at = self.answers

    def around(self, parse: Callable[[bytearray], bytes | None]) -> Callable[[bytearray], bytes | None]:
        """`parse`, which goes on as before, with a look at what it throws away."""

        def watching(buffer: bytearray) -> bytes | None:
            before, found = len(buffer), self.frames(buffer)
            reply = parse(buffer)
            thrown = sum(end <= before - len(buffer) for end in found)
            if reply is not None:
                self.answers += 1
                thrown -= 1
            if thrown > 0:
                self._seen_at = self.answers + (reply is None)
            return reply

        return watching

    def frames(self, data: bytes | bytearray) -> list[int]:
        """Where each whole reply of this device in `data` ends."""
        ends: list[int] = []
        at = 0
        while at + 5 <= len(data):
            if data[at] == self.address:
                function = data[at + 1]
                length = 5 + data[at + 2] if function in READS else 8 if function in WRITES else 5
                known = function in (*READS, *WRITES) or function & modbus.FAILED
                if known and at + length <= len(data) and not modbus.crc(data[at : at + length]):
                    at += length
                    ends.append(at)
                    continue
            at += 1
        return ends
