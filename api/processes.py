"""Processes that outlive whoever started them: which one, is it still that one. Standard library only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Record:
    """Written beside the data when a child starts. `born` tells the process from a later one with the same number."""

    pid: int
    born: str
    command: tuple[str, ...]

    @property
    def alive(self) -> bool:
        return self.born != "" and born(self.pid) == self.born

    def write(self, path: Path) -> None:
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(self)))
        part.replace(path)


def read(path: Path) -> Record | None:
    """The record, when there is one and its process still lives."""
    try:
        content = json.loads(path.read_text())
        record = Record(int(content["pid"]), str(content["born"]), tuple(content["command"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if record.alive else None


def born(pid: int) -> str:
    """When a process started, in its system's own terms; "" when there is none or only its unreaped remains."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else f"{boot()}:{fields[19]}"
    except (OSError, IndexError):
        pass
    if Path("/proc/self").exists():
        return ""
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return shown.stdout.strip()


def boot() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""


def tell(record: Record, number: signal.Signals) -> None:
    """Send a signal to that very process; nothing when it has gone."""
    if record.alive:
        try:
            os.kill(record.pid, number)
        except ProcessLookupError:
            return
