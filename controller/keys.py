"""What became of requests that carry an Idempotency-Key: the first answer or refusal stands for good (SM-03)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from controller.actors import SYSTEM, Actor
from controller.asked import bare, older, same
from controller.clock import Clock
from controller.errors import KeyReused, RefusedBefore
from controller.quota import Quota
from controller.store.changes import AuditEntry, Change, Upsert
from controller.store.errors import LedgerFault
from controller.store.ledger import Ledger
from controller.store.reader import Reader

QUOTA = 60
"""Refusals kept in a minute, of all people together: one row and one audit entry each."""
REUSED = "this Idempotency-Key was used for another request; nothing was done"


class Keys:
    """The answers in the ledger by key (see `asked.scoped`), and whose turn it is. The empty key is no key."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger, self.clock = ledger, clock
        self._turns: dict[str, tuple[asyncio.Lock, int]] = {}
        self._asked: dict[str, str] = {}
        """Key of a request under way in its turn -> what it asks for."""
        self._quota = Quota(QUOTA)

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
        answer = self.first(key, asked)
        if answer is None and key in self._turns:
            self._asked[key] = asked
        return answer

    def answered_or_free(self, key: str, asked: str, *, in_turn: bool = True) -> tuple[Mapping[str, Any] | None, str]:
        """For what only makes things safer: the first answer, and the key to record it under.

        No key refuses a hold: one that was used for something else, or was refused, is as good as none."""
        try:
            return (self.answered if in_turn else self.first)(key, asked), key
        except (KeyReused, RefusedBefore):
            return None, ""

    def first(self, key: str, asked: str) -> Mapping[str, Any] | None:
        """As `answered`, of a request that waits for no turn."""
        answer = stored(self.ledger, key) if key else None
        if answer is None:
            return None
        if not same(answer.get("asked", asked), asked):
            raise KeyReused(REUSED)
        if "refused" in answer:
            raise RefusedBefore(answer["refused"])
        return answer

    async def refuse(self, key: str, refusal: Mapping[str, Any], by: Actor, run_id: str = "") -> None:
        """Keep a refusal under its key, so that the same request a second time does not act on what has changed since.

        Not kept: what was refused before the key was looked at, what cannot be written now, what is beyond QUOTA."""
        asked = self._asked.get(key)
        if asked is None or stored(self.ledger, key) is not None:
            return
        counted = [quota_entry(beyond)] if (beyond := self._quota.ended()) else []
        if not self._quota.take():
            return
        text = str(refusal["error"]["text"])
        entry = AuditEntry(
            "request refused", "request", bare(key), by.name, by.role, by.authenticated_by,
            new={"asked": asked}, reason=text, outcome="refused", client=by.client,
        )  # fmt: skip
        with suppress(LedgerFault):
            known = self.ledger.run(run_id) is not None
            row = answer_row(key, run_id if known else None, self.clock.now(), {"asked": asked, "refused": refusal})
            await self.ledger.commit([row], [*counted, entry])

    async def remember(self, key: str, answer: Mapping[str, Any], entry: AuditEntry) -> None:
        """Record something that changes no run, and the answer to it under its key, if it has one."""
        change = [answer_row(key, None, self.clock.now(), answer)] if key else []
        await self.ledger.commit(change, [entry])


def stored(ledger: Reader, key: str) -> Any:
    """The first answer under a person's key, also where a ledger of before has it; None when the key is new."""
    answer = ledger.answer(key)
    return ledger.answer(older(key)) if answer is None and older(key) else answer


def quota_entry(beyond: int) -> AuditEntry:
    text = f"{beyond} refusals beyond {QUOTA} in a minute were only counted"
    return AuditEntry("refusal quota", "audit", "requests", SYSTEM.name, SYSTEM.role, reason=text)


def answer_row(key: str, run_id: str | None, at: float, answer: Mapping[str, Any]) -> Change:
    return Upsert("answers", {"key": key, "run_id": run_id, "at": at, "answer": dict(answer)})
