"""What the ledger has of runs, shaped for answers. Imports the store only when first asked (see `records`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.web.feed import compact
from api.web.problems import Problem
from api.web.records import Records

if TYPE_CHECKING:
    from api.web.timeline import Told
    from controller.store.rows import RunRow, TaskRow
    from protocols.plan import Plan

MOST_ALARMS = 1000


class Archive:
    def __init__(self, records: Records) -> None:
        self._records = records
        self._plans: dict[str, Plan] = {}
        self._told: dict[str, tuple[int, Told]] = {}
        """Run -> number of its last event, and what the journal tells up to there."""
        self._timelines: dict[str, tuple[int, float, bytes]] = {}
        """Run -> audit number and bench minute it was made at, and the answer."""

    def runs(self) -> list[dict[str, Any]]:
        return [shaped(row) for row in reversed(self._records.ledger().runs())]

    def run(self, run_id: str) -> dict[str, Any]:
        return shaped(self._row(run_id))

    def _row(self, run_id: str) -> RunRow:
        row = self._records.ledger().run(run_id)
        if row is None:
            raise Problem("not-found", f"there is no run {run_id!r}")
        return row

    def plan(self, run_id: str) -> Plan:
        """As it was made at the start; it never changes."""
        if run_id not in self._plans:
            from protocols import records
            from protocols.plan import Plan

            plan = records.from_json(self._row(run_id).plan)
            if not isinstance(plan, Plan):
                raise Problem("records-damaged", f"the stored plan of {run_id} is no plan")
            self._plans[run_id] = plan
        return self._plans[run_id]

    def timeline(self, run_id: str, now: float) -> bytes:
        """Made anew when something was recorded, or a minute of bench time has passed."""
        from api.web.timeline import Rows, timeline, told
        from controller.run.engine import event_of

        ledger = self._records.ledger()
        seq, _ = ledger.head()
        known = self._timelines.get(run_id)
        if known is not None and known[0] == seq and 0 <= now - known[1] < 60.0:
            return known[2]
        plan = self.plan(run_id)
        journal = ledger.events(run_id)
        last = journal[-1].seq if journal else 0
        if run_id not in self._told or self._told[run_id][0] != last:
            self._told[run_id] = last, told(run_id, plan, [event_of(row.event) for row in journal])
        alarms = [row for row in ledger.alarms() if row.run_id in (None, run_id) and row.raised_at >= plan.start]
        rows = Rows(
            ledger.doses(run_id), ledger.tasks(run_id), ledger.deviations(run_id), alarms[-MOST_ALARMS:],
            ledger.outages(),
        )  # fmt: skip
        text = compact(timeline(run_id, plan, self._told[run_id][1], rows, now)).encode()
        self._timelines[run_id] = seq, now, text
        return text

    def doses(self, run_id: str) -> list[dict[str, Any]]:
        from api.web.timeline import dose

        self._row(run_id)
        return [{"path": row.path, **dose(row)} for row in self._records.ledger().doses(run_id)]

    def tasks(self, run_id: str) -> list[dict[str, Any]]:
        self._row(run_id)
        return [task(row) for row in self._records.ledger().tasks(run_id)]

    def alarms(self) -> list[dict[str, Any]]:
        """The newest first."""
        from dataclasses import asdict

        rows = sorted(self._records.ledger().alarms(), key=lambda row: -row.raised_at)
        return [asdict(row) for row in rows[:MOST_ALARMS]]

    def answer(self, key: str) -> dict[str, Any] | None:
        """What the controller answered to the act with this key."""
        return self._records.ledger().answer(key)


def shaped(row: RunRow) -> dict[str, Any]:
    return {
        "run": row.run_id,
        "unit": row.unit,
        "protocol": row.name,
        "version": row.protocol_version,
        "state": row.state,
        "created": row.created_at,
        "started": row.started_at,
        "ended": row.ended_at,
        "created_by": row.created_by,
        "parameters": row.parameters,
    }


def task(row: TaskRow) -> dict[str, Any]:
    return {
        "run": row.run_id,
        "path": row.path,
        "title": row.title,
        "state": row.state,
        "due": row.due,
        "opened": row.opened_at,
        "hand": row.hand,
        "entries": row.entries,
        "by": row.answered_by,
        "claimed_by": row.claimed_by,
        "answered": row.answered_at,
        "closed": row.closed_at,
        "why": row.why,
    }
