"""PyroScience meters: the sheet's lines on both ends, both dialects, channels, status bits, settings, calibration."""

from __future__ import annotations

import asyncio
import json

import pytest

from drivers.catalogue import find
from drivers.core.device import LinkLoss
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.devices.pyroscience_firesting import (
    PyroScienceFireStingO2,
    PyroScienceFireStingO2Old,
    PyroScienceFireStingProO2,
    PyroScienceFireStingProPh,
    PyroScienceFireStingProTemp,
    PyroSciencePicoO2,
    PyroSciencePicoPh,
)
from drivers.devices.pyroscience_firesting.driver import Unified
from drivers.devices.pyroscience_firesting.meter import PyroScienceMeter
from drivers.devices.pyroscience_firesting.replies import numbers, status_words
from simulators.core.hosts import MemoryHost
from simulators.core.simulator import Bytes, Send
from simulators.core.surroundings import Liquid
from simulators.devices import pyroscience_firesting as simulated
from simulators.devices.pyroscience_firesting import optics
from simulators.devices.pyroscience_firesting.meter import Meter
from tests.devices.golden import golden

GOLDEN = golden(
    "pyroscience_firesting",
    r"""
    Examples | V | > "#IDNR\r"             | < "#IDNR 2296536137892833272\r"  | number
    Examples | V | > "SVS 1\r"             | < "SVS 1\r"                      | save
    Examples | V | > "#WRUM 0 2 -16 777\r" | < "#WRUM 0 2 -16 777\r"          | user memory
    Commands | V | > "#RDUM 0 2\r"         | < "#RDUM 0 2 -16 777\r"          | user memory back
    Examples | H | > "#PDWN\r"             | < "#PDWN\r"                      | power down
    Examples | H | > "#PWUP\r"             | < "#PWUP\r"                      | power up
    Commands | V | > "#LOGO\r"             | < "#LOGO\r"                      | which one
    Examples | H | > "WTM 1 0 2 1 7500\r"  | < "WTM 1 0 2 1 7500\r"           | salinity
    Examples | H | > "WTM 1 0 0 1 21500\r" | < "WTM 1 0 0 1 21500\r"          | fixed temperature
    Commands | V | > "RMR 1 0 19 2\r"      | < "#ERRO -11\r"                  | no such register
    Oddities | V | > "WTM 1 0 2 1 7.5\r"   | < "#ERRO -1\r"                   | no whole number
    Examples | H | > "#STOP\r"             | < "#STOP\r"                      | deep sleep
    Examples | H | > "\r"                  | < "\r"                           | wake up
    Examples | X | > 4D 45 41 20 31 20 34 37 0D | < "MEA 1 47 0 25730 251234 187540 98230 37012 31250 152300 1200 1009870 35400 114380 18751 0 0 0 0 0\r" | everything
    Examples | X | > "RMR 1 3 5 1\r"       | < "RMR 1 3 5 1 37012\r"          | one result
    Examples | X | > "WTM 1 0 0 1 -300000\r" | < "WTM 1 0 0 1 -300000\r"      | use the Pt100
    Examples | X | > "MEA 9 47\r"          | < "#ERRO -2\r"                   | no such channel
    Commands | S | > "CLO 1 16 0\r"        | < "CLO 1 16 0\r"                 | zero of an old meter
    """,  # noqa: E501 - lines stay as the sheet prints them
)


class Beaker:
    """An immersion whose liquid the test pours."""

    def __init__(self, cel: float = 37.0, ph: float = 7.4, do_percent: float = 95.0) -> None:
        self.now_in_it = Liquid(cel, ph, do_percent)

    def liquid(self, now: float) -> Liquid:
        return self.now_in_it


PAIRS: dict[type[PyroScienceMeter], type[Meter]] = {
    PyroScienceFireStingProO2: simulated.FireStingProO2,
    PyroScienceFireStingProPh: simulated.FireStingProPh,
    PyroScienceFireStingProTemp: simulated.FireStingProTemperature,
    PyroSciencePicoO2: simulated.PicoO2,
    PyroSciencePicoPh: simulated.PicoPh,
    PyroScienceFireStingO2: simulated.FireStingO2,
    PyroScienceFireStingO2Old: simulated.FireStingO2Old,
}


