"""The stack's end of the cable, 19200 8N1: frames in, one answer a request (datasheet inheco-incubator-shaker.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, cast

from drivers.core.wire import inheco
from simulators.core.simulator import Action, Bytes, Event, Opened, Send
from simulators.core.surroundings import Chamber
from simulators.devices.inheco_incubator.unit import State, Unit

BAUD, BITS = 19200, 10
ANSWER_S = 0.05
"""P waits 0.2 s after a request; ours (X)."""
FORGET_S = 0.5
"""A frame whose rest does not come is forgotten (X)."""
PROTOCOL_ERROR, FLOOR_ERROR, RESET = 4, 14, 1
MOST = 6


class InhecoIncubator:
    """One place or up to six, from the bottom. A stack answers only its own DIP (X).

    Options: types ("0,1" = RTS of each unit), plate (0 = none inside), initialised (0 = as after power-on), faults
    (AQS), piece (characters of data in one piece, 0 = all; ?), serial, tells_reset (1 = the first answer after a
    power loss is error 1; ?).
    """

    kind: ClassVar[int] = 0

    def __init__(
        self,
        place: Chamber | Sequence[Chamber],
        address: int = 2,
        seed: int | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        options = options or {}
        places = list(place) if isinstance(place, Sequence) else [place]
        kinds = [int(kind) for kind in str(options.get("types", "")).split(",") if kind] or [self.kind] * len(places)
        if len(kinds) != len(places) or not 1 <= len(places) <= MOST:
            raise ValueError(f"a stack has 1 to {MOST} units; {len(places)} places, {len(kinds)} types")
        self.dip = address
        self.piece = int(options.get("piece", 8))
        self.tells_reset = bool(float(options.get("tells_reset", 0)))
        ready = bool(float(options.get("initialised", 1)))
        serial = str(options.get("serial", "IS0419"))
        self.units = [
            Unit(
                one,
                State(
                    kind=kind,
                    plate=bool(float(options.get("plate", 1))),
                    initialised=ready,
                    plate_known=ready,
                    heating=ready,
                    faults=int(options.get("faults", 0)),
                ),
                None if seed is None else seed + number,
                f"{serial}{number}",
            )
            for number, (one, kind) in enumerate(zip(places, kinds, strict=True))
        ]
        self.received = bytearray()
        self._heard_at = 0.0

    @property
    def wake_at(self) -> float | None:
        return min((at for unit in self.units if (at := unit.wake_at) is not None), default=None)

    def wake(self, now: float) -> list[Action]:
        for unit in self.units:
            unit.advance(now)
        return []

    def receive(self, event: Event, now: float) -> list[Action]:
        if not isinstance(event, Bytes):
            if isinstance(event, Opened):
                self.received.clear()
            return []
        if now - self._heard_at > FORGET_S:
            self.received.clear()
        self._heard_at = now
        self.received += event.data
        actions: list[Action] = []
        while (frame := inheco.take_request(self.received)) is not None:
            dip, text, whole = frame
            if dip == self.dip:
                actions += self._answer(text.decode("latin-1"), whole, len(text) + 4, now)
        return actions

    def power_cycle(self, now: float) -> list[Action]:
        self.received.clear()
        for unit in self.units:
            unit.power_cycle(now)
        return []

    def snapshot(self) -> dict[str, object]:
        return {"units": [asdict(unit.state) for unit in self.units], "received": self.received.hex()}

    def restore(self, saved: dict[str, object]) -> None:
        for unit, state in zip(self.units, cast("list[dict[str, Any]]", saved["units"]), strict=True):
            unit.state, unit.handed_over = State(**state), False
        self.received = bytearray.fromhex(str(saved["received"]))

    def _answer(self, text: str, whole: bool, asked: int, now: float) -> list[Action]:
        found = re.fullmatch(r"T0([0-5])([A-Z]{3}.*|R[A-Z]{2}.*)", text)
        data, error, delay_s = "", 0, 0.0
        if not whole or found is None:
            error = PROTOCOL_ERROR
        elif int(found[1]) >= len(self.units):
            error = FLOOR_ERROR
        else:
            unit, command = self.units[int(found[1])], found[2]
            if self.tells_reset and not unit.state.reset_told:
                unit.state.reset_told, error = True, RESET
            elif command.startswith("RDA"):
                data = {"RDA0,1": str(len(self.units)), "RDA0,0": str((1 << len(self.units)) - 1)}.get(command, "")
                error = 0 if data else 3
            else:
                data, error, delay_s = unit.answer(command, now)
        frame = inheco.reply(self.dip, data.encode("latin-1"), error, self.piece)
        return [Send(delay_s + ANSWER_S + (asked + len(frame)) * BITS / BAUD, frame)]


class InhecoIncubatorShaker(InhecoIncubator):
    """The same with a shaker in every unit, unless option types says otherwise."""

    kind = 1
