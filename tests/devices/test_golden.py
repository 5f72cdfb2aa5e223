"""The golden tool itself: it must fail when driver or simulator differ from the sheet."""

from __future__ import annotations

import pytest

from drivers.core.line import Line
from drivers.core.wire import ascii as text
from simulators.core.simulator import Action, Bytes, Event, Send
from tests.devices.golden import golden, spell

GOLDEN = golden(
    "made_up",
    r"""
    p. 1 | M | > "S\r\n"    | < "S S 1 g\r\n"          | weight
    p. 2 | X | > 53 0D "\n" | < 02 "|" 03 close         | other
    """,
)


class Parrot:
    wake_at = None

    def __init__(self, says: bytes) -> None:
        self.says = says

    def receive(self, event: Event, now: float) -> list[Action]:
        return [Send(0.1, self.says)] if isinstance(event, Bytes) else []

    def wake(self, now: float) -> list[Action]:
        return []

    def power_cycle(self, now: float) -> list[Action]:
        return []

    def snapshot(self) -> dict[str, object]:
        return {}

    def restore(self, saved: dict[str, object]) -> None: ...


async def ask(line: Line, request: bytes) -> bytes:
    return await line.query(request, text.take_line, timeout_s=1)


def test_bytes_are_spelled_in_hex_and_in_quotes():
    assert spell(r'02 "A\r" 0a') == (b"\x02A\r\n", False)
    assert spell("-") == (b"", False)
    assert GOLDEN["other"].reply == b"\x02|\x03"
    assert GOLDEN["other"].closes
    assert GOLDEN.verified
    with pytest.raises(AssertionError, match="not hex"):
        spell("zz")


def test_a_simulator_that_says_what_the_sheet_says_passes():
    GOLDEN.check_simulator(Parrot(b"S S 1 g\r\n"), "weight")
    GOLDEN.check_simulator(lambda: Parrot(b"S S 1 g\r\n"), "weight")


def test_a_simulator_that_says_something_else_fails():
    with pytest.raises(AssertionError, match=r"p\. 1"):
        GOLDEN.check_simulator(Parrot(b"S S 2 g\r\n"), "weight")
    with pytest.raises(AssertionError, match="did not close"):
        GOLDEN.check_simulator(Parrot(b"\x02|\x03"), "other")


async def test_a_driver_that_asks_as_the_sheet_asks_gets_the_sheets_answer():
    async with GOLDEN.line("weight") as line:
        assert await ask(line, b"S\r\n") == b"S S 1 g"


async def test_a_driver_that_asks_differently_or_not_at_all_fails():
    with pytest.raises(AssertionError, match="sheet"):
        async with GOLDEN.line("weight") as line:
            await ask(line, b"X\r\n")
    with pytest.raises(AssertionError, match="never asked"):
        async with GOLDEN.line("weight"):
            pass
