"""LiCONiC STX and legacy Heraeus Cytomat: the sheet at both ends, climate, plate moves, refusals, power, bad wires."""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import Any

import pytest

from drivers.core.errors import BadFrame, LinkLost, NoAnswer, OutOfRange, Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.plates import MoveFailed
from drivers.core.signals import Quality
from drivers.devices.liconic_stx import HeraeusCytomat, LiconicStx, words
from simulators.core.simulator import Bytes, Opened, Send
from simulators.devices import liconic_stx as simulated
from simulators.standalone import StillChamber
from tests.devices.golden import golden
from tests.devices.rig import Rig
from tests.links.scripted import ScriptedLink

GOLDEN = golden(
    "liconic_stx",
    r"""
    Byte-level examples | PH | > 43 52 0D                            | < 43 43 0D 0A          | open
    Byte-level examples | PH | > 53 54 20 31 38 30 31 0D             | < 4F 4B 0D 0A          | activate
    Byte-level examples | PH | > 52 44 20 31 39 31 35 0D             | < 31 0D 0A             | ready
    Byte-level examples | P  | > 57 52 20 44 4D 38 39 30 20 30 30 33 37 30 0D | < 4F 4B 0D 0A | set temperature
    Byte-level examples | X  | > 52 44 20 44 4D 39 38 32 0D          | < 30 30 33 36 39 0D 0A | temperature
    Byte-level examples | X  | > "RD DM890\r"                        | < "00370\r\n"          | temperature kept
    Byte-level examples | X  | > 52 44 20 39 39 39 39 0D             | < 45 30 0D 0A          | undefined
    """,
)

OPTIONS: dict[str, float | str] = {"cassettes": 2, "levels": 22, "site_height_mm": 23}


def chamber() -> StillChamber:
    still = StillChamber()
    still.set("temperature", "36.9")
    still.set("co2", "4.9")
    return still


def connect(
    given: dict[str, float | str] | None = None, **options: float | str
) -> tuple[LiconicStx, simulated.LiconicStx, Rig[LiconicStx], StillChamber]:
    place = chamber()
    simulator = simulated.LiconicStx(place, options=options)
    rig = Rig(LiconicStx, simulator, options=OPTIONS if given is None else given)
    return rig.driver, simulator, rig, place


def legacy(**options: float | str) -> tuple[HeraeusCytomat, simulated.HeraeusCytomat, Rig[HeraeusCytomat]]:
    simulator = simulated.HeraeusCytomat(chamber(), options=options)
    rig = Rig(HeraeusCytomat, simulator, options={"cassettes": 2, "levels": 22, "pitch_steps": 6900})
    return rig.driver, simulator, rig


def ask(simulator: simulated.LiconicStx, request: bytes, now: float = 0.0) -> bytes:
    return b"".join(each.data for each in simulator.receive(Bytes(request), now) if isinstance(each, Send))


def note(simulator: simulated.LiconicStx) -> list[bytes]:
    """Every command the simulator hears from now on."""
    heard: list[bytes] = []
    message = simulator.message

    def noted(text: bytes, now: float) -> Any:
        heard.append(text)
        return message(text, now)

    simulator.message = noted  # type: ignore[method-assign]
    return heard


# --- the sheet, at both ends


def test_the_simulator_says_what_the_sheet_says():
    class Plugged(simulated.LiconicStx):
        """The sheet goes through one session; the harness plugs in anew for each exchange."""

        def receive(self, event: Any, now: float) -> Any:
            return [] if isinstance(event, Opened) else super().receive(event, now)

    simulator = Plugged(chamber())
    GOLDEN.check_simulator(simulator, "open", "ready", "set temperature", "temperature", "temperature kept")
    GOLDEN.check_simulator(simulator, "undefined", "activate")
    GOLDEN.check_simulator(simulator, "ready", now=10.0)


async def test_the_driver_opens_and_asks_as_published():
    async with GOLDEN.line("open", "ready", "open") as line:
        incubator = LiconicStx(line)
        identity = await incubator.identify()
        assert (identity.maker, identity.type) == ("LiCONiC", "STX")
        await incubator.prepare()


async def test_the_driver_reads_and_writes_a_temperature_as_published():
    async with GOLDEN.line("temperature", "set temperature", "temperature kept", "temperature kept") as line:
        incubator = LiconicStx(line)
        assert (await incubator.temperature.read()).value == 36.9
        assert (await incubator.temperature_setpoint.set(37.0)).value == 37.0


