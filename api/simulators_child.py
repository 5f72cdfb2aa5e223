"""The way to the simulators: the product never imports them, it becomes `python -m simulators …`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from api.refusal import Refusal


def command(*arguments: str) -> tuple[str, ...]:
    """The command line; -P keeps a folder of the same name in the working directory from being taken for ours."""
    return (sys.executable, "-P", "-m", "simulators", *arguments)


def bench_file(name: str) -> Path:
    """A bench file by its path, or by the name of one that ships; found without importing anything."""
    given, spec = Path(name), find_spec("simulators")
    if given.exists() or spec is None or not spec.submodule_search_locations:
        return given.absolute()
    shipped = Path(spec.submodule_search_locations[0]) / "benches"
    if (found := shipped / f"{name.removesuffix('.toml')}.toml").exists():
        return found
    names = ", ".join(sorted(each.stem for each in shipped.glob("*.toml")))
    raise Refusal(f"{name}: there is no such bench file; the benches that ship are {names}")


def told(arguments: Sequence[str]) -> Any:
    """What such a process says on its standard output, as JSON; what it says of errors goes to the terminal. Raises
    Refusal when it fails."""
    sys.stdout.flush()
    done = subprocess.run(command(*arguments), stdout=subprocess.PIPE, check=False)  # noqa: S603  our own module
    if done.returncode:
        raise Refusal("the rehearsal behind the forecast could not be done, see above")
    return json.loads(done.stdout)


def become(arguments: Sequence[str]) -> NoReturn:
    """Replace this process, so that signals, terminal and exit code are the child's own."""
    sys.stdout.flush()
    line = command(*arguments)
    os.execv(line[0], line)  # noqa: S606  our own interpreter and module
