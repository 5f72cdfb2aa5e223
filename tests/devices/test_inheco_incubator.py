"""INHECO incubators: the sheet at both ends, temperature, drawer, shaker, a stack, every error, power, bad wires."""

from __future__ import annotations

import asyncio
import json
from random import Random

import pytest

from drivers.core.errors import BadFrame, LinkLost, NoAnswer, OutOfRange, Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.plates import MoveFailed
from drivers.core.signals import Quality
from drivers.devices.inheco_incubator import InhecoIncubator, InhecoIncubatorShaker, words
from simulators.core.hosts import MemoryHost
from simulators.core.simulator import Bytes, Opened, Send
from simulators.devices import inheco_incubator as simulated
from simulators.standalone import StillChamber
from tests.devices.golden import golden
from tests.devices.rig import Rig
from tests.links.scripted import ScriptedLink

GOLDEN = golden(
    "inheco_incubator",
    r"""
    Byte-level examples | P | > 09 32 C6 54 30 30 52 54 53 46          | < B2 31 B2 20 60       | type
    Byte-level examples | P | > 0C 32 C9 54 30 30 52 44 41 30 2C 31 BE | < B2 31 B2 20 60       | units
    Byte-level examples | P | > 09 32 C6 54 30 30 41 49 44 93          | < B2 20 60             | initialise
    Byte-level examples | P | > 0C 32 C9 54 30 30 53 54 54 33 37 30 39 | < B2 20 60             | target
    Byte-level examples | P | > 0A 32 C7 54 30 30 53 48 45 31 4B       | < B2 20 60             | heat
    Byte-level examples | P | > 0A 32 C7 54 30 30 53 48 45 30 15       | < B2 20 60             | heat off
    Byte-level examples | X | > 0A 32 C7 54 30 30 52 41 54 31 62       | < B2 33 36 39 B2 20 60 | temperature
    Byte-level examples | X | > 09 32 C6 54 30 30 52 54 54 C5          | < B2 33 37 30 B2 20 60 | target kept
    Byte-level examples | P | > 09 32 C6 54 30 30 52 48 45 A7          | < B2 31 B2 20 60       | heating
    Byte-level examples | P | > 09 32 C6 54 30 30 52 44 53 AA          | < B2 30 B2 20 60       | drawer
    Byte-level examples | P | > 09 32 C6 54 30 30 41 4F 44 39          | < B2 20 60             | open drawer
    Byte-level examples | P | > 09 32 C6 54 30 30 41 43 44 74          | < B2 20 60             | close drawer
    Byte-level examples | P | > 19 32 D6 54 30 30 53 53 50 33 30 2C 33 30 2C 31 30 30 2C 31 30 30 2C 39 30 75 | < B2 20 60 | shaker
    Byte-level examples | P | > 0B 32 C8 54 30 30 41 53 45 4E 44 63    | < B2 20 60             | shake
    Byte-level examples | P | > 0A 32 C7 54 30 30 41 53 45 30 A1       | < B2 20 60             | shake off
    Byte-level examples | P | > 09 32 C6 54 30 30 41 4F 44 39          | < B2 28 60             | not executable
    """,  # noqa: E501
)


def chamber(cel: str = "36.9") -> StillChamber:
    still = StillChamber()
    still.set("temperature", cel)
    return still


def connect(
    **options: float | str,
) -> tuple[InhecoIncubatorShaker, simulated.InhecoIncubatorShaker, Rig[InhecoIncubatorShaker], StillChamber]:
    place = chamber()
    simulator = simulated.InhecoIncubatorShaker(place, options=options)
    rig = Rig(InhecoIncubatorShaker, simulator, 2)
    return rig.driver, simulator, rig, place


def ask(simulator: simulated.InhecoIncubator, request: str, now: float = 0.0) -> bytes:
    actions = simulator.receive(Bytes(bytes.fromhex(request)), now)
    return b"".join(each.data for each in actions if isinstance(each, Send))


def note(simulator: simulated.InhecoIncubator) -> list[str]:
    """Every command the stack hears from now on."""
    heard: list[str] = []
    answer = simulator._answer

    def noted(text: str, whole: bool, asked: int, now: float) -> list[object]:
        heard.append(text)
        return answer(text, whole, asked, now)  # type: ignore[return-value]

    simulator._answer = noted  # type: ignore[assignment, method-assign]
    return heard


