"""Everything a run learns. Each event is journalled before its effects are carried out; `at` is UTC seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from protocols.plan import Plan
from protocols.states import Cause

EntryValue = float | str | bool


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a person (or HOLD of a rule), or an internal cause: done, recovered, expired."""

    at: float
    cause: Cause
    by: str
    why: str = ""
    gap_s: float = 0.0
    """Of "recovered": how long nobody was in control."""


@dataclass(frozen=True, slots=True)
class TimeCame:
    """Bench time reached what `machine.next_time` named: a due step, the end of a pause, a limit."""

    at: float


@dataclass(frozen=True, slots=True)
class PointsSet:
    """Set points of a SetEnvironment node were written and read back, or not (`why` says so)."""

    at: float
    path: str
    why: str = ""
    part: str = ""
    """Of a ramp: which of its steps."""


@dataclass(frozen=True, slots=True)
class ConditionMet:
    """The conditions of a WaitUntil node held long enough."""

    at: float
    path: str


Outcome = Literal["done", "short", "over", "unknown", "differ", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class TransferEnded:
    """One transfer (both strokes) came to an end, judged by counter and witness.

    done: as asked · short/over: outside tolerance, measured · unknown: not provable · differ: two witnesses disagree ·
    refused: nothing more was sent (interlock, budget, device not ready or silent); what was sent is in the ledger ·
    failed: the device stopped with an alarm, amount known.
    Volumes mL; None = no such witness.
    """

    at: float
    path: str
    part: str
    outcome: Outcome
    counter_ml: float | None
    witness_ml: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """A person finished a hand step; entries were checked by the door that took them."""

    at: float
    path: str
    by: str
    entries: dict[str, EntryValue]


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's answer to the question of a node: run, skip, delivered (with mL), nothing (repeat), accept."""

    at: float
    path: str
    by: str
    answer: str
    volume_ml: float | None = None
    why: str = ""


Mode = Literal["auto", "step", "manual"]
"""auto: steps follow each other; step: each waits for a person; manual: a person works the unit, the run is held."""


@dataclass(frozen=True, slots=True)
class ModeSet:
    """A person chose how the unit of this run is worked (SM-06)."""

    at: float
    by: str
    mode: Mode
    why: str = ""


@dataclass(frozen=True, slots=True)
class Advanced:
    """In mode step: a person lets one waiting step begin."""

    at: float
    by: str
    path: str


@dataclass(frozen=True, slots=True)
class Amended:
    """A person changed the future of the run: occurrences left out, and the whole plan as it is from now on."""

    at: float
    by: str
    why: str
    skip: tuple[str, ...]
    plan: Plan


@dataclass(frozen=True, slots=True)
class Looked:
    """Live values a decision asked for, by role in the unit of the role; None = no good value, whatever the reason."""

    at: float
    path: str
    values: dict[str, float | None]


Event = (
    Command
    | TimeCame
    | PointsSet
    | ConditionMet
    | TransferEnded
    | Answered
    | Decision
    | Looked
    | Amended
    | ModeSet
    | Advanced
)
