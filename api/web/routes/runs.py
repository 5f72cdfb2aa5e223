"""Runs: list, one run, timeline, doses, tasks; start, command, claim, answer, decide; what became of a command."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.web.controller_link import ok
from api.web.feed import Snapshot, compact
from api.web.idempotency import idempotency_key
from api.web.models import (
    AnswerIn,
    ClaimIn,
    ClaimOut,
    CommandIn,
    CommandOut,
    DecisionIn,
    RunOut,
    RunRow,
    StartedOut,
    StartIn,
    StateOut,
    TaskOut,
    Timeline,
)
from api.web.one_unit import foreign_devices
from api.web.problems import Problem
from api.web.security.rights import RIGHT_OF_CAUSE, Right, needs, require, require_unit
from api.web.security.who import Person
from api.web.service import Service, service

router = APIRouter(tags=["runs"])
JSON = "application/json"

Here = Annotated[Service, Depends(service)]
Viewer = Annotated[Person, needs(Right.SEE)]
Operator = Annotated[Person, needs(Right.ACT, knows_unit=True)]
Doer = Annotated[Person, needs(Right.TASK, knows_unit=True)]
Starter = Annotated[Person, needs(Right.MANUAL, knows_unit=True)]
Supervisor = Annotated[Person, needs(Right.DECIDE, knows_unit=True)]
Key = Annotated[str, Depends(idempotency_key)]


# ---- looking -------------------------------------------------------------------------------------------------


@router.get("/runs", response_model=list[RunRow])
async def runs(here: Here, person: Viewer) -> Response:
    """Every run of this bench, the newest first."""
    return Response(await here.read(lambda archive: compact(archive.runs(person.unit))), media_type=JSON)


@router.get("/runs/{run}", response_model=RunOut)
async def run(run: str, here: Here, person: Viewer) -> Response:
    """One run; `live` holds what the controller knows of it now."""
    await require_run(here, person, run)
    found = live(here.feed.current(), run)
    row = await here.read(lambda archive: archive.run(run))
    return Response(compact({**row, "live": found, "commands": found["commands"] if found else []}), media_type=JSON)


@router.get("/runs/{run}/timeline", response_model=Timeline)
async def timeline(run: str, here: Here, person: Viewer) -> Response:
    """Planned, actual and estimated bars; states, outages, alarms, deviations."""
    await require_run(here, person, run)
    shown = here.feed.current()
    foreign = frozenset[str]() if person.unit is None else frozenset(foreign_devices(shown, person.unit))
    text = await here.read(lambda archive: archive.timeline(run, shown["now"], foreign))
    return Response(text, media_type=JSON)


@router.get("/runs/{run}/doses", response_model=list[dict[str, Any]])
async def doses(run: str, here: Here, person: Viewer) -> Response:
    """Every stroke of the run: asked, measured, seen by the witness, how it ended, on what evidence."""
    await require_run(here, person, run)
    return Response(await here.read(lambda archive: compact(archive.doses(run))), media_type=JSON)


@router.get("/runs/{run}/tasks", response_model=list[TaskOut])
async def tasks(run: str, here: Here, person: Viewer) -> Response:
    """Every task of the run for a person: open, answered, closed."""
    await require_run(here, person, run)
    return Response(await here.read(lambda archive: compact(archive.tasks(run))), media_type=JSON)


@router.get("/commands/{key}", response_model=CommandOut)
async def command_by_key(key: str, here: Here, person: Viewer) -> CommandOut:
    """What became of an act of yours whose answer was lost; one that was refused is refused again, in the same words.

    404: it did not reach the records, so it was not done (UI-25)."""
    answer, unit = await here.read(lambda archive: archive.answer(key, person.user))
    if person.unit is not None and person.unit != unit:
        raise Problem("not-allowed", f"this token is for the unit {person.unit} only; no act on it has this key")
    if answer is None:
        raise Problem("unknown-key", "no act with this key is on record: it was not done, or is not done yet")
    ok(answer.get("refused", {"ok": answer}))
    return CommandOut(key=key, answer=answer)


# ---- acting --------------------------------------------------------------------------------------------------


@router.post("/runs", response_model=StartedOut, status_code=201)
async def start(body: StartIn, here: Here, person: Starter, key: Key) -> StartedOut:
    """Check, bind and start a protocol on a unit."""
    units = here.feed.current()["units"]
    unit = body.unit or next(iter(units))
    require_unit(person, unit)
    fields = {"protocol": protocol_text(body.protocol), "unit": unit, "set": body.set, "start": body.start}
    fields |= {"batch": body.batch, "parents": body.parents, "kind": body.kind}
    done = await here.link.act("start", {**fields, "actor": person.actor()}, key)
    return StartedOut(run=done["run"])


@router.post("/runs/{run}/commands", response_model=StateOut)
async def command(run: str, body: CommandIn, here: Here, person: Operator, key: Key) -> StateOut:
    """Pause, resume, hold, restart, stop, abort or reset. 409 with `state` when the run has moved on."""
    require(person, RIGHT_OF_CAUSE.get(body.cause, Right.DECIDE))
    require_unit(person, await unit_of(here, run))
    asked = {"run": run, "cause": body.cause.value, "why": body.why, "state_seen": body.state_seen.value}
    return StateOut(**await here.link.act("command", {**asked, "actor": person.actor()}, key))


@router.post("/runs/{run}/tasks/answer", response_model=StateOut)
async def answer(run: str, body: AnswerIn, here: Here, person: Doer, key: Key) -> StateOut:
    """Answer a hand step: its entries are checked against kind, unit and limits, all faults at once."""
    require_unit(person, await unit_of(here, run))
    asked = {"run": run, **body.model_dump()}
    done = StateOut(**await here.link.act("answer", {**asked, "actor": person.actor()}, key))
    here.drafts.drop(run, body.path, None if done.state == "answered" else person.user)
    return done


@router.post("/runs/{run}/tasks/claim", response_model=ClaimOut)
async def claim(run: str, body: ClaimIn, here: Here, person: Doer, key: Key) -> ClaimOut:
    """Say who is on a hand step; 409 names the person who is on it already. Anybody who may act may give it back."""
    require_unit(person, await unit_of(here, run))
    asked = {"run": run, "path": body.path, "whom": body.by}
    return ClaimOut(**await here.link.act("claim", {**asked, "actor": person.actor()}, key))


@router.post("/runs/{run}/decisions", response_model=StateOut)
async def decide(run: str, body: DecisionIn, here: Here, person: Supervisor, key: Key) -> StateOut:
    """Answer an open question of a held run; the run itself goes on by `restart`."""
    require_unit(person, await unit_of(here, run))
    asked = {"run": run, "path": body.path, "answer": body.answer, "volume_ml": body.volume_ml, "why": body.why}
    asked |= {"question": body.question} if body.question else {}
    return StateOut(**await here.link.act("decide", {**asked, "actor": person.actor()}, key))


def protocol_text(given: str) -> str:
    """The text of a protocol: as given, or by the name of one that ships; never a file of this machine."""
    from protocols.loading import shipped

    text = given if "\n" in given else shipped(given)
    if text is None:
        raise Problem("invalid", f"no protocol {given[:100]!r} ships with osteon; send its text instead")
    return text


def live(shown: Snapshot, run: str) -> dict[str, Any] | None:
    return next((each for each in shown["runs"] if each["run"] == run), None)


async def require_run(here: Service, person: Person, run: str) -> None:
    """Raises Problem not-allowed where the person's token is for another unit than that of the run."""
    if person.unit is not None:
        require_unit(person, await unit_of(here, run))


async def unit_of(here: Service, run: str) -> str:
    """The unit a run is on; an unknown run is no run of any unit."""
    found = live(here.feed.current(), run)
    return found["unit"] if found else str((await here.read(lambda archive: archive.run(run)))["unit"])
