"""GSS CO2 sensors: the sheet at both ends, stream and polling, multiplier, filter, zero and span, auto-zero."""

from __future__ import annotations

import asyncio
import json

import pytest

from drivers.core.device import LinkLoss
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Identity, Quality
from drivers.devices.gss_co2 import GssCozirA, GssExplorirM, GssSprintir, replies
from drivers.devices.gss_co2.driver import GssCo2
from simulators.core.hosts import MemoryHost
from simulators.core.simulator import Bytes, Send
from simulators.devices import gss_co2 as simulated
from simulators.devices import mettler_toledo_mt_sics
from simulators.standalone import StillChamber, StillPan
from tests.devices.golden import golden
from tests.devices.rig import Rig

GOLDEN = golden(
    "gss_co2",
    r"""
    Byte-exact | R | > 4B 20 32 0D 0A | < 20 4B 20 30 30 30 30 32 0D 0A | polling mode
    Byte-exact | R | > 5A 0D 0A       | < 20 5A 20 30 30 35 31 37 0D 0A | filtered
    Byte-exact | R | > 2E 0D 0A       | < 20 2E 20 30 30 30 31 30 0D 0A | multiplier
    Byte-exact | R | > 41 20 31 36 0D 0A | < 20 41 20 30 30 30 31 36 0D 0A | set filter
    Byte-exact | R | > 54 0D 0A       | < 20 54 20 30 31 32 33 35 0D 0A | temperature
    Byte-exact | R | > 48 0D 0A       | < 20 48 20 30 30 33 39 33 0D 0A | humidity
    Byte-exact | R | > 59 0D 0A       | < 20 59 2C 4F 63 74 20 31 38 20 32 30 31 33 2C 31 34 3A 30 32 3A 31 30 2C 41 4C 31 39 0D 0A 20 42 20 31 32 34 35 38 34 20 30 30 30 30 30 0D 0A | identity
    Byte-exact | R | > 40 0D 0A       | < 20 40 20 31 2E 30 20 38 2E 30 0D 0A | auto-zero
    Commands   | C | > "@ 0\r\n"      | < " @ 0\r\n"      | auto-zero off
    Commands   | C | > "@\r\n"        | < " @ 0\r\n"      | auto-zero is off
    Commands   | V | > "z\r\n"        | < " z 00521\r\n"  | unfiltered
    Commands   | K | > "a\r\n"        | < " a 00016\r\n"  | filter
    Commands   | K | > "S 8192\r\n"   | < " S 08192\r\n"  | set compensation
    Commands   | K | > "s\r\n"        | < " s 08192\r\n"  | compensation
    Commands   | K | > "G\r\n"        | < " G 33000\r\n"  | fresh air
    Commands   | K | > "U\r\n"        | < " U 33000\r\n"  | nitrogen
    Commands   | X | > "X 400\r\n"    | < " X 11000\r\n"  | span
    Framing    | Z | > "J\r\n"        | < "?\r\n"         | unknown
    """,  # noqa: E501
)
MODELS = ("gss_sprintir", "gss_explorir_m", "gss_cozir_a")


def sensor(
    co2: float = 5.0, cel: float = 37.0, rh: float = 93.0, seed: int | None = None, **options: float | str
) -> simulated.GssCozirA:
    chamber = StillChamber()
    chamber.values.update(co2=co2, temperature=cel, humidity=rh)
    return simulated.GssCozirA(chamber, seed=seed, options=options)


def ask(device: simulated.GssCo2, request: str, now: float = 100.0) -> str:
    said = device.receive(Bytes(request.encode() + b"\r\n"), now)
    return b"".join(action.data for action in said if isinstance(action, Send)).decode()


class Says:
    """A link at whose far end the requests get these bytes, one after the other; the last for all that follow."""

    url = "says://"
    is_open = False

    def __init__(self, *replies: bytes) -> None:
        self.replies = list(replies)
        self.left = b""

    async def dial(self) -> None:
        self.is_open = True

    def write(self, data: bytes) -> None:
        self.left = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    async def read(self) -> bytes:
        if not self.left:
            await asyncio.sleep(1e9)
        data, self.left = self.left, b""
        return data

    def waiting(self) -> bytes:
        return b""

    async def close(self) -> None:
        self.is_open = False


def saying(*replies: str) -> GssCozirA:
    driver = GssCozirA(Line(Says(*(reply.encode("latin-1") for reply in replies))))
    driver.multiplier = 10
    return driver


async def ready(model: str, options: dict[str, float | str] | None = None) -> Rig:
    rig = Rig.of(model, options)
    await rig.driver.identify()
    await rig.driver.prepare()
    return rig


