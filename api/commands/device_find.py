"""Which known device answers on which port; only questions that move and heat nothing."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import asdict, dataclass

from api.folders import json_argument
from api.one_device import HOST_AND_PORT, model, own_drivers_argument
from api.refusal import Refusal
from drivers.core.errors import LinkLost
from drivers.core.link.ports import Port, ports
from drivers.finding import Found, find_on

EXAMPLE = "osteon device find /dev/ttyUSB0 tcp://192.168.0.5:4001"
LAST_NUMBER = 255
"""No line has numbers beyond one byte."""


def arguments(parser: argparse.ArgumentParser) -> None:
    ports_argument(parser)
    json_argument(parser)


def ports_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ports", nargs="*", metavar="PORT", help="a serial port, or a URL (default: every serial port)")
    parser.add_argument(
        "--addresses", default="", metavar="1-4,8", help="numbers on the line to ask for, besides the factory ones"
    )
    parser.add_argument(
        "--model", action="append", default=[], metavar="MODEL",
        help="ask for this model only, also when it is not sought otherwise ('osteon device list'); may be repeated",
    )  # fmt: skip
    own_drivers_argument(parser)


def numbers(text: str) -> list[int]:
    """ "1-4,8" as 1, 2, 3, 4, 8; raises Refusal."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            raise Refusal(f"--addresses {text}: write them like 1-4,8")
        low, high = int(first), int(last or first)
        if not low <= high <= LAST_NUMBER:
            raise Refusal(f"--addresses {text}: {part} does not go from a smaller number to one up to {LAST_NUMBER}")
        found += range(low, high + 1)
    return found


@dataclass(frozen=True, slots=True)
class Searched:
    """One port: what answered, or why it could not be asked."""

    port: Port
    found: tuple[Found, ...]
    trouble: str = ""


def wanted(options: argparse.Namespace) -> list[Port]:
    """The ports asked for; without any, all of this machine. Raises Refusal when there is none."""
    if bare := next((name for name in options.ports if re.fullmatch(HOST_AND_PORT, name)), None):
        raise Refusal(f"{bare}: write tcp://{bare} for a serial server, or modbus-tcp:// or http:// before it")
    if options.ports:
        there = {port.device: port for port in ports()}
        return [there.get(name, Port(name)) for name in options.ports]
    if not (all_of_them := ports()):
        raise Refusal("this machine has no serial port; name one, or a URL such as tcp://192.168.0.5:4001")
    return all_of_them


async def searched(asked: Sequence[Port], addresses: Sequence[int], models: Sequence[str]) -> AsyncGenerator[Searched]:
    """Every port at the same time; each is told as soon as it is done."""
    if not models:
        print(
            f"asking on {', '.join(port.device for port in asked)}; this takes half a minute, more with --addresses …",
            file=sys.stderr,
        )

    async def one(port: Port) -> Searched:
        url = port.device if "://" in port.device else f"serial://{port.device}"
        try:
            return Searched(port, tuple([each async for each in find_on(url, addresses, models)]))
        except LinkLost as error:
            return Searched(port, (), str(error))

    for done in asyncio.as_completed([one(port) for port in asked]):
        yield await done


def run(options: argparse.Namespace) -> int:
    """Exit code 1 when no known device answered anywhere."""
    try:
        return asyncio.run(find(options, wanted(options), numbers(options.addresses)))
    except ValueError as error:
        raise Refusal(str(error)) from error


async def find(options: argparse.Namespace, asked: Sequence[Port], addresses: Sequence[int]) -> int:
    results: list[Searched] = []
    models = [model(name).model for name in options.model]
    async for result in searched(asked, addresses, models):
        results.append(result)
        if not options.json:
            print("\n".join(lines(result)), flush=True)
    if options.json:
        print(json.dumps([{"port": asdict(r.port), **_plain(r)} for r in results], indent=1))
    return 0 if any(result.found for result in results) else 1


def _plain(result: Searched) -> dict[str, object]:
    return {"found": [asdict(each) for each in result.found], "trouble": result.trouble}


def lines(result: Searched) -> Iterable[str]:
    name = f"{result.port.device}{f' (usb={result.port.usb})' if result.port.usb else ''}"
    if result.trouble:
        yield f"{name}: {result.trouble.removeprefix(f'{result.port.device}: ')}"
    elif not result.found:
        yield f"{name}: no known device answered"
    for each in result.found:
        who = " ".join(filter(None, (each.identity.maker, each.identity.type, each.identity.serial)))
        models = " or ".join((each.model, *each.others))
        yield f"{name}: {models} at address {each.address} ({who}) {each.url}"
