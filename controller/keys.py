"""What became of requests that carry an Idempotency-Key: the first answer or refusal stands for good (SM-03)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from controller.actors import Actor
from controller.clock import Clock
from controller.errors import KeyReused, RefusedBefore
from controller.store.changes import AuditEntry, Change, Upsert
from controller.store.errors import LedgerFault
from controller.store.ledger import Ledger


class Keys:
    """The answers in the ledger by key, and whose turn it is. The empty key is no key."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger, self.clock = ledger, clock
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}
        self._asked: dict[str, str] = {}
        """Key of a request under way -> what it asks for."""

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncGenerator[None]:
        """Requests with the same key go one after another, so that the second finds the answer of the first."""
        lock, waiting = self._turns.get(key, (asyncio.Lock(), 0))
        self._turns[key] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            self._asked.pop(key, None)
            lock, waiting = self._turns.pop(key)
            if waiting > 1:
                self._turns[key] = lock, waiting - 1

    def answered(self, key: str, asked: str) -> Mapping[str, Any] | None:
        """The first answer given under `key`; None when it is new.

        Raises KeyReused when it was for something else, RefusedBefore when it was a refusal."""
        if not key:
            return None
        answer = self.ledger.answer(key)
        if answer is None:
            self._asked[key] = asked
            return None
        if answer.get("asked", asked) != asked:
            raise KeyReused(f"this Idempotency-Key was used for {answer['asked']!r}; nothing was done")
        if "refused" in answer:
            raise RefusedBefore(answer["refused"])
        return answer

    async def refuse(self, key: str, refusal: Mapping[str, Any], by: Actor, run_id: str = "") -> None:
        """Keep a refusal under its key, so that the same request a second time does not act on what has changed since.

        Not kept: what was refused before the key was looked at, and what cannot be written now."""
        asked = self._asked.get(key)
        if asked is None or self.ledger.answer(key) is not None:
            return
        text = str(refusal["error"]["text"])
        entry = AuditEntry(
            "request refused", "request", key, by.name, by.role, by.authenticated_by,
            new={"asked": asked}, reason=text, outcome="refused", client=by.client,
        )  # fmt: skip
        with suppress(LedgerFault):
            known = self.ledger.run(run_id) is not None
            await self.remember(key, {"asked": asked, "refused": refusal}, entry, run_id if known else None)

    async def remember(self, key: str, answer: Mapping[str, Any], entry: AuditEntry, run_id: str | None = None) -> None:
        """Record something that changes no run, and the answer to it under its key, if it has one."""
        change = [answer_row(key, run_id, self.clock.now(), answer)] if key else []
        await self.ledger.commit(change, [entry])


def answer_row(key: str, run_id: str | None, at: float, answer: Mapping[str, Any]) -> Change:
    return Upsert("answers", {"key": key, "run_id": run_id, "at": at, "answer": dict(answer)})
