"""Each import contract is proved by planting a violation in a copy of the tree: exactly that contract breaks."""

from __future__ import annotations

import configparser
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("api", "controller", "drivers", "protocols", "simulators")

PLANTED = {
    "layers": ("drivers/catalogue.py", "import protocols.states"),
    "simulators-apart": ("controller/poller.py", "import simulators.core.simulator"),
    "simulated-devices-see-the-wire-only": ("simulators/devices/hamilton_arc/sensor.py", "import drivers.core.line"),
    "composition-roots": ("simulators/core/surroundings.py", "import controller.clock"),
    "device-families-apart": ("drivers/devices/hamilton_arc/driver.py", "import drivers.devices.new_era_ne1000.driver"),
    "simulated-families-apart": (
        "simulators/devices/hamilton_arc/sensor.py",
        "import simulators.devices.new_era_ne1000",
    ),
    "core-facts-free": ("drivers/core/units.py", "import asyncio"),
    "pure-machine": ("protocols/machine.py", "import datetime"),
    "pure-protocols": ("protocols/loading.py", "import threading"),
    "sqlalchemy-in-the-store": ("controller/latest.py", "import sqlalchemy"),
    "pyserial-in-the-link": ("drivers/core/line.py", "import serial"),
    "h11-on-the-wire": ("drivers/core/wire/ascii.py", "import h11"),
    "yaml-at-loading": ("controller/settings.py", "import yaml"),
    "no-web-server-below-the-api": ("controller/ipc.py", "import starlette"),
    "web-server-in-the-web": ("api/table.py", "import argon2"),
    "controller-behind-its-socket": ("api/web/problems.py", "import controller.outputs"),
    "oracles-stay-in-tests": ("drivers/core/wire/modbus.py", "import pymodbus"),
    "arrays-in-the-plant": ("drivers/core/signals.py", "import numpy"),
    "supervisor-alone": ("api/supervisor.py", "import controller.settings"),
}


def contract_names() -> dict[str, str]:
    """Identifier -> name, as .importlinter has them."""
    config = configparser.ConfigParser()
    config.read(ROOT / ".importlinter")
    prefix = "importlinter:contract:"
    return {s.removeprefix(prefix): config[s]["name"] for s in config.sections() if s.startswith(prefix)}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Planted contract -> names of the contracts the linter then finds broken; "" for the tree as it is."""
    copy = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", copy)
    program = ROOT / "tests" / "tools" / "plant_violations.py"
    done = subprocess.run(
        [sys.executable, str(program), json.dumps(PLANTED)], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_contract_has_a_planted_violation() -> None:
    assert set(contract_names()) == set(PLANTED)


def test_the_tree_as_it_is_keeps_every_contract(broken: dict[str, list[str]]) -> None:
    assert broken[""] == []


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_import_breaks_exactly_its_contract(contract: str, broken: dict[str, list[str]]) -> None:
    assert broken[contract] == [contract_names()[contract]]
