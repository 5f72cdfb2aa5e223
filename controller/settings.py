"""What a laboratory writes in bench.toml, checked; every fault of a file is reported at once (interface.md §3)."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Set
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from controller import plumbing
from controller.errors import Unusable
from controller.toml_places import place_of
from drivers import catalogue
from drivers.core import units
from drivers.core.device import Device
from drivers.core.errors import OsteonError
from drivers.core.fluid import FluidMover, Use
from drivers.core.line import Line
from drivers.core.link import open_link
from drivers.core.signals import Access, SignalSpec
from drivers.core.valve import SelectionValve
from protocols.quantities import PATHS, ROLES
from protocols.remainder import remainder

Positive = Annotated[float, Field(gt=0)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BenchHead(Strict):
    name: str = Field(min_length=1)
    zone: str = "UTC"
    note: str = ""


class CalibrationSettings(Strict):
    """How often a device is calibrated, and what is accepted. The limits are customary round figures of ours."""

    every_days: Positive | None = None
    """None = it never becomes due by itself."""
    required: bool = False
    """Without a valid calibration its values are not good, and no run starts on its unit."""

    @property
    def wanted(self) -> bool:
        """Whether a missing calibration is worth telling."""
        return self.required or self.every_days is not None

    slope_low_percent: Positive = 90.0
    slope_high_percent: Positive = 105.0
    offset_mv: Positive = 30.0
    ph: Positive = 0.1
    temperature_k: Positive = 1.0
    percent: Positive = 3.0
    """Of air saturation, or vol-% of CO2 or O2."""
    weight_g: Positive = 0.1
    gain_percent: Positive = 10.0
    spread_percent: Positive = 2.0


class DeviceSettings(Strict):
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    model: str
    link: str
    address: int | None = None
    """Its number on the line; None = the datasheet's."""
    poll_s: Positive = 10
    serial: str = ""
    """Expected serial number; "" = whatever was found the first time this port was used."""
    options: dict[str, float | str] = Field(default_factory=dict[str, float | str])
    calibration: CalibrationSettings = CalibrationSettings()


class VesselSettings(Strict):
    kind: Literal["stirred", "perfusion"] = "stirred"
    """perfusion: a bed in a closed loop; the volumes are those of its reservoir."""
    min_ml: Positive
    max_ml: Positive
    level_ml: Positive
    """Volume left when the dip tube draws air."""
    evaporation_ml_day: float = Field(default=0.0, ge=0)


class PathSettings(Strict):
    pump: str
    line_ml: float = Field(default=0.0, ge=0)
    witness: str = ""
    """Role of the second witness (a weight) of what this path delivers."""
    density_g_ml: Positive = 1.0
    valve: str = ""
    """Selection valve in this path."""
    draw_position: int = Field(default=0, ge=0)
    """Where the valve stands while the pump draws, and while it delivers; counted from 1."""
    deliver_position: int = Field(default=0, ge=0)
    prime_position: int = Field(default=0, ge=0)
    """Where it stands while priming or rinsing delivers: not at the vessel."""
    source_ml: float | None = Field(default=None, gt=0)
    """What the bottle it comes from holds at most; None = not known."""


class CapSettings(Strict):
    """The most that may be delivered into the vessel, mL; None = no cap but the vessel's own limit (DS-07)."""

    dose_ml: float | None = Field(default=None, gt=0)
    hour_ml: float | None = Field(default=None, gt=0)
    day_ml: float | None = Field(default=None, gt=0)
    run_ml: float | None = Field(default=None, gt=0)


class UnitCaps(Strict):
    """Of all fluids together, and of single ones by their names in the protocol."""

    all: CapSettings = CapSettings()
    fluids: dict[str, CapSettings] = Field(default_factory=dict[str, CapSettings])