class Bench:
    """A simulated meter in one beaker or several, and a driver for one of its channels."""

    def __init__(
        self,
        kind: type[PyroScienceMeter] = PyroScienceFireStingProO2,
        *beakers: Beaker,
        channel: int = 1,
        **options: float | str,
    ) -> None:
        self.beakers = beakers or (Beaker(),)
        self.meter = PAIRS[kind](self.beakers, options=options)
        self.host = MemoryHost(self.meter)
        self.line = Line(self.host.link())
        self.driver = kind(self.line, 0, {"channel": channel})


def say(meter: Meter, text: str, now: float = 0.0) -> str:
    actions = meter.receive(Bytes(text.encode()), now)
    return b"".join(action.data for action in actions if isinstance(action, Send)).decode()


# -- the sheet, on each end


def test_the_simulator_says_what_the_sheet_says():
    meter = simulated.FireStingProO2(Beaker())
    GOLDEN.check_simulator(meter, "number", "save", "user memory", "user memory back", "power down")
    GOLDEN.check_simulator(
        meter, "power up", "which one", "salinity", "fixed temperature", "no such register", "no whole number"
    )
    GOLDEN.check_simulator(meter, "deep sleep", "wake up", "use the Pt100", "no such channel")
    meter.state.results[0][5] = 37012
    GOLDEN.check_simulator(meter, "one result")
    GOLDEN.check_simulator(simulated.FireStingO2Old(Beaker()), "zero of an old meter")
    assert GOLDEN.verified


def test_the_simulators_measurement_has_the_layout_of_the_derived_example():
    words = say(simulated.FireStingProO2(Beaker(37.012)), "MEA 1 47\r").split(" ")
    assert words[:4] == ["MEA", "1", "47", "0"]
    assert len(words) == len(GOLDEN["everything"].reply.split())
    assert words[8] == "37012"  # R5, as the FireSting-PRO clients read it (F)
    ph = say(simulated.FireStingProPh(Beaker(ph=7.123)), "MEA 4 47\r\n").split(" ")
    assert ph[17] == "7123"  # R14 (F)


async def test_the_driver_reads_the_sheets_lines():
    async with GOLDEN.line("everything") as line:
        readings = await PyroScienceFireStingProO2(line)._poll_results()
        assert {name: reading.value for name, reading in readings.items()} == {
            "dissolved_oxygen": 98.23, "oxygen_concentration": 251.234, "oxygen_pressure": 187.54,
            "oxygen_fraction": 18.751, "temperature": 37.012, "case_temperature": 31.25, "phase": 25.73,
            "signal_intensity": 152.3, "ambient_light": 1.2, "pressure": 1009.87, "humidity": 35.4,
            "sensor_status": "good",
        }  # fmt: skip
    async with GOLDEN.line("one result", "use the Pt100", "save", "number") as line:
        driver = PyroScienceFireStingProO2(line)
        assert await driver.registers(3, 5, 1) == (37012,)
        await driver.set_registers(0, 0, -300000)
        await driver.save()
        assert await driver._ask("#IDNR", 1) == (2296536137892833272,)
    async with GOLDEN.line("user memory", "user memory back", "power down", "deep sleep", "wake up") as line:
        pro = PyroScienceFireStingProO2(line)
        await pro.write_memory(0, -16, 777)
        await pro.power_down()
        await pro.sleep()
        await pro.wake_up()
    async with GOLDEN.line("power up", "which one", "salinity", "fixed temperature", "no such register") as line:
        pro = PyroScienceFireStingProO2(line)
        await pro.power_up()
        await pro.flash_led()
        await pro.set_registers(0, 2, 7500)
        await pro.set_registers(0, 0, 21500)
        with pytest.raises(Refused, match="no such register"):
            await pro.registers(0, 19, 2)
    async with GOLDEN.line("no such channel") as line:
        with pytest.raises(Refused, match="no such channel"):
            await PyroScienceFireStingProO2(line, 0, {"channel": 9}).measure(47)
    async with GOLDEN.line("zero of an old meter") as line:
        await PyroScienceFireStingO2Old(line)._do("CLO 1 16 0")


# -- who it is


