"""What on a line is not as usual: replies that are late, bytes that came unasked, replies that are none.

A reply may come twice, and late. Where it does not say what it answers, its copy may then be taken for the next answer.
As a cable keeps the order of what is on it, that next answer comes late, or its own is left over.
"""

from __future__ import annotations

LATE = 0.1
"""Of its time-out: a reply that takes so much longer than the same question usually does is late."""
LEARNS = 0.01
"""Of its time-out: each late reply makes this much more usual, for a device that has become slower for good."""
UNUSUAL = 0.25
"""Of its time-out: so late is a reply to a question that was never answered before."""
MOST_KNOWN = 256
"""Questions whose usual time is remembered."""


class Surprises:
    """Counts for one line; they never go back."""

    __slots__ = ("_last", "_usual_s", "broken", "late", "unasked")

    def __init__(self) -> None:
        self.late = 0
        """Replies that came later than the same question's usually do."""
        self.unasked = 0
        """How often bytes came that were not the answer, nor a copy of it, nor known to a listener."""
        self.broken = 0
        """Replies that were none to their question."""
        self._usual_s: dict[bytes, float] = {}
        self._last = b""
        """All that came for the last question."""

    def answered(self, request: bytes, reply: bytes, took_s: float, timeout_s: float) -> None:
        """A whole reply came `took_s` after its request."""
        self._last = reply
        usual_s = self._usual_s.get(request)
        if usual_s is None:
            self.late += took_s > UNUSUAL * timeout_s
            if len(self._usual_s) >= MOST_KNOWN:
                self._usual_s.clear()
        elif took_s > usual_s + LATE * timeout_s:
            self.late += 1
            took_s = usual_s + LEARNS * timeout_s
        self._usual_s[request] = took_s

    def left_over(self, data: bytes) -> None:
        """Bytes that are no answer, and nobody knows them. A second whole copy of the last reply does no harm."""
        self.unasked += data != self._last
