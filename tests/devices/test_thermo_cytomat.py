"""Thermo Cytomat: the sheet's exchanges at both ends, climate, plate moves, every refusal, errors, power, bad wires."""

from __future__ import annotations

import asyncio
import json
from random import Random

import pytest

from drivers.core.errors import BadFrame, LinkLost, NoAnswer, OutOfRange, Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.plates import MoveFailed
from drivers.core.signals import Quality
from drivers.devices import thermo_cytomat
from drivers.devices.thermo_cytomat import words
from simulators.core.simulator import Bytes, Send
from simulators.devices import thermo_cytomat as simulated
from simulators.standalone import StillChamber
from tests.devices.golden import golden
from tests.devices.rig import Rig
from tests.links.scripted import ScriptedLink

GOLDEN = golden(
    "thermo_cytomat",
    r"""
    Byte-level examples | OP | > 63 68 3A 62 73 0D                | < 62 73 20 30 32 0D    | idle
    Byte-level examples | OP | > 6C 6C 3A 69 74 20 33 37 2E 30 0D | < 6F 6B 20 30 32 0D    | set temperature
    Byte-level examples | X  | > 63 68 3A 69 74 0D | < 69 74 20 2B 33 37 2E 30 20 2B 33 36 2E 39 0D | temperature
    Byte-level examples | X  | > 63 68 3A 69 63 0D | < 69 63 20 2B 30 35 2E 30 20 2B 30 34 2E 39 0D | co2
    Byte-level examples | OP | > 6D 76 3A 74 73 20 30 30 35 0D    | < 6F 6B 20 38 31 0D    | store
    Byte-level examples | OP | > "ch:bs\r"     | < "bs 11\r"  | on the shovel
    Byte-level examples | OP | > "mv:ts 005\r" | < "er 31\r"  | station empty
    Byte-level examples | OP | > "xx:yy\r"     | < "er 02\r"  | unknown
    Byte-level examples | OP | > "ch:bs\r"     | < "bs 0A\r"  | after a failed move
    Byte-level examples | OP | > "ch:be\r"     | < "be 05\r"  | process time-out
    Byte-level examples | OP | > "rs:be\r"     | < "ok 02\r"  | reset
    """,
)

Cytomat = thermo_cytomat.ThermoCytomat2


def chamber() -> StillChamber:
    still = StillChamber()
    still.set("temperature", "36.9")
    still.set("co2", "4.9")
    return still


def connect(
    kind: type[thermo_cytomat.ThermoCytomat2] = Cytomat,
    given: dict[str, float | str] | None = None,
    **options: float | str,
) -> tuple[thermo_cytomat.ThermoCytomat2, simulated.ThermoCytomat2, Rig[thermo_cytomat.ThermoCytomat2], StillChamber]:
    place = chamber()
    simulator = vars(simulated)[kind.__name__](place, options=options)
    rig = Rig(kind, simulator, options=given)
    return rig.driver, simulator, rig, place


def ask(simulator: simulated.ThermoCytomat2, request: bytes, now: float = 0.0) -> bytes:
    return b"".join(each.data for each in simulator.receive(Bytes(request), now) if isinstance(each, Send))


# --- the sheet, at both ends


def test_the_simulator_says_what_the_sheet_says():
    simulator = simulated.ThermoCytomat2(chamber(), options={"station": 1})
    GOLDEN.check_simulator(simulator, "temperature", "co2", "unknown")
    GOLDEN.check_simulator(simulator, "store", now=10.0)
    GOLDEN.check_simulator(simulator, "on the shovel", now=16.0)
    GOLDEN.check_simulator(simulator, "idle", "set temperature", "station empty", now=60.0)
    assert simulator.state.slots == [1, 5]
    failing = simulated.ThermoCytomat2(chamber(), options={"fail": "05"})
    ask(failing, b"mv:st 001\r")
    GOLDEN.check_simulator(failing, "after a failed move", "process time-out", "reset", "idle", now=60.0)


async def test_the_driver_understands_the_published_climate():
    async with GOLDEN.line("temperature", "idle", "co2", "idle") as line:
        incubator = Cytomat(line)
        assert (await incubator.temperature.read()).value == 36.9
        assert (await incubator.co2_setpoint.read()).value == 5.0


