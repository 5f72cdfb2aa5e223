"""Houses to break into."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.web.security.settings import Settings
from api.web.security.who import Role
from tests.api.web.security.house import CHEAP, House, Wall, build, whole


@pytest.fixture
def empty_house(tmp_path: Path) -> Iterator[House]:
    """Nobody has an account yet."""
    wall = Wall()
    house = build(Settings(tmp_path, hash_cost=CHEAP, wall=wall), wall)
    yield house
    house.gate.close()


@pytest.fixture
async def house(empty_house: House) -> House:
    """An administrator has an account."""
    await empty_house.add("admin", Role.ADMIN)
    return empty_house


@pytest.fixture(params=["rooms", "service"])
async def each_house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    """The rooms of these tests, and the whole service as it is served; an administrator has an account."""
    wall = Wall()
    settings = Settings(tmp_path, hash_cost=CHEAP, wall=wall)
    house = build(settings, wall) if request.param == "rooms" else whole(settings, wall)
    await house.add("admin", Role.ADMIN)
    yield house
    house.gate.close()


@pytest.fixture
def house_with(tmp_path: Path) -> Iterator[Any]:
    """A house with other settings."""
    made: list[House] = []

    def make(**settings: Any) -> House:
        wall = Wall()
        made.append(build(replace(Settings(tmp_path, hash_cost=CHEAP, wall=wall), **settings), wall))
        return made[-1]

    yield make
    for each in made:
        each.gate.close()
