"""Text on the cable: terminated lines, and packets between STX and ETX with or without a CRC (pure, for both ends).

What the text means is not shared: a driver and a simulator read a vendor's words each in their own way.
"""

from __future__ import annotations

from binascii import crc_hqx

STX = 0x02
ETX = 0x03


def take_line(buffer: bytearray, end: bytes = b"\r\n") -> bytes | None:
    """Take the first line out of `buffer`, without its `end`; None = not complete yet."""
    at = buffer.find(end)
    if at < 0:
        return None
    line = bytes(buffer[:at])
    del buffer[: at + len(end)]
    return line


def packet(body: bytes) -> bytes:
    """STX body ETX (New Era basic mode, pump to computer)."""
    return b"\x02" + body + b"\x03"


def take_packet(buffer: bytearray) -> bytes | None:
    """Take the first STX…ETX packet out of `buffer` with all before it, and return its body; None = not complete yet.

    A second STX begins anew: the packet before it lost its end.
    """
    end = buffer.find(ETX)
    while end >= 0:
        begin = buffer.rfind(STX, 0, end)
        body = bytes(buffer[begin + 1 : end])
        del buffer[: end + 1]
        if begin >= 0:
            return body
        end = buffer.find(ETX)
    return None


def safe_packet(body: bytes) -> bytes:
    """STX length body CRC ETX (New Era safe mode, both ways): length = len(body) + 4, CRC-16-CCITT of the body from 0.

    Raises ValueError when the body is longer than 251 bytes.
    """
    if len(body) > 251:
        raise ValueError(f"a safe packet holds at most 251 bytes, not {len(body)}")
    return bytes((STX, len(body) + 4)) + body + crc_hqx(body, 0).to_bytes(2, "big") + b"\x03"


def take_safe_packet(buffer: bytearray) -> bytes | None:
    """Take the first whole safe packet with a good CRC out of `buffer` with all before it; None = not there yet.

    Read by length, because body, length and CRC may hold any byte; hunts on from the next STX behind a broken packet.
    """
    size = len(buffer)
    at = first = buffer.find(STX)
    while at >= 0:
        if at + 1 < size:
            end = at + buffer[at + 1]  # the place of ETX: the length counts itself
            if end < size:
                body = bytes(buffer[at + 2 : end - 2])
                checked = int.from_bytes(buffer[end - 2 : end], "big") == crc_hqx(body, 0)
                if end >= at + 4 and buffer[end] == ETX and checked:
                    del buffer[: end + 1]
                    return body
                if at == first:
                    first = buffer.find(STX, at + 1)  # never a packet: need not be kept
        at = buffer.find(STX, at + 1)
    del buffer[: first if first >= 0 else size]
    return None
