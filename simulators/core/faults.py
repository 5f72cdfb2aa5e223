"""Faults by name. A wire fault wraps the cable of one device: the simulator behind it stays true.

Written `name`, `name@target` or `name@target:key=value:key=value`; the target is a device of the bench, and without one
every device has the fault. All wire faults know `after_s` (begin so many bench seconds after the fault was put in) and
`for_s` (and last so long). Faults of the plant and of people are only named here; the plant and the people play them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import cast

from simulators.core.simulator import Action, Bytes, Close, Event, Send, Simulator

WIRE = {
    "silence": "the cable is cut: nothing passes either way",
    "deaf": "requests do not reach the device",
    "mute": "the device hears and acts, its replies are lost",
    "drop": "every n-th reply is lost (every=3)",
    "delay": "every n-th reply comes later (seconds=3, every=1)",
    "flip": "one bit of every n-th reply is wrong (every=3)",
    "truncate": "every n-th reply ends early (every=3)",
    "duplicate": "every n-th reply comes twice (every=3)",
    "garbage": "noise bytes, none below least, before every n-th reply (every=3, least=0)",
    "hang-up": "the connection closes in the middle of every n-th reply (every=3)",
    "power-cycle": "the device loses power at_s seconds after the start, or on taking its n-th message (message=5)",
}
PLANT = {
    "check-valve": "the outgoing pump's check valve leaks back: it moves less than it counts (at=0, fraction=0.16)",
    "check-valve-fill": "the same at the ingoing pump (at=0, fraction=0.16)",
    "worn-tube": "the tube in a peristaltic head is worn: it moves less than it counts (bed=1, at=0, fraction=0.25)",
    "tube-on-balance": "a tube pulls on the waste balance (grams=0.05)",
}
PEOPLE = {
    "late-person": "the person answers tasks late (hours=6)",
    "absent-person": "the person does not come (at=0, for=1e12 seconds after the first task)",
    "wrong-entry": "the person slips the decimal point in the n-th number asked for (nth=1)",
}
FAULTS = WIRE | PLANT | PEOPLE
"""Every fault by name with one line of what happens; for `--list-faults`."""

DEFAULTS: Mapping[str, Mapping[str, float]] = {
    "drop": {"every": 3},
    "delay": {"seconds": 3, "every": 1},
    "flip": {"every": 3},
    "truncate": {"every": 3},
    "duplicate": {"every": 3},
    "garbage": {"every": 3, "least": 0},
    "hang-up": {"every": 3},
    "power-cycle": {"at_s": math.inf, "message": 0},
}
COMMON: Mapping[str, float] = {"after_s": 0, "for_s": math.inf}


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault as asked for: name, device ("" = all), parameters."""

    name: str
    target: str
    parameters: Mapping[str, float]

    @property
    def text(self) -> str:
        """As it was written, for logs and reports."""
        at = f"@{self.target}" if self.target else ""
        return self.name + at + "".join(f":{key}={value:g}" for key, value in self.parameters.items())

    @property
    def is_wire(self) -> bool:
        return self.name in WIRE


def parse(text: str) -> FaultSpec:
    """Read `name@target:key=value`; raises ValueError naming what is unknown and what there is."""
    head, *rest = text.strip().split(":")
    name, _, target = head.partition("@")
    if name not in FAULTS:
        raise ValueError(f"no fault is called {name!r}; there are {', '.join(FAULTS)}")
    parameters: dict[str, float] = {}
    for item in rest:
        key, equals, value = item.partition("=")
        known = {**COMMON, **DEFAULTS.get(name, {})}
        if name in WIRE and key not in known:
            raise ValueError(f"fault {name} has no parameter {key!r}; it has {', '.join(known)}")
        try:
            parameters[key] = float(value if equals else "nothing")
        except ValueError:
            raise ValueError(f"fault {name}: {item!r} is not {key}=number") from None
    return FaultSpec(name, target, parameters)


def _flip(data: bytes, chance: Random) -> list[bytes]:
    bit = chance.randrange(8 * len(data))
    return [bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(data))]


def _truncate(data: bytes, chance: Random) -> list[bytes]:
    return [data[: chance.randrange(len(data))]]


_SPOIL = {"flip": _flip, "truncate": _truncate}


