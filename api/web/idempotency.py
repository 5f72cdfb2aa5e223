"""The key that lets a request be asked twice and done once (SM-03)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

from api.web.problems import Problem

LONGEST = 128
ABOUT = (
    "Chosen by the client, new for each act: the same key of the same person with the same request gets the "
    "first answer and does nothing."
)


async def idempotency_key(
    value: Annotated[str | None, Header(alias="Idempotency-Key", description=ABOUT)] = None,
) -> str:
    """As a FastAPI dependency: the key of a request that must carry one."""
    if not value:
        raise Problem("key-needed", "this request needs the header Idempotency-Key, a new random text for each act")
    if len(value) > LONGEST or not value.isascii() or not value.isprintable():
        raise Problem("invalid", f"Idempotency-Key is at most {LONGEST} printable ASCII characters")
    return value
