"""What every NAMUR device shares: questions with a number for an answer, silent set commands that are read back."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Mapping
from typing import ClassVar, TypeVar

from drivers.core.device import Device, LinkLoss
from drivers.core.errors import BadFrame, LinkLost, NoAnswer, Refused, WireError, WrongDevice
from drivers.core.line import Line, Parse
from drivers.core.registers import Row
from drivers.core.signals import Access, Identity, Quality, Reading, Value
from drivers.devices.ika_namur import replies
from drivers.devices.ika_namur.replies import Answer

T = TypeVar("T")

END = b"\r\n"
GAP_S = 0.1
"""At least 100 ms between two commands (V for Heidolph, H)."""
RAMP_S = 15.0
"""A motor that was started turns, and one that was stopped stands, by then; ours."""
LOOK_S = 0.5
SELDOM_S = 60.0
WATCHDOG = (20, 1500)
"""Seconds of OUT_WD2 (V)."""


class Namur(Device):
    """A device on a line of its own: no address, no check sum, and no answer to a set command (so each is read back).

    Option `name`: what the device was renamed to at the laboratory; its IN_NAME must then be exactly that.
    """

    kind = "stirrer"
    default_url = "serial:///dev/ttyUSB0?baud=9600&parity=E&bits=7&stopbits=1"
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    safe_state = "keeps stirring and keeps its own temperature loop: settled spheroids fuse"
    option_names: ClassVar[tuple[str, ...]] = ("name",)
    asked_twice = True
    evidence = "R"
    timeout_s = 1.5  # "replies within 1 s" (H)
    quiet_s = GAP_S

    names: ClassVar[tuple[str, ...]]
    """How IN_NAME may begin, in capitals."""

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self._shapes: dict[str, str] = {}
        """How this device has answered each question; from then on another shape is a damaged reply."""
        self._due: dict[str, float] = {}

    # -- who answers

    async def identify(self) -> Identity:
        """`IN_NAME`; raises WrongDevice when it is not of this model, nor the name given as an option."""
        name = await self._text("IN_NAME")
        wanted = str(self.options.get("name", ""))
        if name != wanted if wanted else not name.upper().startswith(self.names):
            raise WrongDevice(
                f"{self.line.name}: {name!r} answers; {self.model} is called {wanted or ' or '.join(self.names)} "
                "(option name, when it was renamed)"
            )
        return Identity(self.maker, name, "", await self._firmware())

    async def _firmware(self) -> str:
        return ""

    async def prepare(self) -> None:
        """Nothing is switched at connect: what stirs and heats goes on as it is. The next poll reads everything."""
        self._due.clear()

    # -- reading

    async def read(self, name: str) -> Reading:
        row = self._row(name)
        if row.command == "STATUS":
            text = await self._text("STATUS")
            found = self._status(text)
            return self.bad(f"the device answered {text!r} to STATUS") if found is None else self.good(found)
        if not row.command:
            raise Refused("write only", f"{name}: this device cannot be asked for it")
        return self._reading(row, await self._number(row.command))

    def _status(self, text: str) -> str | None:
        return replies.status(text)

    def _reading(self, row: Row, value: float) -> Reading:
        least, most = float(row.extra["least"]), float(row.extra["most"])
        if not least <= value <= most:
            return self.bad(f"the device sent {value:g}: no sensor, or no {row.name}")
        return self.good(abs(value) >= 0.5 if row.extra.get("switch") else value)

    async def poll(self) -> dict[str, Reading]:
        """One question a signal, 0.1 s apart; what hardly moves once a minute. After silence nothing more is asked."""
        now = asyncio.get_running_loop().time()
        readings: dict[str, Reading] = {}
        values: dict[str, float] = {}
        gone: WireError | None = None
        for name, spec in self.specs().items():
            if spec.access is Access.WRITE or self._due.get(name, -math.inf) > now:
                continue
            row = self._row(name)
            try:
                if gone is not None:
                    readings[name] = self.bad(str(gone))
                elif row.command in values:  # stirring is seen in the speed
                    readings[name] = self._reading(row, values[row.command])
                elif row.command == "STATUS":
                    readings[name] = await self.read(name)
                else:
                    values[row.command] = await self._number(row.command)
                    readings[name] = self._reading(row, values[row.command])
                if gone is None and name in self.seldom:
                    self._due[name] = now + self.seldom[name]
            except (NoAnswer, LinkLost) as error:
                gone = error
                readings[name] = self.bad(str(error))
            except WireError as error:
                readings[name] = self.bad(str(error))
        if gone is not None:
            self._due.clear()
        return readings

    # -- setting

    async def write(self, name: str, value: Value) -> Reading:
        """Set points are read back; stirring is seen in the speed; heating cannot be asked for (its reading says so).

        Raises OutOfRange, Refused, WireError, and ValueError for what is no number or no truth value.
        """
        row = self._row(name)
        if not row.spec.writable:
            raise Refused("read only", f"{name} is measured and cannot be set")
        if channel := row.extra.get("switch"):
            if not isinstance(value, bool):
                raise ValueError(f"{name}: true or false, not {value!r}")
            if name == "stirring":
                return await self._stir(channel, value)
            await self._set(f"{'START' if value else 'STOP'}_{channel}")
            return Reading(
                value,
                asyncio.get_running_loop().time(),
                Quality.GOOD,
                "sent; this device cannot be asked whether it heats",
            )
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError(f"{name}: {value!r} is not a number")
        self.check_limits(name, value)
        text = f"{value:.{row.extra['decimals']}f}"
        await self._set(f"{row.extra['set']} {text} ")
        return await self._read_back(name, float(text))

    async def _read_back(self, name: str, wanted: float) -> Reading:
        reading = await self.read(name)
        self._due.pop(name, None)
        if not isinstance(reading.value, (int, float)) or abs(reading.value - wanted) > 0.06:
            raise Refused("read-back", f"{name} reads {reading.value} after {wanted:g} was written")
        return reading

    async def _stir(self, channel: str, on: bool) -> Reading:
        """START or STOP, sent once, and the measured speed watched until it shows it."""
        if on and not (await self.read("speed_set_point")).value:
            raise Refused("no speed", "speed_set_point is 0: set it, then start")
        await self._set(f"{'START' if on else 'STOP'}_{channel}")
        return await self._watch(on)

    async def _watch(self, on: bool) -> Reading:
        until = asyncio.get_running_loop().time() + RAMP_S
        while (reading := await self.read("stirring")).value is not on:
            if asyncio.get_running_loop().time() > until:
                raise Refused("read-back", f"the motor {'does not turn' if on else 'still turns'} after {RAMP_S:g} s")
            await asyncio.sleep(LOOK_S)
        return reading

    async def reset(self) -> None:
        """RESET: the device switches its functions off and goes back to operation by hand (V)."""
        await self._set("RESET")

    # -- one exchange

    async def _number(self, command: str) -> float:
        parse = replies.number(command)

        def in_shape(buffer: bytearray) -> Answer | None:
            answer = parse(buffer)
            if answer is not None and answer.shape != self._shapes.get(command, answer.shape):
                raise BadFrame(f"{command} came as {answer.shape}, and as {self._shapes[command]} before")
            return answer

        answer = await self._ask(command, in_shape)
        self._shapes[command] = answer.shape
        return answer.value

    async def _text(self, command: str) -> str:
        return await self._ask(command, replies.words(command))

    async def _ask(self, command: str, parse: Parse[T]) -> T:
        """A question: asked again once after silence or a broken reply, and while its answer may be another's."""
        request = command.encode("ascii") + END
        return await self.certain(
            lambda: self.line.query(request, parse, timeout_s=self.timeout_s, retries=1, quiet_s=self.quiet_s)
        )

    async def _set(self, command: str) -> None:
        """A command without an answer: sent once, and the line left alone for the gap; what it did is read back."""
        with contextlib.suppress(NoAnswer, BadFrame):
            await self.line.query(command.encode("ascii") + END, replies.take, timeout_s=GAP_S, quiet_s=self.quiet_s)

    def _row(self, name: str) -> Row:
        return type(self).table[name]


