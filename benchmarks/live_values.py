"""GET of a unit's live values, signed in, over one connection in sequence, while eight devices are polled at 1 Hz.

Floor: a bare Starlette route that sends the same bytes, same server settings, measured in the same round. Goal: at
least 0.5 of its rate.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from api.socket_client import ask
from api.web.security.demo_password import USER, new_password
from benchmarks.figures import Figure, Options
from benchmarks.first_answer import LINKS, answers, free_port
from benchmarks.start import bench_on, free_ports, in_control, simulated, until

GOAL, DEVICES = 0.5, 8
REQUESTS, BLOCK = 3000, 100
LOADED_S = 30.0
"""At least so long under load: all devices answer in one moment of each second, which a short look may miss."""

BARE = """
import sys
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
BODY = open(sys.argv[2], "rb").read()
async def unit(request):
    return Response(BODY, media_type="application/json")
app = Starlette(routes=[Route("/api/v1/health", unit), Route("/api/v1/units/{unit}", unit)])
quiet = {"log_level": "error", "access_log": False}
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), http="httptools", loop="asyncio", **quiet)
"""


class Connection:
    """One keep-alive connection, as lean as Python allows."""

    def __init__(self, port: int) -> None:
        self._line = socket.create_connection(("127.0.0.1", port))
        self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """Head and body of the answer."""
        self._line.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._line.recv(1 << 16)
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += self._line.recv(1 << 16)
        return head, body

    def close(self) -> None:
        self._line.close()


def sign_in(port: int, password: str) -> str:
    """The cookie of a new session."""
    body = json.dumps({"user": USER, "password": password}).encode()
    fields = ("Host: localhost", "X-Osteon: 1", "Content-Type: application/json", f"Content-Length: {len(body)}")
    head = "\r\n".join(("POST /api/v1/session HTTP/1.1", *fields, "", ""))
    line = Connection(port)
    answer, _ = line.ask(head.encode() + body)
    line.close()
    return answer.decode().partition("set-cookie: ")[2].partition(";")[0]


def request(cookie: str = "") -> bytes:
    more = f"Cookie: {cookie}\r\n" if cookie else ""
    return f"GET /api/v1/units/reactor HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode()


def rates(*servers: tuple[int, bytes]) -> list[float]:
    """Answers a second of each server, asked in turns of BLOCK, so that other load falls on all of them."""
    lines = [Connection(port) for port, _ in servers]
    took = [0.0 for _ in servers]
    for turn in range(-1, REQUESTS // BLOCK):
        for number, (line, (_, asked)) in enumerate(zip(lines, servers, strict=True)):
            begun = time.perf_counter()
            for _ in range(BLOCK):
                head, _ = line.ask(asked)
            assert head.startswith(b"HTTP/1.1 200"), head
            took[number] += time.perf_counter() - begun if turn >= 0 else 0.0
    for line in lines:
        line.close()
    return [REQUESTS / each for each in took]


@contextmanager
def running(*line: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


MORE = """
[[devices]]
name = "ph_probe_2"
model = "hamilton_arc_ph"
link = "probes"
address = 3
poll_s = 1
[[devices]]
name = "do_probe_2"
model = "hamilton_arc_do"
link = "probes"
address = 4
poll_s = 1

[[units]]"""
"""Two further probes in the same vessel: eight devices in all."""
PLACES = """ph_probe_2 = "vessel"
do_probe_2 = "vessel"
"""


def eight_each_second(bench: Path) -> Path:
    """The bench at `bench` with eight devices, each polled once a second."""
    text = bench.read_text("utf-8").replace("poll_s = 10", "poll_s = 1").replace("poll_s = 30", "poll_s = 1")
    bench.write_text(text.replace("\n[[units]]", MORE) + "\n" + PLACES, "utf-8")
    return bench


def figures(options: Options) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="o") as name, ExitStack() as started:
        folder, port, bare_port = Path(name), free_port(), free_port()
        data = folder / "data"
        bench = eight_each_second(bench_on(folder, dict(zip(LINKS, free_ports(len(LINKS)), strict=True))))
        password = new_password(data)
        started.enter_context(simulated(bench, len(LINKS)))
        started.enter_context(running(sys.executable, "-m", "controller", "--bench", str(bench), "--data", str(data)))
        web = (sys.executable, "-m", "api.web", "--data", str(data), "--port", str(port), "--demo")
        started.enter_context(running(*web))
        until(lambda: answers(port))
        until(lambda: in_control(data, set()))
        asked = request(sign_in(port, password))
        line = Connection(port)
        until(lambda: line.ask(asked)[0].startswith(b"HTTP/1.1 200"))
        (folder / "body").write_bytes(line.ask(asked)[1])
        line.close()
        started.enter_context(running(sys.executable, "-c", BARE, str(bare_port), str(folder / "body")))
        until(lambda: answers(bare_port))
        scans = scanned(data)
        rounds: list[list[float]] = []
        while len(rounds) < options.rounds or scanned(data)[1] - scans[1] < LOADED_S:
            rounds.append(rates((bare_port, request()), (port, asked)))
        rounds.sort(key=ratio)
        floor, ours = rounds[len(rounds) // 2]
        yield Figure(
            f"live values of a unit, {DEVICES} devices polled at 1 Hz, {(folder / 'body').stat().st_size} bytes", ours,
            "a second", f"at least {GOAL:g} x the floor", ours >= GOAL * floor, floor, "a second of a bare route",
        )  # fmt: skip
        polls = (scanned(data)[0] - scans[0]) / (scanned(data)[1] - scans[1])
        yield Figure("polls meanwhile", polls, "a second", f"{DEVICES}, within 5 %", polls >= 0.95 * DEVICES)


def ratio(pair: list[float]) -> float:
    return pair[1] / pair[0]


def scanned(data: Path) -> tuple[int, float]:
    """Devices polled so far, and the bench time (real s) of that."""
    shown = ask(data, "snapshot", timeout_s=10.0)
    return int(shown["scan"]["count"]), float(shown["now"])
