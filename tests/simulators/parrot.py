"""A device nobody makes: answers each line in capitals after 20 ms, so that hosts can be tested alone."""

from __future__ import annotations

from simulators.core.simulator import Action, Bytes, Close, Closed, Event, Opened, Send


class Parrot:
    """`tick` makes it say TICK every 60 s, `bye` makes it close, `count` tells the lines heard."""

    def __init__(self, seed: int | None = None) -> None:
        self.heard = 0
        self.buffer = b""
        self.tick_at: float | None = None
        self.events: list[str] = []
        self.cycled_at: float | None = None

    @property
    def wake_at(self) -> float | None:
        return self.tick_at

    def receive(self, event: Event, now: float) -> list[Action]:
        match event:
            case Opened():
                self.events.append("opened")
                self.buffer = b""
            case Closed():
                self.events.append("closed")
            case Bytes(data):
                self.buffer += data
        actions: list[Action] = []
        while b"\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\n", 1)
            self.heard += 1
            if line == b"tick":
                self.tick_at = now + 60.0
            reply = str(self.heard).encode() if line == b"count" else line.upper()
            actions.append(Send(0.020, reply + b"\n"))
            if line == b"bye":
                actions.append(Close(0.020))
        return actions

    def wake(self, now: float) -> list[Action]:
        if self.tick_at is None or now < self.tick_at:
            return []
        self.tick_at += 60.0
        return [Send(0.0, b"TICK\n")]

    def power_cycle(self, now: float) -> list[Action]:
        self.tick_at = None
        self.buffer = b""
        self.cycled_at = now
        return [Send(0.1, b"READY\n")]

    def snapshot(self) -> dict[str, object]:
        return {"heard": self.heard, "tick_at": self.tick_at}

    def restore(self, saved: dict[str, object]) -> None:
        self.heard = saved["heard"]
        self.tick_at = saved["tick_at"]
