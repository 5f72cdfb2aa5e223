"""What may be asked over the local socket: one pydantic model each; unknown fields are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from protocols.states import Cause

LATEST_S = 4e9
"""No run starts after the year 2096: a larger number is a slip (milliseconds for seconds)."""
LARGEST_ML = 10_000.0
"""No syringe or vessel here holds more."""


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    id: int = 0


class Hello(Request):
    do: Literal["hello"]


class Snapshot(Request):
    do: Literal["snapshot"]


class Start(Request):
    do: Literal["start"]
    protocol: str
    unit: str | None = None
    set: dict[str, str] = Field(default_factory=dict[str, str])
    start: Annotated[float, Field(ge=0, le=LATEST_S)] | None = None
    """UTC s; None = now."""
    key: str = ""


class CommandRun(Request):
    do: Literal["command"]
    run: str
    cause: Annotated[Cause, Field(strict=False)]
    why: str = ""
    state_seen: str = ""
    key: str = ""


class Answer(Request):
    do: Literal["answer"]
    run: str
    path: str
    entries: dict[str, float | str | bool] = Field(default_factory=dict[str, float | str | bool])
    by: str = ""
    key: str = ""


class Decide(Request):
    do: Literal["decide"]
    run: str
    path: str
    answer: str
    volume_ml: Annotated[float, Field(ge=0, le=LARGEST_ML)] | None = None
    why: str = ""


class Hold(Request):
    do: Literal["hold"]
    unit: str | None = None
    why: str = "held at the machine"


class StopPumps(Request):
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


class Acknowledge(Request):
    do: Literal["acknowledge"]
    alarm: str


class Shutdown(Request):
    do: Literal["shutdown"]


AnyRequest = (
    Hello | Snapshot | Start | CommandRun | Answer | Decide | Hold | StopPumps
    | RunsList | ShowRun | DosesOf | Tasks | Acknowledge | Shutdown
)  # fmt: skip

REQUEST: TypeAdapter[AnyRequest] = TypeAdapter(Annotated[AnyRequest, Field(discriminator="do")])
