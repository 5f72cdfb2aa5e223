"""Where commands find their data, and the options that say so."""

from __future__ import annotations

import argparse
from pathlib import Path

DATA = "osteon-data"


def data_argument(parser: argparse.ArgumentParser, default: str = DATA) -> None:
    parser.add_argument(
        "--data", type=Path, default=Path(default), metavar="DIR", help=f"data directory (default: {default})"
    )


def json_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable output")
