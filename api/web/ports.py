"""Taking a port, and saying who has it when it is taken. Standard library only."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from api.refusal import Refusal

LISTENS = "0A"
"""State number of a listening socket in /proc/net/tcp."""


@contextmanager
def listening(host: str, port: int, backlog: int) -> Generator[socket.socket]:
    """A socket that listens there; raises Refusal with the holder when the port is taken, or may not be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as made:  # named, so that asyncio sets no-delay
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((host, port))
            made.listen(backlog)
        except OSError as error:
            raise Refusal(explained(host, port, error)) from None
        made.setblocking(False)
        yield made


def explained(host: str, port: int, error: OSError) -> str:
    """Why a port cannot be had, and what to do."""
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} is in use{by(holder(port))}; end that, or choose another with --port"
        case errno.EACCES:
            return f"port {port} needs more rights than this user has; choose one above 1023 with --port"
        case _:
            text = error.strerror or str(error)
            return f"cannot listen on {host}:{port}: {text}; choose an address of this machine with --host"


def by(found: str) -> str:
    return f" by {found}" if found else ""


def holder(port: int) -> str:
    """Who listens on a port of this machine, as "nginx -g daemon (pid 12)"; "" where the system does not tell."""
    inodes = {f"socket:[{inode}]" for inode in listeners(port)}
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        try:
            if any(os.readlink(each) in inodes for each in (process / "fd").iterdir()):
                words = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
                return f"{' '.join(word for word in words[:5] if word)[:80]} (pid {process.name})"
        except OSError:
            continue
    return ""


def listeners(port: int) -> list[str]:
    """Inodes of the sockets that listen on a port."""
    tables = [table for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")) if table.exists()]
    rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    return [row[9] for row in rows if row[3] == LISTENS and int(row[1].rpartition(":")[2], 16) == port]
