"""The demo's past as a job of the supervisor: when there is one to make, its command line, how far it is.

Standard library only, as the supervisor. The job itself is simulators/past.py.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import NamedTuple

from api.simulators_child import command
from api.supervisor import Child

NAME = "past"
STATE = "world.json"
"""The world's state: written last, so that a folder without it has no past."""
LONGEST_DAYS = 366.0
BAR = 40


class Progress(NamedTuple):
    """How far the job is, in culture days."""

    day: float
    of: float

    def words(self, digits: int = 1) -> str:
        return f"rehearsing the first {self.of:.{int(self.of < 2)}f} days: day {self.day:.{digits}f}"

    def bar(self) -> str:
        filled = min(BAR, int(BAR * self.day / self.of))
        return f"[{'#' * filled}{'.' * (BAR - filled)}] {self.words()}"


def day(text: str) -> float:
    value = float(text)
    if not 0 <= value <= LONGEST_DAYS:  # nan is neither
        raise argparse.ArgumentTypeError(f"a day is 0 to {LONGEST_DAYS:g}, 0 = from the start")
    return value


def work(data: Path) -> Path:
    """Where the job makes what it hands over at its end."""
    return data / NAME


def possible(data: Path) -> bool:
    """Whether this folder can still get a past: no culture ever ran here, or it waits to be handed over."""
    return not (data / STATE).exists() and (made(data) or not (data / "ledger.db").exists())


def made(data: Path) -> bool:
    """Whether a whole past waits to be handed over."""
    return (work(data) / STATE).exists()


def forget(data: Path) -> None:
    """Throw away what an interrupted job left; a folder of that name that no job made stays."""
    if (work(data) / "rehearsal").exists():
        shutil.rmtree(work(data))


def child(data: Path, bench: Path, protocol: str, days: float, seed: int) -> Child:
    line = ("--bench", str(bench), "--data", str(data), "--work", str(work(data)), "--protocol", protocol)
    job = command("past", *line, "--day", f"{days:g}", "--seed", str(seed))
    return Child(NAME, job, done=(data / STATE).exists)


def progress(data: Path) -> Progress | None:
    """How far the job is; None when none is under way, or it has hardly begun."""
    try:
        found = json.loads((work(data) / "progress.json").read_text())
        return Progress(float(found["day"]), float(found["of"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
