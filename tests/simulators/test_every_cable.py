"""Every model of the catalogue over every cable: memory, pseudo-terminal, TCP, Modbus TCP and the world.

All models talk at the same time in one loop, so a cable costs as long as its slowest model; what failed is named.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TypeVar, cast

import pytest

from drivers.catalogue import MODELS, find
from drivers.core.device import Device
from drivers.core.errors import OsteonError, Refused
from drivers.core.fluid import FluidMover, Motion, MoverStatus
from drivers.core.line import Line
from drivers.core.link import Link, open_link
from drivers.core.modbus_device import ModbusDevice
from drivers.core.signals import Access, Quality, Value
from simulators import catalogue
from simulators.bench import START, Config, SimulatedBench, shipped
from simulators.core.ports import PtyHost, TcpHost
from simulators.core.simulator import Simulator
from simulators.core.time import PacedLoop, VirtualLoop
from simulators.simulate import port
from simulators.standalone import FreeBarrel
from simulators.world_client import WorldClient
from tests.devices.rig import dose, setting
from tests.simulators.test_world import world_process

T = TypeVar("T")

SPEED = 1.0
"""Bench seconds for one wall second where bytes travel through the system: at 2, a busy one took 0.25 s for silence."""
LOOK_S = 2.0
"""Between two looks at what moves: a pump with a watchdog does not miss us."""
SERIAL = [model for model in MODELS if catalogue.entry(model).scheme == "tcp"]
MODBUS_TCP = ("watlow_f4t", "binder_mb2")
NOTHING_TO_SET = {"thermo_vios_cr"}
"""Writable by its table, but not before its owner has filled in a profile."""


def bounded(model: str) -> bool:
    kind = find(model)
    return issubclass(kind, FluidMover) and kind.bounded


def options(model: str) -> dict[str, float | str]:
    return {**setting(model).options, **(dose(model).options if bounded(model) else {})}


BENCH: Config = {
    "links": dict.fromkeys(MODELS, "tcp://127.0.0.1:0"),
    "devices": [{"name": model, "model": model, "link": model, "options": options(model)} for model in MODELS],
    "simulation": {
        "places": dict.fromkeys(MODELS, "alone"),
        "options": {model: setting(model).simulated for model in MODELS},
    },
}
"""Each model on a link of its own, named after it."""


def as_toml(config: Config) -> str:
    """JSON's strings, numbers and lists are TOML's too; tables are written inline."""

    def written(value: object) -> str:
        if isinstance(value, Mapping):
            return "{" + ", ".join(f"{json.dumps(key)} = {written(each)}" for key, each in value.items()) + "}"
        return "[" + ", ".join(map(written, value)) + "]" if isinstance(value, list) else json.dumps(value)

    return "\n".join(f"{key} = {written(value)}" for key, value in config.items())


def run(loop: asyncio.AbstractEventLoop, main: Awaitable[None]) -> None:
    async def whole() -> None:
        await main

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(whole())


async def reads(device: Device) -> dict[str, Value]:
    """Who it is, and every value; all of them are good."""
    for _ in range(2):  # as a keeper does: what streams must be stopped first
        with suppress(OsteonError):
            await device.identify()
            await device.prepare()
            break
    assert (await device.identify()).maker == find(device.model).maker
    await device.prepare()
    readings = await device.poll()
    assert readings
    assert {name: each.why for name, each in readings.items() if each.quality is not Quality.GOOD} == {}
    return {name: each.value for name, each in readings.items()}


async def sets(device: Device, values: Mapping[str, Value]) -> None:
    """One signal that can be set is set to another value and read back."""
    writable = [name for name, spec in device.specs().items() if spec.access is Access.READ_WRITE]
    for name in sorted(writable, key=lambda name: isinstance(values[name], bool)):
        wanted = another(device, name, values[name])
        try:
            told = (await device.write(name, wanted)).value if wanted is not None else None
        except Refused:
            continue  # not in its state of now
        if told is not None:
            assert told == pytest.approx(wanted, rel=1e-3), name
            return
    numbers = [name for name in writable if not isinstance(values[name], str)]
    assert not numbers or device.model in NOTHING_TO_SET


def another(device: Device, name: str, old: Value) -> float | bool | None:
    """A value one step away from the old one; None where none is known."""
    if isinstance(old, bool):
        return not old
    high = device.specs()[name].high
    return None if not isinstance(old, (int, float)) else old + 1 if high is None or old + 1 <= high else old - 1


async def begins(device: FluidMover) -> float | None:
    """One bounded stroke is started; what the pump has counted until then."""
    await device.prepare()  # one with a watchdog has missed us meanwhile
    asked, before = dose(device.model), await counted(device)
    await device.start(asked.directions[0], asked.volume_ml, asked.rate_ml_min)
    return before


async def ended(device: FluidMover, before_ml: float | None, moved_ml: float | None) -> None:
    """The stroke is over by what the pump says, and right by what it counted and by what truly moved."""
    assert await device.status() == MoverStatus(Motion.STOPPED)
    after_ml, asked_ml = await counted(device), pytest.approx(dose(device.model).volume_ml, rel=0.02)
    assert after_ml is None or before_ml is None or after_ml - before_ml == asked_ml
    assert moved_ml is None or moved_ml == asked_ml


async def counted(device: FluidMover) -> float | None:
    try:
        totals = await device.totals()
    except Refused:  # it has no counter, and says so
        return None
    return totals.drawn_ml + totals.delivered_ml


async def everybody(links: Mapping[str, Link], moved_ml: Callable[[str], float | None] = lambda _: None) -> None:
    """All models at the same time, each on its link: read, set, and a dose of those that can."""
    lines = {model: Line(link) for model, link in links.items()}
    devices = {model: find(model)(line, find(model).default_address, options(model)) for model, line in lines.items()}
    movers = {model: device for model, device in devices.items() if isinstance(device, FluidMover) and device.bounded}

    async def first(device: Device) -> None:
        await sets(device, await reads(device))

    await together({model: first(device) for model, device in devices.items()})
    before = await together({model: begins(device) for model, device in movers.items()})
    moving = bool(movers)
    while moving:
        await nothing_is_said(LOOK_S)
        seen = await together({model: device.status() for model, device in movers.items()})
        moving = any(status.motion is Motion.MOVING for status in seen.values())
    await together({model: ended(device, before[model], moved_ml(model)) for model, device in movers.items()})
    for line in lines.values():
        await line.close()


async def together(work: Mapping[str, Awaitable[T]]) -> dict[str, T]:
    """Everything at once; what failed is named, model by model."""

    async def one(model: str, what: Awaitable[T]) -> T | str:
        try:
            return await what
        except (OsteonError, AssertionError, TimeoutError) as error:
            return f"{model}: {type(error).__name__}: {error}"

    done = dict(zip(work, await asyncio.gather(*(one(*each) for each in work.items())), strict=True))
    failed = [said for said in done.values() if isinstance(said, str)]
    assert not failed, "\n".join(failed)
    return cast("dict[str, T]", done)


async def nothing_is_said(for_s: float) -> None:
    """Where no answer can be late, paced time may hurry."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, PacedLoop):
        loop.speed = 100.0
    await asyncio.sleep(for_s)
    if isinstance(loop, PacedLoop):
        loop.speed = SPEED


