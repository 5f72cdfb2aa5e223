"""One quick lab for each test, put away at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.controller.quick import QuickLab


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[QuickLab]:
    made = QuickLab(tmp_path / "data")
    yield made
    await made.close()
