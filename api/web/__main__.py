"""`python -m api.web --data DIR`: the API process, until SIGTERM. Answers before the controller is reachable."""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from pathlib import Path

import uvicorn

from api.refusal import Refusal
from api.service_child import ADDRESS_FILE
from api.web.app import build_app
from api.web.ports import listening
from api.web.security import demo
from api.web.security.settings import Settings, check_bind

CLOSE_S = 3
"""Open requests have this long at the end."""
BACKLOG = 128


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m api.web", description=__doc__)
    made.add_argument("--data", type=Path, required=True)
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=8620)
    made.add_argument("--certificate", type=Path, help="PEM file; with --key the server speaks TLS")
    made.add_argument("--key", type=Path)
    made.add_argument("--insecure-lan", action="store_true", help="serve others without TLS; every page says so")
    made.add_argument("--name", action="append", default=[], help="a further name this server goes by")
    made.add_argument("--demo", action="store_true", help="make the demo's user ready")
    return made


def main(argv: list[str] | None = None) -> int:
    """0 = ended in order, 1 = could not start, with a sentence."""
    asked = parser().parse_args(argv)
    settings = Settings(
        asked.data.absolute(), asked.host, asked.port, asked.certificate, asked.key, asked.insecure_lan,
        tuple(asked.name),
    )  # fmt: skip
    try:
        check_bind(settings)
        asked.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with listening(settings.host, settings.port, BACKLOG) as port:
            asyncio.run(serve(settings, port, asked.demo))
    except Refusal as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def serve(settings: Settings, port: socket.socket, with_demo: bool) -> None:
    """Until SIGTERM or SIGINT."""
    app = build_app(settings)
    if with_demo:
        await demo.install(app.gate)
    else:
        app.gate.setup.issue()
    tell_address(settings, port)
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=4096,
        ws_per_message_deflate=False,
        lifespan="on",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=CLOSE_S,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
    )
    await uvicorn.Server(config).serve(sockets=[port])


def tell_address(settings: Settings, port: socket.socket) -> None:
    """Write down where this process answers: with port 0 nobody else knows."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    path = settings.data / ADDRESS_FILE
    part = path.with_suffix(".part")
    part.write_text(f"{settings.scheme}://{host}:{port.getsockname()[1]}\n")
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main())
