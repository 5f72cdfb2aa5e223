"""The serial ports of this machine, as the operating system lists them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Port:
    """One port: its name now, the serial number of its USB adapter ("" = none), and what the adapter calls itself."""

    device: str
    usb: str = ""
    about: str = ""


def ports() -> list[Port]:
    """USB adapters first, then ports that are soldered in, each by name."""
    from serial.tools import list_ports

    found = [Port(each.device, each.serial_number or "", about(each.description)) for each in list_ports.comports()]
    return sorted(found, key=lambda port: (not port.usb, port.device))


def about(description: str | None) -> str:
    return "" if description in (None, "n/a") else str(description)
