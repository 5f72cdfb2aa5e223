"""`osteon demo` as a process with a folder of its own, and how to sign in to it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

SIGN_IN = re.compile(r"page at (\S+)\s+user (\S+)\s+password (\S+)")
END_S = 30.0


class Demo:
    def __init__(
        self, folder: Path, port: int = 0, speed: float = 600, day: float | None = 0, more: Sequence[str] = ()
    ) -> None:
        """`day` 0: a culture that begins; None: opened where the demo of everybody opens, in mid-culture."""
        self.folder = folder
        self.command = [
            sys.executable,
            "-m",
            "api.cli",
            "demo",
            "--data",
            str(folder),
            "--port",
            str(port or free_port()),
            "--speed",
            f"{speed:g}",
            *(() if day is None else ("--day", f"{day:g}")),
            *more,
        ]

    def __enter__(self) -> Demo:
        """Until it says where its page is; raises AssertionError when it ends before."""
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self.process.stdout is not None
        said: list[str] = []
        for line in self.process.stdout:
            said.append(line)
            if found := SIGN_IN.search(line):
                self.url, self.user, self.password = found[1].rstrip("/") + "/", found[2], found[3]
                return self
        raise AssertionError("".join(said))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.communicate(timeout=END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def pid(self, who: str) -> int:
        said = (self.folder / f"{who}.pid").read_text()
        return int(json.loads(said)["pid"] if said.startswith("{") else said.split()[0])

    def wait(self, seconds: float = 180.0) -> None:
        """Until the controller is up; raises AssertionError when it does not come."""
        for _ in range(int(seconds / 0.1)):
            try:
                if self.snapshot()["state"] == "running":
                    return
            except OSError:
                pass
            threading.Event().wait(0.1)
        raise AssertionError(f"no controller after {seconds:g} s")

    def snapshot(self) -> dict[str, Any]:
        """What the controller itself says, past the service."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(str(self.folder / "controller.sock"))
            line.sendall(b'{"id": 1, "do": "snapshot"}\n')
            text = b""
            while not text.endswith(b"\n"):
                text += line.recv(1 << 20)
        return json.loads(text)["ok"]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
