"""New Era NE-1000 syringe pump seen from the cable; sheet new-era-ne1000.md.

The pump's own parser, phases, counters, alarms and watchdog, over a `Barrel` that the plant moves. Guesses where the
sheet has a question mark: a safe packet other than SAF is ignored in basic mode; STP at rest answers `?NA`; a bad one
is answered `?COM` only when its first digits are our address; packets for other pumps of the chain do not restart our
watchdog; phases nobody has written stop the program; DIS is cut, not rounded, to four digits, and stays at 9999 when it
overflows.
"""

from __future__ import annotations

import math
from binascii import crc_hqx
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from simulators.core.simulator import Action, Bytes, Event, Opened, Send
from simulators.core.surroundings import Barrel
from simulators.devices.new_era_ne1000.program import Phase, PumpProgram, PumpState, four_digits

STX, CR, ETX = 0x02, 0x0D, 0x03
SECONDS_PER_BYTE = 10 / 19200  # 8N1
TURNAROUND_S = 0.002
INTER_BYTE_S = 0.5
LONGEST_BASIC = 64
__all__ = ["NewEraNe1000", "four_digits"]
UPPER = bytes(range(256)).upper()
SPACES_AND_CONTROLS = bytes(byte for byte in range(256) if not 0x20 < byte < 0x7F)


def safe_packet(body: bytes) -> bytes:
    """STX, length counting itself, body, CRC-16-CCITT of the body from 0, ETX."""
    return bytes((STX, len(body) + 4)) + body + crc_hqx(body, 0).to_bytes(2, "big") + bytes((ETX,))


