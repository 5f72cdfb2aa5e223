"""Validate bench files and protocol files: every fault with its place and what would be right; warnings beside."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from api.folders import json_argument

if TYPE_CHECKING:
    from protocols.unwise import Unwise

EXAMPLE = "osteon check bench.toml my-protocol.yaml"


class Schema(argparse.Action):
    """As --help does: prints, and needs no file."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from protocols import schema

        print(schema.text(), end="")
        parser.exit()


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="*.toml is a bench, *.yaml a protocol")
    parser.add_argument("--schema", action=Schema, help="print the JSON Schema of protocol files, for editors")
    json_argument(parser)


def run(options: argparse.Namespace) -> int:
    found = {name: faults(name) for name in options.files}
    if options.json:
        print(json.dumps([fault for each in found.values() for fault in each], indent=1))
    else:
        for name, said in found.items():
            for each in said:
                print(sentence(each), file=sys.stderr)
            if not any(map(wrong, said)):
                print(f"{name}: in order{f', {counted(said)}' if said else ''}")
    return 1 if any(wrong(each) for said in found.values() for each in said) else 0


def wrong(fact: Mapping[str, object]) -> bool:
    """A fault refuses the file; a warning does not."""
    return fact["severity"] == "fault"


def counted(warnings: Sequence[object]) -> str:
    return f"{len(warnings)} warning{'s' if len(warnings) > 1 else ''}"


def faults(name: str) -> list[dict[str, object]]:
    """Every fault of one file, or its warnings: severity, file, line, column, field, reason, right."""
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
    from protocols.unwise import unwise

    try:
        return [warning(each) for each in unwise(load(name))]
    except ProtocolInvalid as error:
        return [fault(each.file, each.reason, each.line, each.column, each.field, each.right) for each in error.faults]


def warning(unwise: Unwise) -> dict[str, object]:
    """What is legal but unwise, as facts."""
    said = fault(unwise.file, unwise.reason, unwise.line, unwise.column, unwise.field, unwise.better)
    return {**said, "severity": "warning", "kind": unwise.kind}


def unreadable(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "not UTF-8 text"


def fault(
    file: str, reason: str, line: int = 1, column: int = 1, field: str = "", right: str = ""
) -> dict[str, object]:
    return {
        "severity": "fault",
        "file": file,
        "line": line,
        "column": column,
        "field": field,
        "reason": reason,
        "right": right,
    }


def sentence(fault: Mapping[str, object]) -> str:
    field = f"{fault['field']}: " if fault["field"] else ""
    if not wrong(fault):
        field = "warning: "
    right = f" ({fault['right']})" if fault["right"] else ""
    return f"{fault['file']}:{fault['line']}:{fault['column']}: {field}{fault['reason']}{right}"
