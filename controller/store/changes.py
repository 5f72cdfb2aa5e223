"""What one commit may hold: changes by table name, audit entries, journal entries. Values, not SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row. A row with this key already there refuses the commit."""

    table: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Update:
    """New values in the one row with this key. No such row refuses the commit."""

    table: str
    key: Mapping[str, object]
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Upsert:
    """A new row, or these values in the row that has the same primary key."""

    table: str
    values: Mapping[str, object]


Change = Insert | Update | Upsert


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which object, and how it ended (AT-02). The ledger adds number, times, boot id and hashes.

    outcome: done · refused · failed. `old` and `new` are anything JSON can hold.
    """

    action: str
    object_type: str
    object_id: str
    actor: str
    role: str = "component"
    authenticated_by: str = ""
    old: object = None
    new: object = None
    unit: str = ""
    reason: str = ""
    run_id: str = ""
    step: str = ""
    outcome: str = "done"
    correlation_id: str = ""
    actor_name: str = ""
    """Full name at that time; "" for a component."""
    client: str = ""
    """Address and session of the client; "" for the controller itself."""
    object_version: str = ""

    def fields(self) -> dict[str, object]:
        return {
            "action": self.action,
            "object_type": self.object_type,
            "object_id": self.object_id,
            "object_version": self.object_version,
            "actor": self.actor,
            "actor_name": self.actor_name,
            "role": self.role,
            "authenticated_by": self.authenticated_by,
            "client": self.client,
            "old": self.old,
            "new": self.new,
            "unit": self.unit,
            "reason": self.reason,
            "run_id": self.run_id,
            "step": self.step,
            "outcome": self.outcome,
            "correlation_id": self.correlation_id,
        }


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One event of a run, at UTC seconds; `event` is anything JSON can hold."""

    run_id: str
    at: float
    event: Mapping[str, object]
