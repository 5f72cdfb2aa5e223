"""One Alicat unit's side of a line: commands under its letter, and which of the lines that come back are its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from drivers.core.errors import BadFrame, Refused
from drivers.core.line import Line
from drivers.core.wire.ascii import take_line

T = TypeVar("T")

LONGEST = 512
"""Characters without a CR that can be no reply."""
STREAMED = re.compile(r"\s*[+-]\d[\d.]*(?:\s+[-+]?[\d.]+){2,}\s+[A-Za-z]\S*(?:\s+[A-Z0-9]{3})*\s*")
"""A data frame without a unit ID: what a unit in streaming mode sends (V)."""


class Talk:
    """`unit` is one letter. Replies without a check sum: whatever is not in the expected form is a BadFrame."""

    def __init__(self, line: Line, unit: str, timeout_s: float, quiet_s: float) -> None:
        self.line, self.unit, self.timeout_s, self.quiet_s = line, unit, timeout_s, quiet_s

    async def ask(
        self, command: str, form: Callable[[str], T | None], *, retries: int = 0, timeout_s: float | None = None
    ) -> T:
        """Send `command` and return what `form` makes of our line; `form` says None to a line that is not its own kind.

        Raises Refused for `?` and for a unit that streams, BadFrame, NoAnswer, LinkLost.
        """

        def parse(buffer: bytearray) -> T | None:
            while (text := self._ours(buffer, command)) is not None:
                if text:
                    if (found := form(text)) is None:
                        raise BadFrame(f"unit {self.unit}: not an answer to {command or 'a poll'}: {text!r}")
                    return found
            return None

        return await self._query(command, parse, retries, timeout_s)

    async def lines(self, command: str, is_last: Callable[[str], bool]) -> list[str]:
        """All lines of a table without our letter; `is_last` knows its end ("" = an empty line)."""

        def parse(buffer: bytearray) -> list[str] | None:
            rest, found = bytearray(buffer), list[str]()
            while (text := self._ours(rest, command)) is not None:
                if text:
                    found.append(text)
                if found and is_last(text):
                    buffer[:] = rest
                    return found
            return None

        return await self._query(command, parse, 1, None)

    async def stop_streaming(self, command: str) -> None:
        """Give the one streaming unit of the line our letter again; lines still under way are dropped."""

        def parse(buffer: bytearray) -> bool | None:
            while (line := take_line(buffer, b"\r")) is not None:
                if line.startswith(self.unit.encode() + b" "):
                    return True
            return None

        request = f"{command.rstrip('=')}{'=' if command.endswith('=') else ' '}{self.unit}\r".encode("ascii")
        await self.line.query(request, parse, timeout_s=self.timeout_s, quiet_s=self.quiet_s)

    async def _query(
        self, command: str, parse: Callable[[bytearray], T | None], retries: int, timeout_s: float | None
    ) -> T:
        if command[:1].isdigit():  # `A` and digits is a set point: `A49408` would command 77 % flow (sheet, Traps)
            raise ValueError(f"{command!r} would be taken as a set point")
        return await self.line.query(
            f"{self.unit}{command}\r".encode("ascii"),
            parse,
            timeout_s=timeout_s or self.timeout_s,
            retries=retries,
            quiet_s=self.quiet_s,
        )

    def _ours(self, buffer: bytearray, command: str) -> str | None:
        """The next line of this unit without its letter, "" for an empty one; None = nothing whole is there yet."""
        while (line := take_line(buffer, b"\r")) is not None:
            line = line.replace(b"\0", b"").strip(b"\n")  # NUL bytes have been seen in replies (N)
            if any(byte > 0x7E or byte < 0x20 for byte in line):
                raise BadFrame(f"unit {self.unit}: a reply with odd characters: {line!r}")
            text = line.decode("ascii")
            if not text.strip():
                return ""
            if text == "?":
                raise Refused("?", f"unit {self.unit} did not take {command or 'a poll'!r}")
            if STREAMED.fullmatch(text):
                raise Refused("@", f"unit {self.unit}: a unit of this line streams by itself, so nobody can be asked")
            if text.startswith(self.unit + " "):
                return text[2:]
        if len(buffer) > LONGEST:
            raise BadFrame(f"unit {self.unit}: {len(buffer)} characters without a line end")
        return None
