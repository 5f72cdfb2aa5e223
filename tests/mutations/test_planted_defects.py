"""Test of the tests (SIM-09): each defect, planted in a copy of the tree, must make a named test fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("api", "controller", "drivers", "protocols", "simulators", "tests", "pyproject.toml")


@dataclass(frozen=True)
class Defect:
    """`old` in `file` becomes `new`; then `test` (a file, and words of its name) must fail."""

    name: str
    file: str
    old: str
    new: str
    test: str
    words: str


DOSES, RECONCILE, LEDGER = "controller/run/doses.py", "controller/run/reconcile.py", "controller/store/ledger.py"
INTENT = '        await self.ledger.commit([Insert("doses", intent.row())], [self._entry("dose intended", intent)])\n'
SEND = "await mover.start(intent.stroke, intent.target_ml, intent.rate_ml_min, unless=halt.is_set)\n"
ANEW = 'execute("COMMIT")\n        execute("BEGIN IMMEDIATE")\n'
MOVE = "        watched = await self._move(intent, mover, halt, weigh)\n"

DEFECTS = (
    Defect(
        "no fence",
        DOSES,
        "            await asyncio.sleep(mover.fence_quiet_s)\n",
        "            return first\n",
        "tests/controller/test_doses.py",
        "fence or moves_again",
    ),
    Defect(
        "intent after send",
        DOSES,
        MOVE,
        MOVE + INTENT,
        "tests/controller/test_doses.py",
        "every_run_frame_has_its_own_intent",
    ),
    Defect(
        "retry on time-out",
        DOSES,
        "        except WireError:\n            return Watched(unbroken=False)\n        loop =",
        f"        except WireError:\n            await mover.stop()\n            {SEND}        loop =",
        "tests/controller/test_doses.py",
        "lost_reply_to_run",
    ),
    Defect(
        "baseline zero trusted",
        RECONCILE,
        '    return False, "the baseline was zero, which proves nothing"',
        '    return True, "zero is a number like any other"',
        "tests/controller/test_doses.py",
        "consumed_power_up_alarm or power_blip_in_the_first",
    ),
    Defect(
        "audit row outside the transaction",
        LEDGER,
        "        seq, previous = self._seq, self._hash\n",
        f"        {ANEW}        seq, previous = self._seq, self._hash\n",
        "tests/store/test_ledger.py",
        "takes_everything_back",
    ),
    Defect(
        "chain without the previous hash",
        LEDGER,
        "            sealed = seal(seq + 1, fields, previous)\n",
        '            sealed = seal(seq + 1, fields, "")\n',
        "tests/store",
        "verif",
    ),
    Defect(
        "a stroke during an alarm taken as watched",
        DOSES,
        "unbroken=watched.unbroken and not News.of(mover).since(before_it, sent=not watched.refused),",
        "unbroken=True,",
        "tests/controller/test_doses.py",
        "power_blip or consumed or over_delivery",
    ),
    Defect(
        "last good value masks a bad one",
        "controller/latest.py",
        "        known.update(readings)\n",
        "        known.update({name: one for name, one in readings.items() if one.value is not None})\n",
        "tests/controller/test_latest_values.py",
        "masked",
    ),
    Defect(
        "wall clock for waits",
        "controller/run/engine.py",
        "loop.time() + max(0.0, due - self.doors.clock.now())",
        'loop.time() + max(0.0, due - __import__("time").time())',
        "tests/runs/test_seeds.py",
        "without_faults",
    ),
    Defect(
        "a counter that fell taken for one that stood still",
        RECONCILE,
        '        return False, "a counter stands below its baseline: the device lost power"',
        '        return True, "counters roll over"',
        "tests/doses/test_every_case.py",
        "forgets",
    ),
    Defect(
        "an unmeasured stroke begun anew after a restart",
        "controller/run/transfers.py",
        "                await self._measure(site.unit, step.intent)\n                continue\n",
        "                return None\n",
        "tests/doses/test_every_case.py",
        "part_of_the_cases",
    ),
    Defect(
        "late step lost",
        "protocols/tree.py",
        '        draft.drop(node, "skipped by rule", against)\n        draft.deviate(node.path, against)\n',
        '        draft.drop(node, "skipped by rule", against)\n',
        "tests/protocols/test_machine.py",
        "late or missed or merged",
    ),
)


ALWAYS = 5
"""So many of them are planted in each run of the tests, the others in campaigns."""


def planted(defect: Defect, folder: Path) -> None:
    """Copy the tree and put the defect in; the place must be there exactly once.

    Bytecode is copied too (it names its source by time and size, which the copy keeps): only the defect is compiled.
    """
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("mutations", "dashboard"))
        else:
            shutil.copy(source, folder / name)
    path = folder / defect.file
    text = path.read_text("utf-8")
    if defect.name == "intent after send":
        assert text.count(INTENT) == 1
        text = text.replace(INTENT, "")
    assert text.count(defect.old) == 1, f"{defect.name}: its place in {defect.file} has changed; plant it anew"
    path.write_text(text.replace(defect.old, defect.new), "utf-8")


@pytest.mark.req("SIM-09")
@pytest.mark.parametrize(
    "defect",
    [
        pytest.param(defect, id=defect.name, marks=() if number < ALWAYS else pytest.mark.campaign)
        for number, defect in enumerate(DEFECTS)
    ],
)
def test_a_planted_defect_makes_a_test_fail(defect: Defect, tmp_path: Path) -> None:
    planted(defect, tmp_path)
    without = [
        word for name in ("cacheprovider", "xdist", "pytest_cov", "hypothesispytest") for word in ("-p", f"no:{name}")
    ]
    words = [sys.executable, "-m", "pytest", "-x", "-q", *without]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    for name in ("PYTEST_XDIST_WORKER", "COV_CORE_SOURCE", "COV_CORE_CONFIG", "COV_CORE_DATAFILE"):
        environment.pop(name, None)
    ran = subprocess.run(
        [*words, defect.test, "-k", defect.words], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 1, f"no test noticed {defect.name!r}:\n{ran.stdout[-2000:]}{ran.stderr[-500:]}"
    assert " failed" in ran.stdout
