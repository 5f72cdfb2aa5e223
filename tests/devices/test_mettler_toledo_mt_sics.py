"""MT-SICS balance: the sheet's exchanges at both ends, weights and troubles, stability, tare, damaged replies."""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from drivers.core.device import LinkLoss
from drivers.core.errors import BadFrame, NoAnswer, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Identity, Quality
from drivers.devices.mettler_toledo_mt_sics import MettlerToledoBalance
from drivers.devices.mettler_toledo_mt_sics.replies import weighed
from simulators.core.hosts import MemoryHost
from simulators.core.simulator import Action, Bytes, Opened, Send
from simulators.devices import mettler_toledo_mt_sics as simulated
from tests.devices.golden import golden

GOLDEN = golden(
    "mettler_toledo_mt_sics",
    r"""
    Framing  | V   | > "S\r\n"       | < 53 20 53 20 20 20 20 20 31 30 30 2E 30 30 20 67 0D 0A | stable
    Examples | V   | > "@\r\n"       | < "I4 A \"12345678\"\r\n"   | cancel
    Examples | P   | > "M21 0 0\r\n" | < "M21 A\r\n"               | gram
    Examples | P   | > "I4\r\n"      | < "I4 A \"B123456789\"\r\n" | serial
    Examples | X   | > "SI\r\n"      | < "S D     100.01 g\r\n"    | dynamic
    Examples | X   | > "T\r\n"       | < "T S     100.00 g\r\n"    | tare
    Examples | P   | > "Z\r\n"       | < "Z A\r\n"                 | zero
    Examples | X   | > "XX\r\n"      | < "ES\r\n"                  | unknown
    Examples | X   | > "SI\r\n"      | < "S S      -0.50 g\r\n"    | negative
    Commands | J   | > "I2\r\n"      | < "I2 A \"XS205DU Excellence 220.0000 g\"\r\n"  | type
    Commands | J   | > "I3\r\n"      | < "I3 A \"2.10 10.28.0.493.142\"\r\n"           | software
    Commands | E   | > "SI\r\n"      | < "S +\r\n"                 | overload
    Commands | E   | > "SI\r\n"      | < "S -\r\n"                 | underload
    Commands | L   | > "TAC\r\n"     | < "TAC A\r\n"               | clear tare
    Commands | V   | > "I1\r\n"      | < "I1 A \"01\" \"2.00\" \"2.00\" \"2.00\" \"1.0\"\r\n" | level
    Commands | L   | > "I11\r\n"     | < "I11 A \"XS205DU\"\r\n"    | model
    Commands | L   | > "WS\r\n"      | < "WS A 0\r\n"              | door
    Commands | L   | > "M28\r\n"     | < "M28 B 1 21.8\r\nM28 A 2 22.1\r\n" | temperatures
    Commands | L   | > "D \"osteon\"\r\n" | < "D A\r\n"             | display
    Commands | L   | > "DW\r\n"      | < "DW A\r\n"                | display weight
    Commands | L   | > "C3\r\n"      | < "C3 B\r\nC3 A\r\n"       | adjusted
    Commands | L   | > "C3\r\n"      | < "C3 I\r\n"                | not adjusted
    """,
)


class BottlePan:
    """A weight that changes at `g_s` from the first look on."""

    def __init__(self, grams: float = 100.0, g_s: float = 0.0) -> None:
        self.grams, self.g_s = grams, g_s
        self.since: float | None = None

    def weight_g(self, now: float) -> float:
        self.since = now if self.since is None else self.since
        return self.grams + self.g_s * (now - self.since)


def connect(
    pan: BottlePan | None = None, seed: int | None = None, **options: float | str
) -> tuple[MettlerToledoBalance, simulated.MettlerToledoBalance, MemoryHost]:
    simulator = simulated.MettlerToledoBalance(pan or BottlePan(), seed=seed, options=options)
    host = MemoryHost(simulator, "balance")
    return MettlerToledoBalance(Line(host.link())), simulator, host


