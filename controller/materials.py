"""Lots of materials: booked in, opened, discarded; which lots a hand step used, and why one is refused (RM-10)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from controller.actors import DECIDERS, Actor
from controller.asked import asked as asks
from controller.errors import RunConflict, Unusable
from controller.keys import Keys, answer_row
from controller.reasons import enough, needed
from controller.store.changes import AuditEntry, Change, Insert, Update, Upsert
from controller.store.errors import ChangeRefused
from controller.store.reader import Reader
from controller.store.rows import LotRow

SIMULATED_PREFIX = "S-"
"""Lots that the simulated person books for itself; nobody else may book such a name."""
GONE = ("used up", "discarded")


class Materials:
    """The stock of a bench, in the ledger."""

    def __init__(self, keys: Keys) -> None:
        self.keys, self.ledger, self.clock = keys, keys.ledger, keys.clock

    def stock(self, wanted: Sequence[str]) -> dict[str, list[str]]:
        """The lots of each of these materials that could be used now, the one that expires first at the head."""
        if not wanted:
            return {}
        now = self.clock.now()
        rows = sorted(self.ledger.lots(), key=lambda row: row.expires_at or float("inf"))
        return {
            name: [row.lot for row in rows if row.material == name and not objection(row, name, row.lot, now)]
            for name in wanted
        }

    async def add(
        self,
        lot: str,
        material: str,
        by: Actor,
        *,
        made_at: float | None = None,
        expires_at: float | None = None,
        container: str = "",
        amount: float | None = None,
        unit: str = "",
        key: str = "",
    ) -> str:
        """Book a lot in; its state. Times UTC s. Raises Unusable with every fault, RunConflict when it is known."""
        facts = {
            "lot": lot, "material": material, "made_at": made_at, "expires_at": expires_at, "container": container,
            "amount": amount, "unit": unit,
        }  # fmt: skip
        asked = asks(f"lot {lot}", **facts)
        if (first := self.keys.answered(key, asked)) is not None:
            return str(first["state"])
        now = self.clock.now()
        if faults := list(unfit(lot, material, made_at, expires_at, now)):
            raise Unusable(faults)
        row = {**facts, "received_at": now, "state": "stock", "by": by.name}
        change: list[Change] = [Insert("materials", row)]
        if key:
            change.append(answer_row(key, None, now, {"asked": asked, "state": "stock"}))
        entry = AuditEntry(
            "lot booked", "lot", lot, by.name, by.role, by.authenticated_by, new=facts, client=by.client
        )  # fmt: skip
        try:
            await self.ledger.commit(change, [entry])
        except ChangeRefused:
            raise RunConflict(f"the lot {lot!r} is booked already") from None
        return "stock"

    async def put(
        self, lot: str, state: Literal["open", "used up", "discarded"], by: Actor, *, why: str = "", key: str = ""
    ) -> str:
        """Open a lot, or take it out of use; discarding needs a reason. What was taken out does not come back."""
        asked = asks(f"lot {lot} {state}", lot=lot, state=state)
        if (first := self.keys.answered(key, asked)) is not None:
            return str(first["state"])
        row, now = self.ledger.lot(lot), self.clock.now()
        if row is None:
            raise Unusable([f"there is no lot {lot!r}"])
        if row.state in GONE or row.state == state:
            raise RunConflict(f"the lot {lot!r} is {row.state}")
        if state == "discarded" and not enough(why):
            raise Unusable([needed("to discard a lot")])
        facts: dict[str, object] = {"state": state, "why": why.strip()}
        if state == "open":
            facts["opened_at"] = now
        change: list[Change] = [Update("materials", {"lot": lot, "state": row.state}, facts)]
        if key:
            change.append(answer_row(key, None, now, {"asked": asked, "state": state}))
        entry = AuditEntry(
            f"lot {state}", "lot", lot, by.name, by.role, by.authenticated_by, old=row.state, new=state,
            reason=why.strip(), client=by.client,
        )  # fmt: skip
        try:
            await self.ledger.commit(change, [entry])
        except ChangeRefused:
            raise RunConflict(f"the lot {lot!r} was changed in this moment; look again") from None
        return state


def unfit(lot: str, material: str, made_at: float | None, expires_at: float | None, now: float) -> Iterator[str]:
    if not re.fullmatch(r"[^\s\x00-\x1f](?:[^\x00-\x1f]{0,78}[^\s\x00-\x1f])?", lot):
        yield "a lot is named by 1 to 80 characters in one line"
    if lot.startswith(SIMULATED_PREFIX):
        yield f"{SIMULATED_PREFIX} begins the lots of the simulated person"
    if not material.strip():
        yield "the material is missing"
    if made_at is not None and made_at > now:
        yield "it cannot have been made in the future"
    if expires_at is not None and expires_at <= (now if made_at is None else made_at):
        yield "it would have expired before it is booked"


def objection(row: LotRow | None, material: str, lot: str, at: float) -> str:
    """Why this lot cannot be used as this material at this time (UTC s); "" = it can."""
    if row is None:
        return f"{material}: there is no lot {lot!r}; book it first"
    if row.material != material:
        return f"{material}: {lot!r} is a lot of {row.material}"
    if row.state in GONE:
        return f"{material}: the lot {lot!r} is {row.state}"
    if row.expires_at is not None and at >= row.expires_at:
        return f"{material}: the lot {lot!r} had expired by then"
    return ""


def used(
    ledger: Reader, run_id: str, path: str, wanted: list[str], lots: Mapping[str, str], at: float, by: Actor, why: str
) -> tuple[list[Change], list[AuditEntry]]:
    """The rows of the lots that a hand step used at `at`. Raises Unusable with every objection, unless a supervisor
    gives a reason: then each objection is a deviation of the run."""
    faults = [
        f"{name!r} was not asked; this step uses {', '.join(wanted) or 'no lot'}" for name in lots if name not in wanted
    ]
    faults += [f"{name}: name its lot" for name in wanted if not lots.get(name)]
    against = {name: objection(ledger.lot(lots[name]), name, lots[name], at) for name in wanted if lots.get(name)}
    objections = [text for text in against.values() if text]
    known = all(ledger.lot(lot) is not None for lot in lots.values())
    passed = by.role in DECIDERS and enough(why) and known
    if faults or (objections and not passed):
        raise Unusable([*faults, *objections])
    change: list[Change] = []
    for name in wanted:
        reason = why.strip() if against[name] else ""
        row = {"run_id": run_id, "path": path, "material": name, "lot": lots[name], "at": at, "by": by.name}
        change.append(Upsert("lot_uses", {**row, "why": reason}))
    for text in objections:
        told = f"{text}; {by.name} let it pass: {why.strip()}"
        change.append(Insert("deviations", {"run_id": run_id, "path": path, "at": at, "text": told}))
    if not wanted:
        return [], []
    entry = AuditEntry(
        "lots used", "task", path, by.name, by.role, by.authenticated_by, new=dict(lots), run_id=run_id, step=path,
        reason=why.strip() if objections else "", client=by.client,
    )  # fmt: skip
    return change, [entry]


def simulated(ledger: Reader, wanted: list[str], now: float, by: Actor) -> tuple[dict[str, str], list[Change]]:
    """Lots that the simulated person takes from its own shelf, and the rows of those it had to book for that."""
    lots = {name: f"{SIMULATED_PREFIX}{name}" for name in wanted}
    change: list[Change] = [
        Insert("materials", {"lot": lot, "material": name, "received_at": now, "state": "open", "by": by.name})
        for name, lot in lots.items()
        if ledger.lot(lot) is None
    ]
    return lots, change
