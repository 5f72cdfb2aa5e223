"""The controller's and the tests' end of a world in another process: links, time, truth, faults, a person's hands.

A question to the world blocks: bench time stands still while callbacks run, and the world answers in about 0.1 ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, cast

from drivers.core.errors import LinkLost
from simulators.core.hosts import MemoryHost, MemoryLink
from simulators.core.simulator import Action, Bytes, Close, Event, Opened, Send
from simulators.core.time import PacedLoop
from simulators.people import Answer

ANSWER_LIMIT_S = 10.0
"""Wall seconds after which a world that does not answer counts as lost."""
BEAT_WALL_S = 0.5
"""Wall seconds between beats that keep the world in step when nothing else is said."""

WorldLink = MemoryLink
"""A drivers Link to a cable of the world."""


class WorldClient:
    """A connection to the world at `path`; role `controller` leads its time, `observer` only asks and meddles.

    A controller takes the lead when it dials its first link: by then it holds its data directory (DX-05), and one that
    is refused has taken nothing from the one that runs. Raises LinkLost when nobody answers there. A lost world is
    dialled again by the next dial of a link.
    """

    def __init__(self, path: Path | str, role: str = "controller") -> None:
        self.path, self.role = Path(path), role
        self.speed = 1.0
        self.links: list[str] = []
        self._socket: socket.socket | None = None
        self._received = b""
        self._now = 0.0
        self._hosts: dict[str, tuple[MemoryHost, _Remote]] = {}
        self._beating: asyncio.TimerHandle | None = None
        self._leads = False
        self.connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self) -> None:
        """Connect (again) and take the world's time and speed."""
        self.close()
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(ANSWER_LIMIT_S)
        try:
            connection.connect(str(self.path))
        except OSError as error:
            connection.close()
            raise LinkLost(f"world at {self.path}: {error}") from error
        self._socket, self._leads = connection, False
        hello = cast("dict[str, Any]", self.ask("hello", "observer"))
        self.speed, self.links = hello["speed"], hello["links"]

    def close(self) -> None:
        """Hang up; for the world that is the controller's end."""
        if self._beating is not None:
            self._beating.cancel()
            self._beating = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._received = b""

    def farewell(self) -> None:
        """Hang up at an orderly end: a world that waits for controllers lets no time pass until the next one."""
        if self._leads:
            with contextlib.suppress(LinkLost, ValueError):
                self.ask("farewell")
        self.close()

    def now(self) -> float:
        """The world's bench time, seconds since 1970: where a controller's loop must start."""
        self.ask("now")
        return self._now

    def link(self, name: str) -> WorldLink:
        """A fresh link to cable `name`, not dialled yet."""
        if name not in self._hosts:
            if name not in self.links:
                raise KeyError(f"the world has no link {name!r}; there are {', '.join(self.links)}")
            remote = _Remote(self, name)
            host = MemoryHost(remote, name, "world")
            host.dies_silently = True
            self._hosts[name] = host, remote
        return self._hosts[name][0].link()

    def truth(self) -> dict[str, float | bool]:
        """The plant as it truly is, at the world's time (`at`)."""
        return cast("dict[str, float | bool]", self.ask("truth"))

    def inject(self, fault: str) -> None:
        """Put in a fault, written as in simulators.core.faults."""
        self.ask("fault", fault)

    def mend(self) -> None:
        self.ask("mend")

    def power_cycle(self, device: str) -> None:
        self.ask("power_cycle", device)

    def snapshot(self) -> dict[str, object]:
        return cast("dict[str, object]", self.ask("snapshot"))

    @property
    def person(self) -> WorldPerson:
        return WorldPerson(self)

    def hands(self, act: str, **arguments: object) -> dict[str, float]:
        """An act of simulators.plant.hands at the world's time: `hands("pour", ml=90.0)`; what was found."""
        return cast("dict[str, float] | None", self.ask("hands", act, arguments)) or {}

    def ask(self, *message: object) -> object:
        """One question, one answer; raises LinkLost when the world is gone, ValueError when it says no."""
        if self._socket is None:
            raise LinkLost(f"world at {self.path}: not connected")
        try:
            self._socket.sendall(json.dumps(message).encode() + b"\n")
            while (end := self._received.find(b"\n")) < 0:
                more = self._socket.recv(1 << 16)
                if not more:
                    raise ConnectionError("the world has ended")
                self._received += more
        except OSError as error:
            self.close()
            raise LinkLost(f"world at {self.path}: {error}") from error
        line, self._received = self._received[:end], self._received[end + 1 :]
        reply = json.loads(line)
        if isinstance(reply, dict):
            raise ValueError(cast("dict[str, str]", reply)["error"])
        self._now, result = cast("tuple[float, object]", reply)
        return result

    def tell(self, link: str, *message: object) -> list[Action]:
        """The controller's message about `link` ("" = none); what `link` sends. Other links' news go to their hosts."""
        if not self._leads and self.role == "controller":
            self.ask("hello", self.role)
            self._leads = True
        answer = cast("dict[str, tuple[list[tuple[float, str | None]], float | None]]", self.ask(*message))
        loop = asyncio.get_running_loop()
        if self._now > loop.time() and isinstance(loop, PacedLoop):
            loop.catch_up(self._now)
        if self._beating is None:
            self._beating = loop.call_later(BEAT_WALL_S * getattr(loop, "speed", self.speed), self._beat)
        sent: list[Action] = []
        for name, (said, wake_at) in answer.items():
            actions: list[Action] = [
                Close(at) if text is None else Send(at, text.encode("latin-1")) for at, text in said
            ]
            if name in self._hosts:
                host, remote = self._hosts[name]
                remote.wake_at = wake_at
                if name != link:
                    host.act(actions)
            if name == link:
                sent = actions
        return sent

    def _beat(self) -> None:
        self._beating = None
        with contextlib.suppress(LinkLost):
            self.tell("", "tick", asyncio.get_running_loop().time())


