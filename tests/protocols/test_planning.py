"""A plan spells out every occurrence with its time in UTC, its late rule and its bound."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

import protocols
from protocols import ProtocolInvalid
from protocols.moments import instant
from protocols.plan import Dose, Exchange, Hand, Interruption, Pause, SetEnvironment, WaitUntil
from tests.protocols.answering import START
from tests.protocols.test_loading import FILL, load, operation

BERLIN, SYDNEY, TOKYO = "Europe/Berlin", "Australia/Sydney", "Asia/Tokyo"


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def local_start(text: str, zone: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def dues(schedule: str, start: float = START, zone: str = TOKYO) -> list[str]:
    """Local due times of the one operation."""
    plan = protocols.plan(load(stages=operation(schedule + "\ndo: [{hand: Look}]")), start, zone)
    children = plan.root.children[0].children[0].children
    return [f"{datetime.fromtimestamp(n.due, ZoneInfo(zone)):%a %m-%d %H:%M}" for n in children if n.due is not None]


def test_one_time_of_a_culture_day():
    assert dues("at: day 11 10:00") == ["Fri 01-16 10:00"]
    assert dues("at: start + 90 min") == ["Mon 01-05 09:30"]


def test_weekdays_within_culture_days():
    assert dues("on: [Mon, wednesday, Fri]\ndays: 16..25\nat: 10:00") == [
        "Wed 01-21 10:00", "Fri 01-23 10:00", "Mon 01-26 10:00", "Wed 01-28 10:00", "Fri 01-30 10:00",
    ]  # fmt: skip


def test_weekdays_follow_the_calendar_when_the_start_moves():
    start = local_start("2026-01-07T08:00", TOKYO)  # day 0 is a Wednesday
    assert dues("on: [Mon]\ndays: 0..14\nat: 10:00", start) == ["Mon 01-12 10:00", "Mon 01-19 10:00"]


def test_days_in_a_list_need_no_weekday_and_no_order():
    assert dues("days: [4, 1]\nat: 9:30") == ["Tue 01-06 09:30", "Fri 01-09 09:30"]


def test_every_interval_until_a_day_or_so_many_times():
    assert dues("every: {interval: 24 h, from: day 17 09:00, until: day 19}") == [
        "Thu 01-22 09:00", "Fri 01-23 09:00", "Sat 01-24 09:00",
    ]  # fmt: skip
    assert dues("every: {interval: 30 min, from: start + 1 h, times: 2}") == ["Mon 01-05 09:00", "Mon 01-05 09:30"]


@pytest.mark.req("TM-02", "TM-03")
@pytest.mark.parametrize(
    ("zone", "start", "local"),
    [
        (BERLIN, "2026-03-27T08:00", ["Sat 03-28 09:00", "Sun 03-29 10:00", "Mon 03-30 10:00"]),
        (SYDNEY, "2026-10-02T08:00", ["Sat 10-03 09:00", "Sun 10-04 10:00", "Mon 10-05 10:00"]),
        (BERLIN, "2026-10-23T08:00", ["Sat 10-24 09:00", "Sun 10-25 08:00", "Mon 10-26 08:00"]),
    ],
)
def test_intervals_count_elapsed_hours_through_summer_time(zone: str, start: str, local: list[str]):
    assert dues("every: {interval: 24 h, from: day 1 09:00, times: 3}", local_start(start, zone), zone) == local


@pytest.mark.req("TM-02", "TM-03")
@pytest.mark.parametrize(("zone", "start"), [(BERLIN, "2026-03-27T08:00"), (SYDNEY, "2026-10-02T08:00")])
def test_calendar_times_keep_the_clock_on_the_wall_through_summer_time(zone: str, start: str):
    found = dues("days: 1..3\nat: 09:00", local_start(start, zone), zone)
    assert [due[-5:] for due in found] == ["09:00"] * 3


@pytest.mark.req("TM-03")
@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        (BERLIN, "2026-03-29T02:30", "2026-03-29T01:00"),  # does not exist: first valid instant, 03:00 summer time
        (BERLIN, "2026-03-29T03:00", "2026-03-29T01:00"),
        (BERLIN, "2026-10-25T02:30", "2026-10-25T00:30"),  # twice: the first
        (SYDNEY, "2026-10-04T02:15", "2026-10-03T16:00"),
        (SYDNEY, "2026-04-05T02:30", "2026-04-04T15:30"),
        ("Australia/Lord_Howe", "2026-10-04T02:10", "2026-10-03T15:30"),  # a gap of half an hour
        (TOKYO, "2026-10-04T02:10", "2026-10-03T17:10"),
    ],
)
def test_local_times_that_do_not_exist_or_exist_twice(zone: str, local: str, expected: str):
    assert instant(datetime.fromisoformat(local), ZoneInfo(zone)) == utc(expected)


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ("at: day 0 07:00", "first due 2026-01-05 07:00, before the start of the run (start earlier"),
        ("on: [Sun]\ndays: 1..3\nat: 10:00", "is never due: no day fits its rule"),
        ("every: {interval: 1 d, from: day 5 10:00, until: day 3}", "would never happen"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_its_place(schedule: str, says: str):
    with pytest.raises(ProtocolInvalid) as caught:
        dues(schedule)
    assert says in str(caught.value)
    assert caught.value.faults[0].line == (17 if "would never" in says else 16)


def test_a_zone_that_does_not_exist_is_refused():
    with pytest.raises(ProtocolInvalid, match="no time zone 'Mars/Olympus'"):
        protocols.plan(load("hand: Look"), START, "Mars/Olympus")


# Late rules (DX-30, DX-31)


def late(schedule: str, steps: str = "do: [{hand: Look}]"):
    plan = protocols.plan(load(stages=operation(schedule + "\n" + steps)), START, TOKYO)
    return plan.root.children[0].children[0].children[0].late


@pytest.mark.req("DX-31")
@pytest.mark.parametrize(("interval", "minutes"), [("24 h", 72), ("1 h", 15), ("30 d", 240)])
def test_without_a_window_a_repeated_step_gets_5_percent_of_its_interval(interval: str, minutes: int):
    rule = late(f"every: {{interval: {interval}, from: day 1 09:00, times: 2}}")
    assert (rule.window_s, rule.tolerance_s, rule.after) == (minutes * 60, minutes * 60, "ask")


def test_hand_work_is_good_until_the_end_of_the_same_working_day():
    assert late("at: day 1 10:00").window_s == 8 * 3600
    assert late("at: day 1 10:00\nwindow: same working day\nif later: run").after == "run"
    assert late("at: day 1 17:45").window_s == 3600


def test_a_window_and_a_longer_tolerance():
    rule = late("at: day 1 09:00\nwindow: ±2 h\nlate by at most: 5 h\nif later: skip", FILL)
    assert (rule.window_s, rule.tolerance_s, rule.after) == (7200, 18000, "skip")


@pytest.mark.req("DX-31")
def test_a_timed_exposure_has_no_window_of_its_own_the_author_must_choose():
    every = "every: {interval: 24 h, from: day 1 09:00, times: 2%s}"
    with pytest.raises(ProtocolInvalid, match="it says 'timed: yes', and a timed step has no window of itself"):
        late(every % ", timed: yes")
    with pytest.raises(ProtocolInvalid, match="it says 'timed: yes'"):
        late("at: day 1 10:00\ntimed: yes")
    assert late(every % ", timed: yes, window: ±15 min").window_s == 900
    assert late("at: day 1 10:00\ntimed: yes\nwindow: ±5 min").window_s == 300


@pytest.mark.req("DX-31")
@pytest.mark.parametrize(
    "step", ["{hand: Detach the cells, lots: [medium]}", FILL.removeprefix("do: [").removesuffix("]")]
)
def test_every_operation_with_a_timed_material_needs_a_window(step: str):
    text = load(
        stages=operation(
            f"every: {{interval: 24 h, from: day 1 09:00, times: 2, never closer than: 1 h}}\ndo: [{step}]"
        )
    ).text
    assert protocols.load(text)
    with pytest.raises(ProtocolInvalid, match="medium is 'timed: yes', and a timed step has no window of itself"):
        protocols.load(text.replace("keeps:", "timed: yes, keeps:", 1))


# Steps


def plan_of(*steps: str, settings: dict[str, str] | None = None):
    return protocols.plan(load(*steps), START, TOKYO, settings)


def test_a_range_of_conditions_becomes_bounds_in_the_unit_of_the_role():
    plan = plan_of(
        "set: {temperature: 37.0 degC}",
        "wait: {until: temperature within 0.2 K and co2 within 0.2 % of 5 % and humidity above 90 % and "
        "ph between 7.2 and 7.5 and o2 below 19 %, for: 1 h, at most: 4 h}",
    )
    work = plan.nodes["one/wait"].work
    assert isinstance(work, WaitUntil)
    bounds = [(c.role, c.low, c.high) for c in work.conditions]
    inf = float("inf")
    assert bounds == [
        ("temperature", pytest.approx(36.8), pytest.approx(37.2)), ("co2", pytest.approx(4.8), pytest.approx(5.2)),
        ("humidity", 90.0, inf), ("ph", 7.2, 7.5), ("o2", -inf, 19.0),
    ]  # fmt: skip
    assert plan.nodes["one/wait"].max_s == 4 * 3600


@pytest.mark.req("RM-07", "DX-20")
def test_every_step_has_a_maximum_and_an_interruption_rule():
    plan = plan_of(
        "set: {temperature: 37.0 degC}",
        "wait: 1 h",
        "dose: {into: reactor, volume: {fill volume}, of: medium, at: 1 mL/min}\n        at most: 1 h\n"
        "        if interrupted: ask",
        "exchange: {in: reactor, withdraw: {to level: 72 mL, at most: 24 mL, at: 3 mL/min}, "
        "then add: {volume: 18 mL, of: medium, at: 1 mL/min}}\n        at most: 2 h",
        "hand: Look\n        overdue: 2 h",
        settings={"fill volume": "7 mL"},
    )
    found = {type(node.work): (node.max_s, node.interruption) for node in plan.nodes.values() if node.work is not None}
    assert found == {
        SetEnvironment: (600, Interruption.RESUME),
        Pause: (3660, Interruption.RESUME),
        Dose: (3600, Interruption.ASK),
        Exchange: (7200, Interruption.FINISH_NOW),
        Hand: (7200, Interruption.RESUME),
    }
    assert plan.nodes["one/dose"].work == Dose("reactor", 7.0, 1.0, "medium", purpose="dose")
    assert plan.parameters == {"fill volume": "7 mL"}


def test_entries_and_acts_of_a_hand_step():
    plan = plan_of(
        "hand: Do {day}\n"
        "        write down: {ok: yes/no, who: text, cells: {unit: cells, limits: 0..9, warn: 1..5}, x: mosm/kg}\n"
        "        acts: [{pour: 1 mL, into: reactor, of: cells, cells: 9e5 cells/mL}, {take: 2 mL, from: reactor},"
        " {renew: 250 mL, of: medium}, {line: to cup}, {line: to vessel}, {stir: 90 rpm, in: reactor}, {door: 1 min},"
        " {harvest: reactor}]"
    )
    hand = plan.nodes["one/hand"].work
    assert isinstance(hand, Hand)
    assert hand.instruction == "Do 0"
    assert [(e.name, e.kind, e.unit, e.low, e.warn_high) for e in hand.entries] == [
        ("ok", "yes_no", "", None, None), ("who", "text", "", None, None),
        ("cells", "number", "{cells}", 0.0, 5.0), ("x", "number", "mosm/kg", None, None),
    ]  # fmt: skip
    assert [act.act for act in hand.acts] == [
        "pour", "take", "renew", "line_to_cup", "line_to_vessel", "stir", "door", "harvest",
    ]  # fmt: skip
    assert hand.acts[0].cells_per_ml == 9e5
    assert hand.acts[6].duration_s == 60.0


@pytest.mark.req("RM-11")
def test_a_sample_is_taken_now_and_its_results_come_later():
    plan = plan_of(
        "sample: R-{day}\n        from: reactor\n        take: 1 mL\n        results: {glucose: mM}\n        due: 7 d",
        "sample: F\n        from: flasks\n        take: 6 pellets\n        results: {glucose: mM}\n        due: 7 d",
    )
    first, second = plan.nodes["one/sample"].work, plan.nodes["one/sample-2"].work
    assert isinstance(first, Hand)
    assert isinstance(second, Hand)
    assert (first.sample, first.results[0].unit, first.results_due_s) == ("R-0", "mmol/L", 7 * 86400)
    assert [(a.act, a.volume_ml) for a in first.acts] == [("take", 1.0)]
    assert second.acts == ()


def test_a_plan_knows_its_nodes_by_path_and_line():
    plan = protocols.plan(
        load(stages=operation("days: 1..2\nat: 09:00\ndo:\n  - hand: Look\n  - hand: Again")), START, TOKYO
    )
    assert list(plan.nodes) == [
        "run", "one", "one/op", "one/op/1", "one/op/1/hand", "one/op/1/hand-2", "one/op/2", "one/op/2/hand",
        "one/op/2/hand-2",
    ]  # fmt: skip
    assert plan.parents["one/op/1/hand"] == "one/op/1"
    assert plan.nodes["one/op/2/hand-2"].line == 21


def test_two_steps_with_one_path_are_no_plan():
    from tests.protocols.answering import sequence

    node = plan_of("hand: Look").nodes["one/hand"]
    with pytest.raises(ValueError, match="same path"):
        sequence(node, node)


def test_what_a_hand_does_to_a_flask_is_done_elsewhere_than_in_the_vessel_osteon_serves():
    acts = "[{pour: 20 mL, into: reactor, of: medium}, {pour: 35 mL, into: flasks, of: medium}, {harvest: flasks}]"
    plan = protocols.plan(load(f"{{hand: Feed both, acts: {acts}}}"), START, TOKYO)
    (work,) = [node.work for node in plan.nodes.values() if isinstance(node.work, Hand)]
    assert [(act.vessel, act.elsewhere) for act in work.acts] == [
        ("reactor", False), ("flasks", True), ("flasks", True),
    ]  # fmt: skip


def test_steps_of_one_kind_have_paths_of_their_own() -> None:
    root = protocols.plan(load(*["wait: 1 min"] * 300), START, TOKYO).root
    paths = [node.path for node in root.children[0].children]
    assert len(set(paths)) == 300
    assert [path.rpartition("/")[2] for path in paths[:3]] == ["wait", "wait-2", "wait-3"]


def test_a_name_that_looks_numbered_keeps_its_path() -> None:
    names = ("Feed", "Feed 2", "Feed!", "Feed?")
    stages = "stages:\n" + "".join(f"  - stage: '{name}'\n    do: [wait: 1 min]\n" for name in names)
    root = protocols.plan(load(stages=stages), START, TOKYO).root
    assert [node.path for node in root.children] == ["feed", "feed-2", "feed-3", "feed-4"]


TOGETHER = """\
protocol: small
version: 1.0
title: Small
status: rehearsal
species: none
stages:
  - stage: Both
    together:
      - operation: Look
        independent: yes
        do: [{hand: Look}]
      - operation: Rest
        do:
          - together:
              - {branch: Left, independent: yes, do: [{hand: Look}]}
              - {branch: Right, do: [{wait: 10 min}]}
"""


@pytest.mark.req("SM-04")
def test_branches_and_operations_together_can_be_independent_and_others_cannot():
    plan = protocols.plan(protocols.load(TOGETHER), START, "UTC")
    assert [path for path, node in plan.nodes.items() if node.independent] == ["both/look", "both/rest/together/left"]
    with pytest.raises(ProtocolInvalid, match="nothing runs beside it"):
        protocols.load(TOGETHER.replace("    together:\n      - operation", "    operations:\n      - operation"))
