"""`device find`: every model is named among all others, no other name is given, and nothing moves or heats."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from drivers import finding
from drivers.catalogue import MODELS, find
from drivers.core.link import Link
from drivers.finding import family
from simulators import catalogue
from simulators.core.hosts import MemoryHost
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Action, Bytes, Event, Simulator
from simulators.standalone import PLACES, Still

LONGEST_S = 10.0
SOUGHT = [model for model in MODELS if not find(model).not_sought and not find(model).default_url.startswith("http")]


class Watched:
    """A place that notes every call by which a device would act on it."""

    ACTS = ("run", "turn", "heat_to", "connect", "drive", "set_points")

    def __init__(self, place: Still) -> None:
        self.place, self.acts = place, list[tuple[str, tuple[object, ...]]]()

    def __getattr__(self, name: str) -> Callable[..., object]:
        true = cast("Callable[..., object]", getattr(self.place, name))
        if name not in self.ACTS:
            return true

        def act(now: float, *what: object) -> object:
            self.acts.append((name, what))
            return true(now, *what)

        return act


class OnASerialPort:
    """A device that does not notice when a port is opened: whatever stood in its buffer stays there."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    @property
    def wake_at(self) -> float | None:
        return self.simulator.wake_at

    def receive(self, event: Event, now: float) -> list[Action]:
        return self.simulator.receive(event, now) if isinstance(event, Bytes) else []

    def wake(self, now: float) -> list[Action]:
        return self.simulator.wake(now)

    def power_cycle(self, now: float) -> list[Action]:
        return self.simulator.power_cycle(now)

    def snapshot(self) -> dict[str, object]:
        return self.simulator.snapshot()

    def restore(self, saved: dict[str, object]) -> None:
        self.simulator.restore(saved)


def cable(model: str, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """One device on every port there is."""
    entry = catalogue.entry(model)
    place = Watched(PLACES[entry.place]())
    simulator = catalogue.build(model, place, address=entry.address)
    host = MemoryHost(simulator if entry.scheme == "http" else OnASerialPort(simulator))

    def open_link(url: str, defaults: str = "") -> Link:
        return host.link()

    monkeypatch.setattr(finding, "open_link", open_link)
    return place


@pytest.mark.parametrize("model", SOUGHT)
async def test_a_model_is_named_among_all_others_and_nothing_moves(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = cable(model, monkeypatch)
    await asyncio.sleep(30)  # power-up is over
    place.acts.clear()
    began = asyncio.get_running_loop().time()
    found = [each async for each in finding.find_on("serial:///dev/ttyX")]
    took = asyncio.get_running_loop().time() - began
    (one,) = found
    assert model in (one.model, *one.others)
    assert {family(find(name)) for name in one.others} <= {family(find(model))}
    assert one.others or one.identity.maker == find(model).maker
    assert "baud=" in found[0].url
    assert {act for act in place.acts if act[0] != "set_points"} == set()
    assert took < LONGEST_S


@pytest.mark.parametrize("model", [model for model in MODELS if find(model).not_sought])
async def test_a_model_that_is_not_sought_says_why_and_is_found_by_name(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(find(model).not_sought) > 20
    cable(model, monkeypatch)
    await asyncio.sleep(30)
    (found,) = [each async for each in finding.find_on("serial:///dev/ttyX", models=[model])]
    assert found.model == model


@pytest.mark.parametrize("model", MODELS)
async def test_one_device_is_found_once_whatever_numbers_are_asked_for(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cable(model, monkeypatch)
    await asyncio.sleep(30)
    url = "http://x" if find(model).default_url.startswith("http") else "serial:///dev/ttyX"
    numbers = [find(model).default_address + more for more in (1, 2)]
    found = [each async for each in finding.find_on(url, numbers, [model])]
    assert [each.address for each in found] == [find(model).default_address]


@pytest.mark.parametrize("model", ["new_era_ne1000", "hamilton_arc_ph"])
async def test_two_of_one_model_on_one_cable_are_both_found(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, numbers = PLACES[catalogue.entry(model).place], (1, 4)
    devices = {str(number): catalogue.build(model, place(), address=number) for number in numbers}
    host = MemoryHost(SharedLine(devices))

    def open_link(url: str, defaults: str = "") -> Link:
        return host.link()

    monkeypatch.setattr(finding, "open_link", open_link)
    found = [each async for each in finding.find_on("serial:///dev/ttyX", range(1, 6), [model])]
    assert [each.address for each in found] == [*numbers]


async def test_a_silent_port_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nobody:
        wake_at = None

        def receive(self, event: object, now: float) -> list[object]:
            return []

    host = MemoryHost(cast("object", Nobody()))  # type: ignore[arg-type]

    def open_link(url: str, defaults: str = "") -> Link:
        return host.link()

    monkeypatch.setattr(finding, "open_link", open_link)
    assert [each async for each in finding.find_on("serial:///dev/ttyX")] == []
