"""Firmware 4.x: the unified protocol. FireSting-PRO at 115200 baud, Pico meters at 19200."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulators.core.simulator import Action
from simulators.core.surroundings import Immersion
from simulators.devices.pyroscience_firesting.meter import (
    CALIBRATION_S,
    GENERAL,
    NO_REGISTER,
    WAKE_UP_S,
    ErrorReply,
    Meter,
)

ALL_SENSORS = 47
MEASURE_S = {1: 0.15, 2: 0.05, 4: 0.02, 8: 0.02, 32: 0.02}
"""What a measurement takes together: 0.1 to 0.3 s (X)."""
ANALYTE_BITS = {1: 8, 2: 9, 3: 10}


class Unified(Meter):
    """A meter that measures with one command."""

    firmware = 403
    result_count = 18

    def __init__(
        self,
        places: Immersion | Sequence[Immersion],
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(places, address, seed, options)
        self.commands |= {
            "MEA": self._mea,
            "CPH": self._cph,
            "#PDWN": self._pdwn,
            "#PWUP": self._pwup,
            "#STOP": self._stop,
            "#RSET": self._rset,
            "#RDUM": self._rdum,
            "#WRUM": self._wrum,
        }

    def _vers(self, line: str, numbers: list[int], now: float) -> list[Action]:
        """`#VERS D N R S B F`; the page that prints `#VERS 1` is taken for a slip."""
        sensors = 0b101111 | sum(1 << ANALYTE_BITS.get(each[11], 0) for each in self.state.settings[:1])
        return self.echo(line, self.device_id, len(self.places), self.version, sensors, 2, 271)

    def _mea(self, line: str, numbers: list[int], now: float) -> list[Action]:
        channel = self.channel(numbers, 2)
        sensors = numbers[1]
        if not 0 <= sensors <= 63:
            raise ErrorReply(GENERAL)
        takes = sum(seconds for bit, seconds in MEASURE_S.items() if sensors & bit)
        if self.state.powered_down:
            takes += WAKE_UP_S  # "a measurement powers up by itself" (V)
            self.state.powered_down = False
        return self.echo(line, *self.measure(channel, sensors, now), extra_s=takes)

    def _cph(self, line: str, numbers: list[int], now: float) -> list[Action]:
        channel = self.channel(numbers, 5)
        point, ph = numbers[1:3]
        s = self.state
        if not 0 <= point <= 2 or s.settings[channel][11] != 3:
            raise ErrorReply(GENERAL)
        kept = s.calibration[channel]
        raw = round(1000 * (self.places[channel].liquid(now).ph + self.ph_error))
        if point == 2:
            kept[4] += ph - self.measure(channel, 1, now)[14]
        else:
            kept[2 * point : 2 * point + 2] = [raw, ph]
        return self.echo(line, extra_s=CALIBRATION_S)

    def _pdwn(self, line: str, numbers: list[int], now: float) -> list[Action]:
        self.state.powered_down = True
        return self.echo(line)

    def _pwup(self, line: str, numbers: list[int], now: float) -> list[Action]:
        self.state.powered_down = False
        return self.echo(line, extra_s=WAKE_UP_S)

    def _stop(self, line: str, numbers: list[int], now: float) -> list[Action]:
        actions = self.echo(line)
        self.state.asleep = True
        return actions

    def _rset(self, line: str, numbers: list[int], now: float) -> list[Action]:
        actions = self.echo(line)
        self.restarted(now)
        return actions

    def _memory(self, numbers: list[int]) -> tuple[int, int]:
        if len(numbers) < 2:
            raise ErrorReply(GENERAL)
        first, count = numbers[:2]
        if first < 0 or count < 1 or first + count > len(self.state.memory):
            raise ErrorReply(NO_REGISTER)
        return first, count

    def _rdum(self, line: str, numbers: list[int], now: float) -> list[Action]:
        first, count = self._memory(numbers)
        return self.echo(line, *self.state.memory[first : first + count])

    def _wrum(self, line: str, numbers: list[int], now: float) -> list[Action]:
        first, count = self._memory(numbers)
        if len(numbers) != 2 + count:
            raise ErrorReply(GENERAL)
        self.state.memory[first : first + count] = numbers[2:]
        return self.echo(line)


class FireStingProO2(Unified):
    """Four channels set to oxygen; its device id is not published (7 is ours)."""

    device_id, channels, analyte, baud_rate = 7, 4, 1, 115200


class FireStingProPh(FireStingProO2):
    analyte = 3


class FireStingProTemperature(FireStingProO2):
    analyte = 2


class PicoO2(Unified):
    """One channel; its device id is not published (5 is ours)."""

    device_id, channels, analyte, baud_rate = 5, 1, 1, 19200


class PicoPh(Unified):
    """One channel; device id 4 (V)."""

    device_id, channels, analyte, baud_rate = 4, 1, 3, 19200
