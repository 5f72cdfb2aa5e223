"""The supervisor with real, tiny children: restart, orderly end, kill -9 and adoption by the next one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from api import processes
from api.refusal import Refusal
from api.supervisor import Child, ChildRefused, Supervisor, refuse_if_served, take

pytestmark = pytest.mark.real_time

SLEEPER = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nwhile True: signal.pause()"
LOGGING = "import sys; print('started'); sys.stdout.flush()\n" + SLEEPER
SUPERVISING = """
import asyncio, sys
from pathlib import Path
from api.supervisor import Child, Supervisor, stop_on_signals
async def main():
    child = Child("sleeper", (sys.executable, "-c", sys.argv[2]))
    await Supervisor(Path(sys.argv[1]), [child], print).run(await stop_on_signals())
asyncio.run(main())
"""


def sleeper(code: str = LOGGING) -> Child:
    return Child("sleeper", (sys.executable, "-c", code))


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


def started(data: Path) -> int:
    log = data / "sleeper.log"
    return log.read_text().count("started") if log.exists() else 0


async def test_a_killed_child_is_started_again_and_ends_with_the_supervisor(tmp_path: Path) -> None:
    said: list[str] = []
    stop = asyncio.Event()
    supervising = asyncio.create_task(Supervisor(tmp_path, [sleeper()], said.append).run(stop))
    await until(lambda: started(tmp_path) == 1)
    first = processes.read(tmp_path / "sleeper.pid")
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    await until(lambda: started(tmp_path) == 2)
    second = processes.read(tmp_path / "sleeper.pid")
    assert second is not None and second.pid != first.pid
    assert "SIGKILL" in said[0]
    stop.set()
    await supervising
    assert not second.alive
    assert not (tmp_path / "sleeper.pid").exists()


async def test_a_killed_supervisor_leaves_its_child_running_and_the_next_one_adopts_it(tmp_path: Path) -> None:
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISING, str(tmp_path), LOGGING])
    await until(lambda: started(tmp_path) == 1 and processes.read(tmp_path / "sleeper.pid"))
    supervisor.kill()
    supervisor.wait()
    left = processes.read(tmp_path / "sleeper.pid")
    assert left is not None
    said: list[str] = []
    stop = asyncio.Event()
    supervising = asyncio.create_task(Supervisor(tmp_path, [sleeper()], said.append).run(stop))
    await until(lambda: said)
    assert processes.read(tmp_path / "sleeper.pid") == left
    assert started(tmp_path) == 1
    stop.set()
    await supervising
    assert not left.alive


async def test_a_second_supervisor_on_the_same_data_is_refused_and_touches_nothing(tmp_path: Path) -> None:
    stop = asyncio.Event()
    supervising = asyncio.create_task(Supervisor(tmp_path, [sleeper()], print).run(stop))
    await until(lambda: started(tmp_path) == 1)
    with pytest.raises(Refusal, match=f"already served .pid {os.getpid()}"):
        await Supervisor(tmp_path, [sleeper()], print).run(asyncio.Event())
    assert started(tmp_path) == 1
    stop.set()
    await supervising


async def test_a_running_child_with_other_arguments_is_replaced(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True)
    processes.Record(other.pid, processes.born(other.pid), ("something", "else")).write(tmp_path / "sleeper.pid")
    stop = asyncio.Event()
    supervising = asyncio.create_task(Supervisor(tmp_path, [sleeper()], lambda _: None).run(stop))
    await until(lambda: started(tmp_path) == 1)
    assert other.wait() in (0, -signal.SIGTERM)
    stop.set()
    await supervising


async def test_a_child_that_refuses_is_not_started_again_and_its_sentence_is_passed_on(tmp_path: Path) -> None:
    refusing = sleeper("import sys; print('bench.toml:3:1: no such model', file=sys.stderr); sys.exit(2)")
    with pytest.raises(ChildRefused, match=r"bench.toml:3:1: no such model"):
        await Supervisor(tmp_path, [refusing], print).run(asyncio.Event())


async def test_the_next_child_waits_for_the_socket_of_the_one_before(tmp_path: Path) -> None:
    ready = f"import pathlib, time; time.sleep(0.3); pathlib.Path({str(tmp_path / 'w.sock')!r}).touch()\n{SLEEPER}"
    after = f"import pathlib; print('started' if pathlib.Path({str(tmp_path / 'w.sock')!r}).exists() else 'early')\n"
    children = [Child("world", (sys.executable, "-c", ready), socket="w.sock"), sleeper(after + SLEEPER)]
    stop = asyncio.Event()
    supervising = asyncio.create_task(Supervisor(tmp_path, children, print).run(stop))
    await until(lambda: processes.read(tmp_path / "sleeper.pid"))
    stop.set()
    await supervising
    assert "early" not in (tmp_path / "sleeper.log").read_text()


def job(data: Path, code: str) -> Child:
    return Child("job", (sys.executable, "-c", code), done=(data / "done").exists)


async def test_what_comes_after_a_job_waits_for_its_work_and_a_job_done_is_not_done_again(tmp_path: Path) -> None:
    work = f"import pathlib, time; print('works'); time.sleep(0.3); pathlib.Path({str(tmp_path / 'done')!r}).touch()"
    after = f"import pathlib; print('started' if pathlib.Path({str(tmp_path / 'done')!r}).exists() else 'early')\n"
    for _ in range(2):
        stop = asyncio.Event()
        children = [job(tmp_path, work), sleeper(after + SLEEPER)]
        supervising = asyncio.create_task(Supervisor(tmp_path, children, print).run(stop))
        await until(lambda: processes.read(tmp_path / "sleeper.pid") and started(tmp_path))
        assert not (tmp_path / "job.pid").exists()
        stop.set()
        await supervising
    assert (tmp_path / "job.log").read_text().count("works") == 1
    assert "early" not in (tmp_path / "sleeper.log").read_text()


async def test_a_job_that_fails_ends_all_with_its_sentence_or_with_how_it_ended(tmp_path: Path) -> None:
    for code, word in (("import sys; print('no such day', file=sys.stderr); sys.exit(1)", "no such day"),
                       ("import os; os.kill(os.getpid(), 9)", "SIGKILL"), ("pass", "exit code 0")):  # fmt: skip
        with pytest.raises(Refusal, match=word):
            await Supervisor(tmp_path, [job(tmp_path, code), sleeper()], print).run(asyncio.Event())
    assert started(tmp_path) == 0


async def test_a_stop_in_the_middle_of_a_job_ends_it_and_starts_nothing_more(tmp_path: Path) -> None:
    stop = asyncio.Event()
    supervising = asyncio.create_task(Supervisor(tmp_path, [job(tmp_path, SLEEPER), sleeper()], print).run(stop))
    await until(lambda: processes.read(tmp_path / "job.pid"))
    running = processes.read(tmp_path / "job.pid")
    stop.set()
    await supervising
    assert running is not None and not running.alive
    assert started(tmp_path) == 0 and not (tmp_path / "job.pid").exists()


async def test_a_process_number_used_again_by_another_process_is_not_taken_for_the_child(tmp_path: Path) -> None:
    processes.Record(os.getpid(), "some other time", ("x",)).write(tmp_path / "sleeper.pid")
    assert processes.read(tmp_path / "sleeper.pid") is None


REFUSES = "import sys; print('no port for me', file=sys.stderr); sys.exit(1)"


async def test_a_child_that_is_not_vital_may_refuse_and_the_others_go_on(tmp_path: Path) -> None:
    said: list[str] = []
    stop = asyncio.Event()
    page = Child("page", (sys.executable, "-c", REFUSES), vital=False)
    supervising = asyncio.create_task(Supervisor(tmp_path, [page, sleeper()], said.append).run(stop))
    await until(lambda: any("no port for me" in each for each in said) and started(tmp_path) == 1)
    record = processes.read(tmp_path / "sleeper.pid")
    assert record is not None and record.alive
    stop.set()
    await supervising


@pytest.mark.req("SEC-22")
async def test_a_child_that_does_not_answer_any_more_is_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.supervisor.ASK_EVERY_S", 0.05)
    said: list[str] = []
    stop = asyncio.Event()

    async def answers() -> bool:
        return started(tmp_path) != 1

    child = Child("sleeper", (sys.executable, "-c", LOGGING), answers=answers)
    supervising = asyncio.create_task(Supervisor(tmp_path, [child], said.append).run(stop))
    await until(lambda: started(tmp_path) == 2)
    assert "does not answer any more" in said[0]
    stop.set()
    await supervising


def test_a_second_start_is_refused_before_it_changes_anything(tmp_path: Path) -> None:
    refuse_if_served(tmp_path)
    assert not list(tmp_path.iterdir())
    with (tmp_path / "supervisor.pid").open("a+") as lock:
        take(lock, tmp_path)
        with pytest.raises(Refusal, match=f"already served \\(pid {os.getpid()}\\)"):
            refuse_if_served(tmp_path)
    refuse_if_served(tmp_path)
