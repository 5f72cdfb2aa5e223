"""What goes in and out about photos and drafts of hand steps, and about line clearance."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from api.web.models import Incoming, Name


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
