"""The one door to set points: ownership, epoch, limits, record before bytes, write only when changed, read back."""

from __future__ import annotations

import asyncio

import pytest

from controller.actors import RULE
from controller.clock import Clock
from controller.errors import NotOwner, OldEpoch
from controller.outputs import Outputs, read_back
from controller.run.doses import Stroke
from controller.store.ledger import Ledger
from controller.store.reader import Reader
from drivers.catalogue import find
from drivers.core.errors import OsteonError, OutOfRange, WireError
from drivers.core.fluid import Direction
from protocols.states import Cause
from tests.controller.quick import FILL, WAIT, QuickLab
from tests.runs.lab import TESTER

SETTING = b"/atmoweb?TempSet=3"
POINT = "incubator.temperature_setpoint"
DRAWING = Stroke("run-1", "x", "fill", 1, Direction.DRAW, "medium", "medium in", 5.0, 5.0, 5.0)


async def door(lab: QuickLab) -> Outputs:
    await lab.up()
    outputs = lab.runs.doors.outputs
    outputs.claim("test", [POINT])
    return outputs


def written(lab: QuickLab) -> list[bytes]:
    """Requests that set the incubator's temperature."""
    return [data for _, link, data in lab.wire if link == "incubator" and SETTING in data]


@pytest.mark.req("INV-10")
async def test_only_the_owner_may_write_an_output(lab: QuickLab) -> None:
    outputs = await door(lab)
    with pytest.raises(NotOwner, match="belongs to test, not to run-9"):
        await outputs.set(POINT, 36.0, "Cel", by=RULE, owner="run-9")
    with pytest.raises(NotOwner, match="belongs to nobody"):
        await outputs.set("incubator.co2_setpoint", 5.0, "%", by=RULE, owner="test")
    assert written(lab) == []


@pytest.mark.req("INV-10")
async def test_an_output_has_one_owner_and_a_claim_is_all_or_nothing(lab: QuickLab) -> None:
    outputs = await door(lab)
    with pytest.raises(NotOwner):
        outputs.claim("other", ["incubator.co2_setpoint", POINT])
    assert outputs.owner("incubator.co2_setpoint") == ""
    outputs.claim("test", [POINT])
    outputs.release("test")
    assert outputs.owner(POINT) == ""
    outputs.claim("other", [POINT])
    assert outputs.owner(POINT) == "other"


@pytest.mark.req("DX-03", "AT-08")
async def test_a_set_point_is_on_disk_before_it_is_on_the_wire_and_read_back_after(lab: QuickLab) -> None:
    outputs = await door(lab)
    seen: list[tuple[float, str]] = []

    def look(link: str, data: bytes) -> None:
        if SETTING in data:
            with Reader.open_read_only(lab.folder) as ledger:
                seen.append((ledger.points()[POINT].value, ledger.audit()[-1].action))

    lab.on_write = look
    await outputs.set(POINT, 36.0, "Cel", by=RULE, owner="test")
    assert seen == [(36.0, "set point")]
    entry = next(each for each in reversed(lab.ledger.audit()) if each.action == "set point")
    assert (entry.fields["old"], entry.fields["new"], entry.fields["unit"]) == (37.0, 36.0, "Cel")
    reading = await lab.controller.bench.device("incubator").read("temperature_setpoint")
    assert reading.value == 36.0


@pytest.mark.req("EQ-04")
async def test_a_set_point_that_is_there_already_is_not_written(lab: QuickLab) -> None:
    outputs = await door(lab)
    before = lab.ledger.head()
    await outputs.set(POINT, 37.0, "Cel", by=RULE, owner="test")
    assert written(lab) == []
    assert lab.ledger.head() == before
    await outputs.set(POINT, 36.0, "Cel", by=RULE, owner="test")
    await outputs.set(POINT, 36.0, "Cel", by=RULE, owner="test")
    assert len(written(lab)) == 1


@pytest.mark.req("EQ-04")
@pytest.mark.parametrize(
    ("model", "signal", "there", "wanted", "same"),
    [
        ("memmert_ico", "temperature_setpoint", 37.0, 37.025, True),
        ("memmert_ico", "temperature_setpoint", 37.0, 37.03, False),
        ("ismatec_reglo_icc", "flow", 0.2, 0.22, False),
        ("ismatec_reglo_icc", "flow", 0.2, 0.20005, True),
        ("liconic_stx", "co2_setpoint", 5.0, 5.01, False),
        ("tecan_cavro_xcalibur", "top_speed", 900.0, 900.2, True),
    ],
)
def test_what_counts_as_unchanged_is_the_devices_own_step_and_not_one_number_for_all(
    model: str, signal: str, there: float, wanted: float, same: bool
) -> None:
    assert (abs(there - wanted) < read_back(find(model).specs()[signal], wanted) / 2) is same


