"""Keeps child processes alive: starts, watches, restarts with back-off, adopts what a dead supervisor left running.

Standard library only, and small: it must not be what fails. Children get sessions of their own, so that killing the
supervisor (or its terminal) leaves them running; the next supervisor on the same data directory finds them by their
records and goes on watching.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from api import processes
from api.refusal import Refusal

LOOK_S = 0.1
"""How often a child is looked at."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 10.0
"""Back-off between restarts, doubled each time."""
CALM_S = 30.0
"""A child that lived this long starts with the shortest wait again."""
END_S = 20.0
"""Time a child has for its orderly end before it is killed."""
READY_S = 20.0
"""Longest wait for the socket of a child that others depend on."""
REFUSED = (1, 2)
"""Exit codes by which a child, with a sentence and no traceback, says that starting it again would not help: a faulty
file, another owner of the data."""
LOG_LIMIT = 5_000_000
ASK_EVERY_S = 3.0
"""How often a child is asked whether it still answers, where it can be asked."""
MOST_SILENT = 4
"""Questions in a row without an answer after which a child counts as frozen, and is killed and started again."""


@dataclass(frozen=True, slots=True)
class Child:
    name: str
    command: tuple[str, ...]
    socket: str = ""
    """File name in the data directory that appears when the child is ready; the next child waits for it."""
    pid_if_running: Callable[[], int | None] = lambda: None
    """Asks the child itself for its process number, where its record was lost."""
    vital: bool = True
    """False: when it refuses to start, the others go on, and it is tried again now and then."""
    answers: Callable[[], Awaitable[bool]] | None = None
    """Asks the child for a sign of life; must not take longer than some seconds."""
    done: Callable[[], bool] | None = None
    """Makes the child a job: it ends by itself when its work is done, and the next child waits for that."""


class ChildRefused(Refusal):
    """A child will not start, and says why."""