class NewEraNe1000(PumpProgram):
    """One pump of a chain: answers its own address only."""

    def __init__(
        self,
        barrel: Barrel,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        """`options` and `seed` are taken for symmetry: this pump has no noise, and its settings come over the cable."""
        super().__init__(barrel)
        self.address = address
        self.prefix = f"{address:02d}"
        self._rx = bytearray()
        self._announced = math.inf
        """What `wake_at` said last."""

    # -- the Simulator seam

    @property
    def wake_at(self) -> float | None:
        """The next end of a phase or of the watchdog's time; may be too early, as each packet puts the latter off:
        waking once for nothing is cheaper than a new alarm clock for every packet."""
        due = self.until
        s = self.state
        if s.watchdog_s and s.heard_at is not None and s.heard_at + s.watchdog_s < due:
            due = s.heard_at + s.watchdog_s
        if self._announced > due:
            self._announced = due
        return None if self._announced == math.inf else self._announced

    def receive(self, event: Event, now: float) -> list[Action]:
        actions = self.wake(now)
        if isinstance(event, Bytes):
            s = self.state
            if self._rx and now - s.received_at > INTER_BYTE_S and (s.watchdog_s or self._rx[0] == STX):
                self._rx.clear()
            s.received_at = now
            self._rx += event.data
            while self._rx and self._take(now, actions):
                pass
        elif isinstance(event, Opened):
            self._rx.clear()
        return actions

    def wake(self, now: float) -> list[Action]:
        s = self.state
        if now >= self._announced:
            self._announced = math.inf
        if s.watchdog_s and s.heard_at is not None and now >= s.heard_at + s.watchdog_s:
            elapsed_at, s.heard_at = s.heard_at + s.watchdog_s, None
            self.advance(elapsed_at)
            self.halt(elapsed_at, "S")
            return self._alarm("T")
        if now >= self.until:
            self.advance(now)
        return []

    def power_cycle(self, now: float) -> list[Action]:
        self.advance(now)
        self.halt(now, "S")
        s, fresh = self.state, PumpState()
        fresh.watchdog_s, fresh.diameter_mm, fresh.volume_unit, fresh.phases = (
            s.watchdog_s,
            s.diameter_mm,
            s.volume_unit,
            s.phases,
        )
        self.state = fresh
        self._rx.clear()
        return self._alarm("R")

    def stall(self, now: float) -> list[Action]:
        """The motor stalls: pump and program stop with alarm S; nothing happens at rest."""
        self.advance(now)
        if self.state.prompt not in "IWX":
            return []
        self.halt(now, "S")
        return self._alarm("S")

    def snapshot(self) -> dict[str, object]:
        self.state.received = self._rx.hex()
        return asdict(self.state)

    def restore(self, saved: dict[str, object]) -> None:
        self.state = PumpState(**cast("dict[str, Any]", saved))
        rows = cast("dict[str, dict[str, Any]]", saved["phases"])
        self.state.phases = {key: Phase(**row) for key, row in rows.items()}
        self._rx[:] = bytes.fromhex(self.state.received)
        self.until = self.end_of_motion()

    # -- frames

    def _take(self, now: float, actions: list[Action]) -> bool:
        """Take one command off the buffer and answer it; False when it is not complete yet."""
        rx, basic = self._rx, not self.state.watchdog_s
        if rx[0] != STX:
            if basic and rx[0] < 0x20 and rx[0] != CR:
                del rx[0]  # the line feed behind a CR is stripped (M); left here it would hide a packet
                return bool(rx)
            if basic:
                return self._take_line(now, actions)
            start = rx.find(STX)
            del rx[: start if start >= 0 else len(rx)]
            return bool(rx)
        if len(rx) < 2:
            return False
        size = rx[1] + 1
        if size < 5:
            del rx[0]
            return True
        if len(rx) < size:
            return False
        packet = bytes(rx[:size])
        del rx[:size]
        body = packet[2:-3]
        if packet[-1] != ETX or crc_hqx(body, 0) != int.from_bytes(packet[-3:-1], "big"):
            if not basic and self._split(body)[0] == self.address:
                actions.append(self._send(f"{self.state.prompt}?COM", size))
            return True
        address, command = self._split(body)
        if address == self.address and (not basic or command.startswith("SAF")):
            self._answer(command, size, now, actions)
        return True

    def _take_line(self, now: float, actions: list[Action]) -> bool:
        rx = self._rx
        end = rx.find(CR)
        if end < 0:
            if len(rx) > LONGEST_BASIC:
                rx.clear()
            return False
        line = bytes(rx[:end])
        del rx[: end + 1]
        address, command = self._split(line)
        if address == self.address:
            self._answer(command, end + 1, now, actions)
        return True

    @staticmethod
    def _split(body: bytes) -> tuple[int, str]:
        """Address (0 when left out, -1 for the whole chain) and command; spaces and control characters fall away."""
        text = body.translate(UPPER, SPACES_AND_CONTROLS).decode("ascii")
        if text.startswith("*"):
            return -1, text[1:]
        digits = 2 if text[:2].isdigit() else 1 if text[:1].isdigit() else 0
        return int(text[:digits] or "0"), text[digits:]

    def _answer(self, command: str, request_bytes: int, now: float, actions: list[Action]) -> None:
        """Do one valid command, unless an alarm is pending: then say the alarm instead, which acknowledges it."""
        s = self.state
        s.heard_at = now
        self.advance(now)
        if s.alarm:
            status, s.alarm = f"A?{s.alarm}", ""
        else:
            said = self.carry_out(command, now)
            status = s.prompt + said
        actions.append(self._send(status, request_bytes))

    def _send(self, status: str, request_bytes: int = 0) -> Send:
        text = (self.prefix + status).encode("ascii")
        data = safe_packet(text) if self.state.watchdog_s else bytes((STX,)) + text + bytes((ETX,))
        return Send(TURNAROUND_S + (request_bytes + len(data)) * SECONDS_PER_BYTE, data)

    def _alarm(self, letter: str) -> list[Action]:
        """Raise an alarm; in safe mode it is also said at once, which does not acknowledge it."""
        self.state.alarm = letter
        return [self._send(f"A?{letter}")] if self.state.watchdog_s else []
