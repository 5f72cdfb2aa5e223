"""One bench in real processes for a module: starting it costs seconds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.web.service.place import Page, Place


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="o") as folder, Place(Path(folder)) as made:  # short: socket addresses
        yield made


@pytest.fixture(scope="module")
def page(place: Place) -> Iterator[Page]:
    with place.page() as made:
        yield made
