"""From `osteon serve` to the first HTTP answer ("starting" counts), and what the three processes cost at rest.

Floor: a bare FastAPI + SQLAlchemy Core server, measured in the same round. Goals: at most 1.0 s and 2 x the floor;
supervisor, controller and API together at most 150 MB (proportional set size) and 5 % of one core on the simulated
bench in real time.
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
from pathlib import Path

from benchmarks.figures import Figure, Options, median
from benchmarks.start import bench_on, free_ports, in_control, memory_mb, processor_s, simulated, until

GOAL_S, GOAL_RATIO, GOAL_MB, GOAL_CPU = 1.0, 2.0, 150.0, 0.05
IDLE_S = 20.0
LINKS = ("incubator", "probes", "pumps", "balance")

BARE = """
import sys
import uvicorn
from fastapi import FastAPI
from sqlalchemy import create_engine, text
engine = create_engine("sqlite://")
app = FastAPI()
@app.get("/api/v1/health")
async def health() -> dict[str, str]:
    with engine.connect() as connection:
        return {"status": str(connection.execute(text("select 'ok'")).scalar())}
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", http="httptools", loop="asyncio")
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def answers(port: int) -> bool:
    """One request over a connection of its own; True when a status line came."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as line:
            line.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return line.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def bare() -> float:
    """Seconds until the bare server answers."""
    port = free_port()
    begun = time.perf_counter()
    server = subprocess.Popen([sys.executable, "-c", BARE, str(port)])
    try:
        until(lambda: answers(port))
        return time.perf_counter() - begun
    finally:
        server.terminate()
        server.wait()


def served(bench: Path, data: Path, idle_s: float) -> tuple[float, dict[str, float], float]:
    """Seconds to the first answer, MB by process at rest, cores used over `idle_s`."""
    port = free_port()
    line = [sys.executable, "-m", "api.cli", "serve", "--bench", str(bench), "--data", str(data), "--port", str(port)]
    begun = time.perf_counter()
    serve = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    try:
        until(lambda: answers(port))
        first_s = time.perf_counter() - begun
        until(lambda: in_control(data, set()))
        pids = {"supervisor": serve.pid}
        pids |= {name: json.loads((data / f"{name}.pid").read_text())["pid"] for name in ("controller", "api")}
        before = sum(map(processor_s, pids.values()))
        begun = time.perf_counter()
        time.sleep(idle_s)
        cores = (sum(map(processor_s, pids.values())) - before) / max(time.perf_counter() - begun, 1e-3)
        return first_s, {name: memory_mb(pid) for name, pid in pids.items()}, cores
    finally:
        serve.send_signal(signal.SIGTERM)
        serve.wait()


def figures(options: Options) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="o") as name:
        folder = Path(name)
        bench = bench_on(folder, dict(zip(LINKS, free_ports(len(LINKS)), strict=True)))
        with simulated(bench, len(LINKS)):
            served(bench, folder / "warm", 0.0)  # compiles what was not compiled yet
            rounds = [(bare(), served(bench, folder / f"d{number}", IDLE_S / 4)) for number in range(options.rounds)]
            _, mb, cores = served(bench, folder / "rest", IDLE_S)
    floor, first_s = median([each for each, _ in rounds]), median([each[0] for _, each in rounds])
    yield Figure(
        "first answer after `osteon serve`", first_s, "s", f"at most {GOAL_S:g} s and {GOAL_RATIO:g} x the floor",
        first_s <= GOAL_S and first_s <= GOAL_RATIO * floor, floor, "s of a bare FastAPI + SQLAlchemy server",
    )  # fmt: skip
    parts, all_mb = " + ".join(f"{name} {each:.0f}" for name, each in mb.items()), sum(mb.values())
    yield Figure(f"memory at rest ({parts})", all_mb, "MB", f"at most {GOAL_MB:g} MB", all_mb <= GOAL_MB)
    yield Figure(
        "processor at rest", 100 * cores, "% of a core", f"at most {100 * GOAL_CPU:g} %", cores <= GOAL_CPU
    )  # fmt: skip
