"""Turn-taking: silence, late and broken replies, sharing, losing the link. All in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import pairwise

import pytest

from drivers.core.errors import BadFrame, LinkLost, NoAnswer, Refused
from drivers.core.line import HANG_UP_AFTER, NOISE_LIMIT_S, Line
from drivers.core.surprises import MOST_KNOWN
from drivers.core.wire.ascii import take_line
from tests.links.scripted import Answers, ScriptedLink


def now() -> float:
    return asyncio.get_running_loop().time()


async def ask(line: Line, question: bytes, *, timeout_s: float = 1.0, retries: int = 0, quiet_s: float = 0.0) -> bytes:
    return await line.query(question + b"\r\n", take_line, timeout_s=timeout_s, retries=retries, quiet_s=quiet_s)


def echo(request: bytes) -> Answers:
    return [(0.1, request)]


def take_number(buffer: bytearray) -> bytes | None:
    text = take_line(buffer)
    if text is not None and not text.isdigit():
        raise BadFrame(f"not a number: {text!r}")
    return text


async def test_a_question_gets_its_answer_and_the_link_is_dialled_by_itself():
    link = ScriptedLink(echo)
    assert await ask(Line(link), b"A") == b"A"
    assert link.dials == 1


async def test_an_answer_in_pieces_is_one_answer():
    link = ScriptedLink(lambda request: [(0.1, b"he"), (0.2, b"llo\r"), (0.3, b"\n")])
    assert await ask(Line(link), b"A") == b"hello"


async def test_silence_is_a_time_out_that_names_the_line():
    start = now()
    with pytest.raises(NoAnswer, match="probes: no answer within 1 s"):
        await ask(Line(ScriptedLink(), "probes"), b"A")
    assert now() - start == pytest.approx(1.0)


async def test_half_an_answer_is_a_time_out_that_shows_it():
    with pytest.raises(NoAnswer, match=r"only 2 bytes \(last: 68 65\)"):
        await ask(Line(ScriptedLink(lambda request: [(0.1, b"he")])), b"A")


async def test_noise_without_end_is_a_time_out():
    line = Line(ScriptedLink(lambda request: [(at / 10, b"#") for at in range(100)]))
    start = now()
    with pytest.raises(NoAnswer):
        await ask(line, b"A")
    assert now() - start == pytest.approx(1.0)


async def test_a_link_that_always_has_bytes_cannot_hold_the_line():
    class Babbler(ScriptedLink):
        async def read(self) -> bytes:
            await asyncio.sleep(0.25)
            return b"#"

    with pytest.raises(NoAnswer):
        await ask(Line(Babbler()), b"A")


@pytest.mark.req("DS-03")
async def test_without_retries_a_request_is_never_sent_twice_whatever_comes_back():
    for answers in ([], [(0.1, b"garbage\r\n")], [(0.1, b"1")], [(0.1, None)]):
        link = ScriptedLink(lambda request, answers=answers: list(answers))
        with pytest.raises((NoAnswer, BadFrame, LinkLost)):
            await Line(link).query(b"RUN\r\n", take_number, timeout_s=1, retries=0)
        await asyncio.sleep(60)
        assert link.requests == [b"RUN\r\n"]


async def test_a_question_may_be_repeated_as_often_as_allowed():
    replies = [[], [(0.1, b"bad\r\n")], [(0.1, b"7\r\n")]]
    link = ScriptedLink(lambda request: replies.pop(0))
    assert await Line(link).query(b"?\r\n", take_number, timeout_s=1, retries=2) == b"7"
    assert len(link.sent) == 3


async def test_a_refusal_is_not_repeated_and_leaves_no_doubt():
    def refuse(buffer: bytearray) -> bytes | None:
        raise Refused("ES", take_line(buffer).decode())

    link = ScriptedLink(echo)
    line = Line(link)
    start = now()
    with pytest.raises(Refused) as caught:
        await line.query(b"no\r\n", refuse, timeout_s=1, retries=3)
    assert caught.value.code == "ES"
    assert await ask(line, b"A") == b"A"
    assert now() - start == pytest.approx(0.2)
    assert len(link.sent) == 2


async def test_a_late_reply_is_never_taken_for_the_next_answer():
    delays = iter([1.5, 0.8])
    link = ScriptedLink(lambda request: [(next(delays), request)])
    line = Line(link)
    with pytest.raises(NoAnswer):
        await ask(line, b"old")
    assert await ask(line, b"new") == b"new"


async def test_after_a_time_out_the_line_waits_until_it_has_been_quiet_as_long_as_the_time_out():
    answers = iter([[(1.4, b"late\r\n")], [(0.1, b"new\r\n")]])
    link = ScriptedLink(lambda request: next(answers))
    line = Line(link)
    with pytest.raises(NoAnswer):
        await ask(line, b"A")
    await ask(line, b"B")
    assert link.sent[1][0] - link.sent[0][0] == pytest.approx(2.4)


@pytest.mark.parametrize(("doubt_s", "asked"), [(None, 1), (0.8, 2)])
async def test_a_device_that_talks_every_second_is_asked_again_when_the_driver_says_how_much_silence_is_enough(
    doubt_s: float | None, asked: int
):
    babble: Answers = [(second, b"#") for second in range(1, 20)]
    link = ScriptedLink(lambda request: [(0.1, b"7\r\n")] if request == b"new\r\n" else babble)
    line = Line(link)
    with pytest.raises(NoAnswer):
        await line.query(b"old\r\n", take_number, timeout_s=2.5, doubt_s=doubt_s)
    with contextlib.suppress(BadFrame):
        assert await line.query(b"new\r\n", take_number, timeout_s=1) == b"7"
    assert len(link.sent) == asked


async def test_time_that_has_passed_anyway_counts_as_quiet():
    answers = iter([[], [(0.1, b"new\r\n")]])
    line = Line(ScriptedLink(lambda request: next(answers)))
    with pytest.raises(NoAnswer):
        await ask(line, b"A")
    await asyncio.sleep(10)
    start = now()
    await ask(line, b"B")
    assert now() - start == pytest.approx(0.1)


async def test_bytes_that_came_in_the_meantime_start_the_quiet_anew():
    answers = iter([[(5.0, b"late\r\n")], [(0.1, b"new\r\n")]])
    line = Line(ScriptedLink(lambda request: next(answers)))
    with pytest.raises(NoAnswer):
        await ask(line, b"A")
    await asyncio.sleep(10)
    start = now()
    assert await ask(line, b"B") == b"new"
    assert now() - start == pytest.approx(1.1)


async def test_a_line_that_never_becomes_quiet_gets_nothing_sent():
    link = ScriptedLink(lambda request: [(at / 2, b"S S 1 g\n") for at in range(100)])
    line = Line(link)
    with pytest.raises(NoAnswer):
        await ask(line, b"A")
    start = now()
    with pytest.raises(BadFrame, match="not sent"):
        await ask(line, b"B")
    assert now() - start <= NOISE_LIMIT_S + 2
    assert len(link.sent) == 1


async def test_a_cancelled_question_leaves_the_line_in_quarantine_and_usable():
    delays = iter([0.5, 0.8])
    link = ScriptedLink(lambda request: [(next(delays), request)])
    line = Line(link)
    asking = asyncio.create_task(ask(line, b"old"))
    await asyncio.sleep(0.2)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await ask(line, b"new") == b"new"


async def test_a_limit_set_from_outside_is_not_swallowed():
    line = Line(ScriptedLink())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await ask(line, b"A", timeout_s=1.0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await ask(line, b"A", timeout_s=30.0)


async def test_two_devices_share_a_line_in_turn():
    link = ScriptedLink(echo)
    line = Line(link)
    replies = await asyncio.gather(*(ask(line, name) for name in (b"A", b"B", b"A", b"C")))
    assert replies == [b"A", b"B", b"A", b"C"]
    times = [at for at, _ in link.sent]
    assert [round(later - earlier, 6) for earlier, later in pairwise(times)] == [0.1] * 3


async def test_the_bus_is_silent_between_two_exchanges_as_long_as_the_device_needs():
    link = ScriptedLink(echo)
    line = Line(link)
    for _ in range(3):
        await ask(line, b"A", quiet_s=0.05)
    times = [at for at, _ in link.sent]
    assert [round(later - earlier, 6) for earlier, later in pairwise(times)] == [0.15] * 2


@pytest.mark.req("EQ-06")
async def test_requests_that_wait_while_the_link_is_lost_fail_and_are_never_sent():
    link = ScriptedLink(lambda request: [(0.1, None)])
    line = Line(link)
    results = await asyncio.gather(*(ask(line, name) for name in (b"A", b"B", b"C")), return_exceptions=True)
    assert all(isinstance(result, LinkLost) for result in results)
    link.answer = echo
    assert await ask(line, b"D") == b"D"
    await asyncio.sleep(60)
    assert link.requests == [b"A\r\n", b"D\r\n"]
    assert link.dials == 2


@pytest.mark.req("EQ-05")
async def test_what_is_meant_for_one_dialling_is_not_sent_on_the_next_and_dials_none():
    link = ScriptedLink(echo)
    line = Line(link)
    assert await ask(line, b"who") == b"who"
    with line.as_dialled(line.dialled):
        assert await ask(line, b"A") == b"A"
        await link.close()
        with pytest.raises(LinkLost, match="not sent, as it is not known who answers"):
            await ask(line, b"B")
    assert link.dials == 1
    assert await ask(line, b"who") == b"who"
    with line.as_dialled(1), pytest.raises(LinkLost, match="not sent"):
        await ask(line, b"C", retries=3)
    with line.as_dialled(1):  # what is meant for this line says nothing of another
        assert await ask(Line(ScriptedLink(echo)), b"D") == b"D"
    assert link.is_open
    assert link.requests == [b"who\r\n", b"A\r\n", b"who\r\n"]


@pytest.mark.parametrize("may_be_dead", [True, False])
async def test_a_network_connection_that_says_nothing_at_all_is_dialled_anew(may_be_dead: bool):
    link = ScriptedLink()
    link.may_be_dead = may_be_dead
    line = Line(link)
    for _ in range(2 * HANG_UP_AFTER):
        with pytest.raises(NoAnswer):
            await ask(line, b"A")
    assert link.dials == (2 if may_be_dead else 1)
    assert line.dialled == link.dials
    link.answer = echo
    assert await ask(line, b"A") == b"A"
    link.answer = lambda request: []
    for _ in range(HANG_UP_AFTER - 1):
        with pytest.raises(NoAnswer):
            await ask(line, b"A")
    assert link.is_open


async def test_a_port_that_is_not_there_is_a_lost_link_and_is_dialled_again_next_time():
    link = ScriptedLink(echo)
    link.dead = True
    line = Line(link)
    for _ in range(2):
        with pytest.raises(LinkLost, match="nobody there"):
            await ask(line, b"A", retries=5)
    assert link.dials == 2
    link.dead = False
    assert await ask(line, b"A") == b"A"


async def test_a_late_reply_is_thrown_away_across_a_new_connection_too():
    def answer(request: bytes) -> Answers:
        if request == b"old\r\n":
            asyncio.get_running_loop().call_later(0.6, link.arrive, b"stale\r\n")
            return [(0.1, None)]
        return [(0.2, request)]

    link = ScriptedLink(answer)
    line = Line(link)
    with pytest.raises(LinkLost):
        await ask(line, b"old")
    assert await ask(line, b"new") == b"new"


async def test_what_comes_unasked_is_heard_before_the_next_request_and_not_taken_for_an_answer():
    link = ScriptedLink(echo)
    line = Line(link)
    heard: list[tuple[int, bytes]] = []
    line.listen(lambda data: heard.append((len(link.sent), data)))
    await ask(line, b"A")
    link.arrive(b"alarm\r\n")
    assert await ask(line, b"B") == b"B"
    assert heard == [(1, b"alarm\r\n")]


async def test_what_follows_a_reply_in_the_same_breath_is_heard():
    line = Line(ScriptedLink(lambda request: [(0.1, b"reply\r\nalarm\r\n")]))
    heard: list[bytes] = []
    line.listen(heard.append)
    assert await ask(line, b"A") == b"reply"
    assert heard == [b"alarm\r\n"]


async def test_late_bytes_are_heard_too():
    answers = iter([[(1.5, b"late\r\n")], [(0.1, b"new\r\n")]])
    line = Line(ScriptedLink(lambda request: next(answers)))
    heard: list[bytes] = []
    line.listen(heard.append)
    with pytest.raises(NoAnswer):
        await ask(line, b"A")
    assert await ask(line, b"B") == b"new"
    assert heard == [b"late\r\n"]


async def test_a_closed_line_sends_nothing_any_more():
    link = ScriptedLink()
    line = Line(link)
    asking = asyncio.create_task(ask(line, b"A"))
    waiting = asyncio.create_task(ask(line, b"B"))
    await asyncio.sleep(0.1)
    await line.close()
    for task in (asking, waiting):
        with pytest.raises(LinkLost):
            await task
    with pytest.raises(LinkLost, match="closed"):
        await ask(line, b"C")
    with pytest.raises(LinkLost, match="closed"):
        await line.query_to_close(b"C", timeout_s=1)
    assert link.requests == [b"A\r\n"]


async def test_a_reply_that_ends_by_closing_is_everything_that_came():
    link = ScriptedLink(lambda request: [(0.1, b"one "), (0.2, b"two"), (0.2, None)])
    line = Line(link)
    for dials in (1, 2):
        assert await line.query_to_close(b"GET", timeout_s=5) == b"one two"
        assert link.dials == dials
        assert not link.is_open


async def test_a_reply_that_should_close_and_does_not_is_a_time_out_and_is_closed_by_us():
    link = ScriptedLink(lambda request: [(1.0, b"one"), (2.0, b"two"), (9.0, None)])
    start = now()
    with pytest.raises(NoAnswer, match="6 bytes"):
        await Line(link).query_to_close(b"GET", timeout_s=5)
    assert now() - start == pytest.approx(5)
    assert not link.is_open


async def test_closing_without_a_byte_and_breaking_off_are_lost_links():
    class Breaks(ScriptedLink):
        async def read(self) -> bytes:
            try:
                return await super().read()
            except LinkLost:
                raise LinkLost("reset", broken=True) from None

    with pytest.raises(LinkLost):
        await Line(ScriptedLink(lambda request: [(0.1, None)])).query_to_close(b"GET", timeout_s=5)
    with pytest.raises(LinkLost, match="reset"):
        await Line(Breaks(lambda request: [(0.1, b"half"), (0.1, None)])).query_to_close(b"GET", timeout_s=5)


async def test_an_undisturbed_line_holds_no_surprises():
    line = Line(ScriptedLink(echo))
    for question in (b"A", b"B", b"A"):
        await ask(line, question)
        await asyncio.sleep(1)
    assert (line.surprises.late, line.surprises.unasked) == (0, 0)


async def test_a_copy_taken_for_the_next_answer_is_a_surprise_because_it_is_late():
    line = Line(ScriptedLink(echo))
    for question in (b"A", b"B"):
        await ask(line, question)
    answers = iter([[(0.1, b"A\r\n"), (0.6, b"A\r\n")], [(0.51, b"B\r\n")]])
    line.link.answer = lambda request: next(answers)
    assert await ask(line, b"A") == b"A"
    assert line.surprises.late == 0
    assert await ask(line, b"B") == b"A"
    assert line.surprises.late == 1


async def test_bytes_that_come_unasked_or_behind_a_reply_are_a_surprise_and_a_second_copy_is_none():
    link = ScriptedLink(echo)
    line = Line(link)
    await ask(line, b"A")
    link.arrive(b"A\r\n")
    await ask(line, b"B")
    assert line.surprises.unasked == 0
    link.arrive(b"A\r\n")
    await ask(line, b"B")
    assert line.surprises.unasked == 1
    link.answer = lambda request: [(0.1, request + request)]
    await ask(line, b"C")
    assert line.surprises.unasked == 1
    for rest, count in ((b"D", 2), (b"C", 3)):  # a part of one may be what is left of another answer
        link.answer = lambda request, rest=rest: [(0.1, request + rest)]
        await ask(line, b"C")
        assert line.surprises.unasked == count


async def test_a_device_that_became_slow_for_good_is_usual_after_a_while():
    line = Line(ScriptedLink(echo))
    await ask(line, b"A")
    line.link.answer = lambda request: [(0.3, request)]
    for _ in range(15):
        await ask(line, b"A")
    before = line.surprises.late
    await ask(line, b"A")
    assert 5 < before == line.surprises.late


async def test_only_so_many_questions_are_remembered():
    line = Line(ScriptedLink(echo))
    for number in range(1000):
        await ask(line, b"%d" % number)
    assert len(line.surprises._usual_s) <= MOST_KNOWN


async def test_a_line_in_doubt_is_left_silent_before_the_next_question():
    link = ScriptedLink(lambda request: [(0.1, request), (0.6, request)])
    line = Line(link)
    await ask(line, b"A")
    line.doubt(2.0)
    assert await ask(line, b"B") == b"B"
    assert link.sent[1][0] - link.sent[0][0] == pytest.approx(2.6)


async def test_what_a_listener_knows_is_no_surprise():
    link = ScriptedLink(echo)
    line = Line(link)
    line.listen(lambda data: data.startswith(b"alarm"))
    line.listen(lambda data: None)
    for said, surprises in ((b"alarm 1\r\n", 0), (b"what\r\n", 1)):
        link.arrive(said)
        await ask(line, b"A")
        link.arrive(said)
        await ask(line, b"A")
        assert line.surprises.unasked == 2 * surprises