class UnitSettings(Strict):
    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    vessel: VesselSettings
    roles: dict[str, str]
    paths: dict[str, PathSettings] = Field(default_factory=dict[str, PathSettings])
    caps: UnitCaps = UnitCaps()
    fastest: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict[str, float])
    """The fastest a protocol may change a set point: by role, in the unit of the role, an hour."""
    loop: str = ""
    """The pump that keeps this unit's closed loop turning; only a person's "stop pumps" stops it."""

    @property
    def devices(self) -> tuple[str, ...]:
        """Every device this unit works with, once."""
        outputs = [output.partition(".")[0] for output in self.roles.values()]
        parts = [name for path in self.paths.values() for name in (path.pump, path.valve) if name]
        return tuple(dict.fromkeys((*outputs, *parts)))


class Settings(Strict):
    """A whole bench file."""

    bench: BenchHead
    drivers: tuple[str, ...] = ()
    """Folders with the laboratory's own drivers, from the bench file's place."""
    links: dict[str, str]
    devices: tuple[DeviceSettings, ...]
    units: tuple[UnitSettings, ...]
    simulation: dict[str, object] = Field(default_factory=dict[str, object])

    def digest(self) -> str:
        """SHA-256 of the configuration (RM-09)."""
        return hashlib.sha256(self.as_text().encode()).hexdigest()

    def as_text(self) -> str:
        """What the file says, as JSON; defaults it does not touch are left out, so that a newer program reads the same.

        How things are simulated, and how often devices are asked, is no part of it."""
        apart = {"simulation": True, "devices": {"__all__": {"poll_s"}}}
        content = self.model_dump(mode="json", exclude_defaults=True, exclude=apart)
        return json.dumps(content, sort_keys=True)

    def signals(self) -> dict[str, list[str]]:
        """What is measured at each unit, as the history names it."""
        return {unit.name: sorted(set(unit.roles.values())) for unit in self.units}

    def unit(self, name: str) -> UnitSettings:
        """Raises Unusable when there is no such unit."""
        units = {unit.name: unit for unit in self.units}
        if name not in units:
            raise Unusable([unknown("unit", name, units)])
        return units[name]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a file a person wrote."""

    file: str
    line: int
    column: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.field}: {self.reason}"


class BenchInvalid(OsteonError):
    """The bench file cannot be used; `faults` has every one of them."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


def load(path: Path) -> Settings:
    """Read and check a bench file; raises BenchInvalid with every fault, FileNotFoundError when there is none."""
    return parse(path.read_text(encoding="utf-8"), str(path))


