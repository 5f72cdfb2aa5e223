"""What goes in and out about photos and drafts of hand steps."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from api.web.models import Name


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
