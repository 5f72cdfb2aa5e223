"""The catalogue: model, maker, kind, link, whether it ran on hardware, whether its doses can be proved."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass

from api.folders import json_argument
from api.table import table
from drivers.catalogue import MODELS, find
from drivers.core.device import Device
from drivers.core.fluid import FluidMover

EXAMPLE = "osteon device list"


@dataclass(frozen=True, slots=True)
class Listed:
    model: str
    maker: str
    kind: str
    link: str
    verified: str | None
    doses_provable: bool | None
    """None where the device moves no fluid."""
    continuity: str
    """How it is proved that a counter is still the same counter."""


def arguments(parser: argparse.ArgumentParser) -> None:
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
    )


def run(options: argparse.Namespace) -> int:
    models = [listed(find(name)) for name in MODELS]
    if options.json:
        print(json.dumps([asdict(each) for each in models], indent=1))
        return 0
    provable = {None: "-", True: "yes", False: "no"}
    rows = [
        (each.model, each.maker, each.kind, each.link, each.verified or "not yet", provable[each.doses_provable])
        for each in models
    ]
    print(table(("model", "maker", "kind", "link (defaults)", "ran on hardware", "doses provable"), rows))
    return 0
