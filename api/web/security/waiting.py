"""audit-waiting.jsonl: entries no controller has taken yet, left by a service that ended. Whatever stands there instead
never stops the next service: what cannot be read is set aside under another name."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from api.web.security.act import Act, act_in

LEFT_FILE = "audit-waiting.jsonl"
"""In the data directory, readable by its owner only."""
ASIDE = "audit-waiting.damaged-"
"""Before a number from 1; nobody deletes these but a person."""
LONGEST_LINE = 1 << 15
"""Bytes; an entry within the limits has fewer, every character escaped."""


def read(data: Path, most: int) -> tuple[list[Act], str]:
    """At most `most` acts, and why the file is damaged ("" where it is not, or where there is none)."""
    try:
        # Without waiting, for a pipe would wait for its writer; a link could lead to another's file.
        number = os.open(data / LEFT_FILE, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        return [], f"cannot be read: {error.strerror}"
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        return [], "is no file"
    found, spoilt = list[Act](), 0
    with os.fdopen(number, "rb") as file:
        try:
            for _ in range(most):
                line = file.readline(LONGEST_LINE)
                if not line:
                    break
                act = act_in(line)
                if act is None:
                    spoilt += 1
                else:
                    found.append(act)
            longer = bool(file.read(1))
        except OSError as error:
            return found, f"cannot be read to its end: {error.strerror}"
    return found, "; ".join([f"{spoilt} lines are no entries"] * (spoilt > 0) + ["it is too long"] * longer)


def write(data: Path, acts: Iterable[Act]) -> None:
    """Takes the place of the file, whole or not at all. Raises OSError."""
    path = data / LEFT_FILE
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(act)) + "\n" for act in acts)
        file.flush()
        os.fsync(file.fileno())
    if path.is_dir():
        set_aside(data)
    new.replace(path)


def set_aside(data: Path) -> str:
    """The name under which the damaged file now stands. Raises OSError."""
    number = 1
    while os.path.lexists(data / f"{ASIDE}{number}"):
        number += 1
    (data / LEFT_FILE).rename(data / f"{ASIDE}{number}")
    return f"{ASIDE}{number}"


def remove(data: Path) -> None:
    """What cannot be removed is delivered again by the next service."""
    with suppress(OSError):
        (data / LEFT_FILE).unlink(missing_ok=True)
