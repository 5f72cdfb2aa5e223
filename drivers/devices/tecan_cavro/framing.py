"""How a command and its answer look on the cable: OEM blocks with a check sum, or DT lines without one (M)."""

from __future__ import annotations

import secrets
from typing import Protocol

from drivers.core.wire import cavro

LAST_SEQUENCE = 7


class Framing(Protocol):
    def request(self, address: int, text: str) -> bytes:
        """`text` for the pump with address switch `address` (0 to 14)."""
        ...

    def take(self, buffer: bytearray) -> bytes | None:
        """Status and text of the first whole answer; None = not there yet."""
        ...


class Oem:
    """STX address sequence text ETX XOR. A block is never sent as a repetition (REP), so a pump that lost its memory
    cannot take it for one; two blocks in a row never carry the same number, also across a restart of ours."""

    def __init__(self) -> None:
        self._number = secrets.randbelow(LAST_SEQUENCE)

    def request(self, address: int, text: str) -> bytes:
        self._number = self._number % LAST_SEQUENCE + 1
        return cavro.oem_block(bytes((0x31 + address, cavro.sequence_byte(self._number))) + text.encode("ascii"))

    def take(self, buffer: bytearray) -> bytes | None:
        while (body := cavro.take_oem_block(buffer)) is not None:
            if body[:1] == b"0":  # anything else is a block to a pump, seen on a shared line
                return body[1:]
        return None


class Dt:
    """`/` address text CR, answered `/0` status text ETX CR LF."""

    def request(self, address: int, text: str) -> bytes:
        return b"/" + bytes((0x31 + address,)) + text.encode("ascii") + b"\r"

    def take(self, buffer: bytearray) -> bytes | None:
        return cavro.take_dt_answer(buffer)
