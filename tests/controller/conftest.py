"""One quick lab for each test, put away at its end; a local socket before a controller that has not begun."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from controller.clock import Clock
from controller.controller import Controller
from controller.ipc import LocalSocket
from controller.settings import parse
from drivers.core.link import open_link
from tests.controller.quick import TOML, QuickLab


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[QuickLab]:
    made = QuickLab(tmp_path / "data")
    yield made
    await made.close()


@pytest_asyncio.fixture
async def path() -> AsyncIterator[Path]:
    """A socket in a short folder, in front of a controller that has not begun."""
    with tempfile.TemporaryDirectory(prefix="o") as folder:
        where = Path(folder) / "c.sock"
        controller = Controller(parse(TOML), Path(folder) / "d", lambda name, url: open_link(url), Clock.real("UTC"))
        serving = asyncio.ensure_future(LocalSocket(where).serve(controller))
        while not where.exists():
            await asyncio.sleep(0.001)
        yield where
        serving.cancel()
        await asyncio.wait([serving])
