"""The API process as a child of the supervisor: its command line, its port, a look whether it answers, its address.

Standard library only, as the supervisor.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from api import processes
from api.refusal import Refusal
from api.supervisor import Child
from api.web.ports import explained

NAME = "api"
HOST, PORT = "127.0.0.1", 8620
ADDRESS_FILE = "api.url"
"""Where the API process writes the address it answers on, once it listens."""
SETUP_FILE = "setup-token"
ANSWER_S = 5.0
"""Wall seconds within which an API that lives says something."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default=HOST, metavar="H", help=f"address the page is served on (default: {HOST})")
    parser.add_argument("--port", type=port, default=PORT, metavar="P", help=f"its port, 0 = any (default: {PORT})")


def network_arguments(parser: argparse.ArgumentParser) -> None:
    """What serving other machines needs."""
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="PEM file; with --key the page speaks TLS")
    parser.add_argument("--key", type=Path, metavar="FILE", help="the certificate's key")
    parser.add_argument("--insecure-lan", action="store_true", help="serve others without TLS; every page says so")


def port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError("a port is 0 to 65535")
    return value


def child(data: Path, options: argparse.Namespace, *more: str) -> Child:
    """The API process: never vital, because control goes on without it."""
    line = (sys.executable, "-P", "-m", "api.web", "--data", str(data))
    where = ("--host", options.host, "--port", str(options.port))
    return Child(NAME, (*line, *where, *more), vital=False, answers=answering(data))


def network_words(options: argparse.Namespace) -> list[str]:
    words: list[str] = []
    for name, path in (("--certificate", options.certificate), ("--key", options.key)):
        words += [name, str(path.absolute())] if path else []
    return [*words, "--insecure-lan"] if options.insecure_lan else words


def check_network(options: argparse.Namespace) -> None:
    """Raises Refusal where the page would be open to others unprotected; the page itself refuses too (SEC-01)."""
    if (options.certificate is None) != (options.key is None):
        raise Refusal("TLS needs both: --certificate and --key")
    if not (loopback(options.host) or options.certificate or options.insecure_lan):
        raise Refusal(
            f"{options.host} can be reached from other machines: give --certificate and --key, "
            "or say --insecure-lan, which puts a banner on every page"
        )


def loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"


def check_port(data: Path, host: str, port: int) -> None:
    """Raises Refusal with the holder's name, before anything was started, where the port is not to be had."""
    running = processes.read(data / f"{NAME}.pid")
    if port == 0 or (running is not None and str(port) in running.command):
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
            trial.listen()
        except OSError as error:
            raise Refusal(explained(host, port, error)) from None


def answering(data: Path) -> Callable[[], Awaitable[bool]]:
    """A look at the API of `data`: False when it took the question and said nothing, or took none."""

    async def look() -> bool:
        address = address_of(data)
        if address is None:
            return True  # it starts
        try:
            async with asyncio.timeout(ANSWER_S):
                reader, writer = await asyncio.open_connection(*address)
                try:
                    writer.write(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    await writer.drain()
                    await reader.read(1)  # any word, a refusal or a TLS alert too: it lives
                finally:
                    writer.close()
        except TimeoutError:
            return False
        except OSError as error:
            return error.errno != errno.ECONNREFUSED
        return True

    return look


def address_of(data: Path) -> tuple[str, int] | None:
    try:
        url = (data / ADDRESS_FILE).read_text().strip()
    except OSError:
        return None
    host, _, number = url.partition("://")[2].rpartition(":")
    return (host.strip("[]"), int(number)) if number.isdigit() else None


def forget_address(data: Path) -> None:
    """Before a start: the address of an earlier one says nothing."""
    if processes.read(data / f"{NAME}.pid") is None:
        (data / ADDRESS_FILE).unlink(missing_ok=True)


async def announced(data: Path) -> str:
    """The address of the page, as soon as it is there."""
    while True:
        with contextlib.suppress(OSError):
            if text := (data / ADDRESS_FILE).read_text().strip():
                return text
        await asyncio.sleep(0.05)


def how_to_sign_in(data: Path) -> str:
    """What to do at the first start; "" once there is an account."""
    try:
        token = (data / SETUP_FILE).read_text().strip()
    except OSError:
        return ""
    return f"first start: make the first account there with the set-up token {token} (valid 60 min, once)"
