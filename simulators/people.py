"""The simulated person: sees tasks, takes their time, does the acts at the bench, writes down what they found.

Sans-I/O: whoever hosts the person calls `see` with the open tasks and hands the answers to the controller. Each act is
done exactly once, also when the same task is shown again (after a crash of the controller): then only the answer is
repeated.

A task that somebody else has claimed (`claimed_by`) is theirs to answer; its acts are done for them at once, because
nobody else can reach into a simulated vessel. One that is claimed for the simulated person is answered at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol, Self, cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

from simulators.plant.assays import ASSAYS, read

SIMULATED = "simulated operator"

OPENS_H, CLOSES_H = 8, 18
REACTION_MIN = (2.0, 20.0)
AGAIN_S = 300.0
"""A task still open this long after its answer is answered again; then after twice as long, up to 160 min."""
DOOR_S = 30.0
"""The chamber stands open this long for an act in it, unless the task says otherwise."""
IN_CHAMBER = frozenset({"pour", "take", "harvest"})
FOUND = {
    "osmolality": "osmolality",
    "pco2": "pco2",
    "glucose": "glucose",
    "lactate": "lactate",
    "viability": "viability",
    "confluence": "confluence",
    "ph": "ph",
}
"""Words in an entry's name -> what the plant's assay calls it; the first that fits."""
CUSTOMARY = {
    "confluence": 85.0,
    "viability": 92.0,
    "feret": 0.9,
    "round": 0.9,
    "temperature": 37.0,
    "ph": 7.35,
    "glucose": 4.0,
}
"""Values for off-bench work that has no limits (A)."""

Value = float | str | bool
Task = Mapping[str, Any]


class Hands(Protocol):
    """What a person can physically do at a vessel. Each act happens at `now`, exactly there."""

    def at(self, unit: str) -> Self: ...
    def pour(self, now: float, ml: float, cells_per_ml: float = 0.0) -> None: ...
    def take(self, now: float, ml: float) -> dict[str, float]: ...
    def harvest(self, now: float) -> dict[str, float]: ...
    def renew_bottle(self, now: float, fluid: str, ml: float = 250.0) -> None: ...
    def line_to_cup(self, now: float) -> None: ...
    def line_to_vessel(self, now: float) -> None: ...
    def clamp(self, now: float, seconds: float) -> None: ...
    def stir(self, now: float, rpm: float) -> None: ...
    def elsewhere(self, now: float, act: Task) -> dict[str, float]: ...
    def door(self, now: float, seconds: float) -> None: ...
    def look(self, now: float) -> dict[str, float]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the controller."""

    path: str
    entries: dict[str, Value]
    by: str = SIMULATED


@dataclass(slots=True)
class PersonState:
    """JSON-able, by run and path. `planned`: when they look at it next; `done`: what they found; `tries`: answers."""

    planned: dict[str, float] = field(default_factory=dict[str, float])
    done: dict[str, dict[str, Value]] = field(default_factory=dict[str, dict[str, Value]])
    tries: dict[str, int] = field(default_factory=dict[str, int])
    chances: dict[str, int] = field(default_factory=dict[str, int])
    """How often a fault could have happened, by its name."""
    samples: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    """What was truly in each sample when it was taken, and `at`, UTC s."""
    first_seen: float | None = None


@dataclass(slots=True)
class Lapse:
    """A fault of the person by name, from `starts` until `ends`; `values` as the table of faults has them."""

    name: str
    values: dict[str, float]
    starts: float = -math.inf
    ends: float = math.inf

    def by(self, key: str, default: float) -> float:
        return self.values.get(key, default)


