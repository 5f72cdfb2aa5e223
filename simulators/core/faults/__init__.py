"""Faults by name: spoilt cables, broken devices, trouble in the plant, people who err.

Written `name`, `name@target` or `name@target:key=value:key=value`; the target is a device of the bench, and without one
every device that can has the fault. All know `after_s` (begin so many bench seconds after the fault was put in) and
`for_s` (and last so long). `table` names them all; a cable's faults are played by `wire`, a device's by `wire` and by
`seat` (between the device and the place it sits in), those of the plant and of people by the plant and the person.
"""

from simulators.core.faults.seat import Seat
from simulators.core.faults.spec import FaultSpec, listed, parse
from simulators.core.faults.table import FAULTS
from simulators.core.faults.wire import Fault, FaultyWire

__all__ = ["FAULTS", "Fault", "FaultSpec", "FaultyWire", "Seat", "listed", "parse"]
