"""Whether a device can have a fault, and what of the plant a device's name stands for."""

from __future__ import annotations

from simulators.core.faults.spec import FaultSpec
from simulators.core.faults.strokes import check
from simulators.core.faults.wire import FaultyWire
from simulators.core.modbus import ModbusUnit
from simulators.core.simulator import Simulator


def device_behind(simulator: Simulator) -> Simulator:
    """The true device behind faults."""
    while isinstance(simulator, FaultyWire):
        simulator = simulator.simulator
    return simulator


def check_wire(spec: FaultSpec, simulator: Simulator) -> None:
    """Raises ValueError where this device's cable, or the device itself, cannot have the fault."""
    device = device_behind(simulator)
    if spec.entry.modbus and not isinstance(device, ModbusUnit):
        raise ValueError(f"fault {spec.text}: {type(device).__name__} speaks no Modbus")
    check(spec, device)


def aimed(spec: FaultSpec, place: str) -> dict[str, float]:
    """The numbers by which a plant finds what a device in `place` is connected to; "" = no device was named."""
    if not place:
        return {}
    known = spec.entry.parameters
    found: dict[str, float] = {}
    if "out" in known:
        found["out"] = float(place.startswith("waste"))
    if "bed" in known and place.startswith("loop "):
        found["bed"] = float(place.removeprefix("loop "))
    if not found:
        raise ValueError(f"fault {spec.text}: it is in the plant and at no device; write {spec.name} alone")
    return found