async def test_the_driver_writes_a_temperature_as_published():
    async with GOLDEN.line("set temperature", "temperature", "idle") as line:
        assert (await Cytomat(line).temperature_setpoint.set(37.0)).value == 37.0


async def test_the_driver_resets_a_failed_move_as_published():
    async with GOLDEN.line("after a failed move", "process time-out", "reset", "idle") as line:
        incubator = Cytomat(line)
        assert (await incubator.error.read()).value is True
        assert (await incubator.error_text.read()).value == "05 process time-out"
        await incubator.reset_errors()


async def test_a_refusal_is_told_with_the_sheets_code_and_words():
    async with GOLDEN.line("station empty") as line:
        with pytest.raises(Refused, match="transfer station empty") as caught:
            await Cytomat(line)._once("mv:ts 005")
        assert caught.value.code == "er 31"


async def test_the_vendors_overview_example_is_read_bit_by_bit():
    link = ScriptedLink(lambda request: [(0.01, b"bs c5\r")])
    incubator = Cytomat(Line(link))
    names = ("busy", "warning", "error", "door_open", "station_occupied", "gate_open", "handler_occupied")
    seen = {name: (await incubator.read(name)).value for name in names}
    assert [name for name, on in seen.items() if on] == ["busy", "warning", "door_open", "station_occupied"]


# --- climate


async def test_every_signal_of_a_poll_comes_from_the_chamber_and_the_store():
    incubator, simulator, _, place = connect(station=1)
    place.set("door_open", "1")
    simulator.state.warning = 9
    readings = {name: each.value for name, each in (await incubator.poll()).items()}
    assert readings == {
        "temperature": 36.9, "temperature_setpoint": 37.0, "co2": 4.9, "co2_setpoint": 5.0,
        "humidity": 93.0, "humidity_setpoint": 93.0, "o2": 18.6, "o2_setpoint": 20.9,
        "station_occupied": True, "door_open": True, "gate_open": False, "handler_occupied": False,
        "error": False, "warning": True, "busy": False, "error_text": "none",
        "warning_text": "09 initialisation because the device door was opened", "action": "none",
        "swap_position": 1.0, "swap_gate_side_occupied": True, "swap_user_side_occupied": False,
        "shaker_1_speed": 200.0, "shaker_2_speed": 200.0,
    }  # fmt: skip


async def test_set_points_are_written_kept_to_their_limits_and_move_the_air():
    incubator, simulator, _, place = connect()
    assert (await incubator.temperature_setpoint.set(35.54)).value == 35.5
    assert (await incubator.co2_setpoint.set(7.5)).value == 7.5
    assert simulator.state.set_points == {"it": 35.5, "ic": 7.5, "ih": 93.0, "io": 20.9}
    await asyncio.sleep(20_000)
    assert (await incubator.temperature.read()).value == 35.5
    assert place.air(asyncio.get_running_loop().time()).co2_percent == pytest.approx(7.5)
    for name, value in (("temperature_setpoint", 60.1), ("temperature_setpoint", -1), ("co2_setpoint", 20.5)):
        with pytest.raises(OutOfRange):
            await incubator.write(name, value)
    with pytest.raises(OutOfRange):
        await incubator.write("temperature_setpoint", float("nan"))
    with pytest.raises(Refused, match="takes a number"):
        await incubator.write("temperature_setpoint", "warm")
    assert simulator.state.set_points["it"] == 35.5


async def test_shaker_speeds_are_written_and_read_back():
    incubator, simulator, _, _ = connect()
    assert (await incubator.shaker_1_speed.set(120)).value == 120.0
    assert (await incubator.shaker_2_speed.set(90.0)).value == 90.0
    assert simulator.state.shaker_speed == [120, 90]
    with pytest.raises(OutOfRange):
        await incubator.shaker_1_speed.set(1501)


async def test_a_unit_that_keeps_another_value_is_refused_by_it():
    incubator, simulator, _, _ = connect()
    simulator._hand_over = lambda now: simulator.state.set_points.update(it=30.0)  # type: ignore[method-assign]
    with pytest.raises(Refused, match=r"kept 30 instead of 36\.0"):
        await incubator.temperature_setpoint.set(36.0)


