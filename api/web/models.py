"""What goes in and out over HTTP, with examples: strict where text comes in, documentation where bytes go out.

Times: `at`, `start`, `end`, `now` are UTC seconds since 1970 in bench time; ages are seconds. Units are UCUM symbols.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from protocols.states import Cause, RunState

Text = Annotated[str, Field(max_length=500)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Time = float
Bucket = tuple[float, float | None, float | None, float | None]


class Incoming(BaseModel):
    """A body: unknown fields and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Outgoing(BaseModel):
    """An answer as it is documented."""

    model_config = ConfigDict(extra="allow")


# ---- in ------------------------------------------------------------------------------------------------------


class CommandIn(Incoming):
    """A command for a run. `state_seen` is the state the person saw; another one by now refuses it with 409."""

    cause: Annotated[Cause, Field(strict=False, examples=["hold"])]
    state_seen: Annotated[RunState, Field(strict=False, examples=["RUNNING"])]
    why: Annotated[Text, Field(examples=["foam in the vessel"])] = ""


class BatchSaidIn(Incoming):
    """Of the batch that a hand step makes in a vessel, where it is not as the protocol has it."""

    batch: Annotated[str, Field(max_length=80, examples=["SB-1"])] = ""
    share: Annotated[float | None, Field(gt=0, le=1, strict=False)] = None
    """Which part of the source went there."""
    kept: Annotated[float | None, Field(gt=0, le=1, strict=False)] = None
    """How much of that arrived."""


class AnswerIn(Incoming):
    """What a person wrote down for a task."""

    path: Annotated[Name, Field(examples=["seed/count"])]
    entries: Annotated[dict[str, float | int | str | bool], Field(max_length=100, examples=[{"viability": 93.5}])] = {}
    lots: Annotated[dict[str, Name], Field(max_length=100, examples=[{"growth medium": "GM-0412"}])] = {}
    happened_at: Annotated[float, Field(ge=0, le=4e9, examples=[1767600000.0])] | None = None
    out_min: Annotated[float, Field(ge=0, le=1440, strict=False, examples=[12.0])] | None = None
    """UTC s, where it is written down later than it was done; None = now."""
    batches: Annotated[dict[Name, BatchSaidIn], Field(max_length=50, examples=[{"plates": {"batch": "SB-1"}}])] = {}
    """By vessel, what is said of the batch that this step makes there."""
    why: Annotated[str, Field(max_length=1000)] = ""
    """Needed before the task was open, and by a supervisor who lets a refused lot pass."""


class LotIn(Incoming):
    """A lot to be booked in; times in UTC s."""

    lot: Annotated[Name, Field(examples=["GM-0412"])]
    material: Annotated[Name, Field(examples=["growth medium"])]
    made_at: Annotated[float, Field(ge=0, le=4e9)] | None = None
    expires_at: Annotated[float, Field(ge=0, le=4e9)] | None = None
    container: Annotated[str, Field(max_length=200)] = ""
    amount: Annotated[float, Field(gt=0)] | None = None
    unit: Annotated[str, Field(max_length=200, examples=["mL"])] = ""


class LotStateIn(Incoming):
    state: Annotated[Literal["open", "used up", "discarded"], Field(examples=["open"])]
    why: Annotated[str, Field(max_length=1000)] = ""


class ClaimIn(Incoming):
    """Who is to be on a task: whoever asks, the simulated person (a demo has one), or nobody again."""

    path: Annotated[Name, Field(examples=["seed/count"])]
    by: Annotated[Literal["me", "simulated", "anyone"], Field(examples=["me"])]


class DecisionIn(Incoming):
    """The answer to an open question of a held run."""

    path: Name
    answer: Annotated[Name, Field(examples=["delivered"])]
    question: Annotated[str, Field(max_length=2000)] = ""
    """As it was seen; another one that is open there by now is not answered: 409."""
    volume_ml: Annotated[float | None, Field(ge=0, le=10_000, strict=False)] = None
    why: Text = ""


