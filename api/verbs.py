"""Commands that have verbs (`osteon runs list`): each verb takes the data directory and --json like the command."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from api.folders import data_argument, json_argument

Verb = Callable[[str, str], argparse.ArgumentParser]


def verbs(parser: argparse.ArgumentParser) -> Verb:
    """Adds one verb with its summary, and gives its parser."""
    group = parser.add_subparsers(dest="verb", metavar="VERB")

    def verb(name: str, summary: str) -> argparse.ArgumentParser:
        part = group.add_parser(name, help=summary, description=summary)
        data_argument(part, again=True)
        json_argument(part)
        return part

    return verb