class Person:
    """See the module. `zone` is an IANA name; working hours are 08:00-18:00 there, every day."""

    def __init__(
        self,
        hands: Hands,
        seed: int | None = 0,
        faults: Mapping[str, Mapping[str, float]] | None = None,
        zone: str = "UTC",
    ) -> None:
        self._hands = hands
        self._seed, self._assay_seed = seed or 0, seed
        self.lapses = [Lapse(name, dict(numbers)) for name, numbers in (faults or {}).items()]
        self._zone = ZoneInfo(zone)
        self.day_and_night = False
        """Never at home; in a time-lapse a night is as long as an hour."""
        self.state = PersonState()

    def see(self, tasks: Sequence[Task], now: float) -> list[Answer]:
        """Look at the open tasks; do what its time has come for and answer it."""
        s = self.state
        if s.first_seen is None and tasks:
            s.first_seen = now
        open_now = {_key(task) for task in tasks}
        for gone in [key for key in s.planned if key not in open_now]:
            del s.planned[gone]
        answers: list[Answer] = []
        for task in tasks:
            key, claimed_by = _key(task), task.get("claimed_by") or ""
            if claimed_by not in ("", SIMULATED):
                s.planned.pop(key, None)
                self._found(task, now)
                continue
            if claimed_by == SIMULATED and key not in s.tries:
                s.planned[key] = now
            elif key not in s.planned:
                s.planned[key] = max(self._when(task, now), task.get("not_before", now))
            if claimed_by != SIMULATED and now >= s.planned[key]:
                s.planned[key] = self._present(now)  # an absence may have begun since it was planned
            if now < s.planned[key]:
                continue
            tries = s.tries[key] = s.tries.get(key, 0) + 1
            s.planned[key] = now + AGAIN_S * 2 ** min(tries - 1, 5)
            answers.append(self._answer(task, now))
        return answers

    def next_time(self, now: float) -> float | None:
        """When `see` is worth calling again if no task changes (an answer may have been lost); None = not before."""
        later = [at for at in self.state.planned.values() if at > now]
        return min(later, default=None)

    def snapshot(self) -> dict[str, object]:
        s = self.state
        return {
            "planned": dict(s.planned),
            "done": {path: dict(found) for path, found in s.done.items()},
            "tries": dict(s.tries),
            "chances": dict(s.chances),
            "samples": {key: dict(found) for key, found in s.samples.items()},
            "first_seen": s.first_seen,
            "lapses": [asdict(each) for each in self.lapses],
        }

    def restore(self, saved: dict[str, object]) -> None:
        fields = dict(cast("dict[str, Any]", saved))
        self.lapses = [Lapse(**each) for each in fields.pop("lapses")]
        self.state = PersonState(**fields)

    # when

    def _chance(self, path: str, what: str) -> Random:
        """Own chance for each task and purpose, so that nothing depends on the order of things."""
        return Random(f"{self._seed}:{path}:{what}")  # noqa: S311 - chance, not secrecy

    def _when(self, task: Task, now: float) -> float:
        path = cast(str, task["path"])
        chance = self._chance(path, "when")
        seconds = 60 * chance.uniform(*REACTION_MIN)
        if (late := self._lapse("late-person", now)) is not None:
            seconds += 3600 * late.by("hours", 6.0)
        begin = max(now, cast(float, task.get("due") or now))
        if _key(task) in self.state.done:
            return begin
        return self._present(self._at_work(begin + seconds, seconds))

    def _at_work(self, at: float, reaction_s: float) -> float:
        """`at`, or after their arrival when the person is at home then."""
        local = datetime.fromtimestamp(at, self._zone)
        if self.day_and_night or OPENS_H <= local.hour < CLOSES_H:
            return at
        arrival = local.replace(hour=OPENS_H, minute=0, second=0, microsecond=0)
        if local.hour >= CLOSES_H:
            arrival += timedelta(days=1)
        return arrival.timestamp() + min(reaction_s, 3600.0)

    def _present(self, at: float) -> float:
        """`at`, or the end of an absence (far away when it has none)."""
        for absence in self.lapses:
            if absence.name == "absent-person":
                begin = max(absence.starts, (self.state.first_seen or 0.0) + absence.by("at", 0.0))
                end = min(absence.ends, begin + absence.by("for", 1e12))
                if begin <= at < end:
                    return end
        return at

    # lapses

    def _lapse(self, name: str, now: float) -> Lapse | None:
        return next((each for each in self.lapses if each.name == name and each.starts <= now < each.ends), None)

    def _errs(self, name: str, now: float) -> Lapse | None:
        """The lapse, when this is its n-th chance; each chance is counted while the lapse is there."""
        lapse = self._lapse(name, now)
        if lapse is None:
            return None
        chances = self.state.chances
        chances[name] = chances.get(name, 0) + 1
        return lapse if chances[name] == int(lapse.by("nth", 1)) else None

    # doing and writing

    def _answer(self, task: Task, now: float) -> Answer:
        path = cast(str, task["path"])
        again = self.state.done.get(_key(task))
        if again is not None:
            return Answer(path, dict(again))
        return Answer(path, self._slip(cast("Sequence[Task]", task.get("entries") or ()), self._found(task, now), now))

    def _found(self, task: Task, now: float) -> dict[str, Value]:
        """Do the acts of the task if they are not done yet; what this person would write down."""
        done = self.state.done
        if (key := _key(task)) not in done:
            found = self._do(task, now)
            chance = self._chance(cast(str, task["path"]), "entries")
            entries = cast("Sequence[Task]", task.get("entries") or ())
            report = _reported(found, key, self._assay_seed)
            done[key] = {
                cast(str, entry["name"]): _label(task, entry)
                if entry.get("kind") == "scan"
                else _value(entry, report, chance)
                for entry in entries
            }
        return done[key]

    def _do(self, task: Task, now: float) -> dict[str, float]:
        """All acts of the task, in order; what was found on the way (empty for off-bench work). Of flasks and plates it
        is what was in them when they were first touched."""
        everything = cast("Sequence[Task]", task.get("acts") or ())
        acts = [act for act in everything if not act.get("elsewhere")]
        names = {cast(str, act["act"]) for act in acts}
        hands = self._hands.at(str(task.get("unit") or ""))
        if "door" not in names and (IN_CHAMBER & names or task.get("out_of_incubator_s")):
            hands.door(now, DOOR_S)
        if IN_CHAMBER & names and (ajar := self._errs("door-left-open", now)) is not None:
            hands.door(now, 60 * ajar.by("minutes", 30.0))
        found: dict[str, float] = {}
        for act in everything:
            if act.get("elsewhere"):
                found = hands.elsewhere(now, act) | found
        for act in acts:
            found |= self._act(hands, act, now)
        if task.get("sample") and found:
            self.state.samples[_key(task)] = {"at": now, **found}
        if IN_CHAMBER & names:
            found = hands.look(now) | found
        return found

    def _act(self, hands: Hands, act: Task, now: float) -> dict[str, float]:
        ml = float(act.get("volume_ml") or 0.0)
        match act["act"]:
            case "pour":
                hands.pour(now, ml, float(act.get("cells_per_ml") or 0.0))
            case "take":
                return hands.take(now, ml)
            case "harvest":
                return hands.harvest(now)
            case "renew":
                self._renew(hands, str(act.get("fluid") or "fresh"), ml, now)
            case "line_to_cup":
                hands.line_to_cup(now)
            case "line_to_vessel":
                hands.line_to_vessel(now)
            case "stir":
                hands.stir(now, float(act.get("value") or 0.0))
            case "door":
                hands.door(now, float(act.get("duration_s") or DOOR_S))
            case other:
                raise ValueError(f"a person does not know how to {other!r}")
        return {}

    def _renew(self, hands: Hands, fluid: str, ml: float, now: float) -> None:
        """A new bottle; perhaps the wrong one, perhaps its clamp stays on the line."""
        if "waste" not in fluid.lower():
            if (wrong := self._errs("wrong-bottle", now)) is not None:
                other = "growth medium" if "osteogenic" in fluid.lower() else "osteogenic medium"
                fluid = "DMEM, high glucose" if wrong.by("dmem", 0.0) else other
            if (clamp := self._errs("forgotten-clamp", now)) is not None:
                hands.clamp(now, 3600 * clamp.by("hours", 8.0))
        hands.renew_bottle(now, fluid, ml)

    def _slip(self, entries: Sequence[Task], written: dict[str, Value], now: float) -> dict[str, Value]:
        """A decimal point in the wrong place, a lot that is not the one in their hands; asked again, they write it
        right."""
        number = next((cast(str, e["name"]) for e in entries if e.get("kind", "number") == "number"), None)
        lot = next((cast(str, e["name"]) for e in entries if e.get("kind") == "text" and _is_lot(e)), None)
        slips: dict[str, Value] = {}
        if number is not None and self._errs("wrong-entry", now) is not None:
            slips[number] = 10 * float(written[number])
        if lot is not None and self._errs("wrong-lot", now) is not None:
            slips[lot] = f"{str(written[lot])[:-1]}{(int(str(written[lot])[-1]) + 1) % 10}"
        return written | slips