class Watched(Namur):
    """A device with watchdog mode 2: without us for `watchdog_s` seconds it goes to set points that are safe.

    Options: `watchdog_s`, 20 to 1500 (left out: not armed, the device keeps its set points for ever), with
    `watchdog_speed` (1/min) and `watchdog_cel` (Cel; devices that heat). Mode 1, which stops the motor and the heater,
    is not offered: settled spheroids fuse, and it cannot be called off.
    """

    option_names: ClassVar[tuple[str, ...]] = ("name", "watchdog_s", "watchdog_speed", "watchdog_cel")
    shows_cuts = False  # `37.1 2`: neither width nor decimals are fixed
    watchdog = "mode 2 (safe set points) with option watchdog_s; not armed without it"
    heats: ClassVar[bool] = True

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self._armed_at = -math.inf
        self.watchdog_s = 0
        if "watchdog_s" in self.options:
            low, high = WATCHDOG
            seconds = float(self.options["watchdog_s"])
            needed = ("watchdog_speed", "watchdog_cel") if self.heats else ("watchdog_speed",)
            if seconds != int(seconds) or not low <= seconds <= high:
                raise ValueError(f"{self.model}: watchdog_s is whole seconds from {low} to {high}, not {seconds:g}")
            if missing := [name for name in needed if name not in self.options]:
                raise ValueError(
                    f"{self.model}: watchdog_s needs {' and '.join(missing)}, the set points that are safe"
                )
            self.watchdog_s = int(seconds)
            self.check_limits("speed_set_point", float(self.options["watchdog_speed"]))
            if self.heats:
                self.check_limits("temperature_set_point", float(self.options["watchdog_cel"]))

    async def prepare(self) -> None:
        """With option watchdog_s: an earlier event is cleared, the safe set points are given, the watchdog is armed.

        Each is confirmed by the device's echo. Raises BadFrame or NoAnswer when it is not.
        """
        await super().prepare()
        if self.watchdog_s:
            await self._echoed("OUT_WD2", "0")
            await self._echoed("OUT_SP_42", f"{float(self.options['watchdog_speed']):.0f}")
            if self.heats:
                await self._echoed("OUT_SP_12", f"{float(self.options['watchdog_cel']):.1f}")
            await self._arm()

    async def poll(self) -> dict[str, Reading]:
        """As every device; an armed watchdog is armed anew three times within its time."""
        if self.watchdog_s and asyncio.get_running_loop().time() >= self._armed_at + self.watchdog_s / 3:
            await self._arm()
        return await super().poll()

    async def disarm(self) -> None:
        """OUT_WD2@0: the watchdog is off and its event, if there was one, forgotten."""
        await self._echoed("OUT_WD2", "0")
        self.watchdog_s = 0

    async def _arm(self) -> None:
        await self._echoed("OUT_WD2", str(self.watchdog_s))
        self._armed_at = asyncio.get_running_loop().time()

    async def _echoed(self, command: str, value: str) -> None:
        await self._ask(f"{command}@{value}", replies.echoed(value))
