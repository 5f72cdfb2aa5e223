"""From `osteon serve` to a bench under control: seconds until pumps are stopped and the environment is read; memory.

Measured from the start of the process `serve` to the first snapshot over the local socket that shows it, on simulated
devices behind TCP ports, with compiled bytecode (the first start compiles and is not counted). Then the same with the
balance's port shut, and with a port that takes connections and never answers: such a device may delay only itself.
The balance is not waited for in the goal: it has no safe state, and takes 0.1 s for each of its five answers.
Floor: a bare interpreter that imports the libraries the controller needs.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from api.refusal import Refusal
from api.simulators_child import bench_file
from api.socket_client import ask
from benchmarks.figures import Figure, Options, median

REQ = ("DX-11",)

LIBRARIES = "import asyncio, sqlite3, pydantic, sqlalchemy, serial, yaml, h11"
GOAL_S, GOAL_MB = 1.0, 60.0
GIVE_UP_S = 60.0
SPARED = "balance"
"""The link, and the device on it, that is dead in the variants."""
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


class Started(NamedTuple):
    """Seconds from the process to a bench under control and to all of it read; memory of both processes, MB."""

    seconds: float
    processor_s: float
    """Of both processes until then."""
    all_s: float
    controller_mb: float
    supervisor_mb: float


def floor() -> tuple[float, float]:
    """Seconds of an interpreter that only imports, and processor seconds of it."""
    begun, before = time.perf_counter(), os.times()
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True, env=ENVIRONMENT)
    took, after = time.perf_counter() - begun, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return took, used


def processor_s(pid: int) -> float:
    """User and system time of a running process, s. Linux only, 0.0 elsewhere."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def in_control(data: Path, without: Set[str]) -> bool:
    """Every device but those `without` is connected, in its safe state, and has told something good."""
    try:
        shown: Mapping[str, Any] = ask(data, "snapshot", timeout_s=1.0)
    except Refusal:
        return False
    wanted = [device for device in shown["devices"] if device["name"] not in without]
    return all(
        device["condition"] == "ready" and any(r["quality"] == "good" for r in device["readings"].values())
        for device in wanted
    )


def until(true: Callable[[], bool]) -> None:
    give_up = time.perf_counter() + GIVE_UP_S
    while not true():
        if time.perf_counter() > give_up:
            raise TimeoutError(f"not within {GIVE_UP_S:g} s")
        time.sleep(0.01)


def memory_mb(pid: int) -> float:
    """Proportional set size, MB: what other processes share is counted in shares. Linux only, 0.0 elsewhere."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next(int(each.split()[1]) for each in lines if each.startswith("Pss:")) / 1000


def start(bench: Path, dead: bool = False) -> Started:
    """One cold start on an empty data directory, and an orderly end; `dead` = the balance will not come."""
    with tempfile.TemporaryDirectory(prefix="osteon-bench-") as name:
        data = Path(name) / "data"
        line = [sys.executable, "-m", "api.cli", "serve", "--bench", str(bench), "--data", str(data), "--port", "0"]
        begun = time.perf_counter()
        serve = subprocess.Popen(line, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
        try:
            until(lambda: in_control(data, {SPARED}))
            took, controller = time.perf_counter() - begun, ask(data, "hello")["pid"]
            used = processor_s(controller) + processor_s(serve.pid)
            if not dead:
                until(lambda: in_control(data, set()))
            return Started(took, used, time.perf_counter() - begun, memory_mb(controller), memory_mb(serve.pid))
        finally:
            serve.send_signal(signal.SIGTERM)
            serve.wait()


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now."""
    with ExitStack() as held:
        found = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in found]


def bench_on(folder: Path, ports: Mapping[str, int]) -> Path:
    """The shipped bench with its links at `ports`."""
    lines = bench_file("stirred-100").read_text().splitlines()
    for at, line in enumerate(lines):
        link, _, url = line.partition("=")
        if link.strip() in ports and "://" in url:
            scheme = url.strip().strip('"').partition("://")[0]
            lines[at] = f'{link.strip()} = "{scheme}://127.0.0.1:{ports[link.strip()]}"'
    path = folder / f"bench-{'-'.join(map(str, ports.values()))}.toml"
    path.write_text("\n".join(lines))
    return path


@contextmanager
def simulated(bench: Path, links: int) -> Generator[None]:
    """The simulated devices on their ports."""
    world = subprocess.Popen(
        [sys.executable, "-m", "simulators", "simulate", str(bench)], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    assert world.stdout is not None
    try:
        for _ in range(links):
            if not world.stdout.readline().startswith("ready"):
                raise RuntimeError("the simulated bench did not come up")
        yield
    finally:
        world.send_signal(signal.SIGTERM)
        world.communicate()


def figures(options: Options) -> Iterator[Figure]:
    links: tuple[str, ...] = ("incubator", "probes", "pumps", SPARED)
    with tempfile.TemporaryDirectory(prefix="osteon-bench-") as name, socket.create_server(("127.0.0.1", 0)) as mute:
        folder = Path(name)
        ports: dict[str, int] = dict(zip(links, free_ports(len(links)), strict=True))
        bench = bench_on(folder, ports)
        shut = bench_on(folder, ports | {SPARED: free_ports(1)[0]})
        silent = bench_on(folder, ports | {SPARED: mute.getsockname()[1]})
        with simulated(bench, len(links)):
            start(bench)
            whole, bare = [start(bench) for _ in range(options.rounds)], [floor() for _ in range(options.rounds)]
            dead = [start(shut, dead=True) for _ in range(options.rounds)]
            mutes = [start(silent, dead=True) for _ in range(options.rounds)]
    base, base_used = median([each[0] for each in bare]), median([each[1] for each in bare])
    for what, found in (("", whole), (", a port shut", dead), (", a port silent", mutes)):
        took = median([each.seconds for each in found])
        yield Figure(
            f"pumps safe, environment read{what}", took, "s",
            f"at most {GOAL_S:g} s", took <= GOAL_S, base, "s of an interpreter importing the same libraries",
        )  # fmt: skip
    used = median([each.processor_s for each in whole])
    yield Figure(
        "processor time until then, both processes", used, "s", "at most 3 x the floor", used <= 3 * base_used,
        base_used, "s of the importing interpreter",
    )  # fmt: skip
    last = median([each.all_s for each in whole])
    yield Figure(
        "the balance too", last, "s", f"at most {GOAL_S + 0.5:g} s", last <= GOAL_S + 0.5, base,
        "s of an interpreter importing the same libraries",
    )  # fmt: skip
    memory = max(each.controller_mb for each in whole)
    yield Figure("memory of the controller", memory, "MB", f"at most {GOAL_MB:g}", memory <= GOAL_MB)
    yield Figure(
        "memory of both processes", memory + max(each.supervisor_mb for each in whole), "MB",
        "none of its own", met=True,
    )  # fmt: skip