class AmendPreviewIn(Incoming):
    """skip and move name a step or occurrence to come; repeat one that is over; set gives parameters other values."""

    what: Annotated[Literal["skip", "move", "repeat", "set"], Field(examples=["move"])]
    path: Annotated[str, Field(max_length=500, examples=["maturation/exchange-in-the-reactor/3"])] = ""
    at: Annotated[float | None, Field(ge=0, le=4e9, strict=False, description="UTC seconds, of move and repeat")] = None
    set: Annotated[dict[str, str], Field(max_length=50, examples=[{"fill volume": "17 mL"}])] = {}


class AmendIn(AmendPreviewIn):
    why: Annotated[str, Field(min_length=5, max_length=1000, examples=["the incubator was opened for cleaning"])]


class ModeIn(Incoming):
    mode: Annotated[Literal["auto", "step", "manual"], Field(examples=["step"])]
    why: Text = ""


class AdvanceIn(Incoming):
    path: Annotated[Name, Field(examples=["seed/count"])]


class HoldIn(Incoming):
    why: Text = "held from the dashboard"


class VolumeIn(Incoming):
    """What the vessel of a unit was found to hold."""

    ml: Annotated[float, Field(ge=0, le=10_000, strict=False, examples=[88.0])]
    why: Annotated[str, Field(min_length=5, max_length=1000, examples=["weighed, minus the empty vessel"])]


class VolumeOut(BaseModel):
    ml: float
    more_than_booked_ml: float


class StopPumpsIn(Incoming):
    """Nothing need be said."""


class StartIn(Incoming):
    """A protocol that ships, by name, or the text of one; `start` UTC s, None = now."""

    protocol: Annotated[str, Field(min_length=1, max_length=500_000, examples=["adsc-osteo-spheroid-28d"])]
    unit: Name | None = None
    set: Annotated[dict[str, str], Field(max_length=100)] = {}
    start: Annotated[float | None, Field(ge=0, strict=False)] = None
    batch: Annotated[str, Field(max_length=200, examples=["B-001"])] = ""
    """The batch that the run works on; with `parents` a new one."""
    parents: Annotated[dict[Name, float], Field(max_length=100)] = {}
    """Which part of each (0 to 1) goes into the new batch."""
    kind: Annotated[str | None, Field(max_length=40)] = None
    """Of the new batch; None = that of its parents."""


class CheckIn(Incoming):
    """A protocol that ships, by name, or the text of one, with values for its parameters."""

    protocol: Annotated[str, Field(min_length=1, max_length=300_000, examples=["adsc-osteo-spheroid-28d"])]
    set: Annotated[dict[str, str], Field(max_length=100, examples=[{"fill volume": "15 mL"}])] = {}


class PlanIn(CheckIn):
    """With a start (UTC s; None = now), or the best one in the seven days from it."""

    start: Annotated[float | None, Field(ge=0, le=4e9, strict=False, examples=[1767600000.0])] = None
    best_start: bool = False
    zone: Annotated[Name | None, Field(examples=["Asia/Tokyo"])] = None
    """Without it the site's."""


class AcknowledgeIn(Incoming):
    """Nothing need be said."""


# ---- out -----------------------------------------------------------------------------------------------------


class Health(Outgoing):
    status: Literal["ok", "starting", "controller away", "controller silent"]
    doing: Annotated[str, Field(examples=["rehearsing the first 16 days: day 7.3"])] = ""
    """What a start that takes long is doing."""


class Reading(Outgoing):
    """The last value of a signal. `quality` other than good: not to be relied on, `why` says the reason."""

    value: Annotated[float | str | bool | None, Field(examples=[37.01])]
    unit: Annotated[str, Field(examples=["Cel"])]
    quality: Literal["good", "stale", "bad", "manual", "substituted"]
    why: str
    age_s: float | None
    at: Time | None
    stale_after_s: Annotated[float, Field(examples=[30.0])]
    low: float | None
    """The device's own limits."""
    high: float | None
    writable: bool


class Limits(Outgoing):
    low: float | None
    high: float | None
    source: Annotated[str, Field(examples=["alarm limits of incubator"])]


class RoleValue(Outgoing):
    """What plays one part of a unit: its signal, value, set point and limits."""

    role: Annotated[str, Field(examples=["temperature"])]
    signal: Annotated[str, Field(examples=["incubator.temperature"])]
    reading: Reading
    set_point: Reading | None
    set_signal: str | None
    owner: str
    """Who sets it: a run id; "" = nobody."""
    limits: Limits | None


