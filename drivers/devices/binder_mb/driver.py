"""BINDER chambers and CO2 incubators, sheet binder-cb-modbus.md. Modbus RTU 9600 8N1, or RTU inside TCP port 10001.

The Ethernet port is a tunnel for RTU frames (no MBAP header) and takes one connection at a time: tcp://host:10001.
Everything here was seen on MB1 and MB2 climate chambers; for CB and CBF it is by analogy (X), and their CO2, O2 and
humidity registers are unknown (?): see `cb-profile-template.csv`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Signal
from drivers.core.errors import Refused, WrongDevice
from drivers.core.line import Line
from drivers.core.registers import Row
from drivers.core.signals import Identity, Quality, Reading, Value
from drivers.devices.binder_mb import profile, words
from drivers.devices.binder_mb.chamber import BinderMb


class BinderMb1(BinderMb):
    """Climate chamber with the older controller (V, D, M: read out of a real MK 53)."""

    model = "binder_mb1"
    table = registers.load("binder_mb", "mb1.csv", counts_from=0)

    temperature = Signal()
    humidity = Signal()
    temperature_setpoint = Signal()
    humidity_setpoint = Signal()
    mode = Signal()
    program_number = Signal()
    operation_lines = Signal()
    door_open = Signal()
    alarm_active = Signal()
    note_active = Signal()
    temperature_limit_alarm = Signal()
    message = Signal()

    async def identify(self) -> Identity:
        """Read the identity block; raises WrongDevice when the maker's name is not in it. No serial number is known.

        It was seen on one chamber only (M): one that does not have it is known by registers that read as an MB1's do.
        """
        row = self.rows["identity"]
        try:
            found = words.firmware(await self.ask(self.block(row.wire, row.length, (row,))))
        except Refused as no:
            return await self._identify_without_a_name(no)
        if found is None:
            raise WrongDevice(f"{self.line.name}: BINDER does not stand in the identity block: no MB1 controller")
        return Identity(self.maker, "MB1 controller", "", found)

    async def _identify_without_a_name(self, no: Refused) -> Identity:
        """A mode of an MB1, alarm and note 0 or 1, twenty words of text, and two floats of a temperature."""
        why = f"{self.line.name}: what answers has no identity block of an MB1 ({no.code})"
        try:
            for name in ("mode", "message", "temperature", "temperature_setpoint"):
                if (reading := await self.read(name)).quality is not Quality.GOOD:
                    raise WrongDevice(f"{why}, and {name}: {reading.why}")
            for name in ("alarm_active", "note_active"):
                if (word := await self.read_row(self.rows[name])) not in (0, 1):
                    raise WrongDevice(f"{why}, and {name} is {word}")
        except Refused as also:
            raise WrongDevice(f"{why} and not the registers of one ({also.code})") from also
        return Identity(self.maker, "MB1 controller")

    def value(self, row: Row, data: bytes) -> Value:
        value = super().value(row, data)
        if row.name != "mode":
            return value
        if (mode := words.MODES.get(int(value or 0))) is None:
            raise ValueError(f"{int(value or 0):#06x} is no mode of an MB1")
        return mode

    async def set_mode(self, value: Value) -> Reading:
        """Idle or manual. Basic falls back to idle by itself (D), a program is started at the panel."""
        if value not in words.SETTABLE:
            raise Refused("mode", f"mode can be set to {' or '.join(words.SETTABLE)}, not {value!r}")
        await self.refuse_while_a_program_runs()
        if (now := await self.read("mode")).value == value:
            return now
        await self.write_row(self.rows["mode"], words.SETTABLE[str(value)])
        return await self.settled("mode", value)


class _Mb2(BinderMb):
    """What chamber and incubator with the touch-screen controller share."""

    temperature = Signal()
    door_temperature = Signal()
    humidity = Signal()
    temperature_setpoint = Signal()
    humidity_setpoint = Signal()
    mode = Signal()
    humidity_control = Signal()
    contacts = Signal()
    program_number = Signal()
    program_segment = Signal()
    program_elapsed = Signal()
    program_remaining = Signal()

    async def identify(self) -> Identity:
        """No identity register is known: it is an MB2 when clock, contacts and program times all read as such, and a
        float of a temperature stands where it should. Raises WrongDevice."""
        row = self.rows["clock"]
        try:
            self.value(row, await self.ask(self.block(row.wire, row.length, (row,))))
            for name in ("contacts", "program_elapsed", "program_remaining", "temperature"):
                if (reading := await self.read(name)).quality is not Quality.GOOD:
                    raise WrongDevice(f"{self.line.name}: no MB2 controller: {name}: {reading.why}")
        except Refused as no:
            raise WrongDevice(f"{self.line.name}: what answers has not the registers of an MB2 ({no.code})") from no
        except ValueError as why:
            raise WrongDevice(f"{self.line.name}: no MB2 controller, its clock makes no sense: {why}") from why
        return Identity(self.maker, "MB2 controller")

    def value(self, row: Row, data: bytes) -> Value:
        value = super().value(row, data)
        if row.name == "humidity_control":
            return not value  # the bit means off
        if row.name.startswith("program_") and row.unit == "s" and int(value or 0) > 1e8:
            raise ValueError(f"{value} s is no time of a program")
        return value

    async def poll(self) -> dict[str, Reading]:
        found = await super().poll()
        found["mode"] = _mode(found["contacts"], found["program_elapsed"], found["program_remaining"])
        return {name: found[name] for name in self.specs() if name in found}

    async def read(self, name: str) -> Reading:
        if name == "mode":
            return _mode(*[await self.read(each) for each in ("contacts", "program_elapsed", "program_remaining")])
        return await super().read(name)

    async def put(self, row: Row, wanted: float) -> None:
        if row.name != "humidity_control":
            await super().put(row, wanted)
            return
        await self._change_contact(words.HUMIDITY_OFF, not wanted)

    async def set_mode(self, value: Value) -> Reading:
        """Idle or manual, by the idle bit of the manual contacts; a program is started at the panel."""
        if value not in words.SETTABLE:
            raise Refused("mode", f"mode can be set to {' or '.join(words.SETTABLE)}, not {value!r}")
        await self.refuse_while_a_program_runs()
        await self._change_contact(words.IDLE, value == "idle")
        return await self.settled("mode", value)

    async def _change_contact(self, bit: int, on: bool) -> None:
        """Set one contact bit of manual mode and leave the others as they are."""
        row = Row("contacts", "holding", words.MANUAL_CONTACTS, words.MANUAL_CONTACTS, type="uint16")
        before = await self.read_row(row)
        assert isinstance(before, int)
        after = before | bit if on else before & ~bit
        if after != before:
            await self.write_row(row, after)


class BinderMb2(_Mb2):
    """Climate chamber with the touch-screen controller (D: MK 56, MKFT 115)."""

    model = "binder_mb2"
    table = registers.load("binder_mb", "mb2.csv", counts_from=0)

    fan_setpoint = Signal()


class _Cb(BinderMb):
    """What a CB or CBF adds: CO2, O2 and humidity, refused by name until a profile says where they are.

    Option `profile`: a copy of `cb-profile-template.csv`, filled in from the maker's document.
    """

    kind = "incubator"
    option_names: ClassVar[tuple[str, ...]] = ("profile",)

    def __init__(self, line: Line, address: int = 1, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for a profile that cannot be used."""
        super().__init__(line, address, options)
        unknown = {name: row for name, row in self.rows.items() if row.tag == "?"}
        if path := str(self.options.get("profile", "")):
            self.rows |= profile.load(path, unknown)

    async def poll(self) -> dict[str, Reading]:
        found = await super().poll()
        for name in self.specs():
            if name not in found:
                found[name] = self.bad(str(self.unknown(name)))
        return {name: found[name] for name in self.specs()}

    async def write(self, name: str, value: Value) -> Reading:
        """As on a chamber; a quantity whose register is unknown is refused by name."""
        if name != "mode" and not self.rows[name].table:
            raise self.unknown(name)
        return await super().write(name, value)


class BinderCbMb1(_Cb, BinderMb1):
    """CO2 incubator with the older controller: all of it by analogy (X), CO2, O2 and humidity by profile."""

    model = "binder_cb_mb1"
    table = registers.load("binder_mb", "cb_mb1.csv", counts_from=0)

    co2 = Signal()
    co2_setpoint = Signal()
    o2 = Signal()
    o2_setpoint = Signal()


class BinderCbMb2(_Cb, _Mb2):
    """CO2 incubator with the touch-screen controller: all of it by analogy (X), CO2, O2 and humidity by profile."""

    model = "binder_cb_mb2"
    table = registers.load("binder_mb", "cb_mb2.csv", counts_from=0)

    co2 = Signal()
    co2_setpoint = Signal()
    o2 = Signal()
    o2_setpoint = Signal()


def _mode(contacts: Reading, elapsed: Reading, remaining: Reading) -> Reading:
    """A program runs while one of its times is not 0; without one the idle bit decides (D)."""
    for part in (contacts, elapsed, remaining):
        if part.quality is not Quality.GOOD:
            return part
    if elapsed.value or remaining.value:
        return contacts._replace(value="program")
    return contacts._replace(value="idle" if int(contacts.value or 0) & words.IDLE else "manual")