class Says:
    """A link at whose far end each request gets the same bytes."""

    url = "says://"
    is_open = False

    def __init__(self, reply: bytes) -> None:
        self.reply = reply
        self.left = b""

    async def dial(self) -> None:
        self.is_open = True

    def write(self, data: bytes) -> None:
        self.left = self.reply

    async def read(self) -> bytes:
        if not self.left:
            await asyncio.sleep(1e9)
        data, self.left = self.left, b""
        return data

    def waiting(self) -> bytes:
        return b""

    async def close(self) -> None:
        self.is_open = False


def saying(reply: bytes) -> MettlerToledoBalance:
    return MettlerToledoBalance(Line(Says(reply)))


def ask(simulator: simulated.MettlerToledoBalance, request: bytes, now: float = 0.0) -> bytes:
    """Everything the simulator says until it is at rest."""
    actions = simulator.receive(Bytes(request), now)
    while simulator.wake_at is not None:
        actions += simulator.wake(simulator.wake_at)
    return b"".join(action.data for action in actions if isinstance(action, Send))


# --- the sheet, at both ends


def test_the_simulator_says_what_the_sheet_says():
    def at(grams: float, g_s: float = 0.0, **options: str) -> simulated.MettlerToledoBalance:
        return simulated.MettlerToledoBalance(BottlePan(grams, g_s), options=options)

    GOLDEN.check_simulator(
        lambda: at(100.0),
        "stable",
        "gram",
        "serial",
        "tare",
        "zero",
        "unknown",
        "clear tare",
        "software",
        "level",
        "door",
        "temperatures",
        "display",
        "display weight",
        "not adjusted",
    )
    GOLDEN.check_simulator(at(100.0, serial="12345678"), "cancel")
    GOLDEN.check_simulator(at(100.0, g_s=0.1), "dynamic")
    GOLDEN.check_simulator(at(-0.5), "negative")
    GOLDEN.check_simulator(at(5000.0), "overload")
    GOLDEN.check_simulator(at(-150.0), "underload")
    assert GOLDEN.verified


async def test_the_driver_understands_the_published_weights():
    async with GOLDEN.line("stable", "dynamic", "negative", "overload", "underload") as line:
        balance = MettlerToledoBalance(line)
        assert (await balance.stable_weight()).value == 100.0
        assert (await balance.weight.read()).value == 100.01
        negative = await balance.poll()
        assert (negative["weight"].value, negative["stable"].value) == (-0.5, True)
        overload, underload = await balance.weight.read(), await balance.weight.read()
        assert overload.quality is underload.quality is Quality.BAD
        assert "overload" in overload.why
        assert "underload" in underload.why


async def test_the_driver_asks_for_grams_identity_tare_and_zero_as_published():
    async with GOLDEN.line("serial", "type", "software", "gram", "tare", "clear tare", "zero") as line:
        balance = MettlerToledoBalance(line)
        assert await balance.identify() == Identity(
            "Mettler Toledo", "XS205DU Excellence", "B123456789", "2.10 10.28.0.493.142"
        )
        await balance.prepare()
        assert await balance.tare() == 100.0
        await balance.clear_tare()
        await balance.zero()


# --- reading


async def test_a_poll_is_one_exchange_of_weight_and_stability():
    balance, simulator, _ = connect(BottlePan(312.346))
    await balance.identify()
    await balance.prepare()
    readings = await balance.poll()
    assert list(readings) == list(MettlerToledoBalance.specs()) == ["weight", "stable"]
    assert (readings["weight"].value, readings["stable"].value) == (312.35, True)
    assert simulator.state.pending == ""


async def test_liquid_running_into_the_bottle_is_dynamic_and_a_still_bottle_stable():
    pan = BottlePan(100.0, 1 / 60)
    balance, _, _ = connect(pan)
    assert (await balance.stable.read()).value is False
    pan.grams, pan.g_s = 118.0, 0.0
    await balance.poll()
    assert (await balance.poll())["stable"].value is True


