"""Validate bench files and protocol files: every fault of every file, with its place and what would be right."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from api.folders import json_argument

EXAMPLE = "osteon check bench.toml my-protocol.yaml"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="*.toml is a bench, *.yaml a protocol")
    json_argument(parser)


def run(options: argparse.Namespace) -> int:
    found = {name: faults(name) for name in options.files}
    if options.json:
        print(json.dumps([fault for each in found.values() for fault in each], indent=1))
    else:
        for name, wrong in found.items():
            for fault in wrong:
                print(sentence(fault), file=sys.stderr)
            if not wrong:
                print(f"{name}: in order")
    return 1 if any(found.values()) else 0


def faults(name: str) -> list[dict[str, object]]:
    """Every fault of one file as plain facts: file, line, column, field, reason, right."""
    path = Path(name)
    if path.suffix == ".toml":
        return bench_faults(path)
    if path.suffix in (".yaml", ".yml") or not path.suffix:
        return protocol_faults(name)
    return [fault(name, "neither a bench file (*.toml) nor a protocol (*.yaml)")]


def bench_faults(path: Path) -> list[dict[str, object]]:
    from controller.settings import BenchInvalid, load

    try:
        load(path)
    except BenchInvalid as error:
        return [fault(each.file, each.reason, each.line, each.column, each.field) for each in error.faults]
    except (OSError, UnicodeDecodeError) as error:
        return [fault(str(path), unreadable(error))]
    return []


def protocol_faults(name: str) -> list[dict[str, object]]:
    from protocols.faults import ProtocolInvalid
    from protocols.loading import load

    try:
        load(name)
    except ProtocolInvalid as error:
        return [fault(each.file, each.reason, each.line, each.column, each.field, each.right) for each in error.faults]
    return []


def unreadable(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "not UTF-8 text"


def fault(
    file: str, reason: str, line: int = 1, column: int = 1, field: str = "", right: str = ""
) -> dict[str, object]:
    return {"file": file, "line": line, "column": column, "field": field, "reason": reason, "right": right}


def sentence(fault: Mapping[str, object]) -> str:
    field = f"{fault['field']}: " if fault["field"] else ""
    right = f" ({fault['right']})" if fault["right"] else ""
    return f"{fault['file']}:{fault['line']}:{fault['column']}: {field}{fault['reason']}{right}"
