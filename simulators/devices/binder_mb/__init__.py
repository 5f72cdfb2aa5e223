"""BINDER MB1 and MB2 controllers seen from the cable: a register image over a chamber; sheet binder-cb-modbus.md.

Guesses where the sheet has a question mark: the layout of the identity block; set point limits (-40 to 180 °C, an
incubator 20 to 60 °C: X); count 0 or above 80 is exception 03 (X); basic mode falls back to idle after a minute; an
idle chamber drifts to 22 °C. CO2, O2 and humidity of a CB answer only at the registers of option `profile`.
"""

from simulators.devices.binder_mb.image import IDLE, PROGRAM, BinderMb, low_word_first
from simulators.devices.binder_mb.models import BinderCbMb1, BinderCbMb2, BinderMb1, BinderMb2

__all__ = ["IDLE", "PROGRAM", "BinderCbMb1", "BinderCbMb2", "BinderMb", "BinderMb1", "BinderMb2", "low_word_first"]
