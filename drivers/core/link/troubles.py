"""Why a link did not open or broke, in a sentence that says what a person can do about it."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path


def reason(error: OSError) -> str:
    match error.errno:
        case errno.ECONNREFUSED:
            return "refused: nothing listens at that port"
        case errno.ECONNRESET | errno.EPIPE:
            return "the far side broke the connection"
        case errno.EHOSTUNREACH | errno.ENETUNREACH:
            return "no way to that host; cable or address?"
        case _ if isinstance(error, socket.gaierror):
            return f"no such host ({error.strerror})"
        case _:
            return error.strerror or str(error)


def advice(error: Exception, device: str) -> str:
    """Why a port did not open and what a person can do about it."""
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EACCES, errno.EPERM):
        return "no permission; add this user to the group that owns the port (sudo adduser $USER dialout), log in again"
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        near = sorted(str(path) for name in ("ttyUSB*", "ttyACM*") for path in Path("/dev").glob(name))
        return f"no such port; there are: {', '.join(near) or 'none'}"
    if number in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
        others = holders(device)
        return f"in use by {', '.join(others) or 'another program'}; a port belongs to one program at a time"
    return str(error)


def holders(device: str) -> list[str]:
    """Other processes that have the port open, as far as this user may see them (Linux)."""
    real, found = os.path.realpath(device), set[str]()
    for handle in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(handle.readlink()) == real and handle.parts[2] != str(os.getpid()):
                found.add(f"process {handle.parts[2]}")
        except OSError:
            continue
    return sorted(found)
