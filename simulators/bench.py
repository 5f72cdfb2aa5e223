"""A whole simulated bench: the plant, one simulator per device in its place, one cable per link. No time of its own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import partial
from importlib import resources
from pathlib import Path
from typing import cast
from zlib import crc32

from simulators import catalogue, vessels
from simulators.core.faults import Fault, FaultSpec, FaultyWire, Seat, parse
from simulators.core.faults.placing import aimed, check_wire
from simulators.core.faults.table import Where
from simulators.core.hosts import MemoryHost, MemoryLink
from simulators.core.shared_line import SharedLine
from simulators.core.simulator import Action, Simulator
from simulators.core.surroundings import Immersion, Liquid
from simulators.people import Lapse, Person
from simulators.places import Throughput, Turning
from simulators.plant.timed import Trouble
from simulators.standalone import PLACES, Still

START = 1_767_567_600.0
"""Where benches begin unless told otherwise: Monday 2026-01-05 08:00 in Tokyo, seconds since 1970."""

ALONE = "alone"
"""The place of a device that touches nothing of the plant: surroundings of its own that stand still."""

Config = Mapping[str, object]
"""A bench.toml as tomllib reads it."""


def shipped(name: str = "stirred-100") -> Config:
    """A bench that ships with osteon, by name."""
    return tomllib.loads(resources.files("simulators").joinpath("benches", f"{name}.toml").read_text("utf-8"))


def read(path: Path) -> Config:
    """A bench file, read but not checked: checking is the controller's business."""
    return tomllib.loads(path.read_text("utf-8"))


def boxes(devices: Iterable[Config]) -> list[list[Config]]:
    """Devices that are channels of one box together, in the order of their channels."""
    found: dict[tuple[object, ...], list[Config]] = {}
    for device in devices:
        channel = cast("Config", device.get("options") or {}).get("channel")
        place = (device["link"], device.get("address"), device["model"])
        found.setdefault(place if channel is not None else (*place, device["name"]), []).append(device)
    for box in found.values():
        box.sort(key=lambda device: float(str(cast("Config", device.get("options") or {}).get("channel", 0))))
    return list(found.values())


class Beaker:
    """Where a probe stands: in its vessel, or in what a person holds under it."""

    def __init__(self, vessel: Immersion) -> None:
        self.vessel = vessel
        self.holds: Liquid | None = None

    def liquid(self, now: float) -> Liquid:
        return self.vessel.liquid(now) if self.holds is None else self.holds


def another(build: partial[Simulator], other: bool) -> Simulator:
    """The device as it left the factory; `other` = one more of its kind, with another serial number if it has any."""
    simulator = build()
    if not other:
        return simulator
    options = cast("Mapping[str, object]", build.keywords["options"])
    serial = str(getattr(simulator, "serial", "") or options.get("serial", ""))
    return build(options={**options, "serial": next_serial(serial)}) if serial else simulator


def next_serial(serial: str) -> str:
    """Another number of the same shape: its last digit is one more."""
    at = max((at for at, each in enumerate(serial) if each.isdigit()), default=-1)
    return serial if at < 0 else f"{serial[:at]}{(int(serial[at]) + 1) % 10}{serial[at + 1 :]}"


