"""What the stand-in tells: one bench, one run at culture day 16, as the API's answers spell it."""

from __future__ import annotations

import math
from typing import Any

from protocols.states import ALLOWED, COMMANDS, RunState

START = 1_767_567_600.0
DAY = 86_400.0
NOW = START + 16 * DAY + 5_400
ZONE = "Asia/Tokyo"
ROLES = {
    "temperature": "incubator.temperature",
    "temperature set": "incubator.temperature_setpoint",
    "co2": "incubator.co2",
    "co2 set": "incubator.co2_setpoint",
    "o2": "incubator.o2",
    "humidity": "incubator.humidity",
    "ph": "ph_probe.ph",
    "dissolved oxygen": "do_probe.dissolved_oxygen",
    "waste weight": "balance.weight",
}
LIMITS = {"temperature": (36.5, 37.5), "co2": (4.5, 5.5), "ph": (7.1, 7.6), "dissolved oxygen": (60.0, 105.0)}
UNITS = {
    "temperature": "Cel",
    "co2": "%",
    "o2": "%",
    "humidity": "%",
    "ph": "[pH]",
    "dissolved_oxygen": "%",
    "weight": "g",
}
LEVEL = {
    "temperature": 37.02,
    "co2": 5.01,
    "o2": 18.6,
    "humidity": 93.4,
    "ph": 7.34,
    "dissolved_oxygen": 88.2,
    "weight": 214.3,
}
SWING = {"temperature": 0.05, "co2": 0.04, "ph": 0.05, "dissolved_oxygen": 2.5}


def level(signal: str, t: float) -> float:
    name = signal.partition(".")[2]
    if name.endswith("_setpoint"):
        return {"temperature_setpoint": 37.0, "co2_setpoint": 5.0}[name]
    swing = SWING.get(name, 0.0)
    return LEVEL[name] + swing * (0.7 * math.sin(t / 2900) + 0.3 * math.sin(t / 410 + len(name)))


def reading(signal: str, t: float, age_s: float = 3.0) -> dict[str, Any]:
    name = signal.partition(".")[2]
    unit = UNITS.get(name.removesuffix("_setpoint"), "")
    return {
        "value": round(level(signal, t), 3),
        "unit": unit,
        "quality": "good",
        "why": "",
        "age_s": age_s,
        "at": t - age_s,
        "stale_after_s": 30.0,
        "low": None,
        "high": None,
        "writable": False,
    }


def unit() -> dict[str, Any]:
    return {
        "roles": ROLES,
        "owners": {},
        "stays_on": ["temperature", "co2"],
        "vessel": {"kind": "stirred", "min_ml": 60, "max_ml": 150, "level_ml": 72, "evaporation_ml_day": 0.35},
        "paths": {"medium in": {"pump": "pump_in"}, "medium out": {"pump": "pump_out"}},
    }


def devices(t: float) -> list[dict[str, Any]]:
    models = {
        "incubator": "memmert_ico",
        "ph_probe": "hamilton_arc_ph",
        "do_probe": "hamilton_arc_do",
        "balance": "mettler_toledo_mt_sics",
    }
    found: list[dict[str, Any]] = []
    for name, model in models.items():
        mine = [signal for signal in ROLES.values() if signal.startswith(name + ".")]
        readings = {signal.partition(".")[2]: reading(signal, t) for signal in mine}
        found.append(
            {"name": name, "model": model, "condition": "ready", "why": "", "verified": False, "readings": readings}
        )
    for name in ("pump_in", "pump_out"):
        readings = {"dispensed_volume": {**reading("incubator.o2", t, 12.0), "value": 288.0, "unit": "mL"}}
        found.append(
            {
                "name": name,
                "model": "new_era_ne1000",
                "condition": "ready",
                "why": "",
                "verified": False,
                "readings": readings,
            }
        )
    return found


def commands(state: str) -> list[str]:
    """From the state table itself, as the server has to (UI-133)."""
    return [cause.value for cause in COMMANDS if cause.value != "start" and (RunState(state), cause) in ALLOWED]


WAITING = {
    "path": "reactor/wait",
    "title": "Wait until the vessel is warm",
    "began": NOW - 300,
    "part": "",
    "question": "",
    "options": [],
    "stage": "Spheroids in the reactor",
    "work": "WaitUntil",
    "conditions": [{"role": "temperature", "low": 36.5, "high": 37.5, "unit": "Cel"}],
    "holds_since": None,
    "for_s": 600.0,
}


