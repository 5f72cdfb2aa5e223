"""Thermo HERAcell 150i / 240i, VIOS 160i / 250i, STERI-CYCLE i CO2 incubators, sheet thermo-heracell-i.md.

Measured values come from the data logger, which the manuals document (V): up to a logging interval old, in tenths. The
addresses of actual and set values are recalled (X): set points are read there only after they agreed with the logger,
and written only where an owner of the manual's page filled in `profile-template.csv`.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from drivers.core import registers
from drivers.core.device import Device, LinkLoss, Signal
from drivers.core.errors import BadFrame, LinkLost, NoAnswer, OutOfRange, Refused, WireError, WrongDevice
from drivers.core.line import Line
from drivers.core.signals import Identity, Reading, Value
from drivers.core.wire import thermo
from drivers.core.wire.thermo import READ, WRITE, Telegram
from drivers.devices.thermo_heracell_i import log, meanings, profile, words
from drivers.devices.thermo_heracell_i.log import Entry

LOG, NEXT, CLOCK, VERSION, RUN = "2400", "2401", "0010", "0001", "2100"
MOST_BLOCKS = 12
"""Telegrams of seven entries read in search of fresh values, where the newest do not come first."""
SLACK = timedelta(seconds=90)
"""The logger counts whole minutes, and writes when it likes."""
SETTLES_S, LOOK_S = 2.0, 0.5
AGREES = {"temperature_setpoint": 1.0, "co2_setpoint": 1.0, "o2_setpoint": 1.5}
"""How near the recalled "actual" must come to what the logger says (°C, %): the door may have been open between."""
MEASURED = ("temperature", "co2", "o2", "humidity")
"""In the order of a logger entry."""
SELDOM_S = 600.0

_THREE = re.compile(r"([+-]\d{3}\.\d{2});([+-]\d{3}\.\d{2});([+-]\d{3}\.\d{2})", re.ASCII)
_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_VERSION = re.compile(r"[0-9A-Za-z]{8}", re.ASCII)


class ThermoHeracellI(Device):
    """Holds temperature, CO2 and O2 with its own loops; keeps its set points when nobody talks to it.

    Option `profile`: a copy of `profile-template.csv`, filled in from the manual. There is no serial number to read.
    """

    model = "thermo_heracell_i"
    maker = "Thermo Scientific"
    kind = "incubator"
    default_url = "serial:///dev/ttyUSB0?baud=9600&parity=N&stopbits=1"
    table = registers.load("thermo_heracell_i", "commands.csv")
    on_link_loss = LinkLoss.KEEPS_SETPOINTS
    safe_state = (
        "last set points held by the incubator's own loops; its independent over-temperature limiter set at the device"
    )
    watchdog = "none (the sheet knows no communication time-out)"
    evidence = "VX"
    checksum = True
    timeout_s = 1.0
    answer_s = 0.3
    asked_twice = True
    seldom: ClassVar[Mapping[str, float]] = {"error_log": SELDOM_S, "logging_interval": SELDOM_S}
    option_names: ClassVar[tuple[str, ...]] = ("profile",)
    check: ClassVar[thermo.Check] = staticmethod(thermo.inverted_xor)

    temperature = Signal()
    temperature_setpoint = Signal()
    co2 = Signal()
    co2_setpoint = Signal()
    o2 = Signal()
    o2_setpoint = Signal()
    humidity = Signal()
    last_event = Signal()
    disinfection = Signal()
    disinfection_remaining = Signal()
    auto_start = Signal()
    co2_cylinder = Signal()
    o2_cylinder = Signal()
    error_log = Signal()
    logging_interval = Signal()

    def __init__(self, line: Line, address: int = 0, options: Mapping[str, float | str] | None = None) -> None:
        """Raises ValueError for a profile that cannot be used."""
        super().__init__(line, address, options)
        path = str(self.options.get("profile", ""))
        self.places = profile.load(path, AGREES) if path else {}
        self._agreed: set[str] = set()
        """Set points whose recalled address has shown what the logger shows."""
        self._interval_s = 60.0
        self._seldom_due = -math.inf

    # -- who it is

    async def identify(self) -> Identity:
        """Software version, clock and disinfection status, each in the form of this family; raises WrongDevice."""
        where = self.line.name
        try:
            version = await self.ask(VERSION)
            if not _VERSION.fullmatch(version):
                raise WrongDevice(f"{where}: {version!r} is no software version of a HERAcell i")
            log.clock(await self.ask(CLOCK))
            if not meanings.RUN_STATUS.fullmatch(run := await self.ask(RUN)):
                raise WrongDevice(f"{where}: {run!r} is no disinfection status")
        except ValueError as why:
            raise WrongDevice(f"{where}: speaks like a HERAcell, but {why}: perhaps a refrigerator") from why
        except Refused as no:
            raise WrongDevice(f"{where}: speaks like a HERAcell and does not know what one knows: {no}") from no
        return Identity(self.maker, "HERAcell i / VIOS / STERI-CYCLE i", "", version)

    async def prepare(self) -> None:
        """Nothing is set; the next poll reads everything, and recalled addresses must agree with the logger anew."""
        self._seldom_due = -math.inf
        self._agreed.clear()

    # -- reading

    async def poll(self) -> dict[str, Reading]:
        """One exchange an address; an incubator that is silent for one is not asked for the others."""
        loop = asyncio.get_running_loop()
        whole = loop.time() >= self._seldom_due
        names = [name for name in self.specs() if whole or name not in self.seldom]
        found, failed, gone = dict[str, Reading](), False, None
        for command in dict.fromkeys(self.table[name].command for name in names):
            here = [name for name in names if self.table[name].command == command]
            if gone is None:
                try:
                    found |= await self._readings(command, here, found)
                    continue
                except (NoAnswer, LinkLost) as error:
                    failure = gone = error
                except WireError as error:
                    failure = error
            else:
                failure = gone
            failed = failed or not isinstance(failure, Refused)
            found |= dict.fromkeys(here, self.bad(str(failure)))
        self._seldom_due = -math.inf if failed else loop.time() + SELDOM_S if whole else self._seldom_due
        return {name: found[name] for name in names}

    async def read(self, name: str) -> Reading:
        command = self.table[name].command
        logged = dict[str, Reading]()
        if name in AGREES and name not in self.places and name not in self._agreed:
            logged = await self._logged(MEASURED)
        return (await self._readings(command, [name], logged))[name]

    async def _readings(self, command: str, names: list[str], logged: Mapping[str, Reading]) -> dict[str, Reading]:
        """What one address says of the signals `names`; raises WireError."""
        if command == LOG:
            return await self._logged(names)
        if names[0] in AGREES:
            return {names[0]: await self._set_point(names[0], logged)}
        said = await self.ask(command)
        return {name: self._meaning(name, said) for name in names}

    def _meaning(self, name: str, said: str) -> Reading:
        try:
            return self.good(meanings.MEANINGS[name](said))
        except ValueError as why:
            return self.bad(f"{name}: {why}")

    # -- measured values: the logger

    async def _logged(self, names: tuple[str, ...] | list[str]) -> dict[str, Reading]:
        """Values of the newest entry of event 01, BAD when it is older than the logging interval allows."""
        try:
            if self._seldom_due == -math.inf:
                self._interval_s = await self._interval()
            now = log.clock(await self.ask(CLOCK))
            limit = now - timedelta(seconds=self._interval_s) - SLACK
            found = log.entries(await self.ask(LOG))
            for _ in range(MOST_BLOCKS):
                fresh = log.newest(found, periodic=True)
                if fresh is not None and limit <= fresh.at <= now + SLACK:
                    break
                more = log.entries(await self.ask(NEXT, retries=0))
                if not more or more == found[-len(more) :]:
                    break
                found += more
        except ValueError as why:
            raise BadFrame(f"{self.line.name}: {why}") from why
        return self._from_log(names, found, limit, now)

    async def _interval(self) -> float:
        """The logging interval in s; a minute where the incubator does not know it."""
        try:
            return meanings.seconds(await self.ask("2410"))
        except Refused:
            return 60.0

    def _from_log(
        self, names: tuple[str, ...] | list[str], found: list[Entry], limit: datetime, now: datetime
    ) -> dict[str, Reading]:
        fresh = log.newest(found, periodic=True)
        why = ""
        if fresh is None:
            why = "the data logger holds no measured values"
        elif not limit <= fresh.at <= now + SLACK:
            why = f"the newest measured values found in the data logger are of {fresh.at}, its clock says {now}"
        readings = dict[str, Reading]()
        for name in names:
            if name == "last_event":
                event = log.newest(found, periodic=False)
                text = "none lately" if event is None else f"{event.at}: {meanings.event_in_words(event)}"
                readings[name] = self.good(text)
            elif why or fresh is None:
                readings[name] = self.bad(why)
            else:
                readings[name] = self._measured(name, fresh.values[MEASURED.index(name)] / 10)
        return readings

    def _measured(self, name: str, value: float) -> Reading:
        row = self.table[name]
        if name == "humidity" and not value:
            return self.bad("0 % is what an incubator without humidity sensor logs")
        if not (row.low or 0) <= value <= (row.high or math.inf):
            return self.bad(f"{value:g} {row.unit} cannot be true")
        return self.good(value)

    # -- set points

    async def _set_point(self, name: str, logged: Mapping[str, Reading]) -> Reading:
        """From a profile's place; else from the recalled address, once its "actual" is what the logger says too."""
        if (place := self.places.get(name)) is not None:
            fields = (await self.ask(place.read)).split(";")
            if place.field > len(fields) or not _PLAIN.fullmatch(text := fields[place.field - 1]):
                return self.bad(f"{name}: no number at {place.read}, field {place.field}: {';'.join(fields)!r}")
            return self.good(float(text))
        try:
            said = await self.ask(self.table[name].command)
        except Refused as no:
            raise self.unknown(name, str(no)) from no
        match = _THREE.fullmatch(said)
        if match is None:
            return self.bad(f"{name}: {said!r} is not what was recalled of address {self.table[name].command}")
        if name not in self._agreed:
            measured, actual = logged.get(name.removesuffix("_setpoint")), float(match[2])
            if measured is None or not isinstance(measured.value, float):
                return self.bad(f"{name}: read at a recalled address, and no logged value to check it against")
            if abs(measured.value - actual) > AGREES[name]:
                return self.bad(f"{name}: the recalled address says {actual:g}, the logger {measured.value:g}")
            self._agreed.add(name)
        return self.good(float(match[1]))

    async def write(self, name: str, value: Value) -> Reading:
        """Write a set point where the profile says, and read it back; raises OutOfRange, Refused, WireError."""
        if not self.table[name].spec.writable:
            raise Refused("read only", f"{name} can only be read")
        place = self.places.get(name)
        if place is None:
            raise self.unknown(name, "writing")
        unit = self.table[name].unit
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refused("not a number", f"{name} takes a number in {unit}, not {value!r}")
        if not place.low <= value <= place.high:
            raise OutOfRange(name, value, unit, place.low, place.high, "the profile")
        try:
            text = place.spell(value)
        except ValueError as why:
            raise Refused("digits", f"{name}: {why}") from why
        if said := await self._exchange(Telegram(WRITE, place.write, text), 0):
            raise BadFrame(f"{self.line.name}: {said!r} is no answer to a write")
        loop = asyncio.get_running_loop()
        until = loop.time() + SETTLES_S
        while True:
            reading = await self.read(name)
            if isinstance(reading.value, float) and abs(reading.value - float(text)) < 0.5 * 10.0**-place.decimals:
                return reading
            if loop.time() >= until:
                shown = reading.why if reading.value is None else reading.value
                raise Refused("read-back", f"{name}: the incubator shows {shown} after {text} was written")
            await asyncio.sleep(LOOK_S)

    def unknown(self, name: str, what: str) -> Refused:
        """Why a set point cannot be had, and what to do."""
        return Refused(
            "address unknown",
            f"{name}: {what}: the address is in no page that could be read; fill in {profile.TEMPLATE} from your "
            f"manual and name your copy in option profile",
        )

    # -- telegrams

    async def ask(self, address: str, retries: int = 1) -> str:
        """The payload at an address; raises Refused with the incubator's code, BadFrame, NoAnswer, LinkLost."""
        return await self._exchange(Telegram(READ, address, ""), retries)

    async def _exchange(self, telegram: Telegram, retries: int) -> str:
        request = thermo.build(telegram, type(self).check)
        parse = self._parser(telegram)
        return await self.line.query(request, parse, timeout_s=self.timeout_s, retries=retries)

    def _parser(self, asked: Telegram) -> Callable[[bytearray], str | None]:
        """Answers of other addresses came late and are passed over."""

        def parse(buffer: bytearray) -> str | None:
            broken = b""
            while (end := buffer.find(thermo.END)) >= 0:
                line = bytes(buffer[:end])
                del buffer[: end + 1]
                found = thermo.parse(line, type(self).check)
                if found is None or found.kind != WRITE:
                    broken = line
                    continue
                if found.payload == "?0" and asked.kind == READ:
                    raise BadFrame(f"{asked.address}: {words.ERRORS['?0']}")
                if found.address != asked.address:
                    continue
                if found.payload in words.ERRORS:
                    raise Refused(found.payload, f"{self.line.name}: {asked.address}: {words.ERRORS[found.payload]}")
                return found.payload
            if broken and not buffer:
                raise BadFrame(f"no telegram with a good check sum: {broken[-40:]!r}")
            return None

        return parse


class ThermoViosCr(ThermoHeracellI):
    """The clean-room VIOS: the same telegrams with a CRC-8 (V for the polynomial, X for its start value 0)."""

    model = "thermo_vios_cr"
    check: ClassVar[thermo.Check] = staticmethod(thermo.crc8)
