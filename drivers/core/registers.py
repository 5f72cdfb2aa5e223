"""A family's table of registers or commands: loaded on first use, one row decoded or encoded (pure)."""

from __future__ import annotations

import csv
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path

from drivers.core.signals import Access, SignalSpec, Value

KINDS = {
    "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "float32": ">f", "float64": ">d",
}  # fmt: skip
"""Number types and how struct reads them. `…_swapped` = low word first (bytes C D A B for a value A B C D)."""

SWAPPED = "_swapped"

_TAKE = {kind: struct.Struct(form).unpack for kind, form in KINDS.items()}
"""The number types as they are on most devices, ready to read."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: one value and where it is. Columns that are not fields are in `extra` by name."""

    name: str
    table: str = ""
    """holding or input (Modbus); empty for commands."""
    address: int = 0
    """As printed in the manual, decimal or with 0x."""
    wire: int = 0
    """As it goes on the cable: `address` less what the manual counts from."""
    length: int = 1
    """In registers; characters of a text = 2 x length."""
    type: str = ""
    scale: float = 1.0
    """Value = raw x scale."""
    step: float | None = None
    """Smallest change the device takes, where scale and type do not tell it."""
    unit: str = ""
    access: Access = Access.READ
    low: float | None = None
    high: float | None = None
    block: tuple[int, int] | None = None
    """Wire start and count of the block this row must be read with; None = may be read with any neighbours."""
    page: str = ""
    tag: str = ""
    """Evidence tag of the datasheet."""
    note: str = ""
    extra: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def command(self) -> str:
        """The word of a command table's `command` column; "" when it has none."""
        return self.extra.get("command", "")

    @property
    def spec(self) -> SignalSpec:
        return SignalSpec(self.name, self.unit, self.access, self.low, self.high, self.note, self.smallest_step)

    @property
    def smallest_step(self) -> float | None:
        """By the column `step`, else `decimals`, else the scale of what goes over the wire as a whole number."""
        if self.step is not None:
            return self.step
        if decimals := self.extra.get("decimals"):
            return 10.0 ** -int(decimals)
        whole = not self.type.startswith("float") and (self.scale != 1 or self.type.removesuffix(SWAPPED) in KINDS)
        return self.scale if whole else None


class Table:
    """The rows of one file by name. The file is read at the first look, not at import."""

    def __init__(self, family: str, file: str, counts_from: int) -> None:
        self.family, self.file, self.counts_from = family, file, counts_from

    @cached_property
    def rows(self) -> dict[str, Row]:
        """Every row by name, in the file's order; raises ValueError naming file, line and column of the first fault."""
        outside = Path(self.family)
        place = outside if outside.is_absolute() else resources.files(f"drivers.devices.{self.family}")
        text = place.joinpath(self.file).read_text("utf-8")
        return parse(text, f"{self.family}/{self.file}", self.counts_from)

    def __getitem__(self, name: str) -> Row:
        return self.rows[name]

    def __contains__(self, name: object) -> bool:
        return name in self.rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def __len__(self) -> int:
        return len(self.rows)


def load(family: str, file: str = "registers.csv", counts_from: int = 1) -> Table:
    """The table of `drivers/devices/<family>/<file>`; `counts_from` is the number of the manual's first register."""
    return Table(family, file, counts_from)


def beside(module_file: str, file: str = "registers.csv", counts_from: int = 1) -> Table:
    """The table that lies beside a driver outside the repository: `table = registers.beside(__file__)`."""
    return Table(str(Path(module_file).resolve().parent), file, counts_from)