DOUBT = {
    "question": "Exchange, fill: unknown (deliver stroke of 9 mL: the counter was lost). What is true?",
    "options": ["delivered", "nothing", "skip"],
    "evidence": {
        "strokes": [
            {
                "stroke": "deliver",
                "device": "pump_in",
                "fluid": "osteogenic medium",
                "asked_ml": 9.0,
                "moved_ml": None,
                "counter_before_ml": 41.2,
                "counter_after_ml": None,
                "witness": "waste weight",
                "witness_before": 112.4,
                "witness_after": 112.4,
                "at": NOW - 200,
                "why": "the counter was lost",
            }
        ],
        "answers": [
            {"answer": "delivered", "does": "it is booked, and only the rest is given", "worst_ml": 91.7},
            {"answer": "nothing", "does": "the stroke is done again", "worst_ml": 100.7},
            {"answer": "skip", "does": "the step is left out from here", "worst_ml": 91.7},
        ],
        "max_ml": 100.0,
    },
}


def run(state: str, t: float, protocol: str, waits: bool = False, doubt: bool = False) -> dict[str, Any]:
    steps = [
        {
            "path": "reactor/exchange/9/pause",
            "title": "Spheroids in the stirred vessel",
            "began": START + 16 * DAY,
            "part": "",
            "question": "",
            "options": [],
            "stage": "Spheroids in the reactor",
            "work": "Pause",
            "until": START + 17 * DAY,
        },
        {
            "path": "reactor/exchange/9",
            "title": "Exchange 18 mL of osteogenic medium",
            "began": t - 260,
            "part": "withdraw",
            "question": "",
            "options": [],
            "stage": "Spheroids in the reactor",
            "work": "Exchange",
            "fluid": "osteogenic medium",
            "amount": {"asked_ml": 24.0, "moved_ml": 11.2, "strokes": 1, "moving": True},
        },
    ]
    return {
        "run": "run-1",
        "unit": "reactor",
        "protocol": protocol,
        "batch": "B-001",
        "state": state,
        "since": NOW - 2 * DAY,
        "why": "",
        "start": START,
        "day": (t - START) / DAY,
        "steps": [WAITING] if waits else [{**steps[1], **DOUBT}] if doubt else steps,
        "done": 61,
        "nodes": 118,
        "commands": commands(state),
        "next": {"at": START + 17 * DAY + 3600, "title": "Medium exchange 10 of 12"},
        "volume": {"ml": 88.4, "sigma_ml": 1.1},
        "ahead": [
            {
                "at": START + (17 + n) * DAY + 3600,
                "title": f"Medium exchange {10 + n} of 12",
                "path": f"reactor/exchange/{17 + n}",
            }
            for n in range(3)
        ],
    }


def task(title: str, due: float) -> dict[str, Any]:
    entry = {"kind": "number", "unit": "mmol/L", "low": 0.0, "high": 50.0, "warn_low": 2.0, "warn_high": 50.0}
    return {
        "run": "run-1",
        "path": "reactor/sample/3/take",
        "title": title,
        "due": due,
        "alarm_at": due + 3600,
        "claimed_by": "",
        "answers_at": None,
        "instruction": "Take 0.5 mL from the sample port, count the spheroids, test the spent medium",
        "entries": [
            {"name": "glucose", **entry},
            {"name": "lactate", **entry, "warn_low": 0.0, "warn_high": 15.0},
            {
                "name": "photos taken",
                "kind": "yes_no",
                "unit": "",
                "low": None,
                "high": None,
                "warn_low": None,
                "warn_high": None,
            },
        ],
        "acts": [],
        "lots": ["osteogenic medium"],
        "makes": [
            {
                "into": "plates",
                "batch": "B-1/plates",
                "kind": "spheroid batch",
                "kept": 0.8,
                "parents": {"B-1": 0.75, "B-2": None},
            }
        ],
        "sign": "operator",
        "out_of_incubator_s": 600.0,
        "overdue_s": 43_200.0,
        "sample": "S-16",
        "results": [],
        "results_due_s": 0.0,
        "takes_s": 1800.0,
    }


def alarm(number: int, priority: str, text: str, t: float) -> dict[str, Any]:
    return {
        "alarm_id": f"alarm-{number}",
        "key": f"device:{number}",
        "source": "device",
        "run_id": "run-1",
        "priority": priority,
        "text": text,
        "advice": "Look at the cable of the probe and at its link.",
        "state": "UNACK",
        "raised_at": t - 90,
        "acked_at": None,
        "acked_by": None,
    }


