"""A laboratory's own driver, looked at whole before it is used: every fault is told with its file, none later."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from traceback import extract_tb

from drivers.core.device import Device
from drivers.core.modbus_device import ModbusDevice
from drivers.core.registers import KINDS, SWAPPED
from drivers.core.units import UNITS

SAID = ("maker", "kind", "default_url", "table", "on_link_loss", "safe_state")
"""What every driver declares beside its signals and its model."""


class BadDriver(Exception):
    """An own driver that cannot be used, and why."""


def check(model: str, package: str, path: str, place: Path) -> None:
    """Import the class and read its table; raises BadDriver with the first fault. `path` is "folder.driver:Class"."""
    module, _, name = path.partition(":")
    try:
        found = vars(import_module(f"{package}.{module}"))
        if name not in found:
            near = get_close_matches(name, found, 1)
            raise BadDriver(f"{module} has no class {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        faults = list(faults_of(model, found[name]))
    except BadDriver:
        raise
    except Exception as error:  # whatever a stranger's file does wrong, it is that file's fault
        raise BadDriver(f"{where(error, place)}{type(error).__name__}: {error}") from error
    if faults:
        raise BadDriver("; ".join(faults))


def where(error: Exception, place: Path) -> str:
    """The last line of the folder's own files that the error came through, "" = none."""
    lines = [each for each in extract_tb(error.__traceback__) if Path(each.filename).is_relative_to(place)]
    return f"{lines[-1].filename}:{lines[-1].lineno}: " if lines else ""


def faults_of(model: str, kind: object) -> list[str]:
    if not (isinstance(kind, type) and issubclass(kind, Device)):
        return ["it is no Device; derive it from ModbusDevice or Device"]
    if missing := [name for name in ("model", *SAID) if not hasattr(kind, name)]:
        return [f"{kind.__name__} does not say its {', '.join(missing)}"]
    if kind.model != model:
        return [f"the catalogue calls it {model!r} and {kind.__name__}.model is {kind.model!r}; give both one name"]
    if unknown := [name for name in kind.declared() if name not in kind.table]:
        return [f"its table has no row for the signal {', '.join(unknown)}"]
    rows = [kind.table[name] for name in kind.declared()]
    found = [f"{row.name}: {row.unit!r} is no unit osteon knows" for row in rows if row.unit and row.unit not in UNITS]
    if issubclass(kind, ModbusDevice):
        types = [*KINDS, "text", "bool"]
        found += [
            f"{row.name}: {row.type or 'an empty cell'!r} is no type; there are {', '.join(types)}"
            for row in kind.table
            if row.type.removesuffix(SWAPPED) not in types
        ]
    return found