async def test_waiting_for_a_bottle_that_never_stands_still_ends_in_a_bad_reading():
    balance, _, _ = connect(BottlePan(100.0, 1.0))
    start = asyncio.get_running_loop().time()
    reading = await balance.stable_weight()
    assert reading.quality is Quality.BAD
    assert "not stable in time" in reading.why
    assert 30 <= asyncio.get_running_loop().time() - start < 32
    with pytest.raises(Refused, match="Z I"):
        await balance.zero()


@pytest.mark.parametrize(
    ("line", "grams"),
    [(b"S S   10000.00 mg", 10.0), (b"S S    0.01000 kg", 10.0), (b"S D 1234567.89 g", 1234567.89),
     (b"S S    0.00000 g", 0.0), (b"S D 1.234 g", 1.234)],
)  # fmt: skip
def test_weights_in_grams_milligrams_and_kilograms(line: bytes, grams: float):
    assert weighed(line).grams == pytest.approx(grams)


@pytest.mark.parametrize("unit", [b"oz", b"lb", b"GN", b"pcs"])
async def test_another_unit_is_refused_by_its_name(unit: bytes):
    reading = await saying(b"S S     100.00 " + unit + b"\r\n").weight.read()
    assert reading.quality is Quality.BAD
    assert unit.decode() in reading.why


@pytest.mark.parametrize(
    ("line", "why"),
    [(b"S I", "not executable"), (b"S L", "not allowed"), (b"S +", "overload"), (b"S -", "underload"),
     (b"S S Error 10b", "EEPROM"), (b"S D Error   15t", "adjustment needed"), (b"S S Error 99b", "unknown")],
)  # fmt: skip
async def test_every_trouble_of_the_sheet_is_a_bad_reading_in_words(line: bytes, why: str):
    readings = await saying(line + b"\r\n").poll()
    assert {reading.quality for reading in readings.values()} == {Quality.BAD}
    assert why in readings["weight"].why


@pytest.mark.parametrize("code", [b"ES", b"ET", b"EL"])
async def test_a_general_error_is_refused_by_its_code(code: bytes):
    with pytest.raises(Refused) as caught:
        await saying(code + b"\r\n").weight.read()
    assert caught.value.code == code.decode()


async def test_lines_nobody_asked_for_are_dropped_by_their_id():
    reading = await saying(b'WS A 1\r\nD A\r\nI10 A "feed"\r\n\r\nS S     100.00 g\r\n').weight.read()
    assert reading.value == 100.0


async def test_an_answer_with_another_id_is_silence():
    with pytest.raises(NoAnswer):
        await saying(b"SI S     100.00 g\r\n").weight.read()


async def test_what_does_not_know_i4_is_the_wrong_device():
    with pytest.raises(WrongDevice, match="I4"):
        await saying(b"ES\r\n").identify()


async def test_a_balance_without_the_host_unit_command_is_judged_by_the_unit_it_shows():
    await saying(b"ES\r\n").prepare()


async def test_a_balance_that_restarted_says_so_once():
    balance, _, host = connect()
    assert (await balance.weight.read()).value == 100.0
    host.power_cycle()
    await asyncio.sleep(5)
    reading = await balance.weight.read()
    assert reading.quality is Quality.BAD
    assert "restarted" in reading.why
    assert (await balance.weight.read()).value == 100.0


async def test_a_restart_that_moves_the_zero_does_not_pass_as_a_weight():
    balance, simulator, host = connect(BottlePan(250.0), power_on="zero")
    assert (await balance.weight.read()).value == 250.0
    host.power_cycle()
    await asyncio.sleep(30)
    assert (await balance.weight.read()).quality is Quality.BAD
    assert simulator.state.zero_g == 250.0


# --- tare and zero


