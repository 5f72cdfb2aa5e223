"""One controller for one data directory: an exclusive lock that dies with its process (DX-05)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from controller.store.errors import DirectoryTaken

NAME = "controller.lock"


class DirectoryLock:
    """Held from `take` to `release`, or to the death of the process, whatever kills it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: Path) -> DirectoryLock:
        """Take the lock of `folder` at once, or raise DirectoryTaken with the pid that holds it."""
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o640)
        try:
            _lock(descriptor)
        except OSError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() if os.name == "posix" else ""
            os.close(descriptor)
            who = f"process {holder}" if holder else "another process"
            raise DirectoryTaken(
                f"{folder} is in use by {who}. Only one controller may act on a bench: stop that one, "
                "or give this one a directory of its own (--data)."
            ) from None
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        return cls(descriptor)

    def release(self) -> None:
        """Let go; the file stays, for removing it would race with the next taker."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


if sys.platform == "win32":
    import msvcrt

    LOCKED_BYTE = 4096
    """Beyond the text, so that others can read who holds it."""

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
