"""Satellite frames: STX Pnn command CR; answered by ACK, NAK, or STX text CR (M). Check sum: none, parity only."""

from __future__ import annotations

import re
from dataclasses import dataclass

from drivers.core.errors import BadFrame, Refused

STX, ENQ, ACK, NAK = 0x02, 0x05, 0x06, 0x15
IDLE, WAITING, RUNNING, STOPPED_LOCALLY = 1, 2, 3, 4
ALARMS = {5: "no motor feedback", 6: "the motor is overloaded", 7: "excessive motor feedback"}
"""Fourth digit of the status (N, W)."""
ERRORS = ("none", "parity", "framing", "overrun", "invalid command", "invalid data")
KEYS = {
    "0": "none", "1": "stop/start", "2": "prime", "3": "mode", "4": "dispense", "5": "cal", "6": "dir", "7": "size",
    "8": "flow rate", "9": "down", "A": "up",
}  # fmt: skip
TURNED = re.compile(r"C *(\d{1,7}\.\d\d)", re.ASCII)
TO_GO = re.compile(r"E *(-?\d{1,5}\.\d\d)", re.ASCII)
SPEED = re.compile(r"S([+-]) *(\d{1,4}\.\d)", re.ASCII)
STATUS = re.compile(r"P(\d\d) ?I ?([01])(\d)(\d)([1-7])([0-5])", re.ASCII)
INPUT = re.compile(r"A ?([01])", re.ASCII)
KEY = re.compile(r"K ?([0-9A])", re.ASCII)
LONGEST = 32


@dataclass(frozen=True, slots=True)
class Status:
    """What `I` says; digits two and three are not known (?)."""

    number: int
    remote: bool
    doing: int
    error: int


def request(number: int, command: str) -> bytes:
    return b"\x02P%02d%s\r" % (number, command.encode("ascii"))


def acknowledged(buffer: bytearray) -> bool | None:
    """Take ACK (True) or NAK (False) out of `buffer`; raises BadFrame for anything else."""
    if not buffer:
        return None
    if buffer[0] not in (ACK, NAK):
        raise BadFrame(f"{bytes(buffer)!r} is neither ACK nor NAK")
    return buffer.pop(0) == ACK


def text(buffer: bytearray) -> str | None:
    """Take STX text CR out of `buffer`; raises Refused for NAK, BadFrame for anything else."""
    if not buffer:
        return None
    if buffer[0] == NAK:
        del buffer[0]
        raise Refused("NAK", "the drive does not know the command, or not now")
    if buffer[0] != STX:
        raise BadFrame(f"{bytes(buffer)!r} does not begin with STX")
    end = buffer.find(b"\r")
    if end < 0:
        if len(buffer) > LONGEST:
            raise BadFrame(f"{bytes(buffer)!r} has no end")
        return None
    body = buffer[1:end].decode("latin-1")
    del buffer[: end + 1]
    if not (body.isascii() and body.isprintable()):
        raise BadFrame(f"{body!r} is no text")
    return body


def found(pattern: re.Pattern[str], said: str) -> re.Match[str]:
    match = pattern.fullmatch(said)
    if match is None:
        raise BadFrame(f"{said!r} is no answer to what was asked")
    return match


def status(said: str) -> Status:
    match = found(STATUS, said)
    return Status(int(match[1]), match[2] == "1", int(match[5]), int(match[6]))