class UnitOut(Outgoing):
    """One vessel with its environment, live."""

    unit: Annotated[str, Field(examples=["reactor"])]
    now: Time
    controller: Literal["ok", "starting", "silent", "away"]
    roles: list[RoleValue]
    vessel: dict[str, Any]
    volume: Annotated[dict[str, float] | None, Field(examples=[{"ml": 88.4, "sigma_ml": 1.1, "low": 60, "high": 150}])]
    paths: dict[str, Any]
    pumps: list[dict[str, Any]]
    stays_on: Annotated[list[str], Field(examples=[["temperature", "co2"]])]
    """What a hold leaves on (UI-46)."""
    run: dict[str, Any] | None
    tasks: list[dict[str, Any]]
    alarms: list[dict[str, Any]]


class UnitRow(Outgoing):
    unit: str
    run: str | None
    state: str | None
    tasks: int
    alarms: int


class Calibrated(Outgoing):
    """What a device's calibrations are worth now."""

    good: bool
    text: Annotated[str, Field(examples=["calibrated 2026-01-04, due 2026-02-03"])]
    at: Time | None
    due: Time | None
    autoclaved: int
    open: str


class DeviceOut(Outgoing):
    name: Annotated[str, Field(examples=["incubator"])]
    model: Annotated[str, Field(examples=["memmert_ico"])]
    condition: Literal["connecting", "ready", "lost", "in alarm", "wrong device"]
    why: str
    verified: str | None
    identity: dict[str, str] | None
    poll_s: float
    calibration: Calibrated | None
    """None while the controller starts."""


class CalibrationOut(Outgoing):
    """One calibration: kind points, weight or autoclave; state open, accepted, refused or discarded."""

    calibration_id: Annotated[str, Field(examples=["calibration-3"])]
    device: Annotated[str, Field(examples=["ph_probe"])]
    kind: Literal["points", "weight", "autoclave"]
    state: Literal["open", "accepted", "refused", "discarded"]
    begun_at: Time
    begun_by: str
    ended_at: Time | None
    ended_by: str
    signed: str
    identity: str
    points: list[dict[str, Any]]
    old: dict[str, float]
    new: dict[str, float]
    limits: dict[str, Any]
    due: Time | None
    why: str


class LotOut(Outgoing):
    """One lot of a material; `material` as protocols name it."""

    lot: Annotated[str, Field(examples=["GM-0412"])]
    material: str
    made_at: Time | None
    received_at: Time
    expires_at: Time | None
    opened_at: Time | None
    container: str
    amount: float | None
    unit: str
    state: Literal["stock", "open", "used up", "discarded"]
    by: str
    why: str


class LotStateOut(Outgoing):
    lot: str
    state: Literal["stock", "open", "used up", "discarded"]


class SignalOut(Reading):
    name: Annotated[str, Field(examples=["incubator.temperature"])]


class Gap(Outgoing):
    start: Time
    end: Time
    reason: Annotated[str, Field(examples=["controller not running"])]


class History(Outgoing):
    """Buckets [time, min, mean, max]; a bucket without a good value has nulls and is a gap, never a joined line."""

    signal: str
    unit: str
    start: Time
    end: Time
    buckets: Annotated[list[Bucket], Field(examples=[[[1767567600.0, 36.9, 37.0, 37.1]]])]
    gaps: list[Gap]


class RunRow(Outgoing):
    run: Annotated[str, Field(examples=["run-1"])]
    unit: str
    protocol: str
    version: str
    state: RunState
    created: Time
    started: Time | None
    ended: Time | None
    created_by: str
    batch: Annotated[str, Field(examples=["B-001"])]
    """What it works on; "" = no batch."""


class RunOut(RunRow):
    """`live` is the run as the controller has it; None once it is put away. `commands` are allowed now (SM-01)."""

    live: dict[str, Any] | None
    commands: Annotated[list[str], Field(examples=[["pause", "hold", "stop", "abort"]])]


class Timeline(Outgoing):
    """Bars of a run: planned, actual, estimated; states, outages, alarms and deviations beside them."""

    run: str
    protocol: str
    now: Time
    start: Time
    end: Time
    estimated_end: Time
    stages: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    states: list[dict[str, Any]]
    outages: list[dict[str, Any]]
    alarms: list[dict[str, Any]]
    deviations: list[dict[str, Any]]


