"""One controller process that polls forty devices on ten lines once a second: processor, deadlines, memory.

The devices are simulated in a process of their own behind TCP ports, with the pace of their baud rates and their
processing times, several on one cable where their datasheets allow it. A minute is measured, with `--full` ten.

A poll misses its deadline when it begins more than half a period late or not at all. Two witnesses: the controller's
own count, and the times at which values came, as the history has them, against a grid of whole periods. Floor of the
processor: `bare_poller.py` with as many exchanges and samples a second.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from api.socket_client import ask
from benchmarks.figures import Figure, Options
from benchmarks.start import ENVIRONMENT, free_ports, in_control, memory_mb, processor_s, until
from controller.store.history_reader import HistoryReader

GOAL_CORE, GOAL_MB = 0.25, 100.0
PERIOD_S, HALF_S = 1.0, 0.5
SHORT_S, LONG_S, SETTLE_S, FLOOR_S = 60.0, 600.0, 5.0, 20.0
SYRINGE = "options = { diameter_mm = 26.7, capacity_ml = 60, watchdog_s = 100 }"

LINES: dict[str, tuple[tuple[str, tuple[int, ...], str], ...]] = {
    "probes": (("hamilton_arc_ph", (1, 2, 3, 4), ""), ("hamilton_arc_do", (5, 6, 7, 8), "")),
    "gases": (("vaisala_gmp251", (240, 241), ""), ("vaisala_gmp252", (242, 243), ""), ("vaisala_hmp", (244,), "")),
    "syringes": (("new_era_ne1000", (0, 1, 2, 3, 4, 5, 6, 7), SYRINGE),),
    "flows": (("alicat_mfc", (1, 2, 3, 4, 5, 6, 7), ""),),
    "mixing": (("bronkhorst_el_flow", (3, 4, 5, 6), ""),),
    "chambers": (("watlow_f4t", (1,), ""), ("watlow_ez_zone", (2,), "")),
    "dispensers": (("tecan_cavro_xcalibur", (0,), "options = { syringe_ml = 5 }"),),
    "valves": (("vici_universal_rs485", (1, 2, 3), ""),),
    "incubator": (("memmert_ico", (0,), ""),),
    "balance": (("mettler_toledo_mt_sics", (0,), ""),),
}
"""Link -> model, addresses, options. The controller of the climate chamber alone keeps its cable busy for 0.7 s."""
BAUD = {"chambers": 38400}
"""Devices on one cable have one baud rate: the EZ-ZONE is set to that of the F4T."""


class Kept(NamedTuple):
    """What was measured while forty devices were polled."""

    cores: float
    polls: int
    missed: int
    """By the controller's own count."""
    late: int
    """Values that came late or not at all, by the history."""
    worst_s: float
    """The latest value against its grid."""
    mb: float
    exchanges_s: float
    """As the simulated devices counted them, start included."""
    samples_s: float


def devices() -> list[tuple[str, str, str, int, str]]:
    """Name, link, model, address, options."""
    return [
        (f"{model}_{address}", link, model, address, options)
        for link, models in LINES.items()
        for model, addresses, options in models
        for address in addresses
    ]


def bench_file(folder: Path) -> Path:
    schemes = {"incubator": "http"}
    lines = ["units = []", "[bench]", 'name = "forty-devices"', "[links]"]
    for link, port in zip(LINES, free_ports(len(LINES)), strict=True):
        lines.append(f'{link} = "{schemes.get(link, "tcp")}://127.0.0.1:{port}"')
    for name, link, model, address, options in devices():
        lines += ["[[devices]]", f'name = "{name}"', f'model = "{model}"', f'link = "{link}"']
        lines += [f"address = {address}", f"poll_s = {PERIOD_S:g}", options]
    lines += ["[simulation.baud]", *(f"{link} = {baud}" for link, baud in BAUD.items())]
    path = folder / "bench.toml"
    path.write_text("\n".join(lines), "utf-8")
    return path


