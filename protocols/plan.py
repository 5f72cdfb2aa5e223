"""A plan: a protocol bound to a start, every occurrence spelled out as a tree of nodes with due times.

The plan is data. `planning` makes it, `machine` walks it, the engine stores it as JSON beside the run.
Times are UTC seconds since 1970 (float). Volumes mL, rates mL/min, durations s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from protocols.expressions.tree import Expression

TO_CUP = ("prime", "rinse")
"""Purposes, and parts of transfers, whose fluid never sees the vessel."""


class Interruption(StrEnum):
    """What a step does after an outage (DX-20)."""

    RESUME = "resume"
    RECONCILE = "reconcile"
    FINISH_NOW = "finish_now"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Late:
    """What happens when a due time has passed by more than `tolerance_s` (DX-30)."""

    tolerance_s: float
    after: Literal["ask", "run", "skip"] = "ask"
    window_s: float = 0.0
    """Up to here it is on time; from here to `tolerance_s` it runs and is marked "done late"."""
    no_answer: Literal["hold", "run", "skip"] = "hold"
    """What is done when nobody answers the question for `no_answer_after_s`; escalation goes on in any case."""
    no_answer_after_s: float = 0.0
    anchor: Literal["calendar", "interval"] = "calendar"
    """calendar: later occurrences keep their times; interval: they shift by the lateness of this one."""
    recommended: str = ""
    """The answer the author of the protocol would give."""


@dataclass(frozen=True, slots=True)
class SetPoint:
    role: str
    """Environment role of the unit: temperature, co2, o2, stirring …"""
    value: float
    unit: str
    over_s: float = 0.0
    """Of a ramp: how long it takes to get there, s; 0 = at once."""


@dataclass(frozen=True, slots=True)
class SetEnvironment:
    """Bring set points to values, at once or in steps along a ramp; done when every device has read the last back."""

    points: tuple[SetPoint, ...]

    @property
    def over_s(self) -> float:
        """How long its longest ramp takes, s; 0 = it has none."""
        return max((point.over_s for point in self.points), default=0.0)


@dataclass(frozen=True, slots=True)
class Within:
    """A measured role within `tolerance` of `target` (both in `unit`), or, with low/high, inside that range."""

    role: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Done when all conditions held without a break for `for_s`; `Node.max_s` bounds the waiting."""

    conditions: tuple[Within, ...]
    for_s: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Done `for_s` after it began, in bench time."""

    for_s: float
    count_downtime: bool = True
    """Whether the time in which nobody was in control counts (DX-20)."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Withdraw to a level fixed by geometry, then fill: one unit of work, two transfers (DS-09, DS-13)."""

    vessel: str
    to_level_ml: float
    at_most_ml: float
    out_rate_ml_min: float
    fill_ml: float
    fill_rate_ml_min: float
    fluid: str
    out_path: str = "medium out"
    in_path: str = "medium in"
    max_exposure_s: float = 3600.0
    """Longest time drained and not refilled."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take fluid out: a volume, or down to a level fixed by geometry, then `volume_ml` at most (DS-13)."""

    vessel: str
    volume_ml: float
    rate_ml_min: float
    to_level_ml: float | None = None
    path: str = "medium out"


@dataclass(frozen=True, slots=True)
class Dose:
    """Deliver a volume of fluid into a vessel, or prime or rinse a line into the cup (`purpose`)."""

    vessel: str
    volume_ml: float
    rate_ml_min: float
    fluid: str
    path: str = "medium in"
    purpose: Literal["fill", "prime", "dose", "rinse"] = "fill"
    split_of: str = ""
    """Of a dose given in parts: the path they share, whose strokes together have one cap (DS-10)."""
    split_cap_ml: float = 0.0

    @property
    def to_cup(self) -> bool:
        return self.purpose in TO_CUP


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing a person writes down; a photo is the name of a stored file, a scan the text of a label."""

    name: str
    kind: Literal["number", "text", "yes_no", "choice", "photo", "scan"] = "number"
    unit: str = ""
    low: float | None = None
    high: float | None = None
    warn_low: float | None = None
    warn_high: float | None = None
    options: tuple[str, ...] = ()
    """Words of a choice."""
    label: str = ""
    """Of a scan: the kind of label that is expected; "" = any label of the run."""
    of: str = ""
    """What carries it, a vessel or a material; count: how many of it there are."""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """Living material from `sources` (a pool) into `targets` (a split, by `shares`, 0 to 1); `kept` of it arrives.

    `becomes` names the kind of batch that comes of it; "" = the batch stays what it is.
    """

    what: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    shares: tuple[float, ...]
    kept: float = 1.0
    becomes: str = ""


@dataclass(frozen=True, slots=True)
class HandAct:
    """What the person physically does to an automated vessel or its supplies, so that books and plant can follow.

    act: pour (adds `volume_ml` to vessel) · take (removes) · renew (bottle of `fluid`, `volume_ml` in it) ·
    line_to_cup · line_to_vessel · stir (value = 1/min) · door (chamber open for `duration_s`) ·
    harvest (empties vessel) · sample (value = how many, fluid = wells or cells, used up for an assay)
    """

    act: str
    vessel: str = ""
    volume_ml: float = 0.0
    fluid: str = ""
    value: float = 0.0
    duration_s: float = 0.0
    cells_per_ml: float = 0.0
    elsewhere: bool = False
    """In a vessel that hands serve (a flask, a plate): no book of the automated vessel changes by it."""
    kind: str = ""
    """Of such a vessel; and how many dishes it is, flasks or wells: a volume is for each of them."""
    dishes: int = 0


@dataclass(frozen=True, slots=True)
class Hand:
    """A task for a person, with what they write down and what they do."""

    instruction: str
    entries: tuple[Entry, ...] = ()
    acts: tuple[HandAct, ...] = ()
    lots: tuple[str, ...] = ()
    sign: str = "operator"
    out_of_incubator_s: float = 0.0
    """Longest time the vessels may be out of the incubator; 0 = they stay in."""
    overdue_s: float = 12 * 3600.0
    """After due + this the run holds (SM-05)."""
    sample: str = ""
    """Sample id when this task takes one; its results come later and never hold the run (RM-11)."""
    results: tuple[Entry, ...] = ()
    results_due_s: float = 0.0
    takes_s: float = 900.0
    """Working time of the person, as the protocol's author expects it."""
    moves: tuple[Move, ...] = ()
    actors: tuple[str, ...] = ()
    """Machines that may claim it instead of a person."""