# --- the sheet, at both ends


def test_the_simulator_says_what_the_sheet_says():
    simulator = simulated.InhecoIncubatorShaker(chamber())
    GOLDEN.check_simulator(simulator, "type", "units", "target", "heat", "temperature", "target kept", "heating")
    GOLDEN.check_simulator(simulator, "drawer", "open drawer", now=10.0)
    GOLDEN.check_simulator(simulator, "close drawer", now=30.0)
    GOLDEN.check_simulator(simulator, "shaker", "shake", "not executable", "shake off", "heat off", now=60.0)
    GOLDEN.check_simulator(simulator, "initialise", now=90.0)
    assert simulator.units[0].state.shaker == [30, 30, 100, 100, 90]
    assert not simulator.units[0].state.heating


async def test_the_driver_reads_as_published():
    async with GOLDEN.line("temperature", "target kept", "heating", "heating", "drawer") as line:
        unit = InhecoIncubator(line)
        assert (await unit.temperature.read()).value == 36.9
        assert (await unit.temperature_setpoint.read()).value == 37.0
        assert (await unit.heating.read()).value is True
        assert (await unit.booster.read()).value is False
        assert (await unit.drawer_open.read()).value is False


async def test_the_driver_switches_heating_as_published_and_looks_again():
    async with GOLDEN.line("heat", "heating", "heat off", "heating") as line:
        unit = InhecoIncubator(line)
        assert (await unit.heating.set(True)).value is True
        with pytest.raises(Refused, match="shows True instead of 0"):
            await unit.heating.set(False)


@pytest.mark.parametrize(
    ("what", "command"),
    [("initialise", "AID"), ("target", "STT370"), ("open drawer", "AOD"), ("close drawer", "ACD"),
     ("shaker", "SSP30,30,100,100,90"), ("shake", "ASEND"), ("shake off", "ASE0")],
)  # fmt: skip
async def test_the_driver_acts_with_the_published_frames(what: str, command: str):
    async with GOLDEN.line(what) as line:
        assert await InhecoIncubatorShaker(line)._act(command) == ""


async def test_the_published_refusal_is_told_in_words():
    async with GOLDEN.line("not executable") as line:
        with pytest.raises(Refused, match="not executable now") as caught:
            await InhecoIncubator(line)._act("AOD")
        assert caught.value.code == "error 8"


async def test_the_driver_asks_for_type_and_units_as_published():
    async with GOLDEN.line("type", "units") as line:
        unit = InhecoIncubatorShaker(line)
        assert words.TYPES[int(await unit._ask("RTS"))] == "Incubator Shaker MP"
        assert await unit._ask("RDA0,1", unit=0) == "1"


# --- signals


async def test_every_signal_of_a_poll_comes_from_the_unit():
    unit, _, _, _ = connect(piece=3)
    identity = await unit.identify()
    assert (identity.maker, identity.type, identity.serial) == ("INHECO", "Incubator Shaker MP", "IS04190")
    assert identity.firmware == "IncShak_V2.11 09/2014"
    assert {name: each.value for name, each in (await unit.poll()).items()} == {
        "temperature": 36.9, "temperature_dif": 36.9, "temperature_boost": 36.9, "temperature_setpoint": 37.0,
        "temperature_limit": 85.0, "temperature_highest": 37.0, "heating": True, "booster": False,
        "drawer_open": False, "plate_present": True, "plate_threshold": 300.0, "initialised": True,
        "plate_known": True, "operating_hours": 4321.0, "drawer_cycles": 120.0, "calibration_date": "2025-03-14",
        "control_p": 12.5, "control_i": 0.8, "amplitude_x_setpoint": 2.0, "amplitude_x": 0.0,
        "amplitude_y_setpoint": 2.0, "amplitude_y": 0.0, "frequency_x_setpoint": 10.0, "frequency_x": 0.0,
        "frequency_y_setpoint": 10.0, "frequency_y": 0.0, "phase_setpoint": 90.0, "phase": 0.0,
        "shaking": False, "shaker_state": "off",
    }  # fmt: skip


async def test_what_hardly_moves_is_asked_every_ten_minutes_and_after_anything_went_wrong():
    unit, _, rig, _ = connect()
    await unit.prepare()
    await unit.poll()
    usual = await unit.poll()
    assert set(unit.specs()) - set(usual) == set(unit.seldom)
    await asyncio.sleep(601)
    assert set(await unit.poll()) == set(unit.specs())
    rig.fault("silence:for_s=8")
    assert (await unit.poll())["temperature"].quality is Quality.BAD
    await asyncio.sleep(10)
    assert set(await unit.poll()) == set(unit.specs())


