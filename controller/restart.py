"""How long nobody was in control, and the record of it (DX-13)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from controller.actors import SYSTEM
from controller.clock import Clock, iso, pace
from controller.run.doors import Doors
from controller.store.changes import AuditEntry, Change, Insert
from controller.store.history import History
from controller.store.ledger import Ledger

TOLERATED_S = 1.0
"""A clock this much behind the last record is no step (TM-04): wall seconds, which paced time makes longer."""
BUILT_AT = 1_790_000_000.0
"""UTC s, 2026-09-21: this program did not exist before."""
LONG_S = 24 * 3600.0
"""After an outage this long a run never goes on by itself (DX-20)."""


@dataclass(frozen=True, slots=True)
class Outage:
    """From the last record of the earlier controller to the start of this one, UTC s; `planned` = ended in order."""

    last_known_at: float
    restarted_at: float
    planned: bool

    @property
    def gap_s(self) -> float:
        return max(0.0, self.restarted_at - self.last_known_at)


def measure_gap(ledger: Ledger, history: History, clock: Clock) -> Outage | None:
    """The gap before this start; None when nobody ever ran here."""
    if ledger.newest_epoch() == 0:
        return None
    seq, _ = ledger.head()
    last = ledger.audit(seq - 1)
    planned = bool(last) and last[0].action == "controller.stopped"
    known = [at for at in (ledger.last_at(), history.last_at()) if at is not None]
    return Outage(max(known, default=clock.now()), clock.now(), planned)


def doubt(ledger: Ledger, history: History, clock: Clock) -> None:
    """A clock that is behind the last record, or behind this program, is not trusted (TM-04)."""
    known = [at for at in (ledger.last_at(), history.last_at()) if at is not None]
    last = max(known, default=0.0)
    now = clock.now()
    if now < last - TOLERATED_S * pace():
        clock.not_before(last, f"it says {iso(now)}, and the last record is of {iso(last)}")
    elif clock.wall is not None and now < BUILT_AT:
        clock.not_before(max(last, now), f"it says {iso(now)}, and this program was made after that")


def outage_rows(ledger: Ledger, outage: Outage) -> tuple[list[Change], list[AuditEntry]]:
    """The outage record of the epoch that is about to begin; it goes into the epoch's own transaction."""
    epoch = ledger.newest_epoch() + 1
    row = {
        "epoch": epoch,
        "last_known_at": outage.last_known_at,
        "restarted_at": outage.restarted_at,
        "gap_s": outage.gap_s,
        "decision": "runs held" if outage.gap_s > LONG_S else "runs go on by their rules",
        "decided_by": "rule",
        "detail": {"planned": outage.planned, "open_doses": [row.dose_id for row in ledger.open_doses()]},
    }
    entry = AuditEntry("outage", "controller", str(epoch), SYSTEM.name, SYSTEM.role, new=asdict(outage), unit="s")
    return [Insert("outages", row)], [entry]


async def alarm_outage(doors: Doors, outage: Outage) -> None:
    """A restart that nobody planned is an alarm (safety-and-records 5.2)."""
    if not outage.planned:
        text = f"controller restarted after {outage.gap_s:.0f} s without control"
        advice = "Look at the outage record and at the culture."
        key = f"restart:{doors.ledger.epoch}"
        await doors.alarms.raise_(key, "high", text, advice)
        await doors.alarms.clear(key)  # it is over: to be seen by a person, and gone then
