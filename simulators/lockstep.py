"""The world's clock: in step with the controller while it speaks, by itself when it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from simulators.bench import SimulatedBench
from simulators.core.simulator import Action, Closed, Event, Opened, Send

SILENCE_S = 2.0
"""Wall seconds without a word from a connected controller after which the world no longer waits for it."""

Answer = dict[str, tuple[list[tuple[float, str | None]], float | None]]


class World:
    """The bench and its clock. `wall` gives steady wall seconds; `speed` is bench seconds for each of them."""

    def __init__(
        self, bench: SimulatedBench, speed: float, now: float, wall: Callable[[], float], *, waits: bool = False
    ) -> None:
        """`waits`: time stands still until a controller has come, and again when one has ended in order."""
        self.bench, self.speed, self.now = bench, speed, now
        self._wall, self._patient, self._waits = wall, waits, waits
        self._heard_at = wall()
        """Wall time at which bench time was last taken from the controller, or the world left alone."""
        self._heard_now = now
        self.controller: object | None = None
        """Whoever is in lockstep with us."""
        self._open: set[str] = set()
        self._pending: dict[str, list[Action]] = {}
        """What devices said while the connected controller did not listen, by link."""
        self._news: set[str] = set()
        """Links whose wake-up may have changed without the controller's doing."""

    # the clock

    def join(self, controller: object) -> None:
        """A controller comes; an earlier one is given up."""
        self.leave(self.controller)
        self.controller, self._waits = controller, False
        self._news.update(self.bench.lines)
        self._hear(self.now)

    def leave(self, controller: object | None) -> None:
        """The controller is gone: its cables are closed, and the world runs on by itself."""
        if controller is None or controller is not self.controller:
            return
        self.controller = None
        self._hear(self.now)
        for link in sorted(self._open):
            self.bench.lines[link].receive(Closed(), self.now)
        self._open.clear()
        self._pending.clear()
        self._news.clear()

    def farewell(self, controller: object) -> None:
        """The controller ends in order: nobody is to miss anything before the next one comes, if the world waits."""
        if controller is self.controller:
            self.leave(controller)
            self._waits = self._patient

    def run_on(self) -> None:
        """Let time pass when nobody leads it; call often."""
        wall = self._wall()
        if self._waits:
            self._heard_at = wall
        if self._waits or (self.controller is not None and wall - self._heard_at <= SILENCE_S):
            return
        to = self._heard_now + (wall - self._heard_at) * self.speed
        bench = self.bench
        while (at := bench.next_wake()) is not None and at <= to:
            self.now = max(self.now, at)
            for link, actions in bench.wake(self.now):
                self._say_later(link, actions)
        if to > self.now:
            self.now = to
            bench.truth(to)

    def _hear(self, now: float) -> float:
        self.now = max(self.now, now)
        self._heard_at, self._heard_now = self._wall(), self.now
        return self.now

    # the controller's messages

    def event(self, link: str, event: Event, now: float) -> Answer:
        now = self._hear(now)
        if isinstance(event, Opened):
            self._open.add(link)
        elif isinstance(event, Closed):
            self._open.discard(link)
        line = self.bench.lines[link]
        return self._answer(link, line.receive(event, now))

    def wake(self, link: str, now: float) -> Answer:
        return self._answer(link, self.bench.lines[link].wake(self._hear(now)))

    def tick(self, now: float) -> Answer:
        self._hear(now)
        return self._answer("", [])

    def _answer(self, link: str, actions: list[Action]) -> Answer:
        lines = self.bench.lines
        answer: Answer = {link: (_on_the_wire(actions), lines[link].wake_at)} if link else {}
        if self._news:
            for other in self._news:
                said = self._pending.pop(other, [])
                if other in answer:
                    answer[other] = (_on_the_wire([*said, *actions]), answer[other][1])
                else:
                    answer[other] = (_on_the_wire(said), lines[other].wake_at)
            self._news.clear()
        return answer

    def _say_later(self, link: str, actions: list[Action]) -> None:
        if self.controller is not None:
            self._news.add(link)
            if link in self._open:
                self._pending.setdefault(link, []).extend(actions)

    # anybody's

    def power_cycle(self, device: str) -> None:
        actions = self.bench.power_cycle(device, self.now)
        self._say_later(self.bench.link_of[device], actions)

    def inject(self, text: str) -> None:
        self.bench.inject(text, self.now)
        if self.controller is not None:
            self._news.update(self.bench.lines)

    def mend(self) -> None:
        self.bench.clear_faults(self.now)
        if self.controller is not None:
            self._news.update(self.bench.lines)

    def people(self, tasks: list[dict[str, Any]], now: float) -> dict[str, object]:
        """Show the person the open tasks: what they answer, when it is worth asking again, and their plans."""
        now = self._hear(now) if now > self.now else self.now
        answers = [asdict(answer) for answer in self.bench.person.see(tasks, now)]
        person = self.bench.person
        return {"answers": answers, "next": person.next_time(now), "planned": dict(person.state.planned)}

    def hands(self, act: str, arguments: Mapping[str, Any]) -> object:
        """A person at the bench does something with their hands, now; `unit` in `arguments`: at its vessel."""
        arguments = dict(arguments)
        hands = self.bench.hands.at(str(arguments.pop("unit", "")))
        acts: dict[str, Callable[..., object]] = {
            "pour": hands.pour,
            "take": hands.take,
            "harvest": hands.harvest,
            "renew_bottle": hands.renew_bottle,
            "clamp": hands.clamp,
            "line_to_cup": hands.line_to_cup,
            "line_to_vessel": hands.line_to_vessel,
            "stir": hands.stir,
            "door": hands.door,
            "look": hands.look,
            "dip": self.bench.dip,
            "put_back": self.bench.put_back,
        }
        if act not in acts:
            raise ValueError(f"hands cannot {act!r}; they can {', '.join(acts)}")
        return acts[act](self.now, **arguments)


def _on_the_wire(actions: list[Action]) -> list[tuple[float, str | None]]:
    return [(action.delay_s, action.data.decode("latin-1") if isinstance(action, Send) else None) for action in actions]
