"""The data logger: up to seven entries of 16 bytes in one telegram, as hex (V). Its event 01 holds what is measured."""

from __future__ import annotations

import re
import struct
from datetime import datetime
from typing import NamedTuple

from drivers.devices.thermo_heracell_i import words

ENTRY = 32
"""Characters of one entry."""
_HEX = re.compile(r"[0-9a-f]*")


class Entry(NamedTuple):
    """`status` is the device status (bits unknown); `values` are temperature, CO2, O2, rH in tenths (X), by event."""

    event: int
    at: datetime
    status: int
    values: tuple[int, int, int, int]


def entries(payload: str) -> list[Entry]:
    """The entries of a telegram, without the mark of the last one and those without a date; raises ValueError
    when it is not made of entries."""
    if len(payload) % ENTRY or len(payload) > 7 * ENTRY or not _HEX.fullmatch(payload):
        raise ValueError(f"{len(payload)} characters are no entries of the data logger")
    found = list[Entry]()
    for at in range(0, len(payload), ENTRY):
        event, day, month, year, hour, minute, status, *values = struct.unpack(
            ">6BH4h", bytes.fromhex(payload[at : at + ENTRY])
        )
        if event == words.LAST:
            break
        cel, co2, o2, rh = values
        if day or month:
            found.append(Entry(event, datetime(2000 + year, month, day, hour, minute), status, (cel, co2, o2, rh)))
    return found


def newest(found: list[Entry], periodic: bool) -> Entry | None:
    """The newest entry of event 01, or of any other event; which end of a telegram is the newest is not told (?)."""
    chosen = [entry for entry in found if (entry.event == words.PERIODIC) is periodic]
    return max(chosen, key=lambda entry: entry.at, default=None)


def clock(payload: str) -> datetime:
    """`14:30:00;24:11:26` of address 0010; raises ValueError for any other form (an Isotemp writes dots)."""
    return datetime.strptime(payload, "%H:%M:%S;%d:%m:%y") if len(payload) == 17 else _no_clock(payload)


def _no_clock(payload: str) -> datetime:
    raise ValueError(f"{payload!r} is no time of a HERAcell")
