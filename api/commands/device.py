"""One device without a bench: what is known, what it says, one set point, one dose."""

from __future__ import annotations

import argparse

from api.commands import device_dispense, device_find, device_list, device_read, device_set

EXAMPLE = "osteon device read hamilton_arc_ph serial:///dev/ttyUSB0 --address 1"

VERBS = {
    "list": (device_list, "the catalogue of models"),
    "find": (device_find, "which known device answers on which port"),
    "read": (device_read, "identify a device and read every signal"),
    "set": (device_set, "write one set point within limits and read it back"),
    "dispense": (device_dispense, "one bounded dose through the same code as a run"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, (module, summary) in VERBS.items():
        part = verbs.add_parser(name, help=summary, description=summary, epilog=f"example: {module.EXAMPLE}")
        module.arguments(part)


def run(options: argparse.Namespace) -> int:
    return VERBS[options.verb][0].run(options)
