"""What peristaltic pumps share: options, which way round is which, and the one order in which a move is begun.

Their counters add up turns without telling which way they went. So one pump is dosed one way only (option `stroke`):
then its counter is that direction's, also for a process that has just begun, and nothing needs to be remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ClassVar, TypeVar

from drivers.core.errors import BadFrame, LinkLost, NoAnswer, OutOfRange, Refused, WireError
from drivers.core.fluid import Direction, FluidMover, Motion, Totals, Use, never
from drivers.core.line import Line, Parse

T = TypeVar("T")

ONE_WAY = "the counter does not tell directions, so doses go one way only (option stroke)"


class Peristaltic(FluidMover):
    """A pump that can dose by itself or turn in a loop. DELIVER is clockwise unless option `forward` is "draw".

    Options: `use` = dose | recirculate, `stroke` = deliver | draw (the one direction of its doses), `forward` = deliver
    | draw (what clockwise does), `capacity_ml` = largest dose (none may be started without it).
    """

    through = True
    option_names: ClassVar[tuple[str, ...]] = ("use", "stroke", "forward", "capacity_ml")

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for options that no pump can have."""
        super().__init__(line, address, options)
        self.stroke = Direction(str(self.options.get("stroke", Direction.DELIVER)))
        self.forward = Direction(str(self.options.get("forward", Direction.DELIVER)))
        self.capacity_ml = float(self.options.get("capacity_ml", 0.0))
        _ = self.use  # a word that is no use is told now
        self.alarm_text = ""
        """The last alarm in words until `prepare`."""
        self.programmed: tuple[Direction, float, float] | None = None
        """Direction, mL and mL/min of the last move as the pump took it: what was asked, cut to the pump's digits."""
        self._alarms_met = 0
        self._replies_missed = 0
        self._stops = 0

    @property
    def alarms_met(self) -> int:
        return self._alarms_met

    @property
    def replies_missed(self) -> int:
        return self._replies_missed

    # -- moving

    async def start(
        self, direction: Direction, volume_ml: float, rate_ml_min: float, *, unless: Callable[[], bool] = never
    ) -> None:
        """One dose that the pump itself ends. Raises OutOfRange, Refused: nothing moved; other WireError: unknown."""
        self._only_for(Use.DOSE)
        if direction is not self.stroke:
            why = f"{self._name}: {ONE_WAY}; this one is there to {self.stroke.value}, not to {direction.value}"
            raise Refused("one way", why)
        if not 0 < volume_ml <= self.capacity_ml:
            raise OutOfRange("dose", volume_ml, "mL", 0.0, self.capacity_ml, "option capacity_ml")
        await self._begin(self._surely(self._program_dose(direction, volume_ml, rate_ml_min)), self._start_dose, unless)

    async def recirculate(
        self, direction: Direction, rate_ml_min: float, *, unless: Callable[[], bool] = never
    ) -> None:
        """Turn on and on; a pump that already turns as asked is left alone, one that turns otherwise is stopped first.

        Raises OutOfRange, Refused, WireError: asking again is harmless, and a loop that stands must be asked again.
        """
        self._only_for(Use.RECIRCULATE)
        if (await self.status()).motion is not Motion.STOPPED:
            if await self._turns(direction, rate_ml_min):
                return
            await self.stop()
        await self._begin(self._program_loop(direction, rate_ml_min), self._start_loop, unless)

    async def _begin(
        self,
        program: Coroutine[Any, Any, None],
        go: Callable[[], Coroutine[Any, Any, None]],
        unless: Callable[[], bool],
    ) -> None:
        """Write the programme, look whether anything stands against it, and send the starting command."""
        stops = self._stops
        await program
        if self.alarm_text:
            raise Refused("alarm", f"{self._name}: {self.alarm_text}; prepare it before the next move")
        if stops != self._stops or unless():
            raise Refused("stopped", f"{self._name}: a stop came while the move was being written")
        await go()

    async def _surely(self, program: Coroutine[Any, Any, None]) -> None:
        """Before its starting command no dose has moved, whatever the line did."""
        try:
            await program
        except Refused:
            raise
        except WireError as error:
            raise Refused("not started", f"{self._name}: nothing was started: {error}") from error

    async def _program_dose(self, direction: Direction, volume_ml: float, rate_ml_min: float) -> None:
        """Write and read back everything but the starting command. Raises OutOfRange, Refused, WireError."""
        raise NotImplementedError

    async def _start_dose(self) -> None:
        """Send the starting command once. Raises Refused only when it was certainly not carried out."""
        raise NotImplementedError

    async def _program_loop(self, direction: Direction, rate_ml_min: float) -> None:
        raise NotImplementedError

    async def _start_loop(self) -> None:
        """Send the starting command once, and see the pump turn."""
        raise NotImplementedError

    async def _turns(self, direction: Direction, rate_ml_min: float) -> bool:
        """Whether a moving pump already turns without an end, this way and this fast."""
        raise NotImplementedError

    # -- for the families

    @property
    def _name(self) -> str:
        return f"pump {self.address}"

    def _clockwise(self, direction: Direction) -> bool:
        return direction is self.forward

    def _totals(self, counted_ml: float, resolution_ml: float) -> Totals:
        if self.stroke is Direction.DRAW:
            return Totals(counted_ml, 0.0, resolution_ml)
        return Totals(0.0, counted_ml, resolution_ml)

    def _latch(self, text: str) -> None:
        """Keep an alarm in words and count it; one that goes on is counted once."""
        if text != self.alarm_text:
            self.alarm_text = text
            self._alarms_met += 1

    async def _ask(self, request: bytes, parse: Parse[T], retries: int = 0) -> T:
        """Send, and again `retries` times; a reply that did not come whole is counted, it may have told an alarm."""
        for left in range(retries, -1, -1):
            try:
                return await self.line.query(request, parse, timeout_s=self.timeout_s, quiet_s=self.quiet_s)
            except (NoAnswer, BadFrame):
                self._replies_missed += 1
                if not left:
                    raise
            except LinkLost:
                self._replies_missed += 1
                raise
        raise AssertionError("a loop over at least one try")

    def _only_for(self, use: Use) -> None:
        if self.use is not use:
            why = f"{self._name} is there to {self.use.value} (option use), not to {use.value}"
            raise Refused("use", why)
