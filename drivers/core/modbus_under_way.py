"""Which Modbus replies can still be taken for another's: a reply names no register, and a copy of it may come late.

What makes an answer sure is that a cable keeps the order of what is on it. Replies of one device come in the order of
its questions, so a reply that looks like none of those asked before it is the answer, and whatever was under way in
front of it has passed. Only two questions running for equally many registers can be mixed up; something of another
length between them, or silence, keeps them apart.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from drivers.core.line import Line


class UnderWay:
    """For one address on one line: requests whose replies may still come, or come again, by how those begin."""

    def __init__(self) -> None:
        self._asked: dict[bytes, set[bytes]] = {}
        self._until = float("-inf")
        """Loop time after which nothing is under way any more."""

    def could_mix(self, head: bytes, request: bytes, now: float) -> bool:
        """Whether a reply that begins with `head` may be the one to another request."""
        if now > self._until:
            self._asked.clear()
        asked = self._asked.get(head)
        return asked is not None and (len(asked) > 1 or request not in asked)

    def is_new(self, head: bytes, now: float) -> bool:
        """Whether no reply under way begins with `head`: the next that does is the next request's."""
        return now > self._until or head not in self._asked

    def came(self, head: bytes, request: bytes, now: float, late_s: float) -> bool:
        """Note a reply; whether it is sure to be the one to `request`. Copies of it come up to `late_s` later."""
        asked = self._asked.get(head) if now <= self._until else None
        self._until = now + late_s
        if asked is None:
            self._asked = {head: {request}}
            return True
        asked.add(request)
        return len(asked) == 1

    def missing(self, heads: tuple[bytes, ...], request: bytes, now: float, late_s: float) -> None:
        """Note a request without a whole reply: one with any of `heads` may still come."""
        for head in heads:
            self._asked.setdefault(head, set()).add(request)
        self._until = now + late_s

    def passed(self) -> None:
        """Forget everything: the line was silent for as long as anything could be under way."""
        self._asked.clear()


_OF: WeakKeyDictionary[Line, dict[int, UnderWay]] = WeakKeyDictionary()


def under_way(line: Line, address: int) -> UnderWay:
    """The one for this address on this line, whichever driver asks (zones of one controller share an address)."""
    return _OF.setdefault(line, {}).setdefault(address, UnderWay())