async def test_what_this_unit_does_not_have_is_refused_by_name_and_asked_in_one_poll_only():
    incubator, simulator, _, _ = connect(o2=0, shakers=0, swap=0)
    first = await incubator.poll()
    for name in ("o2", "o2_setpoint", "shaker_1_speed", "shaker_2_speed", "swap_position"):
        assert first[name].quality is Quality.BAD
        assert "does not have it" in first[name].why
    assert first["co2"].value == 4.9
    commands = simulator.state.commands
    second = await incubator.poll()
    assert second["o2"].quality is Quality.BAD
    assert simulator.state.commands - commands == 5
    with pytest.raises(Refused, match="er 02"):
        await incubator.o2.read()
    with pytest.raises(Refused, match="er 61"):
        await incubator.shaker_1_speed.set(100)
    await incubator.prepare()
    assert not incubator.absent


@pytest.mark.parametrize("name", ["station_sensors", "agitation", "bar_codes", "periodic_output"])
async def test_what_the_sheet_does_not_know_is_refused_by_name(name: str):
    incubator, simulator, _, _ = connect()
    with pytest.raises(Refused, match=name):
        await incubator.read(name)
    with pytest.raises(Refused, match=name):
        await incubator.write(name, 1)
    assert simulator.state.commands == 0


async def test_writing_humidity_oxygen_and_measurements_is_refused():
    incubator, simulator, _, _ = connect()
    for name in ("humidity_setpoint", "o2_setpoint", "temperature", "door_open"):
        with pytest.raises(Refused, match=name):
            await incubator.write(name, 5)
    assert simulator.state.commands == 0


async def test_lost_climate_communication_makes_every_climate_number_bad():
    incubator, simulator, _, _ = connect()
    simulator.state.error = 0x0D
    readings = await incubator.poll()
    bad = [name for name, each in readings.items() if each.quality is Quality.BAD]
    assert bad == [
        "temperature", "temperature_setpoint", "co2", "co2_setpoint",
        "humidity", "humidity_setpoint", "o2", "o2_setpoint",
    ]  # fmt: skip
    assert "heating" in (await incubator.temperature.read()).why


async def test_numbers_that_cannot_be_true_or_are_none_are_bad():
    incubator, _, _, place = connect()
    place.set("temperature", "-45")
    assert "cannot be true" in (await incubator.temperature.read()).why
    for data in (b"+37.0", b"37.0 ----", b"37.0 36.9 1", b"", b"3700 36.9", b"nan 1.0"):
        with pytest.raises(BadFrame):
            words.pair(data)
    assert words.pair(b"37.0  -0.5") == (37.0, -0.5)
    assert words.action(0x8E) == "transfer station: open gate"
    assert words.action(0x1F) == "none: action 1F"
    for data in (b"300", b"12", b"120x"):
        with pytest.raises(BadFrame):
            words.swap(data)


async def test_noise_comes_with_a_seed_and_the_number_stays_near_the_air():
    noisy = simulated.ThermoCytomat2(chamber(), seed=4)
    told = {ask(noisy, b"ch:it\r") for _ in range(50)}
    assert len(told) > 1
    assert {abs(float(each[9:-1]) - 36.9) < 0.3 for each in told} == {True}


# --- plates


async def test_a_plate_goes_to_the_station_and_back_and_everything_is_read_back():
    incubator, simulator, _, _ = connect(plates="3,7")
    await incubator.plate_to_station(7)
    assert (await incubator.station_occupied.read()).value is True
    assert simulator.state.slots == [3]
    await incubator.plate_to_slot(12)
    assert simulator.state.slots == [3, 12]
    assert not simulator.state.station
    assert not simulator.state.gate
    assert (await incubator.busy.read()).value is False


async def test_the_wait_and_the_exposed_position_are_reached_and_left():
    incubator, simulator, _, _ = connect(plates="3", station=1)
    await incubator.move("plate_from_station_to_wait")
    assert simulator.state.handler
    await incubator.move("plate_from_wait_to_exposed")
    assert (await incubator.gate_open.read()).value is True
    with pytest.raises(Refused, match="shovel extended"):
        await incubator.gate_to(False)
    await incubator.move("plate_from_exposed_to_wait")
    assert not simulator.state.gate
    await incubator.move("plate_from_wait_to_station")
    assert simulator.state.station
    await incubator.move("plate_to_wait", 3)
    await incubator.move("plate_from_wait_to_slot", 4)
    await incubator.move("plate_to_exposed", 4)
    await incubator.move("plate_from_exposed_to_slot", 5)
    await incubator.move("handler_to_wait")
    assert simulator.state.slots == [5]
    assert not simulator.state.exposed


