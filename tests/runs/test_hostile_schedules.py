"""Wire faults, power losses, kills and people at random moments of an exchange, by seed; judged by the plant's truth.

After each schedule a person decides what is open, truly, and restarts: no dose twice, none lost unnoticed, nothing
called done that was not, no motion while held, no two exchanges too close, no run stuck, a whole ledger, an incubator
that is read.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.runs.hostile import hostile
from tests.runs.scene import Scene
from tests.runs.test_crash_sweep import EXCHANGE, FIRST, scene_before

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.xdist_group("hostile schedules"),
    pytest.mark.req("SIM-11", "DS-03", "DS-04", "DS-06", "DX-03", "SM-08", "INV-01", "INV-02", "INV-03"),
]
LAST = "culture/exchange/3"
KEPT = (6016,)
"""Seeds that once broke a rule: a pump that heard but was not heard moved on while the run was held."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scene]:
    """Before the first exchange the counters of one pump stand at zero, before the second they do not."""
    return {path: scene_before(path, tmp_path_factory.mktemp("scene"), 60.0) for path in (FIRST, EXCHANGE)}


def broken(scene: Scene, folder: Path, seeds: Iterable[int], last: str) -> dict[int, list[str]]:
    """Seed -> the rules its schedule broke, for those that broke any."""
    found: dict[int, list[str]] = {}
    for seed in seeds:
        place = folder / str(seed)
        if faults := scene.play(place, lambda lab, seed=seed: hostile(lab, seed, last)):
            found[seed] = faults
        shutil.rmtree(place)
    return found


def test_hostile_schedules_of_either_exchange_break_no_rule(scenes: dict[str, Scene], tmp_path: Path) -> None:
    assert broken(scenes[FIRST], tmp_path, (*range(1, 4), *KEPT), FIRST) == {}
    assert broken(scenes[EXCHANGE], tmp_path, range(9, 14), EXCHANGE) == {}


@pytest.mark.campaign
@pytest.mark.parametrize("path", [FIRST, EXCHANGE])
def test_many_hostile_schedules_break_no_rule(scenes: dict[str, Scene], tmp_path: Path, path: str) -> None:
    assert broken(scenes[path], tmp_path, range(1000, 1250), LAST) == {}