# --- the sheet, at both ends


def test_the_simulator_says_what_the_sheet_says():
    def fresh(**options: float | str) -> simulated.GssCozirA:
        return sensor(0.517, 23.5, 39.3, mode=2, **options)

    GOLDEN.check_simulator(
        fresh, "polling mode", "filtered", "multiplier", "set filter", "temperature", "humidity", "identity",
        "auto-zero", "filter", "set compensation", "compensation", "unknown",
    )  # fmt: skip
    GOLDEN.check_simulator(fresh(), "auto-zero off", "auto-zero is off")
    GOLDEN.check_simulator(sensor(0.521, mode=2), "unfiltered")
    assert GOLDEN.verified


async def test_the_driver_prepares_and_reads_as_the_sheet_prints():
    async with GOLDEN.line(
        "identity", "polling mode", "multiplier", "auto-zero", "auto-zero off", "auto-zero is off",
        "filtered", "unfiltered", "temperature", "humidity", "filter", "compensation", "auto-zero is off",
    ) as line:  # fmt: skip
        driver = GssCozirA(line)
        assert await driver.identify() == Identity("GSS", "CozIR-A", "124584", "AL19 (Oct 18 2013)")
        await driver.prepare()
        readings = await driver.poll()
        values = {name: reading.value for name, reading in readings.items()}
        assert values == {
            "co2": pytest.approx(0.517), "co2_unfiltered": pytest.approx(0.521), "temperature": 23.5, "humidity": 39.3,
            "filter": 16.0, "pressure_compensation": 8192.0, "auto_zero": "off",
        }  # fmt: skip


async def test_the_driver_sets_and_teaches_as_the_sheet_prints():
    async with GOLDEN.line("filter", "fresh air", "nitrogen") as line:
        driver = GssSprintir(line)
        assert (await driver.write("filter", 16.0)).value == 16.0  # nothing is written that is there already
        assert await driver.calibrate("zero_fresh_air") == {"zero_fresh_air": 33000.0}
        assert await driver.calibrate("zero_nitrogen") == {"zero_nitrogen": 33000.0}
    async with GOLDEN.line("multiplier", "span", "unfiltered") as line:
        with pytest.raises(Refused, match="another unit"):  # the sheet's numbers are of different occasions
            await GssSprintir(line).calibrate("span", 0.4)
    async with GOLDEN.line("unknown") as line:
        with pytest.raises(Refused, match="does not know"):
            await GssSprintir(line)._ask("J", replies.number("J"))


# --- who it is


async def test_a_balance_is_the_wrong_device_and_was_neither_zeroed_nor_tared():
    balance = mettler_toledo_mt_sics.MettlerToledoBalance(StillPan())
    with pytest.raises((WrongDevice, WireError)):
        await GssSprintir(Line(MemoryHost(balance).link())).identify()
    assert (balance.state.zero_g, balance.state.tare_g) == (0.0, 0.0)


async def test_a_sensor_without_y_shows_itself_by_its_multiplier():
    assert await saying("?\r\n", " . 00100\r\n").identify() == Identity("GSS", "CozIR-A")
    with pytest.raises(WrongDevice, match="neither Y nor"):
        await saying("?\r\n").identify()
    with pytest.raises(WrongDevice):
        await saying("?\r\n", " . 00007\r\n").identify()


@pytest.mark.parametrize("model", MODELS)
async def test_a_streaming_sensor_is_identified_and_goes_on_streaming(model: str):
    rig = Rig.of(model)
    await asyncio.sleep(3)
    assert (await rig.driver.identify()).serial == "124584"
    assert rig.simulator.state.mode == simulated.STREAMING


@pytest.mark.parametrize("deaf_s", [0.3, 0.8])
async def test_a_sensor_in_full_stream_is_found_and_quieted_though_questions_are_lost(deaf_s: float) -> None:
    """On a busy computer an answer may come too late, and a stream leaves no half a second of silence to wait for."""
    rig = Rig.of("gss_sprintir")
    for ask in (rig.driver.identify, rig.driver.prepare):
        await asyncio.sleep(3)
        rig.fault(f"deaf:for_s={deaf_s}")
        await ask()
    assert (await rig.driver.poll())["co2"].quality is Quality.GOOD
    await rig.put_away()


# --- modes


@pytest.mark.parametrize("model", MODELS)
async def test_the_stream_ends_at_prepare_and_stays_ended_over_power_loss(model: str):
    rig = await ready(model)
    assert rig.simulator.state.mode == simulated.POLLING
    assert rig.simulator.wake_at is None
    rig.host.power_cycle()
    await asyncio.sleep(5)
    assert rig.simulator.wake_at is None
    assert (await rig.driver.poll())["co2"].value == 5.0


