"""Devices that are missing, strange, noisy, slow or swapped: each is bad with a reason, and delays only itself."""

from __future__ import annotations

import asyncio
import math

import pytest

from controller.bench import Bench
from controller.latest import STALE_PERIODS, Latest
from controller.poller import Condition, Keeper
from drivers.core.errors import LinkLost
from drivers.core.signals import Quality, Reading
from simulators.core.simulator import Action, Event, Send
from simulators.devices.new_era_ne1000 import NewEraNe1000
from tests.controller.quick import FILL, TOML, WAIT, QuickLab
from tests.runs.lab import TESTER

HEALTHY = {"incubator", "ph_probe", "do_probe", "pump_in", "pump_out", "balance"}


def keeper(lab: QuickLab, name: str) -> Keeper:
    return lab.controller.bench.keepers[name]


def ready(lab: QuickLab) -> set[str]:
    return {name for name, each in lab.controller.bench.keepers.items() if each.ready}


async def others_are_polled(lab: QuickLab, but: set[str]) -> None:
    await asyncio.sleep(65.0)
    for name, each in lab.controller.bench.keepers.items():
        if name not in but:
            values = [lab.controller.latest.get(f"{name}.{signal}") for signal in each.device.specs()]
            assert any(reading.quality is Quality.GOOD for reading in values), name
            assert max(reading.at for reading in values) > lab.now - 2 * each.period_s


# --- at start


async def test_a_missing_port_is_one_bad_device_and_everything_else_runs(lab: QuickLab) -> None:
    lab.absent.add("balance")
    await lab.up()
    assert ready(lab) == HEALTHY - {"balance"}
    assert keeper(lab, "balance").condition is Condition.LOST
    assert "no such port" in keeper(lab, "balance").why
    reading = lab.controller.latest.get("balance.weight")
    assert (reading.quality, reading.value) == (Quality.BAD, None)
    assert "no such port" in reading.why
    await others_are_polled(lab, {"balance"})
    assert [alarm["key"] for alarm in lab.controller.alarms.open()] == ["device:balance"]


async def test_a_port_that_appears_later_is_taken_into_use_and_its_alarm_clears(lab: QuickLab) -> None:
    lab.absent.add("balance")
    await lab.up()
    await asyncio.sleep(65.0)
    lab.absent.clear()
    assert await lab.until(lambda: keeper(lab, "balance").ready, 60.0)
    assert lab.controller.latest.get("balance.weight").quality is Quality.GOOD
    (alarm,) = lab.controller.alarms.open()
    assert alarm["state"] == "RTN_UNACK"


@pytest.mark.req("EQ-05")
async def test_another_model_on_the_port_is_refused_with_what_answered(lab: QuickLab) -> None:
    lab.swap("ph_probe", "hamilton_arc_do")
    await lab.up()
    assert ready(lab) == HEALTHY - {"ph_probe"}
    assert keeper(lab, "ph_probe").condition is Condition.WRONG
    assert keeper(lab, "ph_probe").why
    assert lab.controller.latest.get("ph_probe.ph").value is None
    await others_are_polled(lab, {"ph_probe"})


@pytest.mark.req("EQ-05")
async def test_a_serial_number_other_than_the_bench_file_s_is_refused(lab: QuickLab) -> None:
    other = QuickLab(
        lab.folder / "other",
        bench_toml=TOML.replace('name = "balance"\n', 'name = "balance"\nserial = "B000000001"\n', 1),
    )
    try:
        await other.up()
        assert keeper(other, "balance").condition is Condition.WRONG
        assert "B123456789 answers, B000000001 is expected" in keeper(other, "balance").why
        assert ready(other) == HEALTHY - {"balance"}
    finally:
        await other.close()


@pytest.mark.req("EQ-05")
async def test_a_device_swapped_while_the_controller_was_away_is_refused(lab: QuickLab) -> None:
    await lab.up()
    await lab.kill()
    lab.swap("balance", "mettler_toledo_mt_sics", serial="B999999999")
    await lab.up()
    assert keeper(lab, "balance").condition is Condition.WRONG
    assert "B999999999" in keeper(lab, "balance").why
    assert "was here before" in keeper(lab, "balance").why


# --- while running


@pytest.mark.req("EQ-05", "EQ-06")
async def test_a_device_swapped_while_running_is_refused_at_its_reconnect(lab: QuickLab) -> None:
    await lab.up()
    lab.unplug("balance")
    lab.swap("balance", "mettler_toledo_mt_sics", serial="B999999999")
    assert await lab.until(lambda: keeper(lab, "balance").condition is Condition.WRONG, 200.0)
    assert "B999999999" in keeper(lab, "balance").why
    assert lab.controller.latest.get("balance.weight").quality is not Quality.GOOD
    assert any(alarm["key"] == "device:balance" for alarm in lab.controller.alarms.open())
    lab.swap("balance", "mettler_toledo_mt_sics")
    assert await lab.until(lambda: keeper(lab, "balance").ready, 120.0)


