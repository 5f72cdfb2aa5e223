"""Every fault there is: its name, where it lives, its parameters with their defaults, what happens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from simulators.plant import parameters as p
from simulators.plant.suffering import DEFAULTS


class Kind(StrEnum):
    LINK = "link"
    DEVICE = "device"
    PLANT = "plant"
    PEOPLE = "people"


class Where(StrEnum):
    """Who plays it."""

    WIRE = "on the cable"
    STROKE = "at the device, at one moment"
    SEAT = "between the device and its place"
    PLANT = "in the plant"
    PERSON = "in the person"


COMMON: Mapping[str, float] = {"after_s": 0.0, "for_s": math.inf}
SENSES = ("chamber", "room", "immersion", "pan", "gas line", "shaft", "bath", "stirred bath")
"""Places in which a device feels something."""
PUMPED = ("barrel", "tube")
DRIVEN = ("chamber", "barrel", "tube", "gas line", "shaft", "bath", "stirred bath", "selector")
"""Places on which a device acts."""
READ: Mapping[str, float] = dict.fromkeys(
    ("cel", "co2", "o2", "rh", "hpa", "ph", "do", "ms_cm", "redox", "g", "ml_min", "ncm"), 0.0
)
"""What a device may feel: °C, vol-%, % relative humidity, hPa, pH, % of air saturation, mS/cm, mV, g, mL/min, N·cm."""
SET: Mapping[str, float] = dict.fromkeys(("cel", "co2", "o2", "rpm", "ml_min"), math.nan)
"""What a person may set at a panel; not a number = left alone."""


@dataclass(frozen=True, slots=True)
class Entry:
    kind: Kind
    where: Where
    does: str
    parameters: Mapping[str, float] = field(default_factory=dict[str, float])
    places: tuple[str, ...] = ()
    """Of the devices that can have it, by the name of the place they sit in; empty = any."""
    needs: str = ""
    """A method its simulator must have."""
    modbus: bool = False
    """Only where Modbus is spoken."""


def _link(does: str, modbus: bool = False, **parameters: float) -> Entry:
    return Entry(Kind.LINK, Where.WIRE, does, parameters, modbus=modbus)


def _sensor(does: str, **parameters: float) -> Entry:
    return Entry(Kind.DEVICE, Where.SEAT, does, {**READ, **parameters}, SENSES)


def _seat(does: str, places: tuple[str, ...] = DRIVEN, **parameters: float) -> Entry:
    return Entry(Kind.DEVICE, Where.SEAT, does, parameters, places)


def _stroke(does: str, needs: str = "", **parameters: float) -> Entry:
    return Entry(Kind.DEVICE, Where.STROKE, does, parameters, needs=needs)


def _plant(name: str, does: str, kind: Kind = Kind.PLANT, **more: float) -> Entry:
    return Entry(kind, Where.PLANT, does, {**DEFAULTS[name], **more})


def _person(does: str, **parameters: float) -> Entry:
    return Entry(Kind.PEOPLE, Where.PERSON, does, parameters)


FAULTS: Mapping[str, Entry] = {
    "silence": _link("the cable is cut: nothing passes either way"),
    "deaf": _link("requests do not reach the device"),
    "mute": _link("the device hears and acts, its replies are lost"),
    "drop": _link("every n-th reply is lost", every=3),
    "delay": _link("every n-th reply comes so much later, beyond the time-out where it is long", seconds=3, every=1),
    "late": _link("every n-th reply comes when the next question is on the cable, before its answer", every=3),
    "flip": _link("one bit of every n-th reply is wrong", every=3),
    "truncate": _link("every n-th reply ends early", every=3),
    "duplicate": _link("every n-th reply comes twice", every=3),
    "garbage": _link("noise bytes, none below least, before every n-th reply", every=3, least=0),
    "wrong-unit": _link("every n-th reply bears another address (0 = the next one), its check sum right", modbus=True,
                        every=3, unit=0),
    "exception": _link("every n-th reply is a no of Modbus", modbus=True, every=3, code=4),
    "hang-up": _link("the connection closes in the middle of every n-th reply", every=3),
    "half-open": _link("the connection is dead without a word; a new one works"),
    "unplugged": _link("the port is gone, and comes back under its name", for_s=60),
    "port-moves": _link("the port is gone and comes back under another name: the old one stays away"),

    "power-cycle": _stroke("loses power after_s or at_s seconds from now, or on taking its n-th message",
                           at_s=math.inf, message=0),
    "slow": Entry(Kind.DEVICE, Where.WIRE, "every answer takes so much longer", {"seconds": 0.5}),
    "stall": _stroke("the motor stalls: the device stops by itself and says so", "stall"),
    "totalizer-reset": _stroke("its counters are back at zero, and it says nothing of it", "reset_totals"),
    "roll-over": _stroke("its counters stand this much before their end", "near_roll_over", ml=1.0),
    "panel-change": Entry(Kind.DEVICE, Where.STROKE, "somebody changes a set point at its own panel", SET,
                          needs="set_at_panel"),
    "factory-defaults": _stroke("its memory is lost: everything as from the factory"),
    "replaced": _stroke("another one of its kind stands there, new, with another serial number"),

    "drift": _sensor("what it feels drifts by so much a day (ph=0.017 is 1 mV)"),
    "sensor-offset": _sensor("its own sensor is off by so much, and its own loop follows the sensor: "
                             "it shows 37.0 while the liquid is not"),
    "frozen": _sensor("it goes on showing what it felt when this began (keys that are 1, all without)"),
    "spike": _sensor("what it feels jumps by so much, for lasts_s in every every_s seconds", every_s=600, lasts_s=10),
    "not-a-number": _sensor("its sensor is broken (keys that are 1, all without): it says so as its sheet does"),
    "ignores-set-point": _seat("a new set point is taken, shown and never acted on",
                               ("chamber", "gas line", "shaft", "bath", "stirred bath", "selector")),
    "stuck-on": _seat("what is on or comes on stays on: a pump goes on past its end, a valve stays open; "
                      "of a chamber the heater=1, the CO2 valve co2=1", heater=1, co2=0),
    "stuck-off": _seat("it works by its display and moves, heats or opens nothing; "
                       "of a chamber the heater=1, the CO2 valve co2=1", heater=1, co2=0),
    "air-in-line": _seat("it counts more than it moves, this share is air", PUMPED, fraction=p.AIR_SHARE),
    "leak": _seat("this share of what it delivers drips onto the bench", PUMPED, fraction=p.LEAK_SHARE),

    "check-valve": _plant(
        "check-valve", "the outgoing pump's check valve leaks back: it moves less than it counts", at=0),
    "check-valve-fill": _plant("check-valve-fill", "the same at the ingoing pump", at=0),
    "worn-tube": _plant("worn-tube", "the tube in a peristaltic head is worn: it moves less than it counts", at=0),
    "tube-on-balance": _plant("tube-on-balance", "a tube pulls on the waste balance"),
    "screen-clogs": _plant(
        "screen-clogs", "the dip tube's screen lets this share through, and nothing so near above its level"),
    "contamination": _plant(
        "contamination", "so many bacteria come into the medium: they double within the hour, eat oxygen, make acid"),
    "spheroids-in-waste": _plant(
        "spheroids-in-waste", "the screen is torn: this share of the spheroids in the liquid leaves with it"),
    "vent-blocks": _plant("vent-blocks", "the headspace follows the chamber only so slowly"),
    "bubble": _plant("bubble", "so much air stands in the filling line (the outgoing one: out=1)"),
    "pinched": _plant(
        "pinched", "the filling line (out=1 the outgoing one; bed a loop) holds back this share, 1 = a clamp"),
    "bottle-swapped": _plant(
        "bottle-swapped", "somebody changes a bottle and writes nothing down: the medium for the other one "
        "(DMEM: dmem=1), or the waste for an empty one (waste=1)", Kind.PEOPLE),

    "late-person": _person("the person answers tasks late", hours=6),
    "absent-person": _person("the person does not come, at so many seconds after the first task and for so many",
                             at=0, **{"for": 1e12}),
    "wrong-entry": _person("the person slips the decimal point in the n-th number asked for", nth=1),
    "wrong-lot": _person("the person writes another lot than the one in their hands, the n-th time", nth=1),
    "door-left-open": _person("after the n-th act in the chamber its door stands open", nth=1, minutes=30),
    "wrong-bottle": _person("the n-th new bottle is growth for osteogenic medium, or the other way round (DMEM: "
                            "dmem=1)", nth=1, dmem=0),
    "forgotten-clamp": _person("the clamp stays on the line after the n-th bottle change, for so long", nth=1, hours=8),
}  # fmt: skip
