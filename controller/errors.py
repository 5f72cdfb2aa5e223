"""What the controller refuses, and why (the upper half of the error tree of architecture §7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drivers.core.errors import OsteonError


class Blocked(OsteonError):
    """An interlock, a budget or a missing proof holds this output; nothing was sent."""


class NotOwner(OsteonError):
    """Somebody else owns this output (P5)."""


class RunConflict(OsteonError):
    """The run is not in a state that allows this, or another run holds the unit; carries the state as it is now."""

    def __init__(self, text: str, state: str = "") -> None:
        super().__init__(text)
        self.state = state


class KeyReused(OsteonError):
    """This idempotency key belongs to another request; nothing was done."""


class RefusedBefore(OsteonError):
    """This idempotency key was refused already; `answer` is the first answer, word for word (SM-03)."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(str(answer["error"]["text"]))
        self.answer = answer


class Unusable(OsteonError):
    """What a person sent cannot be used; `faults` has every reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class OldEpoch(OsteonError):
    """Another controller has taken over the data directory: this one must not act any more (DX-05)."""


class Broken(OsteonError):
    """Something the program takes for certain is not so: its own fault, never a device's or a person's (SIM-11)."""


def certain(true: bool, text: str) -> None:
    """An assertion that stays on in production; raises Broken. In the fluid path it holds the run, in the environment
    path it alarms and leaves outputs as they are."""
    if not true:
        raise Broken(f"internal check failed: {text}")
