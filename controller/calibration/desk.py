"""Where devices are calibrated: begin, take points, accept or discard; everything a row and an entry of the trail."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from controller.actors import Actor
from controller.calibration.judging import Verdict, judge
from controller.calibration.points import Point
from controller.calibration.standing import AUTOCLAVE, Standing, standing
from controller.calibration.weighing import Weighing, weigh
from controller.errors import RunConflict, Unusable
from controller.run.doors import Doors
from controller.settings import CalibrationSettings, DeviceSettings, Settings, UnitSettings
from controller.store.changes import AuditEntry, Change, Insert, Update
from controller.store.rows import CalibrationRow
from drivers import catalogue
from drivers.core.calibration import CalibrationPoint
from drivers.core.errors import OutOfRange, Refused, WireError
from drivers.core.fluid import FluidMover
from drivers.core.signals import Identity, Quality, SignalSpec

OPEN_TOO_LONG_S = 1800.0
"""A calibration left open longer is an alarm (UI-88)."""
LOOK_S = 60.0
IN_A_RUN = ("sample taken", "sample value", "sample cancel", "compare")
"""What may be done while the device serves a run: a correction by a sample, and a comparison."""


class Desk:
    """One bench's calibrations. `busy` names the units that have a run."""

    def __init__(self, settings: Settings, doors: Doors, busy: Callable[[], Collection[str]]) -> None:
        self.settings, self.doors, self._busy = settings, doors, busy
        self._steps: set[str] = set()
        """Devices with a step under way: one at a time each, and nobody waits in a queue for a thing that moves."""
        self._halts: dict[str, asyncio.Event] = {}
        """What ends the doses being weighed, by unit."""
        self.standings: dict[str, Standing] = {}
        """Of every device, as of the last look."""
        self._look()

    # -- what there is

    def standing(self, device: str) -> Standing:
        """Raises Unusable for a device that the bench does not have."""
        return self._standing(self._device(device), self.doors.ledger.calibrations(device))

    def _standing(self, device: DeviceSettings, rows: Sequence[CalibrationRow]) -> Standing:
        keeper = self.doors.bench.keepers.get(device.name, None)
        who = "" if keeper is None or keeper.identity is None else said(keeper.identity)
        return standing(rows, device.calibration, self.doors.clock.now(), who)

    def lacks(self, unit: UnitSettings) -> list[str]:
        """What keeps a run from starting on this unit (RM-06)."""
        found: list[str] = []
        for each in self.settings.devices:
            if each.name not in devices_of(unit):
                continue
            if (now := self.standing(each.name)).open:
                found.append(f"{each.name} is being calibrated ({now.open}); accept or discard that first")
            elif doubt := self.unsettled(each.name):
                found.append(doubt)
            elif each.calibration.required and not now.good:
                found.append(f"{each.name} needs a valid calibration: {now.text}")
        return found

    def rows(self, device: str | None = None) -> list[dict[str, Any]]:
        return [asdict(row) for row in self.doors.ledger.calibrations(device)]

    def halt(self, unit: str | None) -> None:
        """End the doses being weighed now, as a run's strokes end (DX-06)."""
        for name, event in self._halts.items():
            if unit in (None, name):
                event.set()

    @contextmanager
    def _step(self, device: str) -> Generator[None]:
        """This device's own turn; raises RunConflict at once while another step of it is under way."""
        if device in self._steps:
            raise RunConflict(f"another step of this calibration of {device} is under way (stop-pumps ends doses)")
        self._steps.add(device)
        try:
            yield
        finally:
            self._steps.discard(device)

    # -- what people do

    async def begin(self, device: str, by: Actor) -> str:
        """Open a calibration; its number. Raises RunConflict while one is open or the device serves a run."""
        self._device(device)
        with self._step(device):
            return await self._begin(device, by)

    async def _begin(self, device: str, by: Actor) -> str:
        settings = self._device(device)
        self._refuse_in_a_run(device, "")
        if opened := self._open(device):
            raise RunConflict(f"{device} is being calibrated by {opened.begun_by} already ({opened.calibration_id})")
        keeper = self.doors.bench.keepers[device]
        if not keeper.ready or keeper.identity is None:
            raise Unusable([f"{device} is {keeper.condition.value}: {keeper.why}"])
        old = await self._taught(device)
        number = f"calibration-{len(self.doors.ledger.calibrations()) + 1}"
        row = {
            "calibration_id": number,
            "device": device,
            "kind": "weight" if isinstance(keeper.device, FluidMover) else "points",
            "state": "open",
            "begun_at": self.doors.clock.now(),
            "begun_by": by.name,
            "identity": said(keeper.identity),
            "old": old,
            "limits": settings.calibration.model_dump(mode="json"),
        }
        await self.doors.ledger.commit([Insert("calibrations", row)], [self._entry("calibration begun", row, by)])
        self._look()
        return number

    async def point(
        self, device: str, name: str, by: Actor, *, reference: float | None = None, lot: str = "", expires: str = ""
    ) -> Point:
        """Take one point of the device's own procedure. Raises RunConflict, Unusable, with the device's own reason."""
        self._check_reference(lot, expires, needed=reference is not None)
        self._opened(device)
        kind = self.doors.bench.device(device)
        spec = kind.calibration_points.get(name)
        if spec is None:
            known = ", ".join(kind.calibration_points) or "none of its own; use compare"
            raise Unusable([f"{device} has no calibration point {name!r}; it has {known}"])
        with self._step(device):
            self._refuse_in_a_run(device, name)
            opened = self._opened(device)
            self._refuse_a_slip(device, spec, reference)
            before = await self._shown(device, spec.signal)
            try:
                with kind.as_identified():
                    await kind.calibrate(name, reference)
            except (WireError, OutOfRange) as error:
                await self._failed(opened, f"{name}: {error}", by)
                raise Unusable([f"{device}: {error}"]) from error
            after = await self._shown(device, spec.signal)
            unit = kind.specs()[spec.signal].unit
            point = Point(
                name, spec.signal, unit, reference, before, after, self.doors.clock.now(), by.name, lot, expires
            )
            await self._add(opened, [point], by)
        return point

    async def compare(
        self, device: str, signal: str, reference: float, by: Actor, *, lot: str, expires: str = ""
    ) -> Point:
        """Take down what the device shows beside a reference instrument or a sample."""
        self._check_reference(lot, expires, needed=True)
        spec = self._signal(device, signal)
        with self._step(device):
            opened = self._opened(device)
            if (shown := await self._shown(device, signal)) is None:
                raise Unusable([f"{device}.{signal} has no good value now"])
            point = Point(
                "compare", signal, spec.unit, reference, shown, None, self.doors.clock.now(), by.name, lot, expires
            )
            await self._add(opened, [point], by)
        return point

    async def weigh(self, device: str, asked: Weighing, by: Actor) -> list[Point]:
        """Doses of a pump into a cup on a balance. Raises RunConflict, Unusable."""
        self._opened(device)
        unit = next((each for each in self.settings.units if device in devices_of(each)), None)
        if unit is None:
            raise Unusable([f"no unit has a fluid path with the pump {device}"])
        doubt = self.unsettled(device)
        with self._step(device):
            self._refuse_in_a_run(device, "dose")
            opened, halt = self._opened(device), asyncio.Event()
            if doubt:
                raise RunConflict(f"{doubt}; empty the syringe and discard that calibration first")
            self._halts[unit.name] = halt
            try:
                points = await weigh(self.doors, unit, device, opened.calibration_id, asked, by, halt)
            finally:
                del self._halts[unit.name]
            await self._add(opened, points, by)
        return points

    def unsettled(self, pump: str) -> str:
        """A weighed stroke of unknown end, in words, "" = none; discarding its calibration settles it (DS-05)."""
        return self._doubts().get(pump, "")

    def _doubts(self) -> dict[str, str]:
        """`unsettled` of every device that has some."""
        found: dict[str, str] = {}
        for row in self.doors.ledger.unsettled_doses():
            weighed = (row.run_id or "").startswith("calibration-")
            if weighed and row.device not in self._steps:  # doses under way are not in doubt
                text = f"a {row.stroke} stroke of {row.device} in {row.run_id} has an unknown end ({row.evidence})"
                found.setdefault(row.device, text)
        return found

    async def finish(self, device: str, by: Actor, *, accept: bool, why: str = "") -> Verdict:
        """Accept (signed) or discard. What the limits refuse cannot be accepted: it is kept as refused."""
        self._device(device)
        with self._step(device):
            opened = self._opened(device)
            points = [Point.of(each) for each in opened.points]
            if accept and not points:
                raise Unusable([f"nothing was measured in this calibration of {device}: take a point, or discard it"])
            if not accept:
                taught = [point.name for point in points if point.name not in ("compare", "dose")]
                verdict = Verdict((f"discarded after it was taught {', '.join(taught)}",) if taught else (), {})
                state = "refused" if taught else "discarded"  # the device keeps what it was taught
                await self._end(opened, state, by, why="; ".join(filter(None, (*verdict.reasons, why))))
                return verdict
            verdict = judge(points, await self._taught(device), self._limits(device))
            if verdict.good:
                await self._end(opened, "accepted", by, why=why, new=dict(verdict.new))
            else:
                await self._end(opened, "refused", by, why="; ".join(verdict.reasons), new=dict(verdict.new))
            return verdict

    async def autoclaved(self, device: str, by: Actor) -> int:
        """Count one cycle; how many there are."""
        kind = catalogue.find(self._device(device).model).kind
        if not kind.endswith("probe"):
            raise Unusable([f"{device} is a {kind}: only probes go into the autoclave with their vessel"])
        self._refuse_in_a_run(device, "autoclave")
        now = self.doors.clock.now()
        number = f"calibration-{len(self.doors.ledger.calibrations()) + 1}"
        row = {
            "calibration_id": number, "device": device, "kind": AUTOCLAVE, "state": "accepted",
            "begun_at": now, "begun_by": by.name, "ended_at": now, "ended_by": by.name, "signed": by.authenticated_by,
        }  # fmt: skip
        await self.doors.ledger.commit([Insert("calibrations", row)], [self._entry("autoclaved", row, by)])
        return self.standing(device).autoclaved

    # -- what goes on by itself

    async def watch(self) -> None:
        """For ever: calibrations left open and calibrations run out are told; what they mean to values is kept true."""
        while True:
            await asyncio.sleep(LOOK_S)
            self._look()
            now, doubts = self.doors.clock.now(), self._doubts()
            for each in self.settings.devices:
                held, key = self.standings[each.name], f"calibration:{each.name}"
                if doubt := doubts.get(each.name):
                    advice = "Look at syringe and cup, empty the syringe, then: osteon calibrate discard."
                    await self.doors.alarms.raise_(key, "high", doubt, advice)
                elif held.open and now - held.begun > OPEN_TOO_LONG_S:
                    minutes = round((now - held.begun) / 60)
                    text = f"{each.name} has been in calibration for {minutes} min ({held.open})"
                    await self.doors.alarms.raise_(key, "high", text, "Accept or discard it: osteon calibrate list.")
                elif not held.open and each.calibration.wanted and not held.good:
                    advice = "Calibrate it before the next run."
                    await self.doors.alarms.raise_(key, "low", f"{each.name}: {held.text}", advice)
                else:
                    await self.doors.alarms.clear(key)

    def _look(self) -> None:
        """Values of a device in calibration, or without a calibration it needs, are not good (AC-06)."""
        rows: dict[str, list[CalibrationRow]] = defaultdict(list)
        for row in self.doors.ledger.calibrations():
            rows[row.device].append(row)
        marks: dict[str, tuple[Quality, str]] = {}
        for each in self.settings.devices:
            held = self.standings[each.name] = self._standing(each, rows[each.name])
            if held.open:
                marks[each.name] = Quality.MANUAL, f"in calibration ({held.open})"
            elif each.calibration.required and not held.good:
                marks[each.name] = Quality.BAD, held.text
        self.doors.latest.marks = marks

    # -- parts

    def _device(self, name: str) -> DeviceSettings:
        for each in self.settings.devices:
            if each.name == name:
                return each
        raise Unusable([f"no device {name!r}; there is {', '.join(each.name for each in self.settings.devices)}"])

    def _limits(self, device: str) -> CalibrationSettings:
        return self._device(device).calibration

    def _signal(self, device: str, name: str) -> SignalSpec:
        self._device(device)
        specs = self.doors.bench.device(device).specs()
        if name not in specs:
            raise Unusable([f"{device} has no signal {name!r}; it has {', '.join(specs)}"])
        return specs[name]

    def _refuse_in_a_run(self, device: str, point: str) -> None:
        self._device(device)
        serving = [
            unit.name for unit in self.settings.units if unit.name in self._busy() and device in devices_of(unit)
        ]
        if serving and point not in IN_A_RUN and not (point == "" and self._may_correct(device)):
            raise RunConflict(f"{device} serves the run on {serving[0]}; only a correction by a sample is possible now")

    def _may_correct(self, device: str) -> bool:
        """Whether something may be begun in a run: the points themselves are checked again one by one."""
        witnesses = {
            unit.roles[path.witness].partition(".")[0]
            for unit in self.settings.units
            for path in unit.paths.values()
            if path.witness
        }
        return device not in witnesses and not isinstance(self.doors.bench.device(device), FluidMover)

    def _refuse_a_slip(self, device: str, spec: CalibrationPoint, reference: float | None) -> None:
        """A reference that is missing or no such liquid never reaches the device, and ends nothing. Raises Unusable."""
        try:
            spec.within(reference, device)
        except (Refused, OutOfRange) as error:
            raise Unusable([f"{device}: {error}; the calibration stays open"]) from error

    def _check_reference(self, lot: str, expires: str, *, needed: bool) -> None:
        """A reference has a lot, and one that has run out is no reference. Raises Unusable."""
        if needed and not lot:
            raise Unusable(["say which reference it was: lot of the buffer or gas, number of the instrument"])
        if not expires:
            return
        try:
            until = datetime.fromisoformat(expires).replace(tzinfo=UTC).timestamp() + 86_400
        except ValueError:
            raise Unusable([f"{expires!r} is not a day like 2027-01-31"]) from None
        if self.doors.clock.now() >= until:
            raise Unusable([f"lot {lot} ran out on {expires}; take a fresh one"])

    def _open(self, device: str) -> CalibrationRow | None:
        return next((row for row in self.doors.ledger.calibrations(device) if row.state == "open"), None)

    def _opened(self, device: str) -> CalibrationRow:
        self._device(device)
        if (row := self._open(device)) is None:
            raise RunConflict(f"no calibration of {device} is open; begin one first")
        return row

    async def _taught(self, device: str) -> dict[str, float]:
        try:
            return dict(await self.doors.bench.device(device).calibration())
        except WireError as error:
            raise Unusable([f"{device} does not tell its calibration: {error}"]) from error

    async def _shown(self, device: str, signal: str) -> float | None:
        try:
            reading = await self.doors.bench.device(device).read(signal)
        except WireError:
            return None
        good = reading.quality is Quality.GOOD and isinstance(reading.value, (int, float))
        return float(reading.value) if good and reading.value is not None else None

    async def _add(self, opened: CalibrationRow, points: list[Point], by: Actor) -> None:
        rows = [*opened.points, *(point.row() for point in points)]
        entry = self._entry("calibration point", {"device": opened.device, "points": rows[-len(points) :]}, by)
        await self.doors.ledger.commit(
            [Update("calibrations", {"calibration_id": opened.calibration_id}, {"points": rows})], [entry]
        )

    async def _failed(self, opened: CalibrationRow, why: str, by: Actor) -> None:
        """The device itself refused a point: on record at once, and the calibration has failed."""
        await self._end(opened, "refused", by, why=why)

    async def _end(
        self, opened: CalibrationRow, state: str, by: Actor, *, why: str, new: dict[str, float] | None = None
    ) -> None:
        now = self.doors.clock.now()
        every = self._limits(opened.device).every_days
        facts: dict[str, object] = {
            "state": state, "ended_at": now, "ended_by": by.name, "signed": by.authenticated_by, "why": why,
            "new": new or {}, "due": now + every * 86_400 if every and state == "accepted" else None,
        }  # fmt: skip
        entry = self._entry(f"calibration {state}", {"device": opened.device, **facts}, by, old=opened.old)
        change: list[Change] = [Update("calibrations", {"calibration_id": opened.calibration_id}, facts)]
        if state in ("discarded", "refused"):  # the person says that the syringe was looked at (DS-05)
            change += [
                Update("doses", {"dose_id": row.dose_id}, {"decided_by": by.name})
                for row in self.doors.ledger.doses(opened.calibration_id)
                if row.state == "unknown" and not row.decided_by
            ]
        await self.doors.ledger.commit(change, [entry])
        self._look()

    def _entry(self, action: str, facts: dict[str, Any], by: Actor, old: object = None) -> AuditEntry:
        return AuditEntry(
            action, "device", str(facts["device"]), by.name, by.role, by.authenticated_by, old=old, new=facts,
            client=by.client,
        )  # fmt: skip


def said(identity: Identity) -> str:
    """Who answered, in one line."""
    return " ".join(filter(None, asdict(identity).values()))


def devices_of(unit: UnitSettings) -> set[str]:
    """Every device that serves a unit."""
    roles = {output.partition(".")[0] for output in unit.roles.values()}
    paths = {name for path in unit.paths.values() for name in (path.pump, path.valve)}
    return (roles | paths | {unit.loop}) - {""}