@pytest.mark.req("EQ-05")
async def test_a_reconnect_identifies_and_stops_before_it_polls(lab: QuickLab) -> None:
    await lab.up()
    lab.bench.inject("silence@pump_in:for_s=130", lab.now)
    assert await lab.until(lambda: not keeper(lab, "pump_in").ready, 200.0)
    lab.wire.clear()
    assert await lab.until(lambda: keeper(lab, "pump_in").ready, 200.0)
    said = [data for _, link, data in lab.wire if link == "pumps" and data[2:3] == b"0"]
    heard = said[max(i for i, data in enumerate(said) if b"VER" in data) :]  # before, only stops for who may hear
    assert not any(b"DIS" in data for data in said[: -len(heard)])
    order = [next(i for i, data in enumerate(heard) if word in data) for word in (b"VER", b"STP", b"DIS")]
    assert order == sorted(order)
    assert not any(b"RUN" in data for data in said)


@pytest.mark.req("EQ-06")
async def test_a_reconnect_replays_nothing_that_was_waiting_to_be_written(lab: QuickLab) -> None:
    """A set point waits for its turn behind a request when the cable falls out: it is told, and not sent later."""
    await lab.up()
    device = lab.controller.bench.device("balance")
    lab.bench.inject("delay@balance:seconds=2", lab.now)
    first = asyncio.ensure_future(device.read("weight"))
    waiting = [asyncio.ensure_future(device.read("weight")) for _ in range(3)]
    await asyncio.sleep(0.5)
    sent = len([1 for _, link, _ in lab.wire if link == "balance"])
    lab.unplug("balance")
    results = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert all(isinstance(result, Exception) for result in results)
    assert "was not sent" in str(results[-1])
    assert len([1 for _, link, _ in lab.wire if link == "balance"]) == sent


class AnotherPump(NewEraNe1000):
    """Of another firmware: all it has of an identity."""

    def receive(self, event: Event, now: float) -> list[Action]:
        said = super().receive(event, now)
        return [Send(it.delay_s, it.data.replace(b"V3.923", b"V3.900")) if isinstance(it, Send) else it for it in said]


@pytest.mark.req("EQ-05", "EQ-02")
async def test_a_dose_never_goes_to_a_pump_that_was_plugged_in_since_the_last_poll(lab: QuickLab) -> None:
    await lab.up()
    await lab.start(FILL)
    assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)
    lab.bench.surroundings.hands.pour(lab.now, 90.0)
    lab.unplug("pumps")
    lab.bench.lines["pumps"].add("pump_in", AnotherPump(lab.bench.surroundings.place("fill syringe"), 0))
    assert keeper(lab, "pump_in").ready  # nobody has noticed yet
    await lab.runs.answer(lab.engine.run_id, lab.runs.tasks()[0]["path"], {"clear": True}, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 120.0)
    assert keeper(lab, "pump_in").condition is Condition.WRONG
    assert "NE-1000 · 3.900 answers" in keeper(lab, "pump_in").why
    assert lab.runs_sent() == []
    assert lab.pump_moves("fill") == 0.0


@pytest.mark.req("EQ-05", "DS-06")
async def test_a_dose_waits_no_longer_than_a_look_when_the_cable_was_out_and_is_back(lab: QuickLab) -> None:
    await lab.up()
    await lab.start(FILL)
    assert await lab.until(lambda: bool(lab.runs.tasks()), 600.0)
    lab.bench.surroundings.hands.pour(lab.now, 90.0)
    lab.unplug("pumps")
    await lab.runs.answer(lab.engine.run_id, lab.runs.tasks()[0]["path"], {"clear": True}, TESTER)
    assert await lab.until(lambda: len(lab.runs_sent()) > 0, 10.0)
    assert await lab.until(lambda: lab.pump_moves("fill") == pytest.approx(12.0, abs=0.1), 300.0)
    assert lab.engine.run.state == "RUNNING"
    assert lab.judge() == []


@pytest.mark.req("EQ-05")
async def test_nothing_is_set_on_a_device_that_is_not_the_one_it_was(lab: QuickLab) -> None:
    other = QuickLab(
        lab.folder / "other", bench_toml=TOML.replace('name = "incubator"\n', 'name = "incubator"\nserial = "Y"\n', 1)
    )
    try:
        await other.up()
        assert keeper(other, "incubator").condition is Condition.WRONG
        outputs = other.runs.doors.outputs
        outputs.claim("somebody", ["incubator.temperature_setpoint"])
        with pytest.raises(LinkLost, match="not sent, as it is not known who answers"):
            await outputs.set("incubator.temperature_setpoint", 36.0, "Cel", by=TESTER, owner="somebody")
    finally:
        await other.close()