@pytest.mark.parametrize(
    ("kind", "type_name", "firmware"),
    [(PyroScienceFireStingProO2, "meter 7", "4.03"), (PyroSciencePicoPh, "Pico-pH", "4.03"),
     (PyroScienceFireStingO2, "FireStingO2", "3.22")],
)  # fmt: skip
async def test_a_meter_tells_type_serial_and_firmware(kind: type[PyroScienceMeter], type_name: str, firmware: str):
    identity = await Bench(kind).driver.identify()
    assert (identity.type, identity.serial, identity.firmware) == (type_name, "2296536137892833272", firmware)


async def test_a_meter_too_old_for_a_serial_number_has_none():
    assert (await Bench(PyroScienceFireStingO2Old).driver.identify()).serial == ""


@pytest.mark.req("EQ-05")
async def test_another_firmware_another_analyte_and_a_missing_channel_are_the_wrong_device():
    new = Bench()
    with pytest.raises(WrongDevice, match=r"firmware 4\.03.*below 4\.00"):
        await PyroScienceFireStingO2(new.line).identify()
    with pytest.raises(WrongDevice, match=r"firmware 3\.22"):
        await PyroScienceFireStingProO2(Bench(PyroScienceFireStingO2).line).identify()
    with pytest.raises(WrongDevice, match="measures oxygen; this place is for pH"):
        await PyroScienceFireStingProPh(new.line).identify()
    with pytest.raises(WrongDevice, match="a Pico-pH answers"):
        await PyroScienceFireStingProPh(Bench(PyroSciencePicoPh).line).identify()
    with pytest.raises(WrongDevice, match="2 channels is no Pico"):
        await PyroSciencePicoO2(Bench(PyroScienceFireStingProO2, Beaker(), Beaker()).line).identify()
    with pytest.raises(WrongDevice, match="channel 4 of a meter that has 1"):
        await Bench(channel=4).driver.identify()


def test_a_channel_is_a_whole_number_from_one_on():
    line = Bench().line
    for wrong in (0, 1.5, 17):
        with pytest.raises(ValueError, match="channel is a whole number"):
            PyroScienceFireStingProO2(line, 0, {"channel": wrong})


async def test_a_version_the_sheet_does_not_know_is_named():
    bench = Bench()
    answers = ["#VERS 4 1 403", "#VERS 4 99 403 1 2 3"]
    bench.meter.commands["#VERS"] = lambda line, numbers, now: bench.meter.say(answers.pop(0))
    with pytest.raises(BadFrame, match="3 numbers behind #VERS"):
        await bench.driver.identify()
    with pytest.raises(WrongDevice, match="1 to 16 channels"):
        await bench.driver.identify()


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("kind", PAIRS)
def test_a_meter_only_measures_and_every_signal_has_a_tag(kind: type[PyroScienceMeter]):
    assert kind.on_link_loss is LinkLoss.ONLY_MEASURES
    assert kind.verified is None
    assert all(kind.table[name].tag for name in kind.specs())
    assert find(kind.model) is kind


# -- measuring


@pytest.mark.parametrize("kind", [PyroScienceFireStingProO2, PyroSciencePicoO2, PyroScienceFireStingO2,
                                  PyroScienceFireStingO2Old])  # fmt: skip
async def test_oxygen_reads_as_it_is_in_every_unit(kind: type[PyroScienceMeter]):
    readings = await Bench(kind, Beaker(37.0, do_percent=80.0)).driver.poll()
    assert {reading.quality for reading in readings.values()} == {Quality.GOOD}
    assert readings["dissolved_oxygen"].value == pytest.approx(80.0, abs=0.01)
    assert readings["oxygen_concentration"].value == pytest.approx(0.8 * 210, rel=0.01)  # 210 umol/L at 37 °C
    assert readings["oxygen_pressure"].value == pytest.approx(0.8 * 0.2095 * (1013.25 - 62.8), rel=0.002)
    assert readings["oxygen_fraction"].value == pytest.approx(0.8 * 19.65, rel=0.002)
    assert readings["temperature"].value == 37.0
    assert readings["pressure"].value == 1013.25


def test_the_solubility_of_oxygen_is_that_of_the_tables():
    assert optics.saturated_umol_l(20, 0) == pytest.approx(284.1, abs=0.5)  # 9.09 mg/L, Standard Methods
    assert optics.saturated_umol_l(25, 0) == pytest.approx(258.1, abs=0.5)  # 8.26 mg/L
    assert optics.saturated_umol_l(25, 35) == pytest.approx(211, rel=0.02)
    assert optics.water_hpa(37) == pytest.approx(62.8, abs=0.3)


