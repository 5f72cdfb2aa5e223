"""What a supervisor must have seen before runs go on: a wrong clock, a changed bench file; jumps of the wall clock."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from controller.clock import Clock
from controller.confirmations import differences
from controller.errors import RunConflict, Unusable
from controller.settings import parse
from controller.wall import Wall
from protocols.states import Cause
from simulators.agreement import given_twice
from tests.controller.quick import FILL, HEAD, POUR, TOML, WAIT, QuickLab
from tests.runs.lab import TESTER

HOUR_S, DAY_S = 3600.0, 86_400.0


# A bench file that has changed


@pytest.mark.req("RM-09")
async def test_one_changed_limit_holds_the_run_until_somebody_has_seen_it(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    await lab.kill()
    lab.settings = parse(TOML.replace("max_ml = 150", "max_ml = 149"))
    await lab.up()
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 200.0)
    assert "units.1.vessel.max_ml: 150.0 is 149.0 now" in lab.engine.run.why
    assert [alarm["key"] for alarm in lab.controller.alarms.open() if "confirm" in alarm["key"]] == [
        "confirm:configuration"
    ]
    await lab.runs.command("run-1", Cause.RESTART, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 200.0), "a restart does not get past it"
    confirmations = lab.runs.doors.confirmations
    with pytest.raises(RunConflict, match="nothing to confirm of the clock; open: configuration"):
        await confirmations.confirm("clock", TESTER, "it is right")
    assert "149.0" in await confirmations.confirm("configuration", TESTER, "the vessel was measured")
    await lab.runs.command("run-1", Cause.RESTART, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "RUNNING", 200.0)
    (entry,) = [entry for entry in lab.ledger.audit() if entry.action == "configuration confirmed"]
    assert entry.fields["reason"] == "the vessel was measured"
    await lab.kill()
    await lab.up()
    assert await lab.until(lambda: lab.engine.run.state == "RUNNING", 200.0), "once accepted it is not asked again"


@pytest.mark.req("RM-09")
async def test_nothing_starts_on_a_file_that_nobody_has_seen_and_the_old_one_needs_no_word(lab: QuickLab) -> None:
    await lab.up()
    await lab.start(HEAD + "  - stage: Rest\n    do:\n      - wait: 1 s\n")
    assert await lab.settle(60.0) == "COMPLETE"
    await lab.runs.command("run-1", Cause.RESET, TESTER)
    await lab.kill()
    lab.settings = parse(TOML.replace("level_ml = 72", "level_ml = 73"))
    await lab.up()
    with pytest.raises(Unusable, match=r"level_ml: 72\.0 is 73\.0 now"):
        await lab.start(WAIT)
    await lab.kill()
    lab.settings = parse(TOML)
    await lab.up()
    await lab.start(WAIT)


async def test_before_the_first_run_a_bench_file_may_change_freely(lab: QuickLab) -> None:
    await lab.up()
    await lab.kill()
    lab.settings = parse(TOML.replace("level_ml = 72", "level_ml = 73"))
    await lab.up()
    await lab.start(WAIT)


def test_differences_are_told_by_their_place():
    old = {"units": [{"name": "a", "max": 1}, {"name": "b"}], "zone": "UTC"}
    new = {"units": [{"name": "a", "max": 2}], "zone": "UTC", "note": "x"}
    assert list(differences(old, new)) == [
        "units.1.max: 1 is 2 now",
        'units.2: {"name": "b"} is nothing now',
        'note: nothing is "x" now',
    ]


# The clock at a start


@pytest.mark.req("TM-04", "SM-05")
async def test_a_clock_behind_the_last_record_holds_runs_and_keeps_records_in_order(lab: QuickLab) -> None:
    await lab.poured(WAIT)
    last = lab.ledger.last_at() or 0.0
    await lab.kill()
    lab.clock_off_s = -30 * DAY_S
    await lab.up()
    assert await lab.until(lambda: lab.engine.run.state == "HELD", 200.0)
    assert "the clock is not trusted" in lab.engine.run.why
    entries = lab.ledger.audit()
    assert [entry.utc for entry in entries] == sorted(entry.utc for entry in entries)
    assert lab.controller.clock.now() >= last
    assert entries[-1].fields["clock_trusted"] is False
    await lab.runs.doors.confirmations.confirm("clock", TESTER, "the clock of the room says the same")
    await lab.runs.command("run-1", Cause.RESTART, TESTER)
    assert await lab.until(lambda: lab.engine.run.state == "RUNNING", 200.0)
    assert lab.ledger.audit()[-1].fields["clock_trusted"] is True


FEEDS = (
    HEAD
    + POUR
    + """
  - stage: Feed
    every: {interval: 20 min, from: day 0 08:30, times: 4, window: ±5 min, never closer than: 10 min, if later: run}
    do:
      - fill: {into: reactor, volume: 2 mL, of: medium, at: 6 mL/min}
        at most: 10 min
