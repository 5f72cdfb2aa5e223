"""A broken sensor at every model that has one: the device says so, or shows the end of its scale, and goes on."""

from __future__ import annotations

import asyncio

import pytest

from drivers.catalogue import MODELS
from drivers.core.signals import Quality
from simulators import catalogue
from simulators.core.faults import Seat, parse
from simulators.core.faults.seat import FEELS
from simulators.core.faults.table import SENSES
from simulators.standalone import PLACES
from tests.devices.rig import Rig, dose, setting

ZERO = frozenset(
    ("liconic_stx", "inheco_incubator", "inheco_incubator_shaker", "gss_sprintir", "gss_explorir_m", "gss_cozir_a",
     "atlas_ezo_do", "atlas_ezo_ec", "atlas_ezo_co2", "binder_cb_mb1", "binder_cb_mb2", "thermo_heracell_i",
     "thermo_vios_cr")
)  # fmt: skip
"""Their sheets know no word for a broken sensor: they show the bottom of their scale, 0 (ours)."""
TOP = frozenset(("atlas_ezo_orp",))
DUMB = frozenset(("heraeus_cytomat",))
"""It reads nothing."""
SENSING = [model for model in MODELS if catalogue.entry(model).place in SENSES]


def rig(model: str) -> tuple[Rig, Seat]:
    found = Rig.of(model, {**_options(model)})
    seat = Seat(found.place)
    entry, needs = catalogue.entry(model), setting(model)
    found.wire.simulator = catalogue.build(model, seat, address=entry.address, options=needs.simulated)
    found.wire.seats = (seat,)
    return found, seat


def _options(model: str) -> dict[str, float | str]:
    try:
        return dict(dose(model).options)
    except KeyError:
        return {}


@pytest.mark.req("SIM-04")
@pytest.mark.parametrize("model", SENSING)
async def test_a_broken_sensor_is_bad_or_at_the_end_of_its_scale_and_good_again_when_mended(model: str):
    found, seat = rig(model)
    driver = found.driver
    await driver.identify()
    await driver.prepare()
    await asyncio.sleep(10.0)
    before = await driver.poll()
    now = asyncio.get_running_loop().time()
    seat.put(parse("not-a-number:for_s=300"), now)
    await asyncio.sleep(120.0)
    broken = await driver.poll()
    good = {name for name, reading in before.items() if reading.quality is Quality.GOOD and name in broken}
    bad = {name for name in good if broken[name].quality is not Quality.GOOD}
    zeros = {name for name in good - bad if broken[name].value != before[name].value}
    assert bad or model in ZERO | TOP | DUMB
    assert model not in ZERO or all(broken[name].value == 0 for name in zeros if isinstance(broken[name].value, float))
    await asyncio.sleep(300.0)
    for _ in range(2):
        mended = await driver.poll()
        await asyncio.sleep(60.0)
    assert {name for name in good & mended.keys() if mended[name].quality is not Quality.GOOD} == set()
    await found.put_away()


@pytest.mark.parametrize("place", SENSES)
def test_a_seat_hands_through_what_its_place_offers(place: str):
    """Without a fault a device cannot tell the seat from the place."""
    inner = PLACES[place]()
    seat = Seat(inner)
    for name in FEELS:
        if hasattr(inner, name):
            assert getattr(seat, name)(0.0) == getattr(inner, name)(0.0)
    assert hasattr(seat, "open_hatch") is hasattr(inner, "open_hatch")