class AmendedOut(BaseModel):
    """What an amendment changes: the rows that differ, before and after, and the rules it breaks."""

    said: str
    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    violations: list[str]


class StateOut(Outgoing):
    state: Annotated[str, Field(examples=["HOLDING"])]


class ClaimOut(Outgoing):
    claimed_by: Annotated[str, Field(examples=["anna"])]
    """"" = nobody."""


class StartedOut(Outgoing):
    run: Annotated[str, Field(examples=["run-1"])]


class HeldOut(Outgoing):
    states: Annotated[dict[str, str], Field(examples=[{"run-1": "HOLDING"}])]
    stays_on: list[str]


class PumpOut(Outgoing):
    pump: str
    confirmed: bool
    text: Annotated[str, Field(examples=["stopped"])]


class PumpsOut(Outgoing):
    pumps: list[PumpOut]
    at: Time


class CommandOut(Outgoing):
    """What became of a command, by its key."""

    key: str
    answer: Annotated[dict[str, Any], Field(examples=[{"asked": "hold run-1", "state": "HOLDING"}])]


class AlarmOut(Outgoing):
    alarm_id: str
    key: str
    priority: Literal["critical", "high", "low"]
    text: str
    advice: str
    state: Literal["UNACK", "ACKED", "RTN_UNACK", "NORMAL"]
    raised_at: Time
    acked_at: Time | None
    acked_by: str
    cleared_at: Time | None
    run_id: str | None


class TaskOut(Outgoing):
    run: str
    path: str
    title: str
    state: Literal["open", "answered", "closed"]
    due: Time | None
    opened: Time
    hand: dict[str, Any]
    entries: dict[str, Any] | None
    by: str
    claimed_by: str
    answered: Time | None


class AcknowledgedOut(Outgoing):
    acknowledged: str


class SystemHealth(Outgoing):
    controller: str
    scanning: bool
    scan: dict[str, Any]
    ledger: str
    epoch: int | None
    version: str
    simulated: bool
    speed: float | None
    bench: str
    zone: str
    now: Time | None
    streams: int


class ProtocolRow(Outgoing):
    name: str


class ProtocolOut(ProtocolRow):
    text: str


class RemarkOut(Outgoing):
    """A fault or a warning, with its place in the text."""

    file: str = Field(examples=["protocol.yaml"])
    line: int = Field(examples=[12])
    column: int = Field(examples=[9])
    field: str = Field(examples=["stages[1].do[2].fill.volume"])
    reason: str = Field(examples=["18 has no unit, write for example '18 mL'"])


class CheckOut(Outgoing):
    """Faults refuse a protocol, warnings do not."""

    in_order: bool
    faults: list[RemarkOut]
    warnings: list[RemarkOut]


class PlanRowOut(Outgoing):
    when: str = Field(examples=["2026-01-21T09:00:00+09:00"])
    day: int = Field(examples=[16])
    kind: str = Field(examples=["exchange"])
    by: Literal["hand", "osteon"]
    title: str = Field(examples=["Exchange medium in reactor"])
    fluid: str = Field(examples=["osteogenic medium"])
    in_ml: float = Field(examples=[18.0])
    out_ml: float = Field(examples=[18.0])
    minutes: float = Field(examples=[0.0])
    mark: Literal["", "night", "weekend"]


class PlanOut(Outgoing):
    """A plan worked out: times ISO 8601 with the site's offset, volumes mL."""

    protocol: str
    plan_id: str = Field(examples=["p-df06228ea7"])
    zone: str
    start: Time
    ends: Time
    best_start: dict[str, Any] | None
    rows: list[PlanRowOut]
    fluids: list[dict[str, Any]] = Field(examples=[[{"fluid": "medium", "day": 14, "volume_ml": 80.0}]])
    media: list[dict[str, Any]] = Field(examples=[[{"fluid": "medium", "volume_ml": 295, "keeps": "7 d at 4 degC"}]])
    bottles: list[dict[str, Any]]
    cells: list[dict[str, Any]] = Field(examples=[[{"needed": 2.2e7, "available": 3.4e7, "short": False}]])
    hand_tasks: int
    hand_minutes: float
    out_of_hours: int
    warnings: list[RemarkOut]