def moved_in(place: object, now: float) -> float:
    """What has truly moved in a barrel or a tube until `now`, both ways together."""
    assert isinstance(place, FreeBarrel)
    place.halt(now)
    return place.pushed_out_ml + place.pulled_in_ml


def true_volume(bench: SimulatedBench) -> Callable[[str], float]:
    return lambda model: moved_in(bench.alone[model], asyncio.get_running_loop().time())


# -- the cables


@pytest.mark.req("SIM-02")
async def test_every_model_reads_sets_and_doses_in_memory() -> None:
    bench = SimulatedBench(BENCH)
    await everybody({model: bench.open_link(model) for model in MODELS}, true_volume(bench))


def test_every_model_reads_sets_and_doses_over_a_pseudo_terminal(tmp_path: Path) -> None:
    async def main() -> None:
        bench = SimulatedBench(BENCH)
        await over_ports(bench, {model: PtyHost(bench.lines[model], tmp_path / model) for model in SERIAL})

    run(PacedLoop(SPEED, START), main())


def test_every_model_reads_sets_and_doses_over_tcp() -> None:
    async def main() -> None:
        bench = SimulatedBench(BENCH)
        hosts = {
            model: TcpHost(line, "127.0.0.1", 0, catalogue.entry(model).scheme) for model, line in bench.lines.items()
        }
        await over_ports(bench, hosts)

    run(PacedLoop(SPEED, START), main())