async def test_the_driver_activates_handling_as_published():
    async with GOLDEN.line("activate", "undefined") as line:
        incubator = HeraeusCytomat(line)
        await incubator._start("activate")
        with pytest.raises(Refused, match="undefined relay"):
            await incubator._ask("9999", words.relay)


# --- climate and signals


async def test_every_signal_of_a_poll_comes_from_the_chamber_and_the_store():
    incubator, simulator, _, _ = connect(station=1)
    await incubator.prepare()
    simulator.state.trouble = 13
    assert {name: each.value for name, each in (await incubator.poll()).items()} == {
        "station_occupied": True, "ready": False, "shaker_on": False, "cassette": 1.0, "level": 1.0,
        "pitch_steps": 0.0, "levels_per_cassette": 0.0, "temperature": 36.9, "temperature_setpoint": 37.0,
        "humidity": 93.0, "humidity_setpoint": 93.0, "co2": 4.9, "co2_setpoint": 5.0, "n2": 76.5, "n2_setpoint": 0.0,
        "error": True, "error_text": "00013 export while a plate is on the station",
        "second_station_occupied": False, "plate_ready": True, "swapped": False, "shaker_frequency": 10.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "memory", "raw", "outside"),
    [
        ("temperature_setpoint", 35.5, "890", 355, 60.1),
        ("humidity_setpoint", 85.0, "893", 850, 100.5),
        ("co2_setpoint", 7.25, "894", 725, 20.1),
        ("n2_setpoint", 90.0, "895", 9000, 101),
        ("shaker_frequency", 12.5, "39", 125, 51),
    ],
)
async def test_a_set_point_is_written_in_the_devices_steps_kept_and_held_to_its_limits(
    name: str, value: float, memory: str, raw: int, outside: float
):
    incubator, simulator, _, _ = connect()
    assert (await incubator.write(name, value)).value == value
    assert simulator.state.memory[memory] == raw
    for wrong in (outside, -0.1, float("inf")):
        with pytest.raises(OutOfRange):
            await incubator.write(name, wrong)
    with pytest.raises(Refused, match="takes a number"):
        await incubator.write(name, "much")
    assert simulator.state.memory[memory] == raw


async def test_a_changed_set_point_moves_the_air():
    incubator, _, _, place = connect()
    await incubator.prepare()
    await incubator.temperature_setpoint.set(30.0)
    await incubator.n2_setpoint.set(90.0)
    await asyncio.sleep(20_000)
    assert (await incubator.temperature.read()).value == 30.0
    assert place.air(asyncio.get_running_loop().time()).o2_percent == pytest.approx(5.0)


async def test_shaker_and_swap_station_are_switches_that_read_back():
    incubator, simulator, _, place = connect()
    assert (await incubator.shaker_on.set(True)).value is True
    assert place.shaken[1][0] == 600.0
    await incubator.shaker_frequency.set(5.0)
    assert place.shaken[1][0] == 300.0
    assert (await incubator.shaker_on.set(0.0)).value is False
    assert (await incubator.swapped.set(True)).value is True
    with pytest.raises(Refused, match="true or false"):
        await incubator.shaker_on.set(2)
    simulator._set_relay = lambda relay, on, now: "OK"  # type: ignore[method-assign]
    with pytest.raises(Refused, match="does not read back"):
        await incubator.swapped.set(False)


async def test_a_value_kept_otherwise_or_protected_is_refused():
    incubator, simulator, _, _ = connect(protected=1)
    with pytest.raises(Refused, match="write protected"):
        await incubator.temperature_setpoint.set(36.0)
    simulator._write = lambda number, value, now: "OK"  # type: ignore[method-assign]
    with pytest.raises(Refused, match="kept 37 Cel instead of 36"):
        await incubator.temperature_setpoint.set(36.0)
    for name in ("temperature", "ready", "cassette", "pitch_steps"):
        with pytest.raises(Refused, match="can only be read"):
            await incubator.write(name, 1)


async def test_what_this_unit_does_not_have_is_refused_by_name_and_not_asked_again_in_a_poll():
    incubator, simulator, _, _ = connect(n2=0)
    first = await incubator.poll()
    assert "this unit does not have it" in (await incubator.poll())["n2"].why
    assert first["n2"].quality is Quality.BAD
    assert first["co2"].quality is Quality.GOOD
    heard = note(simulator)
    await incubator.poll()
    assert not [text for text in heard if b"985" in text or b"895" in text]
    with pytest.raises(Refused, match="undefined relay or memory"):
        await incubator.n2.read()
    await incubator.prepare()
    assert not incubator.absent


