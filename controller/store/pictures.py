"""The files of photos: beside the ledger, under names we give, their kind told by their bytes (SEC-12).

A file under way ends in `.part`. It gets its name when it is on the disk whole, and counts when the ledger has its row.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from controller.store.rows import PhotoRow

FOLDER = "photos"
PART = ".part"
HEAD = 12
"""Bytes that tell the kind."""
KINDS = ("png", "jpeg", "webp")


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that is on the disk whole."""

    photo: str
    kind: str
    bytes: int
    sha256: str


class NoPicture(ValueError):
    """What came in is no picture of a kind that is taken; says so in words."""


def kind_of(head: bytes) -> str:
    """The kind by the first 12 bytes of a file; raises NoPicture. Pictures that can carry script (SVG) are none."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    raise NoPicture(f"this is no picture of a kind that is taken: {', '.join(KINDS)}")


def file_of(folder: Path, photo: str, kind: str) -> Path:
    """Of a photo on record, in a data folder."""
    return folder / FOLDER / f"{photo}.{kind}"


class Incoming:
    """One picture as it comes in, a part at a time; on leaving, what was not finished is gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._photo = secrets.token_hex(16)
        (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)
        self._path = folder / FOLDER / f"{self._photo}{PART}"
        self._file: BinaryIO = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._hash, self._head, self.bytes = hashlib.sha256(), b"", 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def take(self, part: bytes) -> None:
        """Raises NoPicture as soon as the first bytes say that it is none."""
        known = len(self._head) >= HEAD
        self._head += part[: HEAD - len(self._head)]
        if not known and len(self._head) >= HEAD:
            kind_of(self._head)
        self._hash.update(part)
        self._file.write(part)
        self.bytes += len(part)

    def finish(self) -> Picture:
        """On the disk for certain, under its name. Raises NoPicture, OSError."""
        kind = kind_of(self._head)
        self._file.flush()
        os.fsync(self._file.fileno())
        target = file_of(self._folder, self._photo, kind)
        self._path.rename(target)
        place = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)
        return Picture(self._photo, kind, self.bytes, self._hash.hexdigest())


def leftovers(folder: Path, older_than: float) -> Iterator[Path]:
    """Files of uploads that a crash cut off, not touched since `older_than` (UTC s)."""
    for path in (folder / FOLDER).glob(f"*{PART}"):
        if path.stat().st_mtime < older_than:
            yield path


def changed(folder: Path, rows: Iterable[PhotoRow]) -> Iterator[tuple[str, str]]:
    """Photos on record whose file is missing or is another one: name, and what is wrong in words."""
    for row in rows:
        try:
            with file_of(folder, row.photo, row.kind).open("rb") as file:
                same = hashlib.file_digest(file, "sha256").hexdigest() == row.sha256
        except OSError as error:
            yield row.photo, f"its picture cannot be read: {error.strerror}"
            continue
        if not same:
            yield row.photo, "its picture was altered"