async def test_tare_is_taken_kept_and_cleared():
    pan = BottlePan(100.0)
    balance, _, _ = connect(pan)
    assert await balance.tare() == 100.0
    pan.grams = 142.0
    assert (await balance.weight.read()).value == 42.0
    assert await balance.tare_weight() == 100.0
    await balance.clear_tare()
    assert (await balance.weight.read()).value == 142.0
    await balance.zero()
    assert (await balance.weight.read()).value == 0.0


# --- what else a real balance may say


@pytest.mark.parametrize(
    "line",
    [
        b"\x11S S     100.00 g",
        b"S S     100\x13.00 g",
        b"S S     100.00 g   ",
        b"S S     100.00  g",
        b"S S    +100.00 g",
    ],
)
async def test_handshake_characters_padding_and_a_plus_sign_belong_to_no_number(line: bytes):
    assert (await saying(line + b"\r\n").weight.read()).value == 100.0


async def test_a_busy_balance_is_not_the_wrong_device():
    with pytest.raises(Refused, match="busy"):
        await saying(b"I4 I\r\n").identify()


async def test_the_balance_adjusts_itself_when_it_is_empty_and_says_when_it_is_done():
    async with GOLDEN.line("adjusted", "not adjusted") as line:
        balance = MettlerToledoBalance(line)
        assert await balance.calibrate("internal") == {}
        with pytest.raises(Refused, match="pan empty"):
            await balance.calibrate("internal")
    balance, _, _ = connect(BottlePan(0.0))
    start = asyncio.get_running_loop().time()
    await balance.calibrate("internal")
    assert 60 <= asyncio.get_running_loop().time() - start <= 180
    assert (await balance.weight.read()).value == 0.0
    for point, reference in (("external", None), ("internal", 100.0)):
        with pytest.raises(Refused):
            await balance.calibrate(point, reference)


# --- the simulator


def lines(actions: list[Action]) -> list[bytes]:
    return [action.data for action in actions if isinstance(action, Send)]


def streamed(simulator: simulated.MettlerToledoBalance, until: float) -> list[bytes]:
    said: list[Action] = []
    while (at := simulator.wake_at) is not None and at <= until:
        said += simulator.wake(at)
    return lines(said)


def test_sir_goes_on_four_times_a_second_until_si():
    balance = simulated.MettlerToledoBalance(BottlePan(100.0))
    assert balance.receive(Bytes(b"SIR\r\n"), 0.0) == []
    assert streamed(balance, 2.0) == [b"S S     100.00 g\r\n"] * 8
    assert ask(balance, b"SI\r\n", 2.1) == b"S S     100.00 g\r\n"
    assert balance.wake_at is None
    balance.receive(Bytes(b"SIR\r\n"), 3.0)
    assert lines(balance.receive(Bytes(b"@\r\n"), 3.1)) == [b'I4 A "B123456789"\r\n']
    assert balance.wake_at is None


def test_sr_says_a_weight_again_when_it_has_changed():
    pan = BottlePan(100.0)
    balance = simulated.MettlerToledoBalance(pan)
    balance.receive(Bytes(b"SR 0.5 g\r\n"), 0.0)
    assert streamed(balance, 3.0) == [b"S S     100.00 g\r\n"]
    pan.grams = 100.4
    assert streamed(balance, 6.0) == []
    pan.grams = 101.0
    assert streamed(balance, 9.0) == [b"S S     101.00 g\r\n"]
    assert lines(balance.receive(Bytes(b"SR 1 oz\r\n"), 9.1)) == [b"S L\r\n"]


def test_a_weigh_module_waits_for_stability_no_longer_than_it_is_told():
    assert ask(simulated.MettlerToledoBalance(BottlePan(100.0, 1.0)), b"SC 300\r\n").startswith(b"S D ")
    assert ask(simulated.MettlerToledoBalance(BottlePan(100.0)), b"SC 300\r\n").startswith(b"S S ")
    assert ask(simulated.MettlerToledoBalance(BottlePan(100.0)), b"SC x\r\n") == b"ES\r\n"