class _Remote:
    """A Simulator that is in the world's process."""

    def __init__(self, client: WorldClient, link: str) -> None:
        self._client, self._link = client, link
        self.wake_at: float | None = None

    def receive(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Bytes):
            return self._client.tell(self._link, "bytes", self._link, now, event.data.decode("latin-1"))
        if isinstance(event, Opened):
            return self._open(now)
        with contextlib.suppress(LinkLost):
            return self._client.tell(self._link, "closed", self._link, now)
        return []

    def _open(self, now: float) -> list[Action]:
        try:
            return self._client.tell(self._link, "opened", self._link, now)
        except LinkLost:
            self._client.connect()
            return self._client.tell(self._link, "opened", self._link, now)

    def wake(self, now: float) -> list[Action]:
        try:
            return self._client.tell(self._link, "wake", self._link, now)
        except LinkLost:
            self.wake_at = None
            return [Close(0.0)]

    def power_cycle(self, now: float) -> list[Action]:
        raise NotImplementedError("ask the world by device name")

    def snapshot(self) -> dict[str, object]:
        raise NotImplementedError("ask the world")

    def restore(self, saved: dict[str, object]) -> None:
        raise NotImplementedError("the world restores itself")


class WorldPerson:
    """The simulated person of the world, who remembers what they did when the controller is killed."""

    def __init__(self, client: WorldClient) -> None:
        self._client = client
        self._next: float | None = None
        self.planned: dict[str, float] = {}
        """When they mean to answer, by "run:path", as it was when last seen."""

    def see(self, tasks: Sequence[Mapping[str, Any]], now: float) -> list[Answer]:
        """Show the person the open tasks; their answers. As simulators.people.Person."""
        seen = cast("dict[str, Any]", self._client.ask("people", tasks, now))
        self._next = seen["next"]
        self.planned.clear()
        self.planned.update(seen["planned"])
        return [Answer(**answer) for answer in seen["answers"]]

    def next_time(self, now: float) -> float | None:
        """When `see` is worth calling again if no task changes, as it was when last seen."""
        return self._next
