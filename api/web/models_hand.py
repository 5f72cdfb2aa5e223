"""What goes in and out about photos and drafts of hand steps, and about line clearance."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from api.web.models import Incoming, Name

TaskPath = Annotated[str, Query(max_length=500, examples=["seed/count"])]
"""Of a hand step; the empty one is none."""


class PhotoOut(BaseModel):
    """The name that an entry of the task takes."""

    photo: Annotated[Name, Field(examples=["9f86d081884c7d659a2feaa0c55ad015"])]


class PhotoRowOut(BaseModel):
    """A picture on record; `at` UTC s."""

    photo: str
    path: str
    at: float
    by: str
    kind: Annotated[str, Field(examples=["jpeg"])]
    bytes: int
    sha256: str


class ClearLineIn(Incoming):
    """What was checked: vessels, bottles, lines, labels and papers of the last donor are gone, surfaces are clean."""

    why: Annotated[str, Field(min_length=5, max_length=1000, examples=["vessel and tubing changed, labels removed"])]


class ClearLineOut(BaseModel):
    """Whose cells the unit held; empty = not known."""

    donor: str


class DraftIn(Incoming):
    """The fields of a hand step as they are typed so far, by name."""

    path: Annotated[Name, Field(examples=["seed/count"])]
    entries: Annotated[dict[Name, Annotated[str, Field(max_length=2000)]], Field(max_length=100)]


class DraftOut(BaseModel):
    """`at`: when it was kept, UTC s; null = there is none."""

    entries: dict[str, str]
    at: float | None
