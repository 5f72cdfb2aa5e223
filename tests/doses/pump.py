"""The smallest pump that can lie: bytes in, bytes out, one bounded command, a counter, an alarm that reading takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from drivers.core.device import LinkLoss
from drivers.core.errors import BadFrame, LinkLost, Refused
from drivers.core.fluid import Direction, FluidMover, Motion, MoverStatus, Totals, never
from drivers.core.line import Line
from drivers.core.registers import Table
from drivers.core.signals import Identity, Reading, SignalSpec

TRANSIT_S = 0.005
"""One way over the cable."""
LATE_S = 2.4
"""The longest a frame is held up somewhere between us and the pump."""
RESOLUTION_ML = 0.001


@dataclass
class Pump:
    """The device. `truth_ml` is what really flowed; `total_ml` is what its counter says."""

    survives: bool
    total_ml: float = 0.0
    truth_ml: float = 0.0
    alarm: bool = False
    _goal_ml: float = 0.0
    _rate_ml_s: float = 0.0
    _since: float = 0.0
    _moving: bool = field(default=False)

    def advance(self, now: float) -> None:
        """Let it have moved until now."""
        if self._moving:
            more = min(self._goal_ml, (now - self._since) * self._rate_ml_s)
            self._goal_ml -= more
            self._since = now
            self.total_ml += more
            self.truth_ml += more
            self._moving = self._goal_ml > 1e-9

    def lose_power(self, now: float) -> None:
        self.advance(now)
        self._moving, self.alarm = False, True
        if not self.survives:
            self.total_ml = 0.0

    def hear(self, line: str, now: float) -> str:
        """Carry out one command; a start while it moves is refused, as a pump does that bounds its moves."""
        self.advance(now)
        word, *values = line.split()
        match word:
            case "I":
                return "I proof"
            case "Q":
                told = "A" if self.alarm else "M" if self._moving else "S"
                self.alarm = False
                return f"Q {told}"
            case "T":
                return f"T {round(self.total_ml / RESOLUTION_ML)}"
            case "S":
                self._moving = False
                return "S ok"
            case "G" if self._moving:
                return "G busy"
            case "G":
                self._goal_ml, self._rate_ml_s = float(values[0]), float(values[1]) / 60.0
                self._since, self._moving = now, True
                return "G ok"
            case _:
                return "? "


class Cable:
    """One process's cable to the pump. It dies with the process; what it handed over before is still on its way."""

    url = "memory:proof"
    may_be_dead = False

    def __init__(self, pump: Pump, sends: Callable[[Cable, bytes], None], hears: Callable[[bytes], None]) -> None:
        self.pump, self.sends, self.hears = pump, sends, hears
        self.is_open = self.dead = False
        self._arrived, self._came = b"", asyncio.Event()

    async def dial(self) -> None:
        if self.dead:
            raise LinkLost("this process is dead")
        self.is_open = True

    def write(self, data: bytes) -> None:
        if not self.dead:
            self.sends(self, data)

    def carry(self, data: bytes, after_s: float = TRANSIT_S, *, answered: bool = True) -> None:
        """Bring the bytes to the pump after so long, and its answer back as soon again."""
        loop = asyncio.get_running_loop()

        def arrive() -> None:
            answer = self.pump.hear(data.decode().strip(), loop.time())
            if answered:
                loop.call_later(TRANSIT_S, self._arrive, f"{answer}\n".encode())

        loop.call_later(after_s, arrive)

    def _arrive(self, data: bytes) -> None:
        if not self.dead:
            self._arrived += data
            self._came.set()
            self.hears(data)

    async def read(self) -> bytes:
        await self._came.wait()
        return self.waiting()

    def waiting(self) -> bytes:
        data, self._arrived = self._arrived, b""
        self._came.clear()
        return data

    async def close(self) -> None:
        self.is_open = False

    def die(self) -> None:
        self.dead = True
        self._arrived = b""
        self._came.clear()


class ProofPump(FluidMover):
    """Its driver: fluid passes through, so one delivering stroke is a whole transfer."""

    model = "proof"
    maker = "none"
    kind = "pump"
    on_link_loss = LinkLoss.FINISHES_BOUNDED_MOVE
    safe_state = "stopped"
    timeout_s = 0.4
    through = True
    fence_quiet_s = LATE_S + 0.1
    fence_why = "longer than LATE_S"
    continuity = "as the test says"
    option_names = ("survives", "quiet_s")
    table: ClassVar[Table]
    capacity_ml = 100.0

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self.totals_survive_power_loss = bool(self.options["survives"])
        self.fence_quiet_s = float(self.options.get("quiet_s", ProofPump.fence_quiet_s))
        self._alarms = self._missed = 0
        self._latched = ""

    @classmethod
    def specs(cls) -> dict[str, SignalSpec]:
        return {"motion": SignalSpec("motion", "")}

    @property
    def alarms_met(self) -> int:
        return self._alarms

    @property
    def replies_missed(self) -> int:
        return self._missed

    async def identify(self) -> Identity:
        return Identity(self.maker, await self._ask("I"))

    async def prepare(self) -> None:
        self._latched = ""

    async def read(self, name: str) -> Reading:
        return self.good((await self.status()).motion.value)

    async def status(self) -> MoverStatus:
        told = await self._ask("Q")
        if told == "A":
            self._alarms += 1
            self._latched = "it lost power"
        if self._latched:
            return MoverStatus(Motion.ALARM, self._latched)
        return MoverStatus(Motion.MOVING if told == "M" else Motion.STOPPED)

    async def totals(self) -> Totals:
        return Totals(0.0, int(await self._ask("T")) * RESOLUTION_ML, RESOLUTION_ML)

    async def start(
        self, direction: Direction, volume_ml: float, rate_ml_min: float, *, unless: Callable[[], bool] = never
    ) -> None:
        if unless():
            raise Refused("halt", "not wanted any more")
        if await self._ask(f"G {volume_ml:.3f} {rate_ml_min:g}") != "ok":
            raise Refused("busy", "it moves")

    async def stop(self) -> None:
        await self._ask("S")

    async def _ask(self, words: str) -> str:
        def parse(buffer: bytearray) -> str | None:
            end = buffer.find(b"\n")
            if end < 0:
                return None
            answer = bytes(buffer[:end]).decode()
            del buffer[: end + 1]
            if answer[:1] != words[0]:
                raise BadFrame(f"{answer!r} answers something else")
            return answer[2:]

        try:
            return await self.line.query(f"{words}\n".encode(), parse, timeout_s=self.timeout_s)
        except Refused:
            raise
        except Exception:
            self._missed += 1
            raise
