"""The device's end of a line of text: collects characters up to an end mark, answers after the time they take."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from typing import Any, ClassVar, cast

from simulators.core.simulator import Action, Bytes, Event, Opened, Send


class TextUnit:
    """One text device. Subclasses keep what they remember in the flat dataclass `state` and answer in `message`.

    A reply comes after both messages' time on
    the cable and `processing_s`.
    """

    ends: ClassVar[bytes] = b"\r"
    """Any of these bytes ends a message."""
    longest: ClassVar[int] = 256
    """Characters kept without an end mark; what is older is forgotten."""
    bits: ClassVar[int] = 10
    """Of one character on the cable: start, data, parity, stop."""
    state: Any
    """A flat dataclass of JSON-able fields: all that a snapshot keeps."""

    def __init__(self, baud: int = 9600, processing_s: float = 0.01) -> None:
        self.baud = baud
        self.processing_s = processing_s
        self.received = bytearray()

    def message(self, text: bytes, now: float) -> bytes | list[Action]:
        """The whole reply to one message without its end mark; b"" = the device says nothing. A list of actions where
        the reply has a time of its own."""
        raise NotImplementedError

    def restarted(self, now: float) -> list[Action]:
        """Power came back: volatile state is set here, and what the device says by itself is returned."""
        return []

    # -- the Simulator seam

    @property
    def wake_at(self) -> float | None:
        return None

    def wake(self, now: float) -> list[Action]:
        return []

    def receive(self, event: Event, now: float) -> list[Action]:
        if type(event) is not Bytes:
            if isinstance(event, Opened):
                self.received.clear()
            return []
        actions: list[Action] = []
        for byte in event.data:
            if byte in self.ends:
                text = bytes(self.received)
                self.received.clear()
                answer = self.message(text, now)
                actions += self.reply(answer, len(text) + 1) if isinstance(answer, bytes) else answer
            else:
                self.received.append(byte)
        del self.received[: -self.longest]
        return actions

    def power_cycle(self, now: float) -> list[Action]:
        self.received.clear()
        return self.restarted(now)

    def snapshot(self) -> dict[str, object]:
        assert is_dataclass(self.state)
        saved = asdict(cast("Any", self.state))
        return {"state": saved, "received": self.received.decode("latin-1")}

    def restore(self, saved: dict[str, object]) -> None:
        self.state = type(self.state)(**cast("dict[str, Any]", saved["state"]))
        self.received = bytearray(str(saved["received"]).encode("latin-1"))

    # -- time on the cable

    def reply(self, answer: bytes, asked: int = 0) -> list[Action]:
        """`answer` as it comes after `asked` characters of the question."""
        if not answer:
            return []
        return [Send(self.processing_s + (asked + len(answer)) * self.bits / self.baud, answer)]
