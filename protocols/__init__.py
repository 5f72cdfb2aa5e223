"""Recipes as data, planning as functions, runs as a pure machine: `protocols.load("file.yaml")`, `protocols.plan(…)`.

`protocols.plan` is the function; the data it makes is imported with `from protocols.plan import Plan`.
"""

from protocols.faults import Fault, ProtocolInvalid
from protocols.loading import library, load
from protocols.planning import plan
from protocols.protocol import Protocol

__all__ = ["Fault", "Protocol", "ProtocolInvalid", "library", "load", "plan"]
