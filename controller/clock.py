"""The only place that knows wall time: loop time to UTC, the real loop, the stamp on every record (TM-01, TM-02)."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

SCAN_S = 1.0
"""Longest the real loop sleeps without looking at its clock again."""


if hasattr(time, "CLOCK_BOOTTIME"):
    boot_seconds: Callable[[], float] = partial(time.clock_gettime, time.CLOCK_BOOTTIME)
    """Seconds since boot, suspend included; the monotonic clock where the system has no such clock. No function of
    ours around it: the loop asks a dozen times in each exchange with a device."""
else:
    boot_seconds = time.monotonic  # noqa: TID251  the one fallback


class PatientSelector(selectors.DefaultSelector):
    """Waits at most one scan, so that a clock that jumped after a suspend is noticed within one scan."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(SCAN_S if timeout is None else min(timeout, SCAN_S))


class BenchLoop(asyncio.SelectorEventLoop):
    """Real time: the boot-time clock neither jumps nor stops in suspend."""

    def __init__(self) -> None:
        super().__init__(PatientSelector())
        self.time = boot_seconds


def people_s() -> float:
    """Wall seconds of the running loop from an unknown zero: people time, also where bench time is paced."""
    loop = asyncio.get_running_loop()
    return float(getattr(loop, "wall", loop.time)())


def pace() -> float:
    """Bench seconds that the running loop means to pass in one wall second: 1 but in paced time."""
    return float(getattr(asyncio.get_running_loop(), "speed", 1.0))


def boot_id() -> str:
    """The kernel's name for this boot; "unknown" where it has none."""
    source = Path("/proc/sys/kernel/random/boot_id")
    return source.read_text().strip() if source.exists() else "unknown"


@dataclass(slots=True)
class Clock:
    """Turns the running loop's time into UTC. In virtual and paced time the loop's time is the bench's UTC itself."""

    offset_s: float
    zone: str
    boot: str
    trusted: bool = True
    wall: Callable[[], float] | None = None
    """The computer's own idea of UTC; None where time is virtual."""
    doubt: str = ""
    """Why it is not trusted."""

    @classmethod
    def real(cls, zone: str) -> Clock:
        wall = time.time  # noqa: TID251  here wall time enters
        return cls(wall() - boot_seconds(), zone, boot_id(), wall=wall)

    @classmethod
    def of_bench(cls, zone: str, seed: int) -> Clock:
        """For rehearsals and worlds: no wall time, the boot id comes from the seed."""
        return cls(0.0, zone, f"simulated-{seed}")

    def now(self) -> float:
        """UTC seconds since 1970."""
        return asyncio.get_running_loop().time() + self.offset_s

    def ahead_s(self) -> float:
        """How far the computer's wall clock is ahead of this one."""
        return 0.0 if self.wall is None else self.wall() - self.now()

    def not_before(self, utc_s: float, why: str) -> None:
        """It is `utc_s` at least: records do not go back. The clock is not trusted until a person confirms the time."""
        self.offset_s += max(0.0, utc_s - self.now())
        self.trusted, self.doubt = False, why

    def trust(self) -> None:
        """A person has confirmed the time."""
        self.trusted, self.doubt = True, ""

    def utc_of(self, loop_time: float) -> float:
        return loop_time + self.offset_s

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def local(self, utc_s: float) -> datetime:
        return datetime.fromtimestamp(utc_s, ZoneInfo(self.zone))


def iso(utc_s: float) -> str:
    """UTC with milliseconds, the form of every record: 2026-01-05T08:00:00.000Z."""
    return datetime.fromtimestamp(utc_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
