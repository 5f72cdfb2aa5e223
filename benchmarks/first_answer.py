"""From `osteon serve` to the first HTTP answer ("starting" counts), and what the three processes cost at rest.

Floor: a bare FastAPI + SQLAlchemy Core server, measured in the same round. Goals: at most 1.0 s and 2 x the floor;
supervisor, controller and API together at most 150 MB (proportional set size) and 5 % of one core on the simulated
bench in real time.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from api.simulators_child import bench_file
from benchmarks.start import in_control, seconds, until

GOAL_S, GOAL_RATIO, GOAL_MB, GOAL_CPU = 1.0, 2.0, 150.0, 0.05
IDLE_S = 20.0

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


def pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def served(bench: Path, data: Path, idle_s: float) -> tuple[float, dict[str, float], float]:
    """Seconds to the first answer, MB by process at rest, cores used over `idle_s`."""
    port = free_port()
    line = [sys.executable, "-m", "api.cli", "serve", "--bench", str(bench), "--data", str(data), "--port", str(port)]
    begun = time.perf_counter()
    serve = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    try:
        until(lambda: answers(port))
        first_s = time.perf_counter() - begun
        until(lambda: in_control(data))
        pids = {"supervisor": serve.pid}
        pids |= {name: json.loads((data / f"{name}.pid").read_text())["pid"] for name in ("controller", "api")}
        before = sum(map(cpu_s, pids.values()))
        took = seconds(lambda: time.sleep(idle_s))
        cores = (sum(map(cpu_s, pids.values())) - before) / took
        return first_s, {name: pss_mb(pid) for name, pid in pids.items()}, cores
    finally:
        serve.send_signal(signal.SIGTERM)
        serve.wait()


def main(rounds: int = 3) -> None:
    bench = bench_file("stirred-100")
    world = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "simulate", str(bench)], stdout=subprocess.PIPE, text=True
    )
    assert world.stdout is not None
    try:
        world.stdout.readline()
        for number in range(rounds):
            floor = bare()
            with tempfile.TemporaryDirectory(prefix="o") as name:
                first_s, mb, cores = served(bench, Path(name) / "data", IDLE_S if number == rounds - 1 else 2.0)
            parts = " + ".join(f"{name} {each:.0f}" for name, each in mb.items())
            print(
                f"first answer {first_s:.2f} s (goal {GOAL_S:g})  bare {floor:.2f} s  ratio {first_s / floor:.2f} "
                f"(goal {GOAL_RATIO:g})  {sum(mb.values()):.0f} MB = {parts} (goal {GOAL_MB:g})  "
                f"{100 * cores:.1f} % of a core (goal {100 * GOAL_CPU:g})"
            )
    finally:
        world.send_signal(signal.SIGTERM)
        world.communicate()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
