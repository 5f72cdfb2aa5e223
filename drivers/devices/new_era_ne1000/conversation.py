"""Talking to one pump: which mode it speaks, what its alarms do to a command, what may be asked again."""

from __future__ import annotations

import asyncio

from drivers.core.errors import BadFrame, NoAnswer, Refused
from drivers.core.line import Line
from drivers.core.wire import ascii as text_wire
from drivers.devices.new_era_ne1000 import replies
from drivers.devices.new_era_ne1000.replies import Pattern, Reply

TRIES = 4
"""An alarm is acknowledged by the reply that tells it (M); more in a row than this and it does not clear."""
ALARM_PAUSE_S = 0.1
"""After an alarm packet its crossing twin (one said unasked, one as a reply) is let pass before the next command."""
LONGEST_ALARM = 64
"""Bytes kept of what came unasked: several alarm packets of ten."""


class AlarmStays(Refused):
    """The pump answers every command with an alarm."""


class Conversation:
    """One pump's side of the line. `safe` is the mode of its last answer, None = to be found out before the next."""

    def __init__(self, line: Line, address: int, timeout_s: float) -> None:
        self.line, self.address, self.timeout_s = line, address, timeout_s
        self.safe: bool | None = None
        self.alarm_text = ""
        """The last alarm in words, from a reply or said unasked."""
        self.alarms_met = 0
        self.replies_missed = 0
        self._unasked = bytearray()
        self._counters_request = self.packet("DIS")
        self._counters_parser = replies.parser(address, text_wire.take_safe_packet, replies.COUNTERS)
        line.listen(self._hear)

    async def counters(self) -> Reply:
        """DIS, in Safe mode only: a counter without a CRC is no evidence. The hot path of every poll."""
        for _ in range(TRIES):
            if not self.safe:
                await self.find_mode()
                if not self.safe:
                    raise Refused("no CRC", f"pump {self.address} is in basic mode: prepare it first")
            reply = await self._query(self._counters_request, self._counters_parser, 1)
            if not reply.alarm:
                return self._said_yes("DIS", reply)
            await self.latch(reply.alarm)
        raise self._stays()

    async def value(self, command: str, expected: Pattern) -> Reply:
        """Ask or set; raises Refused when the pump says an error."""
        return self._said_yes(command, await self.ask(command, expected))

    async def ask(self, command: str, expected: Pattern) -> Reply:
        """Ask again after an alarm or `?COM`: neither executed the command (M). Never for RUN."""
        for _ in range(TRIES):
            reply = await self.exchange(command, expected, retries=1)
            if not reply.alarm and reply.error != "?COM":
                return reply
            if reply.alarm:
                await self.latch(reply.alarm)
        raise self._stays()

    async def exchange(self, command: str, expected: Pattern, retries: int = 0) -> Reply:
        """One command in the pump's mode; the reply may be an alarm or an error."""
        if self.safe is None:
            await self.find_mode()
        take = text_wire.take_safe_packet if self.safe else text_wire.take_packet
        request = self.packet(command) if self.safe else f"{self.address}{command}\r".encode("ascii")
        return await self._query(request, replies.parser(self.address, take, expected), retries)

    async def once(self, command: str) -> Reply:
        """Send a safe packet exactly once; no reply that follows garbage is taken for its answer."""
        parse = replies.parser(self.address, text_wire.take_safe_packet, replies.NOTHING, strict=True)
        return await self._query(self.packet(command), parse, 0)

    async def blindly(self, command: str) -> None:
        """Send what does no harm in either form, whatever is answered: a pump in the other mode ignores it."""
        parse = replies.parser(self.address, replies.take_either, replies.NOTHING)
        for request in (self.packet(command), f"{self.address}{command}\r".encode("ascii")):
            try:
                reply = await self._query(request, parse, 0)
            except (NoAnswer, BadFrame):
                continue
            if reply.alarm:
                await self.latch(reply.alarm)
            return

    async def find_mode(self) -> None:
        """Ask SAF as a safe packet, which both modes take (N), and see in which form the answer comes.

        N only ever sets it so; a pump in basic mode that hears no such question (?) answers a bare status query, which
        Safe mode drops."""
        try:
            await self.set_mode("SAF")
        except NoAnswer:
            request = f"{self.address}\r".encode("ascii")
            reply = await self._query(request, replies.parser(self.address, text_wire.take_packet, replies.NOTHING), 0)
            self.safe = False
            if reply.alarm:
                await self.latch(reply.alarm)

    async def watchdog_s(self) -> int:
        """The time-out the pump has now, s; 0 = basic mode, -1 = it did not say."""
        try:
            return int((await self.set_mode("SAF")).data or -1)
        except NoAnswer:
            return -1  # setting it may be heard all the same (N)

    async def set_mode(self, command: str) -> Reply:
        """Send SAF or SAFn, always as a safe packet; the answer comes in the new mode (M)."""
        for _ in range(TRIES):
            reply = await self._query(self.packet(command), self._either, 1)
            if not reply.alarm and reply.error != "?COM":
                return self._said_yes(command, reply)
            if reply.alarm:
                await self.latch(reply.alarm)
        raise self._stays()

    async def latch(self, letter: str) -> None:
        """Keep the alarm in words and let a second packet of it pass by."""
        self.alarm_text = replies.ALARMS[letter]
        self.alarms_met += 1
        await asyncio.sleep(ALARM_PAUSE_S)

    def packet(self, command: str) -> bytes:
        return text_wire.safe_packet(f"{self.address}{command}".encode("ascii"))

    async def _query(self, request: bytes, parse: replies.Parser, retries: int) -> Reply:
        """Ask, and again `retries` times; a reply that did not come whole is counted, for it may have told an alarm."""
        for left in range(retries, -1, -1):
            try:
                return await self.line.query(request, parse, timeout_s=self.timeout_s)
            except (NoAnswer, BadFrame) as missed:
                self.replies_missed += 1
                if not left:
                    if isinstance(missed, NoAnswer):
                        self.safe = None
                    raise
        raise AssertionError("a loop over at least one try")

    def _either(self, buffer: bytearray) -> Reply | None:
        """Parse a reply of either mode and remember which it was."""
        safe = not replies.looks_basic(buffer)
        reply = replies.parser(self.address, replies.take_either, replies.SECONDS)(buffer)
        if reply is not None:
            self.safe = safe
        return reply

    def _hear(self, data: bytes) -> None:
        """Alarms said unasked stay unacknowledged (M): the next reply says them again."""
        self._unasked += data
        del self._unasked[:-LONGEST_ALARM]
        letter = replies.alarm_in(self._unasked, self.address, text_wire.take_safe_packet)
        if letter in replies.ALARMS:
            self.alarm_text = replies.ALARMS[letter]
            self.alarms_met += 1

    def _said_yes(self, command: str, reply: Reply) -> Reply:
        if reply.error:
            why = f"pump {self.address}: {command or 'status'}: {replies.ERRORS[reply.error]}"
            raise Refused(reply.error, why)
        return reply

    def _stays(self) -> AlarmStays:
        return AlarmStays("alarm", f"pump {self.address}: every command is refused; {self.alarm_text or '?COM'}")
