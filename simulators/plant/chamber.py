"""The chamber of a CO2/O2 incubator: heat, gas, water, and the incubator's own control loops (plant-models §1, §2).

Gas is kept as CO2 and vapour in fractions of wet gas plus the O2 share of the rest, so that O2 of wet gas follows
exactly when vapour or CO2 come and go. Heat is a linear system and takes exact steps; the loops act at the
begin of each step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp, log

from simulators.plant import parameters as p
from simulators.plant.propagator import Matrix, propagator


def saturation_kpa(cel: float) -> float:
    """Vapour pressure over water, kPa (Buck): 6.280 at 37 °C, 2.644 at 22 °C."""
    return 0.61121 * exp((18.678 - cel / 234.5) * cel / (257.14 + cel))


def washed(y: float, y_in: float, k: float, t_s: float) -> float:
    """Well-mixed fraction after `t_s` of exchange at `k` per second with gas of fraction `y_in`."""
    return y_in + (y - y_in) * exp(-k * t_s)


ROOM_VAPOUR = p.ROOM_RH / 100 * saturation_kpa(p.ROOM_CEL) / p.PRESSURE_KPA
_ROOM_REST = 1 - ROOM_VAPOUR - p.ROOM_CO2
_CO2_MAX = p.CO2_VALVE_L_MIN / 60 / p.CHAMBER_L
_N2_FLOW = p.N2_VALVE_L_MIN / 60 / p.CHAMBER_L
_CO2_SENSOR_LAG_S = p.CO2_SENSOR_T90_S / log(10)


def heat_system(door_open: bool) -> tuple[Matrix, Matrix]:
    """Nodes heater, air, wall, sensor, and the heat lost to the room; inputs heater power 0…1 and room °C."""
    k = p.K_LOSS_OPEN if door_open else p.K_LOSS_CLOSED
    lag, sensor, wall = 1 / p.HEATER_LAG_S, 1 / p.AIR_SENSOR_LAG_S, p.K_WALL / p.WALL_CAPACITY
    a = (
        (-lag, lag, 0.0, 0.0, 0.0),
        (p.K_HEATER, -(p.K_HEATER + k + p.K_WALL), p.K_WALL, 0.0, 0.0),
        (0.0, wall, -wall, 0.0, 0.0),
        (0.0, sensor, 0.0, -sensor, 0.0),
        (0.0, k, 0.0, 0.0, 0.0),
    )
    b = ((p.HEATER_RISE_K * lag, 0.0), (0.0, k), (0.0, 0.0), (0.0, 0.0), (0.0, -k))
    return a, b


_SYSTEMS = {door: heat_system(door) for door in (False, True)}


@lru_cache(maxsize=1024)
def _heat_step(door_open: bool, dt_s: float) -> tuple[Matrix, Matrix]:
    """Steps recur: whole seconds of the grid always, those cut short by an event whenever a bench is played again."""
    return propagator(*_SYSTEMS[door_open], dt_s)


@dataclass(slots=True)
class ChamberState:
    """°C; fractions of wet gas; `o2_share` = O2 / (O2 + N2). `felt_*` is what the incubator's own sensors show."""

    heater_cel: float
    air_cel: float
    wall_cel: float
    felt_cel: float
    co2: float
    felt_co2: float
    vapour: float
    felt_rh: float
    o2_share: float = p.O2_IN_AIR
    door_open: bool = False
    set_cel: float = 37.0
    set_co2: float = 0.05
    set_o2: float | None = None
    heater_integral: float = 0.0
    heater: float = 0.0
    n2_until: float = 0.0
    n2_wait_until: float = 0.0
    co2_used_l: float = 0.0
    n2_used_l: float = 0.0
    heat_in: float = 0.0
    """From the heater since the start, in K of the air's own capacity, as only ratios of capacities are known."""
    heat_lost: float = 0.0
    heat_held: float = 0.0
    """In heater, air and walls at the start."""

    @property
    def o2(self) -> float:
        """Fraction of wet gas."""
        return self.o2_share * (1 - self.co2 - self.vapour)

    @property
    def rh(self) -> float:
        """Percent, of air at its present temperature."""
        return 100 * self.vapour * p.PRESSURE_KPA / saturation_kpa(self.air_cel)


def settled(cel: float, co2: float, o2: float | None = None) -> ChamberState:
    """A chamber that has been running at its set points since yesterday. °C, fractions."""
    power = max(0.0, (cel - p.ROOM_CEL) * p.K_LOSS_CLOSED / p.K_HEATER / p.HEATER_RISE_K)
    vapour = saturation_kpa(cel - p.PAN_COOLER_K) / p.PRESSURE_KPA
    share = p.O2_IN_AIR if o2 is None else min(p.O2_IN_AIR, o2 / (1 - co2 - vapour))
    rh = 100 * vapour * p.PRESSURE_KPA / saturation_kpa(cel)
    state = ChamberState(cel + p.HEATER_RISE_K * power, cel, cel, cel, co2, co2, vapour, rh, share)
    state.set_cel, state.set_co2, state.set_o2 = cel, co2, o2
    state.heater = state.heater_integral = power
    state.heat_held = _held(state)
    return state


def _held(s: ChamberState) -> float:
    return p.HEATER_LAG_S * p.K_HEATER * s.heater_cel + s.air_cel + p.WALL_CAPACITY * s.wall_cel