async def test_a_move_against_the_sensors_is_refused_by_name_and_nothing_is_sent():
    incubator, simulator, _, _ = connect(station=0)
    with pytest.raises(Refused, match="station empty"):
        await incubator.plate_to_slot(5)
    simulator.state.station = True
    with pytest.raises(Refused, match="station occupied"):
        await incubator.plate_to_station(1)
    simulator.state.handler = True
    with pytest.raises(Refused, match="handler occupied"):
        await incubator.plate_to_slot(5)
    simulator.state.error = 5
    with pytest.raises(Refused, match="an error is latched"):
        await incubator.plate_to_slot(5)
    assert simulator.state.deeds == []


async def test_slots_that_do_not_exist_are_refused_by_us_or_by_the_device():
    incubator, _, _, _ = connect(given={"slots": 42}, station=1)
    for slot in (0, 43, 1000):
        with pytest.raises(OutOfRange, match="option slots"):
            await incubator.plate_to_slot(slot)
    unbounded, _, _, _ = connect(station=1)
    with pytest.raises(Refused, match="unknown location number"):
        await unbounded.plate_to_slot(43)
    with pytest.raises(OutOfRange):
        await unbounded.move("plate_to_slot")
    with pytest.raises(Refused, match="takes no slot"):
        await unbounded.move("handler_to_wait", 3)


async def test_a_move_no_longer_wanted_is_not_sent():
    incubator, simulator, _, _ = connect(station=1)
    with pytest.raises(Refused, match="no longer wanted"):
        await incubator.plate_to_slot(5, unless=lambda: True)
    assert simulator.state.station


async def test_while_it_moves_it_can_be_read_but_not_moved_nor_set():
    incubator, simulator, _, _ = connect(station=1)
    moving = asyncio.create_task(incubator.plate_to_slot(5))
    await asyncio.sleep(2)
    readings = await incubator.poll()
    assert readings["busy"].value is True
    assert readings["action"].value == "transfer station: open gate"
    with pytest.raises(Refused, match="still waiting for another move"):
        await incubator.plate_to_station(1)
    with pytest.raises(Refused, match="busy, command not accepted"):
        await incubator.temperature_setpoint.set(36.0)
    other = Cytomat(incubator.line)
    with pytest.raises(Refused, match="still busy"):
        await other.plate_to_station(1)
    await moving
    assert simulator.state.slots == [1, 5]


async def test_an_empty_slot_is_found_on_the_way_and_the_error_latches_until_it_is_reset():
    incubator, simulator, _, _ = connect()
    with pytest.raises(MoveFailed, match="02 plate not loaded on shovel"):
        await incubator.plate_to_station(9)
    assert (await incubator.error.read()).value is True
    with pytest.raises(Refused, match="latched"):
        await incubator.plate_to_station(1)
    await incubator.reset_errors()
    await incubator.initialise()
    await incubator.plate_to_station(1)
    assert simulator.state.station


async def test_a_full_slot_ends_with_the_plate_on_the_shovel():
    incubator, _, _, _ = connect(station=1)
    with pytest.raises(MoveFailed, match="03 plate not unloaded"):
        await incubator.plate_to_slot(1)
    assert (await incubator.handler_occupied.read()).value is True


async def test_an_open_door_ends_a_move_in_an_initialisation_that_counts_as_failed():
    incubator, simulator, _, place = connect(station=1)
    place.set("door_open", "1")
    with pytest.raises(MoveFailed, match="station occupied"):
        await incubator.plate_to_slot(5)
    assert simulator.state.warning == 9
    assert simulator.state.station


async def test_an_error_that_comes_back_after_the_reset_is_refused():
    incubator, simulator, _, _ = connect()
    simulator.state.error = 0x0A
    simulator._reset = lambda command, parameters, now: ""  # type: ignore[method-assign]
    with pytest.raises(Refused, match="stepper controller too hot"):
        await incubator.reset_errors()


