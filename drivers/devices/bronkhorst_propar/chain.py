"""The data field of ProPar: parameters asked, written and answered in chains; what an instrument's status means."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.core.errors import BadFrame, Refused
from drivers.core.registers import Row

STATUS, WRITE, ANSWER, REQUEST = 0, 1, 2, 4
MORE = 0x80
"""Another process (of a process byte) or another parameter of the same process (of a parameter byte) follows."""
TYPES = {"char": 0x00, "integer": 0x20, "float": 0x40, "long": 0x40, "string": 0x60}
FORMS = {"char": ">B", "integer": ">H", "float": ">f", "long": ">I"}

STATUSES = (
    "ok", "process claimed", "command error", "process error", "parameter error", "parameter type error",
    "parameter value error", "network not active", "time-out start character", "time-out serial line",
    "hardware memory error", "node number error", "general communication error", "read only parameter",
    "PC communication error", "no RS232 connection", "PC out of memory", "write only parameter",
    "configuration unknown", "no free node address", "wrong interface", "serial port error", "opening error",
    "communication error", "bus master error", "time-out answer", "no start character", "first digit error",
    "host buffer overflow", "buffer overflow", "no answer found", "closing error", "synchronisation error",
    "send error", "protocol error", "module buffer overflow",
)  # fmt: skip
"""By status code 00 to 23 hex (V, P)."""
INTERFACE = {3: "protocol error", 4: "protocol error", 5: "destination node rejected", 9: "response time-out"}
"""Codes of error frames (V); 1, 2 and 8 are general."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """Where one value is, what it is, and the index (0 to 31) under which its answer shall come back."""

    process: int
    number: int
    kind: str
    index: int
    length: int = 0
    """Of a string: how many characters are expected, 0 = up to a zero byte."""

    @classmethod
    def of(cls, row: Row) -> Parameter:
        """The table's parameter; the index is its own number, as the vendor's package does it (P)."""
        number = int(row.extra["parameter"])
        return cls(int(row.extra["process"]), number, row.extra["kind"], number)


def request(parameters: Sequence[Parameter]) -> bytes:
    """Ask for all of them in one chain; parameters of one process must stand together."""
    data = bytearray((REQUEST,))
    for at, each in enumerate(parameters):
        here = [other.process for other in parameters[at:]]
        if at == 0 or parameters[at - 1].process != each.process:
            more = MORE if any(process != each.process for process in here) else 0
            data.append(more | each.process)
        kind = TYPES[each.kind]
        data.append((MORE if here[1:2] == [each.process] else 0) | kind | each.index)
        data += bytes((each.process, kind | each.number))
        if each.kind == "string":
            data.append(each.length)
    return bytes(data)


def write(parameter: Parameter, value: float) -> bytes:
    """Write one number, answered by a status; raises ValueError when its type cannot hold it."""
    form = FORMS[parameter.kind]
    try:
        packed = struct.pack(form, value if parameter.kind == "float" else round(value))
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{value:g} does not fit into a {parameter.kind}") from error
    return bytes((WRITE, parameter.process, TYPES[parameter.kind] | parameter.number)) + packed


def check_status(data: bytes, node: int) -> None:
    """Raise Refused when a status message (`00 STATUS INDEX`) says no, BadFrame when it is none."""
    if len(data) != 3 or data[0] != STATUS:
        raise BadFrame(f"node {node}: no status message: {data.hex(' ')}")
    if data[1]:
        text = STATUSES[data[1]] if data[1] < len(STATUSES) else "unknown status"
        raise Refused(f"{data[1]:02X}", f"node {node}: {text}, at byte {data[2]}")


def answer(data: bytes, parameters: Sequence[Parameter], node: int) -> tuple[float | str, ...]:
    """The values of an answer in the order asked; process and index must come back as they were given.

    Raises Refused for a status instead of values, BadFrame for anything that does not fit the question to the byte.
    """
    if data[:1] == bytes((STATUS,)):
        check_status(data, node)
    reader = _Reader(data, node)
    reader.expect(ANSWER)
    values: list[float | str] = []
    for at, each in enumerate(parameters):
        here = [other.process for other in parameters[at:]]
        if at == 0 or parameters[at - 1].process != each.process:
            reader.expect((MORE if any(process != each.process for process in here) else 0) | each.process)
        reader.expect((MORE if here[1:2] == [each.process] else 0) | TYPES[each.kind] | each.index)
        values.append(reader.text() if each.kind == "string" else reader.number(FORMS[each.kind]))
    reader.end()
    return tuple(values)


class _Reader:
    """Goes through an answer byte by byte."""

    def __init__(self, data: bytes, node: int) -> None:
        self.data, self.at, self.node = data, 0, node

    def take(self, count: int) -> bytes:
        part = self.data[self.at : self.at + count]
        if len(part) != count:
            raise self.bad()
        self.at += count
        return part

    def expect(self, byte: int) -> None:
        if self.take(1)[0] != byte:
            raise self.bad()

    def number(self, form: str) -> float:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def text(self) -> str:
        """Length and characters; length 0 = characters up to a zero byte."""
        length = self.take(1)[0]
        if length:
            return self.take(length).decode("latin-1").strip(" \0")
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise self.bad()
        text = self.take(end - self.at).decode("latin-1").strip()
        self.at += 1
        return text

    def end(self) -> None:
        if self.at != len(self.data):
            raise self.bad()

    def bad(self) -> BadFrame:
        return BadFrame(f"node {self.node}: not the answer to this question: {self.data.hex(' ')}")
