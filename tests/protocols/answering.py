"""A bench made of answers: feeds the machine the events a good bench would, in the order of their times."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from pathlib import Path

import protocols
from protocols import machine
from protocols.effects import ApplyPoints, Effect, OpenTask, QuietMovers, Recheck, Transfer, Watch
from protocols.events import Answered, Command, ConditionMet, Event, PointsSet, TimeCame, TransferEnded
from protocols.plan import Hand, Node, Plan
from protocols.run import Run
from protocols.states import Cause, RunState

START = 1_767_567_600.0  # Monday 2026-01-05 08:00 in Tokyo
HERE = Path(__file__).parent
COMPRESSED = HERE / "compressed.yaml"


def compressed_plan() -> Plan:
    return protocols.plan(protocols.load(COMPRESSED), START, "Asia/Tokyo")


def shipped_plan() -> Plan:
    return protocols.plan(protocols.load("adsc-osteo-spheroid-28d"), START, "Asia/Tokyo")


def one(work, *, path="a", **node) -> Plan:
    """A plan of a single step."""
    return sequence(Node(path, path, "step", work=work, **node))


def sequence(*nodes: Node, **plan) -> Plan:
    return Plan("test", "1", START, "UTC", Node("run", "run", "sequence", nodes), **plan)


def command(cause: Cause, at: float = START, by: str = "Ann") -> Command:
    return Command(at, cause, by)


def started(plan: Plan, at: float = START) -> tuple[Run, tuple[Effect, ...]]:
    return machine.step(plan, Run(), command(Cause.START, at))


def feed(plan: Plan, run: Run, *events: Event) -> tuple[Run, list[Effect]]:
    """All events one after the other; the effects of all of them."""
    effects: list[Effect] = []
    for event in events:
        run, new = machine.step(plan, run, event)
        effects += new
    return run, effects


def of(kind, effects):
    return [effect for effect in effects if isinstance(effect, kind)]


def good(hand: Hand) -> dict[str, float | str | bool]:
    """What a person writes down when all is well: yes, and numbers at the upper end of what needs no warning."""
    found: dict[str, float | str | bool] = {}
    for entry in hand.entries:
        high = entry.high if entry.warn_high is None else entry.warn_high
        found[entry.name] = {"yes_no": True, "text": "as expected"}.get(entry.kind, high or 0.0)
    return found


@dataclass
class Bench:
    """Answers every effect after a fixed time; `events` keeps what was fed, for replay."""

    plan: Plan
    run: Run = field(default_factory=Run)
    now: float = START
    events: list[Event] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    waiting: list[tuple[float, int, Event]] = field(default_factory=list)
    outcomes: dict[tuple[str, str], str] = field(default_factory=dict)
    hand_s: float = 600.0
    count: int = 0

    def feed(self, event: Event) -> None:
        self.now = event.at
        self.events.append(event)
        self.run, effects = machine.step(self.plan, self.run, event)
        for effect in effects:
            self.effects.append(effect)
            self.answer(effect)

    def later(self, after_s: float, event: Event) -> None:
        self.count += 1
        heapq.heappush(self.waiting, (self.now + after_s, self.count, event))

    def answer(self, effect: Effect) -> None:
        match effect:
            case ApplyPoints(path=path) if path:
                self.later(2, PointsSet(self.now + 2, path))
            case Watch(path=path, for_s=for_s):
                self.later(for_s, ConditionMet(self.now + for_s, path))
            case Transfer(path=path, part=part, volume_ml=ml):
                outcome = self.outcomes.pop((path, part), "done")
                self.later(400, TransferEnded(self.now + 400, path, part, outcome, ml, ml))
            case OpenTask(path=path, hand=hand):
                self.later(self.hand_s, Answered(self.now + self.hand_s, path, "Ann", good(hand)))
            case QuietMovers() | Recheck():
                self.later(5, Command(self.now + 5, Cause.DONE, "engine"))
            case _:
                pass

    def go(self, until: RunState = RunState.COMPLETE, limit: int = 10_000) -> Run:
        """Feed until the run is in this state; a run that never gets there fails the test."""
        if self.run.state is RunState.IDLE:
            self.feed(command(Cause.START, self.now))
        for _ in range(limit):
            if self.run.state is until:
                return self.run
            time = machine.next_time(self.plan, self.run)
            if self.waiting and (time is None or self.waiting[0][0] <= time):
                self.feed(heapq.heappop(self.waiting)[2])
            elif time is not None:
                self.feed(TimeCame(time))
            else:
                break
        raise AssertionError(f"stuck in {self.run.state}: {self.run.why}; {sorted(self.run.active)}")
