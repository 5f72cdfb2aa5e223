"""A transfer is a drawing and a delivering stroke; it goes on from what the ledger says was already moved."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

from controller.bench import Bench
from controller.clock import Clock
from controller.errors import Blocked, Broken, certain
from controller.latest import Latest
from controller.run import caps
from controller.run.accounts import Accounts
from controller.run.books import INTO
from controller.run.doses import LOOK_S, Doses, Stroke, Weigh, wait_for
from controller.run.holders import Holders
from controller.run.intents import Intent, removing
from controller.run.judging import Result, allowed_ml, judge_level, judge_volume
from controller.run.strokes import Doubt, Finished, next_stroke, tolerance_ml
from controller.run.volumes import Volume
from controller.settings import PathSettings, UnitCaps, UnitSettings
from controller.store.ledger import Ledger
from drivers.core.errors import OutOfRange, WireError
from drivers.core.fluid import Direction
from drivers.core.signals import Identity, Quality
from protocols.effects import Transfer
from protocols.plan import TO_CUP

LEVEL_FIXED_S = 0.001
"""The books fix the level at the end of the drawing stroke; this much earlier they do not know it yet."""

PATIENCE_S = 300.0
"""A pump in another step's hands, at rest for so long, waits for a person: whoever wants it holds and says so."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a run happens: its id, its unit and when it began (UTC s)."""

    run_id: str
    unit: UnitSettings
    start: float


