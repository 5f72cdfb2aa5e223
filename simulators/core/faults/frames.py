"""Replies of Modbus devices built anew, with a valid check sum: of another unit, or a no."""

from __future__ import annotations

from drivers.core.wire.modbus import FAILED, frame

LOWEST, HIGHEST = 1, 247
"""Addresses a device may have (Modbus over Serial Line V1.02)."""


def of_another_unit(reply: bytes, unit: int) -> bytes:
    """The same words from address `unit`; 0 = the one after its own."""
    other = unit or (reply[0] % HIGHEST) + LOWEST
    return frame(bytes((other,)) + reply[1:-2])


def refusal(reply: bytes, code: int) -> bytes:
    """Exception `code` in the place of an answer; a reply that is a no already has another code now."""
    return frame(bytes((reply[0], reply[1] | FAILED, code)))
