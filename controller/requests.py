"""What may be asked over the local socket: one pydantic model each; unknown fields are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from controller.batches import Kind
from controller.people import Whom
from protocols.states import Cause

LATEST_S = 4e9
"""No run starts after the year 2096: a larger number is a slip (milliseconds for seconds)."""
LARGEST_ML = 10_000.0
"""No syringe or vessel here holds more."""


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    id: int = 0


Word = Annotated[str, Field(max_length=200)]
Key = Annotated[str, Field(max_length=128)]
MOST_ENTRIES = 20
"""Audit entries of one request."""


class Person(BaseModel):
    """Who acts, as the API process has found out; whoever may open the socket is believed (AC-08)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Word
    role: Word
    authenticated_by: Word = ""
    client: Word = ""


class Act(Request):
    """What a person asks for; without `actor` it is whoever opened the socket."""

    actor: Person | None = None


class Keyed(Act):
    """What must not be done twice: a repeated `key` gets the first answer (SM-03)."""

    key: Key = ""


class Hello(Request):
    do: Literal["hello"]


class Snapshot(Request):
    do: Literal["snapshot"]


class Start(Keyed):
    do: Literal["start"]
    protocol: str
    unit: str | None = None
    set: dict[str, str] = Field(default_factory=dict[str, str])
    start: Annotated[float, Field(ge=0, le=LATEST_S)] | None = None
    """UTC s; None = now."""
    batch: Word = ""
    """The batch that the run works on; with `parents` a new one."""
    parents: Annotated[dict[str, float], Field(max_length=100)] = Field(default_factory=dict[str, float])
    kind: Kind | None = None


class CommandRun(Keyed):
    do: Literal["command"]
    run: str
    cause: Annotated[Cause, Field(strict=False)]
    why: str = ""
    state_seen: str = ""


class BatchSaid(BaseModel):
    """Of a batch that a hand step makes, where it is not as the protocol has it. Parts of 1."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    batch: Word = ""
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    kept: Annotated[float, Field(gt=0, le=1)] | None = None


class Answer(Keyed):
    do: Literal["answer"]
    run: str
    path: str
    entries: dict[str, float | str | bool] = Field(default_factory=dict[str, float | str | bool])
    by: str = ""
    lots: dict[str, Word] = Field(default_factory=dict[str, Word])
    happened_at: Annotated[float, Field(ge=0, le=LATEST_S)] | None = None
    out_min: Annotated[float, Field(ge=0, le=1440)] | None = None
    batches: Annotated[dict[Word, BatchSaid], Field(max_length=50)] = Field(default_factory=dict[str, BatchSaid])
    why: Annotated[str, Field(max_length=1000)] = ""


class Lots(Request):
    do: Literal["lots"]


class AddLot(Keyed):
    """Times in UTC s."""

    do: Literal["add_lot"]
    lot: Word
    material: Word
    made_at: Annotated[float, Field(ge=0, le=LATEST_S)] | None = None
    expires_at: Annotated[float, Field(ge=0, le=LATEST_S)] | None = None
    container: Word = ""
    amount: Annotated[float, Field(gt=0)] | None = None
    unit: Word = ""


class PutLot(Keyed):
    do: Literal["put_lot"]
    lot: Word
    state: Literal["open", "used up", "discarded"]
    why: Annotated[str, Field(max_length=1000)] = ""


class BatchesList(Request):
    do: Literal["batches"]


class AddBatch(Keyed):
    do: Literal["add_batch"]
    batch: Word
    kind: Kind
    run: Word = ""
    parents: Annotated[dict[str, float], Field(max_length=100)] = Field(default_factory=dict[str, float])
    note: Annotated[str, Field(max_length=1000)] = ""


class ShowBatch(Request):
    do: Literal["batch"]
    batch: Word


class Touched(Request):
    do: Literal["touched"]
    batch: Word


class BatchesOfLot(Request):
    do: Literal["batches_of_lot"]
    lot: Word


class ResultsOf(Request):
    do: Literal["results"]
    run: Word


class WriteResult(Keyed):
    """A result of a sample that was taken; or, with `state`, that it is tested again or will never come."""

    do: Literal["result"]
    run: Word
    sample: Word
    name: Word
    value: float | str | bool | None = None
    state: Literal["retest", "not done"] | None = None
    unit: Word = ""
    method: Word = ""
    why: Annotated[str, Field(max_length=1000)] = ""


class Release(Keyed):
    do: Literal["release"]
    batch: Word
    stage: Literal["preliminary", "final", "rejected"]
    why: Annotated[str, Field(max_length=1000)] = ""


class ClearLine(Keyed):
    """A person signs that nothing of the last donor is left at a unit."""

    do: Literal["clear_line"]
    unit: str | None = None
    why: Annotated[str, Field(max_length=1000)] = ""


class AddPhoto(Keyed):
    """A picture whose file lies in the data folder already, to be put on record."""

    do: Literal["add_photo"]
    run: str
    path: str
    photo: Word
    kind: Word
    bytes: Annotated[int, Field(ge=1)]
    sha256: Word


class Claim(Keyed):
    do: Literal["claim"]
    run: str
    path: str
    whom: Whom


class Decide(Keyed):
    do: Literal["decide"]
    run: str
    path: str
    answer: str
    question: Annotated[str, Field(max_length=2000)] = ""
    """The one it answers, as it was seen; another one that is open there now is not answered by it."""
    volume_ml: Annotated[float, Field(ge=0, le=LARGEST_ML)] | None = None
    why: str = ""


class AmendRun(Keyed):
    """`preview`: tell what it would change, and do nothing."""

    do: Literal["amend"]
    run: str
    what: Literal["skip", "move", "repeat", "set"]
    path: str = ""
    at: Annotated[float, Field(ge=0, le=LATEST_S)] | None = None
    """UTC s."""
    set: dict[str, str] = Field(default_factory=dict[str, str])
    why: Annotated[str, Field(max_length=1000)] = ""
    preview: bool = False


class SetMode(Keyed):
    do: Literal["mode"]
    run: str
    mode: Literal["auto", "step", "manual"]
    why: Annotated[str, Field(max_length=1000)] = ""


class Advance(Keyed):
    do: Literal["advance"]
    run: str
    path: str


class Hold(Keyed):
    do: Literal["hold"]
    unit: str | None = None
    why: str = "held at the machine"


class StopPumps(Keyed):
    do: Literal["stop_pumps"]
    unit: str | None = None


class RunsList(Request):
    do: Literal["runs"]


class ShowRun(Request):
    do: Literal["run"]
    run: str


class DosesOf(Request):
    do: Literal["doses"]
    run: str


class Tasks(Request):
    do: Literal["tasks"]


class Acknowledge(Act):
    do: Literal["acknowledge"]
    alarm: str


class Note(BaseModel):
    """One audit entry of the service."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    action: Word
    actor: Word
    role: Word = ""
    authenticated_by: Word = ""
    object_type: Word = "session"
    object: Word = ""
    outcome: Literal["done", "refused", "failed"] = "done"
    reason: Annotated[str, Field(max_length=500)] = ""
    client: Word = ""
    correlation_id: Word = ""


