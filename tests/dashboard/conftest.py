"""A browser for each module, a stand-in server for each test, a page that fails the test when its console complains."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.dashboard.browser import launch

ROOT = Path(__file__).parents[2]
READY_S = 20.0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Put away after each module: while Playwright is there, its loop counts as running and no async test could run."""
    with sync_playwright() as playwright:
        found = launch(playwright)
        yield found
        found.close()


class Server:
    """The stand-in as a process of its own: it can be killed and frozen for real."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "tests.dashboard.stand_in", str(self.port)], cwd=ROOT)
        until = time.perf_counter() + READY_S
        while time.perf_counter() < until:
            try:
                urllib.request.urlopen(self.url, timeout=1).close()
                return
            except OSError:
                Event().wait(0.05)
        raise AssertionError("the stand-in did not come up")

    def mood(self, **fields: Any) -> dict[str, Any]:
        """Make it sick, or ask what it was sent."""
        request = urllib.request.Request(
            f"{self.url}stand-in", json.dumps(fields).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def posts(self, ending: str) -> list[dict[str, Any]]:
        return [post for post in self.mood()["posts"] if post["path"].endswith(ending)]

    def freeze(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


@pytest.fixture(scope="session")
def one_server() -> Iterator[Server]:
    """For tests that leave it alive; each begins with `fresh`."""
    found = Server()
    yield found
    found.kill()


@pytest.fixture
def server(one_server: Server) -> Server:
    one_server.mood(fresh=True)
    return one_server


@pytest.fixture(scope="module")
def mortal() -> Iterator[Server]:
    found = Server()
    yield found
    found.kill()


@pytest.fixture
def own_server(mortal: Server) -> Iterator[Server]:
    """For tests that kill or freeze it; alive and well at the begin of each."""
    if mortal.process.poll() is not None:
        mortal.start()
    mortal.mood(fresh=True)
    yield mortal
    mortal.thaw()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    found = browser.new_context(
        viewport={"width": 1280, "height": 800}, timezone_id="Europe/Berlin", color_scheme="light"
    )
    found.set_default_timeout(8000)
    yield found
    found.close()


class Complaints(list[str]):
    """What the page said that a page should not say, and what it asked from elsewhere."""

    def watch(self, page: Page, home: str) -> None:
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("console", lambda message: self.append(message.text) if message.type in ("error", "warning") else None)
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((home, home.replace("http", "ws"))) else self.append(request.url)
            ),
        )


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def page(context: BrowserContext, server: Server, complaints: Complaints) -> Iterator[Page]:
    found = context.new_page()
    complaints.watch(found, server.url)
    yield found
    assert not complaints, complaints
