"""The way to the simulators: the product never imports them, it becomes `python -m simulators …`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn


def command(*arguments: str) -> tuple[str, ...]:
    """The command line; -P keeps a folder of the same name in the working directory from being taken for ours."""
    return (sys.executable, "-P", "-m", "simulators", *arguments)


def become(arguments: Sequence[str]) -> NoReturn:
    """Replace this process, so that signals, terminal and exit code are the child's own."""
    sys.stdout.flush()
    line = command(*arguments)
    os.execv(line[0], line)  # noqa: S606  our own interpreter and module