class Fault:
    """One wire fault at work since `began`; chance comes from the seed and the number of the reply."""

    def __init__(self, spec: FaultSpec, began: float, seed: int | None) -> None:
        self.spec, self.began, self.seed = spec, began, seed or 0
        values = {**COMMON, **DEFAULTS.get(spec.name, {}), **spec.parameters}
        self.starts = began + values["after_s"]
        self.ends = self.starts + values["for_s"]
        self.every = max(1, int(values.get("every", 1)))
        self.seconds = values.get("seconds", 0.0)
        self.least = int(values.get("least", 0))
        self.at = began + values.get("at_s", math.inf)
        self.message = int(values.get("message", 0))
        self.cuts_power = math.isfinite(self.at) or self.message > 0
        self.heard = 0
        self.replies = 0
        self.cycled = False

    def active(self, now: float) -> bool:
        return self.starts <= now < self.ends

    def passes_in(self, now: float) -> bool:
        """Whether bytes for the device reach it now."""
        self.heard += 1
        return not (self.spec.name in ("silence", "deaf") and self.active(now))

    def on_the_way_out(self, actions: list[Action], now: float) -> list[Action]:
        if not actions or not self.active(now):
            return actions
        if self.spec.name in ("silence", "mute"):
            return [action for action in actions if not isinstance(action, Send)]
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
        match self.spec.name:
            case "delay":
                return [Send(action.delay_s + self.seconds, action.data)]
            case "duplicate":
                return [action, action]
            case "drop":
                return []
            case _:
                pass
        chance = Random(f"{self.seed} {self.spec.text} {self.replies}")  # noqa: S311 - chance, not secrecy
        if self.spec.name == "garbage":
            noise = bytes(chance.randint(self.least, 255) for _ in range(chance.randint(1, 8)))
            return [Send(action.delay_s, noise + action.data)]
        if self.spec.name == "hang-up":
            part = action.data[: chance.randrange(len(action.data))]
            said: list[Action] = [Send(action.delay_s, part)] if part else []
            return [*said, Close(action.delay_s)]
        spoil = _SPOIL.get(self.spec.name)
        if spoil is None:
            return [action]
        return [Send(action.delay_s, part) for part in spoil(action.data, chance) if part]

    @property
    def power_fails_at(self) -> float | None:
        return None if self.cycled or not math.isfinite(self.at) else self.at

    def power_fails(self, now: float) -> bool:
        """Whether the device loses power now; once."""
        due = self.cuts_power and not self.cycled and (now >= self.at or (0 < self.message <= self.heard))
        self.cycled = self.cycled or due
        return due

    def snapshot(self) -> dict[str, object]:
        return {
            "text": self.spec.text,
            "began": self.began,
            "seed": self.seed,
            "heard": self.heard,
            "replies": self.replies,
            "cycled": self.cycled,
        }

    @classmethod
    def restored(cls, saved: Mapping[str, object]) -> Fault:
        fault = cls(parse(str(saved["text"])), cast("float", saved["began"]), cast("int", saved["seed"]))
        fault.heard = cast("int", saved["heard"])
        fault.replies = cast("int", saved["replies"])
        fault.cycled = bool(saved["cycled"])
        return fault


class FaultyWire:
    """A Simulator with faults on its cable; `simulator` is the true device."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.faults: list[Fault] = []

    @property
    def wake_at(self) -> float | None:
        at = self.simulator.wake_at
        for fault in self.faults:
            if fault.cuts_power and (cut_at := fault.power_fails_at) is not None:
                at = cut_at if at is None else min(at, cut_at)
        return at

    def receive(self, event: Event, now: float) -> list[Action]:
        power_fails = False
        if isinstance(event, Bytes):
            passes = True
            for fault in self.faults:
                passes = fault.passes_in(now) and passes
                power_fails = fault.power_fails(now) or power_fails
            if not passes:
                return self._out(self.simulator.power_cycle(now) if power_fails else [], now)
        actions = self.simulator.receive(event, now)
        return self._out(self.simulator.power_cycle(now) if power_fails else actions, now)

    def wake(self, now: float) -> list[Action]:
        actions: list[Action] = []
        at = self.simulator.wake_at
        if at is not None and at <= now:
            actions = self.simulator.wake(now)
        for fault in self.faults:
            if fault.power_fails(now):
                actions = self.simulator.power_cycle(now)
        return self._out(actions, now)

    def power_cycle(self, now: float) -> list[Action]:
        return self._out(self.simulator.power_cycle(now), now)

    def snapshot(self) -> dict[str, object]:
        """The true device's; the faults are kept by whoever put them in."""
        return self.simulator.snapshot()

    def restore(self, saved: dict[str, object]) -> None:
        self.simulator.restore(saved)

    def _out(self, actions: list[Action], now: float) -> list[Action]:
        for fault in self.faults:
            actions = fault.on_the_way_out(actions, now)
        return actions
