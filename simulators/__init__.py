"""The same devices seen from the cable, and whatever lives only in simulation.

`simulators.rehearse(protocol, seed=1)` rehearses a protocol to its end in virtual time (see simulators.rehearsal).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.rehearsal import rehearse as rehearse


def __getattr__(name: str) -> object:
    """Only a rehearsal needs the controller; nobody else shall wait for its import."""
    if name == "rehearse":
        return vars(import_module("simulators.rehearsal"))["rehearse"]
    raise AttributeError(f"module 'simulators' has no attribute {name!r}")
