"""`make reqs`: which requirement IDs have a test, a benchmark, or neither. Exit 1 on a marked ID nobody defined."""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent


def defined() -> dict[str, str]:
    """ID -> title, in the order of docs/requirements.txt."""
    lines = (ROOT / "docs" / "requirements.txt").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))


def ids_marked(tree: ast.AST) -> Iterator[str]:
    """The IDs in every `pytest.mark.req("DS-03", …)` of a parsed test file, decorator or pytestmark."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "req":
            yield from (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))


def ids_declared(tree: ast.Module) -> Iterator[str]:
    """The IDs of a benchmark's top-level `REQ = ("DX-11", …)`."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "REQ" for t in node.targets):
            yield from ast.literal_eval(node.value)


def where() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """ID -> files, once for the tests and once for the benchmarks."""
    tests: dict[str, list[str]] = {}
    benchmarks: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name in dict.fromkeys(ids_marked(ast.parse(path.read_text()))):
            tests.setdefault(name, []).append(str(path.relative_to(ROOT)))
    for path in sorted((ROOT / "benchmarks").rglob("*.py")):
        for name in dict.fromkeys(ids_declared(ast.parse(path.read_text()))):
            benchmarks.setdefault(name, []).append(str(path.relative_to(ROOT)))
    return tests, benchmarks


def family(name: str) -> str:
    return name.rstrip("-0123456789")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    titles = defined()
    tests, benchmarks = where()
    unknown = sorted((tests.keys() | benchmarks.keys()) - titles.keys())
    bare = [name for name in titles if name not in tests and name not in benchmarks]
    if options.json:
        print(json.dumps({"test": tests, "benchmark": benchmarks, "without": bare, "unknown": unknown}, indent=1))
        return 1 if unknown else 0
    for heading, found in (("with a test", tests), ("with a benchmark", benchmarks)):
        print(f"{heading}: {len(found.keys() & titles.keys())} of {len(titles)}")
        for name, title in titles.items():
            if name in found:
                print(f"  {name:8} {title:50} {', '.join(found[name])}")
    print(f"without: {len(bare)}")
    for group in dict.fromkeys(map(family, bare)):
        print("  " + " ".join(name for name in bare if family(name) == group))
    for name in unknown:
        print(f"{name}: marked in {(tests | benchmarks).get(name)}, but not in docs/requirements.txt", file=sys.stderr)
    return 1 if unknown else 0


if __name__ == "__main__":
    raise SystemExit(main())
