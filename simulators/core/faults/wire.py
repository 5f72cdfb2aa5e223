"""A cable with faults around one device, which itself stays true; and what befalls the device at one moment."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from random import Random
from typing import cast

from simulators.core.faults import frames
from simulators.core.faults.seat import Seat
from simulators.core.faults.spec import FaultSpec, active, parse
from simulators.core.faults.strokes import Rebuild, strike
from simulators.core.faults.table import Where
from simulators.core.simulator import Action, Bytes, Close, Event, Opened, Send, Simulator

HANGS_UP_S = 0.05
"""A port that is gone lets go of whoever tries it after this long: a dial takes its time."""
CUTS = ("silence", "deaf")


def _flip(data: bytes, chance: Random) -> bytes:
    bit = chance.randrange(8 * len(data))
    return bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(data))


def _truncate(data: bytes, chance: Random) -> bytes:
    return data[: chance.randrange(len(data))]


_SPOIL: Mapping[str, Callable[[bytes, Random], bytes]] = {"flip": _flip, "truncate": _truncate}


class Fault:
    """One fault at work since `began`; chance comes from the seed and the number of the reply."""

    def __init__(self, spec: FaultSpec, began: float, seed: int | None) -> None:
        self.spec, self.began, self.seed = spec, began, seed or 0
        values = spec.values
        self.starts, self.ends = spec.span(began)
        self.every = max(1, int(values.get("every", 1)))
        self.seconds = values.get("seconds", 0.0)
        self.values = values
        self.is_stroke = spec.where is Where.STROKE
        """It comes once, at `at` or with the n-th `message`."""
        self.message = int(values.get("message", 0))
        at_s = values.get("at_s", math.inf)
        self.at = began + at_s if math.isfinite(at_s) else math.inf if self.message else self.starts
        self.heard = 0
        self.replies = 0
        self.done = False
        """It has come, or the connection that was dead is closed."""
        self.held = b""
        """A reply that waits for the next question."""

    @property
    def parts(self) -> bool:
        """Whether it takes the port away."""
        return self.spec.name in ("unplugged", "port-moves")

    @property
    def due_at(self) -> float | None:
        """When it wants to come; None = not, or not by time."""
        return self.at if (self.is_stroke or self.parts) and not self.done and math.isfinite(self.at) else None

    def is_due(self, now: float) -> bool:
        """Whether it comes now; once."""
        if self.done or not (self.is_stroke or self.parts):
            return False
        self.done = now >= self.at or 0 < self.message <= self.heard
        return self.done

    def opened(self, now: float) -> list[Action]:
        """Somebody dials: a dead connection is a new one, a port that is gone is not there."""
        if self.spec.name == "half-open" and now >= self.starts:
            self.done = True
        self.held = b""
        return [Close(HANGS_UP_S)] if self.parts and active(self, now) else []

    @property
    def is_dead(self) -> bool:
        return self.spec.name == "half-open" and not self.done

    def passes_in(self, now: float) -> bool:
        """Whether bytes for the device reach it now."""
        self.heard += 1
        return not ((self.spec.name in CUTS or self.is_dead) and active(self, now))

    def let_go(self) -> list[Action]:
        """The late reply, now that somebody has asked again."""
        held, self.held = self.held, b""
        return [Send(0.0, held)] if held else []

    def on_the_way_out(self, actions: list[Action], now: float) -> list[Action]:
        if not actions or self.is_stroke or not active(self, now):
            return actions
        if self.spec.name in ("silence", "mute") or self.is_dead:
            return [action for action in actions if not isinstance(action, Send)]
        if self.parts or self.spec.name in ("deaf", "half-open"):
            return actions
        out: list[Action] = []
        for action in actions:
            if isinstance(action, Send) and action.data:
                self.replies += 1
                if self.replies % self.every == 0:
                    out += self._spoilt(action)
                    continue
            out.append(action)
        return out

    def _spoilt(self, action: Send) -> list[Action]:
        delay_s, data = action
        match self.spec.name:
            case "delay" | "slow":
                return [Send(delay_s + self.seconds, data)]
            case "duplicate":
                return [action, action]
            case "drop":
                return []
            case "late":
                self.held += data
                return []
            case "wrong-unit":
                return [Send(delay_s, frames.of_another_unit(data, int(self.values["unit"])))]
            case "exception":
                return [Send(delay_s, frames.refusal(data, int(self.values["code"])))]
            case name:
                chance = Random(f"{self.seed} {self.spec.text} {self.replies}")  # noqa: S311 - chance, not secrecy
        if name == "garbage":
            noise = bytes(chance.randint(int(self.values["least"]), 255) for _ in range(chance.randint(1, 8)))
            return [Send(delay_s, noise + data)]
        if name == "hang-up":
            part = data[: chance.randrange(len(data))]
            said: list[Action] = [Send(delay_s, part)] if part else []
            return [*said, Close(delay_s)]
        part = _SPOIL[name](data, chance)
        return [Send(delay_s, part)] if part else []

    def snapshot(self) -> dict[str, object]:
        return {
            "text": self.spec.text,
            "began": self.began,
            "seed": self.seed,
            "heard": self.heard,
            "replies": self.replies,
            "cycled": self.done,
            "held": self.held.hex(),
        }

    @classmethod
    def restored(cls, saved: Mapping[str, object]) -> Fault:
        fault = cls(parse(str(saved["text"])), cast("float", saved["began"]), cast("int", saved["seed"]))
        fault.heard = cast("int", saved["heard"])
        fault.replies = cast("int", saved["replies"])
        fault.done = bool(saved["cycled"])
        fault.held = bytes.fromhex(str(saved.get("held", "")))
        return fault


class FaultyWire:
    """A Simulator with faults on its cable; `simulator` is the true device, `seats` are the places it sits in."""

    def __init__(self, simulator: Simulator, seats: tuple[Seat, ...] = (), rebuild: Rebuild | None = None) -> None:
        """`rebuild(True)` makes another device of its kind, `rebuild(False)` the same one as from the factory."""
        self.simulator, self.seats, self.rebuild = simulator, seats, rebuild
        self.faults: list[Fault] = []

    @property
    def wake_at(self) -> float | None:
        at = self.simulator.wake_at
        for fault in self.faults:
            if (due := fault.due_at) is not None:
                at = due if at is None else min(at, due)
        for seat in self.seats:
            if (due := seat.wake_at) is not None:
                at = due if at is None else min(at, due)
        return at

    def receive(self, event: Event, now: float) -> list[Action]:
        self._settle(now)
        if not isinstance(event, Bytes):
            gone: list[Action] = []
            if isinstance(event, Opened):
                for fault in self.faults:
                    gone += fault.opened(now)
            return self._out(self.simulator.receive(event, now), now) + gone
        passes, late = True, list[Action]()
        for fault in self.faults:
            passes = fault.passes_in(now) and passes
            late += fault.let_go()
        struck = [fault for fault in self.faults if fault.is_due(now)]
        actions = self.simulator.receive(event, now) if passes else []
        for fault in struck:  # it takes the message and does not live to answer it
            actions = self._struck(fault, now)
        return late + self._out(actions, now)

    def wake(self, now: float) -> list[Action]:
        self._settle(now)
        actions: list[Action] = []
        at = self.simulator.wake_at
        if at is not None and at <= now:
            actions = self.simulator.wake(now)
        gone: list[Action] = []
        for fault in self.faults:
            if fault.is_due(now):
                if fault.parts:  # who is there now is thrown out, who comes later meets `opened`
                    gone.append(Close(0.0, fault.ends - now, fault.spec.name == "port-moves"))
                else:
                    actions = self._struck(fault, now)
        return self._out(actions, now) + gone

    def power_cycle(self, now: float) -> list[Action]:
        return self._out(self.simulator.power_cycle(now), now)

    def snapshot(self) -> dict[str, object]:
        """The true device's; the faults are kept by whoever put them in."""
        return self.simulator.snapshot()

    def restore(self, saved: dict[str, object]) -> None:
        self.simulator.restore(saved)

    def _settle(self, now: float) -> None:
        for seat in self.seats:
            if seat.wake_at is not None:
                seat.wake(now)

    def _struck(self, fault: Fault, now: float) -> list[Action]:
        self.simulator, actions = strike(fault.spec, self.simulator, self.rebuild, now)
        return actions

    def _out(self, actions: list[Action], now: float) -> list[Action]:
        for fault in self.faults:
            actions = fault.on_the_way_out(actions, now)
        return actions