Fluid = Exchange | Dose | Withdraw
"""Work that goes through the dose ledger."""
Work = SetEnvironment | WaitUntil | Pause | Exchange | Dose | Hand | Withdraw


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the plan. Path is the stable key of an occurrence: stage/operation/occurrence/step (DX-02)."""

    path: str
    title: str
    kind: Literal["sequence", "parallel", "step", "choice", "rounds"]
    """choice: children are what follows a yes and a no; rounds: one child after the other until the condition holds."""
    children: tuple[Node, ...] = ()
    work: Work | None = None
    due: float | None = None
    """Not before this time; None = as soon as its turn comes."""
    max_s: float = 0.0
    """Longest a step may take from its begin; 0 on inner nodes."""
    late: Late | None = None
    interruption: Interruption = Interruption.ASK
    spacing_key: str = ""
    """Occurrences with the same key are never closer than `min_interval_s` (INV-15)."""
    min_interval_s: float = 0.0
    max_interval_s: float = 0.0
    """Occurrences with the same key are never further apart: an alarm before it happens; 0 = no limit."""
    line: int = 0
    """Line of the protocol file."""
    condition: Expression | None = None
    """What a choice asks, or what ends rounds (None = all of them)."""
    amended: bool = False
    """A person gave this occurrence its time (moved, or done once more); other values leave that as it is."""
    after_s: float = 0.0
    independent: bool = False
    """Of a branch: what must be decided in it holds the branch, and the run goes on (SM-04)."""
    """Not before this long after the node above it began."""


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """Whether the run holds at an alarm of this priority ("" = any) whose text has these words."""

    priority: str
    about: str
    hold: bool

    def fits(self, priority: str, text: str) -> bool:
        return self.priority in ("", priority) and self.about.casefold() in text.casefold()


@dataclass(frozen=True, slots=True)
class Plan:
    protocol: str
    version: str
    start: float
    zone: str
    root: Node
    end_points: tuple[SetPoint, ...] = ()
    hold_points: tuple[SetPoint, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    called: dict[str, str] = field(default_factory=dict[str, str])
    """SHA-256 of each other protocol it calls, by name."""
    hold_task: Hand | None = None
    """What a person is asked to do each time the run is held."""
    alarm_rules: tuple[AlarmRule, ...] = ()
    """The first that fits an alarm counts."""
    batch: str = ""
    """The batch that this run works on (RM-02); "" = none."""
    nodes: dict[str, Node] = field(init=False, repr=False, compare=False)
    """Every node by its path; made here, not stored."""
    parents: dict[str, str] = field(init=False, repr=False, compare=False)
    """Path of a node -> path of the node above it; the root has none."""
    limits_apart: dict[str, float] = field(init=False, repr=False, compare=False)
    """Spacing key -> longest time between its occurrences, s."""
    environment: tuple[Node, ...] = field(init=False, repr=False, compare=False)
    """The steps that set the environment, in protocol order."""
    place: dict[str, int] = field(init=False, repr=False, compare=False)
    """Path of each of these -> its place among them."""

    def __post_init__(self) -> None:
        nodes: dict[str, Node] = {}
        parents: dict[str, str] = {}
        _index(self.root, nodes, parents)
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "parents", parents)
        apart = {node.spacing_key: node.max_interval_s for node in nodes.values() if node.max_interval_s > 0}
        object.__setattr__(self, "limits_apart", apart)
        environment = tuple(node for node in nodes.values() if isinstance(node.work, SetEnvironment))
        object.__setattr__(self, "environment", environment)
        object.__setattr__(self, "place", {node.path: place for place, node in enumerate(environment)})

    def upward(self, path: str) -> Iterator[str]:
        """The path of a node and those of all it stands in, up to the root."""
        yield path
        while (above := self.parents.get(path)) is not None:
            yield above
            path = above

    def waits_alone(self, path: str) -> bool:
        """Whether a question here holds its branch only (SM-04); a step that moves fluid holds the run (SM-05)."""
        if isinstance(self.nodes[path].work, Fluid):
            return False
        return any(self.nodes[above].independent for above in self.upward(path))

    def stage_of(self, path: str) -> str:
        """The path of the node right below the root that a node belongs to; of the root, its own."""
        return list(self.upward(path))[-2:][0]

    def holds_at(self, priority: str, text: str) -> bool:
        """Whether the protocol wants the run held at such an alarm."""
        return next((rule.hold for rule in self.alarm_rules if rule.fits(priority, text)), False)


def _index(node: Node, nodes: dict[str, Node], parents: dict[str, str]) -> None:
    """Enter `node` and everything below it; raises ValueError when two nodes share a path (a key of a dose)."""
    if node.path in nodes:
        raise ValueError(f"two steps of the plan have the same path: {node.path}")
    nodes[node.path] = node
    for child in node.children:
        parents[child.path] = node.path
        _index(child, nodes, parents)
