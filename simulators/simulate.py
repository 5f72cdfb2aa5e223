"""`osteon simulate`: one simulated device, or a whole bench, on real ports for any program; ends on SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import errno
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simulators import catalogue
from simulators.bench import START, SimulatedBench, next_serial, read
from simulators.core.faults import Fault, FaultyWire, Seat, listed, parse
from simulators.core.faults.placing import check_wire
from simulators.core.faults.table import Where
from simulators.core.modbus_tcp import ModbusTcpPlug
from simulators.core.ports import PtyHost, TcpHost
from simulators.core.simulator import Simulator
from simulators.core.time import PacedLoop
from simulators.standalone import PLACES

Port = PtyHost | TcpHost

EXAMPLES = """examples:
  python -m simulators simulate hamilton_arc_ph --pty /tmp/probe --set ph=7.2
  python -m simulators simulate new_era_ne1000 --tcp 127.0.0.1:4001 --address 1 --fault drop:every=5
  python -m simulators simulate bench.toml"""


def device(asked: argparse.Namespace) -> Simulator:
    """The one device asked for, in still surroundings; raises ValueError naming what is wrong."""
    entry = catalogue.entry(asked.what)
    place = PLACES[entry.place]()
    for item in asked.set:
        signal_name, equals, value = item.partition("=")
        if not equals:
            raise ValueError(f"--set {item!r} is not signal=value")
        place.set(signal_name, value)
    options: dict[str, float | str] = {}
    for item in [*asked.option, *([f"variant={asked.variant}"] if asked.variant else [])]:
        name, _, value = item.partition("=")
        options[name] = _number_or_text(value)
    address = asked.address if asked.address is not None else entry.address
    read, seat = Read(options), Seat(place)

    def build(other: bool) -> Simulator:
        more = {"serial": next_serial(str(made.serial))} if other and hasattr(made, "serial") else {}
        return catalogue.build(asked.what, seat, address=address, seed=asked.seed, options={**options, **more})

    made: Any = catalogue.build(asked.what, seat, address=address, seed=asked.seed, options=read)
    if unknown := sorted(options.keys() - read.names):
        known = f"it has {', '.join(sorted(read.names))}" if read.names else "it has none"
        raise ValueError(f"{asked.what} has no option {', '.join(unknown)}; {known}")
    if not asked.fault:
        return made
    wire = FaultyWire(made, (seat,), build)
    for text in asked.fault:
        put(wire, seat, text, asked, entry.place)
    return wire


def put(wire: FaultyWire, seat: Seat, text: str, asked: argparse.Namespace, place: str) -> None:
    """One fault of one device; raises ValueError where it cannot have it."""
    spec = parse(text)
    if spec.where in (Where.PLANT, Where.PERSON):
        raise ValueError(f"fault {spec.name} needs a whole bench, not one device")
    if spec.entry.places and place not in spec.entry.places:
        raise ValueError(f"fault {spec.name} is for {', '.join(spec.entry.places)}, not for {asked.what}")
    if spec.where is Where.SEAT:
        seat.check(spec)
        seat.put(spec, START)
    else:
        check_wire(spec, wire)
        wire.faults.append(Fault(spec, START, asked.seed))


class Read(dict[str, float | str]):
    """Options that remember which of them the device asked for, so that a mistyped one is not taken in silence."""

    def __init__(self, options: dict[str, float | str]) -> None:
        super().__init__(options)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> float | str:
        self.names.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)


def _number_or_text(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


def port(simulator: Simulator, url: str, scheme: str) -> Port:
    """The port a URL names: serial://PATH becomes a pseudo-terminal at PATH, tcp:// and http:// a listening port."""
    parts = urlsplit(url)
    if parts.scheme == "serial":
        return PtyHost(simulator, Path(parts.netloc + parts.path))
    if parts.scheme == "modbus-tcp":
        simulator = ModbusTcpPlug(simulator)
    if parts.scheme not in ("tcp", "http", "modbus-tcp") or not parts.hostname or parts.port is None:
        raise ValueError(f"{url}: a simulated device listens on serial://PATH, tcp://HOST:PORT or http://HOST:PORT")
    return TcpHost(simulator, parts.hostname, parts.port, scheme)