"""
)


@pytest.mark.req("TM-05", "INV-13", "INV-14")
@pytest.mark.parametrize(
    "step_s",
    [
        HOUR_S, -DAY_S, 365 * DAY_S,
        *(pytest.param(s, marks=pytest.mark.campaign) for s in (1.0, -1.0, -HOUR_S, DAY_S, -365 * DAY_S)),
    ],
)  # fmt: skip
async def test_a_clock_that_was_set_in_an_outage_repeats_nothing_and_skips_nothing_in_silence(
    lab: QuickLab, step_s: float
) -> None:
    await lab.poured(FEEDS)
    chance = random.Random(f"clock {step_s}")
    await lab.until(lambda: "feed/1" in lab.engine.run.finished, HOUR_S, 30.0)
    await lab.until(lambda: False, chance.uniform(0.0, 1500.0), 600.0)
    before = dict(lab.engine.run.finished)
    doses = {row.dose_id for row in lab.ledger.doses()}
    await lab.kill()
    lab.clock_off_s = step_s
    await lab.up()
    for _ in range(4):
        await lab.until(lambda: lab.engine.ended or lab.engine.run.state == "HELD", 2 * HOUR_S, 60.0)
        if lab.engine.ended or "mL is the limit" in lab.engine.run.why:
            break
        if lab.runs.doors.confirmations.open:
            await lab.runs.doors.confirmations.confirm("clock", TESTER, "looked at another clock")
        await lab.runs.command("run-1", Cause.RESTART, TESTER)
    run = lab.engine.run
    after_a_year = "mL is the limit" in run.why  # nobody knows how much evaporated: a person has to look
    assert lab.engine.ended or (step_s > 300 * DAY_S and after_a_year), run.why
    assert {path: run.finished[path] for path in before} == before, "what was over stays as it was"
    assert not given_twice(lab.throughput(), lab.ledger.doses())
    assert doses <= {row.dose_id for row in lab.ledger.doses()}
    told = {row.path for row in lab.ledger.deviations("run-1")}
    skipped = {path for path, end in run.finished.items() if end.startswith("skipped") and path.count("/") == 1}
    assert skipped <= told, "whatever was left out says so"
    starts = [row.dose_id for row in lab.ledger.doses() if row.stroke == "draw" and row.path.startswith("feed")]
    assert len(starts) == len({row.path for row in lab.ledger.doses() if row.path.startswith("feed")})


# The wall clock beside a run


@pytest.mark.req("TM-04", "TM-05")
@pytest.mark.parametrize(
    ("jump_s", "events", "alarms"),
    [(0.5, 0, 0), (-2.0, 1, 0), (365 * DAY_S, 1, 1)],
)
async def test_a_jump_of_the_wall_clock_is_an_event_or_an_alarm_and_moves_no_plan(
    lab: QuickLab, jump_s: float, events: int, alarms: int
) -> None:
    await lab.poured(WAIT)
    clock = lab.controller.clock
    off = 0.0
    clock.wall = lambda: clock.now() + off
    wall = Wall(clock, lab.ledger, lab.controller.alarms)
    due = lab.engine.run.active
    await wall.look()
    off = jump_s
    await wall.look()
    await wall.look()
    found = [entry for entry in lab.ledger.audit() if entry.action == "clock stepped"]
    assert len(found) == events
    assert [alarm["priority"] for alarm in lab.controller.alarms.open()] == ["critical"] * alarms
    assert lab.engine.run.active == due
    assert await lab.settle(3 * HOUR_S) == "COMPLETE"


async def test_slow_drift_is_an_event_once_it_adds_up(lab: QuickLab) -> None:
    await lab.up()
    clock = lab.controller.clock
    drift = 0.0
    clock.wall = lambda: clock.now() + drift
    wall = Wall(clock, lab.ledger, lab.controller.alarms)
    for step in range(30):
        drift = step * 0.1
        await wall.look()
    assert len([entry for entry in lab.ledger.audit() if entry.action == "clock stepped"]) == 2


@pytest.mark.req("TM-01")
async def test_every_record_carries_utc_to_the_millisecond_offset_monotonic_and_boot(lab: QuickLab) -> None:
    await lab.poured(FILL)
    entries = lab.ledger.audit()
    for entry in entries:
        at = datetime.fromisoformat(entry.utc)
        assert at.tzinfo is UTC or at.utcoffset().total_seconds() == 0  # type: ignore[union-attr]
        assert entry.utc.endswith("Z")
        assert len(entry.utc.rpartition(".")[2]) == 4
        assert entry.fields["offset_s"] == 9 * 3600
        assert entry.fields["boot_id"] == "simulated-1"
    steady = [entry.fields["monotonic"] for entry in entries]
    assert steady == sorted(steady)


async def test_a_clock_never_goes_behind_what_is_on_record():
    clock = Clock(0.0, "UTC", "boot")
    later = clock.now() + 1e6
    clock.not_before(later, "the battery of its computer is empty")
    assert clock.now() >= later
    clock.not_before(0.0, "again")
    assert clock.now() >= later
    assert not clock.trusted
