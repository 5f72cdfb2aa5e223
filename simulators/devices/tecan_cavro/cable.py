"""A Cavro pump's end of the cable: finds out which protocol is spoken and sticks to it (sheet cavro-xcalibur.md, M)."""

from __future__ import annotations

from typing import NamedTuple

from drivers.core.wire import cavro

LONGEST = 320


class Command(NamedTuple):
    """One command for this pump; `number` is the OEM sequence, 0 in DT."""

    text: str
    oem: bool
    number: int = 0
    repeated: bool = False
    for_all: bool = False
    """Sent to a group: executed, not answered."""
    size: int = 0


def in_group(group: int, address: int) -> bool:
    """Groups: 0x5F all, 0x51 0x55 0x59 0x5D four pumps each, 0x41 0x43 … two each (M; the steps between them X)."""
    if group == 0x5F:
        return True
    if 0x51 <= group <= 0x5D:
        return (group - 0x51) // 4 == address // 4
    return 0x41 <= group <= 0x4F and (group - 0x41) // 2 == address // 2


def take(rx: bytearray, address: int, protocol: str) -> list[Command]:
    """Take every whole command out of `rx`; what is damaged, in the other protocol or for others is passed over."""
    found: list[Command] = []
    while rx:
        oem, dt = rx.find(cavro.STX), -1 if protocol == "oem" else rx.find(b"/")
        if dt >= 0 and (oem < 0 or dt < oem):
            end = rx.find(b"\r", dt)
            if end < 0:
                break
            line = bytes(rx[dt + 1 : end])
            del rx[: end + 1]
            found += _mine(line[:1], line[1:], address, Command("", oem=False, size=end - dt + 1))
        elif oem >= 0:
            size = len(rx)
            body = cavro.take_oem_block(rx)
            if body is None:
                if dt < 0 or b"\r" not in rx[dt:]:
                    break
                del rx[:dt]  # no block has a "/" in it: a stray STX stood before a line
                continue
            if len(body) >= 2 and body[1] & 0xF0 == 0x30 and protocol != "dt":
                number, again = body[1] & 0x07, bool(body[1] & 0x08)
                block = Command("", oem=True, number=number, repeated=again, size=size - len(rx))
                found += _mine(body[:1], body[2:], address, block)
        else:
            rx.clear()
    del rx[:-LONGEST]
    return found


def _mine(to: bytes, text: bytes, address: int, like: Command) -> list[Command]:
    if not to:
        return []
    if to[0] == 0x31 + address:
        return [like._replace(text=text.decode("latin-1"))]
    if in_group(to[0], address):
        return [like._replace(text=text.decode("latin-1"), for_all=True)]
    return []


def answer(oem: bool, status: int, data: str, sync: bool = False) -> bytes:
    """The pump's answer; `sync` = with a line synchronisation byte in front."""
    body = b"0" + bytes((status,)) + data.encode("latin-1")
    frame = cavro.oem_block(body) if oem else b"/" + body + b"\x03\r\n"
    return b"\xff" + frame if sync else frame
