"""The life of an alarm row: raised once, seen by a person, gone only by the rules, and there after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.actors import Actor
from controller.alarms import Alarms
from controller.clock import Clock
from controller.errors import RunConflict
from controller.store.ledger import Ledger
from simulators.bench import START
from simulators.core.time import VirtualLoop

ANNA = Actor("anna", "operator", "test")
KEY = "device:balance"


def opened(folder: Path) -> Ledger:
    return Ledger.open(folder, Clock.of_bench("Asia/Tokyo", 1), "0", installation="i")


@pytest_asyncio.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    made = opened(tmp_path)
    await made.new_epoch(1)
    yield made
    made.close()


def alarms_of(ledger: Ledger) -> Alarms:
    return Alarms(ledger, Clock.of_bench("Asia/Tokyo", 1))


def states(alarms: Alarms) -> list[str]:
    return [row["state"] for row in alarms.open()]


async def raised(alarms: Alarms, key: str = KEY, priority: str = "high") -> str:
    await alarms.raise_(key, priority, "balance: no answer", "Check the cable.")
    return next(row["alarm_id"] for row in alarms.open() if row["key"] == key)


@pytest.mark.req("AL-01")
async def test_a_condition_raises_an_alarm_that_nobody_has_seen(ledger: Ledger) -> None:
    alarms = alarms_of(ledger)
    await raised(alarms)
    (row,) = alarms.open()
    assert (row["state"], row["source"], row["priority"]) == ("UNACK", "device", "high")
    (entry,) = [each for each in ledger.audit() if each.action == "alarm raised"]
    assert entry.object_id == row["alarm_id"]


@pytest.mark.req("AL-01")
async def test_an_alarm_that_stands_is_raised_once(ledger: Ledger) -> None:
    alarms = alarms_of(ledger)
    await raised(alarms)
    await raised(alarms)
    await alarms.acknowledge("alarm-1", ANNA)
    await raised(alarms)
    assert states(alarms) == ["ACKED"]
    assert len(ledger.alarms()) == 1


@pytest.mark.req("AL-01")
async def test_acknowledging_never_clears_a_condition(ledger: Ledger) -> None:
    alarms = alarms_of(ledger)
    await alarms.acknowledge(await raised(alarms), ANNA)
    assert states(alarms) == ["ACKED"]
    assert ledger.alarms()[0].acked_by == "anna"


@pytest.mark.req("AL-01")
async def test_acked_becomes_normal_when_the_condition_is_gone(ledger: Ledger) -> None:
    alarms = alarms_of(ledger)
    await alarms.acknowledge(await raised(alarms), ANNA)
    await alarms.clear(KEY)
    assert alarms.open() == []
    assert ledger.alarms()[0].state == "NORMAL"


@pytest.mark.req("AL-01")
async def test_a_condition_gone_before_anybody_saw_it_waits_for_a_person(ledger: Ledger) -> None:
    alarms = alarms_of(ledger)
    identity = await raised(alarms)
    await alarms.clear(KEY)
    await alarms.clear(KEY)
    assert states(alarms) == ["RTN_UNACK"]
    await alarms.acknowledge(identity, ANNA)
    assert alarms.open() == []


@pytest.mark.req("AL-01")
async def test_a_condition_that_returns_before_anybody_saw_it_is_the_same_alarm_again(ledger: Ledger) -> None:
    """RTN_UNACK goes back to UNACK; no second row is left behind that nobody can ever acknowledge."""
    alarms = alarms_of(ledger)
    await raised(alarms)
    await alarms.clear(KEY)
    await raised(alarms)
    assert states(alarms) == ["UNACK"]
    assert [row.state for row in ledger.alarms()] == ["UNACK"]
    await alarms.acknowledge("alarm-1", ANNA)
    await alarms.clear(KEY)
    assert alarms.open() == []
    assert ledger.alarms(open_only=True) == []


async def test_an_alarm_nobody_knows_cannot_be_acknowledged(ledger: Ledger) -> None:
    with pytest.raises(RunConflict, match="no open alarm alarm-7"):
        await alarms_of(ledger).acknowledge("alarm-7", ANNA)


async def test_clearing_what_does_not_stand_changes_nothing(ledger: Ledger) -> None:
    before = ledger.head()
    await alarms_of(ledger).clear(KEY)
    assert ledger.head() == before


async def test_critical_comes_first_and_the_newest_first_inside(ledger: Ledger) -> None:
    alarms = alarms_of(ledger)
    for key, priority in (("a:1", "low"), ("b:1", "high"), ("c:1", "critical")):
        await raised(alarms, key, priority)
    assert [row["priority"] for row in alarms.open()] == ["critical", "high", "low"]


@pytest.mark.req("AL-05", "INV-17")
@pytest.mark.parametrize("state", ["UNACK", "ACKED", "RTN_UNACK"])
async def test_an_alarm_survives_a_restart_in_its_state(tmp_path: Path, state: str) -> None:
    first = opened(tmp_path)
    await first.new_epoch(1)
    alarms = alarms_of(first)
    identity = await raised(alarms)
    if state == "ACKED":
        await alarms.acknowledge(identity, ANNA)
    if state == "RTN_UNACK":
        await alarms.clear(KEY)
    first.close()
    second = opened(tmp_path)
    await second.new_epoch(2)
    again = alarms_of(second)
    assert states(again) == [state]
    await raised(again, "device:incubator")
    assert {row["alarm_id"] for row in again.open()} == {"alarm-1", "alarm-2"}
    second.close()


class Model:
    """AL-01 in five lines."""

    def __init__(self) -> None:
        self.state = "NORMAL"

    def take(self, act: str) -> None:
        ways = {
            ("NORMAL", "raise"): "UNACK",
            ("UNACK", "ack"): "ACKED",
            ("UNACK", "clear"): "RTN_UNACK",
            ("ACKED", "clear"): "NORMAL",
            ("RTN_UNACK", "ack"): "NORMAL",
            ("RTN_UNACK", "raise"): "UNACK",
        }
        self.state = ways.get((self.state, act), self.state)


@pytest.mark.req("AL-01")
@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["raise", "ack", "clear", "restart"]), max_size=12))
def test_any_order_of_events_follows_the_table(tmp_path_factory: Any, acts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("alarms")

    async def play() -> None:
        ledger, model = opened(folder), Model()
        alarms = alarms_of(ledger)
        for act in acts:
            match act:
                case "raise":
                    await alarms.raise_(KEY, "high", "x", "y")
                case "clear":
                    await alarms.clear(KEY)
                case "restart":
                    alarms = alarms_of(ledger)
                case _ if alarms.open():
                    await alarms.acknowledge(alarms.open()[0]["alarm_id"], ANNA)
                case _:
                    pass
            model.take(act)
            assert states(alarms) == ([] if model.state == "NORMAL" else [model.state])
        ledger.close()

    loop = VirtualLoop(START)
    loop.run_until_complete(play())
    loop.close()
