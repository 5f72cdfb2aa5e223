"""Alarm rows: raised once by key, acknowledged by a person, gone only by the rules (AL-01), restarts or not (AL-05)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from controller.actors import RULE, Actor
from controller.clock import Clock
from controller.errors import RunConflict
from controller.store.changes import AuditEntry, Change, Insert, Update
from controller.store.ledger import Ledger


class Alarms:
    """Open alarms by key, mirrored from the ledger. The full life cycle and catalogue are built on these rows."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger, self.clock = ledger, clock
        self._open: dict[str, dict[str, Any]] = {row.key: asdict(row) for row in ledger.alarms(open_only=True)}
        self.heard: list[Callable[[str, str, str, str | None], None]] = []
        """Who wants to know of alarms that no run raised itself: key, priority, text, run."""
        self._number = len(ledger.alarms(open_only=False))

    def open(self) -> list[Mapping[str, Any]]:
        """Every alarm that a person must still see, critical first, newest first inside."""
        order = {"critical": 0, "high": 1, "low": 2}
        return sorted(self._open.values(), key=lambda row: (order[row["priority"]], -row["raised_at"]))

    def rows_to_raise(
        self, key: str, priority: str, text: str, advice: str, run_id: str | None = None
    ) -> tuple[list[Change], list[AuditEntry]]:
        """The change and its audit entry for one more transaction; empty when the alarm already stands.

        A condition that returns before anybody saw that it had gone is the same alarm again (RTN_UNACK to UNACK)."""
        known = self._open.get(key)
        if known is not None and known["state"] != "RTN_UNACK":
            return [], []
        facts: dict[str, Any] = {
            "priority": priority,
            "text": text,
            "advice": advice,
            "state": "UNACK",
            "raised_at": self.clock.now(),
        }
        change: Change
        if known is not None:
            identity = str(known["alarm_id"])
            known.update(facts)
            change = Update("alarms", {"alarm_id": identity}, facts)
        else:
            self._number += 1
            identity = f"alarm-{self._number}"
            self._open[key] = {
                "alarm_id": identity,
                "key": key,
                "source": key.partition(":")[0],
                "run_id": run_id,
                **facts,
            }
            change = Insert("alarms", self._open[key])
        entry = AuditEntry(
            "alarm raised", "alarm", identity, RULE.name, RULE.role, new=text, run_id=run_id or "", reason=key
        )
        return [change], [entry]

    async def raise_(self, key: str, priority: str, text: str, advice: str, run_id: str | None = None) -> None:
        """Raise an alarm in a transaction of its own; nothing happens when it already stands."""
        change, audit = self.rows_to_raise(key, priority, text, advice, run_id)
        if change:
            await self.ledger.commit(change, audit)
            for hear in self.heard:
                hear(key, priority, text, run_id)

    async def clear(self, key: str) -> None:
        """The condition is gone: acknowledged alarms become normal, others wait for a person (RTN_UNACK)."""
        row = self._open.get(key)
        if row is None or row["state"] == "RTN_UNACK":
            return
        state = "NORMAL" if row["state"] == "ACKED" else "RTN_UNACK"
        await self._move(row, state, RULE, {"cleared_at": self.clock.now()})

    async def acknowledge(self, alarm_id: str, by: Actor) -> None:
        """A person has seen it; that never clears a condition. Raises RunConflict when there is no such alarm."""
        row = next((row for row in self._open.values() if row["alarm_id"] == alarm_id), None)
        if row is None:
            raise RunConflict(f"no open alarm {alarm_id}")
        state = {"UNACK": "ACKED", "RTN_UNACK": "NORMAL"}.get(row["state"])
        if state is not None:
            await self._move(row, state, by, {"acked_at": self.clock.now(), "acked_by": by.name})

    async def _move(self, row: dict[str, Any], state: str, by: Actor, facts: dict[str, Any]) -> None:
        entry = AuditEntry(
            "alarm state",
            "alarm",
            row["alarm_id"],
            by.name,
            by.role,
            by.authenticated_by,
            old=row["state"],
            new=state,
            client=by.client,
        )
        await self.ledger.commit([Update("alarms", {"alarm_id": row["alarm_id"]}, {"state": state, **facts})], [entry])
        row.update(facts, state=state)
        if state == "NORMAL":
            del self._open[row["key"]]
