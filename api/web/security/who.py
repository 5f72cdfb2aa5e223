"""Who is at the other end of a request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

How = Literal["password", "token"]


class Role(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    MACHINE = "machine"
    """An external actor, a liquid handler: its account's name stands in the steps that it may do."""


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in person, or the token that stands for one. `role` is the one in force now: viewer while view-only."""

    user: str
    name: str
    role: Role
    how: How
    client: str
    """Address of the peer, as the connection has it; forwarded headers are never read (SEC-03)."""
    view_only: bool = False
    """Idle for too long (AC-05): looking goes on, acting needs a new sign-in."""
    unit: str | None = None
    """The one unit this token is for; None = every unit."""
    credential: str = ""
    """Names the session or token without being able to open it."""

    def covers(self, unit: str) -> bool:
        return self.unit is None or self.unit == unit

    def actor(self) -> dict[str, str]:
        """What the controller records about who did it."""
        return {"name": self.user, "role": self.role, "authenticated_by": self.how, "client": self.client}
