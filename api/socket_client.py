"""One question to the controller over its local socket: one JSON object a line. Standard library only."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

from api.refusal import Refusal

SOCKET = "controller.sock"
LONGEST_PATH = 100
"""Bytes of a socket address that every system takes."""


class NoController(Refusal):
    """Nobody answers on the socket of this data directory."""


def ask(data: Path, do: str, timeout_s: float = 10.0, **arguments: Any) -> Any:
    """Ask the controller of `data` to `do` something and return its answer.

    Raises NoController when none answers within `timeout_s`, Refusal with the controller's sentence when it refuses.
    """
    request = json.dumps({"id": 1, "do": do, **arguments}) + "\n"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(timeout_s)
            line.connect(address(data))
            line.sendall(request.encode())
            with line.makefile("rb") as replies:
                reply = json.loads(replies.readline() or b"null")
    except (FileNotFoundError, ConnectionError):
        raise NoController(
            f"no controller runs on {data}; name the folder of one that runs (--data osteon-data/demo for the demo), "
            "or start one with 'osteon serve'"
        ) from None
    except TimeoutError:
        raise NoController(f"the controller of {data} did not answer within {timeout_s:g} s") from None
    if reply is None:
        raise NoController(f"the controller of {data} closed the connection without an answer")
    if "error" in reply:
        raise Refusal(reply["error"]["text"])
    return reply["ok"]


def running_pid(data: Path) -> int | None:
    """The process number of a controller that answers on the socket of `data`."""
    try:
        return int(ask(data, "hello", timeout_s=2.0)["pid"])
    except (NoController, KeyError):
        return None


def address(data: Path) -> str:
    """The socket's path, relative where the absolute one is too long for a socket address."""
    absolute = str(data.absolute() / SOCKET)
    if len(os.fsencode(absolute)) <= LONGEST_PATH:
        return absolute
    return min(absolute, os.path.relpath(absolute), key=len)
