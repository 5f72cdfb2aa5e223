"""Calibrations from the terminal, through real processes: a controller on a world with its own clock, and the commands
a person types. Good probes and pumps are accepted; worn ones, old buffers, a probe in a run are refused, with reasons.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api import cli
from controller.store.verify import verify
from simulators import by_hand
from tests.runs import movers
from tests.runs.processes import EXCHANGES, Processes, until

pytestmark = [pytest.mark.real_time, pytest.mark.timeout(120)]

SPEED = 1200.0
SETTLED_S = 240.0
"""A probe has been in its buffer for long enough."""
BUFFERS = (("buffer 1", "7.00", "ph=7"), ("buffer 2", "4.01", "ph=4.01"))
WORN = {
    "ph_worn": ("hamilton_arc_ph", 3, -52.0),
    "ph_dead": ("hamilton_arc_ph", 4, -40.0),
    "do_worn": ("hamilton_arc_do", 5, 0.5),
}
"""Probes beside the good ones, by name: model, address, true slope (mV a pH) or share of the light."""


def bench() -> str:
    """Peristaltic pumps, good probes and worn ones on the line of the good ones."""
    text = movers.bench("ismatec_reglo_icc")
    devices = "".join(
        f'[[devices]]\nname = "{name}"\nmodel = "{model}"\nlink = "probes"\naddress = {address}\npoll_s = 10\n'
        for name, (model, address, _) in WORN.items()
    )
    text = text.replace("[[units]]", f"{devices}\n[[units]]", 1)
    text = text.replace(
        "[simulation.places] ", "[simulation.places]\n" + "".join(f'{name} = "vessel"\n' for name in WORN), 1
    )
    return text + "".join(f"[simulation.options.{name}]\nraw_gain = {gain}\n" for name, (_, _, gain) in WORN.items())


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str


class Desk:
    """A serving bench and a terminal."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], faults: str) -> None:
        self.processes = Processes(folder, speed=SPEED, bench=bench(), faults=faults)
        self._capsys = capsys

    def _typed(self, command: Callable[[list[str]], int], words: list[str]) -> Said:
        self._capsys.readouterr()
        code = command(words)
        return Said(code, *self._capsys.readouterr())

    def osteon(self, *words: str) -> Said:
        return self._typed(cli.main, [*words, "--data", str(self.processes.data)])

    def calibrate(self, *words: str) -> str:
        """A step that must work; what it printed."""
        said = self.osteon("calibrate", *words)
        assert said.code == 0, said.err
        return said.out

    def refused(self, *words: str) -> str:
        """A step that must not; what was said."""
        said = self.osteon("calibrate", *words)
        assert said.code == 1, said.out
        return said.err

    def hands(self, *words: str) -> None:
        said = self._typed(by_hand.main, ["--world", str(self.processes.world_socket), *words])
        assert said.code == 0, said.err

    async def dip(self, device: str, liquid: str) -> None:
        self.hands("dip", device, liquid)
        there = self.processes.ask("snapshot")["now"] + SETTLED_S
        await until(lambda: self.processes.ask("snapshot")["now"] >= there, "the probe has settled")

    async def buffers(self, device: str) -> None:
        """A two-point calibration up to the signature."""
        self.calibrate("begin", device)
        for point, reference, liquid in BUFFERS:
            await self.dip(device, liquid)
            self.calibrate("point", device, point, "--reference", reference, "--lot", "4711", "--expires", "2026-12-31")

    def listed(self, device: str) -> list[dict[str, Any]]:
        return json.loads(self.calibrate("list", device, "--json"))

    def listed_all(self) -> list[dict[str, Any]]:
        return json.loads(self.calibrate("list", "--json"))

    def weighed(self) -> str:
        how = ("--doses", "4", "--volume", "5mL", "--rate", "10mL/min", "--balance", "balance.weight")
        return self.calibrate("weigh", "pump_out", *how)

    def quality(self, device: str, signal: str) -> str:
        devices = self.processes.ask("snapshot")["devices"]
        return next(each["readings"][signal]["quality"] for each in devices if each["name"] == device)


@asynccontextmanager
async def desk(folder: Path, capsys: pytest.CaptureFixture[str], faults: str = "") -> AsyncIterator[Desk]:
    made = Desk(folder, capsys, faults)
    async with made.processes as processes:
        await processes.boot()
        yield made
    assert verify(processes.data).ok


