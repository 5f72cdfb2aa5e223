"""What a supervisor must have seen before runs go on: a clock not to be trusted, a bench file that has changed,
another program than the one that started a run.

Runs are held meanwhile; temperature, gas and stirring go on (P1).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from controller.actors import SYSTEM, Actor
from controller.alarms import Alarms
from controller.clock import Clock, iso
from controller.errors import RunConflict
from controller.program import program_version
from controller.settings import Settings
from controller.store.changes import AuditEntry, Change, Insert, Update
from controller.store.ledger import Ledger
from controller.store.rows import RunRow

CLOCK, CONFIGURATION, PROGRAM = "clock", "configuration", "program"
MOST_SHOWN = 20
"""Differences of a bench file named in a sentence."""


class Confirmations:
    """`open`: what waits for a supervisor, in words, by kind."""

    def __init__(self, ledger: Ledger, alarms: Alarms, clock: Clock) -> None:
        self.ledger, self.alarms, self.clock = ledger, alarms, clock
        self.open: dict[str, str] = {}

    @property
    def why(self) -> str:
        """Why no run may go on or start; "" when nothing waits."""
        return "; ".join(self.open.values())

    async def look(self, settings: Settings) -> None:
        """At start: whether the clock can be, and whether the bench file is the one that was accepted (RM-09)."""
        if not self.clock.trusted:
            await self._wait(
                CLOCK, f"the clock is not trusted: {self.clock.doubt}", "Set the clock, or confirm the time."
            )
        await self._configuration(settings)
        if upgraded := self._upgraded():
            told = ", ".join(f"{row.run_id} was started with osteon {row.program_version}" for row in upgraded)
            await self._wait(
                PROGRAM,
                f"the program has changed: {told}, this is osteon {program_version()}",
                "Read what is new in this version, then accept it for the run, or start the earlier one.",
            )

    def _upgraded(self) -> list[RunRow]:
        """Runs not ended that another program started, and that nobody has given to this one (DX-04)."""
        here = program_version()
        live = [row for row in self.ledger.runs() if row.ended_at is None and row.program_version != here]
        return [
            row
            for row in live
            if not any(said.detail.get("program") == here for said in self.ledger.deviations(row.run_id))
        ]

    async def _configuration(self, settings: Settings) -> None:
        now, digest = self.clock.now(), settings.digest()
        accepted = self.ledger.configuration(accepted=True)
        if accepted is not None and accepted.digest == digest:
            return
        text = json.loads(settings.as_text())
        differs = [] if accepted is None else [*differences(accepted.content, text)]
        differs = [each for each in differs if ".poll_s:" not in each]  # part of the text of earlier programs
        row = {"digest": digest, "content": text, "first_seen_at": now, "accepted_at": None, "accepted_by": ""}
        change: list[Change] = [] if self.ledger.configuration(digest) else [Insert("configurations", row)]
        if accepted is None or not differs or not self.ledger.runs():  # nothing ran under another one
            facts = {"accepted_at": now, "accepted_by": SYSTEM.name}
            change.append(Update("configurations", {"digest": digest}, facts))
            entry = AuditEntry("configuration", "bench file", digest, SYSTEM.name, SYSTEM.role, new=differs)
            await self.ledger.commit(change, [entry])
            return
        entry = AuditEntry(
            "configuration changed", "bench file", digest, SYSTEM.name, SYSTEM.role, old=accepted.digest, new=differs
        )
        await self.ledger.commit(change, [entry])
        shown = "; ".join(differs[:MOST_SHOWN]) + (" …" if len(differs) > MOST_SHOWN else "")
        await self._wait(
            CONFIGURATION,
            f"the bench file has changed since it was accepted: {shown}",
            "Look at the differences, then accept them, or put the file back.",
        )

    async def _wait(self, kind: str, text: str, advice: str) -> None:
        self.open[kind] = text
        await self.alarms.raise_(f"confirm:{kind}", "critical" if kind == CLOCK else "high", text, advice)

    async def confirm(self, kind: str, by: Actor, why: str) -> str:
        """A supervisor has seen it; what was confirmed, in words. Raises RunConflict when nothing of the kind waits."""
        if kind not in self.open:
            raise RunConflict(f"nothing to confirm of the {kind}; open: {', '.join(self.open) or 'nothing'}")
        now, text = self.clock.now(), self.open[kind]
        change: list[Change] = []
        if kind == CONFIGURATION and (seen := self.ledger.configuration()) is not None:
            facts = {"accepted_at": now, "accepted_by": by.name}
            change.append(Update("configurations", {"digest": seen.digest}, facts))
        if kind == PROGRAM:
            here = program_version()
            for row in self._upgraded():
                said = f"carried on by osteon {here}, started with {row.program_version}: {by.name}, {why}"
                facts = {"run_id": row.run_id, "path": "", "at": now, "text": said, "detail": {"program": here}}
                change.append(Insert("deviations", facts))
        entry = AuditEntry(
            f"{kind} confirmed", "controller", kind, by.name, by.role, by.authenticated_by,
            old=text, new=iso(now), reason=why, client=by.client,
        )  # fmt: skip
        await self.ledger.commit(change, [entry])
        if kind == CLOCK:
            self.clock.trust()
        del self.open[kind]
        await self.alarms.clear(f"confirm:{kind}")
        return text


def differences(old: Any, new: Any, place: str = "") -> Iterator[str]:
    """What differs between two bench files, as `units.1.vessel.max_ml: 150 is 140 now`."""
    if isinstance(old, dict) and isinstance(new, dict):
        before, after = cast("Mapping[str, Any]", old), cast("Mapping[str, Any]", new)
        for key in dict.fromkeys((*before, *after)):
            yield from differences(before.get(key), after.get(key), f"{place}.{key}" if place else key)
    elif isinstance(old, list) and isinstance(new, list):
        one, two = cast("list[Any]", old), cast("list[Any]", new)
        for i in range(max(len(one), len(two))):
            name = f"{place}.{i + 1}"
            yield from differences(one[i] if i < len(one) else None, two[i] if i < len(two) else None, name)
    elif old != new:
        yield f"{place}: {said(old)} is {said(new)} now"


def said(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
