"""A device at the end of a URL, for one command."""

from __future__ import annotations

import argparse
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from difflib import get_close_matches
from pathlib import Path

import drivers
from api.refusal import Refusal
from drivers.catalogue import MODELS, BadFolder, UnknownModel, find, include
from drivers.core.device import Device
from drivers.core.errors import NoAnswer

HOST_AND_PORT = r"[\w.-]+:\d+"
"""What people write where a URL belongs."""


def place_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a name of 'osteon device list'")
    parser.add_argument(
        "url", metavar="URL", help="/dev/ttyUSB0, serial://…, tcp://HOST:PORT, modbus-tcp://HOST or http://HOST"
    )
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


def link(text: str) -> str:
    """The URL that a person means: a bare path is a serial port. Raises Refusal for a bare HOST:PORT."""
    if "://" in text:
        return text
    if re.fullmatch(HOST_AND_PORT, text):
        raise Refusal(f"{text}: write tcp://{text} for a serial server, or modbus-tcp:// or http:// before it")
    if text[:1] in "/." or Path(text).exists():
        return f"serial://{text}"
    raise Refusal(
        f"{text}: neither a serial port here nor a URL such as serial:///dev/ttyUSB0 or tcp://192.168.0.5:4001"
    )


@asynccontextmanager
async def connected(options: argparse.Namespace, **defaults: float | str) -> AsyncGenerator[Device]:
    """Connect, identify, prepare; `defaults` are options of the device that the words on the command line overrule.

    Raises Refusal for a URL or option that cannot be used; WireError, WrongDevice as they come.
    """
    kind, url = model(options.model), link(options.url)
    opening = drivers.open(options.model, url, address=options.address, options=defaults | parsed(options.option))
    try:
        async with AsyncExitStack() as stack:
            try:
                device = await stack.enter_async_context(opening)
            except NoAnswer as error:
                address = kind.default_address if options.address is None else options.address
                asked = f"asked was number {address}; is it on, is that its number (--address), is it a {kind.model}?"
                raise Refusal(f"{error}; {asked}") from error
            yield device
    except ValueError as error:
        text = str(error)
        raise Refusal(text if text.startswith(url) else f"{options.url}: {text}") from error


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