async def test_a_sensor_that_does_not_take_polling_mode_is_refused():
    with pytest.raises(Refused, match="polling mode"):
        await saying(" K 00001\r\n").prepare()


def test_stream_lines_come_at_the_sensors_rate_with_the_fields_of_the_mask():
    fast = simulated.GssSprintir(StillChamber())
    assert fast.wake(0.0) == [Send(0.0, b" Z 05000 z 05000\r\n")]
    assert fast.wake_at == pytest.approx(0.05)
    slow = sensor(6.51, 19.5, 34.5, leading_blank="no")
    assert slow.wake(0.0) == [Send(0.0, b"Z 06510 z 06510\r\n")]
    assert slow.wake_at == 0.5
    assert ask(slow, "M 4166") == "M 04166\r\n"
    assert slow.wake(200.0) == [Send(0.0, b"H 00345 T 01195 Z 06510 z 06510\r\n")]
    assert ask(slow, "Q") == "H 00345 T 01195 Z 06510 z 06510\r\n"
    assert ask(slow, "K 0") == "K 00000\r\n"
    assert slow.wake_at is None


async def test_stream_lines_between_are_dropped_and_a_line_of_another_letter_is_no_answer():
    reading = await saying(" Z 00651 z 00648\r\n z 00648\r\n Z 00517\r\n").read("co2")
    assert reading.value == pytest.approx(0.517)
    with pytest.raises(NoAnswer):
        await saying(" z 00648\r\n").read("co2")


def test_in_command_mode_readings_are_stale():
    device = sensor(mode=2)
    assert ask(device, "Z") == " Z 05000\r\n"
    ask(device, "K 0")
    device.chamber.set("co2", "9")
    assert ask(device, "Z", 500.0) == " Z 05000\r\n"
    ask(device, "K 2", 500.0)
    assert ask(device, "z", 501.0) == " z 09000\r\n"


def test_before_the_first_valid_measurement_there_is_none():
    device = sensor(mode=2)
    device.power_cycle(100.0)
    assert ask(device, "z", 101.0) == " z 00000\r\n"
    assert ask(device, "z", 101.3) == " z 05000\r\n"


# --- scaling


@pytest.mark.parametrize(("multiplier", "counts"), [(1, " Z 50000\r\n"), (10, " Z 05000\r\n"), (100, " Z 00500\r\n")])
async def test_co2_is_the_count_times_the_multiplier(multiplier: int, counts: str):
    device = sensor(multiplier=multiplier, mode=2)
    assert ask(device, "Z") == counts
    driver = GssCozirA(Line(MemoryHost(device).link()))
    assert (await driver.read("co2")).value == pytest.approx(5.0)


async def test_a_multiplier_that_is_none_stops_every_co2_reading():
    driver = saying(" . 00050\r\n")
    driver.multiplier = 0
    with pytest.raises(Refused, match="multiplier 50"):
        await driver.read("co2")


async def test_values_no_sensor_has_are_bad():
    over = saying(" Z 99999\r\n")
    over.multiplier = 100
    assert (await over.read("co2")).quality is Quality.BAD
    assert (await saying(" T 00500\r\n").read("temperature")).quality is Quality.BAD
    assert (await saying(" H 01001\r\n").read("humidity")).quality is Quality.BAD


async def test_temperature_and_humidity_follow_the_chamber():
    rig = await ready("gss_cozir_a")
    rig.place.set("temperature", "21.5")
    rig.place.set("humidity", "40")
    readings = await rig.driver.poll()
    assert (readings["temperature"].value, readings["humidity"].value) == (21.5, 40.0)
    assert ask(simulated.GssSprintir(StillChamber()), "T") == "?\r\n"


async def test_the_filtered_value_lags_and_the_unfiltered_does_not():
    rig = await ready("gss_explorir_m")
    await rig.driver.poll()
    rig.place.set("co2", "10")
    await asyncio.sleep(2)
    readings = await rig.driver.poll()
    assert readings["co2_unfiltered"].value == 10.0
    assert 5.5 < float(str(readings["co2"].value)) < 8
    await asyncio.sleep(100)
    assert (await rig.driver.read("co2")).value == pytest.approx(10.0, abs=0.01)


# --- settings