async def test_ph_and_optical_temperature_read_as_they_are():
    ph = await Bench(PyroSciencePicoPh, Beaker(37.0, 7.123)).driver.poll()
    assert (ph["ph"].value, ph["temperature"].value, ph["salinity"].value) == (7.123, 37.0, 0.0)
    temperature = Bench(PyroScienceFireStingProTemp, Beaker(36.5)).driver
    assert (await temperature.poll())["optical_temperature"].value == 36.5
    with pytest.raises(Refused, match="no procedure"):
        await temperature.calibrate("air")
    assert await temperature.calibration() == {}


async def test_four_channels_of_one_meter_are_four_drivers_on_one_line():
    beakers = tuple(Beaker(do_percent=percent) for percent in (20.0, 40.0, 60.0, 80.0))
    bench = Bench(PyroScienceFireStingProO2, *beakers)
    drivers = [PyroScienceFireStingProO2(bench.line, 0, {"channel": channel}) for channel in (1, 2, 3, 4)]
    for driver in drivers:
        await driver.identify()
    polls = await asyncio.gather(*(driver.poll() for driver in drivers))
    assert [poll["dissolved_oxygen"].value for poll in polls] == [
        pytest.approx(it, abs=0.01) for it in (20, 40, 60, 80)
    ]


async def test_only_what_is_optical_flashes_the_dye():
    bench = Bench()
    for name in ("temperature", "pressure", "humidity", "case_temperature", "salinity"):
        assert (await bench.driver.read(name)).quality is Quality.GOOD
    assert bench.meter.state.measured == 0
    await bench.driver.read("dissolved_oxygen")
    assert bench.meter.state.measured == 1


async def test_settings_come_seldom_and_pressure_of_an_old_meter_too():
    bench = Bench(PyroScienceFireStingO2)
    first, second = await bench.driver.poll(), await bench.driver.poll()
    assert set(first) - set(second) == set(PyroScienceFireStingO2.seldom)
    await asyncio.sleep(max(PyroScienceFireStingO2.seldom.values()))
    assert set(await bench.driver.poll()) == set(first)


@pytest.mark.parametrize(
    ("bit", "bad", "good"),
    [(2, "dissolved_oxygen", "temperature"), (4, "phase", "pressure"), (5, "temperature", "humidity"),
     (8, "case_temperature", "dissolved_oxygen"), (9, "pressure", "temperature"), (10, "humidity", "temperature"),
     (6, "temperature", "sensor_status"), (12, "dissolved_oxygen", "sensor_status")],
)  # fmt: skip
async def test_an_error_bit_condemns_its_own_values_in_words(bit: int, bad: str, good: str):
    bench = Bench()
    bench.meter.state.faults[0] = 1 << bit
    readings = await bench.driver.poll()
    assert (readings[bad].value, readings[bad].quality) == (None, Quality.BAD)
    assert readings[good].quality is Quality.GOOD
    assert readings[bad].why in str(readings["sensor_status"].value) or "does not name" in readings[bad].why


@pytest.mark.parametrize("bit", [0, 1, 3, 7])
async def test_a_warning_leaves_the_value_good_and_says_why(bit: int):
    bench = Bench()
    bench.meter.state.faults[0] = 1 << bit
    reading = await bench.driver.read("dissolved_oxygen")
    assert reading.quality is Quality.GOOD
    assert reading.why == status_words(1 << bit)


async def test_a_dead_pt100_condemns_the_oxygen_only_when_it_is_compensated_by_it():
    bench = Bench()
    bench.meter.state.faults[0] = 1 << 5
    assert (await bench.driver.poll())["dissolved_oxygen"].quality is Quality.BAD
    await bench.driver.write("temperature_compensation", 37.0)
    assert (await bench.driver.poll())["dissolved_oxygen"].quality is Quality.GOOD


async def test_a_register_that_cannot_be_what_it_should_be_is_bad():
    bench = Bench(PyroScienceFireStingProTemp)
    bench.meter.state.settings[0][11] = 1  # the optical temperature is not where it was guessed
    reading = await bench.driver.read("optical_temperature")
    assert reading.quality is Quality.BAD
    assert "no optical_temperature" in reading.why
    ph = Bench(PyroSciencePicoPh)
    ph.meter.state.settings[0][11] = 1
    assert (await ph.driver.read("ph")).quality is Quality.BAD


