"""What a Cytomat says: lines that end with CR, no check sum (datasheet thermo-cytomat-heracell.md).

`xx <data>` answers `ch:xx`; `ok XX` = accepted, with the overview register; `er XX` = refused. The case of hex digits
is unknown (?): both are read. Behind CR some models may send LF (?), which is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from drivers.core.errors import BadFrame, Refused
from drivers.core.wire.ascii import take_line

REFUSALS = {
    0x01: "busy, command not accepted", 0x02: "command unknown", 0x03: "telegram structure", 0x04: "wrong parameter",
    0x05: "unknown location number", 0x11: "wrong handler position", 0x12: "shovel extended",
    0x21: "handler occupied", 0x22: "handler empty", 0x31: "transfer station empty",
    0x32: "transfer station occupied", 0x33: "transfer station not in position",
    0x41: "automatic door not configured", 0x42: "automatic door not open", 0x51: "internal memory",
    0x52: "wrong password or not authorised", 0x61: "shaker not active",
}  # fmt: skip
"""`er` codes (O, P; 61 O only)."""
ERRORS = {
    0x01: "motor controller communication", 0x02: "plate not loaded on shovel", 0x03: "plate not unloaded from shovel",
    0x04: "shovel not extended", 0x05: "process time-out", 0x06: "gate not open", 0x07: "gate not closed",
    0x08: "shovel not retracted", 0x0A: "stepper controller too hot", 0x0B: "other stepper error",
    0x0C: "transfer station not rotated", 0x0D: "communication with heating or CO2 supply disturbed",
    0x0E: "shaker communication", 0x0F: "shaker configuration", 0x10: "shaker not started",
    0x13: "shaker clamp not open", 0x14: "shaker clamp not closed", 0xFF: "fatal error during the error routine",
}  # fmt: skip
"""Error register (O, P; 0E to 14 O only)."""
WARNINGS = {code: text for code, text in ERRORS.items() if code <= 0x08} | {
    0x09: "initialisation because the device door was opened", 0x0C: "transfer station not rotated",
    0x0D: "motor code 0D", 0x0E: "motor code 0E",
}  # fmt: skip
"""Warning register (O, P; 0D and 0E P)."""
CLIMATE_LOST = 0x0D
"""With this error the climate numbers are of an unknown age."""
TARGETS = {0: "none", 1: "init position", 2: "wait position", 3: "stacker", 4: "transfer station"}
ACTIONS = {
    0x00: "none", 0x01: "height below slot, move", 0x02: "height below slot, check", 0x03: "height above, move",
    0x04: "height above, check", 0x05: "rotation, move", 0x06: "rotation, check", 0x07: "extend shovel",
    0x08: "extend shovel, check", 0x09: "shovel limit switch", 0x0A: "retract shovel", 0x0B: "retract shovel, check",
    0x0C: "close gate", 0x0D: "close gate, check", 0x0E: "open gate", 0x0F: "open gate, check",
    0x10: "swap position 1", 0x11: "swap position 1, check", 0x12: "swap position 2", 0x13: "swap position 2, check",
    0x14: "check plate on shovel", 0x15: "check plate on transfer station", 0x16: "bar code reader",
    0x17: "bar code reader, check", 0x18: "read bar code", 0x19: "turntable", 0x1A: "turntable", 0x1B: "turntable",
    0x1C: "turntable", 0x1D: "parameter changed",
}  # fmt: skip
"""Action register: bits 7-5 target, bits 4-0 action (P; O has the groups exchanged, which does not fit the values)."""

LONGEST = 256
_HEX = re.compile(rb"[0-9A-Fa-f]{2}")
_NUMBERS = re.compile(rb"([+-]?\d{1,3}(?:\.\d{1,3})?)\s+([+-]?\d{1,3}(?:\.\d{1,3})?)")
_SWAP = re.compile(rb"([12])([01])([01])")
_WHOLE = re.compile(rb"\+?(\d{1,5})")


def take(buffer: bytearray) -> bytes | None:
    """The next line without its end; None = not complete yet. Raises BadFrame when no end comes."""
    line = take_line(buffer, b"\r")
    if line is None and len(buffer) > LONGEST:
        raise BadFrame(f"{len(buffer)} bytes without a line end")
    return None if line is None else line.removeprefix(b"\n")


def refuse(line: bytes) -> None:
    """Raise Refused when the line is `er XX`."""
    if line[:3] == b"er " and _HEX.fullmatch(line, 3):
        code = int(line[3:], 16)
        raise Refused(f"er {code:02X}", f"the Cytomat says: {REFUSALS.get(code, 'a code the sheet does not know')}")


def answer_to(command: str) -> Callable[[bytearray], bytes | None]:
    """A parser for the data behind the two letters of `ch:xx`; other lines came unasked (se:c1, se:c2) and go by."""
    head = command[3:5].encode() + b" "

    def parse(buffer: bytearray) -> bytes | None:
        while (line := take(buffer)) is not None:
            refuse(line)
            if line.startswith(head):
                return line[len(head) :].strip()
        return None

    return parse


def accepted(buffer: bytearray) -> int | None:
    """The overview register of `ok XX`; raises Refused on `er`, BadFrame on anything else: moves are not guessed at."""
    line = take(buffer)
    if line is None:
        return None
    refuse(line)
    if line[:3] != b"ok " or not _HEX.fullmatch(line, 3):
        raise BadFrame(f"neither ok nor er: {line!r}")
    return int(line[3:], 16)


def register(data: bytes) -> int:
    """Two hex digits; raises BadFrame."""
    if not _HEX.fullmatch(data):
        raise BadFrame(f"not two hex digits: {data!r}")
    return int(data, 16)


def pair(data: bytes) -> tuple[float, float]:
    """Set point and actual value of `ch:it` and its like; raises BadFrame. Sign and decimals are unknown (?)."""
    found = _NUMBERS.fullmatch(data)
    if found is None:
        raise BadFrame(f"not a set point and a value: {data!r}")
    return float(found[1]), float(found[2])


def swap(data: bytes) -> tuple[int, bool, bool]:
    """Position at the gate, plate at the gate side, plate at the user side; raises BadFrame."""
    found = _SWAP.fullmatch(data)
    if found is None:
        raise BadFrame(f"not a swap station status: {data!r}")
    return int(found[1]), found[2] == b"1", found[3] == b"1"


def whole(data: bytes) -> float:
    found = _WHOLE.fullmatch(data)
    if found is None:
        raise BadFrame(f"not a whole number: {data!r}")
    return float(found[1])


def named(code: int, names: dict[int, str]) -> str:
    """`05 process time-out`, or `none`."""
    return f"{code:02X} {names.get(code, 'unknown to the sheet')}" if code else "none"


def action(code: int) -> str:
    """`transfer station: open gate`; numbers where the sheet has no word."""
    target, act = code >> 5, code & 0x1F
    if not code:
        return "none"
    return f"{TARGETS.get(target, f'target {target}')}: {ACTIONS.get(act, f'action {act:02X}')}"
