"""The local socket: one JSON object a line, for whoever may open the file (AC-08); no other way in."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
import struct
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from controller import requests as ask
from controller.actors import Actor, local_user
from controller.alarms import Alarms
from controller.amendments import Wish
from controller.asked import LOCAL, scoped
from controller.batches import Begun
from controller.by_hand import Move
from controller.calibration.desk import Desk
from controller.calibration.weighing import Weighing
from controller.clock import pace, people_s
from controller.controller import Controller
from controller.errors import KeyReused, OldEpoch, RefusedBefore, RunConflict, Unusable
from controller.lineage import batches_of_lot, family, touched
from controller.offspring import Said
from controller.reasons import reasoned
from controller.results import Results, expected
from controller.runs import Runs
from controller.snapshot import hello, run, snapshot
from controller.store.changes import AuditEntry
from controller.store.errors import LedgerFault
from controller.store.ledger import Ledger
from controller.store.pictures import Picture
from drivers.core.errors import OsteonError

NAME = "controller.sock"
LONGEST = 1 << 20
"""Bytes of one request; longer ones end the connection."""
MOST_PEERS = 64
"""Connections at a time; one more is told so and closed."""
Asking = TypeVar("Asking", bound=ask.Keyed)
SLOW_S = 5.0
"""Wall seconds a peer may take to read an answer; then it is dropped, so that what it does not read never piles up."""


class LocalSocket:
    """Serves one controller until cancelled."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._peers = 0
        self._turn = asyncio.Lock()
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, controller: Controller) -> None:
        self.path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(
                lambda reader, writer: self._talk(controller, reader, writer), self.path, limit=LONGEST
            )
        finally:
            os.umask(before)
        try:
            await asyncio.Event().wait()  # it serves already; until cancelled
        finally:
            server.close()
            for writer in list(self._open):  # Python 3.12 waits for those who never hang up or never read
                writer.transport.abort()

    async def _talk(self, controller: Controller, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        actor = peer(writer)
        self._peers += 1
        self._open.add(writer)
        try:
            if self._peers > MOST_PEERS:
                await say(writer, failure(0, "busy", f"more than {MOST_PEERS} connections"))
                return
            while line := await reader.readline():
                await say(writer, await self._answer(controller, line, actor))
        except (ConnectionError, ValueError):
            pass
        finally:
            self._peers -= 1
            self._open.discard(writer)
            writer.close()

    async def _answer(self, controller: Controller, line: bytes, actor: Actor) -> dict[str, Any]:
        """Questions go one after another and leave the loop at least as much time as they take, however many ask at
        once (SEC-22); what a person wants done waits for none of them (P7)."""
        request = understood(line)
        if isinstance(request, ask.Act):
            return await answer(controller, request, actor)
        async with self._turn:
            began = people_s()
            found = await answer(controller, request, actor)
            await asyncio.sleep((people_s() - began) * pace())
        return found


async def say(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    """One line out; a peer that does not read it in time is dropped (SEC-22)."""
    writer.write(json.dumps(answer).encode() + b"\n")
    limit = asyncio.get_running_loop().call_later(SLOW_S * pace(), writer.transport.abort)
    try:
        await writer.drain()
    finally:
        limit.cancel()


def understood(line: bytes) -> ask.AnyRequest | ValidationError:
    """The request in a line, or why there is none."""
    try:
        return ask.REQUEST.validate_json(line)
    except ValidationError as error:
        return error


async def reply(controller: Controller, line: bytes, actor: Actor) -> dict[str, Any]:
    """The answer to one line, always an object with "ok" or "error"."""
    return await answer(controller, understood(line), actor)


async def answer(controller: Controller, request: ask.AnyRequest | ValidationError, actor: Actor) -> dict[str, Any]:
    if isinstance(request, ValidationError):
        return failure(0, "bad request", "; ".join(map(in_words, request.errors())))
    number = request.id
    try:
        return {"id": number, "ok": await carry_out(controller, request, actor)}
    except OsteonError as error:
        return {"id": number, **refusal(error)}
    except Exception as error:  # noqa: BLE001  a fault of ours costs this answer, never the controller
        return failure(number, "fault", f"fault in the program: {type(error).__name__}: {error}")


def in_words(detail: ErrorDetails) -> str:
    """One field that cannot be so, without the library's own pages about it."""
    where = ".".join(str(part) for part in detail["loc"])
    return f"{where}: {detail['msg']}" if where else detail["msg"]


def refusal(error: OsteonError) -> dict[str, Any]:
    """What is answered to a request that cannot be carried out, but for its number."""
    match error:
        case RefusedBefore():
            return dict(error.answer)
        case RunConflict():
            return {"error": {"type": "conflict", "text": str(error)}, "state": error.state}
        case Unusable():
            return {"error": {"type": "unusable", "text": str(error)}, "faults": error.faults}
        case _:
            return {"error": {"type": type(error).__name__, "text": str(error)}}


def failure(number: int, kind: str, text: str) -> dict[str, Any]:
    return {"id": number, "error": {"type": kind, "text": text}}


async def carry_out(controller: Controller, request: ask.AnyRequest, actor: Actor) -> Any:
    """Do what a valid request asks; raises OsteonError when it is refused."""
    match request:
        case ask.Hello():
            return {**hello(controller), "pid": os.getpid()}
        case ask.Snapshot():
            return snapshot(controller)
        case ask.StopPumps():
            return {"stopped": await controller.quiet(request.unit, who(request, actor), own(request).key)}
        case ask.Shutdown():
            controller.stop()
            return {"stopping": True}
        case _:
            return await with_records(controller, request, actor)


async def with_records(controller: Controller, request: ask.AnyRequest, actor: Actor) -> Any:
    """Requests that need the ledger."""
    runs, ledger, alarms = controller.runs, controller.ledger, controller.alarms
    if runs is None or ledger is None or alarms is None:
        why = controller.damaged or "the controller is starting; ask again in a second"
        raise RunConflict(why, controller.state)
    if isinstance(request, ask.Act):
        actor = who(request, actor)
    if isinstance(request, ask.Keyed) and request.key:
        request = own(request)
        async with runs.keys.turn(request.key):
            try:
                return await on_record(controller, runs, ledger, alarms, request, actor)
            except (KeyReused, RefusedBefore, LedgerFault, OldEpoch):
                raise
            except OsteonError as error:
                of = request.run if isinstance(request, OF_A_RUN) else ""
                await runs.keys.refuse(request.key, refusal(error), actor, of)
                raise
    return await on_record(controller, runs, ledger, alarms, request, actor)


async def on_record(
    controller: Controller, runs: Runs, ledger: Ledger, alarms: Alarms, request: ask.AnyRequest, actor: Actor
) -> Any:
    match request:
        case ask.Start():
            started = await runs.start(
                request.protocol, by=actor, unit=request.unit, sets=request.set, start=request.start,
                batch=begun(request), key=request.key,
            )  # fmt: skip
            return {"run": started}
        case ask.CommandRun():
            state = await runs.command(
                request.run, request.cause, actor, why=request.why, state_seen=request.state_seen, key=request.key
            )
            return {"state": state}
        case ask.Answer():
            by = Actor(request.by, "simulated", "simulated person") if request.by.startswith("simulated") else actor
            state = await runs.answer(
                request.run, request.path, request.entries, by, request.key,
                lots=request.lots, happened_at=request.happened_at, out_min=request.out_min, why=request.why,
                batches={into: Said(each.batch, each.share, each.kept) for into, each in request.batches.items()},
            )  # fmt: skip
            return {"state": state}
        case ask.AddPhoto():
            picture = Picture(request.photo, request.kind, request.bytes, request.sha256)
            return {"photo": await runs.photos.add(request.run, request.path, picture, actor, request.key)}
        case ask.BatchesList():
            return {
                "batches": [asdict(row) for row in ledger.batches()],
                "edges": [asdict(row) for row in ledger.batch_edges()],
            }
        case ask.AddBatch():
            facts = request.model_dump(exclude={"id", "actor", "do", "key", "batch", "kind"})
            return {"batch": await runs.batches.add(request.batch, request.kind, actor, **facts, key=request.key)}
        case ask.ShowBatch():
            return family(ledger, request.batch)
        case ask.ClearLine():
            unit = runs.where(request.unit).name
            return {"donor": await runs.lines.clear(unit, actor, why=request.why, key=request.key)}
        case ask.Touched():
            return touched(ledger, request.batch, controller.settings.signals())
        case ask.BatchesOfLot():
            return batches_of_lot(ledger, request.lot)
        case ask.ResultsOf():
            now = controller.clock.now()
            return [each.told(now) for each in expected(ledger, request.run)]
        case ask.WriteResult():
            return {"state": await result(runs.results, request, actor)}
        case ask.Release():
            signed = await runs.releases.sign(request.batch, request.stage, actor, why=request.why, key=request.key)
            return {"batch": request.batch, "state": signed}
        case ask.Lots():
            return [asdict(row) for row in ledger.lots()]
        case ask.AddLot():
            facts = request.model_dump(exclude={"id", "actor", "do", "key", "lot", "material"})
            state = await runs.materials.add(request.lot, request.material, actor, **facts, key=request.key)
            return {"lot": request.lot, "state": state}
        case ask.PutLot():
            state = await runs.materials.put(request.lot, request.state, actor, why=request.why, key=request.key)
            return {"lot": request.lot, "state": state}
        case ask.Claim():
            claimed = await runs.claim(request.run, request.path, request.whom, actor, request.key)
            return {"claimed_by": claimed}
        case ask.Decide():
            state = await runs.decide(
                request.run,
                request.path,
                request.answer,
                actor,
                volume_ml=request.volume_ml,
                question=request.question,
                why=request.why,
                key=request.key,
            )
            return {"state": state}
        case ask.AmendRun():
            wish = Wish(request.what, request.path, request.at, request.set)
            if request.preview:
                return runs.preview(request.run, wish)
            return await runs.amend(request.run, wish, actor, why=request.why, key=request.key)
        case ask.MoveByHand():
            if controller.by_hand is None:
                raise RunConflict("the controller is starting; ask again in a second", controller.state)
            wanted = Move(request.path, request.volume_ml, request.rate_ml_min, request.fluid, request.to)
            return await controller.by_hand.move(request.unit, wanted, actor, why=request.why, key=request.key)
        case ask.MeasureVolume():
            return await runs.measure(request.unit, request.ml, actor, why=request.why, key=request.key)
        case ask.Confirm():
            return {"confirmed": await runs.doors.confirmations.confirm(request.what, actor, reasoned(request.why))}
        case ask.SetMode():
            mode = await runs.set_mode(request.run, request.mode, actor, why=request.why, key=request.key)
            return {"state": mode}
        case ask.Advance():
            return {"state": await runs.advance(request.run, request.path, actor, key=request.key)}
        case ask.Hold():
            return {"states": await runs.hold(request.unit, actor, request.why, request.key)}
        case ask.RunsList():
            rows = ledger.runs()
            keep = ("run_id", "unit", "name", "protocol_version", "state", "created_at", "started_at", "ended_at")
            return [{name: getattr(row, name) for name in keep} for row in rows]
        case ask.ShowRun():
            return run(runs.engine(request.run), controller.clock.now())
        case ask.DosesOf():
            return [asdict(row) for row in ledger.doses(request.run)]
        case ask.Tasks():
            return runs.tasks()
        case ask.Acknowledge():
            await alarms.acknowledge(request.alarm, actor)
            return {"acknowledged": request.alarm}
        case ask.Calibrations():
            return desk_of(controller).rows(request.device)
        case ask.Calibrate():
            return await calibrate(desk_of(controller), request, actor)
        case ask.Audit():
            if controller.trail is None:
                raise RunConflict("no records are kept now", controller.state)
            return {"written": await controller.trail.record([entry(note) for note in request.entries])}
        case _:
            raise RunConflict(f"not possible now: {request.do}", controller.state)


OF_A_RUN = (ask.CommandRun, ask.Answer, ask.AddPhoto, ask.WriteResult, ask.Claim, ask.Decide)
"""Requests whose refusal is kept with the run they are for."""


async def result(results: Results, request: ask.WriteResult, actor: Actor) -> str:
    """The state of the result then."""
    which = (request.run, request.sample, request.name)
    match request.state:
        case "retest":
            return await results.again(*which, actor, why=request.why, key=request.key)
        case "not done":
            return await results.leave_out(*which, actor, why=request.why, key=request.key)
        case None:
            said = {"unit": request.unit, "method": request.method, "why": request.why, "key": request.key}
            return await results.add(*which, request.value, actor, **said)


def begun(request: ask.Start) -> Begun | None:
    """The batch that a run is to work on; None = none. Raises Unusable."""
    if not request.batch and (request.parents or request.kind):
        raise Unusable(["name the new batch"])
    if request.kind and not request.parents:
        raise Unusable(["a new batch comes from others: say which; one that is there has its kind already"])
    return Begun(request.batch, request.parents, request.kind) if request.batch else None


def desk_of(controller: Controller) -> Desk:
    if controller.desk is None:
        raise RunConflict("the controller is starting; ask again in a second", controller.state)
    return controller.desk


async def calibrate(desk: Desk, request: ask.Calibrate, by: Actor) -> Any:
    """One step at the desk, as plain JSON."""
    device = request.device
    match request.step:
        case "begin":
            return {"calibration": await desk.begin(device, by)}
        case "point":
            point = await desk.point(
                device, request.point, by, reference=request.reference, lot=request.lot, expires=request.expires
            )
            return {"points": [point.row()]}
        case "compare":
            if request.reference is None:
                raise Unusable(["what does the reference show?"])
            point = await desk.compare(
                device, request.signal, request.reference, by, lot=request.lot, expires=request.expires
            )
            return {"points": [point.row()]}
        case "weigh":
            if request.volume_ml is None or request.rate_ml_min is None or not request.balance:
                raise Unusable(["say how much, how fast, and on which balance"])
            asked = Weighing(request.doses, request.volume_ml, request.rate_ml_min, request.balance)
            return {"points": [point.row() for point in await desk.weigh(device, asked, by)]}
        case "accept" | "discard":
            verdict = await desk.finish(device, by, accept=request.step == "accept", why=request.why)
            return {"accepted": request.step == "accept" and verdict.good, "reasons": list(verdict.reasons),
                    "new": dict(verdict.new)}  # fmt: skip
        case "autoclave":
            return {"autoclaved": await desk.autoclaved(device, by)}


def who(request: ask.Act, peer: Actor) -> Actor:
    """The person the API process names, or whoever opened the socket."""
    person = request.actor
    return peer if person is None else Actor(person.name, person.role, person.authenticated_by, person.client)


def own(request: Asking) -> Asking:
    """The request with its key as that of the person it is in the name of."""
    person = LOCAL if request.actor is None else request.actor.name
    return request.model_copy(update={"key": scoped(request.key, person)})


def entry(note: ask.Note) -> AuditEntry:
    return AuditEntry(
        note.action,
        note.object_type,
        note.object,
        note.actor,
        note.role,
        note.authenticated_by,
        reason=note.reason,
        outcome=note.outcome,
        correlation_id=note.correlation_id,
        client=note.client,
    )


def peer(writer: asyncio.StreamWriter) -> Actor:
    """Who is at the other end, as the kernel says."""
    sock: socket.socket = writer.get_extra_info("socket")
    if not hasattr(socket, "SO_PEERCRED"):
        return Actor("local", "local", "local socket")
    _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    try:
        return local_user(uid, pwd.getpwuid(uid).pw_name)
    except KeyError:
        return local_user(uid, str(uid))