async def test_gate_and_swap_station_are_states_and_moved_only_when_they_differ():
    incubator, simulator, _, place = connect()
    await incubator.gate_to(True)
    commands = simulator.state.commands
    await incubator.gate_to(True)
    assert simulator.state.commands == commands + 1
    assert place.air(asyncio.get_running_loop().time() + 30).cel < 36.9
    await incubator.gate_to(False)
    await incubator.swap_to(2)
    assert simulator.state.swap == 2
    await incubator.swap_to(2)
    with pytest.raises(OutOfRange):
        await incubator.swap_to(3)


async def test_shakers_start_and_stop_with_their_speed():
    incubator, _, _, place = connect()
    await incubator.shaker_1_speed.set(110)
    await incubator.shake(1, True)
    assert place.shaken[1][0] == 110
    await incubator.shaker_1_speed.set(130)
    assert place.shaken[1][0] == 130
    await incubator.move("shakers_start")
    assert place.shaken[2][0] == 200
    await incubator.shake(1, False)
    await incubator.move("shakers_stop")
    assert [each[0] for each in place.shaken.values()] == [0, 0]
    await incubator.move("shakers_initialise")
    with pytest.raises(OutOfRange):
        await incubator.shake(3, True)
    bare, _, _, _ = connect(shakers=0)
    with pytest.raises(Refused, match="shaker not active"):
        await bare.shake(1, True)


async def test_a_2c_425_counts_racks_and_sites_from_nought():
    kind = thermo_cytomat.ThermoCytomat2C425
    incubator, simulator, _, _ = connect(kind, {"sites_per_rack": 21}, station=1, plates="", slots=42)
    assert incubator.slot_text(1) == "00 00"
    assert incubator.slot_text(23) == "01 01"
    await incubator.plate_to_slot(23)
    assert simulator.state.slots == [23]
    assert ask(simulator, b"mv:st 023\r", 1e10) == b"er 04\r"
    assert ask(simulator, b"mv:st 00 21\r", 1e10) == b"er 05\r"
    with pytest.raises(OutOfRange):
        connect(kind, {"sites_per_rack": 2})[0].slot_text(300)
    with pytest.raises(Refused, match="option sites_per_rack"):
        await connect(kind, station=1)[0].plate_to_slot(1)


async def test_a_6000_is_told_with_cr_lf_and_may_answer_so():
    incubator, simulator, rig, _ = connect(thermo_cytomat.ThermoCytomat6000, station=1, reply_end="crlf", lower=1)
    sent: list[bytes] = []
    hear = rig.host.hear
    rig.host.hear = lambda data: (sent.append(data), hear(data))[1]  # type: ignore[method-assign]
    await incubator.plate_to_slot(30)
    assert b"mv:ts 030\r\n" in sent
    assert simulator.state.slots == [1, 30]
    assert (await incubator.poll())["temperature"].quality is Quality.GOOD


# --- what goes wrong on the way


async def test_questions_and_set_points_outlast_the_spurious_er_01_but_a_move_is_said_once():
    incubator, simulator, _, _ = connect(spurious=2, station=1)
    assert (await incubator.poll())["temperature"].value == 36.9
    assert (await incubator.temperature_setpoint.set(36.0)).value == 36.0
    simulator.state.commands = 0
    with pytest.raises(Refused, match="er 01"):
        await incubator.plate_to_slot(5)
    assert simulator.state.station
    assert simulator.state.commands == 2


async def test_a_lost_acceptance_leaves_the_move_unknown_and_is_not_sent_again():
    incubator, simulator, rig, _ = connect(station=1)
    heard: list[bytes] = []
    message = simulator.message
    simulator.message = lambda text, now: (heard.append(text), message(text, now))[1]  # type: ignore[method-assign]
    await incubator.busy.read()
    rig.fault("drop:every=2")
    with pytest.raises(NoAnswer):
        await incubator.plate_to_slot(5)
    await asyncio.sleep(60)
    assert heard.count(b"mv:ts 005") == 1
    assert simulator.state.slots == [1, 5]


