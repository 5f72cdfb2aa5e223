"""What the faults of a stirred vessel do to it, by name: each begins and ends at a moment of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from simulators.plant import culture
from simulators.plant import parameters as p
from simulators.plant.timed import Trouble

if TYPE_CHECKING:
    from simulators.plant.stirred import StirredPlant

Numbers = Mapping[str, float]
DEFAULTS: Mapping[str, Numbers] = {
    "check-valve": {"fraction": p.LEAK_BACK},
    "check-valve-fill": {"fraction": p.LEAK_BACK},
    "worn-tube": {"bed": 1, "fraction": p.TUBE_WORN},
    "tube-on-balance": {"grams": p.TUBE_PULL_G},
    "screen-clogs": {"share": p.SCREEN_SHARE, "above_ml": p.SCREEN_ABOVE_ML},
    "spheroids-in-waste": {"share": 1.0},
    "vent-blocks": {"tau_h": p.VENT_BLOCKED_H},
    "bubble": {"ml": p.BUBBLE_ML, "out": 0},
    "pinched": {"share": 1.0, "out": 0, "bed": 0},
    "contamination": {"cells": p.CONTAMINANT_AT_FIRST},
    "bottle-swapped": {"ml": p.FRESH_BOTTLE_ML, "dmem": 0, "waste": 0},
}
"""Every fault of a plant with its numbers."""
IN_STIRRED = frozenset(DEFAULTS)
IN_PERFUSED = frozenset(("worn-tube", "tube-on-balance", "pinched", "bottle-swapped"))


def troubles(faults: Mapping[str, Numbers], start: float) -> list[Trouble]:
    """Faults that are there from the start; `at` and `after_s` say when they begin, `for_s` how long they last."""
    found: list[Trouble] = []
    for name, numbers in faults.items():
        if name not in DEFAULTS:
            raise ValueError(f"no fault of a plant is called {name!r}; there are {', '.join(DEFAULTS)}")
        begins = start + numbers.get("at", 0.0) + numbers.get("after_s", 0.0)
        ends = begins + numbers.get("for_s", float("inf"))
        found.append(Trouble(name, {**DEFAULTS[name], **numbers}, begins, ends))
    return found


def other_bottle(hangs: str, numbers: Numbers) -> str:
    """What somebody hangs by mistake in the place of `hangs`."""
    if numbers["waste"]:
        return "waste"
    if numbers["dmem"]:
        return "DMEM, high glucose"
    return "growth medium" if "osteogenic" in hangs else "osteogenic medium"


def suffer(plant: StirredPlant, trouble: Trouble, begins: bool) -> None:
    """A fault of a stirred vessel begins or ends at the plant's `t`."""
    v, c, values = plant.volumes, plant.culture, trouble.values
    match trouble.name:
        case "check-valve" | "check-valve-fill":
            syringe = v.waste if trouble.name == "check-valve" else v.fill
            syringe.leak_back = values["fraction"] if begins else 0.0
        case "worn-tube":
            v.waste_hose.worn = values["fraction"] if begins else 0.0
        case "tube-on-balance":
            plant.pull.grams = values["grams"] if begins else 0.0
        case "screen-clogs":
            v.screen_share = values["share"] if begins else 1.0
            v.screen_above_ml = values["above_ml"] if begins else 0.0
        case "spheroids-in-waste":
            c.escaping = values["share"] if begins else 0.0
        case "vent-blocks":
            through = (p.VESSEL_ML - p.VESSEL_WORKING_ML) / (60 * values["tau_h"])
            c.overlay_ml_min = through if begins else p.OVERLAY_ML_MIN
        case "pinched":
            held = values["share"] if begins else 0.0
            if values["out"]:
                v.waste.blocked_in = v.waste_hose.pinched = held
            else:
                v.fill.blocked_out = v.fill_hose.pinched = held
        case "bubble" if begins:
            _bubble(plant, values)
        case "contamination" if begins:
            c.contaminant += values["cells"]
        case "bottle-swapped" if begins:
            plant.hang(other_bottle(plant.recipe.name, values), values["ml"])
        case _:
            pass


def _bubble(plant: StirredPlant, values: Numbers) -> None:
    """Air comes in at the bottle's end, or out of the liquid of the dip tube: what stood there goes back."""
    v = plant.volumes
    if not values["out"]:
        v.fresh_ml += v.line_in.bubble(values["ml"], 0)
        return
    back = v.line_out.bubble(values["ml"], -1)
    culture.remove(plant.culture, -back, v.vessel_ml)
    v.vessel_ml += back
    v.total_out_ml -= back
    culture.displace(plant.culture, plant.air, v.vessel_ml, back)