async def test_a_type_without_climate_and_a_freezer_are_refused_by_name():
    store, simulator, _, _ = connect({"climate": "NC"}, climate="nc")
    readings = await store.poll()
    assert "NC has no climate" in readings["temperature"].why
    assert readings["ready"].quality is Quality.GOOD
    with pytest.raises(Refused, match="NC has no climate"):
        await store.co2_setpoint.set(5)
    freezer, _, _, _ = connect({"climate": "DF"})
    with pytest.raises(Refused, match="negative temperatures"):
        await freezer.temperature.read()
    with pytest.raises(Refused, match="bar code"):
        await freezer.read("bar_codes")
    with pytest.raises(ValueError, match="none of IC"):
        connect({"climate": "XX"})
    assert simulator.state.trouble == 0


async def test_numbers_that_cannot_be_true_or_are_none_are_bad():
    incubator, simulator, _, _ = connect()
    simulator._memory = lambda number, now: 65436  # type: ignore[method-assign]
    assert "cannot be true" in (await incubator.temperature.read()).why
    for said in (b"-0036\r\n", b"000369\r\n", b"36.9\r\n", b"\r\n", b"\x80\x8100369\r\n"):
        with pytest.raises(BadFrame):
            words.number(bytearray(said))
    incubator.wide = True
    with pytest.raises(BadFrame, match="five digits"):
        incubator._digits(bytearray(b"0369\r\n"))
    with pytest.raises(BadFrame):
        words.relay(bytearray(b"00001\r\n"))
    with pytest.raises(BadFrame):
        words.take(bytearray(b"x" * 100))


@pytest.mark.parametrize(
    ("code", "text"),
    [(0, "none"), (1, "00001 general"), (104, "00104 import: step 4"), (211, "00211 export: step 11"),
     (716, "00716 get: no plate on shovel"), (599, "00599 place: unknown to the sheet"),
     (912, "00912 unknown to the sheet")],
)  # fmt: skip
def test_handling_errors_are_told_in_words(code: int, text: str):
    assert words.trouble(code) == text


async def test_plain_numbers_without_padding_are_read_too():
    incubator, _, _, _ = connect(width=0)
    assert (await incubator.poll())["temperature"].value == 36.9


def test_noise_comes_with_a_seed():
    noisy = simulated.LiconicStx(chamber(), seed=3)
    ask(noisy, b"CR\r")
    told = {int(ask(noisy, b"RD DM982\r")) for _ in range(50)}
    assert len(told) > 1
    assert all(abs(each - 369) < 3 for each in told)


# --- plates


async def test_a_plate_goes_to_the_station_and_back_and_everything_is_read_back():
    incubator, simulator, _, _ = connect(plates="2/7")
    await incubator.identify()
    await incubator.prepare()
    heard = note(simulator)
    await incubator.plate_to_station(29)
    assert simulator.state.station
    assert simulator.state.plates == []
    assert not simulator.state.gate
    assert (simulator.state.memory["23"], simulator.state.memory["25"]) == (994, 22)
    await incubator.plate_to_slot(3)
    assert simulator.state.plates == ["1/3"]
    counts = [heard.count(text) for text in (b"ST 1801", b"ST 1905", b"ST 1904", b"ST 1903", b"WR DM23 994")]
    assert counts == [1, 1, 1, 2, 1]


async def test_a_plate_fetched_before_the_access_is_ended_is_no_failure():
    incubator, simulator, _, _ = connect()
    end = simulator._end

    def fetched(deed: str, now: float) -> None:
        end(deed, now)
        if deed == "close":
            simulator.state.station = False

    simulator._end = fetched  # type: ignore[method-assign]
    await incubator.plate_to_station(1)
    assert (await incubator.station_occupied.read()).value is False


async def test_a_plate_is_picked_up_and_put_down_inside():
    incubator, simulator, _, _ = connect()
    await incubator.plate_to_shovel(1)
    assert await incubator.shovel_occupied() is True
    await incubator.plate_from_shovel_to_slot(2)
    assert simulator.state.plates == ["1/2"]
    assert await incubator.shovel_occupied() is False


