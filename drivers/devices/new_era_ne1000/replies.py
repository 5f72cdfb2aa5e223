"""What the pump says: prompts, alarms, errors, counters (M; format of DIS: L, N)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from drivers.core.errors import BadFrame
from drivers.core.fluid import Motion, Totals
from drivers.core.wire import ascii as text_wire

MOTIONS = {
    "S": Motion.STOPPED,
    "P": Motion.PAUSED,
    "I": Motion.MOVING,
    "W": Motion.MOVING,
    "X": Motion.MOVING,  # purging
    "T": Motion.MOVING,  # timed pause of a foreign program: goes on by itself
    "U": Motion.MOVING,  # waits for a trigger of a foreign program: may go on by itself
}
ALARMS = {
    "R": "A?R: power was interrupted, the counters are lost",
    "S": "A?S: the motor stalled",
    "T": "A?T: the pump stopped itself, it heard nothing for its watchdog time",
    "E": "A?E: error in the pumping program",
    "O": "A?O: phase of the pumping program out of range",
}
ERRORS = {
    "?": "command not recognised",
    "?NA": "not applicable now",
    "?OOR": "out of range",
    "?COM": "the packet arrived damaged",
    "?IGN": "ignored, a new phase began",
}
Pattern = re.Pattern[str]
ANYTHING = re.compile(r".*", re.ASCII)
NOTHING = re.compile(r"", re.ASCII)
NUMBER = re.compile(r"\d*\.?\d+|\d+\.", re.ASCII)
"""Trailing point forms such as `1000.` occur (N)."""
VALUE = re.compile(r"(\d*\.?\d+|\d+\.)[A-Z]{0,2}", re.ASCII)
SECONDS = re.compile(r"\d{0,3}", re.ASCII)
"""What SAF answers: the time-out to a question, nothing to a setting."""
WORD = re.compile(r"[A-Z]{3}", re.ASCII)
FUNCTION = re.compile(r"[A-Z]{3}[\d.:]*", re.ASCII)
"""`RAT`, `STP`, and what another's program may hold in their place: `LOP05`, `JMP01`, `PAS.5` (L, X)."""
COUNTERS = re.compile(r"I(\d*\.?\d+|\d+\.)W(\d*\.?\d+|\d+\.)(ML|UL)", re.ASCII)
VERSION = re.compile(r"NE(\d+)(?:X\d*)?V(\d+\.\d+)", re.ASCII)


class Reply(NamedTuple):
    """One reply: an alarm letter, or a prompt with an error or data."""

    prompt: str
    data: str = ""
    error: str = ""
    alarm: str = ""


Take = Callable[[bytearray], bytes | None]
Parser = Callable[[bytearray], Reply | None]


def looks_basic(buffer: bytearray) -> bool:
    """Whether a basic reply begins: it goes on with a digit, and no safe reply here is as long as a digit's code."""
    at = buffer.find(text_wire.STX)
    return 0 <= at < len(buffer) - 1 and 0x30 <= buffer[at + 1] <= 0x39


def take_either(buffer: bytearray) -> bytes | None:
    """Take a packet of either mode; None = not complete yet."""
    return (text_wire.take_packet if looks_basic(buffer) else text_wire.take_safe_packet)(buffer)


def parser(address: int, take: Take, expected: Pattern, strict: bool = False) -> Parser:
    """Make the parser for replies of pump `address` whose data are `expected`; packets of other pumps are passed over.

    `strict` takes no reply that follows garbage: what was damaged may have been the true one. Raises BadFrame.
    """
    prefix = f"{address:02d}".encode("ascii")

    def parse(buffer: bytearray) -> Reply | None:
        while buffer:
            before = bytes(buffer) if strict else b""
            body = take(buffer)
            if strict and _lost(before, body, buffer):
                raise BadFrame(f"pump {address}: {before.hex(' ')}")
            if body is None:
                return None
            if body[:2] == prefix:
                reply = _reply(body[2:], address)
                if not reply.alarm and not reply.error and expected.fullmatch(reply.data) is None:
                    raise BadFrame(f"pump {address}: {reply.data!r} is no answer to what was asked")
                return reply
        return None

    return parse


def totals(data: str) -> Totals:
    """`I1.250W0.000ML` as volumes; the resolution is the coarser of the two last digits. Raises BadFrame."""
    match = COUNTERS.fullmatch(data)
    if match is None:
        raise BadFrame(f"{data!r} are no counters")
    infused, withdrawn, unit = match.groups()
    worth = 1.0 if unit == "ML" else 1e-3
    decimals = min(_decimals(infused), _decimals(withdrawn))
    return Totals(float(withdrawn) * worth, float(infused) * worth, 10.0**-decimals * worth)


def full_ml(data: str) -> float:
    """Where counters like these have used up their four digits."""
    return 9999.0 * (1.0 if data.endswith("ML") else 1e-3)


def alarm_in(heard: bytearray, address: int, take: Take) -> str:
    """Take whole packets out of what came unasked; the letter of this pump's last alarm in them, "" = none."""
    letter, prefix = "", f"{address:02d}A?".encode("ascii")
    while (body := take(heard)) is not None:
        if body.startswith(prefix):
            letter = body[4:5].decode("latin-1")
    return letter


def _reply(status: bytes, address: int) -> Reply:
    text = status.decode("latin-1")
    if text[:2] == "A?" and text[2:] in ALARMS:
        return Reply("", alarm=text[2:])
    prompt, data = text[:1], text[1:]
    if prompt not in MOTIONS or not data.isascii():
        raise BadFrame(f"pump {address}: {text!r} is no status")
    if data[:1] == "?":
        if data not in ERRORS:
            raise BadFrame(f"pump {address}: {data!r} is no error")
        return Reply(prompt, error=data)
    return Reply(prompt, data)


def _lost(before: bytes, body: bytes | None, left: bytearray) -> bool:
    """Whether taking a packet threw bytes away in front of it, or any that were not a packet."""
    if body is None:
        return len(left) < len(before)
    return not before.startswith(text_wire.safe_packet(body))


def _decimals(digits: str) -> int:
    return len(digits.partition(".")[2])