def _key(task: Task) -> str:
    """One occurrence of one run; paths repeat from run to run."""
    run = task.get("run") or task.get("run_id")
    return f"{run}:{task['path']}" if run else cast(str, task["path"])


def _reported(found: Mapping[str, float], sample: str, seed: int | None) -> dict[str, float]:
    """What the laboratory says of it: each assay has its error."""
    return {name: read(name, true, sample, seed).value if name in ASSAYS else true for name, true in found.items()}


def _value(entry: Task, found: Mapping[str, float], chance: Random) -> Value:
    name = cast(str, entry["name"]).lower()
    kind = entry.get("kind", "number")
    if kind == "yes_no":
        return True
    if kind == "choice":
        return str(cast("Sequence[str]", entry["options"])[0])
    if kind == "photo":
        return f"photo of {name}"
    if kind == "text":
        return f"LOT-{chance.randrange(1000, 9999)}" if _is_lot(entry) else "as expected"
    true = _found(name, str(entry.get("unit") or ""), found)
    return _usual(entry, name, chance) if true is None else _rounded(true)


def _label(task: Task, entry: Task) -> str:
    """The text on the label of the thing they hold: the right one."""
    name = cast(str, entry["name"])
    number = cast("Mapping[str, Task]", task.get("expects") or {}).get(name, {}).get("number", 1)
    kind = entry.get("label") or "donor"
    of = cast(str, entry.get("of") or (task.get("sample") if kind == "sample" else "donor"))
    run = cast(str, task.get("run") or task.get("run_id"))
    return f"osteon:{kind}:{quote(run, safe='')}:{quote(of, safe='')}:{number}"


