"""EZ-ZONE on Standard Bus: BACnet MS/TP frames without a token, °F on the wire.

Guesses: a set point outside 10 to 220 °C, another class or member, and a frame with a wrong check sum are not answered.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from drivers.core.units import convert
from drivers.core.wire import watlow_standard_bus as bus
from simulators.core.simulator import Action, Bytes, Event, Opened, Send
from simulators.core.surroundings import Chamber
from simulators.devices.watlow_f4t_ez_zone.ez_zone import HIGHEST, LOWEST, ZoneControl

BAUD = 38400
PROCESSING_S = 0.01
"""Ours."""
PROCESS_VALUE, SET_POINT = b"\x04\x01", b"\x07\x01"


class WatlowEzZoneStandardBus:
    """One zone; address 1 is destination 0x10."""

    def __init__(
        self,
        chamber: Chamber,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        self.node = 0x10 + (address or 1) - 1
        self.zone = ZoneControl(chamber, seed)
        self.received = bytearray()

    @property
    def wake_at(self) -> float | None:
        return None

    def wake(self, now: float) -> list[Action]:
        return []

    def receive(self, event: Event, now: float) -> list[Action]:
        if not isinstance(event, Bytes):
            if isinstance(event, Opened):
                self.received.clear()
            return []
        self.received += event.data
        actions: list[Action] = []
        while (asked := bus.take(self.received)) is not None:
            if asked.type != bus.REQUEST or asked.destination != self.node:
                continue
            data = self._answer(asked.data, now)
            if data:
                reply = bus.frame(bus.REPLY, asked.source, self.node, data)
                characters = len(reply) + len(asked.data) + 10
                actions.append(Send(PROCESSING_S + characters * 10 / BAUD, reply))
        return actions

    def _answer(self, data: bytes, now: float) -> bytes:
        """Read: 01 03 01 class member 01. Write: 01 04 class member 01 08 float."""
        if len(data) == 6 and data[:3] == b"\x01\x03\x01" and data[5] == 1:
            which = data[3:5]
            if which not in (PROCESS_VALUE, SET_POINT):
                return b""
            cel = self.zone.value(now) if which == PROCESS_VALUE else self.zone.state.set_point
            return b"\x02" + data[1:] + b"\x08" + struct.pack(">f", convert(cel, "Cel", "[degF]"))
        if len(data) == 10 and data[:6] == b"\x01\x04" + SET_POINT + b"\x01\x08":
            cel = convert(struct.unpack(">f", data[6:])[0], "[degF]", "Cel")
            if not LOWEST - 1e-3 <= cel <= HIGHEST + 1e-3:
                return b""
            self.zone.set(cel, now)
            return b"\x02" + data[1:]
        return b""

    def power_cycle(self, now: float) -> list[Action]:
        self.received.clear()
        return []

    def snapshot(self) -> dict[str, object]:
        return {"zone": asdict(self.zone.state), "received": self.received.hex()}

    def restore(self, saved: dict[str, object]) -> None:
        self.zone.restore(cast("dict[str, Any]", saved["zone"]))
        self.received = bytearray.fromhex(str(saved["received"]))
