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
from typing import Any

from pydantic import ValidationError

from controller import requests as ask
from controller.actors import Actor, local_user
from controller.controller import Controller
from controller.errors import RunConflict, Unusable
from controller.snapshot import hello, run, snapshot
from drivers.core.errors import OsteonError

NAME = "controller.sock"
LONGEST = 1 << 20
"""Bytes of one request; longer ones end the connection."""


class LocalSocket:
    """Serves one controller until cancelled."""

    def __init__(self, path: Path) -> None:
        self.path = path
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
        self._open.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await reply(controller, line, actor)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()


async def reply(controller: Controller, line: bytes, actor: Actor) -> dict[str, Any]:
    """The answer to one line, always an object with "ok" or "error"."""
    number = 0
    try:
        request = ask.REQUEST.validate_json(line)
        number = request.id
        return {"id": number, "ok": await carry_out(controller, request, actor)}
    except ValidationError as error:
        return failure(number, "bad request", str(error))
    except RunConflict as error:
        return {**failure(number, "conflict", str(error)), "state": error.state}
    except Unusable as error:
        return {**failure(number, "unusable", str(error)), "faults": error.faults}
    except OsteonError as error:
        return failure(number, type(error).__name__, str(error))
    except Exception as error:  # noqa: BLE001  a fault of ours costs this answer, never the controller
        return failure(number, "fault", f"fault in the program: {type(error).__name__}: {error}")


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
            return {"stopped": await controller.quiet(request.unit, actor)}
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
    match request:
        case ask.Start():
            started = await runs.start(
                request.protocol, by=actor, unit=request.unit, sets=request.set, start=request.start, key=request.key
            )
            return {"run": started}
        case ask.CommandRun():
            state = await runs.command(
                request.run, request.cause, actor, why=request.why, state_seen=request.state_seen, key=request.key
            )
            return {"state": state}
        case ask.Answer():
            by = Actor(request.by, "simulated", "simulated person") if request.by.startswith("simulated") else actor
            return {"state": await runs.answer(request.run, request.path, request.entries, by, request.key)}
        case ask.Decide():
            state = await runs.decide(
                request.run, request.path, request.answer, actor, volume_ml=request.volume_ml, why=request.why
            )
            return {"state": state}
        case ask.Hold():
            return {"states": await runs.hold(request.unit, actor, request.why)}
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
        case _:
            raise RunConflict(f"not possible now: {request.do}", controller.state)


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