async def test_gate_and_end_of_access_are_followed_to_their_end():
    incubator, simulator, _, place = connect()
    await incubator.gate_to(True)
    assert simulator.state.gate
    assert place.air(asyncio.get_running_loop().time() + 60).cel < 36.9
    await incubator.end_access()
    assert not simulator.state.gate
    await incubator.gate_to(True)
    await incubator.gate_to(False)
    assert not simulator.state.gate


async def test_a_move_against_the_sensors_is_refused_by_name_and_nothing_is_sent():
    incubator, simulator, _, _ = connect()
    heard = note(simulator)
    with pytest.raises(Refused, match="station is empty"):
        await incubator.plate_to_slot(5)
    simulator.state.station = True
    with pytest.raises(Refused, match="station is occupied"):
        await incubator.plate_to_station(1)
    with pytest.raises(Refused, match="no longer wanted"):
        await incubator.plate_to_slot(5, unless=lambda: True)
    with pytest.raises(Refused, match="no longer wanted"):
        await incubator.gate_to(True, unless=lambda: True)
    simulator.state.trouble = 8
    with pytest.raises(Refused, match="00008 gate not closed"):
        await incubator.plate_to_slot(5)
    for slot in (0, 45):
        with pytest.raises(OutOfRange, match="cassettes and levels"):
            await incubator.plate_to_slot(slot)
    assert not [text for text in heard if text in (b"ST 1904", b"ST 1905", b"ST 1901")]
    await incubator.initialise()
    await incubator.plate_to_slot(5)
    assert simulator.state.plates == ["1/1", "1/5"]


@pytest.mark.parametrize(
    ("given", "named"),
    [({}, "option levels"), ({"levels": 22}, "option pitch_steps"),
     ({"levels": 22, "site_height_mm": 40}, "motor steps are known for 5, 11")],
)  # fmt: skip
async def test_without_the_measures_of_the_cassettes_no_plate_moves(given: dict[str, float | str], named: str):
    incubator, simulator, _, _ = connect(given, station=1)
    with pytest.raises(Refused, match=named):
        await incubator.plate_to_slot(1)
    assert not simulator.state.opened


async def test_a_pitch_that_does_not_stick_stops_the_move():
    incubator, simulator, _, _ = connect(station=1)
    write = simulator._write
    simulator._write = lambda number, value, now: "OK" if number == "23" else write(number, value, now)  # type: ignore[method-assign]
    with pytest.raises(Refused, match="pitch_steps reads 0 instead of 994"):
        await incubator.plate_to_slot(1)
    assert simulator.state.station


async def test_while_it_moves_it_can_be_read_but_not_moved():
    incubator, simulator, _, _ = connect(station=1)
    moving = asyncio.create_task(incubator.plate_to_slot(5))
    await asyncio.sleep(6)
    assert (await incubator.poll())["ready"].value is False
    with pytest.raises(Refused, match="still waiting for another move"):
        await incubator.plate_to_station(1)
    with pytest.raises(Refused, match="still waiting for another move"):
        await incubator.gate_to(True)
    await moving
    other = LiconicStx(incubator.line, options=OPTIONS)
    other._active_on = incubator.line.dialled
    again = asyncio.create_task(incubator.plate_to_station(5))
    await asyncio.sleep(3)
    with pytest.raises(Refused, match="still busy"):
        await other.plate_to_slot(7)
    await again
    assert simulator.state.station


async def test_a_trouble_from_before_stands_against_a_move_until_initialised():
    incubator, simulator, _, _ = connect(station=1)
    simulator.state.trouble = 9
    with pytest.raises(MoveFailed, match="lift positioning"):  # activating does not take it away
        await incubator.plate_to_slot(5)
    await incubator.initialise()
    await incubator.plate_to_slot(5)
    assert "1/5" in simulator.state.plates


def test_the_simulator_does_not_become_ready_after_a_failed_move_until_it_is_initialised():
    simulator = simulated.LiconicStx(chamber(), options={"fail": 9, "station": 1})
    for text, said, now in (
        (b"CR\r", b"CC\r\n", 0.0), (b"ST 1904\r", b"OK\r\n", 1.0), (b"RD 1915\r", b"0\r\n", 60.0),
        (b"RD 1814\r", b"1\r\n", 61.0), (b"RD DM200\r", b"00009\r\n", 62.0), (b"ST 1904\r", b"OK\r\n", 63.0),
        (b"RD 1915\r", b"0\r\n", 90.0), (b"RD 1813\r", b"1\r\n", 91.0), (b"ST 1900\r", b"OK\r\n", 92.0),
        (b"RD 1915\r", b"1\r\n", 130.0), (b"\nRD 1814\r\n", b"0\r\n", 131.0),
    ):  # fmt: skip
        assert ask(simulator, text, now) == said