def heat_residual(s: ChamberState) -> float:
    """K of the air's capacity that the energy book cannot explain: zero but for rounding."""
    return _held(s) - s.heat_held - (s.heat_in - s.heat_lost)


def step(s: ChamberState, now: float, dt_s: float) -> None:
    """Move the chamber from `now` to `now + dt_s`."""
    door = s.door_open
    s.heater = _heater_power(s, dt_s)
    co2_flow = 0.0 if door else min(_CO2_MAX, max(0.0, (s.set_co2 - s.felt_co2) / p.CO2_LOOP_S))
    n2_flow = 0.0 if door or s.set_o2 is None else _n2_duty(s, now, dt_s) * _N2_FLOW
    _heat(s, dt_s)
    _gas(s, dt_s, p.K_EXCHANGE_OPEN if door else p.K_EXCHANGE_CLOSED, co2_flow, n2_flow)


def _heat(s: ChamberState, dt_s: float) -> None:
    (f0, f1, f2, f3, f4), (g0, g1, g2, g3, g4) = _heat_step(s.door_open, dt_s)
    h, a, w, m, u, room = s.heater_cel, s.air_cel, s.wall_cel, s.felt_cel, s.heater, p.ROOM_CEL
    s.heater_cel = f0[0] * h + f0[1] * a + f0[2] * w + g0[0] * u + g0[1] * room
    s.air_cel = f1[0] * h + f1[1] * a + f1[2] * w + g1[0] * u + g1[1] * room
    s.wall_cel = f2[0] * h + f2[1] * a + f2[2] * w + g2[0] * u + g2[1] * room
    s.felt_cel = f3[0] * h + f3[1] * a + f3[2] * w + f3[3] * m + g3[0] * u + g3[1] * room
    s.heat_lost += f4[0] * h + f4[1] * a + f4[2] * w + g4[0] * u + g4[1] * room
    s.heat_in += p.K_HEATER * p.HEATER_RISE_K * u * dt_s


def _heater_power(s: ChamberState, dt_s: float) -> float:
    """The incubator's PID loop on its own sensor; with the door open it holds the last steady power (no wind-up)."""
    if s.door_open:
        return s.heater_integral
    error = s.set_cel - s.felt_cel
    slope = (s.air_cel - s.felt_cel) / p.AIR_SENSOR_LAG_S
    wanted = s.heater_integral + p.HEATER_GAIN * (error - p.HEATER_LEAD_S * slope)
    if 0.0 <= wanted <= 1.0 and -1.0 < error < 1.0:
        s.heater_integral = min(1.0, max(0.0, s.heater_integral + p.HEATER_GAIN * error * dt_s / p.HEATER_RESET_S))
    return min(1.0, max(0.0, wanted))


def _n2_duty(s: ChamberState, now: float, dt_s: float) -> float:
    """Share of the step with the N2 valve open: feed until close, then 10 s pulses with 3 min waits (R [4])."""
    above = s.o2 - (s.set_o2 or 0.0)
    if above > p.O2_NEAR:
        s.n2_wait_until = now + dt_s + p.O2_WAIT_S
        return 1.0
    if now >= s.n2_wait_until and now >= s.n2_until and above > p.O2_DEAD_BAND:
        s.n2_until = now + p.O2_PULSE_S
        s.n2_wait_until = s.n2_until + p.O2_WAIT_S
    return min(1.0, max(0.0, (s.n2_until - now) / dt_s))


def _gas(s: ChamberState, dt_s: float, k: float, co2_flow: float, n2_flow: float) -> None:
    """CO2, vapour and O2 share over one step; flows in chamber volumes per second. Inflow pushes mixed gas out."""
    pan = saturation_kpa(s.wall_cel - p.PAN_COOLER_K) / p.PRESSURE_KPA
    before = s.vapour
    rate = k + p.K_PAN + co2_flow + n2_flow
    source = k * ROOM_VAPOUR + p.K_PAN * pan
    wall = saturation_kpa(s.wall_cel) / p.PRESSURE_KPA
    if before > wall:
        rate += p.K_CONDENSE
        source += p.K_CONDENSE * wall
    s.vapour = washed(before, source / rate, rate, dt_s)

    from_pan = max(0.0, p.K_PAN * (pan - 0.5 * (before + s.vapour)))
    rate = k + co2_flow + n2_flow + from_pan
    s.co2 = washed(s.co2, (k * p.ROOM_CO2 + co2_flow) / rate, rate, dt_s)

    if n2_flow > 0.0 or s.o2_share != p.O2_IN_AIR:
        rest = 1 - s.co2 - s.vapour
        fresh = k * _ROOM_REST / rest
        rate = fresh + n2_flow / rest
        s.o2_share = washed(s.o2_share, fresh * p.O2_IN_AIR / rate, rate, dt_s)
        s.n2_used_l += n2_flow * dt_s * p.CHAMBER_L
    s.co2_used_l += co2_flow * dt_s * p.CHAMBER_L
    s.felt_co2 = washed(s.felt_co2, s.co2, 1 / _CO2_SENSOR_LAG_S, dt_s)
    s.felt_rh = washed(s.felt_rh, s.rh, 1 / p.RH_SENSOR_LAG_S, dt_s)
