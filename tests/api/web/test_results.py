"""Results of samples and releases over HTTP: told, written down once for a key, refused with the reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.api.web.bench import served
from tests.api.web.security.house import API, House, kind
from tests.controller.quick import QuickLab
from tests.controller.test_releases import CONTROL
from tests.runs.lab import TESTER


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[QuickLab]:
    """A run on batch B whose sample QC was taken."""
    made = QuickLab(tmp_path / "data")
    await made.up()
    await made.runs.batches.add("D", "donor", TESTER, parents={})
    await made.start(CONTROL)
    await made.runs.batches.add("B/1", "spheroid batch", TESTER, run="run-1", parents={"D": 0.5})
    assert await made.until(lambda: bool(made.runs.tasks()), 600.0)
    await made.runs.answer("run-1", made.runs.tasks()[0]["path"], {}, TESTER)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def house(lab: QuickLab) -> AsyncIterator[House]:
    async with served(lab) as made:
        yield made


async def post(client: Any, path: str, key: str, **body: Any) -> Any:
    return await client.post(f"{API}{path}", json=body, headers={"idempotency-key": key * 20})


@pytest.mark.req("RM-11")
async def test_a_batch_is_released_by_the_results_of_its_samples(lab: QuickLab, house: House) -> None:
    async with house.signed_in("operator") as client:
        listed = (await client.get(f"{API}/runs/run-1/results")).json()
        assert [(each["name"], each["state"]) for each in listed] == [
            ("viability", "pending"),
            ("sterility negative", "pending"),
        ]
        viability = {"sample": "QC", "name": "viability", "method": "trypan blue"}
        assert kind(await post(client, "/runs/run-1/results", "a", **viability, value=170.0)) == "invalid"
        done = await post(client, "/runs/run-1/results", "b", **viability, value=91.0)
        assert (done.status_code, done.json()) == (201, {"state": "within"})
        assert (await post(client, "/runs/run-1/results", "b", **viability, value=91.0)).json() == {"state": "within"}
        assert kind(await post(client, "/batches/B/1/release", "c", stage="preliminary")) == "not-allowed"
    async with house.signed_in("supervisor") as client:
        assert (await post(client, "/batches/B/1/release", "d", stage="preliminary")).json()["state"] == "preliminary"
        refused = await post(client, "/batches/B/1/release", "e", stage="final")
        assert "QC sterility negative is pending" in refused.text
        (release,) = (await client.get(f"{API}/batches/B/1")).json()["releases"]
    assert (release["stage"], release["facts"]["results"]["pending"]) == ("preliminary", ["QC sterility negative"])
