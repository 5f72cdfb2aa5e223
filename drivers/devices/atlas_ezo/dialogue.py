"""One command at a time with an EZO circuit: what it answers, what it says by itself, sleep."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
from collections.abc import Callable, Mapping
from typing import ClassVar

from drivers.core.device import Device
from drivers.core.errors import NoAnswer
from drivers.core.line import Line
from drivers.devices.atlas_ezo.replies import (
    ANY_READING,
    LONGEST,
    OVER_VOLTAGE,
    READY,
    RESTART,
    SLEEPING,
    UNDER_VOLTAGE,
    Answer,
    End,
    take_line,
)

SUPPLY = {OVER_VOLTAGE: "5.5 V or more (*OV)", UNDER_VOLTAGE: "3.1 V or less (*UV)"}


class Dialogue(Device):
    """Exchanges with a circuit, and what it said unasked."""

    warm_up_s: ClassVar[float] = 0.0

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self._restarted = ""
        """Why the next reading is not to be trusted: the circuit said that it started."""
        self._warm_at = -math.inf
        self._supply = ""
        self._talks = False
        """It gives readings by itself."""
        line.listen(self._overhear)

    async def _tell(self, command: str, timeout_s: float = 0.0) -> None:
        """Send a command without data, once; raises Refused at `*ER`."""
        answer = Answer(command, lambda line: False, End.ONLY_CODE, self._notice)
        await self._exchange(answer, timeout_s or self.timeout_s)

    async def _fields(self, command: str, begins: str) -> list[str]:
        """The values of a `?<Name>,<values>` answer; `?,P,` and `?,O,` come with a comma more (V), other names may not.
        Either is taken for each (sheet, Oddities)."""
        begin = begins.lower().replace("?,", "?", 1)

        def plain(line: str) -> str:
            return line[:1] + line[1:].removeprefix(",")

        answer = self._answer(command, lambda line: plain(line).lower().startswith(begin))
        await self._exchange(answer, self.timeout_s, retries=1)
        return plain(answer.data or "")[len(begin) :].split(",")

    async def _word(self, command: str, begins: str) -> str:
        return ",".join(await self._fields(command, begins))

    async def _data(self, command: str, form: re.Pattern[str]) -> str:
        answer = self._answer(command, lambda line: form.fullmatch(line) is not None)
        await self._exchange(answer, self.timeout_s, retries=1)
        return answer.data or ""

    def _answer(self, command: str, is_data: Callable[[str], bool]) -> Answer:
        return Answer(command, is_data, End.CODE, self._notice)

    async def _exchange(self, answer: Answer, timeout_s: float, retries: int = 0) -> Answer:
        """A late answer is known by its form, so the line need not be silent for longer than an ordinary command."""
        return await self.line.query(
            answer.command.encode("ascii") + b"\r",
            answer,
            timeout_s=timeout_s,
            retries=retries,
            quiet_s=self.quiet_s,
            doubt_s=self.timeout_s,
        )

    def _notice(self, line: str) -> None:
        """A line that nobody asked for."""
        code = line.upper()
        if code in (RESTART, READY):
            self._restarted = "the circuit has just restarted: its compensation is back at the factory's value"
            self._warm_at = asyncio.get_running_loop().time() + self.warm_up_s
        elif code in SUPPLY:
            self._supply = SUPPLY[code]
        elif code != SLEEPING and ANY_READING.fullmatch(line):
            self._talks = True

    def _overhear(self, data: bytes) -> None:
        """Bytes that came between two commands."""
        heard = bytearray(data[-LONGEST:])
        while (line := take_line(heard)) is not None:
            self._notice(line)

    # -- sleep, and finding it on the bench

    async def sleep(self) -> None:
        """Sleep until the next character; the code for it comes before or after `*OK` (L, F differ)."""
        await self._tell("Sleep")

    async def wake(self) -> None:
        """Wake it up; a circuit that was awake takes no harm."""

        def parse(buffer: bytearray) -> bool | None:
            while (line := take_line(buffer)) is not None:
                if line.upper() in ("*WA", "*ER"):
                    return True
            return None

        with contextlib.suppress(NoAnswer):  # an empty command is no command: whoever asks next will see
            await self.line.query(b"\r", parse, timeout_s=self.timeout_s, quiet_s=self.quiet_s)
        self._talks = True

    async def blink(self) -> None:
        """Blink white until the next command, so that a person finds this circuit."""
        await self._tell("Find")
