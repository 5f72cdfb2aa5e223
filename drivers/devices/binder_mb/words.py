"""What the controllers' words mean."""

from __future__ import annotations

import re
from datetime import datetime

MODES = {0x1000: "basic", 0x0800: "manual", 0x0400: "program", 0x0000: "idle"}
"""MB1, register 1A22 (V, D, M)."""
SETTABLE = {"manual": 0x0800, "idle": 0x0000}
"""Basic falls back to idle by itself (D), a program is the business of the panel."""
MANUAL_CONTACTS = 0x1158
HUMIDITY_OFF, IDLE = 0x001, 0x002
"""MB2, contact bits of 1292 and 1158 (D)."""
REFUSALS = {
    "01": "the controller does not know this function",
    "02": "the controller has no such register",
    "03": "the value is outside the controller's range",
    "05": "write access denied",
    "08": "write access denied",
}
"""BINDER's own meaning of the exceptions (V); 5 or 8 for a denied write: programs differ, both are taken (D)."""

_MAKER = re.compile(r"binder", re.IGNORECASE)
_VERSION = re.compile(r"(?<!\d)\d{1,2}\.\d{1,2}\.\d{1,2}(?!\d)")


def text(data: bytes) -> str:
    """A text of one character a word (M); raises ValueError when it is none."""
    characters = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
    if not all(code == 0 or 0x20 <= code <= 0xFF for code in characters):
        raise ValueError("no text came where the alarm text belongs")
    return bytes(characters).split(b"\0", 1)[0].decode("latin-1").strip()


def clock(data: bytes) -> str:
    """`2026-11-24 02:45:00` of six words; raises ValueError when they are no date."""
    year, month, day, hour, minute, second = (int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
    if not 2000 <= year < 2100:
        raise ValueError(f"{year} is no year of this century")
    return datetime(year, month, day, hour, minute, second).isoformat(" ")


def firmware(data: bytes) -> str | None:
    """The version in the MB1's identity block, "" when there is none; None when the maker's name is not in it.

    The block holds packed ASCII (M) in a layout that is not known (?): both orders of characters are searched.
    """
    swapped = bytearray(len(data))
    swapped[0::2], swapped[1::2] = data[1::2], data[0::2]
    for order in (data, bytes(swapped)):
        said = order.decode("latin-1")
        if maker := _MAKER.search(said):
            found = _VERSION.search(said[: maker.start()])
            return found[0] if found else ""
    return None
