"""Modbus TCP: the header of the network instead of the check sum of the cable, so that drivers speak to either."""

from __future__ import annotations

import struct

from drivers.core.errors import LinkLost
from drivers.core.link.tcp import TcpLink
from drivers.core.wire import modbus

HEADER = 7
"""Transaction (2), protocol 0 (2), length of what follows (2), unit; MODBUS Messaging on TCP/IP V1.0b, 3.1.3."""
NUMBERS = struct.Struct(">HHH")
LONGEST = 254
"""Unit and PDU together."""


class ModbusTcpLink:
    """Takes and gives RTU frames; on the network each goes with a transaction number, so a late reply to an earlier
    question is known as such and dropped."""

    def __init__(self, url: str, host: str, port: int) -> None:
        self.url = url
        self._tcp = TcpLink(url, host, port)
        self._received = bytearray()
        self._number = 0

    @property
    def may_be_dead(self) -> bool:
        return True

    @property
    def is_open(self) -> bool:
        return self._tcp.is_open

    async def dial(self) -> None:
        self._received.clear()
        await self._tcp.dial()

    def write(self, data: bytes) -> None:
        """Send one whole RTU frame."""
        self._number = (self._number + 1) & 0xFFFF
        self._tcp.write(NUMBERS.pack(self._number, 0, len(data) - 2) + data[:-2])

    async def read(self) -> bytes:
        while True:
            self._received += await self._tcp.read()
            if frames := self._answers():
                return frames

    def waiting(self) -> bytes:
        """b"": a server says nothing unasked, so what is here is late and counts for nothing."""
        if late := self._tcp.waiting():
            self._received += late
            self._answers()
        return b""

    async def close(self) -> None:
        self._received.clear()
        await self._tcp.close()

    def _answers(self) -> bytes:
        """The RTU frames of all whole packets that answer the last question. Raises LinkLost out of step."""
        frames, buffer = b"", self._received
        while len(buffer) >= HEADER:
            number, protocol, length = NUMBERS.unpack_from(buffer)
            if protocol != 0 or not 3 <= length <= LONGEST:
                buffer.clear()
                raise LinkLost(f"{self.url}: what came is no Modbus TCP; is this port a serial server (tcp://)?", True)
            if len(buffer) < 6 + length:
                break
            if number == self._number:
                frames += modbus.frame(bytes(buffer[6 : 6 + length]))
            del buffer[: 6 + length]
        return frames
