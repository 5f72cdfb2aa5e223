"""What all PyroScience meters share: registers in RAM and in flash, calibration, errors, measuring.

Guesses where the sheet has a question mark: an invalid result is the marker -300000; a lone CR while awake is answered
with one; a value out of a setting's range is `#ERRO -1`; the pH calibration is called CPH and keeps its points in
calibration registers 0 to 4; the CRC behind a reply (register 7) is that of CRC-16 in decimal.
"""

from __future__ import annotations

import math
import re
from binascii import crc_hqx
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from simulators.core.noise import noise
from simulators.core.simulator import Action, Send
from simulators.core.surroundings import Immersion, Liquid
from simulators.core.text import TextUnit
from simulators.devices.pyroscience_firesting import optics

GENERAL, NO_CHANNEL, NO_REGISTER, LOCKED = -1, -2, -11, -12
MARKER = -300_000
WAKE_UP_S = 0.25
CALIBRATION_S = 4.0
"""16 measurements, 3 to 6 s (V)."""
SAVE_S = 0.1
SETTINGS = (-300_000, -1, 0, 5, 3, 5, 4000, 0, 0, 3, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0)
"""Pt100, internal pressure, fresh water; the codes of a usual sensor."""
RANGES = {2: (0, 1_000_000), 3: (1, 8), 4: (0, 7), 5: (0, 7), 6: (1, 32_000), 7: (0, 1), 11: (0, 3), 12: (0, 2)}
"""Settings registers with a documented range."""
OXYGEN = (53_000, 22_000, 20_000, 20_000, 1_013_250, 100_000, 808, 29_870, 4000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20_950)
PH = (5000, 5000, 9000, 9000, 0)
"""Raw and taught pH of the low and of the high point, offset, all x 1000."""
NUMBER = re.compile(r"-?\d+")


