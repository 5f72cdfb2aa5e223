"""What ledger and history have, shaped for answers. For the reader's thread only (see `records`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.web.feed import compact
from api.web.one_unit import concerns
from api.web.problems import Problem
from api.web.records import Records
from controller.asked import older, scoped

if TYPE_CHECKING:
    from api.web.timeline import Told
    from controller.store.reader import Reader
    from controller.store.rows import PhotoRow, RunRow, TaskRow
    from protocols.plan import Plan

MOST_CALIBRATIONS = 500
MOST_ALARMS = 1000


class Archive:
    def __init__(self, records: Records) -> None:
        self._records = records
        self._plans: dict[str, Plan] = {}
        self._told: dict[str, tuple[int, Told]] = {}
        """Run -> number of its last event, and what the journal tells up to there."""
        self._timelines: dict[tuple[str, frozenset[str]], tuple[int, float, bytes]] = {}
        """Run and what is left out -> audit number and bench time it was made at, and the answer."""

    @property
    def ledger(self) -> Reader:
        return self._records.ledger()

    def runs(self, unit: str | None = None) -> list[dict[str, Any]]:
        """The newest first; all, or those of one unit."""
        return [shaped(row) for row in reversed(self._records.ledger().runs()) if unit in (None, row.unit)]

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

    def timeline(self, run_id: str, now: float, foreign: frozenset[str] = frozenset()) -> bytes:
        """Made anew when something was recorded, or a minute of bench time has passed. Without the alarms of `foreign`
        devices."""
        from api.web.timeline import Rows, timeline, told
        from controller.run.engine import event_of

        ledger = self._records.ledger()
        seq, _ = ledger.head()
        known = self._timelines.get((run_id, foreign))
        if known is not None and known[0] == seq and 0 <= now - known[1] < 60.0:
            return known[2]
        plan = self.plan(run_id)
        journal = ledger.events(run_id)
        last = journal[-1].seq if journal else 0
        if run_id not in self._told or self._told[run_id][0] != last:
            self._told[run_id] = last, told(run_id, plan, [event_of(row.event) for row in journal])
        since = (row for row in ledger.alarms() if row.raised_at >= plan.start)
        alarms = [row for row in since if concerns(row.run_id, row.key, {run_id}, foreign)]
        rows = Rows(
            ledger.doses(run_id), ledger.tasks(run_id), ledger.deviations(run_id), alarms[-MOST_ALARMS:],
            ledger.outages(),
        )  # fmt: skip
        text = compact(timeline(run_id, self._told[run_id][1], rows, now)).encode()
        self._timelines[run_id, foreign] = seq, now, text
        return text

    def doses(self, run_id: str) -> list[dict[str, Any]]:
        from api.web.timeline import dose

        self._row(run_id)
        return [{"path": row.path, **dose(row)} for row in self._records.ledger().doses(run_id)]

    def tasks(self, run_id: str) -> list[dict[str, Any]]:
        self._row(run_id)
        return [task(row) for row in self._records.ledger().tasks(run_id)]

    def is_open(self, run_id: str, path: str) -> bool:
        """Whether a hand step waits to be answered."""
        row = self._records.ledger().task(run_id, path)
        return row is not None and row.state == "open"

    def photos(self, run_id: str) -> list[dict[str, Any]]:
        """Pictures of the run on record, in the order in which they came."""
        from dataclasses import asdict

        self._row(run_id)
        return [asdict(row) for row in self._records.ledger().photos(run_id)]

    def photo(self, run_id: str, photo: str) -> PhotoRow:
        row = self._records.ledger().photo(photo)
        if row is None or row.run_id != run_id:
            raise Problem("not-found", f"{run_id} has no photo {photo!r}")
        return row

    def alarms(self) -> list[dict[str, Any]]:
        """The newest first."""
        from dataclasses import asdict

        rows = sorted(self._records.ledger().alarms(), key=lambda row: -row.raised_at)
        return [asdict(row) for row in rows[:MOST_ALARMS]]

    def calibrations(self, device: str | None) -> list[dict[str, Any]]:
        """The newest first."""
        from dataclasses import asdict

        rows = self._records.ledger().calibrations(device)
        return [asdict(row) for row in reversed(rows[-MOST_CALIBRATIONS:])]

    def lots(self) -> list[dict[str, Any]]:
        """The newest first."""
        from dataclasses import asdict

        return [asdict(row) for row in reversed(self._records.ledger().lots())]

    def history(self, signal: str, start: float, end: float, points: int, unit: str | None) -> bytes:
        """Buckets and gaps between two times (UTC s); `unit` None = the bench knows no such signal now."""
        reader = self._records.history()
        if unit is None and signal not in reader.signals():
            raise Problem("not-found", f"there is no signal {signal!r}; write it as device.signal")
        found = reader.query(signal, start, end, points)
        gaps = reader.gaps(signal, start, end)
        facts = {
            "signal": signal,
            "unit": unit or "",
            "start": start,
            "end": end,
            "gaps": [{"start": gap.start, "end": gap.end, "reason": gap.reason} for gap in gaps],
        }
        buckets = ",".join(compact((point.at, point.low, point.mean, point.high)) for point in found)
        return (
            f'{compact(facts)[:-1]},"buckets":[{buckets}]}}'.encode()
        )  # piece by piece: one long call holds the loop up

    def answer(self, key: str, person: str) -> tuple[dict[str, Any] | None, str | None]:
        """What the controller answered to this person's act with this key, and the unit of the run it was for, if for
        one. Ledgers of before keys had a person have it under the key alone."""
        ledger = self._records.ledger()
        own = scoped(key, person)
        if ledger.answer(own) is None:
            own = older(own)
        run = ledger.run(ledger.answered_for(own) or "")
        return ledger.answer(own), run.unit if run else None


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
        "batch": row.plan.get("batch", "") if row.plan else "",
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
