"""Rows of the ledger as they are read back; field names and order are the columns of `schema`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RunRow:
    run_id: str
    unit: str
    name: str
    protocol: str
    """The protocol file's text as it was at the start."""
    protocol_hash: str
    protocol_version: str
    plan: Any
    parameters: Any
    state: str
    created_at: float
    started_at: float | None
    ended_at: float | None
    program_version: str
    created_by: str


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    calibration_id: str
    device: str
    kind: str
    """points, weight, autoclave."""
    state: str
    begun_at: float
    begun_by: str
    ended_at: float | None
    ended_by: str
    signed: str
    """How the person who ended it was known."""
    identity: str
    """Of the device, as it answered."""
    points: Any
    old: Any
    new: Any
    limits: Any
    due: float | None
    """UTC s; None = it does not end by itself."""
    why: str


@dataclass(frozen=True, slots=True)
class JournalRow:
    seq: int
    run_id: str
    at: float
    event: Any
    audit_seq: int
    """First audit entry of the commit this event came with."""


@dataclass(frozen=True, slots=True)
class DoseRow:
    dose_id: str
    run_id: str | None
    """None for a manual dose outside any run (DS-11)."""
    path: str
    part: str
    stroke: str
    number: int
    fluid: str
    fluid_path: str
    device: str
    identity: str
    target_ml: float | None
    tolerance_ml: float | None
    cap_ml: float | None
    rate_ml_min: float | None
    epoch: int
    state: str
    drawn_before_ml: float | None
    delivered_before_ml: float | None
    after_ml: float | None
    moved_ml: float | None
    resolution_ml: float | None
    witness: str
    witness_before: float | None
    witness_after: float | None
    liquid_ml: float | None
    intended_at: float
    sent_at: float | None
    ended_at: float | None
    evidence: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class TaskRow:
    run_id: str
    path: str
    title: str
    hand: Any
    due: float | None
    opened_at: float
    state: str
    entries: Any
    answered_by: str
    answered_at: float | None
    closed_at: float | None
    why: str
    claimed_by: str = ""
    """Who is on it; "" = nobody."""
    happened_at: float | None = None
    """When it was done, where that was written down later (UTC s); None = as it was answered."""


@dataclass(frozen=True, slots=True)
class LotRow:
    lot: str
    material: str
    made_at: float | None
    received_at: float
    expires_at: float | None
    """UTC s; None = it does not expire."""
    opened_at: float | None
    container: str
    amount: float | None
    unit: str
    state: str
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class LotUseRow:
    run_id: str
    path: str
    material: str
    lot: str
    at: float
    by: str
    why: str
    """Why a supervisor let a lot pass that was refused; "" = nothing was against it."""


@dataclass(frozen=True, slots=True)
class BatchRow:
    batch: str
    kind: str
    run_id: str | None
    at: float
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class BatchEdgeRow:
    parent: str
    child: str
    share: float | None
    """Which part of the parent went into the child, 0 to 1."""


@dataclass(frozen=True, slots=True)
class SampleResultRow:
    """One reading of one result of a sample; the highest `number` is the one that holds."""

    run_id: str
    path: str
    """Of the step that took the sample."""
    name: str
    number: int
    sample: str
    value: Any
    unit: str
    state: str
    method: str
    why: str
    at: float
    by: str


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One step of a batch's release; a final one waits until `second_by` has signed too."""

    id: int
    batch: str
    stage: str
    at: float
    by: str
    second_by: str
    second_at: float | None
    why: str
    facts: Any
    """What there was to see when it was signed."""


@dataclass(frozen=True, slots=True)
class AlarmRow:
    alarm_id: str
    key: str
    source: str
    priority: str
    text: str
    advice: str
    state: str
    run_id: str | None
    raised_at: float
    acked_at: float | None
    acked_by: str
    cleared_at: float | None
    shelved_until: float | None
    detail: Any


@dataclass(frozen=True, slots=True)
class OutageRow:
    id: int
    epoch: int
    last_known_at: float | None
    restarted_at: float
    gap_s: float | None
    decision: str
    decided_by: str
    detail: Any


@dataclass(frozen=True, slots=True)
class DeviationRow:
    id: int
    run_id: str
    path: str
    at: float
    text: str
    detail: Any


@dataclass(frozen=True, slots=True)
class PointRow:
    output: str
    value: Any
    unit: str
    by: str
    run_id: str | None
    at: float


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry of the trail; `fields` is the whole entry, the names beside it are there for filters."""

    seq: int
    utc: str
    actor: str
    action: str
    object_type: str
    object_id: str
    run_id: str
    outcome: str
    hash: str
    fields: Any


@dataclass(frozen=True, slots=True)
class DeviceRow:
    name: str
    model: str
    identity: str
    first_seen_at: float


@dataclass(frozen=True, slots=True)
class ConfigurationRow:
    """A bench file this ledger ran under, by its digest; not accepted = nobody has seen the difference yet."""

    digest: str
    content: Any
    first_seen_at: float
    accepted_at: float | None
    accepted_by: str


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """What a vessel held at `at`: measured by a person, or taken over by a run from the one before."""

    id: int
    unit: str
    at: float
    ml: float
    sigma_ml: float
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class OutingRow:
    """One visit of one vessel outside the incubator; `out_s` None = nobody wrote it down."""

    run_id: str
    path: str
    vessel: str
    back_at: float
    out_s: float | None
    limit_s: float
    by: str


@dataclass(frozen=True, slots=True)
class PhotoRow:
    """A picture that a person took at a hand step; the file is `photos.file_of` below the data folder."""

    photo: str
    """Its name, given by us: 32 hex digits."""
    run_id: str
    path: str
    at: float
    by: str
    kind: str
    """png, jpeg, webp."""
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DonorRow:
    """From `at` on a unit holds cells of this donor; "" = its line was cleared, it holds nobody's."""

    id: int
    unit: str
    donor: str
    run_id: str | None
    at: float
    by: str
    why: str