async def test_the_target_is_written_kept_and_held_to_our_limits_and_the_units():
    unit, simulator, _, place = connect()
    assert (await unit.temperature_setpoint.set(41.26)).value == 41.3
    await asyncio.sleep(20_000)
    assert place.air(asyncio.get_running_loop().time()).cel == pytest.approx(41.3)
    assert (await unit.booster.read()).value is False
    assert (await unit.temperature_highest.read()).value == 41.3
    await unit.temperature_setpoint.set(60)
    assert (await unit.booster.read()).value is True
    for value in (85.1, -1, float("nan")):
        with pytest.raises(OutOfRange):
            await unit.temperature_setpoint.set(value)
    with pytest.raises(Refused, match="takes a number"):
        await unit.temperature_setpoint.set("hot")
    with pytest.raises(Refused, match="can only be read"):
        await unit.temperature.set(37)
    simulator.units[0]._question = lambda name, now: 450  # type: ignore[method-assign]
    with pytest.raises(OutOfRange, match="the unit itself"):
        await unit.temperature_setpoint.set(50)
    with pytest.raises(Refused, match="shows 45"):
        await unit.temperature_setpoint.set(40)


async def test_heating_off_keeps_the_target_and_cools():
    unit, _, _, place = connect()
    await unit.poll()
    assert (await unit.heating.set(False)).value is False
    assert (await unit.temperature_setpoint.read()).value == 37.0
    await asyncio.sleep(20_000)
    assert place.air(asyncio.get_running_loop().time()).cel == pytest.approx(22.0)
    with pytest.raises(Refused, match="true or false"):
        await unit.heating.set(3)


@pytest.mark.parametrize(
    ("name", "value", "raw", "outside"),
    [("amplitude_x_setpoint", 1.5, 15, 3.1), ("amplitude_y_setpoint", 3.0, 30, -0.1),
     ("frequency_x_setpoint", 6.6, 66, 6.5), ("frequency_y_setpoint", 30.0, 300, 30.1),
     ("phase_setpoint", 45, 45, 361)],
)  # fmt: skip
async def test_a_shaker_set_point_changes_its_own_figure_only(name: str, value: float, raw: int, outside: float):
    unit, simulator, _, _ = connect()
    before = list(simulator.units[0].state.shaker)
    assert (await unit.write(name, value)).value == value
    assert [each for each in simulator.units[0].state.shaker if each not in before] == [raw]
    with pytest.raises(OutOfRange):
        await unit.write(name, outside)


async def test_the_shaker_takes_its_settings_over_when_it_starts():
    unit, simulator, _, place = connect()
    await unit.shake_in_circles(1.0, 8.0)
    shaking = asyncio.create_task(unit.shaking.set(True))
    await asyncio.sleep(0.5)
    assert (await unit.frequency_x.read()).why == "the shaker is not stable yet"
    assert (await shaking).value is True
    await asyncio.sleep(3)
    assert (await unit.frequency_x.read()).value == 8.0
    assert place.shaken[1] == (480.0, 1.0)
    await unit.frequency_x_setpoint.set(20.0)
    assert (await unit.frequency_x.read()).value == 8.0
    with pytest.raises(Refused, match="is shaking"):
        await unit.drawer_to(True)
    with pytest.raises(Refused, match="there is a plate"):
        await unit.self_test()
    assert (await unit.shaking.set(False)).value is False
    assert (await unit.shaker_state.read()).value == "off"
    assert place.shaken[1][0] == 0
    with pytest.raises(OutOfRange):
        await unit.shake_in_circles(1.0, 5.0)
    simulator.units[0].state.drawer_open = simulator.units[0].state.drawer_goal = True
    with pytest.raises(Refused, match="is open"):
        await unit.shaking.set(True)


async def test_a_unit_without_a_shaker_refuses_the_shaker_by_name():
    rig = Rig(InhecoIncubator, simulated.InhecoIncubator(chamber()), 2)
    for name in ("shaking", "frequency_x_setpoint"):
        with pytest.raises(Refused, match=f"{name}: the inheco_incubator has no shaker"):
            await rig.driver.read(name)
        with pytest.raises(Refused, match="no shaker"):
            await rig.driver.write(name, 1)
    await rig.driver.drawer_to(True)
    assert (await rig.driver.identify()).type == "Incubator MP"


