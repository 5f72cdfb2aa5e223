"""Parts of a hand step in the words of a bench sheet."""

from __future__ import annotations

import re
from collections.abc import Sequence

from protocols.plan import Entry, HandAct, Move

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
UNITS = {"Cel": "°C", "1/min": "rpm", "[pH]": "", "{cells}": "", "mm[Hg]": "mmHg", "uL": "µL", "um": "µm", "ug": "µg"}
NAMES = {"ph": "pH", "pco2": "pCO2", "co2": "CO2", "o2": "O2", "alp activity": "ALP activity"}
"""Short names as people write them."""
PH = re.compile(r"([\d.]+) \[pH\]")
POWER = re.compile(r"\b(\d(?:\.\d+)?)e(\d+)\b")
"""As files spell it: 3e5, 1.5e4."""
WAY = re.compile(r"(then|else) \((.*)\)")
NOT = re.compile(r"\bnot ([a-z][\w -]*?)(?= and | or |\)|$)")
BRACKETS = str.maketrans("", "", "[]{}")
DAY_S, HOUR_S, MINUTE_S = 86400.0, 3600.0, 60.0


def span(seconds: float) -> str:
    """`90 min`, `24 h`, `7 d`: the largest unit that gives a round number; days from three on."""
    for size, name, least in ((DAY_S, "d", 3), (HOUR_S, "h", 1), (MINUTE_S, "min", 1)):
        if seconds >= least * size and seconds % size == 0:
            return f"{seconds / size:g} {name}"
    return f"{seconds / MINUTE_S:.3g} min" if seconds >= MINUTE_S else f"{seconds:g} s"


def number(value: float) -> str:
    """As it is written at the bench: 0.25, 1400, 2.5·10⁴."""
    if abs(value) < 1e4:
        return f"{value:.6g}"
    digits, _, power = f"{value:.3e}".partition("e")
    mantissa = digits.rstrip("0").rstrip(".")
    raised = str(int(power)).translate(RAISED)
    return f"10{raised}" if mantissa == "1" else f"{mantissa}·10{raised}"


def unit_words(unit: str) -> str:
    """A unit as people write it, without the brackets of UCUM."""
    return UNITS.get(unit, unit.translate(BRACKETS))


def plain(text: str) -> str:
    """A sentence with quantities as the file spells them, as people write it: `37 degC`, `7.0 [pH]`."""
    text = PH.sub(r"pH \1", text.replace(" degC", " °C").replace(" Cel", " °C").replace("/cm2", "/cm²"))
    text = POWER.sub(lambda found: number(float(found[0])), text).replace(" 1/min", " rpm")
    return text.replace(" uL", " µL").replace(" uM", " µM").replace(" um", " µm")


def condition_words(text: str) -> str:
    """What is asked, as people ask it: `not reactor clear` is `reactor clear is no`."""
    return NOT.sub(r"\1 is no", text)


def way_words(only_if: str) -> str:
    """When a planned row is done at all: `then (a < 1)`, `else (a < 1)`, `after round 1: not yet`; "" stays ""."""
    if (found := WAY.fullmatch(only_if)) is None:
        return only_if and f"only if not yet so {only_if.removesuffix(': not yet')}"
    asked = condition_words(found[2])
    return f"only if {asked}" if found[1] == "then" else f"unless {asked}"


def volume(ml: float) -> str:
    return f"{ml * 1000:.4g} µL" if ml < 1 else f"{ml:.5g} mL"


def entry_words(entry: Entry) -> str:
    """`glucose (mmol/L, 0 to 50, usual 2 to 50)`, `clear (yes/no)`."""
    name = NAMES.get(entry.name.casefold(), entry.name)
    if entry.kind == "yes_no":
        return f"{name} (yes/no)"
    if entry.kind == "scan":
        return f"{name} (scan {entry.of or entry.label or 'a label'})"
    told = [unit] if (unit := unit_words(entry.unit)) else []
    if entry.low is not None and entry.high is not None:
        told.append(f"{number(entry.low)} to {number(entry.high)}")
    if entry.warn_low is not None and entry.warn_high is not None:
        told.append(f"expected {number(entry.warn_low)} to {number(entry.warn_high)}")
    if entry.options:
        told.append(" or ".join(entry.options))
    return f"{name} ({', '.join(told)})" if told else name


def lot_words(lots: Sequence[str]) -> str:
    return ", ".join(lots)


def act_words(act: HandAct) -> str:
    """One act as a sentence without a full stop."""
    vessel = _each(act)
    match act.act:
        case "pour":
            cells = f" with {number(act.cells_per_ml)} cells/mL" if act.cells_per_ml else ""
            return f"add {volume(act.volume_ml)} of {act.fluid}{cells} to {vessel}"
        case "take":
            return f"take {volume(act.volume_ml)} from {vessel}"
        case "renew":
            return f"hang a bottle with {volume(act.volume_ml)} of {act.fluid}"
        case "line_to_cup":
            return "hang the fill line over the cup"
        case "line_to_vessel":
            return "put the fill line into the vessel"
        case "stir":
            return f"stirrer of {vessel} to {act.value:g} rpm" if act.value else f"stop the stirrer of {vessel}"
        case "door":
            return f"chamber door open for {span(act.duration_s)} at most"
        case "harvest":
            return f"take all cells out of {_all(act)}"
        case "sample":
            return f"take {number(act.value)} {act.fluid} from {_all(act)}"
        case _:
            return act.act.replace("_", " ")


def move_words(move: Move) -> str:
    """`8 % of the cells of the flasks into the plates, 82 % into the microwells; 90 % arrive`."""
    sources = " and the ".join(move.sources)
    of = "" if sources == move.what else f" of the {sources}"
    if len(move.targets) == 1 and move.shares[0] == 1:
        told = f"the {move.what}{of} into the {move.targets[0]}"
    else:
        first, *more = [
            f"{100 * share:.3g} %|into the {target}" for target, share in zip(move.targets, move.shares, strict=True)
        ]
        told = ", ".join([first.replace("|", f" of the {move.what}{of} "), *(m.replace("|", " ") for m in more)])
    told += f"; {100 * move.kept:.3g} % arrive" if move.kept < 1 else ""
    return f"{told} (a new {move.becomes})" if move.becomes else told


def _all(act: HandAct) -> str:
    return f"the {act.vessel}" if act.vessel else "the vessel"


def _each(act: HandAct) -> str:
    if act.dishes > 1:
        return f"each {'well of' if act.kind == 'plate' else 'of'} {_all(act)}"
    return _all(act)
