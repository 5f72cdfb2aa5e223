"""What it costs to know every model by name: the catalogue imports no driver and reads no table.

Measured as a new interpreter that imports it and ends, beside one that does nothing, in processor time, as neither
waits for anything. Goal: at most 150 ms, no driver module, no table.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.figures import Figure, Options, median
from benchmarks.start import ENVIRONMENT

GOAL_MS = 150.0

ASKED = """
import sys
tables = []
def heard(event, facts):
    if event == "open" and str(facts[0]).endswith(".csv"):
        tables.append(facts[0])
sys.addaudithook(heard)
from drivers.catalogue import MODELS
print(len(MODELS), sum(name.startswith("drivers.devices.") for name in sys.modules) + len(tables))
"""


def run(code: str) -> tuple[float, str]:
    """Milliseconds of processor time of an interpreter that runs `code`, and what it printed."""
    before = processor_ms()
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    return processor_ms() - before, done.stdout


def processor_ms() -> float:
    """Of all processes that we have waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (used.ru_utime + used.ru_stime)


def figures(options: Options) -> Iterator[Figure]:
    run(ASKED)  # compiles what was not compiled yet
    rounds = [(run("pass")[0], *run(ASKED)) for _ in range(3 * options.rounds)]
    floor, took = median([each[0] for each in rounds]), median([each[1] for each in rounds])
    models, loaded = map(int, rounds[0][2].split())
    yield Figure(
        f"{models} models known by name", took, "ms", f"at most {GOAL_MS:g} ms", took <= GOAL_MS, floor,
        "ms of an interpreter that does nothing",
    )  # fmt: skip
    yield Figure("drivers imported and tables read for it", loaded, "files", "0", loaded == 0)
