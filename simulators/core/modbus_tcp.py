"""A Modbus device with a network plug of its own: the header of Modbus TCP instead of address and check sum."""

from __future__ import annotations

from drivers.core.wire.modbus import frame
from simulators.core.simulator import Action, Bytes, Event, Opened, Send, Simulator


class ModbusTcpPlug:
    """A Simulator around a simulator that speaks RTU; each reply carries the number of its question."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.received = bytearray()

    @property
    def wake_at(self) -> float | None:
        return self.simulator.wake_at

    def receive(self, event: Event, now: float) -> list[Action]:
        if not isinstance(event, Bytes):
            if isinstance(event, Opened):
                self.received.clear()
            return self.simulator.receive(event, now)
        self.received += event.data
        actions: list[Action] = []
        while len(self.received) >= 6 and len(self.received) >= (size := 6 + self._word(4)):
            number, protocol = self._word(0), self._word(2)
            body = bytes(self.received[6:size])
            del self.received[:size]
            if protocol == 0:
                actions += [self._numbered(each, number) for each in self.simulator.receive(Bytes(frame(body)), now)]
        return actions

    def wake(self, now: float) -> list[Action]:
        return self.simulator.wake(now)

    def power_cycle(self, now: float) -> list[Action]:
        self.received.clear()
        return self.simulator.power_cycle(now)

    def snapshot(self) -> dict[str, object]:
        return self.simulator.snapshot()

    def restore(self, saved: dict[str, object]) -> None:
        self.simulator.restore(saved)

    def _word(self, at: int) -> int:
        return int.from_bytes(self.received[at : at + 2], "big")

    @staticmethod
    def _numbered(action: Action, number: int) -> Action:
        if not isinstance(action, Send):
            return action
        body = action.data[:-2]
        return Send(action.delay_s, number.to_bytes(2, "big") + bytes(2) + len(body).to_bytes(2, "big") + body)
