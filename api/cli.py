"""The command `osteon`: finds the verb, imports only that command, turns refusals into a sentence and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from api.refusal import Refusal

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "the demo bench: simulated devices, a run in progress, this terminal as its view"),
    "serve": ("serve", "the real thing: keeps the controller of a bench running until SIGTERM"),
    "check": ("check", "validate bench files and protocol files: every fault with its place"),
    "plan": ("plan", "the calendar of a protocol: every step, hand task and volume"),
    "rehearse": ("rehearse", "a whole protocol on simulated devices in virtual time"),
    "compare": ("compare", "the arms of a study: one protocol rehearsed with other parameters, put in order"),
    "runs": ("runs", "list, show, start, hold and answer runs of a serving controller"),
    "confirm": ("confirm", "say that you have seen what runs wait for: a wrong clock, a changed bench file"),
    "results": ("results", "results of samples: what is expected, what came, what is tested again"),
    "batches": ("batches", "batches and where they come from: list, add, what touched one, who got a lot"),
    "materials": ("materials", "lots of materials: list, book in, open, take out of use"),
    "hold": ("hold", "hold every run of this machine's bench, or of one unit; needs no sign-in"),
    "stop-pumps": ("stop_pumps", "stop every pump of this machine's bench, or of one unit; needs no sign-in"),
    "user": ("user", "accounts on the machine itself: add, disable, enable, list"),
    "token": ("token", "API tokens for scripts and wall screens: create, list, revoke"),
    "login": ("login", "sign in once and store a token for this terminal's user"),
    "verify": ("verify", "check the record chain of a data directory, offline"),
    "device": ("device", "list known models, find what is plugged in; read, set or dispense with one device"),
    "init": ("init", "a first bench file from the devices that answer, each line explained"),
    "calibrate": ("calibrate", "probes and pumps of a serving bench: points, limits, records"),
    "hands": ("hands", "what a person does at a demo's simulated bench: dip a probe, pour, pull a cable"),
    "simulate": ("simulate", "one simulated device, or a whole bench of them, for any program"),
}
"""Verb -> module in api.commands, and what it does. One explicit line each."""


class Command(Protocol):
    """What every module of api.commands is."""

    EXAMPLE: str

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare this command's arguments."""
        ...

    def run(self, options: argparse.Namespace) -> int:
        """Do it; returns the exit code. Raises Refusal, or any error of the product, which end in exit code 1."""
        ...


def overview() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    verbs = "\n".join(f"  {verb:{width}}  {summary}" for verb, (_, summary) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="osteon",
        usage="osteon COMMAND ...",
        description=f"Runs a cell-culture bench.\n\ncommands:\n{verbs}",
        epilog="example: osteon rehearse adsc-osteo-spheroid-28d --seed 1\n'osteon COMMAND --help' tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"osteon {version()}")
    parser.add_argument("command", nargs="?", choices=list(COMMANDS), metavar="COMMAND", help=argparse.SUPPRESS)
    return parser


def version() -> str:
    from importlib import metadata

    try:
        return metadata.version("osteon")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def main(arguments: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] not in COMMANDS:
        parser = overview()
        parser.parse_args(words)  # --help, --version and unknown words end here
        parser.print_help(sys.stderr)
        return 2
    module, summary = COMMANDS[words[0]]
    command = cast(Command, import_module(f"api.commands.{module}"))
    parser = argparse.ArgumentParser(
        prog=f"osteon {words[0]}",
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"example: {command.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.arguments(parser)
    return guarded(command, parser.parse_args(words[1:]))


def guarded(command: Command, options: argparse.Namespace) -> int:
    """Run a command; what the product refuses on purpose becomes its sentence on stderr and exit code 1."""
    from drivers.core.errors import OsteonError

    try:
        return command.run(options)
    except (Refusal, OsteonError) as error:
        print(f"osteon: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone; nothing to report
        return 1
    except OSError as error:
        print(f"osteon: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
