"""`osteon simulate MODEL` and `osteon device read MODEL URL`: two programs and a cable, for every model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from drivers.catalogue import MODELS, find
from drivers.core.signals import Access
from simulators import catalogue
from tests.api.test_device_commands import osteon, simulated, simulated_on_a_port
from tests.devices.rig import setting

FEW = ("memmert_ico", "binder_cb_mb2", "thermo_heracell_i", "thermo_vios_cr", "alicat_mfc_modbus", "masterflex_ls_usb")
"""Over HTTP, and those that need a word on the command line; a last one for the rest."""


def option_words(options: Mapping[str, float | str]) -> Iterator[str]:
    for name, value in options.items():
        yield from ("--option", f"{name}={value}")


def all_good(model: str, url: str) -> None:
    """`osteon device read` shows every readable signal of the model, each of them good and in its unit."""
    done = osteon("device", "read", model, url, *option_words(setting(model).options), "--json")
    assert done.returncode == 0, done.stderr or done.stdout
    read = json.loads(done.stdout)
    assert (read["model"], read["identity"]["maker"]) == (model, find(model).maker)
    specs = find(model).specs()
    assert set(read["signals"]) == {name for name, spec in specs.items() if spec.access is not Access.WRITE}
    for name, signal in read["signals"].items():
        assert (signal["quality"], signal["unit"]) == ("good", specs[name].unit), (name, signal)


@pytest.mark.parametrize("model", FEW)
def test_two_programs_agree_on_a_model(model: str) -> None:
    with simulated(model, *option_words(setting(model).simulated)) as url:
        all_good(model, url)


@pytest.mark.campaign
@pytest.mark.parametrize("model", MODELS)
def test_two_programs_agree_on_every_model(model: str, tmp_path: Path) -> None:
    words = (*option_words(setting(model).simulated),)
    with simulated(model, *words) as url:
        all_good(model, url)
    if catalogue.entry(model).scheme != "http":
        with simulated_on_a_port(model, tmp_path / "ttyUSB0", *words) as url:
            all_good(model, url)
