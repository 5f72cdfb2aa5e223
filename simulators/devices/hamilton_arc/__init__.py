"""Hamilton Arc pH and DO sensors seen from the cable: a register image over an immersion; sheet hamilton-arc-ph-do.md.

Guesses where the sheet has a question mark: a part of a block is answered with exception 02, a wrong level or password
with 03; a new address acts after the next power-up; the DO sensor's limits are 0 to 300 %-sat, its CP1 is air and its
CP2 zero; limits of slope and offset are ours, and so are texts and lists that the sheet does not print. Not built:
moving averages (a value is the latest sample, though their settings are kept), values of the SMC channels.
"""

from simulators.devices.hamilton_arc.memory import ADMINISTRATOR, SPECIALIST, USER
from simulators.devices.hamilton_arc.sensor import (
    MG_L,
    MV,
    PERCENT_VOL,
    HamiltonArc,
    HamiltonArcDo,
    HamiltonArcPh,
)
from simulators.devices.hamilton_arc.words import numbers

__all__ = [
    "ADMINISTRATOR", "MG_L", "MV", "PERCENT_VOL", "SPECIALIST", "USER", "HamiltonArc", "HamiltonArcDo",
    "HamiltonArcPh", "numbers",
]  # fmt: skip