class Audit(Request):
    do: Literal["audit"]
    entries: Annotated[tuple[Note, ...], Field(strict=False, max_length=MOST_ENTRIES)]


class Calibrations(Request):
    do: Literal["calibrations"]
    device: Word | None = None


class Calibrate(Keyed):
    """One step at the calibration desk; which fields a step needs, the desk says."""

    do: Literal["calibrate"]
    step: Literal["begin", "point", "compare", "weigh", "accept", "discard", "autoclave"]
    device: Word
    point: Word = ""
    signal: Word = ""
    reference: float | None = None
    lot: Word = ""
    expires: Word = ""
    doses: Annotated[int, Field(ge=1, le=20)] = 5
    volume_ml: Annotated[float, Field(gt=0, le=LARGEST_ML)] | None = None
    rate_ml_min: Annotated[float, Field(gt=0, le=LARGEST_ML)] | None = None
    balance: Word = ""
    why: Word = ""


class MoveByHand(Keyed):
    """One bounded move along a fluid path of a unit that has no live run, or whose run is held in mode manual."""

    do: Literal["move"]
    unit: str | None = None
    path: Word
    volume_ml: Annotated[float, Field(gt=0, le=LARGEST_ML)]
    rate_ml_min: Annotated[float, Field(gt=0, le=LARGEST_ML)]
    fluid: Word = "by hand"
    to: Literal["vessel", "cup"] = "vessel"
    why: Annotated[str, Field(max_length=1000)] = ""


class MeasureVolume(Keyed):
    do: Literal["volume"]
    unit: str | None = None
    ml: Annotated[float, Field(ge=0, le=LARGEST_ML)]
    why: Annotated[str, Field(max_length=1000)] = ""


class Confirm(Act):
    """A supervisor has seen what waits: a doubtful clock, a changed bench file, another program."""

    do: Literal["confirm"]
    what: Literal["clock", "configuration", "program"]
    why: Annotated[str, Field(max_length=1000)] = ""


class Shutdown(Request):
    do: Literal["shutdown"]


AnyRequest = (
    Hello | Snapshot | Start | CommandRun | Answer | AddPhoto | Claim | Decide | AmendRun | SetMode | Advance | Confirm
    | WriteResult | ResultsOf | Release
    | Hold | MeasureVolume | MoveByHand | StopPumps | BatchesList | ShowBatch | AddBatch | Touched | BatchesOfLot
    | Lots | AddLot | PutLot | ClearLine | Calibrations | Calibrate
    | RunsList | ShowRun | DosesOf | Tasks | Acknowledge | Audit | Shutdown
)  # fmt: skip

REQUEST: TypeAdapter[AnyRequest] = TypeAdapter(Annotated[AnyRequest, Field(discriminator="do")])
