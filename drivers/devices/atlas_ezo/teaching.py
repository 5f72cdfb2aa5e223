"""The circuit's own calibration: points by its commands, their number read back, the whole of it for the record."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import ClassVar

from drivers.core.errors import BadFrame, OutOfRange, Refused
from drivers.devices.atlas_ezo.dialogue import Dialogue
from drivers.devices.atlas_ezo.replies import DONE, OK, refuse, take_line

CALIBRATION_TIMEOUT_S = 4.0
"""1.3 s at most (V, L)."""


class Teaching(Dialogue):
    """What can be taught differs by circuit; how it goes does not."""

    most_points: ClassVar[int]
    """What `Cal,?` answers at most."""

    def _look_again(self) -> None:
        """The next poll reads everything."""

    async def calibration(self) -> Mapping[str, float]:
        """How many points it was taught."""
        return {"points": await self._points()}

    async def calibrate(self, point: str, reference: float | None = None) -> Mapping[str, float]:
        """One point by the circuit's own command; then the number of points is read and has to fit."""
        if point not in self.calibration_points:
            known = ", ".join(self.calibration_points)
            raise Refused("no procedure", f"{self.model} has no calibration {point!r}; there is {known}")
        text = self._reference(point, reference)
        before = await self._points()
        if trouble := self._not_yet(point, before):
            raise Refused("order", trouble)
        await self._teach(point, text)
        self._look_again()
        after = await self._points()
        if not self._fits(point, before, after):
            raise Refused(f"?Cal,{after}", f"{point}: the circuit counts {after} points afterwards; it had {before}")
        return await self.calibration()

    async def clear_calibration(self) -> None:
        """Forget every point, and see that none is left."""
        await self._tell("Cal,clear", CALIBRATION_TIMEOUT_S)
        self._look_again()
        if left := await self._points():
            raise Refused(f"?Cal,{left}", "the circuit still has calibration points")

    async def _teach(self, point: str, reference: str) -> None:
        await self._tell(self._command(point, reference), CALIBRATION_TIMEOUT_S)

    def _command(self, point: str, reference: str) -> str:
        return f"Cal,{reference}"

    def _not_yet(self, point: str, points: int) -> str:
        """Why the point cannot be taken now; "" = it can."""
        return ""

    def _fits(self, point: str, before: int, after: int) -> bool:
        """Whether so many points are right after taking this one."""
        return after >= max(1, before)

    def _reference(self, point: str, reference: float | None) -> str:
        """The reference with two decimals, three where it has them; "" for a point without one."""
        spec = self.calibration_points[point]
        if not spec.unit:
            return ""
        if reference is None or not math.isfinite(reference):
            raise Refused("no reference", f"calibration {point!r} needs the true value in {spec.unit}")
        if (spec.low is not None and reference < spec.low) or (spec.high is not None and reference > spec.high):
            whose = f"the datasheet of {self.model}"
            raise OutOfRange(f"calibration {point}", reference, spec.unit, spec.low, spec.high, whose)
        text = f"{reference:.3f}"
        return text.removesuffix("0")

    async def _points(self) -> int:
        told = await self._word("Cal,?", "?Cal,")
        if not told.isdecimal() or int(told) > self.most_points:
            raise BadFrame(f"{self.line.name}: {told!r} calibration points")
        return int(told)

    async def export_calibration(self) -> tuple[str, ...]:
        """The calibration as the circuit's own strings, for the record; count and length are checked."""
        told = await self._data("Export,?", re.compile(r"\d{1,3},\d{1,5}"))
        count, total = map(int, told.split(","))
        strings: list[str] = []
        for _ in range(count + 1):
            text, done = await self._export_one()
            strings += [text] if text else []
            if done or len(strings) == count:
                break
        if len(strings) != count or sum(map(len, strings)) != total:
            raise BadFrame(f"{len(strings)} strings came instead of {count}, or not {total} characters in all")
        return tuple(strings)

    async def _export_one(self) -> tuple[str, bool]:
        """One string, and whether `*DONE` came. Must not be repeated: the circuit goes on to the next."""
        text = ""

        def parse(buffer: bytearray) -> tuple[str, bool] | None:
            nonlocal text
            while (line := take_line(buffer)) is not None:
                code = line.upper()
                refuse("Export", code)
                if code == DONE or (code == OK and text):
                    return text, code == DONE
                if not code.startswith("*"):
                    text = line
            return None

        return await self.line.query(b"Export\r", parse, timeout_s=self.timeout_s, quiet_s=self.quiet_s)
