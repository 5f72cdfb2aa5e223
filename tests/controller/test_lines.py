"""One donor per unit: another's cells come only after a signed line clearance (RM-10)."""

from __future__ import annotations

import pytest
import pytest_asyncio

from controller.batches import Begun
from controller.errors import RunConflict, Unusable
from protocols.states import Cause
from tests.api.web.bench import served
from tests.api.web.security.house import API, kind
from tests.api.web.security.test_tokens import bearer, make
from tests.controller.quick import WAIT, QuickLab
from tests.runs.lab import TESTER

WHY = "vessel and tubing changed, labels removed"


@pytest_asyncio.fixture
async def held(lab: QuickLab) -> QuickLab:
    """Two donors on record; run-1 is of the first, on the only unit."""
    await lab.up()
    for donor in ("D-1", "D-2"):
        await lab.runs.batches.add(donor, "donor", TESTER, parents={})
    await start(lab, "B-1", "D-1")
    return lab


async def start(lab: QuickLab, batch: str, *parents: str) -> str:
    """A run on a new batch of a tenth of each parent."""
    return await lab.runs.start(WAIT, by=TESTER, batch=Begun(batch, dict.fromkeys(parents, 0.1), "isolation"))


async def ended(lab: QuickLab, run: str = "run-1") -> None:
    await lab.runs.command(run, Cause.ABORT, TESTER)
    assert await lab.until(lambda: lab.engine.ended, 200.0)
    await lab.runs.command(run, Cause.RESET, TESTER)


@pytest.mark.req("RM-10")
async def test_a_unit_takes_another_donor_only_after_a_signed_line_clearance(held: QuickLab) -> None:
    with pytest.raises(RunConflict, match="run-1 has reactor"):
        await held.runs.lines.clear("reactor", TESTER, why=WHY)
    await ended(held)
    with pytest.raises(
        Unusable, match="reactor holds cells of donor D-1, not of D-2; or sign the line clearance first"
    ):
        await start(held, "B-2", "D-2")
    with pytest.raises(Unusable, match="is not known: name its batch; or sign the line clearance"):
        await held.runs.start(WAIT, by=TESTER)
    with pytest.raises(Unusable, match="of the donors D-1, D-2: one donor per unit"):
        await start(held, "B-2", "D-1", "D-2")
    assert await start(held, "B-2", "D-1") == "run-2", "the same donor needs no clearance"
    await ended(held, "run-2")
    with pytest.raises(Unusable, match="say why"):
        await held.runs.lines.clear("reactor", TESTER, why=" ok ")
    assert await held.runs.lines.clear("reactor", TESTER, why=WHY, key="k") == "D-1"
    assert await held.runs.lines.clear("reactor", TESTER, why=WHY, key="k") == "D-1"
    assert [row.donor for row in held.ledger.donors()] == ["D-1", "D-1", ""]
    entry = next(each for each in held.ledger.audit() if each.action == "line cleared")
    assert (entry.fields["old"], entry.fields["reason"], entry.actor) == ("D-1", WHY, TESTER.name)
    assert await start(held, "B-3", "D-2") == "run-3"
    await held.kill()
    await held.up()
    assert held.runs.lines.donor("reactor") == "D-2"


@pytest.mark.req("RM-10")
async def test_a_batch_of_another_donor_is_not_made_in_a_run(held: QuickLab) -> None:
    add = held.runs.batches.add
    await add("P-1", "passage", TESTER, run="run-1", parents={"D-1": 0.5})
    with pytest.raises(Unusable, match="run-1 is of donor D-1, this batch of D-2: one"):
        await add("P-2", "passage", TESTER, run="run-1", parents={"D-2": 0.5})
    with pytest.raises(Unusable, match="this batch of D-1, D-2: one donor per unit"):
        await add("P-3", "passage", TESTER, run="run-1", parents={"P-1": 0.5, "D-2": 0.5})


@pytest.mark.req("RM-10")
async def test_the_first_batch_says_the_donor_of_a_run_that_did_not(lab: QuickLab) -> None:
    await lab.up()
    await lab.runs.batches.add("D-1", "donor", TESTER, parents={})
    await lab.start(WAIT)
    await lab.runs.batches.add("P-1", "passage", TESTER, run="run-1", parents={"D-1": 0.5})
    assert (lab.runs.lines.donor("reactor"), lab.runs.lines.of_run("run-1")) == ("D-1", "D-1")


@pytest.mark.req("RM-10", "SEC-09")
async def test_a_person_signs_the_clearance_and_a_token_cannot(held: QuickLab) -> None:
    await ended(held)
    sent, head = {"why": WHY}, {"idempotency-key": "k"}
    async with served(held) as house, house.signed_in("operator") as client, house.visitor() as script:
        script.headers.update(bearer(await make(client, "operator")))
        refused = await script.post(f"{API}/units/reactor/clear-line", json=sent, headers=head)
        assert "a token cannot do this" in refused.json()["detail"]
        short = await client.post(f"{API}/units/reactor/clear-line", json={"why": "ok"}, headers=head)
        assert kind(short) == "invalid"
        done = await client.post(f"{API}/units/reactor/clear-line", json=sent, headers=head)
    assert done.json() == {"donor": "D-1"}
    entry = next(each for each in held.ledger.audit() if each.action == "line cleared")
    assert (entry.actor, entry.fields["authenticated_by"]) == ("operator", "password")
