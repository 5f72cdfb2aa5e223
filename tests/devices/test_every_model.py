"""What holds for every model of the catalogue: its parts mirror each other, its evidence is what its tests hold."""

from __future__ import annotations

import asyncio
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from drivers.catalogue import MODELS, find
from drivers.core.fluid import FluidMover
from drivers.core.signals import Access, Quality
from simulators import catalogue
from simulators.standalone import PLACES
from tests.devices.golden import Golden
from tests.devices.rig import Rig, dose

ROOT = Path(__file__).parents[2]
FAMILIES = sorted({path.split(".")[2] for path in MODELS.values()})


def family(model: str) -> str:
    return MODELS[model].split(".")[2]


def module_of(name: str) -> ModuleType:
    return import_module(f"tests.devices.test_{name}")


def goldens(name: str) -> list[Golden]:
    return [it for it in vars(module_of(name)).values() if isinstance(it, Golden)]


@pytest.mark.parametrize("name", FAMILIES)
def test_driver_table_simulator_and_test_of_a_family_mirror_each_other(name: str) -> None:
    folder = ROOT / "drivers" / "devices" / name
    assert (folder / "driver.py").is_file()
    assert list(folder.glob("*.csv")), "a family without a table"
    assert (ROOT / "simulators" / "devices" / f"{name}.py").is_file() or (
        ROOT / "simulators" / "devices" / name / "__init__.py"
    ).is_file()
    assert (ROOT / "tests" / "devices" / f"test_{name}.py").is_file()


def test_both_catalogues_have_the_same_models_and_no_folder_is_left_out() -> None:
    assert set(MODELS) == set(catalogue.SIMULATORS)
    assert set(FAMILIES) == {path.parent.name for path in (ROOT / "drivers" / "devices").glob("*/driver.py")}


@pytest.mark.parametrize("model", MODELS)
def test_driver_and_simulator_of_a_model_agree_on_family_and_address(model: str) -> None:
    entry = catalogue.entry(model)
    assert entry.path.split(":")[0].split(".")[2] == family(model)
    assert entry.address == find(model).default_address
    assert entry.scheme == ("http" if find(model).default_url.startswith("http") else "tcp")
    assert entry.place in PLACES


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_has_three_golden_exchanges_and_says_where_they_come_from(name: str) -> None:
    held = goldens(name)
    assert sum(len(golden.exchanges) for golden in held) >= 3
    tags = {tag for golden in held for exchange in golden.exchanges for tag in exchange.tag if tag.isalpha()}
    declared = {tag for model in MODELS if family(model) == name for tag in find(model).evidence}
    assert declared == tags


@pytest.mark.parametrize("model", MODELS)
async def test_a_model_on_a_clean_cable_is_identified_prepared_and_all_good(model: str) -> None:
    rig = Rig.of(model)
    identity = await rig.driver.identify()
    assert identity.maker == find(model).maker
    assert identity.type
    await rig.driver.prepare()
    await rig.driver.prepare()  # may be repeated
    readings = await rig.driver.poll()
    readable = {name for name, spec in rig.driver.specs().items() if spec.access is not Access.WRITE}
    assert set(readings) == readable
    assert {name: (each.quality, each.why) for name, each in readings.items() if each.quality is not Quality.GOOD} == {}


@pytest.mark.parametrize("model", [model for model in MODELS if find(model).seldom])
async def test_what_hardly_moves_comes_seldom_and_at_once_after_it_was_prepared_anew(model: str) -> None:
    rig = Rig.of(model)
    kind = find(model)
    seldom = {name for name, spec in kind.specs().items() if name in kind.seldom and spec.access is not Access.WRITE}

    async def brought() -> set[str]:
        return set(await rig.driver.poll()) & seldom

    async def made_ready() -> None:
        await rig.driver.identify()
        await rig.driver.prepare()
        rig.driver.turns.forget()

    await made_ready()
    assert await brought() == seldom
    assert await brought() == set()
    await made_ready()
    assert await brought() == seldom
    await asyncio.sleep(max(kind.seldom.values()) + 1.0)
    assert await brought() == seldom


@pytest.mark.parametrize("model", MODELS)
async def test_every_readable_signal_can_be_read_alone(model: str) -> None:
    rig = Rig.of(model)
    await rig.driver.identify()
    await rig.driver.prepare()
    for name, spec in rig.driver.specs().items():
        if spec.access is not Access.WRITE:
            assert (await rig.driver.read(name)).quality is Quality.GOOD, name


@pytest.mark.req("EQ-02", "EQ-03")
@pytest.mark.parametrize("model", [model for model in MODELS if issubclass(find(model), FluidMover)])
def test_every_fluid_mover_says_how_its_counter_is_proved_and_has_a_dose_to_try(model: str) -> None:
    kind = find(model)
    assert issubclass(kind, FluidMover)
    assert kind.continuity
    assert kind.fence_why
    assert kind.fence_quiet_s >= 2
    assert not kind.bounded or dose(model).volume_ml > 0