async def test_what_is_no_answer_is_a_bad_reading():
    unit, simulator, _, place = connect()
    place.set("temperature", "-90")
    assert "cannot be true" in (await unit.temperature.read()).why
    simulator.units[0]._question = lambda name, now: "9x"  # type: ignore[method-assign]
    readings = await unit.poll()
    assert {each.quality for each in readings.values()} == {Quality.BAD}
    assert (await unit.drawer_open.read()).quality is Quality.BAD


# --- the drawer


async def test_the_drawer_is_a_state_and_moves_only_when_it_differs():
    unit, simulator, _, place = connect()
    heard = note(simulator)
    await unit.drawer_to(True)
    assert simulator.units[0].state.drawer_open
    assert place.air(asyncio.get_running_loop().time() + 60).cel < 36.9
    assert (await unit.plate_known.read()).value is False
    await unit.drawer_to(True)
    await unit.drawer_to(False)
    await unit.drawer_to(False)
    assert [text for text in heard if text[3:] in ("AOD", "ACD")] == ["T00AOD", "T00ACD"]


async def test_a_drawer_no_longer_wanted_or_waited_for_is_not_sent():
    unit, simulator, _, _ = connect()
    with pytest.raises(Refused, match="no longer wanted"):
        await unit.drawer_to(True, unless=lambda: True)
    opening = asyncio.create_task(unit.drawer_to(True))
    await asyncio.sleep(1)
    with pytest.raises(Refused, match="still waiting for another movement"):
        await unit.drawer_to(False)
    with pytest.raises(Refused, match="still waiting for another movement"):
        await unit.initialise()
    await opening
    assert simulator.units[0].state.drawer_open


async def test_a_drawer_that_jams_is_a_failed_move():
    unit, simulator, _, _ = connect()
    simulator.units[0]._drawer = lambda now, is_open: None  # type: ignore[method-assign]
    with pytest.raises(MoveFailed, match="not there within 30 s"):
        await unit.drawer_to(True)


@pytest.mark.parametrize("error", range(1, 16))
async def test_every_error_tells_whether_something_may_have_begun(error: int):
    frame = bytes((0xB2, 0x20 + error, 0x60))
    link = ScriptedLink(lambda request: [(0.01, frame)])
    unit = InhecoIncubator(Line(link))
    with pytest.raises(Refused if error in words.NOT_DONE else MoveFailed) as caught:
        await unit._act("AOD")
    assert str(error) in str(caught.value)
    assert len(link.sent) == 1
    with pytest.raises(Refused):
        await unit._ask("RDS")


async def test_initialise_stops_everything_closes_the_drawer_and_is_needed_after_power_loss():
    unit, simulator, rig, place = connect()
    await unit.temperature_setpoint.set(39.0)
    await unit.shaking.set(True)
    rig.host.power_cycle()
    readings = await unit.poll()
    assert [readings[name].value for name in ("initialised", "heating", "shaking")] == [False, False, False]
    assert readings["temperature_setpoint"].value == 39.0
    assert place.shaken[1][0] == 0
    with pytest.raises(Refused, match="not initialised"):
        await unit.drawer_to(True)
    with pytest.raises(Refused, match="initialise it first"):
        await unit.heating.set(True)
    await unit.prepare()
    assert not simulator.units[0].state.initialised
    await unit.initialise()
    await unit.drawer_to(True)
    await unit.initialise()
    assert not simulator.units[0].state.drawer_open
    assert (await unit.heating.set(True)).value is True


async def test_a_self_test_names_what_it_finds():
    unit, simulator, _, _ = connect(plate=0, faults=0b10000000101)
    begun = asyncio.get_running_loop().time()
    assert await unit.self_test() == ("drawer", "bit 2", "main heater line")
    assert asyncio.get_running_loop().time() - begun > 50
    simulator.units[0].state.faults = 0
    assert await unit.self_test() == ()


async def test_a_reset_told_once_is_asked_past_but_never_acted_past():
    unit, _, rig, _ = connect(tells_reset=1)
    await unit.poll()
    rig.host.power_cycle()
    assert (await unit.temperature.read()).value == 36.9
    rig.host.power_cycle()
    with pytest.raises(MoveFailed, match="reset detected"):
        await unit.initialise()


