"""Fluid moved at a person's word, without a protocol: the same ledger, fence, caps and books as any dose (DS-11)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from controller.actors import Actor
from controller.asked import asked as asks
from controller.errors import RunConflict, Unusable
from controller.keys import answer_row
from controller.reasons import reasoned
from controller.run.books import INTO, REMOVED
from controller.run.doors import Doors
from controller.run.engine import Engine
from controller.run.transfers import Site
from controller.runs import Runs
from controller.settings import UnitSettings
from controller.store.changes import AuditEntry, Change, Insert, Update
from controller.volumes import taken_over
from protocols.effects import Transfer
from protocols.states import RunState

NAME = "by hand"
UNDER_WAY = "under way, or its end is not known: look at the doses and at the vessel"


@dataclass(frozen=True, slots=True)
class Move:
    """What a person asks for: mL and mL/min along a fluid path of a unit, into or out of its vessel, or to the cup."""

    path: str
    volume_ml: float
    rate_ml_min: float
    fluid: str = "by hand"
    to: Literal["vessel", "cup"] = "vessel"

    @property
    def part(self) -> str:
        if self.to == "cup":
            return "prime"
        return "fill" if self.path == INTO else REMOVED


class ByHand:
    """Moves of units that have no live run, or whose run is held in mode manual (SM-06)."""

    def __init__(self, runs: Runs, doors: Doors) -> None:
        self.runs, self.doors = runs, doors
        self._halts: dict[str, asyncio.Event] = {}

    def halt(self, unit: str | None) -> None:
        """End the moves under way now (DX-06)."""
        for name, event in self._halts.items():
            if unit in (None, name):
                event.set()

    def lacks(self, unit: UnitSettings) -> list[str]:
        """Why no run may start on this unit now."""
        return [f"fluid of {unit.name} is being moved by hand"] if unit.name in self._halts else []

    async def move(self, unit: str | None, wanted: Move, by: Actor, *, why: str, key: str = "") -> dict[str, Any]:
        """Do it, once for each key: what was asked and measured, and how it ended. Raises Unusable, RunConflict."""
        where = self.runs.where(unit)
        asked = asks(
            f"move {wanted.volume_ml:g} mL", unit=where.name, path=wanted.path, volume_ml=wanted.volume_ml,
            rate_ml_min=wanted.rate_ml_min, fluid=wanted.fluid, to=wanted.to,
        )  # fmt: skip
        if (first := self.runs.keys.answered(key, asked)) is not None:
            return dict(first["moved"])
        self._check(where, wanted)
        engine, reason = self._held(where), reasoned(why)
        if where.name in self._halts:
            raise RunConflict(f"fluid of {where.name} is being moved by hand already")
        self._halts[where.name] = halt = asyncio.Event()
        try:
            site, step = await self._open(where, engine, wanted, by, reason, key, asked)
            transfer = Transfer(
                step, wanted.part, wanted.path, "volume", wanted.volume_ml, wanted.rate_ml_min, wanted.fluid, where.name
            )
            result = await self.doors.transfers.perform(site, transfer, halt)
        finally:
            del self._halts[where.name]
        outcome = "ended early" if result is None else result.outcome
        told: dict[str, Any] = {
            "run": site.run_id, "path": step, "asked_ml": wanted.volume_ml, "outcome": outcome,
            "measured_ml": None if result is None else result.counter_ml, "why": "" if result is None else result.why,
        }  # fmt: skip
        await self._close(told, by, reason, key, asked)
        return told

    def _check(self, unit: UnitSettings, wanted: Move) -> None:
        path = unit.paths.get(wanted.path)
        if path is None:
            raise Unusable([f"{unit.name} has no fluid path {wanted.path!r}; it has {', '.join(unit.paths) or 'none'}"])
        if wanted.to == "cup" and wanted.path != INTO:
            raise Unusable([f"only {INTO!r} can run into the cup"])
        if wanted.to == "cup" and path.valve and not path.prime_position:
            raise Unusable([f"{wanted.path!r} has no prime_position: {path.valve} would lead it into the vessel"])
        mover = self.doors.bench.mover(path.pump)
        if not mover.bounded:
            raise Unusable([f"{path.pump} cannot bound a dose by itself (EQ-02)"])
        if wanted.volume_ml > mover.capacity_ml and (mover.through or not path.valve):
            raise Unusable(
                [f"{wanted.volume_ml:g} mL is more than one stroke of {path.pump} ({mover.capacity_ml:g} mL)"]
            )

    def _held(self, unit: UnitSettings) -> Engine | None:
        """The run whose books the move is in: one that is held in mode manual; None = the unit has no live run."""
        if begins := self.runs.begins.get(unit.name):
            raise RunConflict(f"{unit.name} is in the hands of {begins}, which begins just now")
        engine = self.runs.on(unit)
        if engine is None or engine.ended:
            return None
        if engine.run.state is RunState.HELD and engine.run.mode == "manual":
            return engine
        raise RunConflict(
            f"{unit.name} is in the hands of {engine.run_id}: set its mode to manual first, which holds it",
            engine.run.state.value,
        )

    async def _open(
        self, unit: UnitSettings, engine: Engine | None, wanted: Move, by: Actor, why: str, key: str, asked: str
    ) -> tuple[Site, str]:
        """On record before anything moves: a repeated key finds it, and never moves a second time."""
        ledger, now = self.doors.ledger, self.doors.clock.now()
        change: list[Change] = []
        audit: list[AuditEntry] = []
        if engine is not None:
            site = engine.site
        else:
            site = Site(f"by-hand-{len(ledger.runs()) + 1}", unit, now)
            left, told = taken_over(ledger, unit, now, now)
            row = {
                "run_id": site.run_id, "unit": unit.name, "name": NAME, "state": RunState.IDLE.value,
                "created_at": now, "ended_at": now, "created_by": by.name,
            }  # fmt: skip
            change += [Insert("runs", row), *left]
            audit += told
        step = f"{NAME}/{1 + len({each.path for each in ledger.doses(site.run_id) if each.path.startswith(NAME)})}"
        if key:
            told_so_far = {"run": site.run_id, "path": step, "asked_ml": wanted.volume_ml, "outcome": UNDER_WAY}
            change.append(answer_row(key, site.run_id, now, {"asked": asked, "moved": told_so_far}))
        audit.append(
            self._entry("move by hand", site.run_id, step, by, why, {"asked_ml": wanted.volume_ml, "to": wanted.to})
        )
        await ledger.commit(change, audit)
        return site, step

    async def _close(self, told: Mapping[str, Any], by: Actor, why: str, key: str, asked: str) -> None:
        change: list[Change] = []
        if key:
            change.append(Update("answers", {"key": key}, {"answer": {"asked": asked, "moved": dict(told)}}))
        entry = self._entry("moved by hand", told["run"], told["path"], by, why, dict(told))
        await self.doors.ledger.commit(change, [entry])
        if told["outcome"] != "done":
            text = f"moved by hand: {told['outcome']}{': ' + told['why'] if told['why'] else ''}"
            advice = "Look at the vessel, and say what it holds (osteon runs volume)."
            await self.doors.alarms.raise_(f"{told['run']}:{told['path']}", "high", text, advice)

    @staticmethod
    def _entry(action: str, run_id: str, step: str, by: Actor, why: str, new: Mapping[str, Any]) -> AuditEntry:
        return AuditEntry(
            action, "dose", step, by.name, by.role, by.authenticated_by,
            new=dict(new), unit="mL", reason=why, run_id=run_id, step=step, client=by.client,
        )  # fmt: skip
