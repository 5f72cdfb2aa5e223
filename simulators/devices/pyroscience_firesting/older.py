"""Firmware below 4: FireStingO2 and Piccolo2, one command a sensor and then RMR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulators.core.simulator import Action
from simulators.core.surroundings import Immersion
from simulators.devices.pyroscience_firesting.meter import CALIBRATION_S, GENERAL, ErrorReply, Meter

TRIGGERS = {"MSR": (1, 0.15), "TMP": (2, 0.05), "PRS": (4, 0.02), "HUM": (8, 0.02)}
"""Sensors and time of a measurement (X); the case temperature has no command and is taken to be always fresh."""
CASE = 32


class FireStingO2(Meter):
    """Four channels, firmware 3.22."""

    device_id, channels, firmware, analyte, result_count, baud_rate = 0, 4, 322, 1, 13, 19200

    def __init__(
        self,
        places: Immersion | Sequence[Immersion],
        address: int = 0,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        super().__init__(places, address, seed, options)
        self.commands |= dict.fromkeys(TRIGGERS, self._trigger)
        self.commands |= {"ENV": self._env, "RAL": self._ral}

    def _vers(self, line: str, numbers: list[int], now: float) -> list[Action]:
        return self.echo(line, self.device_id, len(self.places), self.version, 303)

    def _trigger(self, line: str, numbers: list[int], now: float) -> list[Action]:
        sensors, takes = TRIGGERS[line.split(" ", 1)[0]]
        self.measure(self.channel(numbers, 1), sensors, now)
        return self.echo(line, extra_s=takes)

    def _env(self, line: str, numbers: list[int], now: float) -> list[Action]:
        """Temperature, pressure and salinity of the compensation at once."""
        channel = self.channel(numbers, 4)
        self.state.settings[channel][:3] = numbers[1:]
        return self.echo(line)

    def _ral(self, line: str, numbers: list[int], now: float) -> list[Action]:
        return self.echo(line, *self.measure(self.channel(numbers, 1), CASE, now))

    def _rmr(self, line: str, numbers: list[int], now: float) -> list[Action]:
        self.measure(self.channel(numbers, 4), CASE, now)
        return super()._rmr(line, numbers, now)


class FireStingO2Old(FireStingO2):
    """Firmware 3.10 (or `firmware` below 320): `CHI C 16 0`, `CLO C 16 0`; up to 3.10 the pressure is in plain mbar."""

    firmware = 310

    def first_calibration(self, analyte: int) -> list[int]:
        kept = super().first_calibration(analyte)
        if self.version <= 310:
            kept[4], kept[5] = 1013, 100
        return kept

    def _vers(self, line: str, numbers: list[int], now: float) -> list[Action]:
        return self.echo(line, self.device_id, len(self.places), self.version)

    def _chi(self, line: str, numbers: list[int], now: float) -> list[Action]:
        channel = self._sixteen(numbers)
        self.state.calibration[channel][1] = round(1000 * self.phase(channel, now))
        return self.echo(line, extra_s=CALIBRATION_S)

    def _clo(self, line: str, numbers: list[int], now: float) -> list[Action]:
        channel = self._sixteen(numbers)
        self.state.calibration[channel][0] = round(1000 * self.phase(channel, now))
        return self.echo(line, extra_s=CALIBRATION_S)

    def _sixteen(self, numbers: list[int]) -> int:
        channel = self.channel(numbers, 3)
        if numbers[1:] != [16, 0]:
            raise ErrorReply(GENERAL)
        return channel
