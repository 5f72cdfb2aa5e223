"""`python -m simulators COMMAND …`: one device or a bench on real ports, a world, a rehearsal, the demo."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import cast

COMMANDS = {
    "simulate": ("simulators.simulate", "main", "one device, or a whole bench, for any program"),
    "world": ("simulators.world", "main", "a simulated bench with its own clock, for a controller"),
    "rehearse": ("simulators.rehearsing", "main", "a protocol to its end in virtual time"),
    "compare": ("simulators.comparing", "main", "the arms of a study, rehearsed and put in order"),
    "forecast": ("simulators.forecasting", "main", "what a plan will probably come to, by a few rehearsals"),
    "past": ("simulators.past", "main", "the first days of the demo, in virtual time"),
    "hands": ("simulators.by_hand", "main", "what a person does at a world's bench"),
    "controller": ("simulators.demo", "controller", "the controller of the demo, on a world"),
}


def main(argv: list[str]) -> int:
    """0 = done, 1 = refused or failed, 2 = wrong usage."""
    if argv[:1] in (["-h"], ["--help"]):
        print(usage())
        return 0
    if not argv or argv[0] not in COMMANDS:
        print(usage(), file=sys.stderr)
        return 2
    module, function, _ = COMMANDS[argv[0]]
    run = cast("Callable[[list[str]], int]", vars(import_module(module))[function])
    return run(argv[1:])


def usage() -> str:
    lines = [f"  {name:<11}{text}" for name, (_, _, text) in COMMANDS.items()]
    return "\n".join(
        ["usage: python -m simulators COMMAND …", "", *lines, "", "example: python -m simulators world -h"]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
