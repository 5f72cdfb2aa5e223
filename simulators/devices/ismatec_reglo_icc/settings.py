"""What can be set and asked of one channel, in the pump's number formats; sheet ismatec-reglo-icc.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from simulators.devices.ismatec_reglo_icc.channel import (
    AT_REST,
    DIAMETERS,
    FASTEST_RPM,
    SLOWEST_RPM,
    WAITING,
    Channel,
    flow_at_full_speed,
)

DONE, NOT_DONE = b"*", b"#"
LEGACY_TIMES = {"V": (0.1, 4), "VM": (60.0, 3), "VH": (3600.0, 3), "T": (0.1, 4), "TM": (60.0, 3), "TH": (3600.0, 3)}
"""Seconds in one digit, and digits: V run time, T pause time."""


def shown(ml: float) -> bytes:
    """Volume 1: four digits, E, sign and power; the point is behind the first digit."""
    digits, power = f"{ml:.3e}".split("e")
    return f"{digits.replace('.', '')}E{int(power):+d}".encode()


def meant(text: str) -> float | None:
    """Volume 2: four digits, sign and power."""
    match = re.fullmatch(r"(\d{4})([+-])(\d)", text, re.ASCII)
    return int(match[1]) / 1000 * 10.0 ** int(match[2] + match[3]) if match else None


def whole(text: str, width: int) -> int | None:
    return int(text) if len(text) == width and text.isascii() and text.isdigit() else None


def reason(channel: Channel) -> bytes:
    why = channel.why_not()
    limit = channel.full_flow if why == "R" else 1e4 if why == "V" else 1.0
    return f"{why or 'R'} ".encode() + shown(limit)


def set_rpm(channel: Channel, text: str) -> bytes:
    raw = whole(text, 6)
    if raw is None or raw < SLOWEST_RPM * 100:
        return NOT_DONE
    channel.rpm = min(raw / 100, FASTEST_RPM)  # the manual's own example is 123.00 rpm, and the drive ends at 100
    return DONE


def set_flow(channel: Channel, text: str) -> bytes:
    value = meant(text)
    if value is None:
        return NOT_DONE
    channel.flow = value
    return shown(value) + b"\r\n"


def set_volume(channel: Channel, text: str) -> bytes:
    value = meant(text)
    if value is None:
        return NOT_DONE
    channel.volume = value
    return shown(value) + b"\r\n"


def set_by_flow(channel: Channel, text: str) -> bytes:
    if text not in ("0", "1"):
        return NOT_DONE
    channel.by_flow = text == "1"
    return DONE


def set_run_time(channel: Channel, text: str) -> bytes:
    raw = whole(text, 8)
    if raw is None or raw > 35964000:
        return NOT_DONE
    channel.run_s = raw / 10
    return DONE


def set_pause(channel: Channel, text: str) -> bytes:
    raw = whole(text, 8)
    if raw is None or raw > 35964000:
        return NOT_DONE
    channel.pause_s = raw / 10
    return DONE


def set_cycles(channel: Channel, text: str) -> bytes:
    raw = whole(text, 4)
    if raw is None:
        return NOT_DONE
    channel.cycles = raw
    return DONE


def set_diameter(channel: Channel, text: str) -> bytes:
    raw = whole(text, 4)
    if raw not in DIAMETERS:
        return NOT_DONE
    if raw != channel.diameter:
        channel.calibration = 1.0
    channel.diameter = raw
    return DONE


def set_back_steps(channel: Channel, text: str) -> bytes:
    raw = whole(text, 4)
    if raw is None or raw > 100:
        return NOT_DONE
    channel.back_steps = raw
    return DONE


def set_calibration_direction(channel: Channel, text: str) -> bytes:
    if text not in ("J", "K"):
        return NOT_DONE
    channel.calibration_clockwise = text == "J"
    return DONE


def set_target(channel: Channel, text: str) -> bytes:
    value = meant(text)
    if value is None:
        return NOT_DONE
    channel.calibration_target = value
    return shown(value) + b"\r\n"


def set_measured(channel: Channel, text: str) -> bytes:
    """Taken while the channel waits for it: the flow is as much greater as more came out than was meant to."""
    value = meant(text)
    if value is None or channel.doing != WAITING or not value:
        return NOT_DONE
    channel.calibration *= value / channel.calibration_target
    channel.calibration_measured, channel.doing = value, AT_REST
    channel.calibrated_at_s = channel.total_s
    return shown(value) + b"\r\n"


def set_calibration_time(channel: Channel, text: str) -> bytes:
    raw = whole(text, 8)
    if raw is None:
        return NOT_DONE
    channel.calibration_s = raw / 10
    return DONE


def set_rollers(channel: Channel, text: str) -> bytes:
    raw = whole(text, 4)
    if not raw:
        return NOT_DONE
    channel.rollers = raw
    return DONE


def set_steps_low(channel: Channel, text: str) -> bytes:
    raw = whole(text, 5)
    if raw is None:
        return NOT_DONE
    channel.steps_low = raw
    return DONE


def set_steps_high(channel: Channel, text: str) -> bytes:
    raw = whole(text, 5)
    if raw is None:
        return NOT_DONE
    channel.steps_high = raw
    return DONE


def set_step_volume(channel: Channel, text: str) -> bytes:
    """The calibrated volume of one roller step, nL."""
    value = meant(text)
    if not value:
        return NOT_DONE
    channel.calibration = value * 1e-6 * FASTEST_RPM * channel.rollers / flow_at_full_speed(channel.diameter)
    return DONE


def time_for_flow(channel: Channel, text: str) -> bytes:
    """How long a volume takes at a flow: `volume|flow`, both Volume 2."""
    volume, _, rate = text.partition("|")
    ml, ml_min = meant(volume), meant(rate)
    if ml is None or not ml_min:
        return NOT_DONE
    return b"%d\r\n" % round(ml / ml_min * 600)


def time_for_rpm(channel: Channel, text: str) -> bytes:
    """How long a volume takes at a speed: `volume|rpm x 100`, Volume 2 and Discrete 3."""
    volume, _, speed = text.partition("|")
    ml, raw = meant(volume), whole(speed, 6)
    if ml is None or not raw:
        return NOT_DONE
    return b"%d\r\n" % round(ml / (channel.full_flow * raw / 100 / FASTEST_RPM) * 600)


def legacy_setter(code: str) -> Callable[[Channel, str], bytes]:
    unit_s, digits = LEGACY_TIMES[code]

    def set_time(channel: Channel, text: str) -> bytes:
        raw = whole(text, digits)
        if raw is None or raw * unit_s > 3596400:
            return NOT_DONE
        if code[0] == "V":
            channel.run_s = raw * unit_s
        else:
            channel.pause_s = raw * unit_s
        return DONE

    return set_time


def legacy_getter(code: str) -> Callable[[Channel], bytes]:
    unit_s, digits = LEGACY_TIMES[code]

    def get_time(channel: Channel) -> bytes:
        seconds = channel.run_s if code[0] == "V" else channel.pause_s
        return b"%d" % min(int(seconds / unit_s + 1e-9), 10**digits - 1)

    return get_time


SETTERS: Mapping[str, Callable[[Channel, str], bytes]] = {
    "S": set_rpm, "f": set_flow, "v": set_volume, "xf": set_by_flow,
    "xT": set_run_time, "xP": set_pause, '"': set_cycles, "+": set_diameter,
    "%": set_back_steps, "xR": set_calibration_direction, "xU": set_target,
    "xV": set_measured, "xW": set_calibration_time, "xB": set_rollers,
    "U": set_steps_low, "u": set_steps_high, "r": set_step_volume,
    "xv": time_for_flow, "xw": time_for_rpm,
    **{code: legacy_setter(code) for code in LEGACY_TIMES},
}  # fmt: skip
"""By command; the whole reply."""

GETTERS: Mapping[str, Callable[[Channel], bytes]] = {
    "S": lambda c: b"%.2f" % c.rpm,
    "f": lambda c: shown(c.flow),
    "v": lambda c: shown(c.volume),
    "xf": lambda c: b"%d" % c.by_flow,
    "xT": lambda c: b"%d" % round(c.run_s * 10),
    "xP": lambda c: b"%d" % round(c.pause_s * 10),
    '"': lambda c: b"%d" % c.cycles,
    "+": lambda c: b"%.2f mm" % (c.diameter / 100),
    "%": lambda c: b"%d" % c.back_steps,
    "xM": lambda c: c.mode.encode(),
    "xD": lambda c: b"J" if c.clockwise else b"K",
    "xe": reason,
    "?": lambda c: b"%.3f ml/min" % (c.full_flow / c.calibration),
    "!": lambda c: b"%.3f ml/min" % c.full_flow,
    "xC": lambda c: b"%010d" % int(c.total_rev + 1e-9),
    "xG": lambda c: b"%010d" % int(c.total_ml + 1e-9),
    "xJ": lambda c: b"%010d" % int(c.total_s + 1e-9),
    "r": lambda c: shown(c.full_flow / FASTEST_RPM / c.rollers * 1e6),
    "xB": lambda c: b"%d" % c.rollers,
    "U": lambda c: b"%06d" % c.steps_low,
    "u": lambda c: b"%06d" % c.steps_high,
    "xR": lambda c: b"J" if c.calibration_clockwise else b"K",
    "xU": lambda c: shown(c.calibration_target),
    "xV": lambda c: shown(c.calibration_measured),
    "xW": lambda c: b"%d" % round(c.calibration_s * 10),
    "xX": lambda c: b"%08d" % round((c.total_s - c.calibrated_at_s) * 10),
    **{code: legacy_getter(code) for code in LEGACY_TIMES},
}  # fmt: skip
"""By command; the reply without its end."""
