"""Where commands find their data, and the options that say so."""

from __future__ import annotations

import argparse
from pathlib import Path

DATA = "osteon-data"


def data_argument(parser: argparse.ArgumentParser, default: str = DATA, *, again: bool = False) -> None:
    """Declare --data; `again` for a verb below a command that has it too, so that it may stand before or behind it."""
    parser.add_argument(
        "--data",
        type=Path,
        default=argparse.SUPPRESS if again else Path(default),
        metavar="DIR",
        help=f"data directory (default: {default})",
    )


def json_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable output")
