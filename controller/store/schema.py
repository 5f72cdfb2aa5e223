"""The tables of the ledger. Times are UTC seconds since 1970 (REAL), volumes mL, rates mL/min; JSON is canonical text.

`audit` keeps the canonical text of each entry and its hash: what is hashed is what is stored, byte for byte. Its other
columns are computed from that text, so a filter cannot disagree with the record.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, Computed, ForeignKey, Index, Integer, MetaData, Table, Text
from sqlalchemy.types import REAL

metadata = MetaData()

DOSE_STATES = ("intended", "sent", "moving", "fenced", "done", "partial", "unknown", "cancelled", "over")
OPEN_DOSE_STATES = ("intended", "sent", "moving", "fenced")
"""A dose in one of these was begun and its end is not yet on record; after a crash it is reconciled (DS-04)."""
TASK_STATES = ("open", "answered", "closed")
LOT_STATES = ("stock", "open", "used up", "discarded")
CALIBRATION_STATES = ("open", "accepted", "refused", "discarded")
ALARM_STATES = (
    "NORMAL",
    "UNACK",
    "ACKED",
    "RTN_UNACK",
    "LATCHED_UNACK",
    "LATCHED_ACK",
    "SHELVED",
    "SUPPRESSED",
    "OUT_OF_SERVICE",
)


def _text(name: str, *constraints: Any, default: str | None = "") -> Column[str]:
    return Column(name, Text, *constraints, nullable=False, server_default=default)


def _number(name: str) -> Column[float]:
    """A number that may be unknown."""
    return Column(name, REAL)


def _time(name: str) -> Column[float]:
    return Column(name, REAL, nullable=False)


def _json(name: str, default: str = "null") -> Column[str]:
    """Canonical JSON; `changes` encodes and `rows` decodes by this mark."""
    return Column(name, Text, nullable=False, server_default=default, info={"json": True})


def _state(values: tuple[str, ...]) -> tuple[Column[str], CheckConstraint]:
    listed = ", ".join(f"'{value}'" for value in values)
    return Column("state", Text, nullable=False), CheckConstraint(f"state IN ({listed})")


def _table(name: str, *items: Any) -> Table:
    return Table(name, metadata, *items, sqlite_strict=True)


def _of_entry(name: str) -> Column[str]:
    return Column(name, Text, Computed(f"json_extract(entry, '$.{name}')", persisted=False))


meta = _table("meta", Column("key", Text, primary_key=True, nullable=False), _text("value", default=None))

epochs = _table(
    "epochs",
    Column("epoch", Integer, primary_key=True),
    Column("pid", Integer, nullable=False),
    _text("boot_id"),
    _time("at"),
    _text("version"),
)

audit = _table(
    "audit",
    Column("seq", Integer, primary_key=True),
    _text("entry", default=None),
    _text("hash", default=None),
    *(_of_entry(name) for name in ("utc", "actor", "action", "object_type", "object_id", "run_id", "outcome")),
)

runs = _table(
    "runs",
    Column("run_id", Text, primary_key=True, nullable=False),
    _text("unit"),
    _text("name"),
    _text("protocol"),
    _text("protocol_hash"),
    _text("protocol_version"),
    _json("plan"),
    _json("parameters", "{}"),
    _text("state"),
    _time("created_at"),
    _number("started_at"),
    _number("ended_at"),
    _text("program_version"),
    _text("created_by"),
)

journal = _table(
    "journal",
    Column("seq", Integer, primary_key=True),
    Column("run_id", Text, ForeignKey("runs.run_id"), nullable=False),
    _time("at"),
    _json("event"),
    Column("audit_seq", Integer, ForeignKey("audit.seq"), nullable=False),
)

doses = _table(
    "doses",
    Column("dose_id", Text, primary_key=True, nullable=False),
    Column("run_id", Text, ForeignKey("runs.run_id")),
    _text("path"),
    _text("part"),
    _text("stroke"),
    Column("number", Integer, nullable=False, server_default="1"),
    _text("fluid"),
    _text("fluid_path"),
    _text("device"),
    _text("identity"),
    _number("target_ml"),
    _number("tolerance_ml"),
    _number("cap_ml"),
    _number("rate_ml_min"),
    Column("epoch", Integer, ForeignKey("epochs.epoch"), nullable=False),
    *_state(DOSE_STATES),
    _number("drawn_before_ml"),
    _number("delivered_before_ml"),
    _number("after_ml"),
    _number("moved_ml"),
    _number("resolution_ml"),
    _text("witness"),
    _number("witness_before"),
    _number("witness_after"),
    _number("liquid_ml"),
    _time("intended_at"),
    _number("sent_at"),
    _number("ended_at"),
    _text("evidence"),
    _text("decided_by"),
    Index("doses_of_step", "run_id", "path"),
    Index("doses_in_state", "state"),
    Index("doses_of_pump", "device"),
)

tasks = _table(
    "tasks",
    Column("run_id", Text, ForeignKey("runs.run_id"), primary_key=True, nullable=False),
    Column("path", Text, primary_key=True, nullable=False),
    _text("title"),
    _json("hand"),
    _number("due"),
    _time("opened_at"),
    *_state(TASK_STATES),
    _json("entries", "{}"),
    _text("answered_by"),
    _number("answered_at"),
    _number("closed_at"),
    _text("why"),
    _text("claimed_by"),
    _number("happened_at"),
)

materials = _table(
    "materials",
    Column("lot", Text, primary_key=True, nullable=False),
    _text("material"),
    _number("made_at"),
    _time("received_at"),
    _number("expires_at"),
    _number("opened_at"),
    _text("container"),
    _number("amount"),
    _text("unit"),
    *_state(LOT_STATES),
    _text("by"),
    _text("why"),
)

lot_uses = _table(
    "lot_uses",
    Column("run_id", Text, ForeignKey("runs.run_id"), primary_key=True, nullable=False),
    Column("path", Text, primary_key=True, nullable=False),
    Column("material", Text, primary_key=True, nullable=False),
    _text("lot"),
    _time("at"),
    _text("by"),
    _text("why"),
)

sample_results = _table(
    "sample_results",
    Column("run_id", Text, ForeignKey("runs.run_id"), primary_key=True, nullable=False),
    Column("path", Text, primary_key=True, nullable=False),
    Column("name", Text, primary_key=True, nullable=False),
    Column("number", Integer, primary_key=True, nullable=False),
    _text("sample"),
    _json("value"),
    _text("unit"),
    _text("state"),
    _text("method"),
    _text("why"),
    _time("at"),
    _text("by"),
)

batches = _table(
    "batches",
    Column("batch", Text, primary_key=True, nullable=False),
    _text("kind"),
    Column("run_id", Text, ForeignKey("runs.run_id")),
    _time("at"),
    _text("by"),
    _text("note"),
)

batch_edges = _table(
    "batch_edges",
    Column("parent", Text, ForeignKey("batches.batch"), primary_key=True, nullable=False),
    Column("child", Text, ForeignKey("batches.batch"), primary_key=True, nullable=False),
    _number("share"),
)

alarms = _table(
    "alarms",
    Column("alarm_id", Text, primary_key=True, nullable=False),
    _text("key"),
    _text("source"),
    _text("priority"),
    _text("text"),
    _text("advice"),
    *_state(ALARM_STATES),
    Column("run_id", Text, ForeignKey("runs.run_id")),
    _time("raised_at"),
    _number("acked_at"),
    _text("acked_by"),
    _number("cleared_at"),
    _number("shelved_until"),
    _json("detail", "{}"),
)

outages = _table(
    "outages",
    Column("id", Integer, primary_key=True),
    Column("epoch", Integer, ForeignKey("epochs.epoch"), nullable=False),
    _number("last_known_at"),
    _time("restarted_at"),
    _number("gap_s"),
    _text("decision"),
    _text("decided_by"),
    _json("detail", "{}"),
)

deviations = _table(
    "deviations",
    Column("id", Integer, primary_key=True),
    Column("run_id", Text, ForeignKey("runs.run_id"), nullable=False),
    _text("path"),
    _time("at"),
    _text("text"),
    _json("detail", "{}"),
)

answers = _table(
    "answers",
    Column("key", Text, primary_key=True, nullable=False),
    Column("run_id", Text, ForeignKey("runs.run_id")),
    _time("at"),
    _json("answer"),
)

devices = _table(
    "devices",
    Column("name", Text, primary_key=True, nullable=False),
    _text("model"),
    _text("identity"),
    _time("first_seen_at"),
)

points = _table(
    "points",
    Column("output", Text, primary_key=True, nullable=False),
    _json("value"),
    _text("unit"),
    _text("by"),
    Column("run_id", Text, ForeignKey("runs.run_id")),
    _time("at"),
)

calibrations = _table(
    "calibrations",
    Column("calibration_id", Text, primary_key=True, nullable=False),
    _text("device"),
    _text("kind"),
    *_state(CALIBRATION_STATES),
    _time("begun_at"),
    _text("begun_by"),
    _number("ended_at"),
    _text("ended_by"),
    _text("signed"),
    _text("identity"),
    _json("points", "[]"),
    _json("old", "{}"),
    _json("new", "{}"),
    _json("limits", "{}"),
    _number("due"),
    _text("why"),
)

configurations = _table(
    "configurations",
    Column("digest", Text, primary_key=True, nullable=False),
    _json("content", "{}"),
    _time("first_seen_at"),
    _number("accepted_at"),
    _text("accepted_by"),
)

volumes = _table(
    "volumes",
    Column("id", Integer, primary_key=True),
    _text("unit"),
    _time("at"),
    _time("ml"),
    _time("sigma_ml"),
    _text("by"),
    _text("why"),
    Index("volumes_of_unit", "unit", "at"),
)

outings = _table(
    "outings",
    Column("run_id", Text, ForeignKey("runs.run_id"), primary_key=True, nullable=False),
    Column("path", Text, primary_key=True, nullable=False),
    Column("vessel", Text, primary_key=True, nullable=False),
    _time("back_at"),
    _number("out_s"),
    _time("limit_s"),
    _text("by"),
)

photos = _table(
    "photos",
    Column("photo", Text, primary_key=True, nullable=False),
    Column("run_id", Text, ForeignKey("runs.run_id"), nullable=False),
    _text("path"),
    _time("at"),
    _text("by"),
    _text("kind"),
    Column("bytes", Integer, nullable=False),
    _text("sha256"),
)

unit_donors = _table(
    "unit_donors",
    Column("id", Integer, primary_key=True),
    _text("unit"),
    _text("donor"),
    Column("run_id", Text, ForeignKey("runs.run_id")),
    _time("at"),
    _text("by"),
    _text("why"),
)

releases = _table(
    "releases",
    Column("id", Integer, primary_key=True),
    Column("batch", Text, ForeignKey("batches.batch"), nullable=False),
    _text("stage"),
    _time("at"),
    _text("by"),
    _text("second_by"),
    _number("second_at"),
    _text("why"),
    _json("facts"),
)

APPEND_ONLY = ("audit", "journal")
"""Tables whose rows triggers protect from UPDATE and DELETE (AT-04)."""

OPEN_TO_CHANGES: dict[str, Table] = {
    table.name: table
    for table in (
        runs,
        doses,
        tasks,
        sample_results,
        alarms,
        outages,
        deviations,
        answers,
        points,
        devices,
        calibrations,
        configurations,
        volumes,
        outings,
        photos,
        unit_donors,
        releases,
        materials,
        lot_uses,
        batches,
        batch_edges,
    )
}
"""Tables a caller of `commit` may change; the others are written by the ledger itself."""