async def test_garbage_on_the_wire_is_never_a_number(lab: QuickLab) -> None:
    await lab.up()
    for fault in ("garbage:every=2", "truncate:every=5", "duplicate:every=7"):
        lab.bench.inject(fault, lab.now)
    for checked in ("ph_probe", "do_probe", "pump_in", "pump_out"):  # wires with a CRC; MT-SICS and HTTP have none
        lab.bench.inject(f"flip@{checked}:every=3", lab.now)
    heard: list[tuple[str, Reading]] = []
    lab.controller.latest.listen(lambda name, readings: heard.extend((f"{name}.{s}", r) for s, r in readings.items()))
    await asyncio.sleep(1800.0)
    numbers = [(name, reading) for name, reading in heard if isinstance(reading.value, float)]
    assert len(numbers) > 500
    truth = lab.truth()
    for name, reading in numbers:
        assert math.isfinite(reading.value)
        if name == "incubator.temperature" and reading.quality is Quality.GOOD:
            assert abs(reading.value - float(truth["chamber_cel"])) < 1.0, reading
        if name == "balance.weight" and reading.quality is Quality.GOOD:
            assert reading.value == pytest.approx(180.0, abs=0.05)
    assert any(reading.quality is Quality.BAD and reading.value is None for _, reading in heard)


async def test_a_silent_device_delays_only_itself(lab: QuickLab) -> None:
    """Also on its own cable: the pH probe is polled every 10 s although the DO probe beside it says nothing."""
    await lab.up()
    lab.bench.inject("silence@do_probe", lab.now)
    times: dict[str, list[float]] = {}
    lab.controller.latest.listen(lambda name, readings: times.setdefault(name, []).append(lab.now))
    await asyncio.sleep(600.0)
    for name, period in (("incubator", 10.0), ("ph_probe", 10.0), ("balance", 30.0)):
        gaps = [b - a for a, b in zip(times[name], times[name][1:], strict=False)]
        assert len(times[name]) >= 600 / period - 2, name
        assert max(gaps) <= period + 8.0, name
    assert not keeper(lab, "do_probe").ready


@pytest.mark.req("INV-29")
async def test_a_value_older_than_three_periods_is_stale() -> None:
    latest = Latest()
    loop = asyncio.get_running_loop()
    latest.expect("probe", 10.0)
    latest.put("probe", {"ph": Reading(7.2, loop.time(), Quality.GOOD)})
    await asyncio.sleep(STALE_PERIODS * 10.0)
    assert latest.get("probe.ph").quality is Quality.GOOD
    await asyncio.sleep(1.0)
    stale = latest.get("probe.ph")
    assert (stale.quality, stale.value, stale.why) == (Quality.STALE, 7.2, "31 s old")
    assert latest.all() == {"probe.ph": stale}


async def test_a_signal_never_read_is_bad_and_a_bad_one_never_shows_the_last_good_value() -> None:
    latest = Latest()
    assert latest.get("probe.ph").quality is Quality.BAD
    now = asyncio.get_running_loop().time()
    latest.put("probe", {"ph": Reading(7.2, now, Quality.GOOD)})
    latest.put("probe", {"ph": Reading(None, now, Quality.BAD, "no answer")})
    assert latest.get("probe.ph") == Reading(None, now, Quality.BAD, "no answer")


@pytest.mark.req("AL-06")
async def test_a_lost_device_is_one_alarm_however_many_signals_it_has(lab: QuickLab) -> None:
    await lab.up()
    lab.bench.inject("silence@incubator", lab.now)
    await asyncio.sleep(600.0)
    assert [alarm["key"] for alarm in lab.controller.alarms.open()] == ["device:incubator"]


async def test_a_pump_that_restarted_by_itself_is_told_and_brought_back_to_its_declared_state(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    lab.bench.power_cycle("pump_in", lab.now)
    assert await lab.until(lambda: any(a["key"] == "device:pump_in" for a in lab.controller.alarms.open()), 120.0)
    assert await lab.until(lambda: keeper(lab, "pump_in").ready, 120.0)


async def test_a_bench_knows_which_of_its_devices_move_fluid(lab: QuickLab) -> None:
    async def nobody(*_: object) -> None: ...

    bench = Bench(lab.settings, lab.link, Latest(), admit=nobody, told=nobody)
    assert set(bench.movers()) == {"pump_in", "pump_out"}
    assert set(bench.movers(lab.settings.units[0])) == {"pump_in", "pump_out"}
    with pytest.raises(TypeError, match="moves no fluid"):
        bench.mover("balance")
