"""The bench as the controller tells it, again and again: the last picture, how old it is, what has changed since."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from api import past_child
from api.web.controller_link import ControllerAway, ControllerLink, Line
from api.web.one_unit import narrowed
from api.web.staleness import aged

WATCHED_S, UNWATCHED_S = 0.25, 1.0
"""Time between two pictures, with listeners and without."""
SILENT_S = 2.0
"""A controller that owes an answer for this long is silent: stalled or frozen, its socket still open."""
RETRY_S = (0.1, 0.2, 0.5, 1.0)
SCANS = 3
"""Periods after which the last scan is too old (UI-21)."""

NO_SCAN: Mapping[str, Any] = {"count": 0, "age_s": None, "period_s": 1.0}

Snapshot = Mapping[str, Any]
Condition = Literal["ok", "starting", "silent", "away"]


class Feed:
    """One for the process; everything a page sees of the bench comes from here."""

    def __init__(self, link: ControllerLink) -> None:
        self._link = link
        self.snapshot: Snapshot | None = None
        self.seq = 0
        self.listeners = 0
        self._arrived, self._asked = 0.0, 0.0
        self._connected, self._known = False, False
        self._changed = asyncio.Event()
        self._wanted = asyncio.Event()
        self._shown: Snapshot | None = None
        self._shown_in: Condition = "starting"
        self._good_until = 0.0
        self._texts: dict[tuple[int, str | None], str] = {}
        """Messages that lead to the picture shown, by the number of the picture they start from (0 = from nothing) and
        the unit they are narrowed to."""
        self._made: dict[object, bytes] = {}
        self._narrow: dict[str, Snapshot] = {}

    async def run(self) -> None:
        """Keep the picture until cancelled."""
        attempt = 0
        while True:
            try:
                line = await Line.open(self._link.data)
                attempt = 0
                await self._follow(line)
            except (ControllerAway, ConnectionError, ValueError):
                self._connected = False
                self._tell()
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
            attempt += 1

    async def _follow(self, line: Line) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                self._asked = loop.time()
                watch = loop.call_later(SILENT_S, self._tell)
                try:
                    answer = await line.ask("snapshot")
                finally:
                    watch.cancel()
                if "ok" in answer:
                    self.take(answer["ok"])
                self._wanted.clear()
                pause_s = WATCHED_S if self.listeners else UNWATCHED_S
                try:
                    async with asyncio.timeout_at(self._asked + pause_s):
                        await self._wanted.wait()
                except TimeoutError:
                    continue
        finally:
            line.close()

    def take(self, snapshot: Snapshot) -> None:
        """A picture has come."""
        self.snapshot, self._arrived = snapshot, asyncio.get_running_loop().time()
        self._connected, self._known = True, True
        self._shown = None
        self._tell()

    def _tell(self) -> None:
        """Wake every listener."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        """Wait for the next picture, or for a change of the controller's condition."""
        await self._changed.wait()

    def listen(self) -> None:
        """One listener more: pictures come faster."""
        self.listeners += 1
        self._wanted.set()

    def leave(self) -> None:
        self.listeners -= 1

    # ---- how fresh it is --------------------------------------------------------------------------------

    @property
    def since_s(self) -> float:
        """Wall seconds since the last picture came."""
        return asyncio.get_running_loop().time() - self._arrived

    @property
    def condition(self) -> Condition:
        if not self._connected:
            return "away" if self._known else "starting"
        if self._asked > self._arrived and asyncio.get_running_loop().time() - self._asked > SILENT_S:
            return "silent"
        return "starting" if self.snapshot is not None and self.snapshot["state"] == "starting" else "ok"

    @property
    def doing(self) -> str:
        """What goes on before there is a controller to ask, in words; "" = nothing special."""
        past = past_child.progress(self._link.data) if not self._known else None
        return past.words() if past is not None else ""

    def scan(self) -> dict[str, Any]:
        """Counter, age of the last scan now, usual time between two; wall seconds."""
        told: Mapping[str, Any] = self.snapshot["scan"] if self.snapshot is not None else NO_SCAN
        if told["age_s"] is None:
            return dict(told)
        unheard = self.since_s if self.condition != "ok" else 0.0
        return {**told, "age_s": round(told["age_s"] + unheard, 2)}

    @property
    def scanning(self) -> bool:
        """False: "Controller not scanning", however well this process answers."""
        scan = self.scan()
        late = scan["age_s"] is not None and scan["age_s"] > SCANS * scan["period_s"]
        return not late and self.condition in ("ok", "starting")

    def heartbeat(self) -> dict[str, Any]:
        shown = self.snapshot or {}
        return {
            "type": "heartbeat",
            "seq": self.seq,
            "now": shown.get("now"),
            "iso": shown.get("iso"),
            "speed": shown.get("speed"),
            "scan": self.scan(),
            "scanning": self.scanning,
            "controller": self.condition,
            "doing": self.doing,
            "unheard_s": round(self.since_s, 1) if self._known else None,
            "ledger": shown.get("damaged") or "ok",
            "epoch": shown.get("epoch"),
        }

    # ---- what is shown ----------------------------------------------------------------------------------

    def current(self, unit: str | None = None) -> Snapshot:
        """The picture as it may be shown now, its values aged; raises ControllerAway before the first one came.

        The same object until a picture comes, a value becomes stale, or the controller's condition changes. With `unit`
        nothing of other units is in it (SEC-10).
        """
        shown = self._whole()
        if unit is None:
            return shown
        if unit not in self._narrow:
            self._narrow[unit] = narrowed(shown, unit)
        return self._narrow[unit]

    def _whole(self) -> Snapshot:
        if self.snapshot is None:
            raise ControllerAway
        now = asyncio.get_running_loop().time()
        if self._shown is None or now >= self._good_until or self._shown_in is not self.condition:
            self._shown_in = self.condition
            shown, good_for_s = aged(self.snapshot, self.since_s, self._shown_in)
            self._good_until = now + good_for_s
            if shown is not self._shown:
                self.seq += 1
                self._texts.clear()
                self._made.clear()
                self._narrow.clear()
            self._shown = shown
        return self._shown

    def made(self, what: object, make: Callable[[Snapshot], Any], unit: str | None = None) -> bytes:
        """JSON of `make(picture)`, made once for each picture and again only when a value in it becomes stale."""
        shown = self.current(unit)
        text = self._made.get((what, unit))
        if text is None:
            text = self._made[what, unit] = compact(make(shown)).encode()
        return text

    def whole(self, unit: str | None = None) -> tuple[Snapshot, str]:
        """The picture and the message that carries all of it."""
        shown = self.current(unit)
        text = self._texts.get((0, unit))
        if text is None:
            text = compact({"type": "snapshot", "seq": self.seq, "snapshot": shown, **self._verdict()})
            self._texts[0, unit] = text
        return shown, text

    def change(self, seen: Snapshot, seq: int, unit: str | None = None) -> tuple[Snapshot, str]:
        """The picture now and the message that leads there from `seen`, which had number `seq`; "" = all the same."""
        shown = self.current(unit)
        if seen is shown:
            return shown, ""
        text = self._texts.get((seq, unit))
        if text is None:
            found = changes(seen, shown)
            message = {"type": "change", "seq": self.seq, "changes": found, **self._verdict()}
            text = compact(message) if found else ""
            self._texts[seq, unit] = text
        return shown, text

    def _verdict(self) -> dict[str, Any]:
        return {"controller": self.condition, "scanning": self.scanning}


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def changes(before: Snapshot, now: Snapshot) -> dict[str, Any]:
    """Top-level parts of a picture that differ; of devices only what is new, by device and signal."""
    if before is now:
        return {}
    found = {name: part for name, part in now.items() if name != "devices" and part != before.get(name)}
    old = {device["name"]: device for device in before["devices"]}
    devices = [each for device in now["devices"] if (each := device_changes(old.get(device["name"], {}), device))]
    if devices:
        found["devices"] = devices
    return found


def device_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: part for name, part in now.items() if name != "readings" and part != before.get(name)}
    known = before.get("readings", {})
    readings = {name: each for name, each in now["readings"].items() if differs(known.get(name, {}), each)}
    if not found and not readings:
        return {}
    return {"name": now["name"], **found, "readings": readings}


def differs(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether there is a new reading; its age alone is not news."""
    return any(before.get(part) != now[part] for part in ("value", "quality", "why", "at"))