# --- several units behind one port


async def test_units_of_a_stack_share_the_line_and_each_has_its_own_chamber():
    places = [chamber("37.0"), chamber("30.0"), chamber("42.0")]
    simulator = simulated.InhecoIncubatorShaker(places, options={"types": "1,0,3"})
    line = Line(MemoryHost(simulator).link())
    bottom = InhecoIncubatorShaker(line, 2)
    middle = InhecoIncubator(line, 2, {"unit": 1})
    top = InhecoIncubatorShaker(line, 2, {"unit": 2.0})
    seen = await asyncio.gather(*(unit.identify() for unit in (bottom, middle, top)))
    assert [each.type for each in seen] == ["Incubator Shaker MP", "Incubator MP", "Incubator Shaker DWP"]
    assert len({each.serial for each in seen}) == 3
    readings = await asyncio.gather(*(unit.poll() for unit in (bottom, middle, top)))
    assert [each["temperature"].value for each in readings] == [37.0, 30.0, 42.0]
    await asyncio.gather(middle.drawer_to(True), top.shaking.set(True))
    states = [unit.state for unit in simulator.units]
    assert [state.drawer_open for state in states] == [False, True, False]
    assert [state.shaking for state in states] == [False, False, True]
    with pytest.raises(WrongDevice, match=r"floor ID error"):
        await InhecoIncubator(line, 2, {"unit": 3}).identify()
    with pytest.raises(WrongDevice, match="its model is inheco_incubator_shaker"):
        await InhecoIncubator(line, 2).identify()
    with pytest.raises(WrongDevice, match="its model is inheco_incubator"):
        await InhecoIncubatorShaker(line, 2, {"unit": 1}).identify()


def test_a_stack_has_one_to_six_units_and_a_driver_knows_its_own():
    with pytest.raises(ValueError, match="1 to 6 units"):
        simulated.InhecoIncubator([chamber()] * 7)
    with pytest.raises(ValueError, match="2 types"):
        simulated.InhecoIncubator(chamber(), options={"types": "0,1"})
    for address, unit in ((2, 6), (16, 0)):
        with pytest.raises(ValueError, match="unit is 0 to 5"):
            InhecoIncubator(Line(ScriptedLink()), address, {"unit": unit})


async def test_another_address_is_never_taken_nor_given():
    other = simulated.InhecoIncubator(chamber(), address=3)
    assert ask(other, "09 32 C6 54 30 30 52 54 53 46") == b""
    rig = Rig(InhecoIncubator, other, 2)
    with pytest.raises(NoAnswer):
        await rig.driver.identify()
    with pytest.raises(NoAnswer):
        await InhecoIncubator(Line(ScriptedLink(lambda request: [(0.01, bytes.fromhex("B3 30 B3 20 60"))]))).identify()
    with pytest.raises(WrongDevice, match="type 7"):
        await InhecoIncubator(Line(ScriptedLink(lambda request: [(0.01, bytes.fromhex("B2 37 B2 20 60"))]))).identify()
    said = [bytes.fromhex("B2 30 B2 20 60"), bytes.fromhex("B2 31 B2 20 60")]
    with pytest.raises(WrongDevice, match="the stack has 1 units"):
        link = ScriptedLink(lambda request: [(0.01, said.pop(0))])
        await InhecoIncubator(Line(link), 2, {"unit": 2}).identify()