def test_a_set_point_with_one_decimal_reads_back_within_half_a_step_and_no_more() -> None:
    spec = find("memmert_ico").specs()["temperature_setpoint"]
    assert read_back(spec, 37.05) == pytest.approx(0.051)
    assert 0.0 < read_back(find("alicat_mfc").specs()["flow_setpoint"], 0.0) < 1e-6


async def test_a_value_in_another_unit_is_converted_before_limits_are_looked_at(lab: QuickLab) -> None:
    outputs = await door(lab)
    await outputs.set(POINT, 309.15, "K", by=RULE, owner="test")
    assert lab.ledger.points()[POINT].value == pytest.approx(36.0)


@pytest.mark.req("INV-09")
@pytest.mark.parametrize("value", [120.0, -5.0])
async def test_a_value_outside_the_limits_never_reaches_disk_or_wire(lab: QuickLab, value: float) -> None:
    outputs = await door(lab)
    before = lab.ledger.head()
    with pytest.raises(OutOfRange, match="limits of"):
        await outputs.set(POINT, value, "Cel", by=RULE, owner="test")
    assert (lab.ledger.head(), written(lab)) == (before, [])


async def test_a_signal_that_can_only_be_read_is_no_output(lab: QuickLab) -> None:
    outputs = await door(lab)
    outputs.claim("test", ["incubator.temperature"])
    with pytest.raises(OsteonError, match="read only"):
        await outputs.set("incubator.temperature", 36.0, "Cel", by=RULE, owner="test")


@pytest.mark.req("DX-05", "INV-12")
async def test_a_controller_that_was_replaced_writes_nothing_any_more(lab: QuickLab) -> None:
    """The lock should make this impossible; the epoch holds also when it does not (a copied folder, a lost lock)."""
    outputs = await door(lab)
    newer = Ledger.open(lab.folder, Clock.of_bench("Asia/Tokyo", 2))
    await newer.new_epoch()
    newer.close()
    with pytest.raises(OldEpoch):
        await outputs.set(POINT, 36.0, "Cel", by=RULE, owner="test")
    assert written(lab) == []
    with pytest.raises(OldEpoch):
        outputs.check_epoch()


@pytest.mark.req("DX-05", "INV-12")
async def test_a_controller_that_was_replaced_starts_no_stroke_any_more(lab: QuickLab) -> None:
    await lab.up()
    await lab.start(FILL)
    newer = Ledger.open(lab.folder, Clock.of_bench("Asia/Tokyo", 2))
    await newer.new_epoch()
    newer.close()
    lab.wire.clear()
    doses = lab.runs.doors.transfers.doses
    with pytest.raises(OldEpoch):
        doses.check_epoch()
    mover = lab.controller.bench.mover("pump_in")
    with pytest.raises(OldEpoch):
        await doses.perform(DRAWING, "pump_in", mover, "x", tolerance_ml=0.1, halt=asyncio.Event())
    assert lab.runs_sent() == []
    assert lab.ledger.doses() == []


async def test_a_device_that_keeps_another_value_is_told(lab: QuickLab) -> None:
    """The incubator is not in Manual: it takes no set point from the wire."""
    lab.swap("incubator", "memmert_ico", mode="Timer")
    outputs = await door(lab)
    with pytest.raises(WireError, match="Manual"):
        await outputs.set(POINT, 36.0, "Cel", by=RULE, owner="test")


async def test_a_reply_lost_on_the_way_back_is_an_error_and_the_value_is_not_taken_for_set(lab: QuickLab) -> None:
    outputs = await door(lab)
    lab.on_write = lambda link, data: lab.bench.inject("mute@incubator", lab.now) if SETTING in data else None
    with pytest.raises(WireError):
        await outputs.set(POINT, 36.0, "Cel", by=RULE, owner="test")
    lab.bench.clear_faults()
    lab.on_write = lambda link, data: None
    await outputs.set(POINT, 36.0, "Cel", by=RULE, owner="test")
    assert lab.ledger.points()[POINT].value == 36.0


async def test_a_run_owns_its_set_points_until_it_is_put_away(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    with pytest.raises(NotOwner, match="belongs to run-1"):
        await lab.runs.doors.outputs.set(POINT, 36.0, "Cel", by=RULE, owner="person")
    await lab.runs.command("run-1", Cause.ABORT, TESTER)
    await lab.until(lambda: lab.engine.run.state == "ABORTED", 60.0)
    assert lab.runs.doors.outputs.owner(POINT) == "run-1"