@pytest.mark.parametrize("name", ["filter", "pressure_compensation"])
async def test_a_setting_is_read_back_and_kept_over_power_loss(name: str):
    rig = await ready("gss_sprintir")
    assert (await rig.driver.write(name, 32.0)).value == 32.0
    rig.host.power_cycle()
    await asyncio.sleep(5)
    assert (await rig.driver.read(name)).value == 32.0
    with pytest.raises(OutOfRange):
        await rig.driver.write(name, 70000)
    for value in (1.5, "many", True):
        with pytest.raises(Refused, match="whole number"):
            await rig.driver.write(name, value)
    with pytest.raises(Refused, match="cannot be set"):
        await rig.driver.write("co2", 5.0)


async def test_a_setting_that_does_not_read_back_is_refused():
    with pytest.raises(Refused, match="after 20 was written"):
        await saying(" a 00016\r\n", " A 00020\r\n", " a 00016\r\n").write("filter", 20)


async def test_auto_zero_is_switched_off_unless_it_shall_be_kept():
    rig = await ready("gss_sprintir")
    assert (await rig.driver.read("auto_zero")).value == "off"
    kept = await ready("gss_sprintir", {"auto_zero": "keep"})
    assert (await kept.driver.read("auto_zero")).value == "1.0 8.0"
    assert (await kept.driver.write("auto_zero", "2 14")).value == "2.0 14.0"
    with pytest.raises(Refused, match="two intervals"):
        await kept.driver.write("auto_zero", "on")
    with pytest.raises(ValueError, match="off or keep"):
        GssSprintir(Line(Says(b"")), 0, {"auto_zero": "on"})


async def test_a_sensor_without_auto_zero_needs_none_switched_off():
    driver = saying(" K 00002\r\n", " . 00010\r\n", "?\r\n")
    await driver.prepare()
    assert (await driver.read("auto_zero")).value == "none"


async def test_auto_zero_that_stays_on_is_refused():
    with pytest.raises(Refused, match="after off was written"):
        await saying(" K 00002\r\n", " . 00010\r\n", " @ 1.0 8.0\r\n").prepare()


# --- zero and span


@pytest.mark.parametrize(
    ("point", "truth", "reference", "then"),
    [("zero_fresh_air", 0.04, None, 0.04), ("zero_nitrogen", 0.0, None, 0.0), ("span", 5.0, 5.0, 5.0),
     ("fine_tune", 5.0, 5.0, 5.0)],
)  # fmt: skip
async def test_a_drifted_sensor_reads_right_after_its_calibration(
    point: str, truth: float, reference: float | None, then: float
):
    device = sensor(truth, offset_ppm=3000, mode=2)
    driver = GssCozirA(Line(MemoryHost(device).link()))
    await driver.prepare()
    await asyncio.sleep(5)
    assert (await driver.read("co2_unfiltered")).value == pytest.approx(truth + 0.3)
    taught = await driver.calibrate(point, reference)
    assert list(taught) == [point]
    assert (await driver.read("co2_unfiltered")).value == pytest.approx(then, abs=0.002)
    await driver.calibrate("factory_zero")
    await asyncio.sleep(1)
    assert (await driver.read("co2_unfiltered")).value == pytest.approx(truth + 0.3)


def test_the_number_of_a_zero_varies():
    device = sensor(0.04, mode=2)
    assert ask(device, "G") != ask(device, "G")
    assert ask(device, "X 0") == ask(device, "F 5") == ask(device, "G x") == "?\r\n"


async def test_a_span_in_another_unit_than_ours_is_noticed():
    device = sensor(5.0, mode=2)
    device.commands["X"] = lambda numbers, now: (  # a sensor whose argument is in ppm
        simulated.GssCo2._span(device, [numbers[0] / device.multiplier], now)
    )
    driver = GssCozirA(Line(MemoryHost(device).link()))
    await driver.prepare()
    with pytest.raises(Refused, match="another unit"):
        await driver.calibrate("span", 5.0)


async def test_a_reference_is_asked_for_checked_and_refused_where_there_is_none():
    rig = await ready("gss_sprintir")
    with pytest.raises(Refused, match="needs the true CO2"):
        await rig.driver.calibrate("span")
    with pytest.raises(OutOfRange):
        await rig.driver.calibrate("span", 120.0)
    with pytest.raises(Refused, match="no reference"):
        await rig.driver.calibrate("zero_nitrogen", 0.1)
    with pytest.raises(Refused, match="no calibration"):
        await rig.driver.calibrate("tare")


def test_the_fresh_air_value_is_two_bytes():
    device = sensor(1.0, mode=2)
    assert ask(device, "P 10 0") == " P 10 0\r\n"
    assert ask(device, "P 11 45") == " P 11 45\r\n"
    ask(device, "G")
    assert ask(device, "z") == " z 00045\r\n"
    assert ask(device, "P 12 1") == "?\r\n"


