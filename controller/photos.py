"""Photos of hand steps on record: whose, of which task, which file; an entry names one that belongs there (SEC-12)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from controller.actors import Actor
from controller.asked import asked as asks
from controller.claims import may_answer
from controller.errors import RunConflict, Unusable
from controller.keys import Keys, answer_row
from controller.store.changes import AuditEntry, Change, Insert
from controller.store.pictures import KINDS, Picture, file_of
from controller.store.reader import Reader
from controller.store.rows import TaskRow
from protocols.events import EntryValue

MOST = 20
"""Photos of one task."""
NAME = re.compile(r"[0-9a-f]{32}")


class Photos:
    """The pictures of a bench, in the ledger; their files lie beside it."""

    def __init__(self, keys: Keys) -> None:
        self.keys, self.ledger, self.clock = keys, keys.ledger, keys.clock

    async def add(self, run_id: str, path: str, picture: Picture, by: Actor, key: str = "") -> str:
        """Put a picture that is on the disk on record; its name. Raises Unusable, RunConflict (no open task)."""
        asked = asks(f"photo {run_id} {path}", run=run_id, path=path, sha256=picture.sha256)
        if (first := self.keys.answered(key, asked)) is not None:
            return str(first["photo"])
        task = self.ledger.task(run_id, path)
        if task is None or task.state != "open":
            raise RunConflict(f"no open task {path!r} in {run_id}")
        may_answer(task, by)
        if faults := self._faults(task, picture):
            raise Unusable(faults)
        now = self.clock.now()
        facts = {"photo": picture.photo, "kind": picture.kind, "bytes": picture.bytes, "sha256": picture.sha256}
        change: list[Change] = [Insert("photos", {**facts, "run_id": run_id, "path": path, "at": now, "by": by.name})]
        if key:
            change.append(answer_row(key, run_id, now, {"asked": asked, "photo": picture.photo}))
        entry = AuditEntry(
            "photo taken", "photo", picture.photo, by.name, by.role, by.authenticated_by, new=facts, run_id=run_id,
            step=path, client=by.client,
        )  # fmt: skip
        await self.ledger.commit(change, [entry])
        return picture.photo

    def _faults(self, task: TaskRow, picture: Picture) -> list[str]:
        if not any(entry["kind"] == "photo" for entry in task.hand["entries"]):
            return ["this task asks for no photo"]
        if picture.kind not in KINDS or not NAME.fullmatch(picture.photo):
            return ["this is no name of a picture"]
        if sum(row.path == task.path for row in self.ledger.photos(task.run_id)) >= MOST:
            return [f"this task has {MOST} photos already"]
        file = file_of(self.ledger.folder, picture.photo, picture.kind)
        if not file.is_file() or file.stat().st_size != picture.bytes:
            return ["the file of this picture is not there"]
        return []


def unknown(ledger: Reader, task: TaskRow, taken: Mapping[str, EntryValue], by: Actor) -> list[str]:
    """Photo entries that name no picture of this task. The simulated person has no camera: it writes that it looked."""
    if by.role == "simulated":
        return []
    names = [str(entry["name"]) for entry in task.hand["entries"] if entry["kind"] == "photo"]
    faults = list[str]()
    for name in names:
        row = ledger.photo(str(taken[name]))
        if row is None or (row.run_id, row.path) != (task.run_id, task.path):
            faults.append(f"{name!r}: {str(taken[name])[:40]!r} is no photo of this task; take or send one first")
    return faults
