"""A fault spoils the cable; the device behind it stays true."""

from __future__ import annotations

import pytest

from simulators.core.faults import FAULTS, Fault, FaultyWire, parse
from simulators.core.simulator import Bytes, Send
from tests.simulators.parrot import Parrot


def wired(*texts: str, began: float = 0.0, seed: int | None = 7) -> tuple[FaultyWire, Parrot]:
    parrot = Parrot()
    wire = FaultyWire(parrot)
    wire.faults = [Fault(parse(text), began, seed) for text in texts]
    return wire, parrot


def replies(wire: FaultyWire, count: int, now: float = 0.0) -> list[list[bytes]]:
    return [[action.data for action in wire.receive(Bytes(b"hello\n"), now + n)] for n in range(count)]


def test_silence_cuts_both_ways_while_it_lasts():
    wire, parrot = wired("silence:after_s=2:for_s=2")
    assert replies(wire, 5) == [[b"HELLO\n"], [b"HELLO\n"], [], [], [b"HELLO\n"]]
    assert parrot.heard == 3


def test_a_mute_device_still_acts():
    wire, parrot = wired("mute")
    assert replies(wire, 2) == [[], []]
    assert parrot.heard == 2


def test_a_deaf_device_does_not_act():
    wire, parrot = wired("deaf")
    assert replies(wire, 2) == [[], []]
    assert parrot.heard == 0


def test_every_third_reply_is_lost():
    assert [len(found) for found in replies(wired("drop")[0], 6)] == [1, 1, 0, 1, 1, 0]


def test_a_delay_is_added():
    wire, _ = wired("delay:seconds=5")
    (action,) = wire.receive(Bytes(b"hello\n"), 0.0)
    assert action == Send(5.020, b"HELLO\n")


@pytest.mark.parametrize("name", ["flip", "truncate", "duplicate", "garbage"])
def test_corruption_spoils_the_reply_and_repeats_with_its_seed(name):
    first = replies(wired(f"{name}:every=1")[0], 10)
    assert first == replies(wired(f"{name}:every=1")[0], 10)
    assert all(found != [b"HELLO\n"] for found in first)
    if name != "duplicate":
        assert first != replies(wired(f"{name}:every=1", seed=8)[0], 10)


def test_a_flip_changes_exactly_one_bit():
    for (found,) in replies(wired("flip:every=1")[0], 20):
        assert sum((a ^ b).bit_count() for a, b in zip(found, b"HELLO\n", strict=True)) == 1


def test_power_fails_after_the_nth_message_was_taken_and_before_its_reply():
    wire, parrot = wired("power-cycle:message=2")
    assert replies(wire, 3) == [[b"HELLO\n"], [b"READY\n"], [b"HELLO\n"]]
    assert parrot.heard == 3 and parrot.cycled_at == 1.0


def test_power_fails_at_its_time_even_when_nobody_speaks():
    wire, parrot = wired("power-cycle:at_s=100", began=1000.0)
    assert wire.wake_at == 1100.0
    assert wire.wake(1100.0) == [Send(0.1, b"READY\n")]
    assert wire.wake_at is None and parrot.cycled_at == 1100.0


def test_faults_add_up():
    wire, _ = wired("delay:seconds=1", "duplicate:every=1")
    assert wire.receive(Bytes(b"hello\n"), 0.0) == [Send(1.020, b"HELLO\n")] * 2


def test_a_fault_is_read_as_it_is_written():
    spec = parse("silence@pump_out:after_s=60:for_s=5")
    assert (spec.name, spec.target, dict(spec.parameters)) == ("silence", "pump_out", {"after_s": 60, "for_s": 5})
    assert spec.text == "silence@pump_out:after_s=60:for_s=5"
    assert parse("check-valve").is_wire is False


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sillence", "there are silence"),
        ("silence:afters=3", "after_s"),
        ("silence:after_s=soon", "number"),
        ("silence:after_s", "number"),
    ],
)
def test_a_wrong_fault_says_what_would_be_right(text, says):
    with pytest.raises(ValueError, match=says):
        parse(text)


def test_a_fault_goes_on_where_it_was():
    wire, _ = wired("drop")
    replies(wire, 2)
    again = FaultyWire(Parrot())
    again.faults = [Fault.restored(wire.faults[0].snapshot())]
    assert replies(again, 1) == [[]]


def test_every_fault_has_a_line_of_explanation():
    assert all(len(entry.does) > 10 for entry in FAULTS.values())
