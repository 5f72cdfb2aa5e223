"""One device alone: what was set holds still until somebody acts."""

from __future__ import annotations

import pytest

from simulators.standalone import FreeBarrel, StillChamber, StillLiquid, StillPan


def test_set_values_hold_still_whatever_the_device_wants_at_power_up():
    chamber = StillChamber()
    chamber.set("temperature", "36.2")
    chamber.set_points(0.0, 37.0, 5.0, None)
    assert chamber.air(86_400.0).cel == 36.2


def test_air_follows_a_changed_set_point():
    chamber = StillChamber()
    chamber.set_points(0.0, 37.0, 5.0, None)
    chamber.set_points(100.0, 35.0, 5.0, None)
    assert chamber.air(700.0).cel == pytest.approx(35 + 2 * 0.3679, abs=1e-3)
    assert chamber.air(700.0).co2_percent == 5.0
    assert chamber.air(20_000.0).cel == pytest.approx(35.0)


def test_an_open_hatch_lets_room_air_in_and_a_closed_one_lets_the_chamber_recover():
    chamber = StillChamber()
    chamber.open_hatch(0.0, True)
    chamber.open_hatch(10.0, True)
    cold = chamber.air(20.0)
    assert 22.0 < cold.cel < 37.0
    assert cold.co2_percent < 5.0
    assert cold.o2_percent > 18.6
    chamber.open_hatch(20.0, False)
    assert cold.cel < chamber.air(60.0).cel < 37.0
    assert chamber.air(20_000.0).cel == pytest.approx(37.0)


def test_the_door_takes_words():
    chamber = StillChamber()
    chamber.set("door_open", "true")
    assert chamber.air(0.0).door_open is True


def test_a_barrel_counts_what_moved_until_its_end_or_halt():
    barrel = FreeBarrel()
    barrel.run(0.0, 3.0, 60.0)
    barrel.halt(600.0)
    barrel.run(600.0, -6.0, 10_000.0)
    barrel.halt(610.0)
    barrel.halt(700.0)
    assert barrel.pushed_out_ml == pytest.approx(3.0)
    assert barrel.pulled_in_ml == pytest.approx(1.0)


def test_a_wrong_signal_says_what_can_be_set():
    with pytest.raises(ValueError, match="ph"):
        StillLiquid().set("pH", "7")
    with pytest.raises(ValueError, match="number"):
        StillPan().set("weight", "heavy")
