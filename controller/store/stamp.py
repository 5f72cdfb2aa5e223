"""What stamps a record: the clock's side of TM-01, as the ledger needs it. `controller.clock.Clock` is one."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from controller.clock import iso


class Stamp(Protocol):
    """UTC seconds since 1970, seconds that never jump, the boot they count from, and whether to trust them."""

    @property
    def boot(self) -> str: ...

    @property
    def trusted(self) -> bool: ...

    def now(self) -> float: ...

    def monotonic(self) -> float: ...

    def local(self, utc_s: float) -> datetime: ...


def stamped(stamp: Stamp, utc_s: float, version: str) -> dict[str, object]:
    """The fields a stamp gives to an audit entry (AT-02): UTC to the millisecond, offset (s), monotonic (s), boot."""
    offset = stamp.local(utc_s).utcoffset()
    return {
        "utc": iso(utc_s),
        "offset_s": int(offset.total_seconds()) if offset else 0,
        "monotonic": round(stamp.monotonic(), 6),
        "boot_id": stamp.boot,
        "clock_trusted": stamp.trusted,
        "version": version,
    }
