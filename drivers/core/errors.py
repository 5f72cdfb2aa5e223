"""The error tree of the wire, drawn once:

OsteonError
  WireError
    NoAnswer      nothing came back in time
    BadFrame      something came back that is not a valid reply
    Refused       a valid reply that says no (code, text)
    LinkLost      the cable, port or connection is gone
  WrongDevice     the identity found is not the identity expected
  OutOfRange      a value outside the limits, and whose limits they are
"""

from __future__ import annotations


class OsteonError(Exception):
    """Root of everything osteon raises on purpose."""

    def __reduce__(self) -> tuple[object, ...]:
        """As it is, whatever its making asks for: a rehearsal in a process of its own refuses in the same words."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[OsteonError], words: tuple[object, ...], facts: dict[str, object]) -> OsteonError:
    error = kind.__new__(kind)
    error.args = words
    error.__dict__.update(facts)
    return error


class WireError(OsteonError):
    """An exchange on a line did not end in a usable reply."""


class NoAnswer(WireError):
    """Nothing, or not enough, came back in time. The device may or may not have acted."""


class BadFrame(WireError):
    """Bytes came back that are not a valid reply. The device may or may not have acted."""


class Refused(WireError):
    """The device answered, and said no; `code` is its own code (Modbus exception, `?OOR`, `ES`, `N/A`)."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{text} ({code})")
        self.code = code


class LinkLost(WireError):
    """The port, cable or connection is gone, or could not be opened.

    `broken` = not closed in good order, so what came before is not to be taken for a whole reply.
    """

    def __init__(self, text: str, broken: bool = False) -> None:
        super().__init__(text)
        self.broken = broken


class WrongDevice(OsteonError):
    """What answered at connect is not the device this place is for."""


def _short(limit: float | None) -> str:
    """As it stands in the table; what was computed, to six digits."""
    return text if len(text := str(limit)) <= 8 else f"{limit:.6g}"


class OutOfRange(OsteonError):
    """A value outside its limits; says the value, the unit, the limits and who set them."""

    def __init__(
        self, signal: str, value: float, unit: str, low: float | None, high: float | None, set_by: str
    ) -> None:
        limits = f"{_short(low)} to {_short(high)} {unit}"
        super().__init__(f"{signal}: {value:g} {unit} is outside {limits} (limits of {set_by})")
        self.signal, self.value, self.unit, self.low, self.high, self.set_by = signal, value, unit, low, high, set_by
