"""Chain of identity: a scanned label is the one that the step expects, or the task is blocked (RM-10).

Nobody may let a wrong one pass: who holds the wrong vessel fetches the right one. A refused scan is on record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from controller.actors import Actor
from controller.materials import objection
from controller.store.changes import AuditEntry
from controller.store.reader import Reader
from controller.store.rows import TaskRow
from protocols.events import EntryValue
from protocols.labels import BY_NAME, Label, makers, read, recorded_plan_id
from protocols.plan import Plan


@dataclass(frozen=True, slots=True)
class Sought:
    """What one entry wants scanned: labels of `kind` ("" = any) named `name`, numbered `least` to `most`."""

    kind: str = ""
    name: str = ""
    least: int = 1
    most: int = 999_999
    nothing: str = ""
    """Why no label can be right now; "" = one can."""

    @property
    def words(self) -> str:
        """For a person, such as `plates 1 to 4` or `bottle of medium 2, or one of its lots`."""
        if self.kind == "":
            return "a label of this run"
        numbers = f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"
        told = spoken(self.kind, self.name, numbers)
        return f"{told}, or one of its lots" if self.kind == "bottle" else told

    def example(self, run_id: str) -> str:
        """The text of a label that is right: what the simulated person holds in its hand."""
        kind = BY_NAME[self.kind or "donor"]
        return Label(kind, run_id, self.name or "donor", self.least).code

    def fits(self, label: Label) -> bool:
        if self.kind == "":
            return True
        return (label.kind, label.name) == (self.kind, self.name) and self.least <= label.n <= self.most


def spoken(kind: str, name: str, number: object) -> str:
    """A label in words: what a vessel is, its name says."""
    match kind:
        case "donor":
            return "donor"
        case "bottle":
            return f"bottle of {name} {number}"
        case "sample":
            return f"sample {name} {number}"
        case _:
            return f"{name} {number}"


def sought(ledger: Reader, plan: Plan, run_id: str, path: str, hand: Mapping[str, Any]) -> dict[str, Sought]:
    """Scan entry -> what it expects now, of the hand step at `path`."""
    return {
        str(entry["name"]): _sought(ledger, plan, run_id, path, hand, entry)
        for entry in hand["entries"]
        if entry["kind"] == "scan"
    }


def _sought(
    ledger: Reader, plan: Plan, run_id: str, path: str, hand: Mapping[str, Any], entry: Mapping[str, Any]
) -> Sought:
    kind, name = str(entry.get("label", "")), str(entry.get("of", ""))
    match kind:
        case "":
            return Sought()
        case "donor":
            return Sought("donor", "donor", 1, 1)
        case "sample":
            name = str(hand["sample"])
            return _nth(makers(plan, "sample", name), path, Sought("sample", name))
        case "bottle":
            made = makers(plan, "bottle", name)
            hung = path if path in made else _hung(ledger, run_id, made)
            nothing = "" if hung else f"no bottle of {name} is hung yet"
            return _nth(made, hung, Sought("bottle", name, nothing=nothing))
        case _:
            return Sought(kind, name, 1, int(entry["count"]))


def _nth(made: tuple[str, ...], path: str, found: Sought) -> Sought:
    if path not in made:
        return found
    n = made.index(path) + 1
    return Sought(found.kind, found.name, n, n)


def _hung(ledger: Reader, run_id: str, made: tuple[str, ...]) -> str:
    """The step that hung the bottle which hangs now; "" = none was hung."""
    done = [(task.answered_at, task.path) for path in made if (task := ledger.task(run_id, path)) is not None]
    return max(((at, path) for at, path in done if at is not None), default=(0.0, ""))[1]


def wrong(ledger: Reader, plan: Plan, task: TaskRow, taken: Mapping[str, EntryValue], at: float) -> list[str]:
    """What was scanned and is not what the step expects at `at` (UTC s): one sentence each, with both."""
    return list(_wrong(ledger, plan, task, taken, at))


def _wrong(ledger: Reader, plan: Plan, task: TaskRow, taken: Mapping[str, EntryValue], at: float) -> Iterator[str]:
    for name, each in sought(ledger, plan, task.run_id, task.path, task.hand).items():
        text = str(taken[name])
        if why := _objection(ledger, plan, task, each, text, at):
            yield f"{name!r}: expected {each.words}; {why}"


def _objection(ledger: Reader, plan: Plan, task: TaskRow, each: Sought, text: str, at: float) -> str:
    """Why this text is not what is sought; "" = it is."""
    if each.kind == "donor" and any((row.run_id, row.donor) == (task.run_id, text) for row in ledger.donors()):
        return ""
    if each.kind == "bottle" and ledger.lot(text) is not None:
        return objection(ledger.lot(text), each.name, text, at)
    try:
        label = read(text)
    except ValueError as error:
        return f"read {error}"
    told = f"read {spoken(label.kind, label.name, label.n)} of {label.owner}"
    row = ledger.run(task.run_id)
    if row is None or label.owner not in (task.run_id, recorded_plan_id(cast("Mapping[str, Any]", row.plan))):
        return f"{told}: that is not {task.run_id}"
    if each.nothing:
        return each.nothing
    if not each.fits(label):
        return told
    return _too_old(ledger, plan, task, each, at)


def _too_old(ledger: Reader, plan: Plan, task: TaskRow, each: Sought, at: float) -> str:
    """Of a bottle: why the lot it was filled from cannot be used any more."""
    if each.kind != "bottle":
        return ""
    made = makers(plan, "bottle", each.name)
    path = made[each.least - 1] if each.least <= len(made) else ""
    lots = {use.material: use.lot for use in ledger.lot_uses() if (use.run_id, use.path) == (task.run_id, path)}
    lot = lots.get(each.name)
    return "" if lot is None else objection(ledger.lot(lot), each.name, lot, at)


def refused(task: TaskRow, taken: Mapping[str, EntryValue], faults: list[str], by: Actor) -> AuditEntry:
    """The record of a scan that blocked a task."""
    scans = {entry["name"]: taken[entry["name"]] for entry in task.hand["entries"] if entry["kind"] == "scan"}
    return AuditEntry(
        "scan refused", "task", task.path, by.name, by.role, by.authenticated_by, new=scans, outcome="refused",
        reason="; ".join(faults), run_id=task.run_id, step=task.path, client=by.client,
    )  # fmt: skip
