"""A device at the end of a URL, for one command."""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from difflib import get_close_matches
from pathlib import Path

import drivers
from api.refusal import Refusal
from drivers.catalogue import MODELS, BadFolder, UnknownModel, find, include
from drivers.core.device import Device


def place_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a name of 'osteon device list'")
    parser.add_argument("url", metavar="URL", help="serial:///dev/ttyUSB0, tcp://HOST:PORT or http://HOST")
    parser.add_argument("--address", type=int, metavar="N", help="number on its line (default: the datasheet's)")
    own_drivers_argument(parser)
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="as in the bench file: capacity_ml=60"
    )


def own_drivers_argument(parser: argparse.ArgumentParser) -> None:
    """Adds --drivers; its models join the catalogue while the words are read."""
    parser.add_argument(
        "--drivers", type=own_drivers, metavar="FOLDER", help="a folder of own drivers, as in the bench file"
    )


def own_drivers(folder: str) -> Path:
    try:
        include(Path(folder))
    except BadFolder as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return Path(folder)


def model(name: str) -> type[Device]:
    """The driver class; raises Refusal with the nearest name there is."""
    try:
        return find(name)
    except UnknownModel as error:
        near = get_close_matches(name, MODELS, 1)
        raise Refusal(f"{name}: no such model; did you mean {near[0]}?" if near else str(error)) from None


@asynccontextmanager
async def connected(options: argparse.Namespace, **defaults: float | str) -> AsyncGenerator[Device]:
    """Connect, identify, prepare; `defaults` are options of the device that the words on the command line overrule.

    Raises Refusal for a URL or option that cannot be used; WireError, WrongDevice as they come.
    """
    model(options.model)
    try:
        async with drivers.open(
            options.model, options.url, address=options.address, options=defaults | parsed(options.option)
        ) as device:
            yield device
    except ValueError as error:
        raise Refusal(f"{options.url}: {error}") from error


def parsed(words: list[str]) -> dict[str, float | str]:
    """NAME=VALUE words as options of a device; numbers where they look like it."""
    found: dict[str, float | str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise Refusal(f"--option {word}: write it as NAME=VALUE")
        try:
            found[name] = float(text)
        except ValueError:
            found[name] = text
    return found


def signal(device: type[Device], name: str) -> str:
    """The signal's name; raises Refusal with what there is."""
    names = list(device.specs())
    if name in names:
        return name
    near = get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(names)}"
    raise Refusal(f"{device.model}: no signal {name!r}; {hint}")


def shown(value: object) -> str:
    """A value as a person reads it: enough digits, no noise."""
    return f"{value:.6g}" if isinstance(value, float) else "---" if value is None else str(value)
