"""Batches on the command line of runs: shares of parents, what a person says of the batches that a hand step makes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from api.refusal import Refusal


def shares(words: list[str]) -> dict[str, float]:
    """NAME=SHARE each, 0 to 1; all of it where none is given. Raises Refusal."""
    found: dict[str, float] = {}
    for word in words:
        name, _, share = word.partition("=")
        try:
            found[name] = float(share or 1.0)
        except ValueError:
            raise Refusal(f"{word}: write it as NAME=SHARE, such as P3=0.5") from None
    return found


def start_arguments(start: argparse.ArgumentParser) -> None:
    start.add_argument("--batch", default="", metavar="BATCH", help="the batch it works on; a new one with --from")
    start.add_argument("--from", dest="parents", action="append", default=[], metavar="BATCH[=SHARE]", help="0 to 1")
    start.add_argument("--kind", metavar="KIND", help="of a new batch (default: as what it comes from)")


def answer_arguments(answer: argparse.ArgumentParser) -> None:
    answer.add_argument(
        "--batch", action="append", default=[], metavar="VESSEL=BATCH", help="another name of the batch made there"
    )
    answer.add_argument(
        "--share", action="append", default=[], metavar="VESSEL=SHARE", help="what went there of the source, 0 to 1"
    )
    answer.add_argument(
        "--kept", action="append", default=[], metavar="VESSEL=SHARE", help="what arrived of it, 0 to 1"
    )


def said(names: dict[str, str], options: argparse.Namespace) -> dict[str, dict[str, str | float]]:
    """What an answer says of the batch in each vessel."""
    given = {"batch": names, "share": shares(options.share), "kept": shares(options.kept)}
    vessels = dict.fromkeys(vessel for of in given.values() for vessel in of)
    return {vessel: {word: of[vessel] for word, of in given.items() if vessel in of} for vessel in vessels}


def told(task: dict[str, Any]) -> Iterator[str]:
    """The batches that a task makes, for the list of tasks."""
    for child in task["makes"]:
        into, of = child["into"], ", ".join(child["parents"])
        yield f"makes the {child['kind']} {child['batch']} in {into}, of {of} (another name: --batch '{into}=…')"
    if not task["makes"] and any(move["becomes"] for move in task["moves"]):
        yield "makes no batch: the run was started without --batch"
