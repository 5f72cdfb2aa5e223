"""The touch-screen incubators: the sheet's telegrams on both ends, the data logger, and what was only recalled."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path

import pytest

from drivers.core.device import LinkLoss
from drivers.core.errors import BadFrame, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Quality
from drivers.core.wire import thermo
from drivers.devices.thermo_heracell_i import ThermoHeracellI, ThermoViosCr, log, meanings, profile, words
from simulators.core.hosts import MemoryHost
from simulators.core.simulator import Bytes, Send
from simulators.devices import thermo_heracell_i as simulated
from simulators.standalone import StillChamber
from tests.devices.golden import golden
from tests.devices.rig import Rig, Setting

PROFILE = str(Path(__file__).parent / "profiles" / "thermo_heracell_i.csv")
SETTINGS = {
    "thermo_heracell_i": Setting({"profile": PROFILE}, {"profile": PROFILE}),
    "thermo_vios_cr": Setting(simulated={"unverified": 1}),
}
KINDS = (ThermoHeracellI, ThermoViosCr)

XOR = golden(
    "thermo_heracell_i",
    r"""
    Byte-level | V | > 3F 3A 30 30 30 31 3A 30 30 3A 3A 63 31 0D | < "!:0001:08:50111927:df\r" | version
    Byte-level | V | > "?:0005:00::c5\r" | < "!:0005:02:?1:d7\r" | unknown
    Byte-level | V | > "?:0010:00::c1\r" | < "!:0010:11:14:30:00;24:11:26:e0\r" | clock
    Byte-level | V | > "?:0012:00::c3\r" | < "!:0012:08:14:30:00:d3\r" | time
    Byte-level | X | > "?:0005:00::c6\r" | < "!:0005:02:?0:d6\r" | damaged
    Byte-level | X | > "?:2410:00::c7\r" | < "!:2410:08:00:05:00:d4\r" | interval
    Byte-level | X | > "?:2140:00::c7\r" | < "!:2140:02:11:db\r" | cylinder
    """,
)
"""The request of `damaged` is the sheet's query with another's check sum."""
REQUESTS = (
    "?:2400:00::c6", "?:2401:00::c7", "?:2402:00::c4", "?:2100:00::c3", "?:2300:00::c1", "?:2301:00::c0",
    "?:2010:00::c3", "?:2020:00::c0", "?:2030:00::c1",
)  # fmt: skip
CRC = golden(
    "thermo_heracell_i",
    r"""
    Byte-level | X | > "?:0001:00::a2\r" | < - | version
    Byte-level | X | > "?:0010:00::54\r" | < - | clock
    Byte-level | X | > "?:2400:00::35\r" | < - | log
    """,
)
PRINTED = "010b01060f3700000177002800d40000110b01060f3800000172003200d20352"
"""The example of two logger entries (V)."""


def rig(kind: type[ThermoHeracellI] = ThermoHeracellI, place: StillChamber | None = None, **options: float | str):
    device = vars(simulated)[kind.__name__](place or StillChamber(), 0, None, options)
    return Rig(kind, device, 0, {"profile": options["profile"]} if "profile" in options else None)


def device_of(bench: Rig[ThermoHeracellI]) -> simulated.ThermoHeracellI:
    assert isinstance(bench.simulator, simulated.ThermoHeracellI)
    return bench.simulator


def ask(device: simulated.ThermoHeracellI, text: str, now: float = 0.0) -> str:
    """The reply without CR to a line typed without CR."""
    actions = device.receive(Bytes(text.encode() + b"\r"), now)
    return actions[0].data.decode().removesuffix("\r") if actions and isinstance(actions[0], Send) else ""


def telegram(body: str) -> str:
    """`body` up to the last colon with its exclusive-or, worked out by hand."""
    value = 0xFF
    for byte in body.encode():
        value ^= byte
    return f"{body}{value:02x}"


# -- the sheet, on each end


def test_the_simulator_answers_the_sheets_telegrams():
    def fresh() -> simulated.ThermoHeracellI:
        device = simulated.ThermoHeracellI(StillChamber())
        device.state.interval_s = 300.0
        return device

    XOR.check_simulator(fresh)
    for request in REQUESTS:
        assert ask(fresh(), request).startswith(f"!:{request[2:6]}:")


async def test_the_driver_sends_and_reads_the_sheets_telegrams():
    async with XOR.line("version", "clock", "time") as line:
        driver = ThermoHeracellI(line)
        assert await driver.ask("0001") == "50111927"
        assert log.clock(await driver.ask("0010")) == datetime(2026, 11, 24, 14, 30)
        assert await driver.ask("0012") == "14:30:00"
    async with XOR.line("unknown") as line:
        with pytest.raises(Refused, match="unknown to this incubator"):
            await ThermoHeracellI(line).ask("0005")
    async with XOR.line("interval", "cylinder") as line:
        driver = ThermoHeracellI(line)
        assert (await driver.read("logging_interval")).value == 300.0
        assert (await driver.read("co2_cylinder")).value == "A active; pressure A ok"
    for request in REQUESTS:
        built = thermo.build(thermo.Telegram("?", request[2:6], ""), ThermoHeracellI.check)
        assert built == request.encode() + b"\r"


async def test_the_clean_room_dialect_sends_the_sheets_crc_telegrams():
    for what, address in (("version", "0001"), ("clock", "0010"), ("log", "2400")):
        async with CRC.line(what) as line:
            driver = ThermoViosCr(line)
            with pytest.raises(NoAnswer):
                await driver.ask(address, retries=0)


def test_the_clean_room_simulator_understands_them_and_not_the_others():
    device = simulated.ThermoViosCr(StillChamber())
    for exchange in CRC.exchanges:
        assert ask(device, exchange.request.decode()[:-1]).startswith(f"!:{exchange.request[2:6].decode()}:")
    assert "?0" in ask(device, "?:0001:00::c1")


def test_the_sheet_verifies_this_wire():
    assert XOR.verified


def test_the_printed_logger_entries_are_read():
    first, second = log.entries(PRINTED)
    assert (first.event, first.at, first.status) == (0x01, datetime(2006, 1, 11, 15, 55), 0)
    assert first.values == (375, 40, 212, 0)
    assert second.event == 0x11
    assert log.newest([first, second], periodic=True) is first
    assert log.newest([first, second], periodic=False) is second


@pytest.mark.parametrize(
    "payload", ["0", PRINTED[:-1], PRINTED.upper(), " " * 32, "zz" * 16, "01ff" + PRINTED[4:32], PRINTED * 8]
)
def test_what_is_no_logger_entry_is_an_error(payload: str):
    with pytest.raises(ValueError, match=r"entries|day|month|range"):
        log.entries(payload)


@pytest.mark.parametrize(
    "said", ["03;+000:10;24.11.26;14:30", "03;05.0;+000:10;24.11.26;14:30", "03;5.0;+000:10;24.11.26;14:30"]
)
def test_an_auto_start_status_is_25_characters_or_as_long_as_its_pattern(said: str):
    """The sheet prints 25 bytes and a pattern of 30: the CO2 field may or may not be there (V)."""
    assert meanings.MEANINGS["auto_start"](said) == "waiting for the door to be closed"


def test_an_entry_without_a_date_is_left_out_and_costs_no_other():
    deleted, periodic = "e0" + "00" * 15, "010b01060f3700000177002800d40000"
    (entry,) = log.entries(deleted + periodic)
    assert (entry.event, entry.at, entry.values) == (1, datetime(2006, 1, 11, 15, 55), (375, 40, 212, 0))


def test_a_line_feed_behind_a_telegram_is_passed_over():
    incubator = simulated.ThermoHeracellI(StillChamber())
    for _ in range(2):
        (sent,) = incubator.receive(Bytes(b"?:0001:00::c1\r\n"), 0.0)
        assert isinstance(sent, Send)
        assert sent.data == b"!:0001:08:50111927:df\r"


# -- who it is


@pytest.mark.parametrize("kind", KINDS)
async def test_an_incubator_names_its_software(kind: type[ThermoHeracellI]):
    identity = await rig(kind).driver.identify()
    assert (identity.maker, identity.serial, identity.firmware) == ("Thermo Scientific", "", "50111927")


async def test_a_refrigerator_of_the_same_protocol_is_the_wrong_device():
    with pytest.raises(WrongDevice, match="refrigerator"):
        await rig(dialect="isotemp").driver.identify()


@pytest.mark.parametrize(("mine", "other"), [(ThermoHeracellI, ThermoViosCr), (ThermoViosCr, ThermoHeracellI)])
async def test_the_other_check_sum_is_not_understood(mine: type[ThermoHeracellI], other: type[ThermoHeracellI]):
    bench = rig(other)
    with pytest.raises(WireError):
        await mine(Line(bench.host.link())).identify()


@pytest.mark.parametrize("version", ["5011192", "501119277", "5011 927", ""])
async def test_a_version_of_another_form_is_the_wrong_device(version: str):
    bench = rig()
    device = device_of(bench)
    known = device._tell  # pyright: ignore
    device._tell = lambda address, now: version if address == "0001" else known(address, now)  # pyright: ignore
    with pytest.raises(WrongDevice, match="no software version"):
        await bench.driver.identify()


# -- what is measured


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_a_poll_tells_the_logged_air_whatever_the_order_of_the_log(kind: type[ThermoHeracellI], order: str):
    place = StillChamber()
    bench = rig(kind, place, log_order=order, unverified=1)
    await bench.driver.poll()
    await asyncio.sleep(1800)
    place.values |= {"temperature": 36.4, "co2": 6.1, "o2": 5.5, "humidity": 91.0}
    await asyncio.sleep(61)
    found = await bench.driver.poll()
    assert [found[name].value for name in ("temperature", "co2", "o2", "humidity")] == [36.4, 6.1, 5.5, 91.0]
    assert found["temperature_setpoint"].value == 37.0
    assert found["disinfection"].value == "not active"
    assert found["co2_cylinder"].value == "A active; pressure A ok"


async def test_values_older_than_the_logging_interval_are_no_values():
    bench = rig()
    await bench.driver.poll()
    device_of(bench).state.next_at += 36000
    await asyncio.sleep(600)
    found = await bench.driver.poll()
    for name in ("temperature", "co2", "o2", "humidity"):
        assert found[name].quality is Quality.BAD
        assert "its clock says" in found[name].why
    assert found["disinfection"].quality is Quality.GOOD


async def test_a_long_log_that_begins_with_its_oldest_entry_fails_loudly():
    bench = rig(log_order="oldest")
    await bench.driver.poll()
    await asyncio.sleep(3 * 3600)
    found = await bench.driver.poll()
    assert found["temperature"].quality is Quality.BAD
    assert "newest measured values found" in found["temperature"].why


async def test_zero_humidity_is_an_incubator_without_sensor_and_no_number():
    place = StillChamber()
    place.values["humidity"] = 0.0
    reading = (await rig(place=place).driver.poll())["humidity"]
    assert (reading.value, reading.quality) == (None, Quality.BAD)


async def test_a_temperature_that_cannot_be_true_is_bad():
    place = StillChamber()
    place.values["temperature"] = 999.0
    reading = await rig(place=place).driver.read("temperature")
    assert (reading.value, reading.quality) == (None, Quality.BAD)


async def test_an_open_door_is_an_event():
    place = StillChamber()
    bench = rig(place=place)
    await bench.driver.poll()
    place.values["door_open"] = 1.0
    assert str((await bench.driver.poll())["last_event"].value).endswith("door opened")
    place.values["door_open"] = 0.0
    assert str((await bench.driver.poll())["last_event"].value).endswith("door closed")


async def test_a_disinfection_run_is_told_in_words_and_minutes():
    bench = rig()
    await bench.driver.poll()
    device_of(bench).disinfect(asyncio.get_running_loop().time(), 2.0)
    found = await bench.driver.poll()
    assert found["disinfection"].value == "heating"
    assert found["disinfection_remaining"].value == 120
    await asyncio.sleep(7300)
    assert (await bench.driver.poll())["disinfection"].value == "not active"


def test_every_status_code_of_the_sheet_has_its_word():
    assert len(words.DISINFECTION) == 0x0C
    assert len(words.AUTO_START) == 0x10
    assert words.AUTO_START[0x06] == "reverse voltage adjustment"
    assert words.DISINFECTION[0x0B] == "cancelled"
    assert words.EVENTS[0x12] == "O2 set value changed"


@pytest.mark.parametrize(
    ("field", "value", "name"), [("disinfection", 0x0C, "disinfection"), ("auto_start", 0x10, "auto_start"),
                                 ("co2_cylinder", 0x44, "co2_cylinder")],
)  # fmt: skip
async def test_a_code_nobody_knows_is_bad(field: str, value: int, name: str):
    bench = rig()
    await bench.driver.poll()
    state = device_of(bench).state
    setattr(state, field, value)
    state.disinfection_until = 1e12
    reading = (await bench.driver.poll())[name]
    assert (reading.value, reading.quality) == (None, Quality.BAD)
    assert reading.why


async def test_what_hardly_moves_is_asked_seldom():
    bench = rig()
    seen = list[bool]()
    for _ in range(130):
        seen.append("error_log" in await bench.driver.poll())
        await asyncio.sleep(10)
    assert seen[0]
    assert 2 <= sum(seen) <= 4


async def test_a_silent_incubator_costs_the_line_one_question():
    bench = rig()
    bench.fault("silence")
    found = await bench.driver.poll()
    assert set(found) == set(ThermoHeracellI.specs())
    assert {reading.quality for reading in found.values()} == {Quality.BAD}
    assert bench.wire.faults[0].heard == 2


# -- what was only recalled


async def test_without_profile_and_recalled_addresses_set_points_are_refused_by_name():
    bench = rig()
    found = await bench.driver.poll()
    for name in ("temperature_setpoint", "co2_setpoint", "o2_setpoint"):
        assert found[name].quality is Quality.BAD
        assert "profile-template.csv" in found[name].why
        with pytest.raises(Refused, match="profile-template"):
            await bench.driver.write(name, 20.0)
    assert found["temperature"].quality is Quality.GOOD


async def test_a_recalled_address_is_believed_for_reading_only_when_the_logger_says_the_same():
    place = StillChamber()
    bench = rig(place=place, unverified=1)
    assert (await bench.driver.read("co2_setpoint")).value == 5.0
    await bench.driver.prepare()
    place.values["co2"] = 9.0  # the log is up to a minute behind: from here they disagree
    reading = await bench.driver.read("co2_setpoint")
    assert reading.quality is Quality.BAD
    assert "the logger 5" in reading.why
    await asyncio.sleep(61)
    assert (await bench.driver.read("co2_setpoint")).value == 5.0
    with pytest.raises(Refused, match="profile-template"):
        await bench.driver.write("co2_setpoint", 6.0)


async def test_a_recalled_address_of_another_meaning_is_bad():
    bench = rig(unverified=1)
    device = device_of(bench)
    device._three = lambda address, now: "+037.00;+037.00"  # pyright: ignore
    reading = await bench.driver.read("temperature_setpoint")
    assert reading.quality is Quality.BAD
    assert "not what was recalled" in reading.why


@pytest.mark.parametrize(
    ("name", "value"), [("temperature_setpoint", 36.5), ("co2_setpoint", 6.5), ("o2_setpoint", 5.0)]
)
async def test_with_a_profile_a_set_point_is_written_read_back_and_acts(name: str, value: float):
    place = StillChamber()
    bench = rig(place=place, profile=PROFILE)
    await bench.driver.prepare()
    assert (await bench.driver.write(name, value)).value == value
    assert str((await bench.driver.poll())["last_event"].value).endswith("set value changed")
    await asyncio.sleep(36000)
    air = place.air(asyncio.get_running_loop().time())
    true = {"temperature_setpoint": air.cel, "co2_setpoint": air.co2_percent, "o2_setpoint": air.o2_percent}
    assert true[name] == pytest.approx(value, abs=0.01)


@pytest.mark.parametrize("value", [19.9, 55.1, float("nan"), float("inf")])
async def test_a_set_point_outside_the_profiles_limits_never_reaches_the_wire(value: float):
    bench = rig(profile=PROFILE)
    with pytest.raises(OutOfRange):
        await bench.driver.write("temperature_setpoint", value)
    assert bench.driver.line.dialled == 0


@pytest.mark.parametrize("value", [None, "37", True])
async def test_only_a_number_is_a_set_point(value: object):
    with pytest.raises(Refused, match="takes a number"):
        await rig(profile=PROFILE).driver.write("temperature_setpoint", value)  # type: ignore[arg-type]


async def test_what_can_only_be_read_is_refused():
    with pytest.raises(Refused, match="only be read"):
        await rig(profile=PROFILE).driver.write("co2", 5.0)


async def test_a_wrong_profile_fails_loudly():
    bench = Rig(ThermoHeracellI, simulated.ThermoHeracellI(StillChamber()), 0, {"profile": PROFILE})
    with pytest.raises(Refused, match="unknown to this incubator"):
        await bench.driver.write("temperature_setpoint", 36.0)
    assert (await bench.driver.poll())["temperature_setpoint"].quality is Quality.BAD


async def test_a_set_point_the_incubator_keeps_to_itself_is_refused():
    bench = rig(profile=PROFILE)
    device = device_of(bench)
    device._take = lambda address, payload, now: ""  # pyright: ignore
    with pytest.raises(Refused, match=r"shows 37.* after \+036\.00"):
        await bench.driver.write("temperature_setpoint", 36.0)


async def test_outside_the_incubators_own_limits_is_its_refusal():
    bench = rig(profile=PROFILE)
    device_of(bench)._take = lambda address, payload, now: "?3"  # pyright: ignore
    with pytest.raises(Refused, match="outside the incubator's limits"):
        await bench.driver.write("temperature_setpoint", 36.0)


@pytest.mark.parametrize(
    ("form", "value", "text"), [("+000.00", 37.0, "+037.00"), ("00.0", 5.04, "05.0"), ("000", 37.4, "037"),
                                ("+000.00", -1.5, "-001.50")],
)  # fmt: skip
def test_a_number_is_spelled_as_the_profile_says(tmp_path: Path, form: str, value: float, text: str):
    path = tmp_path / "p.csv"
    path.write_text(f"name,read,field,write,format,low,high\nco2_setpoint,2ff3,1,2ff4,{form},0,20\n")
    assert profile.load(str(path), ["co2_setpoint"])["co2_setpoint"].spell(value) == text


@pytest.mark.parametrize(
    ("row", "why"),
    [("co2,2ff1,1,2ff2,00.0,0,20", "can be filled in"), ("co2_setpoint,????,1,????,00.0,0,20", "four hex digits"),
     ("co2_setpoint,2FF1,1,2ff2,00.0,0,20", "small letters"), ("co2_setpoint,2ff1,0,2ff2,00.0,0,20", "number from 1"),
     ("co2_setpoint,2ff1,1,2ff2,0.x,0,20", "format"), ("co2_setpoint,2ff1,1,2ff2,00.0,20,0", "low and high"),
     ("co2_setpoint,2ff1,1,2ff2,00.0,,", "low and high")],
)  # fmt: skip
def test_a_profile_that_cannot_be_used_is_named_with_its_fault(tmp_path: Path, row: str, why: str):
    path = tmp_path / "mine.csv"
    path.write_text(f"name,read,field,write,format,low,high\n{row}\n")
    with pytest.raises(ValueError, match=why):
        ThermoHeracellI(Line(MemoryHost(simulated.ThermoHeracellI(StillChamber())).link()), 0, {"profile": str(path)})


def test_a_profile_that_is_not_there_is_named_and_the_template_fills_in_nothing():
    with pytest.raises(ValueError, match=r"nowhere\.csv"):
        profile.load("nowhere.csv", ["co2_setpoint"])
    template = (Path(__file__).parents[2] / profile.TEMPLATE).read_text().splitlines()
    assert [line for line in template if line and line[0] != "#"] == ["name,read,field,write,format,low,high"]


@pytest.mark.req("EQ-01")
@pytest.mark.parametrize("kind", KINDS)
def test_the_drivers_declare_what_happens_when_nobody_talks_to_the_incubator(kind: type[ThermoHeracellI]):
    assert kind.on_link_loss is LinkLoss.KEEPS_SETPOINTS
    assert kind.safe_state
    assert kind.watchdog.startswith("none")
    assert kind.verified is None


# -- telegrams that are not what they should be


@pytest.mark.parametrize(
    ("answer", "error"),
    [("!:2140:02:11:dc", BadFrame), ("!:2140:03:11:da", BadFrame), ("!:2140:02:?0", NoAnswer), ("", NoAnswer),
     ("!:2141:02:11:da", NoAnswer), ("?:2140:00::c7", BadFrame)],
)  # fmt: skip
async def test_no_telegram_but_the_right_one_is_an_answer(answer: str, error: type[WireError]):
    bench = rig()
    end = b"\r" if answer and not answer.endswith("?0") else b""
    bench.simulator.receive = lambda event, now: (
        [Send(0.01, answer.encode() + end)] if isinstance(event, Bytes) and answer else []
    )  # type: ignore[method-assign]
    with pytest.raises(error):
        await bench.driver.read("co2_cylinder")


async def test_a_question_that_arrived_damaged_is_asked_once_more():
    bench = rig()
    device = device_of(bench)
    receive, heard = device.receive, list[bytes]()

    def first_damaged(event: object, now: float):
        if isinstance(event, Bytes):
            heard.append(event.data)
            if len(heard) == 1:
                event = Bytes(event.data.replace(b"2140", b"2141"))
        return receive(event, now)  # pyright: ignore

    device.receive = first_damaged  # type: ignore[method-assign]
    assert (await bench.driver.read("co2_cylinder")).quality is Quality.GOOD
    assert len(heard) == 2


# -- the simulator by itself


@pytest.mark.parametrize(
    ("line", "reply"),
    [("?:000A:00::b1", telegram("!:000a:02:?0:")), ("hello", ""), ("?:0001:01::c0", telegram("!:0001:02:?0:")),
     (telegram("!:2410:08:00:01:00:"), telegram("!:2410:02:?1:")), (telegram("?:2010:00::"), telegram("!:2010:02:?1:")),
     (telegram("?:0011:00::"), telegram("!:0011:08:24:11:26:"))],
)  # fmt: skip
def test_telegrams_are_judged_as_the_sheet_says(line: str, reply: str):
    assert ask(simulated.ThermoHeracellI(StillChamber()), line) == reply


def test_the_log_is_told_in_blocks_and_the_last_block_again():
    device = simulated.ThermoHeracellI(StillChamber())
    for minute in range(20):
        device.wake(60.0 * minute)
    now = 60.0 * 19
    first, second = ask(device, "?:2400:00::c6", now), ask(device, "?:2401:00::c7", now)
    again, third = ask(device, "?:2402:00::c4", now), ask(device, "?:2401:00::c7", now)
    assert first[:9] == "!:2400:e0"
    assert first[10:-3] != second[10:-3]
    assert again[10:-3] == second[10:-3]
    found = [entry for text in (first, second, third) for entry in log.entries(text[10:-3])]
    assert len(found) == 20
    assert third[10:-3].endswith("ff" + "0" * 30)
    assert ask(device, "?:2401:00::c7", now)[7:9] == "00"


def test_replies_take_their_time_on_a_9600_baud_cable():
    action = simulated.ThermoHeracellI(StillChamber()).receive(Bytes(XOR["time"].request), 0.0)[0]
    assert action.delay_s == pytest.approx(0.02 + (14 + 22) * 10 / 9600)


def test_a_power_failure_is_in_the_log_and_set_points_are_kept():
    place = StillChamber()
    device = simulated.ThermoHeracellI(place, 0, 3, {"profile": PROFILE})
    assert ask(device, telegram("!:2ff2:07:+030.00:"), 1.0) == telegram("!:2ff2:00::")
    device.receive(Bytes(b"?:0001"), 2.0)
    device.power_cycle(10.0)
    assert ask(device, telegram("?:2ff1:00::"), 11.0) == telegram("!:2ff1:07:+030.00:")
    assert log.entries(ask(device, "?:2400:00::c6", 11.0)[10:-3])[0].event == 0x30
    twin = simulated.ThermoHeracellI(place, 0, 3, {"profile": PROFILE})
    twin.restore(json.loads(json.dumps(device.snapshot())))
    for request in ("?:2400:00::c6", telegram("?:2ff1:00::"), "?:0012:00::c3"):
        assert ask(twin, request, 200.0) == ask(device, request, 200.0)


def test_a_half_received_telegram_is_kept_in_a_snapshot():
    device = simulated.ThermoHeracellI(StillChamber())
    device.receive(Bytes(b"?:0001:00:"), 0.0)
    twin = simulated.ThermoHeracellI(StillChamber())
    twin.restore(json.loads(json.dumps(device.snapshot())))
    assert ask(twin, ":c1") == "!:0001:08:50111927:df"


def test_noise_comes_with_a_seed_only():
    def logged(seed: int | None) -> set[str]:
        device = simulated.ThermoHeracellI(StillChamber(), 0, seed)
        for minute in range(30):
            device.wake(60.0 * minute)
        return {entry[16:] for entry in device.state.entries}

    assert len(logged(None)) == 1
    assert len(logged(4)) > 5
