"""Every async test runs in virtual time; the marker `real_time` opts out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

import pytest

from simulators.core.time import VirtualLoop

START = 1_767_567_600.0
"""Monday 2026-01-05 08:00 in Tokyo: the bench time at which tests begin. As large as real seconds since 1970 are."""


def virtual() -> asyncio.AbstractEventLoop:
    return VirtualLoop(START)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("real_time"):
        return {"real": asyncio.SelectorEventLoop}
    return {"virtual": virtual}


COVERED_BY = ("controller/test_doses", "controller/test_transfers", "devices/", "links/", "protocols/", "wire/")
"""Tests that count for coverage. The others go through the same code in processes and whole rehearsals, where
counting lines would double their time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test first, so that nobody waits for it alone at the end."""
    items.sort(key=lambda item: "28_days" not in item.name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Count lines only where it is asked for. (The coverage plug-in's own marker does nothing in xdist's workers.)"""
    counting = sys.gettrace()
    if counting is None or item.path.relative_to(Path(__file__).parent).as_posix().startswith(COVERED_BY):
        return (yield)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(counting)
