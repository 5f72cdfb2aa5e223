"""A Modbus device with a network plug of its own: the header of Modbus TCP instead of address and check sum."""

from __future__ import annotations

import struct

from drivers.core.wire.modbus import frame
from simulators.core.faults import FaultyWire
from simulators.core.modbus import ModbusUnit
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Action, Bytes, Event, Opened, Send, Simulator

NUMBERS = struct.Struct(">HHH")
"""Transaction, protocol 0, length of what follows."""
DEVICE_ITSELF = (0x00, 0xFF)
"""Units that mean whoever has the plug (MODBUS Messaging on TCP/IP V1.0b, 4.4.2.1); on a cable 0 is everybody."""


class ModbusTcpPlug:
    """A Simulator around a simulator that speaks RTU; each reply carries the number and the unit of its question."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.received = bytearray()
        self._at_plug()

    def _at_plug(self) -> ModbusUnit | None:
        """The one device that has this plug, asked each time: it may have been replaced. None = a gateway's line."""
        alone = _alone(self.simulator)
        if alone is not None:
            alone.on_network = True
        return alone

    @property
    def wake_at(self) -> float | None:
        return self.simulator.wake_at

    def receive(self, event: Event, now: float) -> list[Action]:
        if not isinstance(event, Bytes):
            if isinstance(event, Opened):
                self.received.clear()
            return self.simulator.receive(event, now)
        received = self.received
        received += event.data
        actions: list[Action] = []
        while len(received) >= NUMBERS.size:
            number, protocol, length = NUMBERS.unpack_from(received)
            if len(received) < (size := NUMBERS.size + length):
                break
            body = bytes(received[NUMBERS.size : size])
            del received[:size]
            if protocol == 0 and len(body) >= 2:
                actions += self._answers(number, body, now)
        return actions

    def _answers(self, number: int, body: bytes, now: float) -> list[Action]:
        unit, alone = body[:1], self._at_plug()
        if alone is not None and body[0] in DEVICE_ITSELF:
            body = bytes((alone.address,)) + body[1:]
        asked = body[:1]
        return [self._numbered(each, number, unit, asked) for each in self.simulator.receive(Bytes(frame(body)), now)]

    def wake(self, now: float) -> list[Action]:
        return self.simulator.wake(now)

    def power_cycle(self, now: float) -> list[Action]:
        self.received.clear()
        return self.simulator.power_cycle(now)

    def snapshot(self) -> dict[str, object]:
        return self.simulator.snapshot()

    def restore(self, saved: dict[str, object]) -> None:
        self.simulator.restore(saved)

    @staticmethod
    def _numbered(action: Action, number: int, unit: bytes, asked: bytes) -> Action:
        if not isinstance(action, Send):
            return action
        from_unit = action.data[:1]  # another one's than was asked only by a fault
        body = (unit if from_unit == asked else from_unit) + action.data[1:-2]
        return Send(action.delay_s, NUMBERS.pack(number, 0, len(body)) + body)


def _alone(simulator: Simulator) -> ModbusUnit | None:
    """The one Modbus device behind `simulator`; None where there are several, as behind a gateway."""
    while isinstance(simulator, FaultyWire):
        simulator = simulator.simulator
    if isinstance(simulator, SharedLine) and len(simulator.devices) == 1:
        return _alone(next(iter(simulator.devices.values())))
    return simulator if isinstance(simulator, ModbusUnit) else None