def test_in_standby_and_while_it_adjusts_itself_it_does_not_weigh():
    balance = simulated.MettlerToledoBalance(BottlePan(0.0))
    assert ask(balance, b"PWR 0\r\n") == b"PWR A\r\n"
    assert ask(balance, b"SIU\r\n", 1.0) == b"S I\r\n"
    assert ask(balance, b"PWR 1\r\n", 2.0) == b'PWR A\r\nI4 A "B123456789"\r\n'
    assert lines(balance.receive(Bytes(b"C3\r\n"), 5.0)) == [b"C3 B\r\n"]
    balance.receive(Bytes(b"SI\r\n"), 6.0)
    assert streamed(balance, 20.0) == [b"S I\r\n"]
    assert streamed(balance, 200.0) == [b"C3 A\r\n"]
    assert ask(balance, b"WS 1\r\n", 201.0) == b"WS A\r\n"
    assert ask(balance, b"WS\r\n", 202.0) == b"WS A 1\r\n"


def test_every_command_of_the_simulator_answers_in_the_sheets_form():
    balance = simulated.MettlerToledoBalance(BottlePan())
    assert ask(balance, b"I1\r\n").startswith(b'I1 A "01" "2.00" "2.00" ')
    assert ask(balance, b"I2\r\n") == b'I2 A "ML4002E NewClassic 4200.00 g"\r\n'
    assert ask(balance, b"I11\r\n") == b'I11 A "ML4002E"\r\n'
    assert ask(balance, b'I10 "waste"\r\n') == b"I10 A\r\n"
    assert ask(balance, b"I10\r\n") == b'I10 A "waste"\r\n'
    assert ask(balance, b"I10 waste\r\n") == b"I10 L\r\n"
    assert ask(balance, b"TA 12.5 g\r\n") == b"TA A      12.50 g\r\n"
    assert ask(balance, b"TA -1 g\r\n") == ask(balance, b"TA 1 oz\r\n") == b"TA L\r\n"
    assert ask(balance, b"TI\r\n") == b"TI S     100.00 g\r\n"
    assert ask(balance, b"ZI\r\n") == b"ZI S\r\n"
    assert ask(balance, b"M21 0 9\r\n") == b"M21 L\r\n"
    assert ask(balance, b"si\r\n") == ask(balance, b"\r\n") == ask(balance, b"TAR\r\n") == b"ES\r\n"
    levels = ask(balance, b"I0\r\n").split(b"\r\n")
    assert levels[0] == b'I0 B 0 "I0"'
    assert levels[-2] == b'I0 A 2 "WS"'


def test_commands_in_a_burst_are_ignored_and_the_at_sign_cancels():
    balance = simulated.MettlerToledoBalance(BottlePan(100.0, 1.0))
    assert balance.receive(Bytes(b"S\r\nI4\r\n"), 0.0) == []
    assert balance.state.pending == "S"
    assert ask(balance, b"@\r\n", 5.0) == b'I4 A "B123456789"\r\n'
    assert balance.state.pending == ""


def test_a_balance_that_warms_up_says_not_now():
    balance = simulated.MettlerToledoBalance(BottlePan(), options={"warm_up_s": 1800})
    announced = balance.power_cycle(0.0)
    assert announced == [Send(2.0, b'I4 A "B123456789"\r\n')]
    assert ask(balance, b"SI\r\n", 10.0) == b"S I\r\n"
    assert ask(balance, b"SI\r\n", 1800.0) == b"S S     100.00 g\r\n"


def test_a_restored_balance_goes_on_with_the_same_tare_command_and_noise():
    pan = BottlePan(100.0)
    balance = simulated.MettlerToledoBalance(pan, seed=5)
    ask(balance, b"TA 40 g\r\n")
    balance.receive(Bytes(b"SI\r\nI"), 1.0)
    twin = simulated.MettlerToledoBalance(pan, seed=5)
    twin.restore(json.loads(json.dumps(balance.snapshot())))
    assert twin.wake_at == balance.wake_at
    assert twin.wake(1.1) == balance.wake(1.1)
    assert ask(twin, b"4\r\n", 2.0) == ask(balance, b"4\r\n", 2.0) == b'I4 A "B123456789"\r\n'
    assert [ask(twin, b"SI\r\n", 3.0) for _ in range(5)] == [ask(balance, b"SI\r\n", 3.0) for _ in range(5)]


