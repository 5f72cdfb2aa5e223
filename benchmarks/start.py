"""From `osteon serve` to a bench under control: seconds until every device is read and ready, and memory.

Floor: a bare interpreter that imports the libraries the controller needs. Goal: at most 1.0 s and 60 MB.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from api.refusal import Refusal
from api.simulators_child import bench_file
from api.socket_client import ask

REQ = ("DX-11",)

LIBRARIES = "import asyncio, pydantic, sqlalchemy, serial, yaml"
GOAL_S, GOAL_MB = 1.0, 60.0
GIVE_UP_S = 60.0


def seconds(do: Callable[[], object]) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


def floor() -> float:
    return seconds(lambda: subprocess.run([sys.executable, "-c", LIBRARIES], check=True))


def in_control(data: Path) -> Mapping[str, Any] | None:
    """The snapshot once every device is ready and has been read and the start-up sequence is through."""
    try:
        shown = ask(data, "snapshot", timeout_s=1.0)
    except Refusal:
        return None
    read = all(any(r["quality"] == "good" for r in device["readings"].values()) for device in shown["devices"])
    return shown if shown["state"] == "running" and read else None


def until(true: Callable[[], object]) -> None:
    give_up = time.perf_counter() + GIVE_UP_S
    while not true():
        if time.perf_counter() > give_up:
            raise TimeoutError(f"not within {GIVE_UP_S:g} s")
        time.sleep(0.005)


def memory_mb(pid: int) -> float:
    """Resident memory, MB; Linux only."""
    line = next(each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1000


def start(bench: Path, data: Path) -> tuple[float, float]:
    """(seconds, MB) of one cold start on the simulated bench."""
    line = [sys.executable, "-m", "api.cli", "serve", "--bench", str(bench), "--data", str(data), "--port", "0"]
    begun = time.perf_counter()
    serve = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    try:
        until(lambda: in_control(data))
        return time.perf_counter() - begun, memory_mb(ask(data, "hello")["pid"])
    finally:
        serve.send_signal(signal.SIGTERM)
        serve.wait()


def main(rounds: int = 3) -> None:
    bench = bench_file("stirred-100")
    simulated = [sys.executable, "-m", "api.cli", "simulate", str(bench)]
    world = subprocess.Popen(simulated, stdout=subprocess.PIPE, text=True)
    assert world.stdout is not None
    try:
        world.stdout.readline()
        for _ in range(rounds):
            with tempfile.TemporaryDirectory(prefix="osteon-bench-") as name:
                took, mb = start(bench, Path(name) / "data")
            bare = floor()
            print(f"in control {took:.2f} s (goal {GOAL_S:g})  {mb:.0f} MB (goal {GOAL_MB:g})  "
                  f"imports alone {bare:.2f} s  ratio {took / bare:.2f}")  # fmt: skip
    finally:
        world.send_signal(signal.SIGTERM)
        world.communicate()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
