"""Whose key a request carries and what it asks for, as text that two requests share only when they are the same."""

from __future__ import annotations

import hashlib
import json

LOCAL = ""
"""Whose keys those are that come over the local socket in nobody's name."""


def scoped(key: str, person: str) -> str:
    """The key as it is stored: each person has their own. No key stays none."""
    return "\n".join([" ".join(person.splitlines()), key]) if key else ""


def bare(stored: str) -> str:
    """The key as its person wrote it."""
    return stored.partition("\n")[2] if "\n" in stored else stored


def older(stored: str) -> str:
    """Where ledgers of before keys had a person keep the answer to this one; "" = nowhere."""
    key = bare(stored)
    return "" if key == stored or "\n" in key else key


def asked(word: str, **facts: object) -> str:
    """`word` for people, and the first 16 hex digits of the SHA-256 of all facts of the request."""
    text = json.dumps([word, facts], sort_keys=True, separators=(",", ":"))
    return f"{word} #{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def same(stored: str, now: str) -> bool:
    """Records of before there was a digest have the word only."""
    return stored in (now, now.rpartition(" #")[0])
