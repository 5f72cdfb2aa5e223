"""The one door to every set point: ownership, epoch, limits, record, write, read back (P4, P5, EQ-04)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from controller.actors import Actor
from controller.bench import Bench
from controller.clock import Clock
from controller.errors import NotOwner, OldEpoch, certain
from controller.latest import Latest
from controller.store.changes import AuditEntry, Upsert
from controller.store.ledger import Ledger
from drivers.core import units
from drivers.core.errors import BadFrame, OutOfRange, Refused
from drivers.core.fluid import FluidMover
from drivers.core.signals import Quality, SignalSpec

OF_A_STEP = 0.51
"""A device that takes steps shows the nearest of them: half a step, and the dust of a float."""
OF_THE_VALUE = 0.001
"""Where the step is not known."""
DUST = 1e-9


def read_back(spec: SignalSpec, wanted: float) -> float:
    """Largest difference between a written and a read-back set point; half of it counts as there already."""
    if spec.step is not None:
        return OF_A_STEP * spec.step
    return OF_THE_VALUE * abs(wanted) + DUST


class Outputs:
    """Every set point of the bench by "device.signal", each with one owner, or several that agree (RM-12)."""

    def __init__(
        self, bench: Bench, latest: Latest, ledger: Ledger, clock: Clock, still_ours: Callable[[], bool]
    ) -> None:
        """`still_ours` tells whether this process still holds the data directory (DX-05)."""
        self.bench, self.latest, self.ledger, self.clock = bench, latest, ledger, clock
        self._still_ours = still_ours
        self._owners: dict[str, list[str]] = {}
        self.live: Callable[[str], bool] = lambda owner: True
        """Whether an owner still has a say: a run that has ended keeps its outputs, and stands in nobody's way."""
        self.kept: dict[str, float] = {name: row.value for name, row in ledger.points().items()}
        """What each output was set to last, in its device's unit."""
        self.stopped_by_hand = {name for name, value in self.kept.items() if value == 0.0 and self.is_loop(name)}
        """Loops that a person stopped: only going on with a run turns them again."""

    def check_epoch(self) -> None:
        """Raise OldEpoch when another controller has taken over: nothing may be written any more."""
        if not self._still_ours():
            raise OldEpoch("another controller has taken over this data directory; this one acts no more")

    def is_loop(self, output: str) -> bool:
        """Whether it is the flow of a closed loop."""
        keeper = self.bench.keepers.get(output.partition(".")[0])
        return keeper is not None and isinstance(keeper.device, FluidMover) and keeper.device.keeps_turning

    def claim(self, owner: str, outputs: Iterable[str], *, shared: bool = False) -> None:
        """Make `owner` a writer of `outputs`: the only one, or with `shared` one of several that must agree.

        Raises NotOwner and claims none when one is taken by somebody else."""
        names = list(outputs)
        for name in names:
            holders = [each for each in self._owners.get(name, ()) if each != owner]
            if holders and not shared:
                raise NotOwner(f"{name} belongs to {holders[0]}")
        for name in names:
            if owner not in self._owners.setdefault(name, []):
                self._owners[name].append(owner)

    def release(self, owner: str) -> None:
        """Give up every output of `owner`; their values stay as they are."""
        for name, holders in list(self._owners.items()):
            left = [holder for holder in holders if holder != owner]
            if left:
                self._owners[name] = left
            else:
                del self._owners[name]

    def owner(self, output: str) -> str:
        return ", ".join(self._owners.get(output, ()))

    def against(self, output: str, owner: str, value: float, unit: str) -> str:
        """Why `owner` may not set it to this: other live owners keep it at another value (RM-12); "" = it may."""
        others = [each for each in self._owners.get(output, ()) if each != owner and self.live(each)]
        if not others or output not in self.kept:
            return ""
        device, _, signal = output.partition(".")
        spec = self.bench.device(device).specs()[signal]
        kept = self.kept[output]
        if abs(units.convert(value, unit, spec.unit) - kept) <= read_back(spec, kept):
            return ""
        return f"{', '.join(others)} keeps {output} at {kept:g} {spec.unit}, and both share it (RM-12)"

    async def stop_by_hand(self, outputs: Iterable[str], by: Actor) -> None:
        """Remember, also over a restart, that a person stopped these loops."""
        self.stopped_by_hand.update(names := list(outputs))
        self.kept.update(dict.fromkeys(names, 0.0))
        rows = [Upsert("points", self._row(name, 0.0, by, "")) for name in names]
        entries = [
            AuditEntry("loop stopped", "output", name, by.name, by.role, by.authenticated_by, new=0.0)
            for name in names
        ]  # fmt: skip
        if rows:
            await self.ledger.commit(rows, entries)

    def _row(self, output: str, value: float, by: Actor, run_id: str) -> dict[str, Any]:
        device, _, signal = output.partition(".")
        unit = self.bench.device(device).specs()[signal].unit
        at = self.clock.now()
        return {"output": output, "value": value, "unit": unit, "by": by.name, "run_id": run_id or None, "at": at}

    async def set(self, output: str, value: float, unit: str, *, by: Actor, owner: str, run_id: str = "") -> None:
        """Bring one set point to `value` (in `unit`) and prove it by reading back.

        A device that already shows the value is not written (non-volatile memory wears out). Raises NotOwner, OldEpoch,
        OutOfRange, Refused, WireError.
        """
        if owner not in self._owners.get(output, ()):
            raise NotOwner(f"{output} belongs to {self.owner(output) or 'nobody'}, not to {owner}")
        if why := self.against(output, owner, value, unit):
            raise Refused("shared", why)
        device_name, _, signal = output.partition(".")
        device = self.bench.device(device_name)
        spec = device.specs()[signal]
        wanted = units.convert(value, unit, spec.unit)
        certain(math.isfinite(wanted), f"{output}: set point {wanted}")
        if not spec.writable:
            raise OutOfRange(output, wanted, spec.unit, None, None, "the device: this signal is read only")
        device.check_limits(signal, wanted)
        before = await device.read(signal)
        old = before.value if before.quality is Quality.GOOD else None
        there = isinstance(old, float | int) and abs(old - wanted) < read_back(spec, wanted) / 2
        stopped = output in self.stopped_by_hand
        if there and not stopped and abs(self.kept.get(output, wanted) - wanted) <= read_back(spec, wanted):
            self.kept[output] = wanted
            return
        self.check_epoch()
        self.kept[output] = wanted
        await self.ledger.commit(
            [Upsert("points", self._row(output, wanted, by, run_id))],
            [
                AuditEntry(
                    "set point",
                    "output",
                    output,
                    by.name,
                    by.role,
                    by.authenticated_by,
                    old=old,
                    new=wanted,
                    unit=spec.unit,
                    run_id=run_id,
                )
            ],
        )
        self.check_epoch()
        if not stopped and output in self.stopped_by_hand:
            raise Refused("stopped", f"{output}: a person stopped it while it was being set")
        self.stopped_by_hand.discard(output)
        if there:
            return
        with device.as_identified():
            device.turns.forget()
            seen = await device.write(signal, wanted)
        if seen.quality is not Quality.GOOD or not isinstance(seen.value, float | int):
            raise BadFrame(
                f"{output}: written {wanted:g} {spec.unit}, but reading back failed: {seen.why or seen.value}"
            )
        if abs(seen.value - wanted) > read_back(spec, wanted):
            raise BadFrame(f"{output}: written {wanted:g} {spec.unit}, the device shows {seen.value:g}")
