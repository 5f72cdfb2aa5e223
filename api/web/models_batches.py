"""Batches as they go in and out over HTTP. Times UTC s; `share`: part of a parent, 0 to 1, null = not known."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from api.web.models import Incoming, Name, Outgoing, Time

Kind = Literal[
    "donor", "isolation", "passage", "bank", "spheroid batch", "differentiation", "combination", "release"
]  # fmt: skip


class BatchIn(Incoming):
    """A batch to be written down; every one but a donor's comes from `parents`."""

    batch: Annotated[Name, Field(examples=["SB-1"])]
    kind: Kind
    run: Annotated[str, Field(max_length=200)] = ""
    """In which it is made or cultivated."""
    parents: Annotated[dict[Name, float], Field(max_length=100, examples=[{"P3": 0.5}])] = Field(
        default_factory=dict[str, float]
    )
    """Which part of each (0 to 1) went into it."""
    note: Annotated[str, Field(max_length=1000)] = ""


class BatchAdded(Outgoing):
    batch: str


class Relative(Outgoing):
    batch: str
    share: float | None


class BatchRow(Outgoing):
    batch: Annotated[str, Field(examples=["B-001/spheroids"])]
    kind: str
    run_id: str | None
    at: Time
    by: str
    note: str
    parents: list[Relative]


class MadeBy(Outgoing):
    """The hand step that made it, in which vessel, and how much arrived there."""

    path: str
    title: str
    into: str
    kept: float


class ReleaseIn(Incoming):
    """`why` names every result that is out of specification or was not done, and what follows from it."""

    stage: Annotated[Literal["preliminary", "final", "rejected"], Field(examples=["preliminary"])]
    why: Annotated[str, Field(max_length=1000)] = ""


class ReleaseOut(Outgoing):
    """How far the batch is: preliminary, waits for a second person, final, rejected."""

    batch: str
    state: str


class ReleaseRow(Outgoing):
    """One step of a release, and what there was to see then; a final one holds when `second_by` has signed too."""

    id: int
    batch: str
    stage: str
    at: Time
    by: str
    second_by: str
    second_at: Time | None
    why: str
    facts: dict[str, Any]


class BatchOut(BatchRow):
    """Ancestors and descendants: the nearest first. `made` null = a person or a start wrote it down."""

    made: MadeBy | None
    releases: list[ReleaseRow]
    children: list[Relative]
    ancestors: list[str]
    descendants: list[str]


class ReadingsOf(Outgoing):
    """Where a run's readings are: ask /signals/{signal}/history for each; `to` null = it goes on."""

    run: str
    unit: str
    signals: list[str]
    to: Time | None


class TouchedOut(Outgoing):
    """Everything that touched a batch, itself or through an ancestor up to the moment the batch left it."""

    batch: str
    batches: list[str]
    runs: list[str]
    lots: list[str]
    devices: list[str]
    doses: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    results: list[dict[str, Any]]
    photos: list[dict[str, Any]]
    outings: list[dict[str, Any]]
    alarms: list[dict[str, Any]]
    deviations: list[dict[str, Any]]
    readings: list[ReadingsOf]
