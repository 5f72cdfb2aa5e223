"""Tables of a bench file that nobody has checked: what is not there, or of another kind, is its default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

Table = Mapping[str, object]


def table(parent: Table, key: str) -> Table:
    """The table under `key`, or an empty one."""
    found = parent.get(key)
    return cast("Table", found) if isinstance(found, Mapping) else {}


def tables(parent: Table, key: str) -> list[Table]:
    """The array of tables under `key`."""
    found = parent.get(key)
    return cast("list[Table]", found) if isinstance(found, list) else []


def first(parent: Table, key: str) -> Table:
    """The first of them, or an empty one."""
    found = tables(parent, key)
    return found[0] if found else {}


def number(parent: Table, key: str, default: float) -> float:
    found = parent.get(key, default)
    return float(found) if isinstance(found, int | float) else default


def options_at(config: Table, place: str) -> Table:
    """The options of the device that sits in `place` of the plant."""
    places = table(table(config, "simulation"), "places")
    for device in tables(config, "devices"):
        if places.get(str(device.get("name"))) == place:
            return table(device, "options")
    return {}