class Supervisor:
    """One per data directory: the lock on `supervisor.pid` sees to it."""

    def __init__(self, data: Path, children: Sequence[Child], say: Callable[[str], None]) -> None:
        self.data, self.children, self.say = data, children, say
        self._own: dict[str, subprocess.Popen[bytes]] = {}
        self._records: dict[str, processes.Record] = {}
        self._log_from: dict[str, int] = {}

    async def run(self, until: asyncio.Event) -> None:
        """Keep all children until `until` is set, then end them in reverse order; raises ChildRefused, Refusal."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.data / "supervisor.pid").open("a+") as lock:
            take(lock, self.data)
            keepers: list[asyncio.Task[None]] = []
            waiter = asyncio.create_task(until.wait())
            try:
                for child in self.children:
                    if until.is_set():
                        break
                    if child.done is not None:
                        await self._carry_out(child, child.done, until)
                        continue
                    await self._bring_up(child)
                    keepers.append(asyncio.create_task(self._keep(child)))
                    if child.socket:
                        await self._wait_for(child, until)
                done, _ = await asyncio.wait([waiter, *keepers], return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in (waiter, *keepers):
                    task.cancel()
                await asyncio.gather(waiter, *keepers, return_exceptions=True)
                for child in reversed(self.children):
                    await self._end(child)

    async def _carry_out(self, job: Child, done: Callable[[], bool], until: asyncio.Event) -> None:
        """See a job to its end; raises Refusal when it ends without having done its work."""
        if done():
            return
        await self._bring_up(job)
        while self._records[job.name].alive and not until.is_set():  # noqa: ASYNC110  a process sets no event
            await asyncio.sleep(LOOK_S)
        if until.is_set():
            return
        await self._end(job)
        if done():
            return
        self._raise_if_refused(job)
        raise Refusal(f"{job.name} ended ({meaning(self._exit_code(job))}); its log is {self.log(job)}")

    async def _keep(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        wait_s = FIRST_WAIT_S
        while True:
            began = loop.time()
            await self._watch(child)
            code = self._exit_code(child)
            refused = code in REFUSED and not child.vital
            if not refused:
                self._raise_if_refused(child)
            if loop.time() - began > CALM_S:
                wait_s = FIRST_WAIT_S
            if refused:
                wait_s = LONGEST_WAIT_S
            words = self._last_words(child) if refused else f"ended ({meaning(code)})"
            self.say(f"{child.name}: {words}; starting it again in {wait_s:g} s, log in {self.log(child)}")
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)
            self._start(child)

    async def _watch(self, child: Child) -> None:
        """Return when the child has ended; a frozen one is ended."""
        loop = asyncio.get_running_loop()
        silent, ask_at = 0, loop.time() + ASK_EVERY_S
        while self._records[child.name].alive:
            await asyncio.sleep(LOOK_S)
            if child.answers is None or loop.time() < ask_at:
                continue
            silent = 0 if await child.answers() else silent + 1
            ask_at = loop.time() + ASK_EVERY_S
            if silent >= MOST_SILENT:
                self.say(f"{child.name} does not answer any more and is started anew")
                processes.tell(self._records[child.name], signal.SIGKILL)
                silent = 0

    async def _bring_up(self, child: Child) -> None:
        """Adopt the child when it runs already with the same arguments, replace it when with others, else start it."""
        running = processes.read(self._record(child))
        if running is None and (pid := child.pid_if_running()) is not None:
            running = processes.Record(pid, processes.born(pid), child.command)
        if running is not None and running.command != child.command:
            self.say(f"replacing the running {child.name} (pid {running.pid}), which was started with other arguments")
            self._records[child.name] = running
            await self._end(child)
            running = None
        if running is None:
            self._start(child)
        else:
            self._records[child.name] = running
            running.write(self._record(child))
            self.say(f"going on with the {child.name} that is running (pid {running.pid})")

    def _start(self, child: Child) -> None:
        if child.socket:
            (self.data / child.socket).unlink(missing_ok=True)
        log = self.log(child)
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as out:
            self._log_from[child.name] = out.tell()
            process = subprocess.Popen(  # noqa: S603  our own command line
                child.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        self._own[child.name] = process
        record = processes.Record(process.pid, processes.born(process.pid), child.command)
        record.write(self._record(child))
        self._records[child.name] = record

    async def _wait_for(self, child: Child, until: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + READY_S
        while not (self.data / child.socket).exists() and not until.is_set():
            if loop.time() > give_up:
                raise Refusal(f"{child.name} is not ready after {READY_S:g} s; its log is {self.log(child)}")
            self._raise_if_refused(child)
            await asyncio.sleep(LOOK_S / 5)

    async def _end(self, child: Child) -> None:
        record = self._records.pop(child.name, None)
        if record is None:
            return
        loop = asyncio.get_running_loop()
        processes.tell(record, signal.SIGTERM)
        give_up = loop.time() + END_S
        while record.alive:
            if loop.time() > give_up:
                self.say(f"{child.name} (pid {record.pid}) did not end within {END_S:g} s and was killed")
                processes.tell(record, signal.SIGKILL)
                give_up = loop.time() + END_S
            await asyncio.sleep(LOOK_S / 5)
        self._exit_code(child)
        self._record(child).unlink(missing_ok=True)

    def _exit_code(self, child: Child) -> int | None:
        """None while it runs, and for an adopted child, whose code only its first parent could have learnt."""
        process = self._own.get(child.name)
        return None if process is None else process.poll()

    def _raise_if_refused(self, child: Child) -> None:
        if self._exit_code(child) in REFUSED and "Traceback" not in (words := self._last_words(child)):
            raise ChildRefused(words)

    def _last_words(self, child: Child) -> str:
        with self.log(child).open("rb") as log:
            log.seek(self._log_from.get(child.name, 0))
            words = log.read().decode(errors="replace").strip()
        return words.removeprefix("osteon: ") or f"{child.name} refused to start and did not say why"

    def log(self, child: Child) -> Path:
        return self.data / f"{child.name}.log"

    def _record(self, child: Child) -> Path:
        return self.data / f"{child.name}.pid"


def refuse_if_served(data: Path) -> None:
    """Raise Refusal when a supervisor lives on `data`: asked first, so that a second start changes nothing."""
    record = data / "supervisor.pid"
    if record.exists():
        with record.open("a+") as lock:
            hold(lock, data)


def take(lock: IO[str], data: Path) -> None:
    """Become the one supervisor of `data`; raises Refusal when another lives. The lock dies with its process."""
    import os

    hold(lock, data)
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()


def hold(lock: IO[str], data: Path) -> None:
    """Lock the record; raises Refusal with the number of the process that has it."""
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        raise Refusal(f"{data} is already served (pid {lock.read().strip() or 'unknown'})") from None


def meaning(code: int | None) -> str:
    if code is None:
        return "adopted, so its exit code is not known"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


async def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM, SIGINT and SIGHUP set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