async def test_a_meter_with_its_crc_on_is_refused_with_what_to_do():
    bench = Bench()
    bench.meter.state.settings[0][7] = 1
    with pytest.raises(Refused, match="crcEnable"):
        await bench.driver.poll()


def test_lines_of_other_channels_and_cut_ones_in_front_are_no_answer():
    parse = numbers("MEA 1 4", 2)
    assert parse(bytearray(b"MEA 2 4 1 2\rMEA 1 47 1 2\rMEA 1 4 1MEA 1 4 5 6\r")) == (5, 6)
    assert parse(bytearray(b"MEA 1 4 1 2")) is None
    for wrong in (b"MEA 1 4 1\r", b"MEA 1 4 1 x\r", b"MEA 1 4 1  2\r", b"MEA 1 4 1.5 2\r", b"0" * 600):
        with pytest.raises(BadFrame):
            parse(bytearray(wrong))
    with pytest.raises(Refused, match="leaves out"):
        parse(bytearray(b"#ERRO -77\r"))


# -- settings


async def test_compensation_is_written_in_words_or_quantities_and_read_back():
    bench = Bench(PyroScienceFireStingProO2, Beaker(), Beaker())
    write = bench.driver.write
    assert (await write("temperature_compensation", 36.5)).value == "36.5 Cel"
    assert (await write("temperature_compensation", "309.65 K")).value == "36.5 Cel"
    assert (await write("temperature_compensation", "optical 2")).value == "optical 2"
    assert bench.meter.state.settings[0][0] == -300002
    assert (await write("temperature_compensation", "sensor")).value == "sensor"
    assert (await write("pressure_compensation", "101.3 kPa")).value == "1013.0 hPa"
    assert (await write("pressure_compensation", "sensor")).value == "sensor"
    assert (await write("salinity", 8.9)).value == 8.9
    assert bench.meter.state.settings[0][:3] == [-300000, -1, 8900]
    assert bench.meter.state.settings[1][:3] == [-300000, -1, 0]
    assert bench.meter.state.saved_settings[0][:3] == [-300000, -1, 0]  # nothing wears the flash by itself


async def test_salinity_changes_the_concentration_only():
    bench = Bench()
    fresh = await bench.driver.poll()
    await bench.driver.write("salinity", 9.0)
    salty = await bench.driver.poll()
    assert salty["oxygen_concentration"].value < fresh["oxygen_concentration"].value - 3  # type: ignore[operator]
    assert salty["oxygen_pressure"].value == fresh["oxygen_pressure"].value
    assert salty["dissolved_oxygen"].value == fresh["dissolved_oxygen"].value


async def test_values_outside_the_limits_and_measured_ones_are_not_written():
    driver = Bench().driver
    for name, value in (("salinity", 1001.0), ("salinity", -1.0), ("temperature_compensation", 200.0),
                        ("pressure_compensation", "1 hPa")):  # fmt: skip
        with pytest.raises(OutOfRange):
            await driver.write(name, value)
    for name, value in (("salinity", "a lot"), ("salinity", True), ("temperature_compensation", "warm"),
                        ("temperature_compensation", float("nan")), ("pressure_compensation", None)):  # fmt: skip
        with pytest.raises(ValueError, match=r"."):
            await driver.write(name, value)
    with pytest.raises(Refused, match="cannot be set"):
        await driver.write("dissolved_oxygen", 50.0)


async def test_a_setting_that_does_not_stick_is_refused():
    bench = Bench()
    bench.meter.commands["WTM"] = lambda line, numbers, now: bench.meter.echo(line)
    with pytest.raises(Refused, match="read-back"):
        await bench.driver.write("salinity", 5.0)


@pytest.mark.parametrize("save", [False, True])
async def test_settings_survive_a_power_cut_only_when_saved(save: bool):
    bench = Bench()
    await bench.driver.write("salinity", 9.0)
    if save:
        await bench.driver.save()
    bench.host.power_cycle()
    assert (await bench.driver.read("salinity")).value == (9.0 if save else 0.0)


async def test_reload_brings_back_what_was_saved_and_a_failed_save_is_repeated_once():
    bench = Bench()
    await bench.driver.write("salinity", 9.0)
    await bench.driver.reload()
    assert (await bench.driver.read("salinity")).value == 0.0
    bench.meter.state.flash_fails = 1
    await bench.driver.save()
    bench.meter.state.flash_fails = 2
    with pytest.raises(Refused, match="save again"):
        await bench.driver.save()