def parse(text: str, file: str = "bench.toml") -> Settings:
    """The same from text; folders named in it are looked for beside `file`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, column = line_and_column(str(error))
        raise BenchInvalid([Fault(file, line, column, "(file)", f"not TOML: {error}")]) from None
    faults: list[Fault] = []

    def fault(where: tuple[int | str, ...], reason: str) -> None:
        line, column = place_of(text, where)
        faults.append(Fault(file, line, column, ".".join(str(part) for part in where), reason))

    folders = data.get("drivers")
    for number, folder in enumerate(cast("list[object]", folders) if isinstance(folders, list) else []):
        try:
            catalogue.include(Path(file).parent / str(folder))
        except catalogue.BadFolder as error:
            fault(("drivers", number), str(error))
    details = refusals(data)
    for detail in details:
        fault(tuple(detail["loc"]), in_words(detail))
    rest = remainder(data, lambda part: [tuple(detail["loc"]) for detail in refusals(part)], STAND_INS)
    if rest is not None:
        settings = Settings.model_validate(rest.data)
        for loc, reason in cross_check(settings):
            if not rest.follows(where := rest.place(loc), reason):
                fault(where, reason)
        if not faults:
            return settings
    raise BenchInvalid(sorted(faults, key=lambda each: (each.line, each.column)))


STAND_INS = {"bench": {"name": "-"}, "min_ml": 1.0, "level_ml": 1.0, "max_ml": 1e6}
"""Where one of these is wrong, the rest of its unit is looked at all the same."""


def refusals(data: dict[str, Any]) -> list[ErrorDetails]:
    """What the form alone refuses."""
    try:
        Settings.model_validate(data)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def in_words(detail: ErrorDetails) -> str:
    """What the schema refuses, as a person would say it."""
    match detail["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            forms = (
                Settings,
                BenchHead,
                DeviceSettings,
                CalibrationSettings,
                VesselSettings,
                PathSettings,
                UnitSettings,
                UnitCaps,
                CapSettings,
            )
            near = get_close_matches(str(detail["loc"][-1]), [key for form in forms for key in form.model_fields], 1)
            return "nothing is called that here" + (f"; did you mean {near[0]!r}?" if near else "")
        case "tuple_type":
            return f"is a list: write [[{detail['loc'][-1]}]]"
        case "int_parsing" | "int_type" | "int_from_float":
            return f"{detail['input']!r} is not a whole number"
        case "float_parsing" | "float_type":
            return f"{detail['input']!r} is not a number"
        case "string_pattern_mismatch":
            signs = "_ and -" if "-]" in str(detail.get("ctx")) else "_"
            return f"{detail['input']!r} is no name here: a small letter first, then small letters, digits, {signs}"
        case _:
            return detail["msg"][:1].lower() + detail["msg"][1:]


def is_zone(name: str) -> bool:
    """Whether the machine knows this IANA name. (Listing all of them takes longer than the rest of reading a bench.)"""
    try:
        return bool(name) and ZoneInfo(name).key == name
    except (KeyError, ValueError, OSError):
        return False


def cross_check(settings: Settings) -> list[tuple[tuple[int | str, ...], str]]:
    """What a schema cannot see: names that point nowhere, doubled names and addresses, limits out of order."""
    found: list[tuple[tuple[int | str, ...], str]] = []
    if not is_zone(settings.bench.zone):
        found.append((("bench", "zone"), f"{settings.bench.zone!r} is not a time zone name; write one like Asia/Tokyo"))
    signals: dict[str, Mapping[str, SignalSpec]] = {}
    pumps = {device.name for device in settings.devices if is_a(FluidMover, device.model)}
    valves = {device.name for device in settings.devices if is_a(SelectionValve, device.model)}
    loops = {device.name for device in settings.devices if device.options.get("use") == Use.RECIRCULATE} & pumps
    lines: dict[str, Line] = {}
    for link, url in settings.links.items():
        try:
            lines[link] = Line(open_link(url), link)
        except ValueError as error:
            found.append((("links", link), str(error)))
    places: set[tuple[str, int | None, object]] = set()
    for number, device in enumerate(settings.devices):
        where = ("devices", number)
        if device.name in signals:
            found.append(((*where, "name"), f"a second device named {device.name!r}; names must differ"))
        if device.link not in settings.links:
            found.append(((*where, "link"), unknown("link", device.link, settings.links)))
        address = device.address
        if address is None and device.model in catalogue.MODELS:
            address = catalogue.find(device.model).default_address
        if (place := (device.link, address, device.options.get("channel"))) in places:
            found.append(((*where, "address"), f"address {address} is already taken on link {device.link!r}"))
        places.add(place)
        if device.model not in catalogue.MODELS:
            found.append(((*where, "model"), unknown("model", device.model, catalogue.MODELS)))
            signals[device.name] = {}
        else:
            signals[device.name] = catalogue.find(device.model).specs()
            if device.link in lines:
                found.extend(((*where, "options"), reason) for reason in refused(device, lines[device.link]))
    for number, unit in enumerate(settings.units):
        faults = [
            *check_unit(unit, signals, pumps, valves),
            *plumbing.of_loop(unit, pumps, loops),
            *plumbing.of_ways(unit, settings.devices),
        ]
        found.extend((("units", number, *where), reason) for where, reason in faults)
    found.extend(plumbing.of_valves(settings.units))
    return found


def is_a(kind: type[Device], model: str) -> bool:
    return model in catalogue.MODELS and issubclass(catalogue.find(model), kind)


def refused(device: DeviceSettings, line: Line) -> list[str]:
    """What the driver itself says about its options; building it sends nothing."""
    try:
        kind = catalogue.find(device.model)
        kind(line, kind.default_address if device.address is None else device.address, device.options)
    except ValueError as error:
        return [str(error)]
    return []


def check_unit(
    unit: UnitSettings, signals: Mapping[str, Mapping[str, SignalSpec]], pumps: Set[str], valves: Set[str]
) -> list[tuple[tuple[int | str, ...], str]]:
    found: list[tuple[tuple[int | str, ...], str]] = []
    vessel = unit.vessel
    if not vessel.min_ml <= vessel.level_ml <= vessel.max_ml:
        found.append((("vessel", "level_ml"), "min_ml <= level_ml <= max_ml does not hold"))
    for role, output in unit.roles.items():
        device, _, signal = output.partition(".")
        if device not in signals:
            found.append((("roles", role), unknown("device", device, signals)))
        elif signals[device] and signal not in signals[device]:
            found.append((("roles", role), unknown(f"signal of {device}", signal, signals[device])))
        elif role.removesuffix(" set") not in ROLES:
            found.append((("roles", role), unknown("role", role.removesuffix(" set"), ROLES)))
        elif signals[device] and role.endswith(" set") and signals[device][signal].access is Access.READ:
            found.append((("roles", role), f"{output} can only be read; {role!r} is a set point"))
        elif signals[device] and not fits(signals[device][signal].unit, like := ROLES[role.removesuffix(" set")]):
            found.append((("roles", role), f"{output} is in {signals[device][signal].unit or 'no unit'}, not {like}"))
    found.extend(
        (("fastest", role), f"{unit.name} sets no {role!r}: [units.roles] has no '{role} set'")
        for role in unit.fastest
        if f"{role} set" not in unit.roles
    )
    for name, path in unit.paths.items():
        if name not in PATHS:
            found.append((("paths", name), unknown("fluid path", name, dict.fromkeys(PATHS))))
        if path.pump not in signals:
            found.append((("paths", name, "pump"), unknown("device", path.pump, signals)))
        elif signals[path.pump] and path.pump not in pumps:
            found.append((("paths", name, "pump"), f"{path.pump} moves no fluid"))
        if path.valve and path.valve not in signals:
            found.append((("paths", name, "valve"), unknown("device", path.valve, signals)))
        elif path.valve and path.valve not in valves:
            found.append((("paths", name, "valve"), f"{path.valve} is no selection valve"))
        elif path.valve and not (path.draw_position and path.deliver_position):
            found.append((("paths", name, "valve"), "say where it stands: draw_position and deliver_position"))
        if path.witness and path.witness not in unit.roles:
            found.append((("paths", name, "witness"), unknown("role", path.witness, unit.roles)))
    return found


def fits(symbol: str, like: str) -> bool:
    return bool(symbol) and units.unit(symbol).dimension == units.unit(like).dimension


MANY = 40
"""More names than this are no help to read."""


def unknown(kind: str, name: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(name.lower(), list(known), 1)
    there = f"there is {', '.join(sorted(known)) or 'none'}" if len(known) <= MANY else "see 'osteon device list'"
    hint = f"; did you mean {near[0]!r}?" if near else f"; {there}"
    return f"no {kind} {name!r}{hint}"


def line_and_column(message: str) -> tuple[int, int]:
    """tomllib puts "(at line 3, column 7)" into its message."""
    words = message.replace(",", " ").replace(")", " ").split()
    if "line" in words and "column" in words:
        return int(words[words.index("line") + 1]), int(words[words.index("column") + 1])
    return 1, 1
