"""The one door to every set point: ownership, epoch, limits, record, write, read back (P4, P5, EQ-04)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from controller.actors import Actor
from controller.bench import Bench
from controller.clock import Clock
from controller.errors import NotOwner, OldEpoch, certain
from controller.latest import Latest
from controller.store.changes import AuditEntry, Upsert
from controller.store.ledger import Ledger
from drivers.core import units
from drivers.core.errors import BadFrame, OutOfRange
from drivers.core.signals import Quality

READ_BACK = 0.051
"""Largest difference between a written and a read-back set point: devices of the catalogue show one decimal."""


class Outputs:
    """Every set point of the bench by "device.signal", each with at most one owner."""

    def __init__(
        self, bench: Bench, latest: Latest, ledger: Ledger, clock: Clock, still_ours: Callable[[], bool]
    ) -> None:
        """`still_ours` tells whether this process still holds the data directory (DX-05)."""
        self.bench, self.latest, self.ledger, self.clock = bench, latest, ledger, clock
        self._still_ours = still_ours
        self._owners: dict[str, str] = {}

    def check_epoch(self) -> None:
        """Raise OldEpoch when another controller has taken over: nothing may be written any more."""
        if not self._still_ours():
            raise OldEpoch("another controller has taken over this data directory; this one acts no more")

    def claim(self, owner: str, outputs: Iterable[str]) -> None:
        """Make `owner` the only writer of `outputs`; raises NotOwner and claims none when one is taken."""
        names = list(outputs)
        for name in names:
            holder = self._owners.get(name, owner)
            if holder != owner:
                raise NotOwner(f"{name} belongs to {holder}")
        self._owners.update(dict.fromkeys(names, owner))

    def release(self, owner: str) -> None:
        """Give up every output of `owner`; their values stay as they are."""
        self._owners = {name: holder for name, holder in self._owners.items() if holder != owner}

    def owner(self, output: str) -> str:
        return self._owners.get(output, "")

    async def set(self, output: str, value: float, unit: str, *, by: Actor, owner: str, run_id: str = "") -> None:
        """Bring one set point to `value` (in `unit`) and prove it by reading back.

        A device that already shows the value is not written (non-volatile memory wears out). Raises NotOwner, OldEpoch,
        OutOfRange, Refused, WireError.
        """
        if self._owners.get(output) != owner:
            raise NotOwner(f"{output} belongs to {self._owners.get(output) or 'nobody'}, not to {owner}")
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
        if isinstance(old, float | int) and abs(old - wanted) < READ_BACK / 2:
            return
        self.check_epoch()
        await self.ledger.commit(
            [
                Upsert(
                    "points",
                    {
                        "output": output,
                        "value": wanted,
                        "unit": spec.unit,
                        "by": by.name,
                        "run_id": run_id or None,
                        "at": self.clock.now(),
                    },
                )
            ],
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
        with device.as_identified():
            seen = await device.write(signal, wanted)
        if seen.quality is not Quality.GOOD or not isinstance(seen.value, float | int):
            raise BadFrame(
                f"{output}: written {wanted:g} {spec.unit}, but reading back failed: {seen.why or seen.value}"
            )
        if abs(seen.value - wanted) > READ_BACK:
            raise BadFrame(f"{output}: written {wanted:g} {spec.unit}, the device shows {seen.value:g}")
