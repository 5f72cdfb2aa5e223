"""A first bench file from the devices that answer: each line explained, ready to be completed by a person."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from api.commands.device_find import Searched, lines, numbers, ports_argument, searched, wanted
from api.one_device import model
from api.refusal import Refusal
from drivers.catalogue import find
from drivers.core.fluid import FluidMover
from drivers.core.link.ports import Port
from drivers.core.signals import Access, SignalSpec
from drivers.finding import Found
from protocols.quantities import ROLES

EXAMPLE = "osteon init --write bench.toml"

HEAD = """# A first bench file, written by osteon from what answered. It is not complete: read it through, line by line,
# fill in what stands behind "TO DO", and let `osteon check FILE` say what is missing. docs/bench-file.md explains all.

[bench]
name = "our-bench"
zone = "UTC"                      # TO DO: your time zone, like Asia/Tokyo; days and times of protocols are local to it
"""
UNIT = """
# One block a vessel with its environment. TO DO: take the # away and fill in your vessel.
# [[units]]
# name = "reactor"
# [units.vessel]
# kind = "stirred"
# min_ml = 60                     # never less than this in the vessel
# max_ml = 150                    # never more
# level_ml = 72                   # what is left when the dip tube draws air
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    ports_argument(parser)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write it to FILE, which must not exist yet")


def run(options: argparse.Namespace) -> int:
    if options.write and options.write.exists():
        raise Refusal(f"{options.write} exists; name another file, nothing was written")
    if options.write and not options.write.absolute().parent.is_dir():
        raise Refusal(f"{options.write}: there is no such folder; nothing was asked or written")
    try:
        results = asyncio.run(every(options, wanted(options), numbers(options.addresses)))
    except ValueError as error:
        raise Refusal(str(error)) from error
    text = "\n".join(bench(results)) + "\n"
    silent = [line for each in results if not each.found for line in lines(each)]
    if options.write and not any(each.found for each in results):
        raise Refusal(f"{'; '.join(silent)}; nothing was written")
    if options.write:
        for line in silent:
            print(line, file=sys.stderr)
        options.write.write_text(text, encoding="utf-8")
        print(f"{options.write} written with {sum(len(each.found) for each in results)} devices; now read it through")
    else:
        print(text, end="")
    return 0


async def every(options: argparse.Namespace, asked: Sequence[Port], addresses: Sequence[int]) -> list[Searched]:
    models = [model(name).model for name in options.model]
    results = [each async for each in searched(asked, addresses, models)]
    return sorted(results, key=lambda each: each.port.device)


def bench(results: Sequence[Searched]) -> Iterable[str]:
    """The lines of the file."""
    yield HEAD
    yield "[links]                           # one line a cable: a name, and where it is"
    named: list[tuple[str, Found]] = []
    for number, result in enumerate(results, 1):
        if result.found:
            yield f"cable_{number} = {json.dumps(url_of(result))}"
            named += [(f"cable_{number}", each) for each in result.found]
        else:
            yield f"# {result.port.device}: {result.trouble or 'no known device answered'}"
    names: dict[str, int] = {}
    for link, each in named:
        kind = find(each.model)
        word = kind.kind.replace(" ", "_")
        names[word] = names.get(word, 0) + 1
        yield ""
        yield "[[devices]]"
        yield f'name = "{word}_{names[word]}"{" " * 8}# TO DO: what you call it; small letters, digits, _'
        yield f'model = "{each.model}"{" " * 12}# {kind.maker} {each.identity.type}'.rstrip()
        if each.others:
            yield f"# TO DO: the wire cannot tell it from {', '.join(each.others)}; put in the one you have"
        yield f'link = "{link}"'
        yield f"address = {each.address}"
        if each.identity.serial:
            yield f"serial = {json.dumps(each.identity.serial)}    # another device in its place is refused"
        if kind.option_names:
            yield f"# options = {{ {', '.join(f'{name} = ' for name in kind.option_names)}}}   # see its datasheet"
        yield from signals(kind.specs().items())
        if issubclass(kind, FluidMover):
            yield f"# doses {'can be proved' if kind.bounded else 'cannot be proved'}: {kind.continuity}"
    yield UNIT
    yield f"# [units.roles]                   # what a protocol says; roles are {', '.join(ROLES)}"
    yield '# "temperature" = "incubator_1.temperature"'


def signals(specs: Iterable[tuple[str, SignalSpec]]) -> Iterable[str]:
    """One comment line of what a role may point at."""
    shown = [
        f"{name} [{spec.unit}]" + (" (set)" if spec.access is not Access.READ else "")
        for name, spec in specs
        if spec.unit
    ]
    if shown:
        yield f"# signals: {', '.join(shown)}"


def url_of(result: Searched) -> str:
    """The link as the file has it: a USB adapter by its serial number, since its name changes."""
    url = result.found[0].url
    if not result.port.usb or urlsplit(url).scheme != "serial":
        return url
    return "serial://?" + urlencode(dict(parse_qsl(urlsplit(url).query)) | {"usb": result.port.usb})