def test_modbus_devices_read_and_set_over_modbus_tcp() -> None:
    async def main() -> None:
        bench = SimulatedBench(BENCH)
        assert all(issubclass(find(model), ModbusDevice) for model in MODBUS_TCP)
        await over_ports(bench, {model: modbus_tcp(bench.lines[model]) for model in MODBUS_TCP})

    run(PacedLoop(SPEED, START), main())


def modbus_tcp(simulator: Simulator) -> PtyHost | TcpHost:
    return port(simulator, "modbus-tcp://127.0.0.1:0", "modbus-tcp")


async def over_ports(bench: SimulatedBench, hosts: Mapping[str, PtyHost | TcpHost]) -> None:
    async with AsyncExitStack() as stack:
        for host in hosts.values():
            await host.open()
            stack.push_async_callback(host.close)
        links = {model: open_link(host.url, find(model).default_url) for model, host in hosts.items()}
        await everybody(links, true_volume(bench))


def test_every_model_reads_sets_and_doses_in_the_world(tmp_path: Path) -> None:
    async def main(client: WorldClient) -> None:
        await everybody({model: client.link(model) for model in MODELS})
        alone: dict[str, dict[str, object]] = client.snapshot()["alone"]  # type: ignore[assignment]
        for model in filter(bounded, MODELS):
            (place := FreeBarrel()).restore(alone[model])
            assert moved_in(place, client.now()) == pytest.approx(dose(model).volume_ml, rel=0.02), model

    with world_process(tmp_path, text=as_toml(BENCH)) as (path, _), WorldClient(path) as client:
        run(VirtualLoop(client.now()), main(client))


@pytest.mark.parametrize("model", catalogue.SIMULATORS)
def test_a_world_of_one_device_goes_on_from_its_snapshot(model: str) -> None:
    def one() -> SimulatedBench:
        alone = {"places": {model: "alone"}, "options": {model: setting(model).simulated}}
        devices = [device for device in BENCH["devices"] if device["name"] == model]  # type: ignore[attr-defined]
        return SimulatedBench({"links": {model: ""}, "devices": devices, "simulation": alone})

    bench, again = one(), one()
    bench.advance(START + 30)
    saved = json.loads(json.dumps(bench.snapshot()))
    again.restore(saved)
    assert json.loads(json.dumps(again.snapshot())) == saved


# -- several devices on one cable


@pytest.mark.req("SIM-02")
async def test_the_shipped_bench_reads_in_memory_with_noise() -> None:
    bench = SimulatedBench(shipped(), seed=3)
    await shipped_reads({name: bench.open_link(name) for name in bench.lines})


def test_the_shipped_bench_reads_over_tcp() -> None:
    async def main() -> None:
        bench = SimulatedBench(shipped())
        hosts = {name: TcpHost(line, "127.0.0.1", 0, bench.schemes[name]) for name, line in bench.lines.items()}
        async with AsyncExitStack() as stack:
            for host in hosts.values():
                await host.open()
                stack.push_async_callback(host.close)
            await shipped_reads({name: open_link(host.url) for name, host in hosts.items()})

    run(PacedLoop(SPEED, START), main())


def test_the_shipped_bench_reads_in_the_world(tmp_path: Path) -> None:
    text = Path("simulators/benches/stirred-100.toml").read_text()
    with world_process(tmp_path, text=text) as (path, _), WorldClient(path) as client:
        run(VirtualLoop(client.now()), shipped_reads({name: client.link(name) for name in client.links}))


async def shipped_reads(links: Mapping[str, Link]) -> None:
    lines = {name: Line(link) for name, link in links.items()}
    for table in shipped()["devices"]:  # type: ignore[attr-defined]
        kind = find(table["model"])
        await reads(kind(lines[table["link"]], table.get("address", kind.default_address), table.get("options")))
    for line in lines.values():
        await line.close()
