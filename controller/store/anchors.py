"""The anchors file: one JSON line per anchored head, beside the ledger and never rewritten (AT-05)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, cast

from controller.store.chain import Anchor, canonical

NAME = "ledger.anchors.jsonl"


def append(folder: Path, anchor: Anchor) -> None:
    """Add one line, durably. OSError when the disk refuses."""
    descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        line = canonical(anchor._asdict()).encode() + b"\n"
        os.write(descriptor, line if _ends_whole(descriptor) else b"\n" + line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load(folder: Path) -> tuple[list[Anchor], list[str]]:
    """All anchors, and a complaint for each line that is none. A line torn by a crash is a complaint, not a loss."""
    path = folder / NAME
    anchors, complaints = list[Anchor](), list[str]()
    if not path.exists():
        return anchors, complaints
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1):
        anchor = _read(line)
        if anchor is not None:
            anchors.append(anchor)
        elif line:
            complaints.append(f"{NAME}:{number}: not an anchor (torn by a crash, or altered)")
    return anchors, complaints


def _read(line: str) -> Anchor | None:
    try:
        found = cast(dict[str, Any], json.loads(line))
        return Anchor(int(found["seq"]), str(found["hash"]), str(found["utc"]))
    except (ValueError, KeyError, TypeError):
        return None


def _ends_whole(descriptor: int) -> bool:
    size = os.lseek(descriptor, 0, os.SEEK_END)
    if size == 0:
        return True
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) == b"\n"
