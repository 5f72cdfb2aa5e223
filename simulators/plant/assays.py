"""What a laboratory reads out of cells and medium, with the error of each method (culture-protocols §2.4, §6).

Same seed and sample, same result, whatever else was asked before. Below its limit of detection an assay says 0 and
marks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from random import Random

from simulators.plant import parameters as p


@dataclass(frozen=True, slots=True)
class Assay:
    """`spread` relative (1 SD), `offset` absolute (1 SD), in the unit; `least` the limit of detection."""

    name: str
    unit: str
    spread: float
    offset: float = 0.0
    least: float = 0.0
    most: float = float("inf")
    log: bool = False
    """Errors multiply, as those of a PCR do."""
    mark: str = "A"


@dataclass(frozen=True, slots=True)
class Readout:
    value: float
    unit: str
    detected: bool = True


def _gene(name: str) -> Assay:
    return Assay(name, "fold", p.PCR_SPREAD, log=True)


ASSAYS: Mapping[str, Assay] = {
    assay.name: assay
    for assay in (
        Assay("alp activity", "nmol/min/mg", 0.10, least=1.0),
        Assay("calcium", "ug", 0.08, least=0.05),
        Assay("alizarin red", "1", 0.15, least=0.02),
        _gene("RUNX2"), _gene("ALPL"), _gene("BGLAP"), _gene("SPP1"), _gene("COL1A1"),
        Assay("viability", "%", 0.0, 2.0, most=100.0),
        Assay("diameter", "um", 0.02, 2.0),
        Assay("Feret ratio", "1", 0.0, 0.02, most=1.0),
        Assay("glucose", "mmol/L", 0.03, 0.05, least=0.1),
        Assay("lactate", "mmol/L", 0.03, 0.05, least=0.1),
        Assay("osmolality", "mosm/kg", 0.0, 2.0),
        Assay("ph", "[pH]", 0.0, 0.01, most=14.0),
        Assay("pco2", "kPa", 0.03),
    )
}  # fmt: skip
"""By name; errors are ours (A) but for the usual figures of each method."""


def read(name: str, true: float, sample: str, seed: int | None = None) -> Readout:
    """What the laboratory reports of a sample; `seed` None = one without error. Raises KeyError, ValueError."""
    if name not in ASSAYS:
        raise KeyError(f"no assay {name!r}; there are {', '.join(ASSAYS)}")
    if true < 0.0:
        raise ValueError(f"{name} of {true:g} cannot be")
    assay, value = ASSAYS[name], true
    if seed is not None:
        chance = Random(f"{seed} {sample} {name}")  # noqa: S311 - chance, not secrecy
        scatter = assay.spread * chance.gauss(0.0, 1.0)
        value = true * (exp(scatter) if assay.log else 1 + scatter) + assay.offset * chance.gauss(0.0, 1.0)
    value = min(assay.most, max(0.0, value))
    return Readout(value, assay.unit) if value >= assay.least else Readout(0.0, assay.unit, detected=False)


def alp_activity(fold: float) -> float:
    """nmol/min/mg of protein, from ALP relative to undifferentiated cells."""
    return p.ALP_NAIVE * fold


def alizarin_red(calcium_ug: float) -> float:
    """Absorbance of the extracted dye, which follows bound calcium."""
    return p.ALIZARIN_PER_UG * calcium_ug


def of_spheroid(
    story: Mapping[str, float], genes: Mapping[str, float], sample: str, seed: int | None
) -> dict[str, Readout]:
    """All that is read out of one spheroid: `story` and `genes` as the plant tells them."""
    true = {
        "alp activity": alp_activity(story["alp"]),
        "calcium": story["calcium_ug"],
        "alizarin red": alizarin_red(story["calcium_ug"]),
        "viability": story["viability"],
        "diameter": story["diameter_um"],
        **genes,
    }
    return {name: read(name, value, sample, seed) for name, value in true.items()}
