"""A run of 28 days killed by -9 on day 27 (on day 8 without --full): seconds until environment and run are right again.

Its past is rehearsed in virtual time into a data folder; then a world on that state and a controller, in processes of
their own at the pace of the wall. Floor: a bare interpreter that imports the libraries the controller needs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from api.refusal import Refusal
from api.simulators_child import bench_file
from api.socket_client import ask
from benchmarks import start
from benchmarks.figures import Figure, Options, median

REQ = ("DX-11", "DX-12")
PROTOCOL, DAY, SHORT_DAY = "adsc-osteo-spheroid-28d", 27.0, 8.0
ENVIRONMENT_S, STATE_S = 3.0, 5.0
ENVIRONMENT = ("incubator",)
RIGHT = ("RUNNING",)


def simulators(*words: object) -> list[str]:
    return [sys.executable, "-m", "simulators", *map(str, words)]


def snapshot(data: Path) -> Mapping[str, Any]:
    """What the controller shows; {} while it does not answer."""
    try:
        return ask(data, "snapshot", timeout_s=1.0)
    except Refusal:
        return {}


def active(data: Path) -> bool:
    """The devices of the environment are connected and their values good."""
    devices = {device["name"]: device for device in snapshot(data).get("devices", ())}
    return all(
        name in devices
        and devices[name]["condition"] == "ready"
        and any(reading["quality"] == "good" for reading in devices[name]["readings"].values())
        for name in ENVIRONMENT
    )


def right(data: Path) -> bool:
    """The run is carried on."""
    return any(run["state"] in RIGHT for run in snapshot(data).get("runs", ()))


def restart(data: Path, world: Path, bench: Path) -> tuple[float, float]:
    """One start of the controller on these records, and its death; seconds to the environment and to the run."""
    begun = time.perf_counter()
    line = simulators("controller", "--bench", bench, "--data", data, "--world", world)
    controller = subprocess.Popen(line, env=start.ENVIRONMENT)
    try:
        start.until(lambda: active(data))
        environment_s = time.perf_counter() - begun
        start.until(lambda: right(data))
        return environment_s, time.perf_counter() - begun
    finally:
        os.kill(controller.pid, signal.SIGKILL)
        controller.wait()


def figures(options: Options) -> Iterator[Figure]:
    day = DAY if options.full else SHORT_DAY
    with tempfile.TemporaryDirectory(prefix="osteon-bench-") as name:
        data, bench, socket = Path(name) / "d", bench_file("stirred-100"), Path(name) / "w"
        data.mkdir()
        subprocess.run(
            simulators(
                "past", "--bench", bench, "--data", data, "--work", data / "work", "--protocol", PROTOCOL, "--day", day
            ),
            check=True,
            env=start.ENVIRONMENT,
            stderr=subprocess.DEVNULL,
        )
        line = simulators("world", "--bench", bench, "--socket", socket, "--state", data / "world.json", "--wait")
        world = subprocess.Popen(line, stdout=subprocess.DEVNULL, env=start.ENVIRONMENT)
        try:
            start.until(socket.exists)
            restart(data, socket, bench)  # compiles, and begins the world's time
            found = [restart(data, socket, bench) for _ in range(options.rounds)]
        finally:
            world.send_signal(signal.SIGTERM)
            world.wait()
    base = median([start.floor()[0] for _ in range(options.rounds)])
    environment_s, state_s = (median([each[n] for each in found]) for n in (0, 1))
    floor_is = "s of an interpreter importing the same libraries"
    yield Figure(
        f"environment active again on day {day:g}", environment_s, "s", f"at most {ENVIRONMENT_S:g} s",
        environment_s <= ENVIRONMENT_S, base, floor_is,
    )  # fmt: skip
    yield Figure(
        "run carried on in its state", state_s, "s", f"at most {STATE_S:g} s", state_s <= STATE_S, base, floor_is
    )
