"""The bench `stirred-100` with other pumps: every model whose own counter proves what it moved, on both fluid paths."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping

from drivers.catalogue import MODELS, find
from drivers.core.errors import Refused
from drivers.core.fluid import FluidMover
from simulators import catalogue
from simulators.core.time import VirtualLoop
from tests.devices.rig import Rig, dose
from tests.runs.lab import STIRRED

ITS_OWN: Mapping[str, float | str] = {"capacity_ml": 60.0, "syringe_ml": 25.0, "target_counts": "each run"}
"""Where a model has such an option: room for a whole stroke of the compressed protocol, and counters nobody clears."""
PLACES = {"barrel": ("fill syringe", "waste syringe"), "tube": ("fill tube", "waste tube")}


def bounded() -> list[str]:
    """Every model that moves fluid by moves it bounds itself (EQ-02)."""
    kinds = ((model, find(model)) for model in MODELS)
    return [model for model, kind in kinds if issubclass(kind, FluidMover) and kind.bounded]


def counts(model: str) -> bool:
    """Whether it has counters at all: a pump without any says so, and its strokes are never proved."""

    async def asked() -> bool:
        rig = Rig.of(model, dose(model).options)
        assert isinstance(rig.driver, FluidMover)
        await rig.driver.identify()
        await rig.driver.prepare()
        try:
            await rig.driver.totals()
        except Refused:
            return False
        return True

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(0.0)) as runner:
        return runner.run(asked())


def bench(model: str) -> str:
    """The bench file with two pumps of this model, each on a cable of its own, and the places they sit in."""
    kind, entry = find(model), catalogue.entry(model)
    assert issubclass(kind, FluidMover)
    its_own = {name: value for name, value in ITS_OWN.items() if name in kind.option_names}
    options = {**(dose(model).options if kind.bounded else {}), **its_own}
    text = re.sub(r"\[\[devices\]\]\nname = \"pump_(in|out)\"\n(?:.+\n)+?options.*\n", "", STIRRED)
    devices = "".join(
        f'[[devices]]\nname = "{name}"\nmodel = "{model}"\nlink = "{link}"\naddress = {entry.address}\npoll_s = 30\n'
        f"options = {{ {', '.join(f'{key} = {json.dumps(value)}' for key, value in options.items())} }}\n"
        for name, link in (("pump_in", "pumps"), ("pump_out", "waste"))
    )
    text = text.replace('[[devices]]\nname = "balance"', f'{devices}[[devices]]\nname = "balance"', 1)
    text = text.replace("[[devices]]", 'waste = "tcp://127.0.0.1:18084"\n\n[[devices]]', 1)
    for shipped, place in zip(PLACES["barrel"], PLACES[entry.place], strict=True):
        text = text.replace(f'= "{shipped}"', f'= "{place}"')
    return text