def test_the_simulator_answers_damage_and_nonsense_with_its_errors():
    simulator = simulated.InhecoIncubatorShaker(chamber())
    assert ask(simulator, "09 32 C6 54 30 30 52 54 53 47") == bytes.fromhex("B2 24 60")
    unit = simulator.units[0]
    for command, error in (
        ("RXX", 2), ("XYZ", 2), ("STT9999", 3), ("STTx", 3), ("SHE2", 3), ("SSP31,0,100,100,90", 3),
        ("SSP1,2,3", 3), ("SSP0,0,100,100,400", 3), ("ASE7", 2), ("STT0", 0), ("RDT", 0), ("RCM", 0), ("RAX2", 0),
    ):  # fmt: skip
        assert unit.answer(command, 0.0)[1] == error, command
    assert simulated.InhecoIncubator(chamber()).units[0].answer("ASEND", 0.0)[1] == 2
    unit.answer("AOD", 1.0)
    assert unit.answer("ASEND", 2.0)[1] == 9
    unit.answer("AID", 3.0)
    assert unit.answer("AQS", 4.0)[1] == 8
    bare = simulated.InhecoIncubator(chamber(), options={"initialised": 0}).units[0]
    assert [bare.answer(command, 0.0)[1] for command in ("AOD", "STT370", "RTT")] == [7, 7, 0]
    assert ask(simulator, "0C 32 C9 54 30 30 52 44 41", 10.0) == b""
    assert ask(simulator, "09 32 C6 54 30 30 52 54 53 46", 20.0) == bytes.fromhex("B2 31 B2 20 60")
    simulator.receive(Bytes(b"\x0c\x32"), 21.0)
    simulator.receive(Opened(), 21.1)
    assert ask(simulator, "09 32 C6 54 30 30 52 54 53 46", 21.2) == bytes.fromhex("B2 31 B2 20 60")


def test_noise_comes_with_a_seed_and_a_restored_unit_goes_on_with_it():
    place = chamber()
    noisy = simulated.InhecoIncubatorShaker(place, seed=5)
    told = {ask(noisy, "0A 32 C7 54 30 30 52 41 54 31 62") for _ in range(50)}
    assert len(told) > 1
    noisy.units[0].answer("AOD", 5.0)
    noisy.receive(Bytes(bytes.fromhex("0A 32 C7 54 30")), 6.0)
    twin = simulated.InhecoIncubatorShaker(place, seed=5)
    twin.restore(json.loads(json.dumps(noisy.snapshot())))
    assert twin.wake_at == noisy.wake_at == 9.0
    twin._heard_at = 6.0
    assert ask(twin, "30 52 41 54 31 62", 6.1) == ask(noisy, "30 52 41 54 31 62", 6.1) != b""
    twin.wake(9.0)
    assert twin.units[0].state.drawer_open
    assert twin.wake_at is None


# --- bad wires


async def test_a_lost_link_while_the_drawer_moves_leaves_it_unknown():
    unit, _, rig, _ = connect()
    opening = asyncio.create_task(unit.drawer_to(True))
    await asyncio.sleep(1)
    rig.host.sever()
    with pytest.raises(LinkLost):
        await opening


async def test_silence_while_the_drawer_moves_is_waited_out_or_told():
    unit, simulator, rig, _ = connect()
    opening = asyncio.create_task(unit.drawer_to(True))
    await asyncio.sleep(1)
    rig.fault("silence:for_s=8")
    await opening
    assert simulator.units[0].state.drawer_open
    closing = asyncio.create_task(unit.drawer_to(False))
    await asyncio.sleep(1)
    rig.fault("silence")
    with pytest.raises(NoAnswer, match="not known to have ended"):
        await closing


@pytest.mark.parametrize("seed", range(60))
async def test_a_drawer_on_a_spoilt_cable_is_told_to_move_at_most_once(seed: int):
    unit, simulator, rig, _ = connect()
    heard = note(simulator)
    chance = Random(seed)
    for kind in chance.sample(("drop", "duplicate", "truncate", "hang-up", "delay"), 2):
        rig.fault(f"{kind}:every={chance.randint(2, 5)}", seed)
    arrived = refused = False
    try:
        await unit.drawer_to(True)
        arrived = True
    except Refused:
        refused = True
    except (NoAnswer, BadFrame, LinkLost, MoveFailed):
        pass
    simulator.wake(asyncio.get_running_loop().time())
    assert heard.count("T00AOD") <= 1
    if arrived:
        assert simulator.units[0].state.drawer_open
    if refused:
        assert not simulator.units[0].state.drawer_goal


def test_what_is_told_right_behind_an_initialisation_is_done_after_it():
    simulator = simulated.InhecoIncubatorShaker(chamber())
    for name in ("initialise", "target", "heat"):
        assert ask(simulator, GOLDEN[name].request.hex()).hex() == "b22060"
    assert ask(simulator, GOLDEN["open drawer"].request.hex(), 0.5).hex() == "b22060"
    assert ask(simulator, GOLDEN["drawer"].request.hex(), 8.0) == GOLDEN["drawer"].reply
    simulator.wake(10.5)
    assert ask(simulator, GOLDEN["drawer"].request.hex(), 10.5).hex() == "b231b22060"
    assert simulator.units[0].state.heating
