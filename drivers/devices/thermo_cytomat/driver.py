"""Thermo Cytomat automated incubator, 9600 8N1 (datasheet thermo-cytomat-heracell.md); moves are in `moves.py`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import LinkLoss, Signal
from drivers.core.errors import BadFrame, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.registers import Row, Table
from drivers.core.signals import Access, Identity, Quality, Reading, Value
from drivers.devices.thermo_cytomat import words
from drivers.devices.thermo_cytomat.moves import CytomatMoves

CLIMATE = ("ch:it", "ch:ic", "ch:ih", "ch:io")
REGISTERS = {"ch:be": ("error", words.ERRORS), "ch:bw": ("warning", words.WARNINGS)}
UNKNOWN = {
    "station_sensors": "what ch:ts says is not known for sure (one program reads it as a number to base 12)",
    "agitation": "what ch:as says is not known",
    "bar_codes": "where the codes read by mv:sn come out is not known",
    "periodic_output": "the form of what se:c1 and se:c2 switch on is not known",
}
"""Not in the sheet (?): refused by name."""


class ThermoCytomat2(CytomatMoves):
    """Cytomat 2: commands end with CR alone. Which model answers cannot be asked."""

    table: ClassVar[Table] = registers.load("thermo_cytomat", "commands.csv")
    model = "thermo_cytomat_2"
    maker = "Thermo Scientific"
    kind = "incubator"
    default_url = "serial:///dev/ttyUSB0?baud=9600&parity=N&stopbits=1"
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    safe_state = "last set points held by the incubator's own loops, gate closed, no plate on the shovel"
    watchdog = "none (the sheet knows no communication time-out)"
    evidence = "OPX"
    option_names = ("slots",)
    timeout_s = 1.0  # "1 s per reply" (O, P)
    quiet_s = 0.02  # ours: `ok XX` says not to what, so a reply that comes twice is let pass by

    temperature = Signal()
    temperature_setpoint = Signal()
    co2 = Signal()
    co2_setpoint = Signal()
    humidity = Signal()
    humidity_setpoint = Signal()
    o2 = Signal()
    o2_setpoint = Signal()
    door_open = Signal()
    gate_open = Signal()
    handler_occupied = Signal()
    error = Signal()
    warning = Signal()
    busy = Signal()
    error_text = Signal()
    warning_text = Signal()
    action = Signal()
    swap_position = Signal()
    swap_gate_side_occupied = Signal()
    swap_user_side_occupied = Signal()
    shaker_1_speed = Signal()
    shaker_2_speed = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        super().__init__(line, address, options)
        self.absent: dict[str, str] = {}
        """Questions this device refused ten times over, and how: not asked in a poll until the next `prepare`."""
        self._asked: dict[str, list[Row]] = {}
        for name in self.specs():
            self._asked.setdefault(self.table[name].command, []).append(self.table[name])

    async def identify(self) -> Identity:
        """Ask for the overview register; no Cytomat tells type, serial number or firmware.

        Raises WrongDevice when something else answers.
        """
        try:
            await self._ask("ch:bs", only=True)
        except (BadFrame, Refused) as error:
            if isinstance(error, Refused) and error.code == "er 01":
                raise  # a Cytomat that never comes to rest
            raise WrongDevice(f"{self.model}: what answers is no Cytomat: {error}") from error
        return Identity(self.maker, "Cytomat")

    async def prepare(self) -> None:
        """Nothing is written: no set point, no movement, no reset of a latched error."""
        self.absent.clear()

    async def read(self, name: str) -> Reading:
        if name in UNKNOWN:
            raise Refused("unknown", f"{name} of the {self.model}: {UNKNOWN[name]}")
        command = self.table[name].command
        data = await self._ask(command)
        self.absent.pop(command, None)
        why = await self._climate_lost() if command in CLIMATE else ""
        try:
            return self._readings(command, data, why)[name]
        except BadFrame as error:
            return self.bad(str(error))

    async def poll(self) -> dict[str, Reading]:
        """The overview first; error and warning register only when it says that they are set."""
        overview = words.register(await self._ask("ch:bs"))
        found = self._readings("ch:bs", b"%02X" % overview)
        lost = ""
        for command in self._asked:
            if command == "ch:bs":
                continue
            register = REGISTERS.get(command)
            if register is not None and not found[register[0]].value:
                found |= self._readings(command, b"00")
                continue
            try:
                if command in self.absent:
                    raise Refused("absent", self.absent[command])
                data = await self._ask(command)
                if command == "ch:be" and words.register(data) == words.CLIMATE_LOST:
                    lost = words.named(words.CLIMATE_LOST, words.ERRORS)
                found |= self._readings(command, data)
            except WireError as error:
                why = str(error)
                if isinstance(error, Refused) and error.code not in ("er 01", "absent"):
                    why = self.absent[command] = f"{command} is refused, this unit does not have it: {error}"
                found |= {row.name: self.bad(why) for row in self._asked[command]}
        if lost:
            found |= {row.name: self.bad(lost) for command in CLIMATE for row in self._asked[command]}
        return {name: found[name] for name in self.specs()}

    async def write(self, name: str, value: Value) -> Reading:
        """Write a set point and read it back; raises OutOfRange, Refused (or kept otherwise), WireError."""
        if name in UNKNOWN:
            raise Refused("unknown", f"{name} of the {self.model}: {UNKNOWN[name]}")
        row = self.table[name]
        if row.access is Access.READ:
            how = "the command for it is not known" if name.endswith("_setpoint") else "it is measured"
            raise Refused("read only", f"{name} can only be read: {how}")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refused("not a number", f"{name} takes a number in {row.unit}, not {value!r}")
        if not math.isfinite(value):
            raise OutOfRange(name, value, row.unit, row.low, row.high, f"the datasheet of {self.model}")
        self.check_limits(name, value)
        text, step = (f"{value:04.1f}", 0.1) if row.type == "number" else (f"{round(value):04d}", 1.0)
        await self._set(f"{row.extra['set']} {text}")
        reading = await self.read(name)
        if not isinstance(reading.value, float):
            raise Refused("no read-back", f"{name} was written, but what is kept cannot be read: {reading.why}")
        if abs(reading.value - float(text)) > step / 2:
            raise Refused(f"kept {reading.value:g}", f"{name}: the Cytomat kept {reading.value:g} instead of {text}")
        return reading

    # -- readings

    def _readings(self, command: str, data: bytes, condemned: str = "") -> dict[str, Reading]:
        """What `data` means for every signal of `command`; raises BadFrame when it means nothing."""
        at = asyncio.get_running_loop().time()
        if condemned:
            return {row.name: self.bad(condemned) for row in self._asked[command]}
        values: dict[str, Value] = {}
        match command:
            case "ch:bs":
                overview = words.register(data)
                values = {row.name: bool(overview >> int(row.extra["part"]) & 1) for row in self._asked[command]}
            case "ch:be" | "ch:bw":
                values = {f"{REGISTERS[command][0]}_text": words.named(words.register(data), REGISTERS[command][1])}
            case "ch:ba":
                values = {"action": words.action(words.register(data))}
            case "ch:sw":
                position, gate_side, user_side = words.swap(data)
                values["swap_position"] = float(position)
                values |= {"swap_gate_side_occupied": gate_side, "swap_user_side_occupied": user_side}
            case _:
                numbers = words.pair(data) if command in CLIMATE else (words.whole(data),)
                values = {row.name: numbers[int(row.extra["part"])] for row in self._asked[command]}
        return {name: self._plausible(name, value, at) for name, value in values.items()}

    def _plausible(self, name: str, value: Value, at: float) -> Reading:
        """A number outside what can be true is BAD."""
        if isinstance(value, float):
            try:
                self.check_limits(name, value)
            except OutOfRange as error:
                if not name.startswith("shaker"):  # the speed a person set at the device is as it is
                    return Reading(None, at, Quality.BAD, f"cannot be true: {error}")
        return Reading(value, at, Quality.GOOD)

    async def _climate_lost(self) -> str:
        """The reason why no climate number is good now; "" = none."""
        overview = words.register(await self._ask("ch:bs"))
        if not overview >> 3 & 1 or words.register(await self._ask("ch:be")) != words.CLIMATE_LOST:
            return ""
        return words.named(words.CLIMATE_LOST, words.ERRORS)


class ThermoCytomat6000(ThermoCytomat2):
    """C6000 and C6002, also 5C and 2C-450 shake: commands end with CR LF (P)."""

    model = "thermo_cytomat_6000"
    end = b"\r\n"


class ThermoCytomat2C425(ThermoCytomat2):
    """2C-425: a slot is a rack and a site, both counted from 00 (P); moving plates needs option `sites_per_rack`."""

    model = "thermo_cytomat_2c_425"
    option_names = ("slots", "sites_per_rack")

    def slot_text(self, slot: int) -> str:
        """`rr ss`; raises Refused without the option, OutOfRange."""
        sites = int(self.options.get("sites_per_rack", 0))
        if sites < 1:
            raise Refused("sites_per_rack", f"{self.model} counts racks and sites: give it the option sites_per_rack")
        rack, site = divmod(slot - 1, sites)
        if rack > 99 or site > 99:
            raise OutOfRange("slot", slot, "", 1, 100 * min(sites, 100), "two digits of rack and site")
        return f"{rack:02d} {site:02d}"
