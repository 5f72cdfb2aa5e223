"""Real processes: killed by -9 in the middle of commits, and two on one directory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from controller.store.errors import DirectoryTaken
from controller.store.lock import DirectoryLock
from controller.store.reader import Reader
from controller.store.verify import verify

WRITER = """
import asyncio, sys
from pathlib import Path
from controller.clock import Clock
from controller.store.changes import AuditEntry, Insert, JournalEntry, Update
from controller.store.ledger import Ledger
from controller.store.lock import DirectoryLock

async def main(folder):
    lock = DirectoryLock.take(folder)
    ledger = Ledger.open(folder, Clock.real("UTC"), "0.1")
    epoch = await ledger.new_epoch()
    by = AuditEntry("a", "dose", "x", "controller")
    if not ledger.runs():
        await ledger.commit([Insert("runs", {"run_id": "r1", "created_at": 1.0})], [by])
    number = 0
    while True:
        number += 1
        dose = {"dose_id": f"{epoch}/{number}", "run_id": "r1", "epoch": epoch, "state": "intended", "intended_at": 1.0}
        await ledger.commit([Insert("doses", dose)], [by], [JournalEntry("r1", 1.0, {"intent": dose["dose_id"]})])
        print(f"intended {dose['dose_id']}", flush=True)
        done = Update("doses", {"dose_id": dose["dose_id"]}, {"state": "done"})
        await ledger.commit([done], [by], [JournalEntry("r1", 2.0, {"done": dose["dose_id"]})])
        print(f"done {dose['dose_id']}", flush=True)

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.req("INV-22", "AT-08", "DX-03")
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
@pytest.mark.parametrize("lines", [[5, 18, 43]])
def test_what_a_killed_process_confirmed_is_there_and_nothing_is_half(tmp_path, lines):
    confirmed = list[str]()
    for many in lines:
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        confirmed += [child.stdout.readline().strip() for _ in range(many)]
        child.send_signal(signal.SIGKILL)
        confirmed += [line.strip() for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        child.stdout.close()
        child.wait()
        report = verify(tmp_path)
        assert report.ok, report.text()
    with Reader.open_read_only(tmp_path) as ledger:
        states = {row.dose_id: row.state for row in ledger.doses()}
        events = [next(iter(row.event.items())) for row in ledger.events("r1")]
        assert ledger.newest_epoch() == len(lines)
    for line in confirmed:
        what, dose = line.split()
        assert states[dose] in (("done",) if what == "done" else ("intended", "done"))
    assert len([dose for dose, state in states.items() if state == "intended"]) <= len(lines)
    assert {dose for what, dose in events if what == "intent"} == states.keys()
    assert {dose for what, dose in events if what == "done"} == {dose for dose in states if states[dose] == "done"}


@pytest.mark.req("DX-05")
def test_a_second_process_is_told_who_holds_the_directory(tmp_path):
    with DirectoryLock.take(tmp_path):
        with pytest.raises(DirectoryTaken, match=f"process {os.getpid()}"):
            DirectoryLock.take(tmp_path)
        child = subprocess.run(
            [sys.executable, "-c", WRITER, str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert child.returncode != 0 and f"process {os.getpid()}" in child.stderr and child.stdout == ""
    assert not (tmp_path / "ledger.db").exists()
    lock = DirectoryLock.take(tmp_path)
    lock.release()
    lock.release()