# -- calibration


@pytest.mark.parametrize("kind", [PyroScienceFireStingProO2, PyroScienceFireStingO2, PyroScienceFireStingO2Old])
async def test_an_aged_spot_is_put_right_by_zero_and_air_and_it_lasts(kind: type[PyroScienceMeter]):
    beaker = Beaker(25.0, do_percent=100.0)
    bench = Bench(kind, beaker, phase_error=1.5)
    assert (await bench.driver.read("dissolved_oxygen")).value < 95  # type: ignore[operator]
    after = await bench.driver.calibrate("air")
    assert (after["temperature_air_cel"], after["pressure_hpa"], after["humidity_percent"]) == (
        25.0, pytest.approx(1013.25, abs=0.5), 100.0
    )  # fmt: skip
    beaker.now_in_it = Liquid(25.0, 7.4, 0.0)
    after = await bench.driver.calibrate("zero", 24.0)
    assert after["temperature_zero_cel"] == 24.0
    bench.host.power_cycle()
    assert (await bench.driver.read("dissolved_oxygen")).value == pytest.approx(0.0, abs=0.05)
    beaker.now_in_it = Liquid(25.0, 7.4, 100.0)
    assert (await bench.driver.read("dissolved_oxygen")).value == pytest.approx(100.0, abs=0.05)


@pytest.mark.parametrize(("firmware", "raw"), [(310, 1013), (318, 1013250)])
async def test_an_old_meter_is_told_the_pressure_in_its_own_scale(firmware: int, raw: int):
    bench = Bench(PyroScienceFireStingO2Old, Beaker(25.0, do_percent=100.0), firmware=firmware)
    after = await bench.driver.calibrate("dry_air", 25.0)
    assert bench.meter.state.calibration[0][3:6] == [25000, raw, 0]
    assert after["pressure_hpa"] == pytest.approx(1013.25, abs=0.5)


async def test_an_old_meter_whose_scale_cannot_be_told_is_not_calibrated():
    bench = Bench(PyroScienceFireStingO2Old)
    bench.meter.state.calibration[0][4] = 10132
    with pytest.raises(Refused, match="neither mbar nor"):
        await bench.driver.calibrate("air", 25.0)
    assert "pressure_compensation" not in PyroScienceFireStingO2Old.specs()


async def test_background_is_measured_and_forgotten():
    bench = Bench()
    assert (await bench.driver.calibrate("background"))["background_mv"] == 4.0
    assert (await bench.driver.calibrate("no_background"))["background_mv"] == 0.0
    with pytest.raises(Refused, match="takes no number"):
        await bench.driver.calibrate("background", 1.0)


async def test_a_calibration_needs_a_good_reference_within_limits():
    bench = Bench()
    with pytest.raises(OutOfRange):
        await bench.driver.calibrate("air", 500.0)
    with pytest.raises(Refused, match="no calibration 'two_point'"):
        await bench.driver.calibrate("two_point")
    bench.meter.state.faults[0] = 1 << 9
    with pytest.raises(Refused, match="pressure, and it is not good"):
        await bench.driver.calibrate("air", 25.0)


async def test_registers_that_are_no_oxygen_calibration_are_not_told_as_one():
    bench = Bench()
    bench.meter.state.calibration[0][0] = 4_000_000
    with pytest.raises(Refused, match="no oxygen calibration"):
        await bench.driver.calibration()


async def test_ph_is_calibrated_in_two_buffers_and_by_an_offset():
    beaker = Beaker(25.0, 4.0)
    bench = Bench(PyroSciencePicoPh, beaker, ph_error=0.2)
    await bench.driver.calibrate("low_ph", 4.0)
    beaker.now_in_it = Liquid(25.0, 9.0, 95.0)
    await bench.driver.calibrate("high_ph", 9.0)
    beaker.now_in_it = Liquid(37.0, 7.4, 95.0)
    assert (await bench.driver.read("ph")).value == pytest.approx(7.4, abs=0.002)
    assert await bench.driver.calibrate("offset", 7.3) == {}
    bench.host.power_cycle()
    assert (await bench.driver.read("ph")).value == pytest.approx(7.3, abs=0.002)
    with pytest.raises(Refused, match="needs the pH"):
        await bench.driver.calibrate("offset")