def parse(text: str, where: str, counts_from: int = 1) -> dict[str, Row]:
    """Read the rows of a CSV text; lines that begin with # are remarks. Raises ValueError with file and line."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]
    columns, *records = list(csv.reader(line for _, line in lines)) or [[]]
    rows: dict[str, Row] = {}
    for (number, _), cells in zip(lines[1:], records, strict=True):
        try:
            row = _row(cells, columns, counts_from)
        except ValueError as error:
            raise ValueError(f"{where}:{number}: {error}") from error
        if row.name in rows:
            raise ValueError(f"{where}:{number}: {row.name} is there twice")
        rows[row.name] = row
    return rows


def _row(cells: list[str], columns: list[str], counts_from: int) -> Row:
    cell = {name: value.strip() for name, value in zip(columns, cells, strict=True) if value.strip()}
    name, kind = cell.pop("name", ""), cell.pop("type", "")
    address, length = _number(cell.pop("address", "0")), cell.pop("length", "")
    if not name:
        raise ValueError("a row without a name")
    low, high, block = cell.pop("low", ""), cell.pop("high", ""), cell.pop("block", "")
    step = cell.pop("step", "")
    return Row(
        name=name,
        table=cell.pop("table", ""),
        address=address,
        wire=address - counts_from,
        length=int(length) if length else registers_of(kind),
        type=kind,
        scale=float(cell.pop("scale", "1")),
        step=float(step) if step else None,
        unit=cell.pop("unit", ""),
        access=Access(cell.pop("access", "r")),
        low=float(low) if low else None,
        high=float(high) if high else None,
        block=_block(block, counts_from) if block else None,
        page=cell.pop("page", ""),
        tag=cell.pop("tag", ""),
        note=cell.pop("note", ""),
        extra=cell,
    )


def _block(text: str, counts_from: int) -> tuple[int, int]:
    """`2090+10` = ten registers from printed number 2090."""
    start, _, count = text.partition("+")
    return _number(start) - counts_from, int(count)


def _number(text: str) -> int:
    """A register number as manuals print it: decimal, or hexadecimal with 0x."""
    return int(text, 16) if text[:2].lower() == "0x" else int(text)


def registers_of(kind: str) -> int:
    """How many registers a number type takes; 1 for everything else (texts name their length)."""
    form = KINDS.get(kind.removesuffix(SWAPPED))
    return struct.calcsize(form) // 2 if form else 1


def decode(row: Row, data: bytes) -> Value:
    """The value in the row's register bytes (2 x length of them); raises ValueError when there are not as many."""
    if len(data) != 2 * row.length:
        raise ValueError(f"{row.name}: {len(data)} bytes instead of {2 * row.length}")
    kind = row.type
    take = _TAKE.get(kind)
    if take is None:
        if kind.endswith(SWAPPED):
            kind = kind[: -len(SWAPPED)]
            data = _swap_bytes(data) if kind == "text" else _swap_words(data)
        if kind == "text":
            return data.split(b"\0", 1)[0].decode("latin-1").strip()
        if kind == "bool":
            return any(data)
        take = _TAKE[kind]
    (raw,) = take(data)
    return raw if row.scale == 1 else _scaled(raw, row.scale)


def encode(row: Row, value: Value) -> bytes:
    """The register bytes of `value`; raises ValueError when the type cannot hold it."""
    kind = row.type.removesuffix(SWAPPED)
    swapped = kind != row.type
    if kind == "text":
        data = str(value).encode("latin-1").ljust(2 * row.length, b"\0")
        if len(data) > 2 * row.length:
            raise ValueError(f"{row.name}: {value!r} is longer than {2 * row.length} characters")
        return _swap_bytes(data) if swapped else data
    if value is None or isinstance(value, str):
        raise ValueError(f"{row.name}: {value!r} is not a number")
    if kind == "bool":
        return int(bool(value)).to_bytes(2 * row.length, "big")
    try:
        data = struct.pack(KINDS[kind], value / row.scale if kind.startswith("f") else round(value / row.scale))
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{row.name}: {value:g} does not fit into {row.type} x {row.scale:g}") from error
    return _swap_words(data) if swapped else data


def _scaled(raw: float, scale: float) -> float:
    """raw x scale, by dividing where 1/scale is whole: 371 x 0.1 shall be 37.1 and nothing else."""
    inverse = round(1 / scale)
    return raw / inverse if inverse and abs(inverse * scale - 1) < 1e-12 else raw * scale


def _swap_words(data: bytes) -> bytes:
    return b"".join(data[at : at + 2] for at in range(len(data) - 2, -2, -2))


def _swap_bytes(data: bytes) -> bytes:
    """Both characters of every register exchanged."""
    swapped = bytearray(data)
    swapped[0::2], swapped[1::2] = data[1::2], data[0::2]
    return bytes(swapped)
