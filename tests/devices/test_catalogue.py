"""The catalogue: lazy, complete, and every driver declares what EQ-01 wants."""

from __future__ import annotations

import subprocess
import sys

import pytest

import drivers
from drivers.catalogue import MODELS, UnknownModel, find
from drivers.core.device import Device, LinkLoss
from drivers.core.errors import LinkLost
from drivers.core.fluid import FluidMover
from drivers.core.link import open_link
from drivers.core.signals import Quality
from simulators.core.ports import TcpHost
from simulators.devices.mettler_toledo_mt_sics import MettlerToledoBalance


def test_the_catalogue_imports_no_driver_no_table_and_no_port():
    code = (
        "import sys\n"
        "tables = []\n"
        "sys.addaudithook(lambda event, what: tables.append(what[0])\n"
        "                 if event == 'open' and str(what[0]).endswith('.csv') else None)\n"
        "import drivers, drivers.catalogue\n"
        "print(tables, [m for m in sys.modules if m.startswith('drivers.devices.') or m in ('serial', 'h11')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"


def test_an_unknown_model_is_told_which_there_are():
    with pytest.raises(UnknownModel, match="memmert_ico"):
        find("memmert")


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("model", MODELS)
def test_every_driver_declares_safe_state_link_loss_and_watchdog(model: str):
    kind = find(model)
    assert issubclass(kind, Device)
    assert kind.model == model
    assert isinstance(kind.on_link_loss, LinkLoss)
    assert kind.safe_state
    assert kind.watchdog
    assert kind.maker
    assert kind.kind
    open_link(kind.default_url)
    if issubclass(kind, FluidMover):
        assert kind.continuity
        assert kind.fence_why


@pytest.mark.parametrize("model", MODELS)
def test_every_declared_signal_has_a_row_with_a_unit(model: str):
    specs = find(model).specs()
    assert specs
    for name, spec in specs.items():
        assert spec.name == name


@pytest.mark.real_time
async def test_opening_a_device_that_is_not_there_says_so_and_hangs_up():
    with pytest.raises(LinkLost, match="no such port"):
        async with drivers.open("hamilton_arc_ph", "serial:///dev/ttyNOWHERE0"):
            pass


@pytest.mark.real_time
async def test_a_simulated_balance_is_opened_identified_read_and_hung_up(caplog: pytest.LogCaptureFixture):
    class Pan:
        def weight_g(self, now: float) -> float:
            return 123.4

    host = TcpHost(MettlerToledoBalance(Pan()), "127.0.0.1", 0)
    await host.open()
    async with drivers.open("mettler_toledo_mt_sics", host.url) as balance:
        reading = (await balance.poll())["weight"]
        assert (reading.value, reading.quality) == (123.4, Quality.GOOD)
    assert not balance.line.link.is_open
    if type(balance).verified is None:
        assert "not been run on hardware" in caplog.text
    await host.close()
