"""Examples of the documentation say what they really print."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("page", ["how-to/ask-the-plant.md"])
def test_the_examples_of_a_page_print_what_they_say(page: str) -> None:
    found = doctest.testfile(str(DOCS / page), module_relative=False, encoding="utf-8", verbose=False)
    assert found.attempted > 0
    assert found.failed == 0