async def test_probes_from_the_terminal_good_ones_are_taken_and_worn_ones_refused_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with desk(tmp_path, capsys) as at:
        # pH, two points: first an old buffer, then good ones
        assert "calibration-1 of ph_probe is open" in at.calibrate("begin", "ph_probe")
        old = at.refused(
            "point", "ph_probe", "buffer 1", "--reference", "7", "--lot", "4700", "--expires", "2025-12-31"
        )
        assert "lot 4700 ran out on 2025-12-31" in old
        for point, reference, liquid in BUFFERS:
            await at.dip("ph_probe", liquid)
            words = ("--reference", reference, "--lot", "4711", "--expires", "2026-12-31")
            assert f"{point}: reference {float(reference):g}" in at.calibrate("point", "ph_probe", point, *words)
        assert at.quality("ph_probe", "ph") == "manual"
        assert re.match(r"ph_probe accepted: .*slope mv ph -5\d", at.calibrate("accept", "ph_probe"))
        at.hands("put-back", "ph_probe")
        assert "1 autoclave cycles" in at.calibrate("autoclave", "ph_probe")
        # a worn electrode that the sensor itself lets pass, and one that it does not
        await at.buffers("ph_worn")
        assert "slope 87.9 % of Nernst, 90 to 105 % are allowed" in at.refused("accept", "ph_worn")
        at.calibrate("begin", "ph_dead")
        await at.dip("ph_dead", "ph=7")
        at.calibrate("point", "ph_dead", "buffer 1", "--reference", "7", "--lot", "4711")
        await at.dip("ph_dead", "ph=4.01")
        dead = at.refused("point", "ph_dead", "buffer 2", "--reference", "4.01", "--lot", "4711")
        assert "too low" in dead
        # oxygen: air and zero
        at.calibrate("begin", "do_probe")
        await at.dip("do_probe", "do_percent=100")
        at.calibrate("point", "do_probe", "air", "--reference", "100", "--lot", "room air")
        await at.dip("do_probe", "do_percent=0")
        at.calibrate("point", "do_probe", "zero", "--lot", "sulfite 9")
        assert "do_probe accepted" in at.calibrate("accept", "do_probe")
        at.hands("put-back", "do_probe")
        at.calibrate("begin", "do_worn")
        await at.dip("do_worn", "do_percent=100")
        assert "too low" in at.refused("point", "do_worn", "air", "--reference", "100", "--lot", "room air")
        # what is on record, and a probe that a run needs
        states = {each["device"]: (each["state"], each["why"]) for each in at.listed_all()}
        assert {name: state for name, (state, _) in states.items()} == {
            "ph_probe": "accepted",
            "do_probe": "accepted",
            "ph_worn": "refused",
            "ph_dead": "refused",
            "do_worn": "refused",
        }
        assert "slope 87.9 %" in states["ph_worn"][1] and "too low" in states["ph_dead"][1]
        assert (at.osteon("runs", "start", str(EXCHANGES))).code == 0
        at.calibrate("begin", "ph_probe")  # a sample may correct it in a run, a buffer may not
        in_a_run = at.refused("point", "ph_probe", "buffer 1", "--reference", "7", "--lot", "4711")
        assert "serves the run on reactor; only a correction by a sample is possible now" in in_a_run
        at.calibrate("discard", "ph_probe")
        assert "serves the run" in at.refused("begin", "pump_out")


async def test_a_pump_by_weight_from_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with desk(tmp_path, capsys) as at:
        at.hands("pour", "140")
        at.calibrate("begin", "pump_out")
        assert (at.weighed()).count("weighed") == 4
        assert (found := re.match(r"pump_out accepted: gain ([\d.]+)", at.calibrate("accept", "pump_out")))
        assert 0.9 < float(found[1]) < 1.1
        with at.processes.ledger() as ledger:
            assert {dose.state for dose in ledger.doses("calibration-1")} == {"done"}


async def test_a_worn_tube_from_the_terminal_is_refused_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with desk(tmp_path, capsys, faults="worn-tube:fraction=0.3") as at:
        at.hands("pour", "140")
        at.calibrate("begin", "pump_out")
        at.weighed()
        refused = at.refused("accept", "pump_out")
        assert re.search(r"moves [23]\d\.\d % less than it counts, 10 % are allowed: look for a worn tube", refused)
        assert [each["state"] for each in at.listed("pump_out")] == ["refused"]


@pytest.mark.parametrize("words", [["--data", "nowhere", "list"], ["list", "--data", "nowhere"]])
def test_the_data_folder_may_stand_before_or_behind_the_step_and_is_never_another_one(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["calibrate", *words]) == 1
    assert "no controller runs on nowhere" in capsys.readouterr().err