def _is_lot(entry: Task) -> bool:
    return "lot" in cast(str, entry["name"]).lower()


def _found(name: str, unit: str, found: Mapping[str, float]) -> float | None:
    """The plant's value for an entry of that name, in the entry's unit."""
    if not found:
        return None
    if "volume" in name:
        return found.get("volume_ml")
    if "count" in name or "cells" in name:
        per_ml = "/" in unit or "per" in name
        return found.get("cells_per_ml") if per_ml or "cells" not in found else found["cells"]
    words = name.replace("_", " ").split()
    for word, key in FOUND.items():
        if (word in words if word == "ph" else word in name) and key in found:
            return found[key] * 7.50062 if unit == "mm[Hg]" else found[key]
    return None


def _usual(entry: Task, name: str, chance: Random) -> float:
    """A plausible number inside the limits, warning limits first."""
    low, high = _limit(entry, "low"), _limit(entry, "high")
    usual = next((value for word, value in CUSTOMARY.items() if word in name), None)
    inside = usual is not None and (low is None or usual >= low) and (high is None or usual <= high)
    if usual is not None and inside:
        near = usual * chance.uniform(0.99, 1.01)
        return _rounded(min(max(near, usual if low is None else low), usual if high is None else high))
    if low is not None and high is not None:
        return _rounded(low + (high - low) * chance.uniform(0.3, 0.7))
    if low is not None:
        return _rounded(low * chance.uniform(1.1, 1.3) if low > 0 else low + 1)
    if high is not None:
        return _rounded(high * chance.uniform(0.4, 0.7) if high > 0 else high - 1)
    return _rounded(chance.uniform(0.9, 1.1))


def _limit(entry: Task, which: str) -> float | None:
    limit = entry.get(f"warn_{which}")
    if limit is None:
        limit = entry.get(which)
    return None if limit is None else float(limit)


def _rounded(value: float) -> float:
    """Four significant digits, as people write."""
    return float(f"{value:.4g}")
