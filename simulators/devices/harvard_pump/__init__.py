"""Harvard Pump 11 Elite, PHD ULTRA and Pump 33 DDS seen from the cable; sheet harvard-11-elite-phd.md.

Guesses where the sheet has a question mark: numbers have five digits; the speed range of the Elite is scaled by the
syringe's area and holds for all; times are told and taken as `90 sec` or `hh:mm:ss`; which syringes the table has and
what `metrics` and `version` say beyond the name is ours; a data line of the PHD ULTRA and 33 DDS at an address above
zero looks like the Elite's; `poll on` puts XON behind the prompt. Options choose the rest: second_run, counters_kept,
announces.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from simulators.core.simulator import Action, Send
from simulators.core.surroundings import Barrel
from simulators.core.text import TextUnit
from simulators.devices.harvard_pump.numbers import (
    plain_number,
    rate_of,
    rate_text,
    time_of,
    time_text,
    volume_of,
    volume_text,
)

SLOWEST_ML_MIN, FASTEST_ML_MIN = 1.26e-6, 26.02
"""With the syringe of 14.567 mm (F)."""
DIAMETER_MM = 14.567
COMMANDS = (
    "address", "citime", "civolume", "crate", "ctime", "cttime", "ctvolume", "cvolume", "cwtime", "cwvolume",
    "diameter", "force", "gang", "irate", "irun", "itime", "ivolume", "load", "lock", "metrics", "nvram", "poll",
    "rrun", "run", "status", "stop", "stp", "svolume", "syrm", "syrmanu", "ttime", "tvolume", "unlock", "ver",
    "version", "wrate", "wrun", "wtime", "wvolume",
)  # fmt: skip


SYRINGES = {"air": "Air-Tite", "bdp": "BD Plastipak", "hm1": "Hamilton 1700", "ter": "Terumo"}


@dataclass(slots=True)
class PumpState:
    """Volumes mL, rates mL/min, times bench seconds. The first block is kept without power (X)."""

    address: int = 0
    diameter_mm: float = DIAMETER_MM
    syringe_ml: float = 10.0
    force_percent: int = 50
    irate: float = 1.0
    wrate: float = 1.0
    nvram: str = "on"

    gang: int = 1
    syringe: str = ""
    """Code and size from the syringe table, as they were set."""

    target_ml: float | None = None
    target_s: float | None = None
    infused_ml: float = 0.0
    withdrawn_ml: float = 0.0
    way: str = "i"
    moving: bool = False
    since: float = 0.0
    until: float = math.inf
    run_began: float = 0.0
    run_from_ml: float = 0.0
    """Counter from which the target is counted."""
    run_s: float = 0.0
    infuse_s: float = 0.0
    withdraw_s: float = 0.0
    at_target: bool = False
    stalled: bool = False
    poll: str = "off"


class Harvard11Elite(TextUnit):
    """Options: second_run ("new dose" or "since clear": what a target counts from), counters_kept (1 = over power-off),
    announces (1 = the prompt comes by itself when a target is reached), plain (1 = no address in replies)."""

    state: PumpState
    version: ClassVar[str] = "11 ELITE I/W Single 3.0.4"
    echoes_zero: ClassVar[bool] = True
    """Address 0 is put in front of each line too."""
    range_error: ClassVar[tuple[str, ...]] = ("Out of range",)
    diameters_mm: ClassVar[tuple[float, float]] = (1.0, 33.0)
    """Of the 11 Elite (F)."""

    def __init__(
        self,
        barrel: Barrel,
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        """`seed` is taken for symmetry: there is no noise."""
        super().__init__(115200, 0.005)
        options = options or {}
        self.barrel = barrel
        self.since_clear = str(options.get("second_run", "new dose")) == "since clear"
        self.counters_kept = bool(float(options.get("counters_kept", 0)))
        self.announces = bool(float(options.get("announces", 0)))
        self.plain = bool(float(options.get("plain", 0)))
        self.state = PumpState(address=address)
        self.handlers: dict[str, Callable[[str, float], list[str]]] = {
            "ver": lambda argument, now: [self.version],
            "version": lambda argument, now: [f"Firmware: {self.version}", f"Pump address: {self.state.address}"],
            "metrics": self._metrics, "gang": self._gang, "syrm": self._syrm,
            "syrmanu": lambda argument, now: [f"{code}  {words}" for code, words in SYRINGES.items()],
            "ttime": self._ttime, "cttime": self._cttime,
            "itime": lambda argument, now: [time_text(self._seconds("i", now))],
            "wtime": lambda argument, now: [time_text(self._seconds("w", now))],
            "ctime": self._clear_time, "citime": self._clear_time, "cwtime": self._clear_time,
            "address": self._address, "diameter": self._diameter, "svolume": self._svolume, "force": self._force,
            "irate": lambda argument, now: self._rate("irate", argument, now),
            "wrate": lambda argument, now: self._rate("wrate", argument, now),
            "crate": lambda argument, now: [rate_text(self._present())] if self.state.moving else [],
            "tvolume": self._tvolume, "ctvolume": self._ctvolume,
            "ivolume": lambda argument, now: [volume_text(self.state.infused_ml)],
            "wvolume": lambda argument, now: [volume_text(self.state.withdrawn_ml)],
            "civolume": self._clear, "cwvolume": self._clear, "cvolume": self._clear,
            "irun": self._run, "wrun": self._run, "rrun": self._run, "run": self._run,
            "stop": self._stop, "stp": self._stop, "status": self._status, "nvram": self._nvram, "poll": self._poll,
        }  # fmt: skip

    # -- the Simulator seam

    @property
    def wake_at(self) -> float | None:
        s = self.state
        return s.until if s.moving and s.until < math.inf else None

    def wake(self, now: float) -> list[Action]:
        moved = self.state.moving
        self._advance(now)
        if self.announces and moved and not self.state.moving:
            return [Send(0.0, self._prompt())]
        return []

    def restarted(self, now: float) -> list[Action]:
        self._halt(now)
        s = self.state
        kept = (s.infused_ml, s.withdrawn_ml) if self.counters_kept else (0.0, 0.0)
        self.state = PumpState(
            s.address, s.diameter_mm, s.syringe_ml, s.force_percent, s.irate, s.wrate, s.nvram, s.gang, s.syringe,
            infused_ml=kept[0], withdrawn_ml=kept[1],
        )  # fmt: skip
        return []

    def stall(self, now: float) -> None:
        """The motor stalls; nothing happens at rest."""
        self._advance(now)
        if self.state.moving:
            self._halt(now)
            self.state.stalled = True

    def reset_totals(self, now: float) -> None:
        """Both volume counters are gone."""
        self._advance(now)
        self.state.infused_ml = self.state.withdrawn_ml = 0.0

    def acknowledge(self) -> None:
        """A person touches the display."""
        self.state.stalled = False

    def press_run(self, now: float) -> None:
        """A person touches run."""
        self._run("", now)

    def message(self, text: bytes, now: float) -> bytes:
        self._advance(now)
        line = text.decode("latin-1").strip().replace("\x00", "")
        found = re.match(r"(\d{1,2})\s*:?\s*", line)
        if int(found[1] if found else 0) != self.state.address:
            return b""
        said = self._do(line[found.end() :] if found else line, now)
        self._advance(now)
        start = self._start()
        lines = b"".join(b"\n" + start + (b":" if start else b"") + each.encode() + b"\r" for each in said)
        if self.state.poll == "remote":
            return b"".join(b"\n" + each.encode() + b"\r" for each in said)
        return lines + self._prompt() + (b"\x11" if self.state.poll == "on" else b"")

    def _start(self) -> bytes:
        number = self.state.address
        return b"" if self.plain or (number == 0 and not self.echoes_zero) else f"{number:02d}".encode()

    def _prompt(self) -> bytes:
        s = self.state
        if s.moving:
            sign = ">" if s.way == "i" else "<"
        elif s.stalled:
            sign = "*"
        else:
            sign = "T*" if s.at_target else ":"
        return b"\n" + self._start() + sign.encode()

    # -- commands

    def _do(self, line: str, now: float) -> list[str]:
        if not line:
            return []
        word, _, argument = line.lower().partition(" ")
        named = [each for each in COMMANDS if each == word] or [
            each for each in COMMANDS if len(word) >= 4 and each.startswith(word)
        ]
        if not named:
            return ["Unknown command"]
        handler = self.handlers.get(named[0])
        if handler is None:
            return []
        self._word = named[0]
        return handler(argument.strip(), now)

    _word: str = ""

    def _address(self, argument: str, now: float) -> list[str]:
        if not argument:
            return [f"Pump address is {self.state.address}"]
        if not argument.isdigit() or int(argument) > 99:
            return list(self.range_error)
        self.state.address = int(argument)
        return []

    def _diameter(self, argument: str, now: float) -> list[str]:
        if not argument:
            return [f"{self.state.diameter_mm:.4f} mm"]
        value = plain_number(argument)
        if value is None:
            return [f"Argument error: {argument}"]
        if not self.diameters_mm[0] <= value <= self.diameters_mm[1]:
            return list(self.range_error)
        self.state.diameter_mm = value
        return []

    def _svolume(self, argument: str, now: float) -> list[str]:
        if not argument:
            return [volume_text(self.state.syringe_ml)]
        value = volume_of(argument)
        if value is None:
            return [f"Argument error: {argument}"]
        self.state.syringe_ml = value
        return []

    def _force(self, argument: str, now: float) -> list[str]:
        if not argument:
            return [f"{self.state.force_percent}%"]
        value = plain_number(argument)
        if value is None or not 1 <= value <= 100:
            return [f"Argument error: {argument}"] if value is None else list(self.range_error)
        self.state.force_percent = round(value)
        return []

    def limits(self) -> tuple[float, float]:
        """Slowest and fastest rate of this syringe, mL/min."""
        share = (self.state.diameter_mm / DIAMETER_MM) ** 2
        return SLOWEST_ML_MIN * share, FASTEST_ML_MIN * share

    def _rate(self, which: str, argument: str, now: float) -> list[str]:
        low, high = self.limits()
        match argument:
            case "":
                return [rate_text(getattr(self.state, which))]
            case "lim":
                return [f"{rate_text(low)} to {rate_text(high)}"]
            case "max" | "min":
                value: float | None = high if argument == "max" else low
            case _:
                value = rate_of(argument)
        if value is None:
            return [f"Argument error: {argument}"]
        if not low * 0.999 <= value <= high * 1.001:
            return list(self.range_error)
        setattr(self.state, which, value)
        if self.state.moving and which[0] == self.state.way:
            self._turn(now)
        return []

    def _tvolume(self, argument: str, now: float) -> list[str]:
        s = self.state
        if not argument:
            return ["Target volume not set" if s.target_ml is None else volume_text(s.target_ml)]
        value = volume_of(argument)
        if value is None:
            return [f"Argument error: {argument}"]
        if s.moving:
            return ["Command error"]
        s.target_ml, s.at_target = value or None, False
        return []

    def _ttime(self, argument: str, now: float) -> list[str]:
        s = self.state
        if not argument:
            return ["Target time not set" if s.target_s is None else time_text(s.target_s)]
        value = time_of(argument)
        if value is None:
            return [f"Argument error: {argument}"]
        if s.moving:
            return ["Command error"]
        s.target_s, s.at_target = value or None, False
        return []

    def _cttime(self, argument: str, now: float) -> list[str]:
        self.state.target_s, self.state.at_target = None, False
        return []

    def _seconds(self, way: str, now: float) -> float:
        """Time run in one direction since it was cleared."""
        s = self.state
        kept = s.infuse_s if way == "i" else s.withdraw_s
        return kept + (now - s.run_began if s.moving and s.way == way else 0.0)

    def _clear_time(self, argument: str, now: float) -> list[str]:
        s = self.state
        if s.moving:
            return ["Command error"]
        if self._word != "cwtime":
            s.infuse_s = 0.0
        if self._word != "citime":
            s.withdraw_s = 0.0
        return []

    def _metrics(self, argument: str, now: float) -> list[str]:
        s = self.state
        return [
            self.version,
            f"Syringe diameter: {s.diameter_mm:.4f} mm",
            f"Syringe volume: {volume_text(s.syringe_ml)}",
            f"Infused volume: {volume_text(s.infused_ml)}",
            f"Withdrawn volume: {volume_text(s.withdrawn_ml)}",
        ]

    def _gang(self, argument: str, now: float) -> list[str]:
        if not argument:
            return [f"{self.state.gang} syringes"]
        if not argument.isdigit() or not 1 <= int(argument) <= 10:
            return [f"Argument error: {argument}"]
        self.state.gang = int(argument)
        return []

    def _syrm(self, argument: str, now: float) -> list[str]:
        """Code and size; the diameter is not taken from it (its table is not in the sheet)."""
        if not argument:
            return [self.state.syringe or "Custom"]
        code, _, size = argument.partition(" ")
        value = volume_of(size)
        if code not in SYRINGES or value is None:
            return [f"Argument error: {argument}"]
        self.state.syringe, self.state.syringe_ml = argument, value
        return []

    def _ctvolume(self, argument: str, now: float) -> list[str]:
        self.state.target_ml, self.state.at_target = None, False
        return []

    def _clear(self, argument: str, now: float) -> list[str]:
        s = self.state
        if s.moving:
            return ["Command error"]
        if self._word != "cwvolume":
            s.infused_ml = 0.0
        if self._word != "civolume":
            s.withdrawn_ml = 0.0
        s.at_target = False
        return []

    def _nvram(self, argument: str, now: float) -> list[str]:
        if argument in ("on", "off", "none"):
            self.state.nvram = argument
            return []
        return [f"NVRAM is {self.state.nvram.upper()}"] if not argument else [f"Argument error: {argument}"]

    def _poll(self, argument: str, now: float) -> list[str]:
        if argument in ("on", "off", "remote"):
            self.state.poll = argument
            return []
        return [f"Polling mode is {self.state.poll.upper()}"] if not argument else [f"Argument error: {argument}"]

    def _status(self, argument: str, now: float) -> list[str]:
        s = self.state
        volume = s.infused_ml if s.way == "i" else s.withdrawn_ml
        way = s.way.upper() if s.moving else s.way
        seconds = s.run_s + (now - s.run_began if s.moving else 0.0)
        flags = f"{way}.{'S' if s.stalled else '.'}.{s.way.upper()}{'T' if s.at_target else '.'}"
        return [f"{self._present() * 1e12 / 60:.0f} {seconds:.0f} {volume * 1e12:.0f} {flags}"]

    # -- motion

    def _present(self) -> float:
        return self.state.irate if self.state.way == "i" else self.state.wrate

    def _run(self, argument: str, now: float) -> list[str]:
        s = self.state
        if s.moving or s.stalled:
            return ["Command error"]
        s.way = {"irun": "i", "wrun": "w"}.get(self._word, s.way)
        if self._word == "rrun":
            s.way = "w" if s.way == "i" else "i"
        counted = s.infused_ml if s.way == "i" else s.withdrawn_ml
        s.run_from_ml = 0.0 if self.since_clear else counted
        if s.target_ml is not None and counted - s.run_from_ml >= s.target_ml:
            s.at_target = True
            return []
        s.moving, s.at_target, s.since, s.run_began, s.run_s = True, False, now, now, 0.0
        self._turn(now)
        return []

    def _turn(self, now: float) -> None:
        """Go on at the present rate, to the target volume or time, whichever comes first."""
        s = self.state
        s.until = math.inf
        if s.target_ml is not None:
            counted = s.infused_ml if s.way == "i" else s.withdrawn_ml
            s.until = now + (s.target_ml - counted + s.run_from_ml) / self._present() * 60
        if s.target_s is not None:
            s.until = min(s.until, s.run_began + s.target_s)
        self.barrel.run(now, self._present() * (1.0 if s.way == "i" else -1.0), s.until)

    def _stop(self, argument: str, now: float) -> list[str]:
        self._halt(now)
        self.state.at_target = False
        return []

    def _ended(self, at: float) -> None:
        s = self.state
        s.moving, s.run_s = False, at - s.run_began
        if s.way == "i":
            s.infuse_s += s.run_s
        else:
            s.withdraw_s += s.run_s

    def _halt(self, now: float) -> None:
        s = self.state
        if s.moving:
            self._count(min(now, s.until))
            self.barrel.halt(now)
            self._ended(now)

    def _advance(self, now: float) -> None:
        s = self.state
        if not s.moving:
            return
        self._count(min(now, s.until))
        if now >= s.until:
            s.at_target = True
            self._ended(s.until)

    def _count(self, at: float) -> None:
        s = self.state
        moved = self._present() * (at - s.since) / 60
        s.since = at
        if s.way == "i":
            s.infused_ml += moved
        else:
            s.withdrawn_ml += moved


class HarvardPhdUltra(Harvard11Elite):
    """Address 0 is not put in front (M: optional); range errors are explained in a second line (M)."""

    version = "PHD ULTRA I/W 3.0.1"
    echoes_zero = False
    diameters_mm = (0.1, 50.0)
    range_error = ("Range error:", "   the value is outside the limits of the pump")


class Harvard33Dds(HarvardPhdUltra):
    version = "33 DDS I/W 1.0.2"
