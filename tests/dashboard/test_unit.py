"""The unit's page: what may be done now, first clicks, results per pump, tasks, alarms."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from api.web.security.roles import RIGHT_OF_CAUSE, Right, allows
from api.web.security.who import Role
from protocols.states import ALLOWED, COMMANDS, Cause, RunState
from tests.dashboard.conftest import Server

UNIT = "#/units/reactor"


@pytest.mark.req("UI-133")
@pytest.mark.parametrize("state", ["RUNNING", "PAUSED", "HELD", "STOPPING", "COMPLETE"])
def test_the_buttons_are_those_of_the_state_table(page: Page, server: Server, state: str) -> None:
    server.mood(state=state)
    page.goto(server.url + UNIT)
    expect(page.locator(".head .state")).to_have_attribute("data-state", state)
    wanted = {cause.value for cause in COMMANDS if (RunState(state), cause) in ALLOWED} - {"start"} | {"stop-pumps"}
    assert {each.get_attribute("data-command") for each in page.locator("[data-command]").all()} == wanted


@pytest.mark.req("AC-02", "UI-133", "B17")
@pytest.mark.parametrize("role", Role)
def test_a_button_is_off_with_the_reason_where_the_role_has_no_right(page: Page, server: Server, role: Role) -> None:
    """The same table as the API refuses by. Viewer and administrator look only, an operator does not end a run."""
    server.mood(role=role, alarms=[["high", "Probe silent"]])
    page.goto(server.url + UNIT)
    expect(page.locator(".head .state")).to_have_attribute("data-state", "RUNNING")
    acts = allows(role, Right.ACT)
    for button in page.locator("[data-command]").all():
        cause = button.get_attribute("data-command") or ""
        yours = acts if cause == "stop-pumps" else allows(role, RIGHT_OF_CAUSE[Cause(cause)])
        assert button.is_enabled() is yours, (role, cause)
        assert yours or "has no right" in (button.get_attribute("title") or "")
    assert page.locator(".banner .acknowledge").first.is_enabled() is acts
    assert page.get_by_role("button", name="I will do it").is_enabled() is acts
    reason = page.locator(".commands .why")
    if role is Role.SUPERVISOR:
        expect(reason).to_have_count(0)
    else:
        what = "Stop" if role is Role.OPERATOR else "Hold, Pause, Stop, Abort, Stop pumps"
        expect(reason).to_have_text(f"{what}: Your role ({role}) has no right to this.")


@pytest.mark.req("B10", "UI-45", "UI-46", "UI-82")
def test_hold_acts_on_the_first_click_and_is_confirmed_by_the_state(page: Page, server: Server) -> None:
    page.goto(server.url + UNIT)
    expect(page.locator(".commands")).to_contain_text("Temperature, CO₂ continue")
    page.locator("[data-command=hold]").click()
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".outcomes li")).to_contain_text(re.compile(r"Hold run-1: +Confirmed \d\d:\d\d:\d\d"))
    expect(page.locator(".head .state")).to_contain_text("Held")
    expect(page.locator("[data-command=restart]")).to_be_enabled()
    (sent,) = server.posts("/commands")
    assert (
        sent["body"] == {"cause": "hold", "state_seen": "RUNNING", "why": ""}
        and sent["key"]
        and sent["csrf"] == "token-of-the-stand-in"
    )


@pytest.mark.req("UI-82")
def test_a_command_is_confirmed_only_when_the_devices_have_done_it(page: Page, server: Server) -> None:
    server.mood(device_s=1.5)
    page.goto(server.url + UNIT)
    page.locator("[data-command=hold]").click()
    expect(page.locator(".outcomes li")).to_contain_text("Accepted, waiting for the device")
    expect(page.locator(".head .state")).to_have_attribute("data-state", "HOLDING")
    expect(page.locator(".outcomes li")).to_contain_text(re.compile(r"Confirmed \d\d:\d\d:\d\d"))
    expect(page.locator(".head .state")).to_have_attribute("data-state", "HELD")


@pytest.mark.req("UI-52")
def test_a_step_that_waits_says_for_what_and_how_far_it_is(page: Page, server: Server) -> None:
    server.mood(waits=True, values={"incubator.temperature": 36.2})
    page.goto(server.url + UNIT)
    step = page.locator(".now-next .steps")
    expect(step).to_contain_text("Waiting for Temperature 36.50 to 37.50 °C for 10 min (now 36.20, 0 s of 10 min)")
    server.mood(bad={"incubator.temperature": "stale"})
    expect(step).to_contain_text("(now not known, 0 s of 10 min)")


@pytest.mark.req("UI-75")
def test_a_stroke_in_doubt_shows_its_evidence_and_the_worst_case_of_each_answer(page: Page, server: Server) -> None:
    server.mood(state="HELD", doubt=True)
    page.goto(server.url + UNIT)
    question = page.locator(".now-next .question")
    expect(question).to_contain_text("counter 41.20 → not known mL, waste weight 112.40 → 112.40. the counter was lost")
    expect(question).to_contain_text("the stroke is done again; at worst 100.7 of 100 mL then, above its limit")
    expect(question.locator("input:checked")).to_have_count(0)
    expect(question.get_by_role("button", name="Decide")).to_be_disabled()


@pytest.mark.req("UI-75")
def test_an_answer_after_which_fluid_flows_again_needs_a_second_look(page: Page, server: Server) -> None:
    server.mood(state="HELD", doubt=True)
    page.goto(server.url + UNIT)
    question, decide = page.locator(".now-next .question"), page.get_by_role("button", name="Decide")
    question.get_by_label("delivered").check()
    expect(decide).to_be_disabled()
    question.get_by_label("nothing").check()
    question.get_by_label("Reason").fill("the syringe is full")
    question.get_by_role("button", name="Decide").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("at worst 100.7 of 100 mL then, above its limit")
    dialog.get_by_role("button", name="Go back").click()
    assert server.posts("/decisions") == []
    question.get_by_label("delivered").check()
    question.get_by_label("So much has moved").fill("4,2")
    question.get_by_role("button", name="Decide").click()
    expect(page.locator(".now-next .outcomes")).to_contain_text("delivered")
    (sent,) = server.posts("/decisions")
    body = {"path": "reactor/exchange/9", "answer": "delivered", "volume_ml": 4.2, "why": "the syringe is full"}
    assert sent["body"].pop("question").startswith("Exchange, fill: unknown")
    assert sent["body"] == body and sent["key"]


@pytest.mark.req("B10", "UI-45")
def test_stop_pumps_acts_on_the_first_click_and_tells_each_pump(page: Page, server: Server) -> None:
    server.mood(pump_fails=True)
    page.goto(server.url + UNIT)
    page.locator("[data-command=stop-pumps]").click()
    expect(page.locator(".outcomes")).to_contain_text(re.compile(r"pump_in: stopped, confirmed \d\d:\d\d:\d\d"))
    expect(page.locator(".outcomes")).to_contain_text("pump_out: NOT CONFIRMED - go to the equipment")
    assert len(server.posts("/stop-pumps")) == 1


@pytest.mark.req("UI-82")
def test_a_double_click_sends_one_command_and_a_refusal_is_said(page: Page, server: Server) -> None:
    page.goto(server.url + UNIT)
    page.locator("[data-command=hold]").dblclick()
    expect(page.locator(".outcomes li").first).to_have_attribute("data-phase", "confirmed")
    assert len(server.posts("/commands")) == 1


@pytest.mark.req("UI-82")
def test_a_refusal_shows_the_reason(page: Page, server: Server, complaints: list[str]) -> None:
    server.mood(refuse="the run is HELD now, not RUNNING")
    page.goto(server.url + UNIT)
    page.locator("[data-command=pause]").click()
    expect(page.locator(".outcomes")).to_contain_text("Refused: the run is HELD now, not RUNNING")
    complaints[:] = [each for each in complaints if "409" not in each]


def test_starting_again_takes_two_clicks_and_escape_has_no_effect(page: Page, server: Server) -> None:
    server.mood(state="HELD")
    page.goto(server.url + UNIT)
    page.locator("[data-command=restart]").click()
    expect(page.get_by_role("button", name="Keep it held")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator("[data-command=restart]")).to_be_focused()
    assert server.posts("/commands") == []
    page.locator("[data-command=restart]").click()
    page.get_by_role("button", name="Restart run-1").click()
    expect(page.locator(".head .state")).to_contain_text("Running")


def test_a_task_is_answered_with_checked_entries_or_passed_on(page: Page, server: Server) -> None:
    page.goto(server.url + UNIT)
    expect(page.locator(".head .batch")).to_contain_text("run-1 · B-001")
    page.get_by_role("button", name="I will do it").click()
    page.locator("input[name=glucose]").fill("55")
    expect(page.locator(".task")).to_contain_text("outside 0 to 50 mmol/L")
    expect(page.get_by_role("button", name="Done, record it")).to_be_disabled()
    page.locator("input[name=glucose]").fill("4,2")
    page.locator("input[name=lactate]").fill("16")
    expect(page.locator(".task")).to_contain_text("unusual: expected 0 to 15 mmol/L")
    page.reload()
    expect(page.locator("input[name=lactate]")).to_have_value("16")
    page.locator("select").last.select_option("yes")
    expect(page.get_by_role("button", name="Done, record it")).to_be_disabled()
    page.locator("input[name='lot of osteogenic medium']").fill("OM-7")
    expect(page.locator(".task")).to_contain_text("spheroid batch of B-1 (75 %), B-2")
    expect(page.locator("input[name='batch in plates']")).to_have_attribute("placeholder", "B-1/plates")
    page.locator("input[name='arrived in plates, %']").fill("120")
    expect(page.get_by_role("button", name="Done, record it")).to_be_disabled()
    page.locator("input[name='arrived in plates, %']").fill("62,5")
    page.get_by_role("button", name="Done, record it").click()
    expect(page.locator(".task")).to_have_count(0)
    (sent,) = server.posts("/tasks/answer")
    assert (
        sent["body"]
        == {
            "path": "reactor/sample/3/take",
            "entries": {"glucose": 4.2, "lactate": 16, "photos taken": True},
            "lots": {"osteogenic medium": "OM-7"},
            "batches": {"plates": {"kept": 0.625}},
        }
        and sent["key"]
    )
    server.mood(tasks=["Again"], claimed_by="")
    page.get_by_role("button", name="Answer for me").click()
    expect(page.locator(".task")).to_have_count(0)
    assert server.posts("/tasks/claim")[-1]["body"]["by"] == "simulated"


def test_a_task_is_overdue_only_when_its_time_is_up(page: Page, server: Server) -> None:
    for due_in_s, said in ((600.0, "due in 00:0"), (-600.0, r"due 00:10:\d\d ago"), (-7200.0, "overdue by 02:0")):
        server.mood(due_in_s=due_in_s)
        page.goto(f"{server.url}#/tasks")
        expect(page.locator(".task .countdown")).to_contain_text(re.compile(rf"^{said}"))
        page.goto(server.url)
        expect(page.locator("aside li .countdown").first).to_contain_text(re.compile(rf"^{said}"))


@pytest.mark.req("UI-13")
def test_values_in_the_picture_and_charts_are_named_once(page: Page, server: Server) -> None:
    page.goto(server.url + UNIT)
    picture = page.locator(".schematic")
    for name in ("CO₂", "O₂", "RH"):
        expect(picture).to_contain_text(re.compile(rf"{name}\s+\d+\.\d+ %"))
    expect(page.locator("[data-chart=ph] figcaption")).to_have_text(re.compile(r"^\s*pH\s*$"))


def test_who_is_on_a_task_is_said_to_the_others_and_a_lost_race_is_told(
    page: Page, server: Server, complaints: list[str]
) -> None:
    page.goto(f"{server.url}#/tasks")
    mine = page.get_by_role("button", name="I will do it")
    expect(mine).to_be_enabled()
    mine.click()
    expect(page.get_by_role("button", name="Done, record it")).to_be_visible()
    page.get_by_role("button", name="Give it back").click()
    expect(mine).to_be_visible()
    server.mood(claimed_by="anna")
    expect(page.locator(".task")).to_contain_text("anna is on this")
    expect(page.locator("[data-claim=me], [data-claim=simulated], form")).to_have_count(0)
    page.get_by_role("button", name="Free it for others").click()
    expect(mine).to_be_enabled()
    assert [post["body"]["by"] for post in server.posts("/tasks/claim")] == ["me", "anyone", "anyone"]
    page.route("**/tasks/claim", lambda route: (server.mood(claimed_by="anna"), route.continue_()))
    mine.click()
    expect(page.locator(".task [role=status]")).to_contain_text("Refused: anna is on this task")
    complaints[:] = [each for each in complaints if "409" not in each]


def test_alarms_show_shape_letter_and_text_and_stay_listed_when_acknowledged(page: Page, server: Server) -> None:
    server.mood(alarms=[["low", "Humidity low"], ["critical", "Temperature high"], ["high", "Probe silent"]])
    page.goto(server.url + UNIT)
    expect(page).to_have_title("(2) reactor - Running")
    banner = page.locator(".banner")
    expect(banner.locator(".alarm").first).to_contain_text("Temperature high")
    expect(banner.locator(".symbol.critical text")).to_have_text("C")
    expect(banner).to_contain_text("+1 more")
    banner.get_by_role("button", name="Acknowledge").first.click()
    expect(banner.locator(".symbol.critical")).to_have_count(0)
    page.goto(f"{server.url}#/alarms")
    expect(page.locator("[data-alarm=alarm-2]")).to_contain_text("Acknowledged by demo")
    expect(page.locator("[data-alarm=alarm-2] .symbol.seen")).to_be_visible()