class SimulatedBench:
    """Devices by name, cables by link name, the plant, and the truth to judge by.

    `seed` None = no noise, no drift, exact syringes. `faults` are written as in simulators.core.faults.
    Raises ValueError or KeyError for models, places, targets and faults that do not exist.
    """

    def __init__(
        self, config: Config, *, seed: int | None = None, faults: Iterable[str] = (), start: float = START
    ) -> None:
        specs = [parse(text) for text in faults]
        self.seed, self.start = seed, start
        self.surroundings = vessels.build(config, seed, start)
        self.hands = self.surroundings.hands
        zone = str(cast("Config", config.get("bench") or {}).get("zone", "UTC"))
        self.person = Person(self.hands, seed, zone=zone)
        """The simulated person; whoever hosts the bench shows them the open tasks."""
        self.urls = dict(cast("Mapping[str, str]", config["links"]))
        self.schemes: dict[str, str] = {}
        """What each link's port speaks: tcp or http."""
        self.link_of: dict[str, str] = {}
        """Device name -> link name."""
        self.box_of: dict[str, str] = {}
        """Device name -> name of the first device in the same box."""
        places = self.places = cast("Mapping[str, str]", cast("Config", config["simulation"])["places"])
        self.model_of: dict[str, str] = {}
        self.seats: dict[str, Seat] = {}
        """Between each device and its place."""
        self._rebuild: dict[str, partial[Simulator]] = {}
        self.beakers: dict[str, Beaker] = {}
        self.alone: dict[str, Still] = {}
        """Places outside the plant, by device."""
        self.lines: dict[str, SharedLine] = {link: SharedLine({}) for link in self.urls}
        for channels in boxes(cast("list[Config]", config["devices"])):
            self._add(config, channels, places)
        self.hosts: dict[str, MemoryHost] = {}
        self._faults: list[tuple[str, Fault]] = []
        for spec in specs:
            self._put(spec, start)

    def _add(self, config: Config, channels: list[Config], places: Mapping[str, str]) -> None:
        """One box with its cable; a box of several channels gets one place a channel and goes by the first's name."""
        device = channels[0]
        name, model, link = str(device["name"]), str(device["model"]), str(device["link"])
        for each in channels:
            if each["name"] not in places:
                raise ValueError(f"simulation.places says nothing about {each['name']!r}")
        sits = [self._seat(model, str(each["name"]), places[str(each["name"])]) for each in channels]
        of_all = cast("Config", cast("Config", config["simulation"]).get("options") or {})
        itself = cast("Config", of_all.get(name) or {})  # what only the simulated device is told: a worn electrode …
        build = self._rebuild[name] = partial(
            catalogue.build,
            model,
            sits if len(sits) > 1 else sits[0],
            address=cast("int", device.get("address", catalogue.entry(model).address)),
            seed=None if self.seed is None else crc32(f"{self.seed} {name}".encode()),
            options=cast("Mapping[str, float | str]", {**cast("Config", device.get("options") or {}), **itself}),
        )
        self.lines[link].add(name, build())
        for each in channels:
            self.model_of[str(each["name"])] = model
            self.link_of[str(each["name"])] = link
            self.box_of[str(each["name"])] = name
        self.schemes[link] = catalogue.entry(model).scheme

    def _seat(self, model: str, name: str, place: str) -> object:
        """Where a device sits; a probe in liquid can be taken out of it (`dip`)."""
        if place == ALONE:
            found: object = self.alone.setdefault(name, PLACES[catalogue.entry(model).place]())
        else:
            found = self.surroundings.place(place)
        if catalogue.entry(model).place == "immersion":
            found = self.beakers[name] = Beaker(cast("Immersion", found))
        self.seats[name] = Seat(found)
        return self.seats[name]

    def dip(self, now: float, device: str, *, ph: float = 7.0, do_percent: float = 0.0, cel: float = 25.0) -> None:
        """From `now` on: a person takes a probe out of its vessel and stands it in a buffer or in another liquid."""
        self._beaker(device).holds = Liquid(cel, ph, do_percent)

    def put_back(self, now: float, device: str) -> None:
        """The probe stands in its vessel again."""
        self._beaker(device).holds = None

    def _beaker(self, device: str) -> Beaker:
        if device not in self.beakers:
            raise ValueError(f"{device!r} is no probe in liquid; there are {', '.join(self.beakers) or 'none'}")
        return self.beakers[device]

    # cables in memory

    def host(self, link: str) -> MemoryHost:
        """The host that carries a link in this process, made on first use."""
        if link not in self.hosts:
            self.hosts[link] = MemoryHost(self.lines[link], link)
        return self.hosts[link]

    def open_link(self, name: str) -> MemoryLink:
        """A fresh link to what is on cable `name`, not dialled yet; raises KeyError for an unknown cable."""
        return self.host(name).link()

    def switch_on(self) -> None:
        """Let the running loop wake every device, also those nobody talks to."""
        for link in self.lines:
            self.host(link).switch_on()

    def sever_all(self) -> None:
        """The controller's process died: all its links are dead, the bench runs on."""
        for host in self.hosts.values():
            host.sever()

    def switch_off(self) -> None:
        """Stop waking; for the end of a program."""
        for host in self.hosts.values():
            host.switch_off()

    # time without a loop

    def next_wake(self) -> float | None:
        """When some device wants to be woken first."""
        return min((at for line in self.lines.values() if (at := line.wake_at) is not None), default=None)

    def wake(self, now: float) -> list[tuple[str, list[Action]]]:
        """Wake every device that is due; what they send, by link."""
        sent: list[tuple[str, list[Action]]] = []
        for link, line in self.lines.items():
            at = line.wake_at
            if at is not None and at <= now and (actions := line.wake(now)):
                sent.append((link, actions))
        return sent

    def advance(self, now: float) -> None:
        """Let bench time pass to `now` with nobody listening: devices wake when they ask, the plant moves."""
        while (at := self.next_wake()) is not None and at <= now:
            self.wake(max(at, self.start))  # one that has not begun yet asks for "at once": 0
        self.surroundings.truth(now)

    # what tests and people ask

    def truth(self, now: float) -> dict[str, float | bool]:
        """The plant as it truly is at `now`, not as any instrument shows it."""
        return self.surroundings.truth(now)

    def throughput(self, now: float) -> dict[str, Throughput]:
        """What each pump in the plant truly moved since the start, by device."""
        turning = {name: seat.place for name, seat in self.seats.items() if isinstance(seat.place, Turning)}
        return {name: place.throughput(now) for name, place in turning.items()}

    def inject(self, text: str, now: float) -> None:
        """Put a fault in while everything runs; raises ValueError for what nothing here can have."""
        self._put(parse(text), now)
        self._look_again()

    def clear_faults(self, now: float | None = None) -> None:
        """Mend every cable; with `now`, also devices, plant and person from that moment on."""
        self._faults.clear()
        for line in self.lines.values():
            for device in line.devices.values():
                if isinstance(device, FaultyWire):
                    device.faults.clear()
        if now is not None:
            for seat in self.seats.values():
                seat.mend(now)
            self.surroundings.mend(now)
            self.person.lapses.clear()
        self._look_again()

    def power_cycle(self, device: str, now: float) -> list[Action]:
        """Cut one device's power and give it back; in memory its greeting goes on the cable, else it is returned."""
        if device not in self.link_of:
            raise ValueError(f"no device {device!r}; there are {', '.join(self.link_of)}")
        link = self.link_of[device]
        actions = self.lines[link].power_cycle_one(self.box_of[device], now)
        host = self.hosts.get(link)
        if host is None:
            return actions
        host.act(actions)
        return []

    def snapshot(self) -> dict[str, object]:
        """Everything as JSON-able data: plant, person, devices, faults. Bytes on their way are not kept."""
        return {
            "surroundings": self.surroundings.snapshot(),
            "person": self.person.snapshot(),
            "alone": {name: place.snapshot() for name, place in self.alone.items()},
            "lines": {link: line.snapshot() for link, line in self.lines.items()},
            "seats": {name: seat.snapshot() for name, seat in self.seats.items()},
            "faults": [{"device": device, **fault.snapshot()} for device, fault in self._faults],
            "beakers": {name: None if each.holds is None else list(each.holds) for name, each in self.beakers.items()},
        }

    def restore(self, saved: Mapping[str, object]) -> None:
        """Become what `snapshot` described; the configuration must be the same."""
        self.clear_faults()
        self.surroundings.restore(cast("dict[str, object]", saved["surroundings"]))
        self.person.restore(cast("dict[str, object]", saved["person"]))
        for name, place in cast("Mapping[str, dict[str, object]]", saved.get("alone") or {}).items():
            self.alone[name].restore(place)
        for fault in cast("list[dict[str, object]]", saved["faults"]):
            self._wrap(str(fault["device"]), Fault.restored(fault))
        lines = cast("Mapping[str, dict[str, object]]", saved["lines"])
        for link, line in self.lines.items():
            line.restore(lines[link])
        for name, holds in cast("Mapping[str, list[float] | None]", saved.get("beakers") or {}).items():
            self.beakers[name].holds = None if holds is None else Liquid(*holds)
        for name, seat in cast("Mapping[str, dict[str, object]]", saved["seats"]).items():
            self.seats[name].restore(seat, self.start)
            if self.seats[name].faults:
                self._wire_of(self.box_of[name])
        self._look_again()

    # faults find their places

    def _put(self, spec: FaultSpec, now: float) -> None:
        if spec.target and spec.target not in self.link_of:
            raise ValueError(f"fault {spec.text}: no device {spec.target!r}; there are {', '.join(self.link_of)}")
        starts, ends = spec.span(now)
        match spec.where:
            case Where.PERSON:
                self.person.lapses.append(Lapse(spec.name, spec.values, starts, ends))
            case Where.PLANT:
                values = {**spec.values, **aimed(spec, self.places.get(spec.target, ""))}
                begins = starts + values.get("at", 0.0)
                self.surroundings.trouble(now, Trouble(spec.name, values, begins, ends))
            case Where.SEAT:
                for name in self._can(spec):
                    self.seats[name].put(spec, now)
                    self._wire_of(self.box_of[name])
            case _:
                for name in dict.fromkeys(self.box_of[name] for name in self._can(spec)):
                    seed = None if self.seed is None else crc32(f"{self.seed} fault {name}".encode())
                    self._wrap(name, Fault(spec, now, seed))

    def _can(self, spec: FaultSpec) -> list[str]:
        """The devices that get the fault; raises ValueError, for a device named, with why it cannot have it."""
        found: list[str] = []
        no: ValueError | None = None
        for name in (spec.target,) if spec.target else self.link_of:
            try:
                self.check(spec, name)
                found.append(name)
            except ValueError as reason:
                no = reason
        if not found:
            raise no or ValueError(f"fault {spec.text}: there is no device")
        return found

    def check(self, spec: FaultSpec, name: str) -> None:
        """Raises ValueError where device `name` cannot have the fault."""
        places = spec.entry.places
        if places and catalogue.entry(self.model_of[name]).place not in places:
            raise ValueError(f"fault {spec.text}: {name} is nothing for it; it is for {', '.join(places)}")
        if spec.where is Where.SEAT:
            self.seats[name].check(spec)
        else:
            check_wire(spec, self.lines[self.link_of[name]].devices[self.box_of[name]])

    def _wire_of(self, box: str) -> FaultyWire:
        """The cable of a box, laid open for faults."""
        line = self.lines[self.link_of[box]]
        wire = line.devices[box]
        if not isinstance(wire, FaultyWire):
            seats = tuple(self.seats[name] for name, of in self.box_of.items() if of == box)
            wire = FaultyWire(wire, seats, partial(another, self._rebuild[box]))
            line.add(box, wire)
        return wire

    def _wrap(self, name: str, fault: Fault) -> None:
        wire = self._wire_of(name)
        wire.faults.append(fault)
        if fault.spec.name == "replaced" and fault.done:  # it was another one already when it was saved
            wire.simulator = another(self._rebuild[name], True)
        if fault.spec.name == "half-open":
            self.host(self.link_of[name]).dies_silently = True
        self._faults.append((name, fault))

    def _look_again(self) -> None:
        """Wake-ups may have changed."""
        for host in self.hosts.values():
            host.act([])
