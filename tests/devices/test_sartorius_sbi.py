"""SBI balance: the sheet's lines at both ends, silent commands proved by reading, moving weights, damage."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from drivers.core.device import Device, LinkLoss
from drivers.core.errors import BadFrame, NoAnswer, Refused, WireError
from drivers.core.signals import Identity, Quality
from drivers.devices.sartorius_sbi import SartoriusBalance
from drivers.devices.sartorius_sbi.replies import text, weighed
from simulators.core.simulator import Bytes, Opened, Send
from simulators.devices import sartorius_sbi as simulated
from tests.devices.golden import golden
from tests.devices.rig import Rig

GOLDEN = golden(
    "sartorius_sbi",
    r"""
    vectors  | S | > 1B 50 0D 0A       | < "N     +   0.1234 g  \r\n" | net
    vectors  | S | > 1B 50 0D 0A       | < "G     +   9.9999 kg \r\n" | gross
    vectors  | S | > 1B 50 0D 0A       | < "N     +   5.4321    \r\n" | moving
    vectors  | S | > 1B 50 0D 0A       | < "X     +   5.4321 g  \r\n" | another code
    recorded | U | > 1B 50 0D 0A       | < 4E 20 20 20 20 20 2B 20 20 35 32 2E 31 38 37 34 20 67 20 20 0D 0A | recorded
    recorded | U | > 1B 78 31 5F 0D 0A | < "QUINTIX224-1S\r\n"         | model
    Commands | S | > 1B 78 31 5F 0D 0A | < "SIWADCP-1-\r\n"            | industrial model
    Commands | L | > 1B 78 32 5F 0D 0A | < "37454321\r\n"              | serial
    Commands | L | > 1B 78 33 5F 0D 0A | < "00-37-09\r\n"              | software
    derived  | X | > 1B 50 0D 0A       | < "Stat        High    \r\n"  | overload
    Commands | L | > 1B 54 0D 0A       | < -                           | tare
    Commands | L | > 1B 55 0D 0A       | < -                           | tare key
    """,
)


class Bottle:
    """A weight that changes at `g_s` from the first look on."""

    def __init__(self, grams: float = 100.0, g_s: float = 0.0) -> None:
        self.grams, self.g_s = grams, g_s
        self.since: float | None = None

    def weight_g(self, now: float) -> float:
        self.since = now if self.since is None else self.since
        return self.grams + self.g_s * (now - self.since)


class Bench:
    """A bottle on a balance and its driver."""

    def __init__(self, bottle: Bottle | None = None, seed: int | None = None, unit: str = "", **options: Any) -> None:
        self.bottle = bottle or Bottle()
        self.balance = simulated.SartoriusBalance(self.bottle, seed=seed, options=options)
        self.rig: Rig[SartoriusBalance] = Rig(SartoriusBalance, self.balance, 0, {"unit": unit} if unit else None)
        self.driver = self.rig.driver

    def says(self, line: bytes) -> None:
        """From now on every print is this."""
        self.balance._line = lambda gross_g, still, now: line.decode("latin-1")  # type: ignore[method-assign]


def ask(balance: simulated.SartoriusBalance, request: bytes, now: float = 0.0) -> bytes:
    """Everything the simulator says until it is at rest."""
    actions = balance.receive(Bytes(request), now)
    while balance.state.look_at is not None:
        actions += balance.wake(balance.state.look_at)
    return b"".join(action.data for action in actions if isinstance(action, Send))


def quintix(grams: float, g_s: float = 0.0, **options: Any) -> simulated.SartoriusBalance:
    options = {"model": "QUINTIX224-1S", "resolution_g": 0.0001, "capacity_g": 220.0, **options}
    return simulated.SartoriusBalance(Bottle(grams, g_s), options=options)


# --- the sheet, at both ends


def test_a_number_without_a_sign_is_a_weight_too():
    """Position 1 may be a space (L)."""
    assert weighed("N         0.0000 g  ") == weighed("N     +   0.0000 g  ")


def test_the_simulator_says_what_the_sheet_says():
    GOLDEN.check_simulator(quintix(52.1874), "recorded", "model", "serial", "software", "tare", "tare key")
    GOLDEN.check_simulator(quintix(0.1234), "net")
    GOLDEN.check_simulator(quintix(500.0), "overload")
    GOLDEN.check_simulator(quintix(0.0, model="SIWADCP-1-"), "industrial model")
    industrial = quintix(9999.9, resolution_g=0.1, capacity_g=60000.0, code="G")
    industrial.show_in("kg")
    GOLDEN.check_simulator(industrial, "gross")


def test_a_moving_weight_has_no_unit():
    balance = quintix(5.4321, 0.01)
    assert ask(balance, b"\x1bP\r\n") == b"N     +   5.4326    \r\n"


async def test_the_driver_understands_the_published_lines():
    async with GOLDEN.line("moving", "net", "moving", "gross", "another code", "overload", "recorded") as line:
        balance = SartoriusBalance(line)
        assert "not shown its unit" in (await balance.weight.read()).why
        readings = await balance.poll()
        assert {name: each.value for name, each in readings.items()} == {
            "weight": 0.1234, "stable": True, "shown": "net"
        }  # fmt: skip
        moving = await balance.poll()
        assert (moving["weight"].value, moving["stable"].value) == (5.4321, False)
        gross = await balance.poll()
        assert (gross["weight"].value, gross["shown"].value) == (9999.9, "gross")
        assert "'X'" in (await balance.weight.read()).why
        assert "overload" in (await balance.weight.read()).why
        assert (await balance.weight.read()).value == 52.1874


async def test_who_it_is_in_the_published_words():
    async with GOLDEN.line("recorded", "model", "serial", "software") as line:
        identity = await SartoriusBalance(line).identify()
        assert identity == Identity("Sartorius", "QUINTIX224-1S", "37454321", "00-37-09")
    async with GOLDEN.line("net", "industrial model", "serial", "software") as line:
        assert (await SartoriusBalance(line).identify()).type == "SIWADCP-1-"
    silent = golden("sartorius_sbi", r""" Commands | X | > 1B 78 33 5F 0D 0A | < - | silence """).exchanges
    async with GOLDEN.line("net", "industrial model", "serial") as line:
        line.link.script += silent * 2  # type: ignore[attr-defined]
        assert (await SartoriusBalance(line).identify()) == Identity("Sartorius", "SIWADCP-1-", "37454321", "")
    with pytest.raises(NoAnswer):
        async with GOLDEN.line("net") as line:
            line.link.script += golden("x", r""" - | X | > 1B 78 31 5F 0D 0A | < - | model """).exchanges * 2  # type: ignore[attr-defined]
            await SartoriusBalance(line).identify()


# --- reading


@pytest.mark.parametrize("form", [22, 16])
@pytest.mark.parametrize("comma", [0, 1])
async def test_either_width_and_either_decimal_sign_is_read(form: int, comma: int):
    bench = Bench(Bottle(312.346), form=form, comma=comma)
    await bench.driver.identify()
    await bench.driver.prepare()
    readings = await bench.driver.poll()
    assert list(readings) == list(SartoriusBalance.specs()) == ["weight", "stable", "shown"]
    assert readings["weight"].value == 312.35
    assert readings["shown"].value == ("net" if form == 22 else "displayed")


async def test_negative_and_zero_weights():
    bench = Bench(Bottle(-1.5))
    assert (await bench.driver.weight.read()).value == -1.5
    bench.bottle.grams = 0.0
    assert (await bench.driver.weight.read()).value == 0.0


async def test_a_moving_weight_is_read_in_the_unit_last_shown():
    bench = Bench(Bottle(500.0))
    bench.balance.show_in("kg")
    assert (await bench.driver.weight.read()).value == 500.0
    bench.bottle.g_s = 1.0
    readings = await bench.driver.poll()
    assert readings["stable"].value is False
    assert readings["weight"].value == pytest.approx(500.0, abs=1.0)


async def test_a_balance_that_never_stands_still_is_read_by_the_option():
    assert (await Bench(Bottle(500.0, 1.0)).driver.weight.read()).quality is Quality.BAD
    bench = Bench(Bottle(500.0, 1.0), unit="g")
    await bench.driver.prepare()
    assert (await bench.driver.weight.read()).value == pytest.approx(500.0, abs=1.0)
    with pytest.raises(ValueError, match="oz"):
        Bench(unit="oz")


async def test_after_a_reconnection_the_unit_has_to_be_shown_again():
    bench = Bench(Bottle(500.0))
    await bench.driver.poll()
    bench.bottle.g_s = 1.0
    await bench.driver.prepare()
    assert "not shown its unit" in (await bench.driver.weight.read()).why


@pytest.mark.parametrize("unit", [b"lb ", b"oz ", b"ct ", b"pcs", b"%  "])
async def test_another_unit_is_refused_by_its_name(unit: bytes):
    bench = Bench()
    bench.says(b"N     +   0.1234 " + unit)
    reading = await bench.driver.weight.read()
    assert reading.quality is Quality.BAD
    assert unit.decode().strip() in reading.why


@pytest.mark.parametrize(
    ("line", "why"),
    [(b"Stat        High    ", "overload"), (b"Stat        Low     ", "underload"),
     (b"Stat     Cal.Int.   ", "adjusts itself"), (b"Stat     Cal.Ext.   ", "external weight"),
     (b"Stat     Err 102    ", "Err 102"), (b"Stat     APP.ERR    ", "APP.ERR"), (b"Stat     DIS.ERR    ", "DIS.ERR"),
     (b"Stat     PRT.ERR    ", "PRT.ERR"), (b"Stat        OFF     ", "switched off"), (b"      High    ", "overload"),
     (b"T     +   0.1234 g  ", "'T'"), (b"G#    +   0.1234 g  ", "'G#'")],
)  # fmt: skip
async def test_every_line_without_a_weight_is_a_bad_reading_in_words(line: bytes, why: str):
    bench = Bench()
    bench.says(line)
    readings = await bench.driver.poll()
    assert {reading.quality for reading in readings.values()} == {Quality.BAD}
    assert why in readings["weight"].why


@pytest.mark.parametrize(
    "line",
    [b"ES", b"S S     100.00 g", b"N     +   0.1234 g ", b"N     +   0.1234  g ", b"N     +0.1234    g  ",
     b"N     *   0.1234 g  ", b"N     +   00.123 g  ", b"Net   +   0.1234 kgg!", b"N           High    "],
)  # fmt: skip
async def test_what_is_no_line_of_an_sbi_balance_is_a_bad_frame(line: bytes):
    bench = Bench()
    bench.says(line)
    with pytest.raises(BadFrame, match="not a line"):
        await bench.driver.poll()
    with pytest.raises(BadFrame):
        await bench.driver.identify()


async def test_nothing_a_balance_shows_can_be_set():
    with pytest.raises(Refused, match="cannot be set"):
        await Bench().driver.write("weight", 1.0)


# --- prints by itself, or late


async def test_lines_that_come_by_themselves_are_weights_and_no_texts():
    bench = Bench(Bottle(250.0), auto_s=0.4)
    assert (await bench.driver.identify()).type == "QUINTIX5102-1S"
    await asyncio.sleep(10)
    for _ in range(5):
        assert (await bench.driver.weight.read()).value == 250.0


async def test_a_balance_that_waits_for_stability_does_not_answer_while_liquid_runs():
    bench = Bench(Bottle(250.0, 1.0), output="stable")
    with pytest.raises(NoAnswer):
        await bench.driver.weight.read()
    bench.bottle.g_s, bench.bottle.grams = 0.0, 300.0
    await asyncio.sleep(5)
    assert (await bench.driver.weight.read()).value == 300.0


async def test_a_balance_in_its_other_protocol_does_not_answer():
    with pytest.raises(NoAnswer):
        await Bench(protocol="xbpi").driver.identify()


# --- tare, zero, keys


async def test_tare_and_zero_are_proved_by_reading_again():
    bench = Bench(Bottle(100.0))
    assert await bench.driver.tare() == 0.0
    bench.bottle.grams = 142.0
    assert (await bench.driver.weight.read()).value == 42.0
    assert await bench.driver.zero() == 0.0
    assert (bench.balance.state.zero_g, bench.balance.state.tare_g) == (142.0, 0.0)


async def test_a_tare_that_was_not_taken_is_refused():
    bench = Bench(Bottle(100.0))
    bench.balance.keys["U"] = lambda now: None
    with pytest.raises(Refused, match="100 g"):
        await bench.driver.tare()
    bench.bottle.g_s = 5.0
    with pytest.raises(Refused, match="stand still"):
        await bench.driver.zero()


async def test_a_reply_where_there_is_none_is_not_an_sbi_balance():
    bench = Bench()
    bench.balance._obey = lambda command, now: [Send(0.01, b"T S     100.00 g\r\n")]  # type: ignore[method-assign]
    with pytest.raises(BadFrame, match="silent"):
        await bench.driver.tare()


async def test_filter_keys_and_beep_reach_the_balance():
    bench = Bench()
    await bench.driver.set_filter("very unstable")
    await bench.driver.lock_keys(True)
    await bench.driver.beep()
    state = bench.balance.state
    assert (state.filter, state.locked, state.beeps) == ("N", True, 1)
    await bench.driver.lock_keys(False)
    assert not state.locked
    with pytest.raises(Refused, match="very stable"):
        await bench.driver.set_filter("windy")


async def test_the_balance_adjusts_itself_with_an_empty_pan():
    bench = Bench(Bottle(0.3))
    start = asyncio.get_running_loop().time()
    assert await bench.driver.calibrate("internal") == {}
    assert 20 <= asyncio.get_running_loop().time() - start < 25
    assert (await bench.driver.weight.read()).value == 0.0


async def test_an_adjustment_that_does_not_begin_or_end_is_refused():
    with pytest.raises(Refused, match="did not begin"):
        await Bench(Bottle(100.0)).driver.calibrate("internal")
    bench = Bench(Bottle(0.0))
    bench.says(b"Stat     Cal.Int.   ")
    with pytest.raises(Refused, match="still adjusts"):
        await bench.driver.calibrate("internal")
    with pytest.raises(Refused, match="there is internal"):
        await bench.driver.calibrate("external")


async def test_an_adjustment_that_ends_in_an_error_is_refused():
    bench = Bench(Bottle(0.0))
    lines = iter(["Stat     Cal.Int.   "] * 3 + ["Stat     Err 102    "] * 9)
    bench.balance._line = lambda gross_g, still, now: next(lines)  # type: ignore[method-assign]
    with pytest.raises(Refused, match="Err 102"):
        await bench.driver.calibrate("internal")


# --- the simulator


def test_commands_end_by_themselves_and_unknown_ones_are_nothing():
    balance = quintix(1.0)
    assert ask(balance, b"\x1bP") == b"N     +   1.0000 g  \r\n"
    assert ask(balance, b"\x1bx1_") == b"QUINTIX224-1S\r\n"
    assert ask(balance, b"\x1bkP_\r\n") == b"N     +   1.0000 g  \r\n"
    assert ask(balance, b"\x1bx4_\r\n") == b"01-62-05\r\n"
    assert ask(balance, b"\x1bx5_\r\n") == b"\r\n"
    assert ask(balance, b"P\r\nx1_\r\n\x1bp\r\n\x1bW\r\n\x1bx9_\r\n\x1bs3_\r\n\x1bxxxxxxxxxxxxx_") == b""
    assert ask(balance, b"\x1bx\x1bx2_") == b"37454321\r\n"


def test_a_print_while_another_is_worked_on_is_ignored():
    balance = quintix(1.0)
    assert ask(balance, b"\x1bP\r\n\x1bP\r\n") == b"N     +   1.0000 g  \r\n"


def test_the_panel_switches_off_and_a_light_pan_is_underload():
    balance = quintix(-30.0)
    assert ask(balance, b"\x1bP\r\n") == b"Stat        Low     \r\n"
    balance.switch(False)
    assert ask(balance, b"\x1bP\r\n") == b"Stat        OFF     \r\n"
    balance.switch(True)
    assert ask(quintix(0.0), b"\x1bP\r\n") == b"N     +   0.0000 g  \r\n"


def test_a_restart_takes_three_seconds_loses_the_tare_and_moves_the_zero():
    for command, options in ((b"\x1bS\r\n", {}), (b"", {}), (b"", {"power_on": "keep"})):
        balance = quintix(100.0, **options)
        ask(balance, b"\x1bT\r\n")
        assert ask(balance, command) == b""
        if not command:
            assert balance.power_cycle(0.0) == []
        assert ask(balance, b"\x1bP\r\n", 2.0) == b""
        zeroed = not options
        expected = b"N     +   0.0000 g  \r\n" if zeroed else b"N     + 100.0000 g  \r\n"
        assert ask(balance, b"\x1bP\r\n", 3.0) == expected


async def test_a_reply_takes_its_time_on_the_cable():
    bench = Bench()
    start = asyncio.get_running_loop().time()
    await bench.driver.poll()
    assert asyncio.get_running_loop().time() - start == pytest.approx(0.05 + 26 * 11 / 9600, abs=1e-5)


def test_a_restored_balance_goes_on_with_the_same_tare_command_and_noise():
    bottle = Bottle(100.0)
    balance = simulated.SartoriusBalance(bottle, seed=5)
    ask(balance, b"\x1bT\r\n")
    balance.receive(Bytes(b"\x1bP\r\n\x1bx"), 1.0)
    twin = simulated.SartoriusBalance(bottle, seed=5)
    twin.restore(json.loads(json.dumps(balance.snapshot())))
    assert twin.wake_at == balance.wake_at == pytest.approx(1.05)
    assert twin.wake(1.05) == balance.wake(1.05)
    assert ask(twin, b"2_", 2.0) == ask(balance, b"2_", 2.0) == b"37454321\r\n"
    bottle.grams = 100.005
    values = [ask(balance, b"\x1bP", 3.0) for _ in range(9)]
    assert [ask(twin, b"\x1bP", 3.0) for _ in range(9)] == values
    assert len(set(values)) > 1


def test_reconnecting_drops_half_a_command():
    balance = quintix(1.0)
    balance.receive(Bytes(b"\x1bx"), 0.0)
    balance.receive(Opened(), 1.0)
    assert ask(balance, b"1_", 2.0) == b""


# --- damaged replies


@pytest.mark.parametrize("reply", [b"N     +   0.1234 g  ", b"G     - 100.2900 kg ", b"+   5.4321    "])
async def test_three_hundred_damaged_replies_never_give_a_wrong_weight(reply: bytes):
    """A digit that becomes another digit or a unit that becomes another one is left out: nothing can show that."""
    bench = Bench(unit="g")
    bench.says(reply)
    dice = random.Random(20260105)
    refused = 0
    for _ in range(300):
        at, what = dice.randrange(len(reply)), dice.randrange(5)
        odd = bytes([dice.choice(b"xyzXYZ\x00\x07\xff\x8d*#\n")])
        damaged = (
            reply[:at], reply[:at] + odd + reply[at + 1 :], reply[:at] + odd + reply[at:],
            reply[:at] + reply[at + 1 :], reply[: at + 1] + reply[at:],
        )[what]  # fmt: skip
        bench.says(reply)
        await bench.driver.prepare()
        truth = (await bench.driver.poll())["weight"].value
        bench.says(damaged)
        try:
            readings = await bench.driver.poll()
        except WireError as error:
            assert str(error)
            refused += 1
            continue
        if readings["weight"].quality is Quality.GOOD:
            assert readings["weight"].value == truth, damaged
        else:
            assert readings["weight"].why
            refused += 1
    assert refused > 200


async def test_every_cut_of_a_reply_is_a_named_error():
    bench = Bench()
    whole = b"N     + 100.00 g  "
    look = bench.balance._look
    for length in range(len(whole)):

        def cut(now: float, length: int = length) -> Any:
            return [Send(action.delay_s, action.data[:length]) for action in look(now) if isinstance(action, Send)]

        bench.balance._look = cut  # type: ignore[method-assign]
        with pytest.raises(WireError):
            await bench.driver.weight.read()


async def test_endless_bytes_without_a_line_end_are_a_bad_frame():
    bench = Bench()
    bench.says(b"0" * 600)
    bench.balance._say = lambda line, after_s: [Send(after_s, line.encode())]  # type: ignore[method-assign]
    with pytest.raises(BadFrame, match="line end"):
        await bench.driver.weight.read()


def test_a_text_is_a_text_and_a_weight_is_a_weight():
    assert text("QUINTIX224-1S ") == "QUINTIX224-1S"
    assert text("") is text("N     +   0.1234 g  ") is text("\xff\xffQUINTIX") is text("      High    ") is None
    assert weighed("QUINTIX224-1S") is None
    moving = weighed("-   5,4321    ")
    assert moving is not None
    assert (moving.number, moving.unit, moving.digit) == (-5.4321, "", 1e-4)


# --- what the driver declares


@pytest.mark.req("EQ-01")
def test_the_driver_declares_what_happens_without_us():
    assert issubclass(SartoriusBalance, Device)
    assert SartoriusBalance.on_link_loss is LinkLoss.ONLY_MEASURES
    assert SartoriusBalance.safe_state
    assert SartoriusBalance.watchdog == "none"
    assert SartoriusBalance.verified is None
