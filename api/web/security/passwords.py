"""Passwords: which may be used (AC-03), and argon2id in one thread with a short queue, never in the loop."""

from __future__ import annotations

import asyncio
import secrets
import string
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.web.security.refused import Refused
from api.web.security.settings import HashCost

R = TypeVar("R")

SHORTEST, LONGEST = 12, 128
FEWEST_DIFFERENT = 5
MADE_LENGTH = 20
LETTERS = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))
"""For passwords made here: nothing that is read wrongly from a screen."""


class Hasher:
    """Hashes and checks in a thread of its own; beyond `queue` waiting ones it refuses, and nothing piles up."""

    def __init__(self, cost: HashCost, queue: int) -> None:
        self._argon2 = PasswordHasher(cost.rounds, cost.memory_kib, cost.lanes)
        self._thread = ThreadPoolExecutor(1, "argon2")
        self._queue, self._waiting = queue, 0

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        return await self._run(self._argon2.hash, normal(password))

    async def matches(self, hash: str, password: str) -> bool:
        return await self._run(self._matches, hash, normal(password))

    async def any_matches(self, hashes: list[str], password: str) -> bool:
        return await self._run(lambda: any(self._matches(hash, normal(password)) for hash in hashes))

    def _matches(self, hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def outdated(self, hash: str) -> bool:
        """Made with another cost than today's."""
        return self._argon2.check_needs_rehash(hash)

    async def _run(self, work: Callable[..., R], *values: str) -> R:
        if self._waiting > self._queue:
            raise Refused("busy", "many people are signing in; try again in a few seconds", 3.0)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *values)
        finally:
            self._waiting -= 1


def normal(password: str) -> str:
    """One form for letters that can be typed in two ways."""
    return unicodedata.normalize("NFC", password)


def made() -> str:
    """A random password of 115 bits."""
    return "".join(secrets.choice(LETTERS) for _ in range(MADE_LENGTH))


def check(password: str, *names: str) -> None:
    """Raises Refused weak-password with the reason; `names` = what the password may not be made of."""
    password = normal(password)
    if not SHORTEST <= len(password) <= LONGEST:
        raise Refused("weak-password", f"a password has {SHORTEST} to {LONGEST} characters")
    if len(set(password)) < FEWEST_DIFFERENT:
        raise Refused("weak-password", "this password repeats too few different characters")
    if is_row(password):
        raise Refused("weak-password", "this password only counts up or down")
    plain = core(password)
    if any(part in common() for part in (password.casefold(), plain, half(plain))):
        raise Refused("weak-password", "this password is a common one, or a common one with something added")
    if any(half(plain) == core(name) for name in names if core(name)):
        raise Refused("weak-password", "this password is the user's name")


def core(text: str) -> str:
    """Without case, spaces, and without digits and signs at either end: "Password-2024!" is "password"."""
    return text.casefold().replace(" ", "").strip(string.digits + string.punctuation + "\t")


def half(text: str) -> str:
    """The part a text repeats: "abcabc" is "abc"."""
    for length in range(1, len(text) // 2 + 1):
        if len(text) % length == 0 and text[:length] * (len(text) // length) == text:
            return text[:length]
    return text


def is_row(password: str) -> bool:
    """ "1234567890123", "abcdefghijkl", backwards too; digits go round from 9 to 0."""
    steps = {(ord(b) - ord(a)) % 10 if a.isdigit() and b.isdigit() else ord(b) - ord(a) for a, b in pairwise(password)}
    return len(steps) == 1 and bool(steps & {1, -1, 9})


@cache
def common() -> frozenset[str]:
    """A few hundred passwords that guessers try first, and the words they are made of."""
    return frozenset((files("api.web.security") / "common_passwords.txt").read_text("utf-8").split())
