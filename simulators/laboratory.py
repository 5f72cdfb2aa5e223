"""What a laboratory reports of the samples that the simulated person took: each assay with its error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulators.plant import assays
from simulators.plant.assays import ASSAYS


@dataclass(frozen=True, slots=True)
class Sample:
    """`day` of the culture when it was taken; `values` as reported and `true` as they were, by the assay's name."""

    day: float
    name: str
    values: dict[str, float]
    true: dict[str, float]


def analysed(day: float, name: str, found: Mapping[str, float], seed: int | None) -> Sample:
    """The results of one sample, from what was truly in it. Calcium is that of a spheroid, or of 3·10⁴ cells."""
    true = {assay: value for assay, value in found.items() if assay in ASSAYS}
    if "alp" in found:
        true["alp activity"] = assays.alp_activity(found["alp"])
    if "calcium_ug" in found:
        true["calcium"] = found["calcium_ug"]
        true["alizarin red"] = assays.alizarin_red(found["calcium_ug"])
    if "diameter_um" in found:
        true["diameter"] = found["diameter_um"]
    return Sample(day, name, {assay: assays.read(assay, each, name, seed).value for assay, each in true.items()}, true)
