"""What was done and refused, brought into the controller's trail (AT-01). Each entry is delivered at least once: one
that the controller took while this process died comes again from the next process, marked as delivered later."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Sequence
from dataclasses import asdict

from api.web.controller_link import ControllerLink
from api.web.problems import Problem
from api.web.security.act import Act
from api.web.security.outbox import Outbox
from api.web.service import Service

DELIVER_S = 0.5
"""How often waiting entries go to the controller."""

log = logging.getLogger("osteon.api")

Entry = dict[str, str]


async def deliver(here: Service) -> None:
    """For ever. What the controller does not take now waits; no fault of a single turn ends the delivery."""
    while True:
        try:
            await hand_over(here)
            here.gate.audit.delivered(here.settings.data)
        except Problem:
            pass  # away or busy: the entries wait
        except Exception as error:  # noqa: BLE001  a trail that stands still is worse than one faulty turn
            frame = traceback.extract_tb(error.__traceback__)[-1]
            log.error("audit entries wait: %s at %s:%s", type(error).__name__, frame.filename, frame.lineno)
        await asyncio.sleep(DELIVER_S)


async def hand_over(here: Service) -> None:
    """All that waits. Raises Problem where the controller does not take it now."""
    while entries := here.gate.audit.take():
        try:
            await offer(here.link, entries)
        except BaseException:
            here.gate.audit.back(entries)
            raise
    await empty(here.gate.outbox, here.link)


async def empty(outbox: Outbox, link: ControllerLink) -> None:
    """Deliver every act on accounts and tokens. Raises Problem where the controller does not take it now."""
    while posted := outbox.waiting():
        left = [entry for _, entry in posted]
        try:
            await offer(link, left)
        finally:
            for number, _ in posted[: len(posted) - len(left)]:
                outbox.delivered(number)


async def offer(link: ControllerLink, entries: list[Entry]) -> None:
    """Takes out of `entries` what the controller took. A batch it cannot read is offered one by one, so that one entry
    blocks no other; for an entry refused alone a stub goes. Raises Problem where it takes nothing now."""
    if await taken(link, entries) is None:
        entries.clear()
    while entries:
        why = await taken(link, entries[:1])
        if why is not None and await taken(link, [stub(entries[0], why)]) is not None:
            log.error("an audit entry is lost: the controller refuses it and what stands for it: %s", why)
        del entries[0]


async def taken(link: ControllerLink, entries: Sequence[Entry]) -> str | None:
    """None, or why the controller will never take these."""
    try:
        await link.audit(entries)
    except Problem as problem:
        if problem.kind != "invalid":
            raise
        return problem.detail
    return None


def stub(entry: Entry, why: str) -> Entry:
    """Stands in the trail for an entry that was not taken: by the same actor, in its place, with the reason."""
    reason = f"{entry.get('action', '')[:80]}: {' '.join(why.split())}"
    who = {name: entry.get(name, "") for name in ("actor", "role", "authenticated_by", "client")}
    return asdict(Act("entry not taken", "api", outcome="failed", reason=reason, **who))
