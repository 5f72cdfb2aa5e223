"""All a run knows: its state, its active nodes, and what became of every finished one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from protocols.events import EntryValue, Mode
from protocols.plan import SetPoint
from protocols.states import RunState

Disposition = Literal["done", "done late", "partial", "skipped by rule", "skipped by person", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class Active:
    """One begun, unfinished node."""

    began: float
    part: str = ""
    """How far it is: an exchange is at "withdraw", then at "fill"; a sequence is at the child of this index; a ramp is
    at "3" while its third step is being set, at "3+" once it is read back."""
    late: bool = False
    question: str = ""
    """Why a person must decide before this node can go on; "" = nothing open."""
    options: tuple[str, ...] = ()
    """Answers a Decision may give to the question: run, skip, delivered, nothing, accept."""
    since: float = 0.0
    """When the present part began."""
    partial: bool = False
    """A person accepted less or more than was asked."""
    start: tuple[SetPoint, ...] = ()
    """Of a ramp: the set points in force when it began."""
    asked: float = 0.0
    """When the question was opened."""


@dataclass(frozen=True, slots=True)
class Run:
    """The state of one run. Active nodes form a tree by their paths; never mutated, always replaced."""

    state: RunState = RunState.IDLE
    since: float = 0.0
    why: str = ""
    active: dict[str, Active] = field(default_factory=dict[str, Active])
    finished: dict[str, Disposition] = field(default_factory=dict[str, Disposition])
    last_fluid: dict[str, float] = field(default_factory=dict[str, float])
    """Spacing key -> when its last occurrence began to move fluid."""
    written: dict[str, EntryValue] = field(default_factory=dict[str, EntryValue])
    """What people wrote down last under each name; decisions read it."""
    keeps: dict[str, str] = field(default_factory=dict[str, str])
    """Role -> path of the step whose value it has: of all that are done, the last in the plan's order."""
    stood: dict[str, tuple[SetPoint, ...]] = field(default_factory=dict[str, tuple[SetPoint, ...]])
    """Path of a ramp that was ended on its way -> where its set points stood: they stay there."""
    shifted: dict[str, float] = field(default_factory=dict[str, float])
    """Path of an operation -> how much later its occurrences still to come are due, s."""
    mode: Mode = "auto"
    waiting: tuple[str, ...] = ()
    """In mode step: the steps whose turn has come and that wait for a person."""
    held: int = 0
    """How often it was held, where the protocol has a task for that."""
    hold_task: str = ""
    """Path of the task of the present hold; "" = none, or answered."""
    looked: float = 0.0
    """Time of the last event: time limits up to here were acted upon."""
