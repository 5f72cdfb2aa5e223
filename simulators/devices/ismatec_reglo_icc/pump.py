"""Ismatec Reglo ICC seen from the cable; sheet ismatec-reglo-icc.md.

Guesses where the sheet has a question mark: `^U` comes once a second for every channel while any of them is not at
rest; after power-up the pump is in legacy addressing with messages off and its counters kept (options `addressing` =
legacy | channel, `counters` = kept | lost); starting a running channel is answered `#`; after an over current
everything that starts is answered `#` until `-`; a dose paused by `xI` goes on by `H` unless `I` came between; the
trip volume is each channel's own (option `trip` = channel | pump).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from simulators.core.simulator import Action, Send
from simulators.core.surroundings import Tube
from simulators.core.text import TextUnit
from simulators.devices.ismatec_reglo_icc.channel import (
    AT_REST,
    CALIBRATING,
    GOING,
    ROLLERS,
    WAITING,
    Channel,
)
from simulators.devices.ismatec_reglo_icc.settings import DONE, GETTERS, NOT_DONE, SETTERS, whole

NO, YES = b"-", b"+"
TWO_LETTERS = ("DA", "VM", "VH", "TM", "TH")
EVENTS_EVERY_S = 1.0
PROCESSING_S = 0.005


class NoTube:
    """A channel without a tube: its rollers turn in the air."""

    def run(self, now: float, ml_min: float, until: float) -> None:
        pass

    def halt(self, now: float) -> None:
        pass


@dataclass(slots=True)
class State:
    """What the pump remembers besides its channels."""

    address: int = 1
    by_channel: bool = False
    events: bool = False
    event_at: float | None = None
    overload: bool = False
    name: str = ""
    language: int = 0
    keypad: bool = True
    serial: str = ""
    head: str = ""
    """Head code: channels and rollers."""


class IsmatecRegloIcc(TextUnit):
    """A pump of one to four channels. `place` is a sequence of tubes, or one tube in channel `channel` (option, 1)."""

    ends = b"\r\n"

    def __init__(
        self,
        place: Tube | Sequence[Tube],
        address: int = 1,
        seed: int | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        """`seed` is taken for symmetry: the pump has no noise."""
        super().__init__(9600, PROCESSING_S)
        options = options or {}
        count = int(float(options.get("channels", 4)))
        tubes: list[Tube] = [NoTube() for _ in range(count)]
        if isinstance(place, Sequence):
            tubes[: len(place)] = place[:count]
        else:
            tubes[int(float(options.get("channel", 1))) - 1] = place
        self.tubes = tubes
        self.setters = SETTERS
        self.channels = [Channel(diameter=round(100 * float(options.get("tube_mm", 2.06)))) for _ in range(count)]
        self.legacy_at_power_up = options.get("addressing", "legacy") == "legacy"
        self.keeps_counters = options.get("counters", "kept") == "kept"
        self.trip_of_pump = options.get("trip", "channel") == "pump"
        self.state = State(
            address or 1,
            not self.legacy_at_power_up,
            serial=str(options.get("serial", "00C1F4A2")),
            head=f"{count}{ROLLERS:02d}",
        )

    # -- time

    @property
    def wake_at(self) -> float | None:
        first = self.state.event_at
        for channel in self.channels:
            if channel.until is not None and (first is None or channel.until < first):
                first = channel.until
        return first

    def wake(self, now: float) -> list[Action]:
        said = b""
        for number, (channel, tube) in enumerate(zip(self.channels, self.tubes, strict=True), 1):
            if channel.doing != AT_REST and (cause := channel.advance(tube, now)):
                said += b"^X%d|%s\r\n" % (number, cause.encode())
        state = self.state
        if state.event_at is not None and now >= state.event_at:
            state.event_at += EVENTS_EVERY_S * max(1, math.ceil((now - state.event_at) / EVENTS_EVERY_S + 1e-9))
            for number, channel in enumerate(self.channels, 1):
                left = 0.0 if channel.until is None else max(0.0, channel.until - now)
                ul = round(channel.cycle_ml * 1000)
                said += b"^U%d|%s|%010d|%010d|%04d\r\n" % (
                    number, channel.doing.encode(), round(left), ul, max(0, channel.cycles_left)
                )  # fmt: skip
        if said:
            self._time_events(now)
        return self._unasked(said)

    def _time_events(self, now: float) -> None:
        """The next `^U`, or none while nothing goes on: an idle pump costs nothing."""
        state = self.state
        if not state.events or all(channel.doing == AT_REST for channel in self.channels):
            state.event_at = None
        elif state.event_at is None:
            state.event_at = now + EVENTS_EVERY_S

    def restarted(self, now: float) -> list[Action]:
        for channel, tube in zip(self.channels, self.tubes, strict=True):
            channel.advance(tube, now)
            if channel.doing != AT_REST:
                tube.halt(now)
                channel.doing, channel.until = AT_REST, None
            channel.paused_s = 0.0
            if not self.keeps_counters:
                channel.total_ml = channel.total_rev = channel.total_s = channel.trip_ml = 0.0
            channel.cycle_ml = 0.0
        old = self.state
        self.state = State(old.address, not self.legacy_at_power_up, name=old.name, serial=old.serial, head=old.head)
        return []

    def over_current(self, channel: int, now: float) -> list[Action]:
        """A motor is blocked: its channel stops and says so, and nothing starts until the overload is cleared."""
        self.state.overload = True
        return self._stopped(channel, "3", now)

    def stop_key(self, channel: int, now: float) -> list[Action]:
        """Somebody presses stop at the pump."""
        return self._stopped(channel, "1", now)

    def wait_for_measured(self, channel: int, now: float) -> None:
        """A calibration run, begun at the pump's keys, is over."""
        self.channels[channel - 1].doing = WAITING
        self._time_events(now)

    def _stopped(self, channel: int, cause: str, now: float) -> list[Action]:
        actions = self.wake(now)
        one = self.channels[channel - 1]
        if one.doing in GOING:
            one.stop(self.tubes[channel - 1], now)
            actions += self._unasked(b"^X%d|%s\r\n" % (channel, cause.encode()))
            self._time_events(now)
        return actions

    def _unasked(self, said: bytes) -> list[Action]:
        return [Send(len(said) * self.bits / self.baud, said)] if said and self.state.events else []

    # -- commands

    def message(self, text: bytes, now: float) -> bytes | list[Action]:
        said = self.wake(now)
        reply = self._answer(text.decode("latin-1"), now)
        return [*said, *self.reply(reply, len(text) + 1)]

    def _answer(self, text: str, now: float) -> bytes:
        state = self.state
        if text[:1] == "@" and text[1:] in tuple("12345678"):
            state.address = int(text[1:])
            return DONE
        head, body = text[:1], text[1:]
        if not body or not (head.isascii() and head.isdigit()):
            return b""
        numbers = range(1, len(self.channels) + 1)
        if not state.by_channel:
            if head != str(state.address):
                return b""
        elif head != "0":
            numbers = [number for number in numbers if str(number) == head]
            if not numbers:
                return b""
        code = body[:2] if body[0] == "x" or body[:2] in TWO_LETTERS else body[:1]
        parameter = body[len(code) :]
        for_pump = self._of_pump(code, parameter)
        if for_pump is not None:
            return for_pump
        return self._of_channels(code, parameter, [number - 1 for number in numbers], now)

    def _of_pump(self, code: str, parameter: str) -> bytes | None:
        """What concerns the whole pump; None = it is a channel's command."""
        state = self.state
        match code, parameter:
            case "~", "":
                return b"%d\r\n" % state.by_channel
            case "~", "0" | "1":
                state.by_channel = parameter == "1"
                return DONE
            case "xE", "":
                return b"%d\r\n" % state.events
            case "E", "":
                return YES if any(each.doing in GOING for each in self.channels) else NO
            case "x!", "":
                return b"2\r\n"
            case "#", "":
                return f"REGLO ICC 0208 {state.head}\r\n".encode()
            case "(", "":
                return b"0114\r\n"
            case ")", "":
                return f"{state.head}\r\n".encode()
            case ")", _:
                raw = whole(parameter, 4)
                if not raw:
                    return NOT_DONE
                state.head = str(raw)
                return DONE
            case "xS", "":
                return state.serial.encode("latin-1") + b"\r\n"
            case "xS", _:
                state.serial = parameter
                return DONE
            case "xA", "":
                return b"%d\r\n" % len(self.channels)
            case "xA", _:
                return DONE if whole(parameter, 4) == len(self.channels) else NOT_DONE
            case "xL", "":
                return b"%d\r\n" % state.language
            case "xL", "0" | "1" | "2" | "3":
                state.language = int(parameter)
                return DONE
            case "xN", _ if parameter:
                state.name = parameter
                return DONE
            case "A" | "B", "":
                state.keypad = code == "A"
                return DONE
            case "D" | "DA", _ if len(parameter) < 17:
                return DONE
            case "*", "":
                return DONE
            case "C", "":
                return NO
            case "-", "":
                state.overload = False
                return DONE
            case _:
                return None

    def _of_channels(self, code: str, parameter: str, numbers: Sequence[int], now: float) -> bytes:
        if code == "xE" and parameter in ("0", "1"):
            self.state.events = parameter == "1"
            self._time_events(now)
            return DONE
        chosen = [(self.channels[number], self.tubes[number]) for number in numbers]
        if code == "0" and parameter in ("", "00000"):
            for number in numbers:
                self._reset(number, everything=not parameter, now=now)
            return DONE
        if parameter:
            setter = self.setters.get(code)
            if setter is None:
                return NOT_DONE
            said = [setter(channel, parameter) for channel, _ in chosen]
            return said[0]
        match code:
            case "H":
                return self._start(chosen, now)
            case "I" | "xI":
                for channel, tube in chosen:
                    if code == "xI" and channel.doing in GOING:
                        channel.pause(tube, now)
                    elif code == "I" and (channel.doing in GOING or channel.paused_s):
                        channel.stop(tube, now)
                self._time_events(now)
                return DONE
            case "xY":
                return self._calibrate(chosen, now)
            case "xZ":
                for channel, tube in chosen:
                    if channel.doing in (CALIBRATING, WAITING):
                        channel.stop(tube, now)
                self._time_events(now)
                return DONE
            case "J" | "K":
                for channel, _ in chosen:
                    channel.clockwise = code == "J"
                return DONE
            case "L" | "M" | "O" | "G" | "Q" | "N" | "P":
                for channel, _ in chosen:
                    channel.mode = code
                return DONE
            case "W":
                for channel, _ in chosen:
                    channel.trip_ml = 0.0
                return DONE
            case _:
                if code == ":":
                    return self._trip(chosen[0][0]) + b"\r\n"
                getter = GETTERS.get(code)
                return getter(chosen[0][0]) + b"\r\n" if getter else NOT_DONE

    def _start(self, chosen: list[tuple[Channel, Tube]], now: float) -> bytes:
        if self.state.overload or any(channel.doing in GOING for channel, _ in chosen):
            return NOT_DONE
        if any(channel.why_not() for channel, _ in chosen):
            return NO
        for channel, tube in chosen:
            channel.start(tube, now)
        self._time_events(now)
        return DONE

    def _calibrate(self, chosen: list[tuple[Channel, Tube]], now: float) -> bytes:
        if self.state.overload or any(channel.doing != AT_REST for channel, _ in chosen):
            return NOT_DONE
        if any(not channel.calibration_target or not channel.calibration_s for channel, _ in chosen):
            return NO
        for channel, tube in chosen:
            channel.calibrate(tube, now)
        self._time_events(now)
        return DONE

    def _reset(self, number: int, everything: bool, now: float) -> None:
        """Factory settings (`0`), or only the calibration away (`000000`)."""
        old = self.channels[number]
        if not everything:
            old.calibration = 1.0
            return
        old.stop(self.tubes[number], now)
        counters = old.total_ml, old.total_rev, old.total_s, old.trip_ml
        new = self.channels[number] = Channel()
        new.total_ml, new.total_rev, new.total_s, new.trip_ml = counters

    def _trip(self, channel: Channel) -> bytes:
        counted = self.channels if self.trip_of_pump else [channel]
        return b"%.3f ml" % sum(each.trip_ml for each in counted)

    # -- memory

    def reset_totals(self, now: float) -> None:
        """All totals of all channels are gone, as by a person at the panel."""
        for channel, tube in zip(self.channels, self.tubes, strict=True):
            channel.advance(tube, now)
            channel.total_ml = channel.total_rev = channel.total_s = channel.trip_ml = 0.0

    def snapshot(self) -> dict[str, object]:
        return super().snapshot() | {"channels": [asdict(channel) for channel in self.channels]}

    def restore(self, saved: dict[str, object]) -> None:
        super().restore(saved)
        rows = cast("list[dict[str, Any]]", saved["channels"])
        self.channels[:] = [Channel(**row) for row in rows]
