"""A whole bench in real processes: world, controller, API; killed, frozen, asked. Ends only what it started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx2
from websockets.sync.client import ClientConnection, connect

from api.refusal import Refusal
from api.socket_client import ask
from api.web.security.demo_password import USER, new_password
from controller.store.reader import Reader
from simulators.rehearsal import shipped_bench
from simulators.world_client import WorldClient

ROOT = Path(__file__).parents[4]
WAIT_S = 60.0
API = "/api/v1"


class Place:
    """Paced world, controller on it, API beside it."""

    def __init__(self, folder: Path, speed: float = 600.0) -> None:
        self.folder, self.data, self.speed = folder, folder / "d", speed
        self._started: list[subprocess.Popen[bytes]] = []
        self.bench = shipped_bench()

    def __enter__(self) -> Self:
        self.data.mkdir(mode=0o700)
        self.password = new_password(self.data)
        world = self.folder / "w"
        self._world = self.spawn(
            "-m", "simulators", "world", "--bench", self.bench, "--socket", world, "--speed", self.speed
        )
        try:
            until(lambda: "ready" in self.log(), "the world listens")
            self.controller = self.start_controller()
            self.api = self.start_api()
            until(lambda: self.hello().get("state") == "running", "the controller is up")
            until(lambda: self.health() == "ok", "the API hears the controller")
            self.eye = WorldClient(world, role="observer")
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.eye.close()
        self.end()

    def end(self) -> None:
        for process in reversed(self._started):
            if process.poll() is None:
                process.kill()
            process.wait(WAIT_S)

    def spawn(self, *line: object) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *map(str, line)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        self._started.append(process)
        return process

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def start_controller(self) -> subprocess.Popen[bytes]:
        return self.spawn(
            "-m", "simulators", "controller", "--bench", self.bench, "--data", self.data,
            "--world", self.folder / "w", "--speed", self.speed, "--alone",
        )  # fmt: skip

    def start_api(self) -> subprocess.Popen[bytes]:
        """Start the API and wait for its first answer."""
        (self.data / "api.url").unlink(missing_ok=True)
        process = self.spawn("-m", "api.web", "--data", self.data, "--port", 0, "--demo")
        until(lambda: self.health(), "the API answers", lambda: process.poll() is None or self.fail("the API ended"))
        return process

    def fail(self, why: str) -> bool:
        raise AssertionError(f"{why}:\n{self.log()[-3000:]}")

    @property
    def url(self) -> str:
        return (self.data / "api.url").read_text().strip()

    def health(self) -> str:
        """ "" while nobody answers."""
        try:
            return str(httpx2.get(f"{self.url}{API}/health", timeout=2.0).json()["status"])
        except (OSError, httpx2.HTTPError):
            return ""

    def hello(self) -> dict[str, Any]:
        try:
            return ask(self.data, "hello", timeout_s=5.0)
        except Refusal:
            return {}

    def ask(self, do: str, **fields: Any) -> Any:
        """The controller itself, past the API."""
        return ask(self.data, do, timeout_s=WAIT_S, **fields)

    def scans(self) -> int:
        return int(self.ask("snapshot")["scan"]["count"])

    def ledger(self) -> Reader:
        return Reader.open_read_only(self.data)

    @contextmanager
    def page(self) -> Iterator[Page]:
        """A browser in which the demo's user has signed in."""
        with httpx2.Client(base_url=self.url + API, timeout=WAIT_S) as client:
            who = {"user": USER, "password": self.password}
            answer = client.post("/session", json=who, headers={"X-Osteon": "1"})
            assert answer.status_code == 200, answer.text
            client.headers["X-Osteon"] = answer.json()["csrf"]
            yield Page(self, client)


class Page:
    def __init__(self, place: Place, client: httpx2.Client) -> None:
        self.place, self.client = place, client

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        answer = self.client.get(path, params=query)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        return answer.json()

    def post(self, path: str, body: dict[str, Any], key: str = "", status: int = 200) -> Any:
        answer = self.client.post(path, json=body, headers={"Idempotency-Key": key} if key else {})
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        return answer.json()

    def command(self, cause: str, seen: str, key: str, status: int = 200, run: str = "run-1", why: str = "") -> Any:
        body = {"cause": cause, "state_seen": seen, "why": why}
        return self.post(f"/runs/{run}/commands", body, key, status)

    def state(self, run: str = "run-1") -> str:
        live = self.get(f"/runs/{run}")["live"]
        return str(live["state"]) if live else "put away"

    def stream(self) -> ClientConnection:
        cookies = "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())
        return connect(
            self.place.url.replace("http", "ws") + API + "/stream",
            origin=self.place.url,  # pyright: ignore[reportArgumentType]
            additional_headers={"Cookie": cookies},
            max_size=1 << 22,
        )


def heard(
    socket: ClientConnection, kind: str, where: Callable[[dict[str, Any]], object] = lambda _: True
) -> dict[str, Any]:
    """The next message of a kind for which `where` holds."""
    while True:
        message = json.loads(socket.recv(timeout=WAIT_S))
        if message["type"] == kind and where(message):
            return message


def until(true: Callable[[], object], what: str, check: Callable[[], object] = lambda: None) -> None:
    """Wait until it comes true; fails by name when it takes too long."""
    for _ in range(int(WAIT_S / 0.05)):
        if true():
            return
        check()
        threading.Event().wait(0.05)
    raise AssertionError(f"waited {WAIT_S:g} s in vain until {what}")


def freeze(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGSTOP)


def thaw(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGCONT)