class ErrorReply(Exception):
    """Answered with `#ERRO code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class State:
    """What the meter remembers: one list a channel; `saved_…` and `memory` are flash, the rest is lost at power-off."""

    settings: list[list[int]]
    calibration: list[list[int]]
    results: list[list[int]]
    saved_settings: list[list[int]]
    saved_calibration: list[list[int]]
    faults: list[int]
    """Status bits that are on whatever is measured, a channel each."""
    memory: list[int] = field(default_factory=lambda: [0] * 64)
    asleep: bool = False
    powered_down: bool = False
    flash_fails: int = 0
    """So many SVS are still answered with -13."""
    leds: int = 0
    """How often the LED was asked to flash."""
    measured: int = 0
    """Optical measurements, for the noise and for the bleaching."""


class Meter(TextUnit):
    """Options: `channels`, `analyte` (o2, ph, temperature; all channels), `serial`, `firmware` (x 100), `pressure_hpa`,
    `phase_error` (deg, an aged spot), `ph_error` (a sensor that errs by so much)."""

    ends = b"\r"
    device_id: ClassVar[int]
    channels: ClassVar[int]
    firmware: ClassVar[int]
    analyte: ClassVar[int]
    result_count: ClassVar[int]
    baud_rate: ClassVar[int]
    analytes: ClassVar[Mapping[str, int]] = {"o2": 1, "temperature": 2, "ph": 3}
    state: State

    def __init__(
        self,
        places: Immersion | Sequence[Immersion],
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        """One place is that of every channel; several make as many channels."""
        super().__init__(self.baud_rate)
        options = options or {}
        if isinstance(places, Sequence):
            self.places: list[Immersion] = list(places)
        else:
            self.places = [places] * int(options.get("channels", self.channels))
        self.seed = seed
        self.serial = str(options.get("serial", "2296536137892833272"))
        self.version = int(options.get("firmware", self.firmware))
        self.pressure_hpa = float(options.get("pressure_hpa", 1013.25))
        self.humidity = float(options.get("humidity", 35.4))
        self.phase_error = float(options.get("phase_error", 0.0))
        self.ph_error = float(options.get("ph_error", 0.0))
        analyte = self.analytes[str(options["analyte"])] if "analyte" in options else self.analyte
        settings = [*SETTINGS[:11], analyte, *SETTINGS[12:]]
        kept = self.first_calibration(analyte)
        count = len(self.places)
        self.state = State(
            settings=[list(settings) for _ in range(count)],
            calibration=[list(kept) for _ in range(count)],
            results=[[0] * self.result_count for _ in range(count)],
            saved_settings=[list(settings) for _ in range(count)],
            saved_calibration=[list(kept) for _ in range(count)],
            faults=[0] * count,
        )
        self.commands: dict[str, Callable[[str, list[int], float], list[Action]]] = {
            "#VERS": self._vers,
            "#IDNR": self._idnr,
            "#LOGO": self._logo,
            "RMR": self._rmr,
            "WTM": self._wtm,
            "CHI": self._chi,
            "CLO": self._clo,
            "BGC": self._bgc,
            "BCL": self._bcl,
            "SVS": self._svs,
            "LDS": self._lds,
        }

    def first_calibration(self, analyte: int) -> list[int]:
        kept = [*OXYGEN] if analyte == 1 else [*PH] if analyte == 3 else []
        return kept + [0] * (30 - len(kept))

    # -- the line

    def message(self, text: bytes, now: float) -> list[Action]:
        line = text.lstrip(b"\n").decode("latin-1")
        s = self.state
        if s.asleep:
            s.asleep = False
            return [Send(WAKE_UP_S, b"\r")]
        if not line:
            return self.say("")
        name, *words = line.split(" ")
        command = self.commands.get(name)
        try:
            if command is None or not all(NUMBER.fullmatch(word) for word in words):
                raise ErrorReply(GENERAL)
            return command(line, [int(word) for word in words], now)
        except ErrorReply as no:
            return self.say(f"#ERRO {no.code}", len(line))

    def say(self, text: str, asked: int = 0, extra_s: float = 0.0) -> list[Action]:
        """`text` and CR, after both messages' time on the cable and `extra_s` of work."""
        if text and not text.startswith("#ERRO") and self.state.settings[0][7]:
            text += f":{crc_hqx(text.encode('latin-1'), 0xFFFF)}"
        actions = self.reply(text.encode("latin-1") + b"\r", asked)
        return [Send(action.delay_s + extra_s, action.data) for action in actions if isinstance(action, Send)]

    def echo(self, line: str, *values: int, extra_s: float = 0.0) -> list[Action]:
        return self.say(" ".join((line, *map(str, values))), len(line), extra_s)

    def channel(self, numbers: list[int], least: int, most: int | None = None) -> int:
        """The channel (from 0) that leads `least` to `most` parameters."""
        if not least <= len(numbers) <= (least if most is None else most):
            raise ErrorReply(GENERAL)
        if not 1 <= numbers[0] <= len(self.places):
            raise ErrorReply(NO_CHANNEL)
        return numbers[0] - 1

    # -- commands of every firmware

    def _vers(self, line: str, numbers: list[int], now: float) -> list[Action]:
        raise NotImplementedError

    def _idnr(self, line: str, numbers: list[int], now: float) -> list[Action]:
        if self.version < 322:
            raise ErrorReply(GENERAL)
        return self.say(f"{line} {self.serial}", len(line))

    def _logo(self, line: str, numbers: list[int], now: float) -> list[Action]:
        self.state.leds += 1
        return self.echo(line)

    def _span(self, numbers: list[int]) -> tuple[list[int], int, int, int]:
        """The register list, type, first index and count of `C T R N …`."""
        if len(numbers) < 4:
            raise ErrorReply(GENERAL)
        channel = self.channel(numbers[:4], 4)
        _, kind, first, count = numbers[:4]
        s = self.state
        spaces = {0: s.settings, 1: s.calibration, 3: s.results}
        if kind not in spaces or first < 0 or count < 1 or first + count > len(spaces[kind][channel]):
            raise ErrorReply(NO_REGISTER)
        return spaces[kind][channel], kind, first, count

    def _rmr(self, line: str, numbers: list[int], now: float) -> list[Action]:
        if len(numbers) != 4:
            raise ErrorReply(GENERAL)
        found, _, first, count = self._span(numbers)
        return self.echo(line, *found[first : first + count])

    def _wtm(self, line: str, numbers: list[int], now: float) -> list[Action]:
        found, kind, first, count = self._span(numbers)
        values = numbers[4:]
        if len(values) != count:
            raise ErrorReply(GENERAL)
        if kind == 3:
            raise ErrorReply(LOCKED)
        for index, value in enumerate(values, first):
            low, high = RANGES.get(index, (-(2**31), 2**31 - 1)) if kind == 0 else (-(2**31), 2**31 - 1)
            if not low <= value <= high:
                raise ErrorReply(GENERAL)
        found[first : first + count] = values
        return self.echo(line)

    def _chi(self, line: str, numbers: list[int], now: float) -> list[Action]:
        channel = self.channel(numbers, 4)
        _, cel, pressure, humidity = numbers
        kept = self.state.calibration[channel]
        kept[3:6] = [cel, pressure, humidity]
        kept[1] = round(1000 * self.phase(channel, now))
        return self.echo(line, extra_s=CALIBRATION_S)

    def _clo(self, line: str, numbers: list[int], now: float) -> list[Action]:
        channel = self.channel(numbers, 2)
        kept = self.state.calibration[channel]
        kept[2] = numbers[1]
        kept[0] = round(1000 * self.phase(channel, now))
        return self.echo(line, extra_s=CALIBRATION_S)

    def _bgc(self, line: str, numbers: list[int], now: float) -> list[Action]:
        self.state.calibration[self.channel(numbers, 1)][11] = 4000
        return self.echo(line, extra_s=CALIBRATION_S)

    def _bcl(self, line: str, numbers: list[int], now: float) -> list[Action]:
        self.state.calibration[self.channel(numbers, 1)][11] = 0
        return self.echo(line)

    def _svs(self, line: str, numbers: list[int], now: float) -> list[Action]:
        channel, s = self.channel(numbers, 1), self.state
        if s.flash_fails:
            s.flash_fails -= 1
            raise ErrorReply(-13)
        s.saved_settings[channel] = list(s.settings[channel])
        s.saved_calibration[channel] = list(s.calibration[channel])
        return self.echo(line, extra_s=SAVE_S)

    def _lds(self, line: str, numbers: list[int], now: float) -> list[Action]:
        self._reload(self.channel(numbers, 1))
        return self.echo(line)

    def _reload(self, channel: int) -> None:
        s = self.state
        s.settings[channel] = list(s.saved_settings[channel])
        s.calibration[channel] = list(s.saved_calibration[channel])

    def restarted(self, now: float) -> list[Action]:
        """Settings and calibration as they were saved; no greeting is known."""
        s = self.state
        for channel in range(len(self.places)):
            self._reload(channel)
            s.results[channel] = [0] * self.result_count
        s.asleep = s.powered_down = False
        return []

    # -- measuring

    def phase(self, channel: int, now: float) -> float:
        """dphi of the channel's oxygen spot in degrees."""
        return optics.phase_deg(self.places[channel].liquid(now).do_percent) + self.phase_error

    def measure(self, channel: int, sensors: int, now: float) -> list[int]:
        """Put what these sensors (1 optical, 2 Pt100, 4 pressure, 8 humidity, 32 case) see into the results."""
        s = self.state
        liquid, found, faults = self.places[channel].liquid(now), s.results[channel], s.faults[channel]
        if self.humidity > 90:
            faults |= 1 << 7
        if math.isnan(liquid.cel):
            faults |= 1 << 5
        if math.isnan(self._analyte(channel, liquid)):
            faults |= 1 << 2
        found[0] = faults
        if sensors & 2:
            found[5] = MARKER if faults & 1 << 5 else round(1000 * (liquid.cel + self.shake(0.01)))
            found[11] = MARKER if faults & 1 << 5 else round(1000 * (100 + 0.385 * liquid.cel))
        if sensors & 32:
            found[6] = MARKER if faults & 1 << 8 else 31_250
        if sensors & 4:
            found[9] = MARKER if faults & 1 << 9 else round(1000 * self.pressure_hpa)
        if sensors & 8:
            found[10] = MARKER if faults & 1 << 10 else round(1000 * self.humidity)
        if sensors & 1:
            s.measured += 1
            found[7], found[8] = 152_300, 1200
            if faults & 0b10100:
                for index in (1, 2, 3, 4, 12, *range(13, len(found))):
                    found[index] = MARKER
            else:
                for index in (1, 2, 3, 4, 12):
                    found[index] = 0 if found[index] == MARKER else found[index]
                self._optical(channel, liquid, found, now)
        return found

    def _analyte(self, channel: int, liquid: Liquid) -> float:
        """What the optical sensor of a channel feels; nan where it, or the temperature it needs, is broken."""
        analyte = self.state.settings[channel][11]
        felt = {1: liquid.do_percent, 2: liquid.cel, 3: liquid.ph}.get(analyte, 0.0)
        return felt if self.state.settings[channel][0] > MARKER else felt + liquid.cel

    def _optical(self, channel: int, liquid: Liquid, found: list[int], now: float) -> None:
        settings, kept = self.state.settings[channel], self.state.calibration[channel]
        if settings[11] == 1:
            phase = self.phase(channel, now) + self.shake(0.01)
            air = optics.air_percent(phase, kept[0] / 1000, kept[1] / 1000)
            cel = self.compensation_cel(settings[0], liquid, channel, now)
            hpa = self.pressure_hpa if settings[1] == -1 else settings[1] / self.pressure_setting_scale
            oxygen = optics.oxygen_hpa(air, cel, hpa)
            found[1] = round(1000 * phase)
            found[2] = round(10 * air * optics.saturated_umol_l(cel, settings[2] / 1000) * hpa / 1013.25)
            found[3] = round(1000 * oxygen)
            found[4] = round(1000 * air)
            found[12] = round(1e5 * oxygen / hpa)
        elif settings[11] == 2 and len(found) > 13:
            found[13] = round(1000 * (liquid.cel + self.shake(0.02)))
        elif settings[11] == 3 and len(found) > 14:
            low, taught_low, high, taught_high, offset = kept[:5]
            raw = 1000 * (liquid.ph + self.ph_error + self.shake(0.003))
            slope = (taught_high - taught_low) / (high - low) if high != low else 1.0
            found[14] = round(taught_low + (raw - low) * slope + offset)

    pressure_setting_scale: ClassVar[float] = 1000.0

    def compensation_cel(self, setting: int, liquid: Liquid, channel: int, now: float) -> float:
        """The temperature the meter corrects for: fixed, the Pt100, or another channel's optical one."""
        if setting < MARKER and MARKER - setting <= len(self.places):
            return self.places[MARKER - setting - 1].liquid(now).cel
        return liquid.cel if setting <= MARKER else setting / 1000

    def shake(self, deviation: float) -> float:
        if self.seed is None:
            return 0.0
        self.state.measured += 1
        return deviation * noise(self.seed, self.state.measured)