@contextmanager
def process(*line: str) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen([sys.executable, *line], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        child.communicate()


def counts(data: Path) -> tuple[int, int]:
    """Polls so far and deadlines missed, of all devices."""
    shown = ask(data, "snapshot", timeout_s=10.0)["devices"]
    return sum(each["polls"] for each in shown), sum(each["missed"] for each in shown)


class Came(NamedTuple):
    """What the history has of a stretch of time, UTC s."""

    late: int
    worst_s: float
    samples: int


def came(data: Path, start: float, end: float) -> Came:
    """Values more than half a period late or missing, the worst lateness, and samples in all.

    The grid of a device is that of its earliest value; a line that always makes it wait counts as on time."""
    history, late, worst_s, samples = HistoryReader.open_read_only(data), 0, 0.0, 0
    names = history.signals()
    for device, *_ in devices():
        signals = [history.samples(each, start, end) for each in names if each.startswith(f"{device}.")]
        often = [sample.at_ms / 1000 for sample in max(signals, key=len)]
        off = [at - often[0] - round((at - often[0]) / PERIOD_S) * PERIOD_S for at in often]
        behind = [each - min(off) for each in off]
        missing = max(0, round((end - start) / PERIOD_S) - 1 - len(often))
        late += missing + sum(each > HALF_S for each in behind)
        worst_s, samples = max(worst_s, *behind), samples + sum(map(len, signals))
    history.close()
    return Came(late, worst_s, samples)


def bare(exchanges_s: float, samples_s: float) -> float:
    """Share of a core of the floor."""
    line = [sys.executable, "-m", "benchmarks.bare_poller", str(len(LINES)), str(exchanges_s), str(samples_s)]
    done = subprocess.run([*line, str(FLOOR_S)], check=True, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    return float(done.stdout)


def measured(for_s: float) -> Kept:
    with tempfile.TemporaryDirectory(prefix="o") as name:
        folder = Path(name)
        bench, data = bench_file(folder), folder / "data"
        with process("-m", "benchmarks.still_bench", str(bench)) as simulators:
            assert simulators.stdout is not None
            for _ in LINES:
                if not simulators.stdout.readline().startswith("ready"):
                    raise RuntimeError("the simulated devices did not come up")
            started = time.perf_counter()
            with process("-m", "controller", "--bench", str(bench), "--data", str(data)) as controller:
                until(lambda: data.exists() and in_control(data, set()))
                time.sleep(SETTLE_S)
                polls, missed = counts(data)
                begun, at, used = time.perf_counter(), time.time(), processor_s(controller.pid)
                time.sleep(for_s)
                took, now, used = time.perf_counter() - begun, time.time(), processor_s(controller.pid) - used
                later, missed_later = counts(data)
                mb = memory_mb(controller.pid)
            lived = time.perf_counter() - started
            simulators.send_signal(signal.SIGTERM)
            asked = int(simulators.stdout.read().split()[-1])
        late, worst_s, samples = came(data, at, now)
        return Kept(used / took, later - polls, missed_later - missed, late, worst_s, mb, asked / lived, samples / took)


def figures(options: Options) -> Iterator[Figure]:
    kept = measured(LONG_S if options.full else SHORT_S)
    floor = bare(kept.exchanges_s, kept.samples_s)
    yield Figure(
        f"processor, {len(devices())} devices on {len(LINES)} lines, {kept.exchanges_s:.0f} questions and "
        f"{kept.samples_s:.0f} samples a second", 100 * kept.cores, "% of a core", f"under {100 * GOAL_CORE:g} %",
        kept.cores < GOAL_CORE, 100 * floor, "% of a bare poller",
    )  # fmt: skip
    yield Figure(f"deadlines missed of {kept.polls:,}", kept.missed, "polls", "0", kept.missed == 0)
    yield Figure(f"values late or missing, the latest {kept.worst_s:.2f} s", kept.late, "values", "0", kept.late == 0)
    yield Figure("memory", kept.mb, "MB", f"at most {GOAL_MB:g} MB", kept.mb <= GOAL_MB)