async def test_lost_looks_do_not_end_a_move_and_a_lost_link_leaves_it_unknown():
    incubator, simulator, rig, _ = connect(station=1)
    moving = asyncio.create_task(incubator.plate_to_slot(5))
    await asyncio.sleep(1)
    rig.fault("silence:for_s=5")
    await moving
    assert simulator.state.slots == [1, 5]
    again = asyncio.create_task(incubator.plate_to_station(5))
    await asyncio.sleep(1)
    rig.host.sever()
    with pytest.raises(LinkLost):
        await again


async def test_a_move_that_never_ends_is_given_up_as_unknown():
    incubator, simulator, _, _ = connect(station=1)
    moving = asyncio.create_task(incubator.plate_to_slot(5))
    await asyncio.sleep(1)
    simulator.state.deeds = [(1e12, "close")]
    with pytest.raises(NoAnswer, match="not known to have ended within 120 s"):
        await moving


async def test_power_loss_in_mid_move_leaves_the_plate_and_fails_the_move():
    incubator, simulator, rig, _ = connect(station=1)
    await incubator.temperature_setpoint.set(36.5)
    moving = asyncio.create_task(incubator.plate_to_slot(5))
    await asyncio.sleep(6)
    rig.host.power_cycle()
    with pytest.raises(MoveFailed, match="handler occupied"):
        await moving
    assert simulator.state.slots == [1]
    assert simulator.state.handler
    assert (await incubator.temperature_setpoint.read()).value == 36.5


async def test_another_device_is_the_wrong_one_and_noise_is_none():
    for reply in (b"E1\r\n", b"ES\r\n", b"er 02\r", b"bs 2\r", b"+ 100.0 g\r\n"):
        with pytest.raises(WrongDevice):
            await Cytomat(Line(ScriptedLink(lambda request, reply=reply: [(0.01, reply)]))).identify()
    with pytest.raises(Refused, match="busy"):
        await Cytomat(Line(ScriptedLink(lambda request: [(0.01, b"er 01\r")]))).identify()
    for reply in (b"", b"\xff\x81\r", b"bs 02"):
        with pytest.raises(NoAnswer):
            await Cytomat(Line(ScriptedLink(lambda request, reply=reply: [(0.01, reply)]))).identify()
    identity = await connect()[0].identify()
    assert (identity.maker, identity.type, identity.serial) == ("Thermo Scientific", "Cytomat", "")


async def test_what_the_device_says_by_itself_goes_by():
    incubator, _, _, _ = connect(periodic_s=0.13)
    for _ in range(5):
        readings = await incubator.poll()
        assert {each.quality for each in readings.values()} == {Quality.GOOD}


async def test_a_line_without_an_end_is_no_reply():
    with pytest.raises(BadFrame):
        words.take(bytearray(b"x" * 300))
    with pytest.raises(BadFrame):
        words.accepted(bytearray(b"bs 02\r"))


async def test_the_commands_of_the_simulator_are_refused_as_in_the_sheet():
    simulator = simulated.ThermoCytomat2(chamber(), options={"station": 1})
    for request, said in (
        (b"CH:BS\r", b"er 02\r"), (b"hello\r", b"er 03\r"), (b"zz:bs\r", b"er 02\r"), (b"ch:ts\r", b"er 02\r"),
        (b"mv:ts 5\r", b"er 04\r"), (b"mv:ts 999\r", b"er 05\r"), (b"mv:st 001\r", b"er 32\r"),
        (b"mv:xx\r", b"er 02\r"),
        (b"mv:wt 001\r", b"er 04\r"), (b"mv:wh\r", b"er 22\r"), (b"ll:it 37\r", b"er 04\r"),
        (b"ll:it 61.0\r", b"er 04\r"),
        (b"ll:gp 003\r", b"er 04\r"), (b"ll:zz\r", b"er 02\r"), (b"ll:va 003\r", b"er 04\r"), (b"se:xx\r", b"er 02\r"),
        (b"ll:h- 1\r", b"er 04\r"), (b"ll:h+ 999\r", b"er 05\r"), (b"ll:sp 003\r", b"er 04\r"),
        (b"ll:h- 000\r", b"er 05\r"), (b"mv:sn 001\r", b"er 04\r"), (b"mv:sn 001 999\r", b"er 05\r"),
        (b"se:cs 001\r", b"er 04\r"), (b"sb:xx 00001\r", b"er 02\r"),
        (b"se:pb 20 99\r", b"er 04\r"), (b"se:pb 20 9999\r", b"er 04\r"), (b"rs:xx\r", b"er 02\r"), (b"\r", b""),
        (b"\nch:bs\r", b"bs 82\r"),
    ):  # fmt: skip
        assert ask(simulator, request) == said, request
    assert simulator.state.slots == [1]
    bare = simulated.ThermoCytomat2(chamber(), options={"shakers": 0, "swap": 0})
    assert ask(bare, b"ll:va\r") == ask(bare, b"se:pb 20 0100\r") == b"er 61\r"
    assert ask(bare, b"ll:tp 002\r") == b"er 02\r"
    busy = simulated.ThermoCytomat2(chamber(), options={"station": 1})
    ask(busy, b"mv:tw\r")
    assert ask(busy, b"mv:tw\r", 1.0) == b"er 01\r"
    assert ask(busy, b"mv:tw\r", 60.0) == b"er 31\r"
    assert ask(busy, b"mv:sw 001\r", 60.0) == b"er 21\r"
    assert ask(busy, b"mv:hw\r", 60.0) == b"er 11\r"


