"""Names as parts of a path: the stable keys of occurrences (DX-02)."""

from __future__ import annotations

import re


def slugs(names: list[str]) -> list[str]:
    """Names as parts of a path: short, lower case, each different."""
    found: dict[str, None] = {}
    numbers: dict[str, int] = {}
    for name in names:
        slug = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "part"
        unique = slug
        while unique in found:
            numbers[slug] = numbers.get(slug, 1) + 1
            unique = f"{slug}-{numbers[slug]}"
        found[unique] = None
    return list(found)
