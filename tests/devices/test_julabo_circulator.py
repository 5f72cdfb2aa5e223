"""JULABO circulators: the sheet's lines at both ends, silence that is proved, families, alarms, panel, damage."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any, cast

import pytest

from drivers.catalogue import find
from drivers.core.device import Device, LinkLoss
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.signals import Identity, Quality
from drivers.devices.julabo_circulator import JulaboCorioCd, JulaboCorioCp, JulaboDyneo, JulaboMagio
from drivers.devices.julabo_circulator.driver import JulaboCirculator
from drivers.devices.julabo_circulator.replies import number, status, version
from simulators.core.simulator import Bytes, Send
from simulators.devices import julabo_circulator as simulated
from tests.devices.golden import golden
from tests.devices.rig import Rig

GOLDEN = golden(
    "julabo_circulator",
    r"""
    examples | L | > 69 6E 5F 70 76 5F 30 30 0D                               | < 33 36 2E 39 38 0D 0A | bath
    examples | L | > 6F 75 74 5F 73 70 5F 30 30 20 33 37 2E 30 30 0D          | < -                    | set 37
    examples | L | > 73 74 61 74 75 73 0D | < 30 33 20 52 45 4D 4F 54 45 20 53 54 41 52 54 0D 0A       | remote start
    examples | L | > "out_mode_05 1\r"    | < -                                                        | start
    examples | L | > "out_sp_00 999\r"    | < -                                                        | too large
    examples | L | > "status\r"           | < "-11 VALUE TOO LARGE\r\n"                                | rejected
    manual   | V | > "OUT_SP_00 55.5\r"   | < -                                                        | OUT_SP_00
    manual   | V | > "in_sp_00\r"         | < "55.5\r\n"                                               | 55.5
    manual   | V | > "version\r"          | < "JULABO CORIO CD-200F VERSION 1.0\r\n"                   | who
    manual   | V | > "in_pv_00\r"         | < "36.98\n"                                                | LF alone
    commands | L | > "in_mode_05\r"       | < "1\r\n"                                                  | running
    """,
)
MODELS = {
    "julabo_corio_cd": simulated.JulaboCorioCd,
    "julabo_corio_cp": simulated.JulaboCorioCp,
    "julabo_magio": simulated.JulaboMagio,
    "julabo_dyneo": simulated.JulaboDyneo,
}


class Tank:
    """Water as warm as the test says; remembers what it is heated to."""

    def __init__(self, cel: float = 36.98) -> None:
        self.cel = cel
        self.target: float | None = None

    def bath_cel(self, now: float) -> float:
        return self.cel

    def heat_to(self, now: float, cel: float | None) -> None:
        self.target = cel


class Bench:
    """A tank, a circulator and its driver."""

    def __init__(self, model: str = "julabo_corio_cd", seed: int | None = None, **options: Any) -> None:
        self.tank = Tank()
        self.device = MODELS[model](self.tank, seed=seed, options=options)
        self.rig: Rig[Device] = Rig(find(model), self.device)
        self.driver = cast("JulaboCirculator", self.rig.driver)

    async def connect(self) -> Bench:
        await self.driver.identify()
        await self.driver.prepare()
        return self

    @property
    def state(self) -> simulated.State:
        return self.device.state


def ask(device: simulated.JulaboCirculator, text: str, now: float = 0.0) -> str:
    actions = device.receive(Bytes(text.encode() + b"\r"), now)
    return b"".join(action.data for action in actions if isinstance(action, Send)).decode()


# --- the sheet, at both ends


def test_the_simulator_says_what_the_sheet_says():
    device = simulated.JulaboCorioCd(Tank())
    GOLDEN.check_simulator(device, "bath", "who", "set 37", now=0.0)
    GOLDEN.check_simulator(device, "start", now=1.0)
    GOLDEN.check_simulator(device, "remote start", "running", "too large", now=2.0)
    GOLDEN.check_simulator(device, "rejected", "remote start", now=3.0)
    old = simulated.JulaboCorioCd(Tank(), options={"decimals": 1})
    GOLDEN.check_simulator(old, "OUT_SP_00", now=0.0)
    GOLDEN.check_simulator(old, "55.5", now=1.0)
    GOLDEN.check_simulator(simulated.JulaboCorioCd(Tank(), options={"line_end": "lf"}), "LF alone")
    assert GOLDEN.verified


async def test_the_driver_understands_the_published_lines():
    async with GOLDEN.line("who", "remote start", "bath", "bath", "remote start", "LF alone") as line:
        driver = JulaboCorioCd(line)
        assert await driver.identify() == Identity("JULABO", "CORIO CD-200F", "", "1.0")
        assert (await driver.temperature.read()).value == 36.98
        assert (await driver.temperature.read()).value == 36.98
    async with GOLDEN.line("remote start", "55.5", "55.5", "remote start") as line:
        driver = JulaboCorioCd(line)
        assert (await driver.temperature_setpoint.read()).value == 55.5
        assert (await driver.status.read()).value == "remote start"


async def test_the_driver_sets_as_the_sheet_does_and_is_told_no_by_the_next_status():
    script = ("remote start", "set 37", "rejected", "remote start")
    async with GOLDEN.line(*script) as line:
        with pytest.raises(Refused, match="too large") as caught:
            await JulaboCorioCd(line).temperature_setpoint.set(37.0)
        assert caught.value.code == "-11 VALUE TOO LARGE"
    async with GOLDEN.line("remote start", "start", "remote start", "running", "running") as line:
        assert (await JulaboCorioCd(line).running.set(True)).value is True


# --- who it is


@pytest.mark.parametrize("other", MODELS)
@pytest.mark.parametrize("model", MODELS)
async def test_another_family_is_the_wrong_device(model: str, other: str):
    rig: Rig[Device] = Rig(find(model), MODELS[other](Tank()))
    if model == other:
        assert (await rig.driver.identify()).firmware == "1.0"
    else:
        with pytest.raises(WrongDevice, match="JULABO"):
            await rig.driver.identify()


def test_a_name_of_another_maker_is_no_circulator():
    for line in ("", "HUBER CC1", "JULABO", "JULABO CORIO JULABO CORIO CD", "x JULABO CORIO CD", "*ER"):
        with pytest.raises(BadFrame):
            version(line)
    assert version("Julabo FP50 Version 2.1") == ("FP50", "2.1")
    assert version("JULABO MAGIO MS-310F") == ("MAGIO MS-310F", "")


# --- readings


@pytest.mark.parametrize("model", MODELS)
async def test_every_signal_of_a_family_is_read(model: str):
    bench = await Bench(model).connect()
    readings = await bench.driver.poll()
    assert set(readings) == set(bench.driver.specs())
    values = {name: each.value for name, each in readings.items()}
    expected: dict[str, Any] = {
        "temperature": 36.98, "temperature_setpoint": 25.0, "running": False, "heating_power": 0.0,
        "safety_temperature": 36.98, "excess_temperature_protection": 120.0, "status": "remote stop", "alarm": False,
        "high_warning": 200.0, "low_warning": -30.0, "external_temperature": 36.98, "pump_stage": 2.0,
    }  # fmt: skip
    assert values == {name: expected[name] for name in values}


async def test_limits_are_read_seldom():
    bench = await Bench("julabo_magio").connect()
    limits = {"excess_temperature_protection", "high_warning", "low_warning"}
    assert limits <= set(await bench.driver.poll())
    assert not limits & set(await bench.driver.poll())
    assert set(bench.driver.seldom) == limits
    await asyncio.sleep(600)
    assert limits <= set(await bench.driver.poll())


async def test_a_question_the_device_does_not_know_is_asked_once_and_its_error_is_cleared():
    bench = await Bench("julabo_magio").connect()
    bench.device.known = simulated.CORIO_CP  # type: ignore[misc]
    reading = (await bench.driver.poll())["pump_stage"]
    assert reading.quality is Quality.BAD
    assert "does not know in_sp_07 (-08 INVALID COMMAND)" in reading.why
    assert bench.state.rejected == 0
    start = asyncio.get_running_loop().time()
    assert "does not know" in (await bench.driver.poll())["external_temperature"].why
    assert asyncio.get_running_loop().time() - start < 2
    del bench.device.known
    await bench.driver.prepare()
    assert (await bench.driver.poll())["pump_stage"].value == 2.0


async def test_a_lost_answer_is_not_a_missing_command():
    bench = await Bench().connect()
    await bench.driver.poll()
    hear = bench.device.message
    bench.device.message = lambda text, now: b"" if text == b"in_pv_01" else hear(text, now)  # type: ignore[method-assign]
    assert "no answer" in (await bench.driver.poll())["heating_power"].why
    bench.device.message = hear  # type: ignore[method-assign]
    assert (await bench.driver.poll())["heating_power"].value == 0.0


async def test_a_missing_external_sensor_is_bad_in_the_devices_words():
    bench = await Bench("julabo_dyneo", external=0).connect()
    assert "---.--" in (await bench.driver.poll())["external_temperature"].why


@pytest.mark.parametrize(
    ("code", "condemned"),
    [(-1, set[str]()), (-3, set[str]()), (-5, {"temperature"}), (-6, {"temperature", "safety_temperature"}),
     (-15, {"external_temperature"}), (-33, {"safety_temperature"}), (-38, {"external_temperature"}),
     (-60, set[str]()), (-1501, set[str]())],
)  # fmt: skip
async def test_an_alarm_is_told_and_condemns_what_its_sensor_measures(code: int, condemned: set[str]):
    bench = await Bench("julabo_magio").connect()
    await bench.driver.write("running", True)
    bench.device.trip(code, asyncio.get_running_loop().time())
    readings = await bench.driver.poll()
    assert {name for name, each in readings.items() if each.quality is not Quality.GOOD} == condemned
    assert str(readings["status"].value).startswith(f"{code:03d} ")
    assert readings["alarm"].value is True
    assert readings["running"].value is (code in simulated.WARNINGS)
    assert all(f"{code:03d}" in readings[name].why for name in condemned)
    if condemned:
        assert (await bench.driver.read(condemned.pop())).quality is Quality.BAD
    bench.device.acknowledge()
    assert (await bench.driver.alarm.read()).value is False  # type: ignore[attr-defined]


async def test_a_value_that_cannot_be_true_is_bad():
    bench = await Bench().connect()
    bench.tank.cel = 900.0
    reading = (await bench.driver.poll())["temperature"]
    assert "cannot be true" in reading.why


# --- set points


async def test_a_set_point_is_taken_proved_and_acted_upon():
    bench = await Bench().connect()
    assert (await bench.driver.write("temperature_setpoint", 37.25)).value == 37.25
    assert bench.tank.target is None
    assert (await bench.driver.write("running", True)).value is True
    assert bench.tank.target == 37.25
    readings = await bench.driver.poll()
    assert (readings["status"].value, readings["heating_power"].value) == ("remote start", 5.4)
    await bench.driver.write("temperature_setpoint", 4.0)
    assert (await bench.driver.read("heating_power")).value == -100.0
    await bench.driver.write("running", False)
    assert bench.tank.target is None


@pytest.mark.parametrize("value", [-31.0, 201.0])
async def test_a_set_point_outside_the_table_is_not_sent(value: float):
    bench = await Bench().connect()
    with pytest.raises(OutOfRange):
        await bench.driver.write("temperature_setpoint", value)
    assert bench.state.deaf_until == 0.0


@pytest.mark.parametrize(
    ("options", "state", "value", "code"),
    [({"high_cel": 80}, {}, 90.0, "-11"), ({"low_cel": 5}, {}, 4.0, "-10"), ({}, {"high_cel": 60.0}, 61.0, "-13")],
)
async def test_the_devices_own_limits_refuse_by_code(
    options: dict[str, float], state: dict[str, float], value: float, code: str
):
    bench = await Bench(**options).connect()
    for name, limit in state.items():
        setattr(bench.state, name, limit)
    with pytest.raises(Refused, match=code):
        await bench.driver.write("temperature_setpoint", value)
    assert (await bench.driver.read("temperature_setpoint")).value == 25.0
    assert (await bench.driver.read("status")).value == "remote stop"


async def test_nothing_is_sent_to_a_device_in_manual_mode():
    bench = await Bench(remote=0).connect()
    with pytest.raises(Refused, match="remote control"):
        await bench.driver.write("running", True)
    assert bench.state.deaf_until == 0.0
    bench.device.take_over(True)
    assert (await bench.driver.write("running", True)).value is True


async def test_a_person_who_switches_to_manual_in_between_is_noticed():
    bench = await Bench().connect()
    tell = bench.driver._tell

    async def tell_too_late(command: str) -> None:
        bench.device.take_over(False)
        await tell(command)

    bench.driver._tell = tell_too_late  # type: ignore[method-assign]
    with pytest.raises(Refused, match="operating mode"):
        await bench.driver.write("running", True)
    assert not bench.state.running


async def test_a_device_in_alarm_does_not_start_and_says_why():
    bench = await Bench().connect()
    bench.device.trip(-1, 0.0)
    with pytest.raises(Refused, match="operating mode"):
        await bench.driver.write("running", True)
    bench.device._mode = lambda value, now: b""  # type: ignore[method-assign]
    with pytest.raises(Refused, match="LOW LEVEL"):
        await bench.driver.write("running", True)


async def test_a_device_with_coarser_steps_refuses_what_it_cannot_keep():
    bench = await Bench(decimals=0).connect()
    with pytest.raises(Refused, match=r"37\.0"):
        await bench.driver.write("temperature_setpoint", 37.25)
    assert (await bench.driver.write("temperature_setpoint", 38.0)).value == 38.0


async def test_a_model_that_shows_one_decimal_is_read_back_to_that_one():
    bench = await Bench(decimals=1).connect()
    assert (await bench.driver.write("temperature_setpoint", 36.87)).value == 36.9
    bench.device._set_point = lambda value, now: b""  # type: ignore[method-assign]
    with pytest.raises(Refused, match="read-back"):
        await bench.driver.write("temperature_setpoint", 37.0)


@pytest.mark.parametrize(("name", "value"), [("temperature_setpoint", "37"), ("temperature_setpoint", float("nan")),
    ("temperature_setpoint", True), ("running", 1.0), ("temperature", 37.0), ("status", "x")])  # fmt: skip
async def test_what_is_no_value_is_refused(name: str, value: Any):
    bench = await Bench().connect()
    with pytest.raises(Refused):
        await bench.driver.write(name, value)
    assert bench.state.deaf_until == 0.0


async def test_a_setting_command_goes_out_once():
    bench = await Bench().connect()
    sent: list[bytes] = []
    hear = bench.device.message
    bench.device.message = lambda text, now: (sent.append(text), hear(text, now))[1]  # type: ignore[method-assign]
    await bench.driver.write("temperature_setpoint", 30.0)
    assert sent.count(b"out_sp_00 30.00") == 1
    assert sent[0] == b"status"


# --- the simulator


def test_it_takes_either_case_and_says_nothing_to_what_it_does_not_know():
    device = simulated.JulaboCorioCd(Tank())
    assert ask(device, "IN_PV_00") == "36.98\r\n"
    for wrong in ("in_pv_02", "in_sp_07", "in_pv_00 1", "out_sp_01 5", "hello", "out_sp_00", "out_sp_00 3x",
                  "out_mode_05 2"):  # fmt: skip
        assert ask(device, wrong, 100.0) == ""
        device.state.deaf_until = 0.0
        assert ask(device, "status", 100.0) == "-08 INVALID COMMAND\r\n"
        assert ask(device, "status", 100.0) == "02 REMOTE STOP\r\n"
    device.take_over(False)
    assert ask(device, "status") == "00 MANUAL STOP\r\n"


def test_a_command_right_behind_a_setting_one_is_lost():
    device = simulated.JulaboCorioCd(Tank())
    assert ask(device, "out_sp_00 37", 10.0) == ask(device, "status", 10.1) == ""
    assert ask(device, "status", 10.25) == "02 REMOTE STOP\r\n"


async def test_the_serial_watchdog_stops_a_device_that_gets_no_set_point():
    bench = await Bench(watchdog=1).connect()
    await bench.driver.write("running", True)
    await asyncio.sleep(20)
    await bench.driver.write("temperature_setpoint", 37.0)
    await asyncio.sleep(20)
    assert bench.state.running
    await asyncio.sleep(11)
    readings = await bench.driver.poll()
    assert (readings["running"].value, readings["status"].value) == (False, "-1501 SERIAL WATCHDOG ALARM")
    assert bench.tank.target is None


def test_too_hot_a_bath_trips_the_excess_temperature_protection():
    tank = Tank()
    device = simulated.JulaboCorioCd(tank)
    ask(device, "out_mode_05 1", 0.0)
    tank.cel = 121.0
    assert ask(device, "status", 1.0) == "-14 EXCESS TEMPERATURE PROTECTION ALARM\r\n"
    assert tank.target is None


@pytest.mark.parametrize(("autostart", "target"), [(0, None), (1, 37.0)])
def test_power_loss_keeps_the_set_point_and_stops_unless_it_starts_by_itself(autostart: int, target: float | None):
    tank = Tank()
    device = simulated.JulaboCorioCd(tank, options={"autostart": autostart})
    ask(device, "out_sp_00 37", 0.0)
    ask(device, "out_mode_05 1", 1.0)
    assert device.power_cycle(2.0) == []
    assert (device.state.set_cel, tank.target) == (37.0, target)
    assert ask(device, "in_mode_05", 3.0) == f"{autostart}\r\n"


def test_a_restored_device_goes_on_with_the_same_error_and_noise():
    tank = Tank()
    device = simulated.JulaboMagio(tank, seed=5)
    ask(device, "out_sp_00 999", 0.0)
    device.receive(Bytes(b"sta"), 1.0)
    twin = simulated.JulaboMagio(tank, seed=5)
    twin.restore(json.loads(json.dumps(device.snapshot())))
    assert ask(twin, "tus", 1.0) == ask(device, "tus", 1.0) == "-11 VALUE TOO LARGE\r\n"
    values = [ask(device, "in_pv_00", 2.0) for _ in range(9)]
    assert [ask(twin, "in_pv_00", 2.0) for _ in range(9)] == values
    assert len(set(values)) > 1


async def test_a_reply_takes_its_time_on_the_cable():
    bench = await Bench().connect()
    await asyncio.sleep(1)
    start = asyncio.get_running_loop().time()
    await bench.driver.read("status")
    assert asyncio.get_running_loop().time() - start == pytest.approx(0.05 + (7 + 16) * 10 / 4800, abs=1e-5)


# --- damage


async def test_a_late_second_copy_of_an_answer_spoils_the_poll_and_not_a_value():
    """All values are near each other, so that only the order can show it."""
    bench = await Bench("julabo_magio").connect()
    bench.tank.cel = 25.01
    await bench.driver.poll()
    hear = bench.device.message
    for late_s in (0.01, 0.03, 0.06, 0.1, 0.2):

        def twice(text: bytes, now: float, late_s: float = late_s) -> bytes | list[Any]:
            answer = hear(text, now)
            if text != b"in_pv_00" or not isinstance(answer, bytes):
                return answer
            bench.device.message = hear  # type: ignore[method-assign]
            return [Send(0.08, answer), Send(0.08 + late_s, answer)]

        bench.device.message = twice  # type: ignore[method-assign]
        with pytest.raises(BadFrame):
            await bench.driver.poll()
        assert (await bench.driver.poll())["temperature_setpoint"].value == 25.0


async def test_a_doubled_digit_is_asked_for_again_and_not_believed():
    bench = await Bench().connect()
    await bench.driver.poll()
    hear = bench.device.message

    def doubled(text: bytes, now: float) -> bytes | list[Any]:
        if text != b"in_pv_00":
            return hear(text, now)
        bench.device.message = hear  # type: ignore[method-assign]
        return b"336.98\r\n"

    bench.device.message = doubled  # type: ignore[method-assign]
    reading = (await bench.driver.poll())["temperature"]
    assert reading.value is None
    assert "336.98" in reading.why
    assert (await bench.driver.poll())["temperature"].value == 36.98


def test_three_hundred_damaged_states_are_the_state_or_a_bad_frame():
    line = "03 REMOTE START"
    dice = random.Random(20260105)
    refused = 0
    for _ in range(300):
        at, what = dice.randrange(len(line)), dice.randrange(4)
        odd = dice.choice("xyz#\x00\x8d-4")
        damaged = (line[:at], line[:at] + odd + line[at + 1 :], line[:at] + line[at + 1 :], line[: at + 1] + line[at:])
        try:
            told = status(damaged[what])
        except BadFrame:
            refused += 1
            continue
        assert told.code == 3
    assert refused > 250
    assert number("---.--") is number("1e5") is number("") is None


async def test_endless_bytes_and_a_status_that_stays_rejected_are_bad_frames():
    bench = await Bench().connect()
    bench.device.message = lambda text, now: b"0" * 300  # type: ignore[method-assign]
    with pytest.raises(BadFrame, match="line end"):
        await bench.driver.poll()
    bench.device.message = lambda text, now: b"-08 INVALID COMMAND\r\n"  # type: ignore[method-assign]
    with pytest.raises(BadFrame, match="stays -08"):
        await bench.driver.poll()


async def test_a_device_that_falls_silent_in_a_poll_is_not_asked_for_every_signal():
    bench = await Bench("julabo_magio").connect()
    bench.rig.fault("silence:after_s=0.3")
    start = asyncio.get_running_loop().time()
    with pytest.raises(NoAnswer):
        await bench.driver.poll()
    assert asyncio.get_running_loop().time() - start < 10


async def test_a_device_that_is_switched_off_is_no_answer():
    bench = await Bench().connect()
    bench.rig.fault("silence")
    with pytest.raises(NoAnswer):
        await bench.driver.poll()
    with pytest.raises(WireError):
        await bench.driver.write("running", True)


# --- what the drivers declare


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("kind", [JulaboCorioCd, JulaboCorioCp, JulaboMagio, JulaboDyneo])
def test_a_circulator_keeps_its_set_point_without_us(kind: type[JulaboCirculator]):
    assert kind.on_link_loss is LinkLoss.KEEPS_SETPOINTS
    assert "-1501" in kind.watchdog
    assert kind.verified is None


def test_blanks_and_a_line_feed_around_a_command_are_passed_over():
    device = simulated.JulaboCorioCd(Tank())
    assert ask(device, "OUT_SP_00  41.5 ") == ""
    assert ask(device, "\n in_sp_00 ", 1.0) == "41.50\r\n"
