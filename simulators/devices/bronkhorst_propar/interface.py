"""Bronkhorst flow controller seen from the cable: both ProPar framings over a gas line; sheet bronkhorst-propar.md.

Guesses where the sheet has a question mark: a lone instrument (node 128) answers a foreign node with error 5, a node
of a FLOW-BUS says nothing; a set point above 32000 is refused with status 06; a secured parameter that is locked is
refused with 0D; the error index is the place of the parameter byte concerned, from 0; the set point is lost with
the power.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from drivers.core.wire import propar
from drivers.core.wire.propar import Frame
from simulators.core.simulator import Action, Bytes, Event, Opened, Send
from simulators.core.surroundings import GasLine
from simulators.devices.bronkhorst_propar.instrument import (
    CHAR,
    FLOAT,
    INTEGER,
    LONE,
    STRING,
    Instrument,
    No,
    Parameter,
    State,
)

BAUD, BITS = 38400, 10
ANSWER_S = 0.005
"""A few ms to tens of ms (X)."""
SIZE = {CHAR: 1, INTEGER: 2, FLOAT: 4}
COMMAND, PROCESS, PARAMETER, TYPE, READ_ONLY, WRITE_ONLY, OVERFLOW = 2, 3, 4, 5, 0x0D, 0x11, 0x1D
LONGEST = 254
"""Bytes of data that an ASCII frame holds."""


class BronkhorstElFlow(Instrument):
    """Either framing, seen from the first byte of each request. Options as those of the instrument."""

    def __init__(
        self,
        place: GasLine,
        address: int = LONE,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(place, address, seed, options)
        self.received = bytearray()

    # -- the cable

    @property
    def wake_at(self) -> float | None:
        return None

    def wake(self, now: float) -> list[Action]:
        return []

    def receive(self, event: Event, now: float) -> list[Action]:
        """The mode of a request is seen from its first byte: `:` or DLE (X); it is answered in the same."""
        if type(event) is not Bytes:
            if isinstance(event, Opened):
                self.received.clear()
            return []
        self.received += event.data
        actions: list[Action] = []
        while (found := self._take()) is not None:
            in_ascii, frame, length = found
            if (reply := self._reply(in_ascii, frame, now)) and not self.state.stopped:
                actions.append(Send(ANSWER_S + (length + len(reply)) * BITS / BAUD, reply))
        return actions

    def _take(self) -> tuple[bool, Frame, int] | None:
        while self.received and self.received[0] not in (0x3A, propar.DLE):
            del self.received[0]
        before = len(self.received)
        in_ascii = self.received.startswith(b":")
        frame = propar.take_ascii(self.received) if in_ascii else propar.take_binary(self.received)
        return None if frame is None else (in_ascii, frame, before - len(self.received))

    def _reply(self, in_ascii: bool, frame: Frame, now: float) -> bytes:
        """The whole reply frame; b"" = nothing."""
        if frame.error:
            return propar.ascii_error(4) if in_ascii and frame.error < 0 and self.lone else b""
        if frame.node != self.state.node and not (self.lone and frame.node == LONE):
            if not self.lone:
                return b""
            return propar.ascii_error(5) if in_ascii else propar.binary_error(frame.sequence, frame.node, 5)
        data = self._data(frame.data, now)
        if not data:
            return b""
        if in_ascii:
            return propar.ascii_frame(frame.node, data)
        return propar.binary_frame(frame.sequence, frame.node, data)

    def power_cycle(self, now: float) -> list[Action]:
        """Set point gone, control mode back at its default (E)."""
        s = self.state
        s.set_point, s.mode, s.unlocked, s.stopped, s.counted_at = 0.0, self.default_mode(), False, False, None
        self.received.clear()
        self.drive(now)
        return []

    def snapshot(self) -> dict[str, object]:
        return {"state": asdict(self.state), "received": self.received.hex()}

    def restore(self, saved: dict[str, object]) -> None:
        self.state = State(**cast("dict[str, Any]", saved["state"]))
        self.received = bytearray.fromhex(str(saved["received"]))

    # -- the data field

    def _data(self, data: bytes, now: float) -> bytes:
        if not data:
            return b""
        command, body = data[0], _Body(data)
        try:
            match command:
                case 1:
                    said = self._write(body, now)
                    return bytes((0, 0, len(data))) if said else b""
                case 2 | 3:
                    self._write(body, now)
                    return b""
                case 4:
                    return self._request(body, now)
                case 6 | 7 | 8 | 9:
                    return bytes((0, 0, len(data)))
                case _:
                    raise No(COMMAND)
        except No as no:
            return b"" if command in (2, 3) else bytes((0, no.status, body.block))

    def _find(self, process: int, number: int, kind: int) -> Parameter:
        found = self.parameters.get((process, number))
        if found is None:
            raise No(PARAMETER if any(known == process for known, _ in self.parameters) else PROCESS)
        if found.kind != kind:
            raise No(TYPE)
        return found

    def _write(self, body: _Body, now: float) -> bool:
        """Write block by block; False = the interface was stopped, and nothing is answered."""
        more_processes = True
        while more_processes:
            process = body.byte()
            more_processes, process, more = bool(process & 0x80), process & 0x7F, True
            while more:
                body.mark()
                head = body.byte()
                more, kind, number = bool(head & 0x80), head & 0x60, head & 0x1F
                value = body.text() if kind == STRING else body.take(SIZE[kind])
                if (process, number) == (0, 17):
                    self.state.stopped = True
                    return False
                parameter = self._find(process, number, kind)
                if parameter.write is None or (parameter.secured and not self.state.unlocked):
                    raise No(READ_ONLY)
                parameter.write(value, now)
        body.end()
        return True

    def _request(self, body: _Body, now: float) -> bytes:
        """Each value goes back under the process byte and index that the client chose."""
        out, more_processes = bytearray((2,)), True
        while more_processes:
            back = body.byte()
            out.append(back)
            more_processes, more = bool(back & 0x80), True
            while more:
                index = body.byte()
                more, process = bool(index & 0x80), body.byte()
                body.mark()
                head = body.byte()
                kind = head & 0x60
                if index & 0x60 != kind:
                    raise No(TYPE)
                parameter = self._find(process & 0x7F, head & 0x1F, kind)
                if parameter.read is None:
                    raise No(WRITE_ONLY)
                out.append(index)
                out += self._packed(kind, parameter.read(now), body.byte() if kind == STRING else 0)
        body.end()
        if len(out) > LONGEST:
            raise No(OVERFLOW)
        return bytes(out)

    def _packed(self, kind: int, value: float | str | bytes, length: int) -> bytes:
        if isinstance(value, bytes):
            return value
        if isinstance(value, str):
            text = value.encode("latin-1")
            return bytes((length,)) + text[:length].ljust(length) if length else b"\0" + text + b"\0"
        return struct.pack({CHAR: ">B", INTEGER: ">H", FLOAT: ">f"}[kind], value if kind == FLOAT else int(value))


class BronkhorstElFlowAscii(BronkhorstElFlow):
    """The same instrument: it answers in the form it is asked in."""


class _Body:
    """A data field read from its second byte on; `block` is the place of the last parameter byte."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.block = data, 1, 0

    def mark(self) -> None:
        self.block = self.at

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        part = self.data[self.at : self.at + count]
        if len(part) < count:
            raise No(COMMAND)
        self.at += count
        return part

    def text(self) -> bytes:
        length = self.byte()
        if length:
            return self.take(length)
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise No(COMMAND)
        text = self.take(end - self.at)
        self.at += 1
        return text

    def end(self) -> None:
        if self.at != len(self.data):
            raise No(COMMAND)
