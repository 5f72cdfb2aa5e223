"""Bicarbonate chemistry against plant-models §3."""

from __future__ import annotations

from itertools import pairwise
from math import log10

import pytest

from simulators.plant import chamber, medium, oxygen
from simulators.plant import parameters as p

P = p.PRESSURE_KPA
TABLE = {
    14.3: (7.411, 7.189, 7.110, 7.013, 6.888),
    23.8: (7.632, 7.410, 7.331, 7.234, 7.109),
    26.2: (7.674, 7.452, 7.373, 7.276, 7.151),
    44.05: (7.899, 7.678, 7.598, 7.501, 7.377),
}


@pytest.mark.req("AF-10")
@pytest.mark.parametrize("sid", TABLE)
def test_ph_of_bicarbonate_media_under_co2(sid: float) -> None:
    for percent, want in zip((3, 5, 6, 7.5, 10), TABLE[sid], strict=True):
        pco2 = percent / 100 * P
        assert medium.ph_open(sid, pco2) == pytest.approx(want, abs=0.005)
        carbon = medium.carbon_at(sid, pco2, 0.0)
        assert medium.ph_closed(sid, carbon, 7.0, 0.0) == pytest.approx(want, abs=0.005)


@pytest.mark.req("AF-11")
@pytest.mark.parametrize(
    ("sid", "lactate", "buffer", "want"),
    [
        (26.2, 5, 0, 7.360),
        (26.2, 10, 0, 7.243),
        (26.2, 20, 0, 6.826),
        (44.05, 10, 0, 7.566),
        (44.05, 20, 0, 7.415),
        (26.2, 10, 5, 7.267),
        (26.2, 20, 5, 6.969),
    ],
)
def test_lactate_lowers_ph_of_open_medium(sid: float, lactate: float, buffer: float, want: float) -> None:
    assert medium.ph_open(sid - lactate, 0.05 * P, buffer, 7.452) == pytest.approx(want, abs=0.005)


@pytest.mark.req("AF-12")
def test_buffer_capacity_at_constant_pco2() -> None:
    step = 0.01
    rise = medium.ph_open(26.2 + step, 0.05 * P) - medium.ph_open(26.2 - step, 0.05 * P)
    assert 2 * step / rise == pytest.approx(60.3, rel=0.01)
    assert medium.ph_open(31.2, 0.05 * P) == pytest.approx(7.528, abs=0.005)


@pytest.mark.req("AF-13")
def test_a_dish_in_room_air_drifts_above_eight_in_hours_and_never_jumps() -> None:
    height = 0.003
    kla = oxygen.still_kla(height) * p.CO2_TO_O2_TRANSFER
    carbon, ph = medium.carbon_at(26.2, 0.05 * P, 0.0), 7.452
    room = p.ALPHA_CO2 * p.ROOM_CO2 * P
    path: list[float] = []
    for _ in range(12 * 360):
        carbon += kla * 10 * (room - medium.dissolved_co2(carbon, ph))
        ph = medium.ph_closed(26.2, carbon, ph, 0.0)
        path.append(ph)
    assert max(b - a for a, b in pairwise(path)) < 0.02
    assert all(b >= a - 1e-9 for a, b in pairwise(path))
    hours_to_8 = next(k for k, value in enumerate(path) if value > 8.0) / 360
    assert 0.3 < hours_to_8 < 6
    assert max(path) <= p.PH_CEILING


@pytest.mark.req("AF-13")
def test_the_formulas_limit_in_room_air_is_clipped() -> None:
    assert p.PK_CARBONIC + log10(26.2 / (p.ALPHA_CO2 * 0.0004 * P)) == pytest.approx(9.55, abs=0.01)
    assert medium.ph_open(26.2, 0.0004 * P) == p.PH_CEILING


def test_a_dose_of_a_week_old_bottle_lifts_ph_by_a_tenth_at_most() -> None:
    warm = medium.carbon_at(26.2, 0.05 * P)
    week_old = chamber.washed(p.BOTTLE_PCO2_KPA, p.ROOM_CO2 * P, 1 / p.BOTTLE_CO2_LOSS_S, 7 * 86400)
    cold = medium.carbon_at(26.2, week_old)
    lift = medium.ph_closed(26.2, 0.8 * warm + 0.2 * cold, 7.4) - medium.ph_closed(26.2, warm, 7.4)
    assert 0.05 < lift <= 0.105


@pytest.mark.parametrize("ph", [6.5, 7.0, 7.4, 7.9, 8.6])
@pytest.mark.parametrize("guess", [4.5, 7.4, 9.0])
def test_closed_chemistry_finds_its_root_from_anywhere(ph: float, guess: float) -> None:
    hco3 = 26.2 - 5.0 * (ph - p.PH_REFERENCE)
    carbon = hco3 * (1 + 10 ** (p.PK_CARBONIC - ph))
    assert medium.ph_closed(26.2, carbon, guess, 5.0) == pytest.approx(ph, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "phosphate", "supplements", "bicarbonate"),
    [
        ("growth medium", 0.0, 0.0, 26.2),
        ("Osteogenic medium, lot 4", 10.0, 1.0, 26.2),
        ("osteogenic medium without phosphate", 0.0, 1.0, 26.2),
        ("DMEM", 0.0, 0.0, 44.05),
        ("something of the house", 0.0, 0.0, 26.2),
    ],
)
def test_a_material_of_a_protocol_is_the_recipe_its_name_says(name, phosphate, supplements, bicarbonate):
    made = medium.fresh_medium(5.0, medium.recipe(name))
    assert (made.phosphate, made.supplements, made.sid) == (phosphate, supplements, bicarbonate)
    assert medium.recipe(medium.recipe(name).name) == medium.recipe(name)