class Transfers:
    """Carries out Transfer effects of the runs of one bench."""

    def __init__(self, bench: Bench, latest: Latest, ledger: Ledger, clock: Clock, doses: Doses) -> None:
        self.bench, self.latest, self.ledger, self.clock, self.doses = bench, latest, ledger, clock, doses
        self.holders = Holders(ledger)
        self.accounts = Accounts(ledger)
        self._busy: dict[str, asyncio.Lock] = {}

    def rows(self, run_id: str, path: str, part: str) -> list[Intent]:
        """The ledger's rows of one transfer in the order they were intended."""
        found = [Intent.of(row) for row in self.ledger.doses(run_id=run_id, path=path) if row.part == part]
        return sorted(found, key=lambda row: row.intended_at)

    def open_intents(self, run_id: str) -> list[Intent]:
        """Strokes of a run whose end nobody has measured."""
        return [Intent.of(row) for row in self.ledger.open_doses() if row.run_id == run_id]

    def volume(self, site: Site) -> Volume:
        """As a person should see it: with what a withdrawal under way has drawn."""
        return self.accounts.volume(site.run_id, site.unit, site.start, self.clock.now(), under_way=True)

    async def perform(self, site: Site, wanted: Transfer, halt: asyncio.Event) -> Result | None:
        """Bring the transfer to its end; None when `halt` ended it before. Never raises for what a bench can do."""
        path = site.unit.paths[wanted.fluid_path]
        try:
            await self._turn(site, wanted, path.pump, halt)
        except Blocked as error:
            return Result("refused", None, None, str(error))
        async with self._busy.setdefault(path.pump, asyncio.Lock()):
            try:
                certain(0 < wanted.volume_ml < math.inf and 0 < wanted.rate_ml_min < math.inf, f"a volume of {wanted}")
                finished = await self._strokes(site, wanted, path, halt)
            except Blocked as error:
                return Result("refused", None, None, str(error))
            except WireError as error:
                why = f"{path.pump} does not answer: {error}; its stroke is measured when it is back"
                return Result("refused", None, None, why)
            except Broken as error:
                return Result("failed", None, None, str(error))
        rows = self.rows(site.run_id, wanted.path, wanted.part)
        if isinstance(finished, Doubt):
            intent = finished.intent
            return Result(
                "unknown", None, None, f"{intent.stroke.value} stroke of {intent.target_ml:g} mL: {intent.evidence}"
            )
        if finished is None:
            return self._failed(rows) if not halt.is_set() else None
        if wanted.mode == "level":
            level_ml = wanted.to_level_ml or site.unit.vessel.level_ml
            before, after = self.around_drawing(site, rows)
            return judge_level(
                rows,
                cap_ml=wanted.volume_ml,
                density_g_ml=path.density_g_ml,
                expected_ml=before.ml - level_ml,
                expected_sigma_ml=max(before.sigma_ml, after.sigma_ml),
                by_hand_ml=after.ml - before.ml,
            )
        return judge_volume(rows, target_ml=wanted.volume_ml, density_g_ml=path.density_g_ml)

    async def _turn(self, site: Site, wanted: Transfer, pump: str, halt: asyncio.Event) -> None:
        """Wait until no other run's step has the pump in hand, and take it; raises Blocked when that one waits for a
        person. `halt` ends the waiting."""
        loop = asyncio.get_running_loop()
        moved_at = loop.time()
        self.holders.wait(pump, site.run_id)
        try:
            while not halt.is_set():
                other = self.holders.other(pump, site.run_id)
                if other is None and self.holders.first(pump, site.run_id):
                    self.holders.take(pump, site.run_id, wanted.path)
                    return
                if other is None or self._busy.setdefault(pump, asyncio.Lock()).locked():
                    moved_at = loop.time()
                elif loop.time() - moved_at >= PATIENCE_S:
                    run_id, step = other
                    raise Blocked(f"{pump} is in the hands of {run_id}: {step} is not over, its fluid may be in it")
                await wait_for(halt, LOOK_S)
        finally:
            self.holders.leave(pump, site.run_id)

    def around_drawing(self, site: Site, rows: list[Intent]) -> tuple[Volume, Volume]:
        """The vessel by the books when drawing began, and at its end as if nothing had been drawn.

        They differ by what hands took or poured meanwhile, before or after the tube drew air."""
        taken = removing(rows)
        drawing = [row for row in rows if row.stroke is taken]
        end = drawing[-1].ended_at or self.clock.now()
        before, after = (
            self.accounts.volume(site.run_id, site.unit, site.start, at)
            for at in (drawing[0].intended_at, end - LEVEL_FIXED_S)
        )
        return before, after

    def _failed(self, rows: list[Intent]) -> Result:
        last = rows[-1] if rows else None
        return Result(
            "failed", None, None, f"the pump did not do its stroke: {last.evidence if last else 'nothing sent'}"
        )

    async def _strokes(
        self, site: Site, wanted: Transfer, path: PathSettings, halt: asyncio.Event
    ) -> Finished | Doubt | None:
        """Stroke after stroke until the ledger says finished; Doubt when a person must say, None when ended early."""
        fruitless = 0
        while True:
            rows = self.rows(site.run_id, wanted.path, wanted.part)
            mover = self.bench.mover(path.pump)
            room_ml = mover.capacity_ml if path.valve else math.inf
            step = next_stroke(wanted.volume_ml, rows, through=mover.through, room_ml=room_ml)
            if isinstance(step, Finished):
                return step
            if isinstance(step, Doubt):
                if not step.intent.open:
                    return step
                await self._measure(site.unit, step.intent)
                continue
            if halt.is_set() or fruitless >= 2:
                return None
            self._check_budget(site, wanted, step.direction, step.volume_ml)
            try:
                row = await self._stroke(site, wanted, path, step.direction, step.volume_ml, len(rows) + 1, halt)
            except WireError:  # its cable was out; it is measured as soon as it is known who answers
                fruitless += 1
                continue
            fruitless = fruitless + 1 if row.state == "cancelled" else 0

    async def _stroke(
        self,
        site: Site,
        wanted: Transfer,
        path: PathSettings,
        direction: Direction,
        volume_ml: float,
        number: int,
        halt: asyncio.Event,
    ) -> Intent:
        keeper = self.bench.keepers[path.pump]
        await keeper.assured()
        if not keeper.ready or keeper.identity is None:
            raise Blocked(f"{path.pump} is {keeper.condition.value}: {keeper.why}")
        for row in self.ledger.open_doses():
            if row.device == path.pump:  # left open by an earlier run: measured before anything else moves
                await self._measure(self._unit_of(row.run_id, site.unit), Intent.of(row))
        await self._lead(path, direction, wanted.part, halt)
        watched = path.witness if direction is Direction.DELIVER else ""
        return await self.doses.perform(
            Stroke(
                run_id=site.run_id,
                path=wanted.path,
                part=wanted.part,
                number=number,
                direction=direction,
                fluid=wanted.fluid,
                fluid_path=wanted.fluid_path,
                volume_ml=volume_ml,
                cap_ml=wanted.volume_ml,
                rate_ml_min=wanted.rate_ml_min,
            ),
            path.pump,
            self.bench.mover(path.pump),
            identity_text(keeper.identity),
            tolerance_ml=tolerance_ml(volume_ml, 0.0),
            halt=halt,
            witness=watched,
            weigh=self.scale(site.unit, watched) if watched else None,
            density_g_ml=path.density_g_ml,
        )

    async def _lead(self, path: PathSettings, direction: Direction, part: str, halt: asyncio.Event) -> None:
        """Turn the path's selection valve to where this stroke comes from or goes to. Raises Blocked when it is not
        seen to stand there: a stroke through a wrong port goes into another vessel."""
        if not path.valve:
            return
        delivers_to = path.prime_position if part in TO_CUP else path.deliver_position
        wanted = path.draw_position if direction is Direction.DRAW else delivers_to
        keeper = self.bench.keepers[path.valve]
        valve = self.bench.valve(path.valve)
        await keeper.assured()
        if not keeper.ready:
            raise Blocked(f"{path.valve} is {keeper.condition.value}: {keeper.why}")
        self.doses.check_epoch()
        try:
            with valve.as_identified():
                await valve.go_to(wanted, unless=halt.is_set)
                found = await valve.position()
        except (OutOfRange, WireError) as error:
            raise Blocked(f"{path.valve} did not turn to position {wanted}: {error}") from error
        if found != wanted:
            raise Blocked(f"{path.valve} stands at {found}, not at position {wanted}")

    async def reconcile(self, unit: UnitSettings, intent: Intent) -> None:
        """Measure one open stroke once nobody works with its pump, unless it was measured meanwhile (DS-04).

        Raises Blocked while its device is not there, WireError while it does not answer."""
        async with self._busy.setdefault(intent.device, asyncio.Lock()):
            if any(row.dose_id == intent.dose_id for row in self.ledger.open_doses()):
                await self._measure(unit, intent)

    async def _measure(self, unit: UnitSettings, intent: Intent) -> Intent:
        path, keeper = unit.paths.get(intent.fluid_path), self.bench.keepers.get(intent.device)
        if path is None or keeper is None:
            missing = f"fluid path {intent.fluid_path!r}" if path is None else f"pump {intent.device}"
            raise Blocked(f"the bench file has no {missing} any more; its last stroke is not confirmed")
        await keeper.assured()
        if not keeper.ready or keeper.identity is None:
            raise Blocked(
                f"{intent.device} is {keeper.condition.value}: {keeper.why}; its last stroke is not confirmed"
            )
        weigh = self.scale(unit, intent.witness) if intent.witness else None
        mover = self.bench.mover(intent.device)
        return await self.doses.reconcile(intent, mover, identity_text(keeper.identity), weigh, path.density_g_ml)

    def _check_caps(self, site: Site, wanted: Transfer, volume_ml: float) -> None:
        """Refuse what would go beyond a cap; drawing counts as what it is drawn for. Raises Blocked."""
        if site.unit.caps == UnitCaps() and not wanted.split_of:
            return
        why = caps.against(
            site.unit,
            self.accounts.inflow(site.unit.name),
            run_id=site.run_id,
            fluid=wanted.fluid,
            dose_ml=wanted.volume_ml,
            next_ml=volume_ml,
            now=self.clock.now(),
        )
        if wanted.split_of:
            parts = [Intent.of(row) for row in self.ledger.doses_below(site.run_id, wanted.split_of)]
            why = why or caps.against_split(parts, whole=wanted.split_of, cap_ml=wanted.split_cap_ml, next_ml=volume_ml)
        if why:
            raise Blocked(why)

    def _unit_of(self, run_id: str | None, here: UnitSettings) -> UnitSettings:
        """The unit of the run that a stroke belongs to: a shared pump's last stroke may be another unit's."""
        of = self.ledger.run(run_id or "")
        return next((unit for unit in self.bench.settings.units if of is not None and unit.name == of.unit), here)

    def scale(self, unit: UnitSettings, role: str) -> Weigh:
        """How to read the witness: asked now, not taken from the last poll."""
        device_name, _, signal = unit.roles[role].partition(".")
        device = self.bench.device(device_name)

        async def weigh() -> float | None:
            if device_name in self.latest.marks:  # in calibration, or without one it needs (AC-06)
                return None
            try:
                reading = await device.read(signal)
            except WireError:
                return None
            good = reading.quality is Quality.GOOD and isinstance(reading.value, float | int)
            return float(reading.value) if good and reading.value is not None else None

        return weigh

    def _takes(self, site: Site, wanted: Transfer) -> Direction:
        """The stroke that takes fluid out of the vessel."""
        through = self.bench.mover(site.unit.paths[wanted.fluid_path].pump).through
        return Direction.DELIVER if through else Direction.DRAW

    def _check_budget(self, site: Site, wanted: Transfer, direction: Direction, volume_ml: float) -> None:
        """Refuse what could overfill the vessel or empty it below its minimum (INV-04, INV-05)."""
        vessel = site.unit.vessel
        if wanted.part in TO_CUP:
            return
        if wanted.fluid_path == INTO:
            self._check_caps(site, wanted, volume_ml)
        held = self.accounts.volume(site.run_id, site.unit, site.start, self.clock.now())
        if wanted.fluid_path == INTO:  # also what is only drawn: a full syringe with nowhere to go helps nobody
            top = held.most_ml + volume_ml
            if top > vessel.max_ml:
                raise Blocked(f"{volume_ml:.1f} mL more could reach {top:.1f} mL; {vessel.max_ml:g} mL is the limit")
        elif wanted.fluid_path != INTO and direction is self._takes(site, wanted) and wanted.mode == "volume":
            low = held.ml - allowed_ml(held.ml, held.sigma_ml) - volume_ml
            if low < vessel.min_ml:
                raise Blocked(f"{volume_ml:.1f} mL less could leave {low:.1f} mL; {vessel.min_ml:g} mL is the limit")


def identity_text(identity: Identity) -> str:
    """One line for the ledger; equal for the same device."""
    return " · ".join(part for part in (identity.maker, identity.type, identity.serial, identity.firmware) if part)
