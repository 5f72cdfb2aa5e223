"""Strokes of a pump under the dose ledger: intent, one bounded command, watch, fence, measure, result (DS-01 to 06)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from controller.actors import RULE
from controller.clock import Clock
from controller.errors import Blocked, certain
from controller.run import unasked
from controller.run.intents import Intent
from controller.run.judging import Sample, liquid_counted
from controller.run.reconcile import Evidence, Verdict, judge
from controller.store.changes import AuditEntry, Insert, Update
from controller.store.ledger import Ledger
from drivers.core.errors import OutOfRange, Refused, WireError
from drivers.core.fluid import Direction, FluidMover, Motion, Totals

LOOK_S = 2.0
"""How often a stroke is looked at."""
OVERTIME = 1.2
"""A pump may run this much longer than its volume at its rate needs (IL-02: bound + 20 %)."""
FENCE_TRIES = 5
"""Rounds of stop and quiet time after which the counters are given up as unreadable."""

Weigh = Callable[[], Awaitable[float | None]]
"""Reads the second witness now, g; None when it is not good."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """What is asked of one stroke; volumes mL, rate mL/min."""

    run_id: str
    path: str
    part: str
    number: int
    direction: Direction
    fluid: str
    fluid_path: str
    volume_ml: float
    cap_ml: float
    rate_ml_min: float

    @property
    def dose_id(self) -> str:
        return f"{self.run_id}/{self.path}#{self.part}.{self.direction.value}.{self.number}"


@dataclass(frozen=True, slots=True)
class Watched:
    """How a stroke was seen to end: without a break, or in doubt; and counter and weight on the way."""

    unbroken: bool
    samples: tuple[Sample, ...] = ()
    refused: str = ""
    """Why the device would not begin; then nothing moved, and the counters must agree."""


@dataclass(frozen=True, slots=True)
class News:
    """What a pump has said so far of itself, and how often it was not understood."""

    alarms: int
    missed: int

    @classmethod
    def of(cls, mover: FluidMover) -> News:
        return cls(mover.alarms_met, mover.replies_missed)

    def since(self, before: News, sent: bool) -> bool:
        """Whether an alarm was told or may have been; a lost reply means nothing where no command was sent."""
        return self.alarms != before.alarms or (sent and self.missed != before.missed)


class Doses:
    """The only caller of `FluidMover.start`."""

    def __init__(self, ledger: Ledger, clock: Clock, check_epoch: Callable[[], None]) -> None:
        self.ledger, self.clock, self.check_epoch = ledger, clock, check_epoch

    async def perform(
        self,
        stroke: Stroke,
        device: str,
        mover: FluidMover,
        identity: str,
        *,
        tolerance_ml: float,
        halt: asyncio.Event,
        witness: str = "",
        weigh: Weigh | None = None,
        density_g_ml: float = 1.0,
    ) -> Intent:
        """Do one stroke and return its row as measured. Raises Blocked when nothing was sent; `halt` ends it early."""
        certain(0 < stroke.volume_ml <= stroke.cap_ml, f"{stroke.dose_id}: {stroke.volume_ml} of {stroke.cap_ml} mL")
        certain(
            all(row.device != device for row in self.ledger.open_doses()),
            f"{stroke.dose_id}: {device} has a stroke that nobody has measured",
        )
        before = await self._ready(mover, device)
        weight = await weigh() if weigh else None
        if weigh and weight is None:
            raise Blocked(f"{witness} cannot be read: a transfer needs its second witness before it starts")
        intent = Intent(
            dose_id=stroke.dose_id,
            run_id=stroke.run_id,
            path=stroke.path,
            part=stroke.part,
            number=stroke.number,
            stroke=stroke.direction,
            fluid=stroke.fluid,
            fluid_path=stroke.fluid_path,
            device=device,
            identity=identity,
            target_ml=stroke.volume_ml,
            tolerance_ml=max(tolerance_ml, 2 * before.resolution_ml),
            cap_ml=stroke.cap_ml,
            rate_ml_min=stroke.rate_ml_min,
            epoch=self.ledger.epoch,
            intended_at=self.clock.now(),
            drawn_before_ml=before.drawn_ml,
            delivered_before_ml=before.delivered_ml,
            resolution_ml=before.resolution_ml,
            witness=witness,
            witness_before=weight,
        )
        self.check_epoch()
        await self._account(intent)
        await self.ledger.commit([Insert("doses", intent.row())], [self._entry("dose intended", intent)])
        self.check_epoch()
        if halt.is_set():  # a hold came while the disk was slow: nothing goes out any more (DX-06)
            return await self._record(
                intent, Verdict("cancelled", 0.0, "ended before it was sent"), before, weight, None
            )
        before_it = News.of(mover)
        watched = await self._move(intent, mover, halt, weigh)
        return await self._close(intent, mover, identity, watched, weigh, density_g_ml, before_it)

    async def reconcile(
        self, intent: Intent, mover: FluidMover, identity: str, weigh: Weigh | None, density_g_ml: float
    ) -> Intent:
        """Measure a stroke that nobody saw end (DS-03, DS-04). Raises WireError while the device does not answer."""
        doubtful = Watched(unbroken=False)
        return await self._close(intent, mover, identity, doubtful, weigh, density_g_ml, News.of(mover))

    async def decide(self, intent: Intent, moved_ml: float, by: str) -> tuple[Update, AuditEntry]:
        """A person's answer to "unknown": the rows that record it, for one transaction with the run's event (DS-05)."""
        state = (
            "done" if moved_ml >= intent.target_ml - intent.tolerance_ml else "partial" if moved_ml > 0 else "cancelled"
        )
        facts: dict[str, object] = {
            "state": state,
            "moved_ml": moved_ml,
            "decided_by": by,
            "ended_at": self.clock.now(),
        }
        entry = AuditEntry(
            "dose decided", "dose", intent.dose_id, by, new=facts, run_id=intent.run_id, step=intent.path
        )
        return Update("doses", {"dose_id": intent.dose_id}, facts), entry

    async def _account(self, wanted: Intent) -> None:
        """What the pump moved unasked goes on record first; then Blocked is raised once, that a person looks."""
        last = self.ledger.last_dose(wanted.device)
        gains = unasked.gains(None if last is None else Intent.of(last), wanted)
        if not gains:
            return
        there = [row.number for row in self.ledger.doses(wanted.run_id, wanted.path) if row.part == unasked.PART]
        found = [
            unasked.row(gain, wanted, max(there, default=0) + number) for number, gain in enumerate(gains, start=1)
        ]
        await self.ledger.commit(
            [Insert("doses", row.row()) for row in found], [self._entry("dose unasked", row) for row in found]
        )
        moved = ", ".join(f"{row.stroke.value} {row.moved_ml or 0.0:.2f} mL" for row in found)
        raise Blocked(f"{wanted.device} moved unasked since its last stroke: {moved}; look at vessel and syringe")

    async def _ready(self, mover: FluidMover, device: str) -> Totals:
        """The device must stand still without an alarm; returns its counters. Raises Blocked."""
        try:
            with mover.as_identified():
                status = await mover.status()
                if status.motion is not Motion.STOPPED or status.alarm:
                    raise Blocked(f"{device} is not ready: {status.alarm or status.motion.value}")
                return await mover.totals()
        except WireError as error:
            raise Blocked(f"{device} does not answer: {error}") from error

    async def _move(self, intent: Intent, mover: FluidMover, halt: asyncio.Event, weigh: Weigh | None) -> Watched:
        """Send the one command and watch the stroke; whatever goes wrong is doubt, never a second send (DS-03)."""
        try:
            with mover.as_identified():
                await mover.start(intent.stroke, intent.target_ml, intent.rate_ml_min, unless=halt.is_set)
        except (OutOfRange, Refused) as error:
            return Watched(unbroken=True, refused=str(error))
        except WireError:
            return Watched(unbroken=False)
        loop = asyncio.get_running_loop()
        began = loop.time()
        deadline = began + OVERTIME * 60.0 * intent.target_ml / intent.rate_ml_min + 10.0
        samples = [Sample(0.0, 0.0)]
        at = began
        while not halt.is_set() and loop.time() < deadline:
            at += LOOK_S
            await wait_for(halt, at - loop.time())
            try:
                with mover.as_identified():
                    status = await mover.status()
                    if weigh is not None:
                        await self._sample(intent, mover, weigh, samples)
            except WireError:
                return Watched(unbroken=False)
            if status.alarm:
                return Watched(unbroken=False)
            if status.motion is not Motion.MOVING:
                break
        return Watched(unbroken=True, samples=tuple(samples))

    async def _sample(self, intent: Intent, mover: FluidMover, weigh: Weigh, samples: list[Sample]) -> None:
        weight = await weigh()
        if weight is not None and intent.witness_before is not None:
            moved = (await mover.totals()).of(intent.stroke) - intent.before()
            samples.append(Sample(moved, weight - intent.witness_before))

    async def fence(self, mover: FluidMover) -> Totals | None:
        """Stop until stopped, then see the same counters twice with a quiet time between (DS-02).

        None = the counters would not stand still. Raises WireError when the device does not answer, or is not known.
        """
        for _ in range(FENCE_TRIES):
            await mover.stop()
            with mover.as_identified():
                first = await mover.totals()
                await asyncio.sleep(mover.fence_quiet_s)
                status = await mover.status()
                if status.motion is Motion.ALARM:
                    await mover.prepare()
                elif status.motion is Motion.STOPPED and await mover.totals() == first:
                    return first
        return None

    async def _close(
        self,
        intent: Intent,
        mover: FluidMover,
        identity: str,
        watched: Watched,
        weigh: Weigh | None,
        density_g_ml: float,
        before_it: News,
    ) -> Intent:
        """Fence, read, judge, record. An alarm met since `before_it`, or a reply missed, breaks the watch (DS-06)."""
        totals = await self.fence(mover)
        weight = await weigh() if weigh else None
        verdict = judge(
            intent,
            Evidence(
                identity=identity,
                totals=totals,
                unbroken=watched.unbroken and not News.of(mover).since(before_it, sent=not watched.refused),
                totals_survive_power_loss=mover.totals_survive_power_loss,
                weight_g=weight,
                density_g_ml=density_g_ml,
            ),
        )
        if watched.refused:
            verdict = replace(verdict, evidence=f"{verdict.evidence}; refused: {watched.refused}")
        return await self._record(intent, verdict, totals, weight, liquid(watched))

    async def _record(
        self, intent: Intent, verdict: Verdict, totals: Totals | None, weight: float | None, liquid_ml: float | None
    ) -> Intent:
        facts: dict[str, object] = {
            "state": verdict.state,
            "moved_ml": verdict.moved_ml,
            "after_ml": None if totals is None else totals.of(intent.stroke),
            "witness_after": weight,
            "liquid_ml": liquid_ml,
            "ended_at": self.clock.now(),
            "evidence": verdict.evidence,
        }
        done = intent.ended(**facts)
        await self.ledger.commit(
            [Update("doses", {"dose_id": intent.dose_id}, facts)], [self._entry("dose measured", done)]
        )
        return done

    def _entry(self, action: str, intent: Intent) -> AuditEntry:
        new = {
            "state": intent.state,
            "target_ml": intent.target_ml,
            "moved_ml": intent.moved_ml,
            "why": intent.evidence,
        }
        return AuditEntry(
            action,
            "dose",
            intent.dose_id,
            RULE.name,
            RULE.role,
            new=new,
            unit="mL",
            run_id=intent.run_id,
            step=intent.path,
        )


def liquid(watched: Watched) -> float | None:
    """Counter volume during which the witness rose; 0.0 when it was watched and never rose, None when not watched."""
    if not watched.unbroken or len(watched.samples) < 2:
        return None
    return liquid_counted(watched.samples)


async def wait_for(halt: asyncio.Event, seconds: float) -> None:
    """Sleep `seconds`, or less when `halt` is set."""
    if seconds <= 0:
        return
    try:
        async with asyncio.timeout(seconds):
            await halt.wait()
    except TimeoutError:
        pass
