"""The device's end of Modbus RTU: a register image, exceptions, and the time bytes take on the cable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drivers.core.wire.modbus import (
    READ_HOLDING,
    READ_INPUT,
    WRITE_MANY,
    Request,
    read_reply,
    refusal,
    take_request,
    write_reply,
)
from simulators.core.simulator import Action, Bytes, Event, Opened, Send

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE, BUSY = 1, 2, 3, 4, 6
BROADCAST = 0
BITS_PER_CHARACTER = 11
"""Start, 8 data, parity or a second stop bit, stop (Modbus over Serial Line V1.02)."""
FIXED_LENGTH = 8
"""Bytes of a read, and of a write of one register."""
MOST_KNOWN = 64
"""Requests remembered by their bytes: a poll asks the same thing each time, and its CRC needs no second look."""
STALE_S = 0.1
"""A broken frame is forgotten after this silence; the standard's 3.5 characters would break serial servers on TCP."""


class ModbusError(Exception):
    """Raised by a block to answer with a Modbus exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"Modbus exception {code:02d}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Block:
    """Registers that belong together, by wire address."""

    start: int
    count: int
    read: Callable[[float], bytes] | None
    """The register bytes now (2 x count of them); None = cannot be read."""
    write: Callable[[bytes, float], None] | None = None
    """Take new register bytes; None = cannot be written."""
    whole: bool = True
    """Must be read and written from its start in its full length."""


class ModbusUnit:
    """One address on the bus, answering function codes 3, 4 and 16 from its blocks; devices add blocks and physics.

    A reply arrives after both frames' time on the cable and `processing_s`.
    """

    functions = frozenset((READ_HOLDING, READ_INPUT, WRITE_MANY))

    def __init__(self, address: int, baud: int = 19200, processing_s: float = 0.005) -> None:
        self.address = address
        self.baud = baud
        self.processing_s = processing_s
        self.on_network = False
        """It is reached through a plug of its own: what only the serial line asks for (quiet times) does not count."""
        self.blocks: dict[int, Block] = {}
        self._received = bytearray()
        self._received_at = 0.0
        self._known: dict[bytes, Request] = {}

    def add(
        self,
        start: int,
        count: int,
        read: Callable[[float], bytes] | None,
        write: Callable[[bytes, float], None] | None = None,
        *,
        whole: bool = True,
    ) -> None:
        """Offer `count` registers from wire address `start`."""
        self.blocks[start] = Block(start, count, read, write, whole)

    def receive(self, event: Event, now: float) -> list[Action]:
        if type(event) is not Bytes:
            if isinstance(event, Opened):
                self._received.clear()
            return []
        received = self._received
        if received and now - self._received_at > STALE_S:
            received.clear()
        self._received_at = now
        if not received and (known := self._known.get(event.data)) is not None:
            return self._reply(known, now)
        alone = not received and len(event.data) == FIXED_LENGTH and len(self._known) < MOST_KNOWN
        received += event.data
        actions: list[Action] = []
        while (request := take_request(received)) is not None:
            if alone and not received:
                self._known[event.data] = request
            actions += self._reply(request, now)
        return actions

    def _reply(self, request: Request, now: float) -> list[Action]:
        """The answer, once both frames have been on the cable."""
        reply = self.answer(request, now)
        if not reply:
            return []
        characters = len(reply) + (11 + len(request.data) - 2 if request.data else FIXED_LENGTH)
        return [Send(self.processing_s + characters * BITS_PER_CHARACTER / self.baud, reply)]

    def forget_received(self) -> None:
        """Drop a half-received frame (power loss)."""
        self._received.clear()

    def answer(self, request: Request, now: float) -> bytes:
        """The reply frame, or b"" when the request is for somebody else or for everybody."""
        if request.address not in (self.address, BROADCAST):
            return b""
        try:
            if request.function not in self.functions:
                raise ModbusError(ILLEGAL_FUNCTION)
            if request.function in (READ_HOLDING, READ_INPUT):
                reply = read_reply(request, self.read_span(request.start, request.quantity, now))
            else:
                if len(request.data) != 2 * request.quantity:
                    raise ModbusError(ILLEGAL_VALUE)
                self.write_span(request.start, request.data, now)
                reply = write_reply(request)
        except ModbusError as no:
            reply = refusal(request, no.code)
        return b"" if request.address == BROADCAST else reply

    def read_span(self, start: int, count: int, now: float) -> bytes:
        """Register bytes of one whole block, of several in a row, or of a part where the block allows it."""
        block = self.blocks.get(start)
        if block is not None and block.count == count and block.read is not None:
            return block.read(now)
        if not 1 <= count <= 125:
            raise ModbusError(ILLEGAL_VALUE)
        data = b""
        while len(data) < 2 * count:
            at, left = start + len(data) // 2, count - len(data) // 2
            block = self._block_of(at)
            if block is None or block.read is None or (block.whole and (at != block.start or left < block.count)):
                raise ModbusError(ILLEGAL_ADDRESS)
            skip = 2 * (at - block.start)
            data += block.read(now)[skip : skip + 2 * left]
        return data

    def write_span(self, start: int, data: bytes, now: float) -> None:
        """Write one whole block, several in a row, or a part where the block allows it; all or nothing of addresses."""
        parts: list[tuple[Callable[[bytes, float], None], bytes]] = []
        at, left = start, data
        while left:
            block = self._block_of(at)
            if block is None or block.write is None:
                raise ModbusError(ILLEGAL_ADDRESS)
            part = left[: 2 * (block.start + block.count - at)]
            if len(part) != 2 * block.count:
                if block.whole:
                    raise ModbusError(ILLEGAL_ADDRESS)
                before = block.read(now) if block.read is not None else bytes(2 * block.count)
                skip = 2 * (at - block.start)
                whole = before[:skip] + part + before[skip + len(part) :]
            else:
                whole = part
            parts.append((block.write, whole))
            at, left = at + len(part) // 2, left[len(part) :]
        for write, whole in parts:
            write(whole, now)

    def _block_of(self, register: int) -> Block | None:
        block = self.blocks.get(register)
        if block is not None:
            return block
        for block in self.blocks.values():
            if block.start <= register < block.start + block.count:
                return block
        return None
