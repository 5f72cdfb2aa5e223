"""Which program this is: the version that every record carries (AT-02, DX-04)."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def program_version() -> str:
    """The installed version of osteon; "unknown" when it runs from nothing installed."""
    try:
        return version("osteon")
    except PackageNotFoundError:
        return "unknown"
