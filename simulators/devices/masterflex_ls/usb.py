"""Newer Masterflex drive seen from its USB cable; sheet masterflex-ls.md part B.

Guesses where the sheet has a question mark (all X): a status ends with CR LF (option `terminator` = crlf | none);
questions are answered outside serial mode too; serial mode is lost with the power, the revolutions are kept (option
`count` = kept | lost); `RV` takes HHMMSSX; `E` says + only in a dispense; `H` while running is answered `#`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, cast

from simulators.core.simulator import Action
from simulators.core.surroundings import Tube
from simulators.core.text import TextUnit
from simulators.devices.masterflex_ls.rotor import Rotor

DONE, NOT_DONE, NOT_SERIAL = b"*", b"#", b"~"
UNITS = ("ul", "ml", "l")
FASTEST_RPM = 600.0


@dataclass(slots=True)
class State:
    """Times in s. `phase` = rest, on, off; `trip_rev` is what `:` and `RB` count."""

    address: int = 1
    serial: bool = False
    timed: bool = False
    on_s: float = 1.0
    off_s: float = 0.0
    total: int = 1
    given: int = 0
    unit: int = 1
    phase: str = "rest"
    until: float | None = None
    keypad: bool = True


class MasterflexLsUsb(TextUnit):
    """One drive."""

    SETTERS: ClassVar[frozenset[str]] = frozenset(("RE", "H", "I", "J", "K", "L", "N", "W", "A", "B", "*", "0"))

    def __init__(
        self,
        tube: Tube,
        address: int = 1,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        """`seed` is taken for symmetry: the drive has no noise."""
        super().__init__(115200, 0.005)
        options = options or {}
        self.tube = tube
        self.ml_per_rev = float(options.get("ml_per_rev", 0.8))
        self.end = b"" if options.get("terminator", "crlf") == "none" else b"\r\n"
        self.keeps_count = options.get("count", "kept") == "kept"
        self.model = str(options.get("model", "MASTERFLEX L/S 07522-20 1.05"))
        self.state = State(address or 1)
        self.rotor = Rotor()

    # -- time

    @property
    def wake_at(self) -> float | None:
        return self.state.until

    def wake(self, now: float) -> list[Action]:
        s = self.state
        while s.until is not None and now >= s.until:
            at = s.until
            if s.phase == "off":
                self._dispense(at)
                continue
            self.rotor.rest(self.tube, at)
            s.given += 1
            s.phase, s.until = ("off", at + s.off_s) if s.given < s.total else ("rest", None)
        self.rotor.count(now)
        return []

    def restarted(self, now: float) -> list[Action]:
        self.wake(now)
        self._halt(now)
        old = self.state
        self.state = State(old.address, False, old.timed, old.on_s, old.off_s, old.total, 0, old.unit)
        if not self.keeps_count:
            self.rotor.turned = 0.0
        return []

    def reset_totals(self, now: float) -> None:
        """The cumulative revolutions are gone."""
        self.rotor.count(now)
        self.rotor.turned = 0.0

    def snapshot(self) -> dict[str, object]:
        return super().snapshot() | {"rotor": asdict(self.rotor)}

    def restore(self, saved: dict[str, object]) -> None:
        super().restore(saved)
        self.rotor = Rotor(**cast("dict[str, Any]", saved["rotor"]))

    # -- commands

    def message(self, text: bytes, now: float) -> bytes | list[Action]:
        self.wake(now)
        line = text.decode("latin-1").strip("\n")
        if re.fullmatch(r"@[1-8]", line):
            self.state.address = int(line[1])
            return DONE + self.end
        match = re.fullmatch(r"(\d)(R\"|R[ACBETV]|V[MH]|.)(.*)", line, re.ASCII)
        if match is None or int(match[1]) != self.state.address:
            return b""
        code, payload = match[2], match[3]
        if payload or code in self.SETTERS or code == 'R"':
            return self._set(code, payload, now) + self.end
        value = self._get(code)
        return NOT_DONE + self.end if value is None else value

    def _get(self, code: str) -> bytes | None:
        s, rotor = self.state, self.rotor
        match code:
            case "RC":
                return b"%d,%d,%d\r\n" % (s.address, rotor.running, not rotor.clockwise)
            case "R":
                return b"%.2f\r\n" % rotor.rpm
            case "S":
                return b"%.1f\r\n" % (rotor.rpm / FASTEST_RPM * 100)
            case ":":
                ml, unit = rotor.turned * self.ml_per_rev, int(s.unit)
                return b"%.3f %s\r\n" % (ml * (1e3, 1.0, 1e-3)[unit], UNITS[unit].encode())
            case "RB":
                return b"%.2f\r\n" % rotor.turned
            case "RA":
                return b"%d\r\n" % s.unit
            case "RV" | "RT":
                tenths = round((s.on_s if code == "RV" else s.off_s) * 10)
                seconds, tenth = divmod(tenths, 10)
                return b"%02d:%02d:%02d.%d\r\n" % (seconds // 3600, seconds // 60 % 60, seconds % 60, tenth)
            case '"':
                return b"%d/%d\r\n" % (s.given, s.total)
            case "E":
                return (b"+" if s.phase == "on" and s.timed else b"-") + self.end
            case "#":
                return self.model.encode() + b"\r\n"
            case "(":
                return b"1.05\r\n"
            case _:
                return None

    def _set(self, code: str, payload: str, now: float) -> bytes:
        s = self.state
        if code == "RE" and payload in ("0", "1"):
            s.serial = payload == "1"
            return DONE
        done = self._try(code, payload, now, carry_out=s.serial)
        if not done:
            return NOT_DONE
        return DONE if s.serial else NOT_SERIAL

    def _try(self, code: str, payload: str, now: float, carry_out: bool) -> bool:
        """Whether the command is valid; carried out only in serial mode."""
        s, rotor = self.state, self.rotor
        if not payload:
            if code == "H" and (rotor.running or s.phase == "off"):
                return False
            if code not in 'HIJKLNWAB*0R"':
                return False
            if carry_out:
                self._act(code, now)
            return True
        width = {"R": 6, "RA": 2, "RV": 7, "RT": 7, "V": 4, "VM": 3, "VH": 2, '"': 5}.get(code, 0)
        if len(payload) != width or not payload.isascii() or not payload.isdigit():
            return False
        raw = int(payload)
        if (code == "R" and not 1 <= raw <= FASTEST_RPM * 100) or (code == "RA" and raw >= len(UNITS)):
            return False
        if code in ("RV", "RT") and (int(payload[2:4]) > 59 or int(payload[4:6]) > 59):
            return False
        if carry_out:
            self._keep(code, payload, raw, now)
        return True

    def _keep(self, code: str, payload: str, raw: int, now: float) -> None:
        s = self.state
        match code:
            case "R":
                self.rotor.rpm = raw / 100
                if self.rotor.running:
                    self.rotor.run(self.tube, now, None, self.ml_per_rev)
            case "RA":
                s.unit = raw
            case "RV" | "RT":
                seconds = int(payload[:2]) * 3600 + int(payload[2:4]) * 60 + int(payload[4:6]) + int(payload[6]) / 10
                if code == "RV":
                    s.on_s = seconds
                else:
                    s.off_s = seconds
            case "V":
                s.on_s = raw / 10
            case "VM":
                s.on_s = raw * 60.0
            case "VH":
                s.on_s = raw * 3600.0
            case _:
                s.total = raw

    def _act(self, code: str, now: float) -> None:
        s, rotor = self.state, self.rotor
        match code:
            case "H":
                s.given = 0 if s.given >= s.total else s.given
                if s.timed:
                    self._dispense(now)
                else:
                    s.phase = "on"
                    rotor.run(self.tube, now, None, self.ml_per_rev)
            case "I":
                self._halt(now)
            case "J" | "K":
                rotor.clockwise = code == "J"
                if rotor.running:
                    rotor.run(self.tube, now, None, self.ml_per_rev)
            case "L" | "N":
                s.timed = code == "N"
            case "W":
                rotor.turned = 0.0
            case 'R"':
                s.given = 0
            case "A" | "B":
                s.keypad = code == "A"
            case "0":
                self._halt(now)
                self.state = State(s.address, s.serial)
            case _:
                pass

    def _dispense(self, at: float) -> None:
        s = self.state
        s.phase, s.until = "on", at + s.on_s
        self.rotor.run(self.tube, at, self.rotor.rpm * s.on_s / 60, self.ml_per_rev)

    def _halt(self, now: float) -> None:
        self.rotor.rest(self.tube, now)
        self.state.phase, self.state.until = "rest", None