async def test_a_meter_that_knows_no_ph_calibration_by_the_guessed_name_says_so():
    bench = Bench(PyroSciencePicoPh)
    del bench.meter.commands["CPH"]
    with pytest.raises(Refused, match="#ERRO -1"):
        await bench.driver.calibrate("offset", 7.3)


# -- the rest of the protocol


async def test_a_sleeping_meter_takes_its_first_question_for_the_wake_up():
    bench = Bench()
    assert isinstance(bench.driver, Unified)
    await bench.driver.sleep()
    with pytest.raises(NoAnswer):
        await bench.driver._do("#LOGO")
    assert bench.meter.state.leds == 0
    await bench.driver._do("#LOGO")
    assert bench.meter.state.leds == 1
    await bench.driver.sleep()
    await bench.driver.wake_up()
    assert not bench.meter.state.asleep
    assert (await bench.driver.read("temperature")).quality is Quality.GOOD


async def test_powering_down_is_undone_by_a_measurement():
    bench = Bench()
    assert isinstance(bench.driver, Unified)
    await bench.driver.power_down()
    assert bench.meter.state.powered_down
    await bench.driver.read("temperature")
    assert not bench.meter.state.powered_down
    await bench.driver.power_up()


async def test_user_memory_is_kept_and_has_64_places():
    bench = Bench()
    assert isinstance(bench.driver, Unified)
    await bench.driver.write_memory(62, 5, -7)
    bench.host.power_cycle()
    assert await bench.driver.read_memory(62, 2) == (5, -7)
    with pytest.raises(OutOfRange):
        await bench.driver.read_memory(62, 3)
    await bench.driver.flash_led()
    assert bench.meter.state.leds == 1
    assert (await bench.driver.sensor_settings())["intensity"] == 3


@pytest.mark.parametrize(
    ("question", "code"),
    [("MEA 1\r", -1), ("MEA x 47\r", -1), ("mea 1 47\r", -1), ("MEA 5 47\r", -2), ("RMR 1 2 0 1\r", -11),
     ("RMR 1 0 18 5\r", -11), ("WTM 1 3 0 1 5\r", -12), ("WTM 1 0 2 1 -5\r", -1), ("WTM 1 0 2 2 5\r", -1),
     ("#RDUM 60 5\r", -11), ("#RDUM 1\r", -1), ("CPH 1 0 7000 25000 0\r", -1), ("MSR 1\r", -1), ("CHI 1 16 0\r", -1)],
)  # fmt: skip
def test_the_simulator_refuses_what_a_meter_refuses(question: str, code: int):
    assert say(simulated.FireStingProO2(Beaker()), question) == f"#ERRO {code}\r"


def test_an_old_meter_does_not_know_mea_and_reads_all_with_ral():
    meter = simulated.FireStingO2(Beaker(do_percent=50.0))
    assert say(meter, "MEA 1 47\r") == "#ERRO -1\r"
    assert say(meter, "ENV 1 37000 1013250 0\r") == "ENV 1 37000 1013250 0\r"
    assert say(meter, "TMP 1\r") == "TMP 1\r"
    assert say(meter, "MSR 1\r") == "MSR 1\r"
    assert len(say(meter, "RAL 1\r").split()) == 2 + 13
    assert say(simulated.FireStingO2Old(Beaker()), "#IDNR\r") == "#ERRO -1\r"
    assert say(simulated.FireStingO2Old(Beaker()), "CHI 1 25000 1013250 0\r") == "#ERRO -1\r"


def test_a_snapshot_goes_on_as_if_nothing_had_been():
    one = simulated.FireStingProO2(Beaker(), seed=5)
    say(one, "WTM 2 0 2 1 9000\rMEA 1 47\rMEA")
    other = simulated.FireStingProO2(Beaker(), seed=5)
    other.restore(json.loads(json.dumps(one.snapshot())))
    for text in (" 1 47\r", "RMR 2 0 0 3\r", "MEA 1 47\r"):
        assert say(one, text) == say(other, text)


def test_without_a_seed_there_is_no_noise_and_with_one_there_is():
    for seed, count in ((None, 1), (3, 10)):
        meter = simulated.FireStingProO2(Beaker(), seed=seed)
        assert len({say(meter, "MEA 1 47\r") for _ in range(10)}) == count