@pytest.mark.parametrize(("fail", "text"), [(9, "00009 lift positioning"), (104, "00104 import: step 4")])
async def test_a_move_that_fails_is_told_with_the_devices_code(fail: int, text: str):
    incubator, simulator, _, _ = connect(station=1, fail=fail)
    with pytest.raises(MoveFailed, match=text):
        await incubator.plate_to_slot(5)
    assert (await incubator.error_text.read()).value == text
    assert simulator.state.station
    await incubator.initialise()
    assert (await incubator.error.read()).value is False


async def test_empty_and_full_slots_are_found_on_the_way():
    incubator, simulator, _, place = connect(plates="1/2")
    with pytest.raises(MoveFailed, match="export: step 5"):
        await incubator.plate_to_station(1)
    await incubator.initialise()
    simulator.state.station = True
    with pytest.raises(MoveFailed, match="import: step 5"):
        await incubator.plate_to_slot(2)
    await incubator.initialise()
    with pytest.raises(MoveFailed, match="plate already on shovel"):
        await incubator.plate_to_shovel(2)
    simulator.state.shovel = False
    await incubator.initialise()
    with pytest.raises(MoveFailed, match="place: no plate on shovel"):
        await incubator.plate_from_shovel_to_slot(2)
    await incubator.initialise()
    place.set("door_open", "1")
    with pytest.raises(MoveFailed, match="user access"):
        await incubator.plate_to_shovel(2)


async def test_an_end_without_a_plate_is_a_failed_move():
    incubator, simulator, _, _ = connect(plates="1/1")
    simulator._end = lambda deed, now: None  # type: ignore[method-assign]
    with pytest.raises(MoveFailed, match="the station is empty"):
        await incubator.plate_to_station(1)


# --- the legacy Cytomat


async def test_the_legacy_cytomat_moves_plates_and_writes_its_measures_again_after_a_restart():
    incubator, simulator, rig = legacy(station=1)
    await incubator.identify()
    await incubator.plate_to_slot(30)
    assert simulator.state.plates == ["1/1", "2/8"]
    assert simulator.state.memory["23"] == 6900
    rig.host.power_cycle()
    assert simulator.state.memory["23"] == 0
    await incubator.identify()
    await incubator.plate_to_station(30)
    assert simulator.state.memory["23"] == 6900
    assert simulator.state.station
    assert (await incubator.shaker_on.set(True)).value is True


async def test_the_legacy_cytomat_tells_a_failure_by_its_station_only_and_refuses_what_is_not_known():
    incubator, _, _ = legacy(plates="1/9")
    with pytest.raises(MoveFailed, match="the station is empty"):
        await incubator.plate_to_station(1)
    for name in ("temperature", "co2_setpoint", "error", "error_text", "bar_codes"):
        with pytest.raises(Refused, match=f"{name} of heraeus_cytomat"):
            await incubator.read(name)
        with pytest.raises(Refused, match=name):
            await incubator.write(name, 1)
    assert {each.quality for each in (await incubator.poll()).values()} == {Quality.GOOD}


# --- what goes wrong on the way


async def test_a_restarted_controller_is_opened_again_by_the_next_question_but_not_by_a_move():
    incubator, simulator, rig, _ = connect(station=1)
    await incubator.prepare()
    await incubator.temperature_setpoint.set(36.0)
    rig.host.power_cycle()
    with pytest.raises(Refused, match="not opened by CR"):
        await incubator._start("plate_to_slot")
    assert (await incubator.temperature_setpoint.read()).value == 36.0
    assert (await incubator.ready.read()).value is False
    await incubator.initialise()
    await incubator.plate_to_slot(4)
    assert simulator.state.plates == ["1/1", "1/4"]


async def test_power_loss_in_mid_move_leaves_the_move_unknown():
    incubator, simulator, rig, _ = connect(station=1)
    moving = asyncio.create_task(incubator.plate_to_slot(5))
    await asyncio.sleep(12)
    rig.host.power_cycle()
    with pytest.raises(NoAnswer, match="not known to have ended"):
        await moving
    assert simulator.state.shovel
    assert simulator.state.plates == ["1/1"]


