"""What an Arc sensor keeps besides its measurement: texts, settings, passwords, buffer set. Numbers count from 1 (M).

Texts that the sheet does not print are ours, and so are dates and part numbers of boards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from simulators.core.modbus import ILLEGAL_VALUE, ModbusError, ModbusUnit
from simulators.devices.hamilton_arc.words import as_float, exchanged, numbers

USER, ADMINISTRATOR, SPECIALIST = 0x03, 0x0C, 0x30
EVERYBODY, TAUGHT_ONES, SPECIALISTS = (USER, ADMINISTRATOR, SPECIALIST), (ADMINISTRATOR, SPECIALIST), (SPECIALIST,)
PASSWORDS = {USER: 0, ADMINISTRATOR: 18111978, SPECIALIST: 16021966}
UNITS = (
    "none", "K", "degC", "degF", "%-vol", "%-sat", "ug/l", "mg/l", "g/l", "uS/cm", "mS/cm", "1/cm", "pH", "mV/pH",
    "kOhm", "MOhm", "pA", "nA", "uA", "mA", "uV", "mV", "V", "mbar", "Pa", "Ohm", "%/degC", "degree",
    "", "", "", "SPECIAL",
)  # fmt: skip
SECONDARY = (
    "R glass", "R reference", "R auxiliary", "E pH vs. ref", "E SG vs. ref", "E aux vs. ref", "E reference", "pH act",
    "T act",
)  # fmt: skip
"""Names of SMC1 to SMC9 of a pH sensor."""
FREE = "*FREE_USERSPACE*"
FREE_TEXTS = {
    **dict.fromkeys(range(1536, 1568, 8), EVERYBODY),
    **dict.fromkeys(range(1568, 1600, 8), TAUGHT_ONES),
    **dict.fromkeys(range(1600, 1632, 8), SPECIALISTS),
    **dict.fromkeys(range(1632, 1712, 8), ()),
}
"""Free texts and who may write them; 1600 is the measuring point."""
MEASURING_POINT = 1600
RECALL = 732255
BUFFER_SETS = 0x3F


@dataclass(slots=True)
class Memory:
    """All of it is kept without power. Texts by their register, as JSON wants them."""

    texts: dict[str, str] = field(default_factory=dict[str, str])
    passwords: dict[str, int] = field(default_factory=lambda: {str(level): word for level, word in PASSWORDS.items()})
    parameters: dict[str, int] = field(default_factory=dict[str, int])
    """By the register of the value block: PA9, PA12, PA13."""
    floats: dict[str, list[float]] = field(
        default_factory=lambda: {"4988": [110.0, 130.0, 30.0], "4996": [70.0, 100.0, 30.0], "5128": [0.1, 0.5]}
    )
    """SIP and CIP definitions (ours), drift limits (M)."""
    buffer_set: int = 1
    buffers: int = 0
    """Those that may be used of the set; 0 = as they are offered."""


Write = Callable[[tuple[int, ...], float], None]


class Remembering(ModbusUnit):
    """Adds what is remembered to a sensor's image."""

    writes: dict[tuple[int, int], Write]
    """By wire address and length."""
    swapped: bool
    """Whether the second character of two comes first."""

    @property
    def memory(self) -> Memory:
        raise NotImplementedError

    def level(self) -> int:
        """The operator level now."""
        raise NotImplementedError

    def worn(self) -> None:
        """Count a write to the flash."""
        raise NotImplementedError

    def text(self, text: str) -> bytes:
        """16 characters as registers."""
        data = text.encode("ascii").ljust(16, b"\0")
        return exchanged(data) if self.swapped else data

    def offer_memory(self, measuring_point: str, *, is_ph: bool) -> None:
        add, writes, text = self.add, self.writes, self.text
        for register, said in (
            (1040, "2009-11-02"), (1048, "BL4UM002"), (1056, "624114"), (1064, "0000815"), (1088, "2010-03-15"),
            (1096, "EPHFM007" if is_ph else "ODOFM007"), (1120, "624115"), (1288, ""), (1296, ""), (1304, ""),
            (2400, "T"),
        ):  # fmt: skip
            add(register - 1, 8, lambda now, said=said: text(said))
        self.memory.texts[str(MEASURING_POINT)] = measuring_point
        for register, who in FREE_TEXTS.items():
            add(register - 1, 8, partial(self._free_text, register))
            if who:
                writes[(register - 1, 8)] = partial(self._write_text, register, who)
        for bit, unit in enumerate(UNITS):
            add(1920 + 4 * bit - 1, 4, lambda now, unit=unit: text(unit)[:8])
        writes[(4291, 4)] = self._change_password
        for register, low, high in ((4608, -20.0, 130.0), (4612, -20.0, 130.0), (4616, 5.0, 50.0)):
            add(register - 1, 4, lambda now, low=low, high=high: numbers("ff", low, high))
        add(4687, 4, lambda now: numbers("II", 0, 0))
        for register, length in ((4988, 8), (4996, 8), (5128, 4)):
            add(register - 1, length, partial(self._floats, register, length))
            writes[(register - 1, length)] = partial(self._write_floats, register)
        writes[(8191, 2)] = self._recall
        parameters = [(3360, "Moving average", 2, 16)]
        parameters += [(3456, "Moving av. R", 4, 16)] if is_ph else [(3488, "Meas. interval", 1, 300)]
        add(3071, 2, lambda now: numbers("I", sum(1 << (register - 3104) // 32 for register, *_ in parameters)))
        for register, name, default, most in parameters:
            self._offer_parameter(register, name, default, most)
        if is_ph:
            self._offer_ph()

    def _offer_parameter(self, register: int, name: str, default: int, most: int) -> None:
        """Name, units and value block; written by unit and value (M)."""
        value = register + 10

        def now_at(now: float) -> bytes:
            return numbers("IIII", 1, self.memory.parameters.get(str(value), default), 1, most)

        def write(values: tuple[int, ...], now: float) -> None:
            unit, wanted = values
            self._need(SPECIALISTS, unit == 1 and 1 <= wanted <= most)
            self.memory.parameters[str(value)] = wanted

        self.add(register - 1, 8, lambda now: self.text(name))
        self.add(register + 7, 2, lambda now: numbers("I", 1))
        self.add(value - 1, 8, now_at)
        self.writes[(value - 1, 4)] = write

    def _offer_ph(self) -> None:
        add, writes = self.add, self.writes
        for at, name in enumerate(SECONDARY):
            add(2464 + 32 * at - 1, 8, lambda now, name=name: self.text(name))
        add(9471, 2, lambda now: numbers("I", BUFFER_SETS))
        add(9473, 2, lambda now: numbers("I", self.memory.buffer_set))
        add(9527, 2, lambda now: numbers("I", 0x0FFF0FFF))
        add(9529, 2, lambda now: numbers("I", self.memory.buffers or 0x0FFF0FFF))
        writes[(9473, 2)] = self._choose_buffers
        writes[(9529, 2)] = self._allow_buffers

    def forget_settings(self) -> None:
        """As from the factory; SIP and CIP definitions stay (M), and so do free texts."""
        memory, fresh = self.memory, Memory()
        memory.passwords, memory.parameters, memory.floats["5128"] = fresh.passwords, {}, fresh.floats["5128"]
        memory.buffer_set, memory.buffers = fresh.buffer_set, fresh.buffers

    def _need(self, who: Iterable[int], fits: bool = True) -> None:
        """Refuse by level or value; each write costs the flash one of its 100 000."""
        if self.level() not in who or not fits:
            raise ModbusError(ILLEGAL_VALUE)
        self.worn()

    def _free_text(self, register: int, now: float) -> bytes:
        return self.text(self.memory.texts.get(str(register), FREE))

    def _write_text(self, register: int, who: Iterable[int], values: tuple[int, ...], now: float) -> None:
        data = b"".join(value.to_bytes(4, "little") for value in values)
        data = data if self.swapped else exchanged(data)
        self._need(who, data.isascii())
        self.memory.texts[str(register)] = data.decode("ascii")

    def _floats(self, register: int, length: int, now: float) -> bytes:
        return numbers("f" * (length // 2), *self.memory.floats[str(register)], *[0.0] * (length == 8))

    def _write_floats(self, register: int, values: tuple[int, ...], now: float) -> None:
        wanted = [as_float(value) for value in values]
        self._need(TAUGHT_ONES)
        self.memory.floats[str(register)] = wanted[: len(self.memory.floats[str(register)])]

    def _change_password(self, values: tuple[int, ...], now: float) -> None:
        level, word = values
        self._need(SPECIALISTS, level in PASSWORDS)
        self.memory.passwords[str(level)] = word

    def _choose_buffers(self, values: tuple[int, ...], now: float) -> None:
        self._need(SPECIALISTS, values[0] in [1 << bit for bit in range(6)])
        self.memory.buffer_set, self.memory.buffers = values[0], 0

    def _allow_buffers(self, values: tuple[int, ...], now: float) -> None:
        self._need(SPECIALISTS, not values[0] & ~0x0FFF0FFF)
        self.memory.buffers = values[0]

    def _recall(self, values: tuple[int, ...], now: float) -> None:
        self._need(SPECIALISTS, values[0] == RECALL)
        self.recall_factory()

    def recall_factory(self) -> None:
        raise NotImplementedError