def step(
    path: str,
    title: str,
    lane: str,
    stage: str,
    planned: tuple[float, float],
    actual: tuple[float, float | None] | None,
    **more: Any,
) -> dict[str, Any]:
    over = actual is not None and actual[1] is not None
    return {
        "key": path,
        "path": path,
        "title": title,
        "lane": lane,
        "work": "Hand",
        "stage": stage,
        "fixed": True,
        "planned_start": planned[0],
        "planned_end": planned[1],
        "start": actual[0] if actual else None,
        "end": actual[1] if actual else None,
        "intended": None,
        "observed": None,
        "estimated_start": None if actual else planned[0],
        "estimated_end": None if over else planned[1],
        "late_s": max(0.0, actual[0] - planned[0]) if actual else None,
        "disposition": "done" if over else None,
        "asked_ml": None,
        "doses": [],
        "task": None,
        "deviations": [],
        **more,
    }


def at(day: float, hour: float = 0.0) -> float:
    return START + day * DAY + hour * 3600


def strokes(day: int, measured: bool) -> list[dict[str, Any]]:
    if not measured:
        return []
    return [
        {
            "id": f"d{day}{stroke}",
            "part": "fill",
            "stroke": stroke,
            "fluid": "osteogenic medium",
            "device": "pump_in",
            "asked_ml": 18.0,
            "measured_ml": 17.94,
            "weighed_g": None,
            "start": at(day, 1.2),
            "end": at(day, 1.7),
            "state": "done",
            "evidence": "pump counter and balance agree",
            "decided_by": "",
        }
        for stroke in ("draw", "deliver")
    ]


def timeline(t: float) -> dict[str, Any]:
    """Stages, environment, hand tasks, doses and a hold, 28 days long, with one outage; shaped as the API shapes it."""
    stages: list[dict[str, Any]] = []
    for title, first, last in (("Expansion", 0, 7), ("Induction", 7, 16), ("Spheroids in the reactor", 16, 28)):
        stages.append(
            {
                "path": title.lower(),
                "title": title,
                "planned_start": at(first),
                "planned_end": at(last),
                "steps": 20,
                "done": 12,
                "start": at(first, 0.3) if t >= at(first) else None,
                "end": at(last, 0.4) if t >= at(last) else None,
            }
        )
    steps: list[dict[str, Any]] = []
    for day in (1, 4, 7, 9, 11, 13, 15, 16, 18, 21, 25, 27):
        done = t >= at(day, 3)
        steps.append(
            step(
                f"hand/{day}",
                f"Exchange in the flasks, day {day}",
                "task",
                "expansion",
                (at(day, 2), at(day, 2.75)),
                (at(day, 2.2), at(day, 3)) if done else None,
                task={"state": "answered", "by": "simulated person", "entries": {"glucose": 4.1}} if done else None,
            )
        )
    for day in range(8, 28):
        done = t >= at(day, 1.5)
        steps.append(
            step(
                f"reactor/exchange/{day}",
                f"Medium exchange, day {day}",
                "dose",
                "reactor",
                (at(day, 1), at(day, 1.6)),
                (at(day, 1.1), at(day, 1.4)) if done else None,
                asked_ml=18.0,
                doses=strokes(day, done),
            )
        )
    for first, last, title in ((0, 16, "37.0 °C, 5.0 % CO₂"), (16, 28, "37.0 °C, 5.0 % CO₂, 90 /min")):
        begun = t >= at(first)
        steps.append(
            step(
                f"env/{first}",
                title,
                "environment",
                "expansion",
                (at(first), at(last)),
                (at(first), at(last) if t > at(last) else None) if begun else None,
            )
        )
    wait = "Wait until 37.0 ± 0.2 °C for 60 min"
    steps += [
        step(f"wait/{day}", wait, "step", "expansion", (at(day), at(day, 3)), (at(day), at(day, 2.4)))
        for day in (2, 6, 10, 14)
    ]
    states = [
        ("RUNNING", at(0), at(12, 4), ""),
        ("HELD", at(12, 4), at(12, 5.2), "fill pump not confirmed"),
        ("RUNNING", at(12, 5.2), None, ""),
    ]
    return {
        "run": "run-1",
        "protocol": "adsc-osteo-spheroid-28d",
        "version": "1",
        "zone": ZONE,
        "now": t,
        "start": at(0),
        "end": at(28),
        "estimated_end": at(28),
        "stages": stages,
        "steps": steps,
        "states": [{"state": s, "start": a, "end": b, "why": why} for s, a, b, why in states],
        "outages": [{"start": at(12, 14), "end": at(12, 15.5), "epoch": 2, "decision": ""}],
        "alarms": [],
        "deviations": [],
    }
