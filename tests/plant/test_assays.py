"""Assays as a laboratory reports them."""

from __future__ import annotations

from statistics import fmean, median, stdev

import pytest

from simulators.plant import assays, differentiation
from simulators.plant.assays import ASSAYS, read
from simulators.vessels import Stirred100

DAY = 86400.0
T0 = 1_767_567_600.0


def test_every_readout_of_the_issue_is_there():
    assert set(ASSAYS) >= {
        "alp activity", "calcium", "alizarin red", "RUNX2", "ALPL", "BGLAP", "SPP1", "COL1A1", "viability", "diameter",
        "Feret ratio", "glucose", "lactate", "osmolality", "ph", "pco2",
    }  # fmt: skip


@pytest.mark.parametrize("name", ASSAYS)
def test_many_samples_scatter_around_the_truth_as_the_table_says(name):
    assay, true = ASSAYS[name], 0.8 if name == "Feret ratio" else 7.4 if name == "ph" else 50.0
    found = [read(name, true, f"s{n}", 1).value for n in range(2000)]
    middle = median(found) if assay.log else fmean(found)
    expected = ((assay.spread * true) ** 2 + assay.offset**2) ** 0.5
    assert middle == pytest.approx(true, abs=4 * max(expected, 1e-9) / 2000**0.5 + 1e-9)
    assert stdev(found) == pytest.approx(expected, rel=0.15)


def test_the_same_sample_is_the_same_result_whatever_was_asked_before():
    first = read("glucose", 4.0, "R-D16", 7)
    read("lactate", 3.0, "R-D16", 7)
    assert read("glucose", 4.0, "R-D16", 7) == first
    assert read("glucose", 4.0, "R-D18", 7) != first
    assert read("glucose", 4.0, "R-D16", 8) != first
    assert read("glucose", 4.0, "R-D16").value == 4.0


def test_what_cannot_be_detected_is_said_and_what_cannot_be_is_refused():
    none = read("calcium", 0.01, "s", 1)
    assert (none.value, none.detected, none.unit) == (0.0, False, "ug")
    assert read("viability", 100.0, "s3", 1).value <= 100.0
    with pytest.raises(KeyError, match="there are alp activity"):
        read("strength", 1.0, "s")
    with pytest.raises(ValueError, match="cannot be"):
        read("glucose", -1.0, "s")


def test_a_spheroid_of_the_vessel_is_read_out_whole():
    plant = Stirred100(T0, vessel_ml=90.0, cells_per_ml=2e5, medium="osteogenic medium")
    plant.advance(T0 + 10 * DAY)
    maturity = plant.spheroids.maturity  # type: ignore[union-attr]
    genes = {n: float(v[0]) for n, v in differentiation.expression(maturity.early, maturity.mature).items()}
    found = assays.of_spheroid(plant.story(plant.t)["vessel"], genes, "I19", None)
    assert found["alp activity"].value > 2 * assays.alp_activity(1.0)
    assert found["diameter"].value == pytest.approx(330, abs=30)
    assert found["RUNX2"].value > 2.1
    assert found["alizarin red"].value == pytest.approx(0.2 * found["calcium"].value, abs=0.05)