def test_noise_comes_with_a_seed_only():
    quiet, noisy = (simulated.MettlerToledoBalance(BottlePan(100.005), seed=seed) for seed in (None, 3))
    assert len({ask(quiet, b"SI\r\n") for _ in range(50)}) == 1
    assert len({ask(noisy, b"SI\r\n") for _ in range(50)}) > 1


def test_reconnecting_drops_half_a_command():
    balance = simulated.MettlerToledoBalance(BottlePan())
    balance.receive(Bytes(b"TA 12"), 0.0)
    balance.receive(Opened(), 1.0)
    assert ask(balance, b"I11\r\n", 2.0) == b'I11 A "ML4002E"\r\n'


# --- damaged replies


def mutations(reply: bytes, count: int) -> list[bytes]:
    """Seeded damage of a line without parity; a digit that becomes another digit is left out: nothing can show that."""
    dice = random.Random(20260105)
    damaged = list[bytes]()
    while len(damaged) < count:
        at, what = dice.randrange(len(reply)), dice.randrange(7)
        odd = bytes([dice.choice(b'abgSDIE"\x00\x07\r\n\xff\x8d-+. ')])
        match what:
            case 0:
                damaged.append(reply[:at])
            case 1:
                damaged.append(reply[:at] + odd + reply[at + 1 :])
            case 2:
                damaged.append(reply[:at] + odd + reply[at:])
            case 3:
                damaged.append(reply[:at] + reply[at + 1 :])
            case 4:
                damaged.append(reply[: at + 1] + reply[at:])
            case 5:
                damaged.append(dice.randbytes(at + 1) + b"\r\n")
            case _:
                damaged.append(reply[at:])
    return damaged


@pytest.mark.parametrize("reply", [b"S S     314.15 g\r\n", b"S D   -1002.90 g\r\n"])
async def test_two_hundred_damaged_replies_never_give_a_wrong_weight(reply: bytes):
    truth = weighed(reply[:-2]).grams
    refused = 0
    for damaged in mutations(reply, 200):
        balance = saying(reply)
        assert (await balance.weight.read()).value == truth
        balance.line.link.reply = damaged  # type: ignore[attr-defined]
        try:
            readings = await balance.poll()
        except WireError as error:
            assert str(error)
            refused += 1
            continue
        if readings["weight"].quality is Quality.GOOD:
            assert readings["weight"].value == truth, damaged
        else:
            assert readings["weight"].value is None
            assert readings["weight"].why
            refused += 1
    assert refused > 100


async def test_every_cut_of_a_reply_is_a_named_error():
    reply = GOLDEN["stable"].reply
    for length in range(len(reply)):
        with pytest.raises(WireError):
            await saying(reply[:length]).weight.read()


async def test_endless_bytes_without_a_line_end_are_a_bad_frame():
    with pytest.raises(BadFrame, match="line end"):
        await saying(b"0" * 600).weight.read()


# --- what the driver declares


@pytest.mark.req("EQ-01")
def test_the_driver_declares_what_happens_without_us():
    assert MettlerToledoBalance.on_link_loss is LinkLoss.ONLY_MEASURES
    assert MettlerToledoBalance.safe_state
    assert MettlerToledoBalance.watchdog == "none"
    assert MettlerToledoBalance.verified is None


def test_signals_and_table_are_the_same():
    assert list(MettlerToledoBalance.specs()) == [row.name for row in MettlerToledoBalance.table]
    assert all(row.tag and row.command == "SI" for row in MettlerToledoBalance.table)
