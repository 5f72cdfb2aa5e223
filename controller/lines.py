"""One donor per unit: whose cells a unit holds, and the line clearance that is signed before another's come (RM-10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from controller.actors import Actor
from controller.asked import asked as asks
from controller.errors import RunConflict
from controller.keys import Keys, answer_row
from controller.lineage import ancestors
from controller.reasons import reasoned
from controller.store.changes import AuditEntry, Change, Insert


class Lines:
    """What each unit holds, in the ledger. `on_it(unit)`: the run that has the unit, "" = none."""

    def __init__(self, keys: Keys, on_it: Callable[[str], str]) -> None:
        self.keys, self.ledger, self.clock, self._on_it = keys, keys.ledger, keys.clock, on_it

    def donor(self, unit: str) -> str:
        """Whose cells the unit holds; "" = nobody's, as far as it was said."""
        return next((row.donor for row in reversed(self.ledger.donors()) if row.unit == unit), "")

    def of_run(self, run_id: str) -> str:
        """The donor of a run; "" = it was never said."""
        return next((row.donor for row in self.ledger.donors() if row.run_id == run_id), "")

    def donors(self, batches: Iterable[str]) -> set[str]:
        """Whose cells these batches are, as far as that is on record."""
        kinds = {row.batch: row.kind for row in self.ledger.batches()}
        return {each for batch in batches for each in ancestors(self.ledger, batch) if kinds.get(each) == "donor"}

    def lacks(self, unit: str, donors: set[str]) -> list[str]:
        """Why a run with cells of these donors (none = not known) may not start on the unit."""
        if len(donors) > 1:
            return [f"the batch is of the donors {', '.join(sorted(donors))}: one donor per unit"]
        held = self.donor(unit)
        if not held or held in donors:
            return []
        what = f"not of {', '.join(donors)}" if donors else "and whose this run is for is not known: name its batch"
        return [f"{unit} holds cells of donor {held}, {what}; or sign the line clearance first"]

    def taken(self, unit: str, donors: set[str], run_id: str, by: Actor) -> list[Change]:
        """The row that gives the unit to the donor; nothing where none is known."""
        row = {"unit": unit, "run_id": run_id, "at": self.clock.now(), "by": by.name}
        return [Insert("unit_donors", {**row, "donor": donor}) for donor in donors]

    def objections(self, run_id: str, donors: set[str]) -> list[str]:
        """Why a batch of these donors cannot be made in this run."""
        row = self.ledger.run(run_id) if run_id else None
        if row is None or not donors:
            return []
        mine = self.of_run(run_id)
        if mine and donors != {mine}:
            return [f"{run_id} is of donor {mine}, this batch of {', '.join(sorted(donors))}: one donor per unit"]
        return self.lacks(row.unit, donors) if not mine and row.ended_at is None else []

    def taken_by_batch(self, run_id: str, donors: set[str], by: Actor) -> list[Change]:
        """The first batch of a run whose donor was not known tells whose cells its unit holds."""
        row = self.ledger.run(run_id) if run_id else None
        if row is None or row.ended_at is not None or self.of_run(run_id):
            return []
        return self.taken(row.unit, donors, run_id, by)

    async def clear(self, unit: str, by: Actor, *, why: str, key: str = "") -> str:
        """A person signs that nothing of the last donor is left at the unit; whose cells it held, "" = not known.

        Raises RunConflict while a run has the unit, Unusable without what was checked, in 5 characters or more."""
        asked = asks(f"clear line {unit}", unit=unit)
        if (first := self.keys.answered(key, asked)) is not None:
            return str(first["donor"])
        if run := self._on_it(unit):
            raise RunConflict(f"{run} has {unit}: a line is cleared when the run has ended and is reset")
        reason, now, held = reasoned(why), self.clock.now(), self.donor(unit)
        change: list[Change] = [
            Insert("unit_donors", {"unit": unit, "donor": "", "at": now, "by": by.name, "why": reason})
        ]
        if key:
            change.append(answer_row(key, None, now, {"asked": asked, "donor": held}))
        entry = AuditEntry(
            "line cleared", "unit", unit, by.name, by.role, by.authenticated_by, old=held, new="", reason=reason,
            client=by.client,
        )  # fmt: skip
        await self.ledger.commit(change, [entry])
        return held