def at(asked: argparse.Namespace) -> tuple[str, str]:
    """The URL asked for, and what its port speaks."""
    scheme = "modbus-tcp" if asked.modbus_tcp else catalogue.entry(asked.what).scheme
    if asked.pty:
        return f"serial://{Path(asked.pty).absolute()}", scheme
    return f"{scheme}://{asked.modbus_tcp or asked.tcp}", scheme


def whole_bench(path: Path, asked: argparse.Namespace) -> list[Port]:
    """Every link of a bench file as a port at its URL."""
    bench = SimulatedBench(read(path), seed=asked.seed, faults=asked.fault, start=START)
    return [port(line, bench.urls[link], bench.schemes.get(link, "tcp")) for link, line in bench.lines.items()]


async def serve(ports: Sequence[Port]) -> None:
    """Open every port, print `ready URL` for each, and stay until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    opened: list[Port] = []
    try:
        for each in ports:
            await each.open()
            opened.append(each)
            print(f"ready {each.url}", flush=True)
        await stop.wait()
    finally:
        for each in opened:
            await each.close()


def said(error: OSError) -> str:
    """What the system refuses, and what to do about it."""
    if error.errno == errno.EADDRINUSE:
        return f"{error.strerror}: end the program that listens there, or choose another port (0 = any free one)"
    return f"{error.filename2 or error.filename}: {error.strerror}" if error.filename else str(error)


def main(argv: list[str]) -> int:
    """0 = ended on a signal, 1 = could not start, 2 = wrong usage."""
    parser = argparse.ArgumentParser(
        prog="osteon simulate",
        description="A simulated device, or a whole bench, for any program.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what", nargs="?", metavar="MODEL|BENCH.toml", help=f"a bench file, or one of {', '.join(catalogue.SIMULATORS)}"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--pty", metavar="PATH", help="a pseudo-terminal, linked at PATH")
    where.add_argument("--tcp", metavar="HOST:PORT", help="a TCP port; port 0 = any free one")
    where.add_argument("--modbus-tcp", metavar="HOST:PORT", help="the same with the header of Modbus TCP")
    parser.add_argument(
        "--address", type=int, metavar="N", help="the device's number on its line (default: the datasheet's)"
    )
    parser.add_argument("--set", action="append", default=[], metavar="SIGNAL=VALUE", help="a value that holds still")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="an option of the device")
    parser.add_argument("--variant", metavar="NAME", help="a dialect of the datasheet")
    parser.add_argument("--seed", type=int, metavar="N", help="switches noise and drift on")
    fault = "what is wrong with it, e.g. silence or drift:ph=0.02; may be repeated"
    parser.add_argument("--fault", action="append", default=[], metavar="NAME", help=fault)
    parser.add_argument("--list-faults", action="store_true", help="say which faults there are, and end")
    asked = parser.parse_args(argv)
    if asked.list_faults:
        print(listed())
        return 0
    is_bench = bool(asked.what) and asked.what.endswith(".toml")
    if not asked.what or is_bench == bool(asked.pty or asked.tcp or asked.modbus_tcp) or (is_bench and asked.set):
        parser.error("name a model and --pty, --tcp or --modbus-tcp, or a bench file alone")
    try:
        ports = whole_bench(Path(asked.what), asked) if is_bench else [port(device(asked), *at(asked))]
        with asyncio.Runner(loop_factory=lambda: PacedLoop(1.0, START)) as runner:
            runner.run(serve(ports))
    except OSError as error:
        print(f"simulate: {said(error)}", file=sys.stderr)
        return 1
    except (OverflowError, ValueError, KeyError) as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 1
    return 0
