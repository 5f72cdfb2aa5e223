"""Several devices on one cable, polled to deadlines: a slow one costs the others one exchange at a time, no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
import pytest_asyncio

from controller.latest import Latest
from controller.poller import Keeper
from controller.snapshot import snapshot
from drivers.catalogue import find
from drivers.core.line import Line
from drivers.core.signals import Identity
from simulators import catalogue
from simulators.core.faults import Fault, FaultyWire, parse
from simulators.core.hosts import MemoryHost
from simulators.core.shared_line import SharedLine
from simulators.standalone import PLACES
from tests.controller.quick import QuickLab, SpyLink


async def anybody(name: str, identity: Identity) -> None:
    """Whoever answers is welcome."""


async def nobody(keeper: Keeper) -> None:
    """Nobody is told."""


class Cable:
    """Keepers on one line in memory. `asked`: (bench time, address) of each question; `came`: times of polls."""

    def __init__(self) -> None:
        self.line_of = SharedLine({})
        self.asked: list[tuple[float, int]] = []
        self.came: dict[str, list[float]] = {}
        self.latest = Latest()
        self.latest.listen(lambda device, _: self.came.setdefault(device, []).append(self.now))
        link = SpyLink(MemoryHost(self.line_of).link(), "cable", self._sees, set())
        self.line = Line(link, "cable")
        self.keepers: dict[str, Keeper] = {}
        self.tasks: list[asyncio.Task[None]] = []

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def _sees(self, name: str, data: bytes) -> None:
        self.asked.append((self.now, data[0]))

    def plug_in(self, name: str, model: str, address: int, poll_s: float, fault: str = "") -> None:
        entry = catalogue.entry(model)
        wire = FaultyWire(catalogue.build(model, PLACES[entry.place](), address=address))
        if fault:
            wire.faults.append(Fault(parse(fault), self.now, 0))
        self.line_of.add(name, wire)
        device = find(model)(self.line, address)
        self.keepers[name] = Keeper(name, device, self.latest, poll_s, admit=anybody, told=nobody)

    async def settled(self) -> None:
        """All devices found, and ten seconds more; what was counted until then is forgotten."""
        for keeper in self.keepers.values():
            self.tasks.append(asyncio.ensure_future(keeper.run()))
        for keeper in self.keepers.values():
            await keeper.settled.wait()
            assert keeper.ready, keeper.why
        await asyncio.sleep(10.0)
        self.asked.clear()
        self.came.clear()
        for keeper in self.keepers.values():
            keeper.polls = keeper.missed = 0


@pytest_asyncio.fixture
async def cable() -> AsyncIterator[Cable]:
    made = Cable()
    yield made
    for task in made.tasks:
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)


def with_a_slow_one(cable: Cable, poll_s: float) -> None:
    """An F4T has 19 questions a poll, 0.7 s alone on its cable; two EZ-ZONEs have five each, 0.14 s."""
    cable.plug_in("chamber", "watlow_f4t", 1, poll_s)
    cable.plug_in("heater", "watlow_ez_zone", 2, 1.0)
    cable.plug_in("cooler", "watlow_ez_zone", 3, 1.0)


async def test_a_device_asked_more_often_than_it_can_answer_misses_its_own_deadlines_only(cable: Cable) -> None:
    with_a_slow_one(cable, 0.2)
    await cable.settled()
    await asyncio.sleep(120.0)
    chamber = cable.keepers["chamber"]
    assert chamber.missed > 2 * chamber.polls
    assert chamber.polls > 90
    for name in ("heater", "cooler"):
        assert cable.keepers[name].missed == 0
        assert 119 <= cable.keepers[name].polls <= 121
        assert max(later - at for at, later in pairwise(cable.came[name])) < 1.25


async def test_questions_of_one_cable_go_round(cable: Cable) -> None:
    with_a_slow_one(cable, 0.2)
    await cable.settled()
    await asyncio.sleep(60.0)
    for address in (2, 3):
        own = [number for number, (_, asked) in enumerate(cable.asked) if asked == address]
        one_poll = [
            (first, then) for first, then in pairwise(own) if cable.asked[then][0] - cable.asked[first][0] < 0.3
        ]
        assert len(one_poll) > 150
        for first, then in one_poll:
            between = [asked for _, asked in cable.asked[first + 1 : then]]
            assert len(between) == len(set(between)), "nobody was asked twice while it waited"


@pytest.mark.parametrize(
    ("delay_s", "phases", "missed"),
    [(0.8, {0.0}, 0), (1.2, {0.0, 0.3}, 0), (1.6, {0.0}, 10)],
    ids=["in time", "late", "dropped"],
)
async def test_a_poll_up_to_half_a_period_late_is_made_and_the_grid_stays(
    cable: Cable, delay_s: float, phases: set[float], missed: int
) -> None:
    """A balance polled once a second answers in 0.1 s, but each tenth time later."""
    cable.plug_in("balance", "mettler_toledo_mt_sics", 0, 1.0, f"delay:every=10:seconds={delay_s}")
    await cable.settled()
    await asyncio.sleep(missed + 100.0)
    balance, start = cable.keepers["balance"], cable.asked[0][0]
    assert {round((at - start) % 1.0, 3) % 1.0 for at, _ in cable.asked} == phases
    assert balance.missed == pytest.approx(missed, abs=1)
    assert balance.polls == pytest.approx(100, abs=1)


async def test_a_view_is_told_how_many_deadlines_a_device_missed(lab: QuickLab) -> None:
    await lab.up()
    await asyncio.sleep(65.0)
    for each in snapshot(lab.controller)["devices"]:
        assert each["polls"] >= 2
        assert each["missed"] == 0
