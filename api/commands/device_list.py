"""The catalogue: model, maker, kind, link, whether doses can be proved, and the quality scale of the driver."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from urllib.parse import parse_qsl, urlsplit

from api.folders import json_argument
from api.one_device import own_drivers_argument
from api.refusal import Refusal
from api.table import table
from drivers.catalogue import MODELS, find
from drivers.core.device import Device
from drivers.core.fluid import FluidMover

EXAMPLE = "osteon device list"

VERIFIED = frozenset("VRM")
"""Maker's document, recorded on a device, maker's manual: without any of them a wire is unverified."""


@dataclass(frozen=True, slots=True)
class Listed:
    model: str
    maker: str
    kind: str
    link: str
    verified: str | None
    """Where and when it ran on hardware; None = not yet."""
    doses_provable: bool | None
    """None where the device moves no fluid."""
    continuity: str
    """How it is proved that a counter is still the same counter."""
    evidence: str
    """Tags of the golden exchanges that driver and simulator are held to, as the family's datasheet defines them."""
    wire_verified: bool
    """Whether any of them comes from the maker or from a real device."""
    checksum: bool
    """Whether damage on the cable can be seen in every value."""
    calibration_points: tuple[str, ...]
    """What the device can be taught by its own procedure."""
    found: bool
    """Whether `osteon device find` asks for it; else `not_sought` says why not."""
    not_sought: str
    on_link_loss: str
    safe_state: str
    watchdog: str


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="WORD", help="only models with this in model, maker or kind")
    own_drivers_argument(parser)
    json_argument(parser)


def listed(kind: type[Device]) -> Listed:
    mover = kind if issubclass(kind, FluidMover) else None
    return Listed(
        model=kind.model,
        maker=kind.maker,
        kind=kind.kind,
        link=kind.default_url,
        verified=kind.verified,
        doses_provable=mover.bounded if mover else None,
        continuity=mover.continuity if mover else "",
        evidence=kind.evidence,
        wire_verified=bool(VERIFIED & set(kind.evidence)),
        checksum=kind.checksum,
        calibration_points=tuple(kind.calibration_points),
        found=not kind.not_sought,
        not_sought=kind.not_sought,
        on_link_loss=kind.on_link_loss.value,
        safe_state=kind.safe_state,
        watchdog=kind.watchdog,
    )


def run(options: argparse.Namespace) -> int:
    models = [listed(find(name)) for name in MODELS]
    models = [each for each in models if matches(each, options.words)]
    if not models:
        raise Refusal(f"no model has {' '.join(options.words)!r} in its name, maker or kind")
    if options.json:
        print(json.dumps([asdict(each) for each in models], indent=1))
        return 0
    print(table(HEADS, [row(each) for each in models]))
    print(LEGEND)
    return 0


def matches(each: Listed, words: list[str]) -> bool:
    text = f"{each.model} {each.maker} {each.kind}".lower()
    return all(word.lower() in text for word in words)


def settings(url: str) -> str:
    """ "serial 19200 8N2" of a serial URL; the scheme of any other."""
    parts = urlsplit(url)
    if parts.scheme != "serial":
        return parts.scheme
    said = dict(parse_qsl(parts.query))
    return f"serial {said.get('baud', '')} {said.get('bits', '8')}{said.get('parity', 'N')}{said.get('stopbits', '1')}"


def row(each: Listed) -> tuple[str, ...]:
    provable = {None: "-", True: "yes", False: "no"}
    return (
        each.model,
        each.maker,
        each.kind,
        settings(each.link),
        provable[each.doses_provable],
        each.evidence if each.wire_verified else f"{each.evidence} unverified",
        "check sum" if each.checksum else "no check sum",
        ", ".join(each.calibration_points) or "-",
        "yes" if each.found else "no",
        each.verified or "not yet",
    )


HEADS = ("model", "maker", "kind", "link", "doses provable", "wire", "faults", "calibrates", "find", "hardware")
LEGEND = """
wire: tags of the exchanges typed from the datasheet that driver and simulator are tested with; V, M, R = the maker's.
faults: every driver passes 200 spoilt conversations; without a check sum a digit changed on the cable cannot be seen.
--json tells the rest: safe state, behaviour without us, watchdog, proof of a pump's counter, why one is not sought."""
