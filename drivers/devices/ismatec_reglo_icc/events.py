"""What the pump says unasked while event messages are on: `^X` a channel ended, `^U` what it does just now (M)."""

from __future__ import annotations

import re

ENDED = re.compile(rb"\^X([1-4])\|([AB123])")
DOING = re.compile(rb"\^U([1-4])\|([A-E])\|\d{10}\|\d{10}\|\d{4}")
"""Channel, status, time left, volume, cycles left. The volume is not used: the manual contradicts itself about it."""

ALARMS = {
    "2": "over temperature: the pump stopped the channel",
    "3": "over current: the pump stopped the channel",
}
STOP_KEY = "1"
PUMPING, PAUSING, AT_REST, CALIBRATING, WAITING = "ABCDE"
FRESH_S = 3.0
"""How long a `^U` is believed; its period is not known, 1 s is a guess (X)."""
TAIL_S = 0.1
"""A message is 48 characters at most, 50 ms at 9600 baud: what is not whole after this lost its end."""
LONGEST = 512


class Ear:
    """Collects what came unasked and remembers the last word about one channel."""

    def __init__(self, channel: int) -> None:
        self.channel = b"%d" % channel
        self.heard = bytearray()
        self.heard_at = float("-inf")
        self.doing = ""
        """Status letter of the last message about this channel since `forget`, "" = none."""
        self.ended = False
        """The last message was `^X`: it stays true until the next start, and needs no repetition."""
        self.doing_at = float("-inf")
        self.alarms: list[str] = []
        """Causes of `^X` that are alarms, not yet collected."""

    def hear(self, data: bytes, now: float) -> None:
        """Bytes came unasked at loop time `now`, s."""
        if now - self.heard_at > TAIL_S:
            self.heard.clear()
        self.heard_at = now
        self.heard += data
        del self.heard[:-LONGEST]
        while (end := self.heard.find(b"\r\n")) >= 0:
            line = bytes(self.heard[:end])
            del self.heard[: end + 2]
            self._message(line[max(line.rfind(b"^"), 0) :], now)

    def in_mid_message(self, now: float) -> bool:
        """Whether the end of a message is still to come."""
        return b"^" in self.heard and now - self.heard_at <= TAIL_S

    def forget(self) -> None:
        """What was said until now is of no use any more: a start or a stop is being sent."""
        self.doing, self.ended = "", False

    def says(self, now: float) -> str:
        """Status letter of this channel as far as the pump has said it lately; "" = not known."""
        return self.doing if self.ended or now - self.doing_at <= FRESH_S else ""

    def _message(self, line: bytes, now: float) -> None:
        if (match := ENDED.fullmatch(line)) and match[1] == self.channel:
            self.doing, self.ended, self.doing_at = AT_REST, True, now
            cause = match[2].decode("ascii")
            if cause in ALARMS:
                self.alarms.append(cause)
        elif (match := DOING.fullmatch(line)) and match[1] == self.channel:
            self.doing, self.ended, self.doing_at = match[2].decode("ascii"), False, now


def take_reply(buffer: bytearray, in_mid_message: bool, is_status: bool) -> str | None:
    """Take one reply out of `buffer` and leave the messages around it; None = not complete yet.

    A status is one character without an end, anything else a line (M); a data question can be answered `#` too.
    """
    at = 0
    if in_mid_message:
        end = buffer.find(b"\r\n")
        if end < 0:
            return None
        at = end + 2
    while buffer.startswith(b"^", at):
        end = buffer.find(b"\r\n", at)
        if end < 0:
            return None
        at = end + 2
    if at >= len(buffer):
        return None
    if is_status or buffer.startswith(b"#", at):
        begin, end, after = at, at + 1, at + 1
    else:
        begin, end = at, buffer.find(b"\r\n", at)
        if end < 0:
            return None
        after = end + 2
    if buffer.rfind(b"^") > max(buffer.rfind(b"\r\n"), after - 1):
        return None  # a message has begun behind the reply: its end must not become the next answer
    reply = buffer[begin:end].decode("latin-1")
    del buffer[begin:after]
    return reply