# --- the simulator's own rules, memory


def test_letters_are_case_sensitive_and_blanks_optional():
    device = sensor(mode=2)
    assert ask(device, "A32") == " A 00032\r\n"
    assert ask(device, "k 2") == ask(device, "") == ask(device, "Z 1") == ask(device, "K 7") == "?\r\n"
    assert device.receive(Bytes(b"Z\r"), 100.0) == []
    assert ask(device, "").startswith("?")
    assert ask(device, "*").count("\r\n") == 4


@pytest.mark.parametrize("model", MODELS)
async def test_a_restored_sensor_is_the_same_sensor(model: str):
    rig = await ready(model)
    await rig.driver.write("filter", 50)
    await rig.driver.calibrate("zero_fresh_air")
    twin = Rig.of(model, {"auto_zero": "keep"})
    twin.simulator.restore(json.loads(json.dumps(rig.simulator.snapshot())))
    readings = await twin.driver.poll()
    assert (readings["filter"].value, readings["auto_zero"].value) == (50.0, "off")
    assert readings["co2"].value == pytest.approx(0.04)


def test_noise_comes_with_a_seed_and_goes_on_after_a_restart():
    device = sensor(seed=4, mode=2)
    twin = sensor(seed=4, mode=2)
    ask(device, "z")
    twin.restore(json.loads(json.dumps(device.snapshot())))
    both = [[ask(each, "z", 101.0 + at) for at in range(5)] for each in (device, twin)]
    assert both[0] == both[1]
    assert len(set(both[0])) > 1


# --- damage, and what the drivers declare


async def test_every_cut_of_a_reply_is_a_named_error():
    whole = " Z 00517\r\n"
    for length in range(len(whole)):
        with pytest.raises(WireError):
            await saying(whole[:length]).read("co2")


@pytest.mark.parametrize(
    "reply", [" Z 0517\r\n", " Z 005170\r\n", "0517\r\n", " Z 00\x8017\r\n", " Z 005 Z 00517\r\n", "x" * 300]
)
async def test_a_damaged_line_is_a_bad_frame(reply: str):
    with pytest.raises(BadFrame):
        await saying(reply).read("co2")


@pytest.mark.parametrize("reply", [" @ 1.0\r\n", " @ on\r\n", "hello\r\n"])
async def test_a_damaged_auto_zero_is_a_bad_frame(reply: str):
    with pytest.raises(BadFrame):
        await saying(reply).read("auto_zero")


async def test_a_silent_sensor_is_asked_once_in_a_poll():
    rig = await ready("gss_cozir_a")
    await rig.driver.poll()
    rig.fault("silence")
    start = asyncio.get_running_loop().time()
    readings = await rig.driver.poll()
    assert {reading.quality for reading in readings.values()} == {Quality.BAD}
    assert asyncio.get_running_loop().time() - start < 3


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("kind", [GssSprintir, GssExplorirM, GssCozirA])
def test_the_drivers_declare_what_happens_without_us(kind: type[GssCo2]):
    assert kind.on_link_loss is LinkLoss.ONLY_MEASURES
    assert kind.safe_state
    assert kind.watchdog == "none"
    assert kind.verified is None
    assert all(row.tag for row in kind.table)


async def test_a_question_mark_behind_the_blank_of_a_reply_is_a_no_too():
    with pytest.raises(Refused, match="does not know"):
        await saying(" ?\r\n").read("filter")


def test_numbers_that_no_sensor_takes_are_not_taken():
    device = sensor(mode=2)
    for command in ("P 11 99999", "A 99999999999", "X 0.0000001", "F 70000 1", "S 0.5", "S 0"):
        assert ask(device, command) == "?\r\n"
    assert ask(sensor(0.0, mode=2), "X 400") == "?\r\n"
    assert ask(device, "Z") == " Z 05000\r\n"


def test_a_program_that_sends_byte_by_byte_is_answered():
    device = sensor(mode=2)
    said = [device.receive(Bytes(bytes((byte,))), 100.0) for byte in b"Z\r\n"]
    assert said[:2] == [[], []]
    assert [action.data for action in said[2] if isinstance(action, Send)] == [b" Z 05000\r\n"]


def test_a_stream_of_a_sensor_without_the_blank_looks_as_recorded():
    chamber = StillChamber()
    chamber.values.update(co2=0.651)
    device = simulated.GssSprintir(chamber, options={"leading_blank": "no", "multiplier": 10})
    (line,) = device.wake(0.0)
    assert isinstance(line, Send)
    assert line.data == b"Z 00651 z 00651\r\n"
    assert device.wake_at == pytest.approx(0.05)