async def test_lost_looks_do_not_end_a_move_and_a_lost_link_leaves_it_unknown():
    incubator, simulator, rig, _ = connect(station=1)
    moving = asyncio.create_task(incubator.plate_to_slot(5))
    await asyncio.sleep(6)
    rig.fault("silence:for_s=4")
    await moving
    assert simulator.state.plates == ["1/1", "1/5"]
    again = asyncio.create_task(incubator.plate_to_station(5))
    await asyncio.sleep(6)
    rig.host.sever()
    with pytest.raises(LinkLost):
        await again


async def test_another_device_is_the_wrong_one_and_noise_is_none():
    for reply in (b"ES\r\n", b"er 03\r\n", b"OK\r\n"):
        with pytest.raises(WrongDevice):
            await LiconicStx(Line(ScriptedLink(lambda request, reply=reply: [(0.01, reply)]))).identify()
    with pytest.raises(WrongDevice, match="no plate store"):
        said = {b"CR\r": b"CC\r\n", b"RD 1915\r": b"E0\r\n"}
        await LiconicStx(Line(ScriptedLink(lambda request: [(0.01, said[request])]))).identify()
    with pytest.raises(NoAnswer):
        await LiconicStx(Line(ScriptedLink(lambda request: [(0.01, b"CC\r")]))).identify()
    with pytest.raises(BadFrame):
        await LiconicStx(Line(ScriptedLink(lambda request: [(0.01, b"\xf0CC\r\n")]))).identify()


def test_the_simulator_answers_only_after_cr_and_in_the_sheets_words():
    simulator = simulated.LiconicStx(chamber())
    assert ask(simulator, b"RD 1915\r") == b"E1\r\n"
    assert ask(simulator, b"CR\r") == b"CC\r\n"
    for request, said in (
        (b"hello\r", b"E1\r\n"), (b"RD 12\r", b"E1\r\n"), (b"ST 1234\r", b"E0\r\n"), (b"RD DM77\r", b"E0\r\n"),
        (b"WR DM77 1\r", b"E0\r\n"), (b"WR DM982 1\r", b"E4\r\n"), (b"WR DM0 1\r", b"OK\r\n"),
        (b"WR DM5 00003\r", b"OK\r\n"), (b"RD DM5\r", b"00003\r\n"), (b"RS 1913\r", b"OK\r\n"),
        (b"RD 1807\r", b"0\r\n"), (b"RD 1914\r", b"0\r\n"), (b"ST 1911\r", b"OK\r\n"), (b"RD 1812\r", b"0\r\n"),
        (b"ST 1910\r", b"OK\r\n"),
    ):  # fmt: skip
        assert ask(simulator, request) == said, request
    simulator.receive(Opened(), 1.0)
    assert ask(simulator, b"RD 1915\r", 1.0) == b"E1\r\n"


def test_a_restored_store_ends_the_move_it_was_in():
    place = chamber()
    one = simulated.LiconicStx(place, seed=3, options={"station": 1, "plates": ""})
    for request in (b"CR\r", b"WR DM0 2\r", b"WR DM5 9\r", b"ST 1904\r", b"RD DM9"):
        ask(one, request, 5.0)
    one.wake(13.0)
    twin = simulated.LiconicStx(place, seed=3)
    twin.restore(json.loads(json.dumps(one.snapshot())))
    assert twin.wake_at == one.wake_at == 20.0
    assert ask(twin, b"82\r", 14.0) == ask(one, b"82\r", 14.0)
    twin.wake(60.0)
    assert twin.state.plates == ["2/9"]
    assert twin.wake_at is None


@pytest.mark.parametrize("seed", range(60))
async def test_a_plate_on_a_spoilt_cable_moves_at_most_once(seed: int):
    incubator, simulator, rig, _ = connect(station=1, plates="")
    await incubator.prepare()
    heard = note(simulator)
    chance = Random(seed)
    for kind in chance.sample(("drop", "duplicate", "truncate", "hang-up", "delay"), 2):
        rig.fault(f"{kind}:every={chance.randint(5, 12)}", seed)
    arrived = refused = False
    try:
        await incubator.plate_to_slot(5)
        arrived = True
    except Refused:
        refused = True
    except (NoAnswer, BadFrame, LinkLost, MoveFailed):
        pass
    await asyncio.sleep(200)
    simulator.wake(asyncio.get_running_loop().time())
    assert heard.count(b"ST 1904") <= 1
    if arrived:
        assert simulator.state.plates == ["1/5"]
    if refused:
        assert simulator.state.station