def test_service_movements_and_settings_are_taken_and_take_their_time():
    simulator = simulated.ThermoCytomat2(chamber())
    now = 0.0
    for request in (b"ll:h- 005\r", b"ll:h+ 005\r", b"ll:dp 000\r", b"ll:xp 007\r", b"ll:wp\r", b"mv:sn 001 010\r",
                    b"ll:sp 002\r"):  # fmt: skip
        assert ask(simulator, request, now) == b"ok 01\r", request
        assert ask(simulator, b"ch:bs\r", now + 0.5) == b"bs 01\r"
        now += 60.0
        assert ask(simulator, b"ch:bs\r", now) == b"bs 02\r"
    assert ask(simulator, b"mv:sw 001\r", now) == b"er 12\r", "the shovel is extended"
    ask(simulator, b"ll:sp 001\r", now)
    now += 60.0
    assert ask(simulator, b"se:cs 001 250\r", now) == ask(simulator, b"se:c2\r", now) == b"ok 02\r"
    simulator.state.error = 5
    assert ask(simulator, b"se:ns\r", now) == b"ok 01\r"
    assert ask(simulator, b"ch:bs\r", now + 60.0) == b"bs 02\r"


def test_a_restored_cytomat_ends_the_move_it_was_in():
    place = chamber()
    one = simulated.ThermoCytomat2(place, seed=3, options={"station": 1, "plates": ""})
    ask(one, b"mv:ts 008\r", 5.0)
    ask(one, b"ch:b", 6.0)
    twin = simulated.ThermoCytomat2(place, seed=3)
    twin.restore(json.loads(json.dumps(one.snapshot())))
    assert twin.wake_at == one.wake_at
    assert ask(twin, b"s\r", 11.0) == ask(one, b"s\r", 11.0) == b"bs 11\r"
    twin.wake(60.0)
    assert twin.state.slots == [8]
    assert twin.wake_at is None
    assert ask(twin, b"ch:it\r", 61.0) == ask(one, b"ch:it\r", 61.0)


@pytest.mark.parametrize("seed", range(60))
async def test_a_plate_on_a_spoilt_cable_moves_at_most_once(seed: int):
    incubator, simulator, rig, _ = connect(station=1, plates="")
    heard: list[bytes] = []
    message = simulator.message
    simulator.message = lambda text, now: (heard.append(text), message(text, now))[1]  # type: ignore[method-assign]
    chance = Random(seed)
    for kind in chance.sample(("drop", "duplicate", "truncate", "hang-up", "delay"), 2):
        rig.fault(f"{kind}:every={chance.randint(2, 4)}", seed)
    arrived = refused = False
    try:
        await incubator.plate_to_slot(5)
        arrived = True
    except Refused:
        refused = True
    except (NoAnswer, BadFrame, LinkLost, MoveFailed):
        pass
    await asyncio.sleep(200)
    simulator.handling.advance(asyncio.get_running_loop().time())
    assert heard.count(b"mv:ts 005") <= 1
    if arrived:
        assert simulator.state.slots == [5]
    if refused:
        assert simulator.state.station
