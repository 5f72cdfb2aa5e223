"""From a protocol file to a checked `Protocol`; the only place that knows YAML.

Every scalar stays text (so `no` and `1.0` do), nothing is constructed, aliases and tags are refused (SEC-13).
`{fill volume}` needs no quotes: a flow mapping with one key and no value is read as that text.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Protocol as Shape
from typing import cast

import yaml

from protocols.calls import with_callees
from protocols.faults import Fault, ProtocolInvalid, nearest
from protocols.protocol import Protocol, bind
from protocols.source import Data, Loc, Mark, Source, spoken

__all__ = ["Protocol", "library", "load", "read"]

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
LIKELY = {
    "did not find expected": "look at the indentation here and just above: keys of one step stand under each other",
    "mapping values are not allowed": "a text with ': ' in it needs quotes; or look at the indentation",
    "cannot start any token": "a tab, or a text that needs quotes: indent with spaces",
}
Loader: type[yaml.SafeLoader] = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def load(source: Path | str, name: str | None = None) -> Protocol:
    """Read a protocol: a path, the name of one that ships, or YAML text. Raises ProtocolInvalid with every fault.

    What it calls is looked for beside its file, then among those that ship.
    """
    return _loaded(source, name, ())


def _loaded(source: Path | str, name: str | None, above: tuple[str, ...], called: str = "") -> Protocol:
    text, file, folder = _found(source)
    protocol = bind(text, read(text, name or file), {})
    if called and protocol.name != called:  # a circle is found by the names
        reason = f"the file is called {called!r}, its protocol {protocol.name!r}"
        raise ProtocolInvalid([protocol.source.fault(("protocol",), reason, "the same name for both")])

    def callee(called: str) -> Protocol | None:
        beside = None if folder is None else folder / f"{called}.yaml"
        if beside is not None and beside.is_file():
            return _loaded(beside, None, (*above, protocol.name), called)
        ours = shipped(called)
        return None if ours is None else _loaded(ours, f"{called}.yaml", (*above, protocol.name))

    return with_callees(protocol, callee, above)


def _found(source: Path | str) -> tuple[str, str, Path | None]:
    """(text, name of the file, folder to look for others in)."""
    if isinstance(source, str) and "\n" in source:
        return source, "protocol.yaml", None
    path = Path(source)
    try:
        if not path.exists() and (ours := shipped(str(source))) is not None:
            return ours, f"{path.name.removesuffix('.yaml')}.yaml", None
        return path.read_text("utf-8"), str(source), path.parent
    except OSError as error:
        right = nearest(path.name.removesuffix(".yaml"), library())
        raise ProtocolInvalid([Fault(str(source), 1, 1, "", error.strerror or "not readable", right)]) from error
    except UnicodeDecodeError as error:
        raise ProtocolInvalid([Fault(str(source), 1, 1, "", "not UTF-8 text", "save it as UTF-8")]) from error
    except ValueError as error:
        raise ProtocolInvalid([Fault(str(source)[:40], 1, 1, "", f"no name of a file: {error}")]) from error


def library() -> tuple[str, ...]:
    """Names of the protocols that ship."""
    folder = resources.files("protocols") / "library"
    return tuple(sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")))


def shipped(name: str) -> str | None:
    """The text of a protocol that ships; None when there is none of this name."""
    name = name.removesuffix(".yaml")
    return (resources.files("protocols") / "library" / f"{name}.yaml").read_text("utf-8") if name in library() else None


def read(text: str, file: str) -> Source:
    """Read YAML text; raises ProtocolInvalid for what is no plain tree of texts."""
    if len(text.encode()) > MAX_BYTES:
        raise ProtocolInvalid([Fault(file, 1, 1, "", f"larger than {MAX_BYTES // 1024} KiB", "split the protocol")])
    try:
        unsafe = _unsafe(text, file)
        if unsafe:
            raise ProtocolInvalid(unsafe)
        root = yaml.compose(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        line, column = _position(error.problem_mark)
        problem = error.problem or str(error)
        raise ProtocolInvalid([Fault(file, line, column, "", f"not YAML: {problem}", likely(problem))]) from error
    except yaml.YAMLError as error:
        raise ProtocolInvalid([Fault(file, 1, 1, "", f"not YAML: {error}")]) from error
    source = Source(file, {})
    faults: list[Fault] = []
    if not isinstance(root, yaml.MappingNode):
        raise ProtocolInvalid([Fault(file, 1, 1, "", "not a protocol", "begin with 'protocol: name'")])
    data = _plain(root, (), source, faults)
    if faults or not isinstance(data, dict):
        raise ProtocolInvalid(faults)
    source.data.update(data)
    return source


def likely(problem: str) -> str:
    """What a person has most probably written when the parser says this."""
    return next((text for words, text in LIKELY.items() if words in problem), "")


def _unsafe(text: str, file: str) -> list[Fault]:
    """Aliases, tags and depth, found in the event stream before any tree is built."""
    faults: list[Fault] = []
    depth = 0
    for event in yaml.parse(text, Loader=Loader):  # pyright: ignore[reportUnknownMemberType]  stubs lack a type here
        line, column = _position(event.start_mark)
        match event:
            case yaml.AliasEvent():
                faults.append(Fault(file, line, column, "", "aliases (*name) are not used", "write the value out"))
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                depth += 1
                if depth == MAX_DEPTH + 1:
                    faults.append(Fault(file, line, column, "", f"nested deeper than {MAX_DEPTH} levels"))
                    return faults
                if event.tag is not None:
                    faults.append(Fault(file, line, column, "", f"tags ({event.tag}) are not used", "remove it"))
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                depth -= 1
            case yaml.ScalarEvent() if event.tag is not None:
                faults.append(Fault(file, line, column, "", f"tags ({event.tag}) are not used", "remove it"))
            case _:
                pass
    return faults


def _plain(node: yaml.Node, loc: Loc, source: Source, faults: list[Fault]) -> Data:
    """The data of one node; positions go into `source`."""
    source.values[loc] = _position(node.start_mark)
    match node:
        case yaml.ScalarNode():
            return None if node.value == "" and not node.style else str(node.value)
        case yaml.SequenceNode():
            return [_plain(child, (*loc, i), source, faults) for i, child in enumerate(node.value)]
        case yaml.MappingNode():
            return _mapping(node, loc, source, faults)
        case _:
            raise TypeError(f"no such node: {node}")


def _mapping(node: yaml.MappingNode, loc: Loc, source: Source, faults: list[Fault]) -> Data:
    """A mapping with text keys, each once; or the text of a `{parameter}`."""
    pairs = cast("list[tuple[yaml.Node, yaml.Node]]", node.value)
    data: dict[str, Data] = {}
    for key, value in pairs:
        line, column = _position(key.start_mark)
        if not isinstance(key, yaml.ScalarNode):
            faults.append(Fault(source.file, line, column, spoken(loc), "a key must be a text"))
            continue
        name = str(key.value)
        if name in data:
            first = source.keys[(*loc, name)][0]
            faults.append(
                Fault(source.file, line, column, spoken((*loc, name)), "stands twice", f"first on line {first}")
            )
            continue
        source.keys[(*loc, name)] = (line, column)
        data[name] = _plain(value, (*loc, name), source, faults)
    if node.flow_style and len(data) == 1 and next(iter(data.values())) is None:
        return "{" + next(iter(data)) + "}"
    return data


class _Positioned(Shape):
    """A mark of either YAML parser (the C one has a class of its own)."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


def _position(mark: _Positioned | None) -> Mark:
    """Line and column, counted from 1."""
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
